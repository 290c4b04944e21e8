import CTickLog

/// Legal storage tables.
enum StorageRules {
    static func check(_ storage: UnsafePointer<ticklog_storage>) -> ticklog_status {
        guard let table = storage.taken() else { return TICKLOG_BAD_SIZE }
        guard table.make_directory != nil, table.remove != nil else { return TICKLOG_BAD_STORAGE }
        return checkForTables(storage)
    }

    /// Of one file, whose directory is there.
    static func checkForTables(_ storage: UnsafePointer<ticklog_storage>) -> ticklog_status {
        guard let table = storage.taken() else { return TICKLOG_BAD_SIZE }
        guard table.open != nil, table.write != nil, table.close != nil,
            isPowerOfTwo(blockSize(storage), from: 16, through: 65536),
            isPowerOfTwo(blockAlignment(storage), from: 1, through: 4096), table.flags & ~TICKLOG_APPEND_ONLY == 0
        else { return TICKLOG_BAD_STORAGE }
        return TICKLOG_OK
    }

    static func blockSize(_ storage: UnsafePointer<ticklog_storage>) -> Int {
        storage.pointee.block_size == 0 ? 512 : Int(storage.pointee.block_size)
    }

    static func blockAlignment(_ storage: UnsafePointer<ticklog_storage>) -> Int {
        storage.pointee.block_alignment == 0 ? 32 : Int(storage.pointee.block_alignment)
    }

    private static func isPowerOfTwo(_ value: Int, from least: Int, through most: Int) -> Bool {
        value >= least && value <= most && value & (value - 1) == 0
    }
}
