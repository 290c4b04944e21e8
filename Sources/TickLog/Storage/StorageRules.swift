import CTickLog

/// Legal storage tables.
enum StorageRules {
    static func check(_ storage: UnsafePointer<ticklog_storage>) -> ticklog_status {
        let table = storage.pointee
        guard table.size == UInt32(MemoryLayout<ticklog_storage>.size) else { return TICKLOG_BAD_SIZE }
        guard table.make_directory != nil, table.remove != nil else { return TICKLOG_BAD_STORAGE }
        return checkForTables(storage)
    }

    /// Of one file, whose directory is there.
    static func checkForTables(_ storage: UnsafePointer<ticklog_storage>) -> ticklog_status {
        let table = storage.pointee
        guard table.size == UInt32(MemoryLayout<ticklog_storage>.size) else { return TICKLOG_BAD_SIZE }
        guard table.open != nil, table.write != nil, table.close != nil,
            isPowerOfTwo(blockSize(table), from: 16, through: 65536),
            isPowerOfTwo(blockAlignment(table), from: 1, through: 4096), table.flags & ~TICKLOG_APPEND_ONLY == 0
        else { return TICKLOG_BAD_STORAGE }
        return TICKLOG_OK
    }

    static func blockSize(_ table: ticklog_storage) -> Int { table.block_size == 0 ? 512 : Int(table.block_size) }

    static func blockAlignment(_ table: ticklog_storage) -> Int {
        table.block_alignment == 0 ? 32 : Int(table.block_alignment)
    }

    private static func isPowerOfTwo(_ value: Int, from least: Int, through most: Int) -> Bool {
        value >= least && value <= most && value & (value - 1) == 0
    }
}
