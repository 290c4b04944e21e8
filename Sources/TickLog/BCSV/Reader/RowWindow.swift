import CLZ4

/// The rows of a packet as LZ4 unpacks them: the last 64 KiB stay, because later rows refer to them
/// (spec: BCSV.md, section 4.1).
struct RowWindow {
    private let memory: UnsafeMutableRawPointer
    private let size: Int
    private let largestRow: Int
    /// The largest row is shorter than what the schema allows.
    let isShort: Bool
    private var used = 0

    #if os(none)
    private static let histories = 2
    #else
    private static let histories = 4
    #endif

    /// The room of more than one history makes moving it rare.
    static func size(largestRow: Int) -> Int { histories * BCSVFormat.lz4HistoryBytes + largestRow }

    /// Bytes that can be read behind the newest row.
    var readable: Int { size - used }

    /// The next row will move what was unpacked before.
    var isFull: Bool { used > size - largestRow }

    /// `memory` has `size(largestRow:)` bytes.
    init(_ memory: UnsafeMutableRawPointer, largestRow: Int, isShort: Bool) {
        self.memory = memory
        size = RowWindow.size(largestRow: largestRow)
        self.largestRow = largestRow
        self.isShort = isShort
    }

    mutating func reset() { used = 0 }

    /// Unpacks one row; nil if the block is damaged or longer than the largest row. Valid until the next call; rows before
    /// it as well, unless they had to move.
    mutating func unpack(_ block: FileBytes) -> FileBytes? {
        if isFull {
            let kept = BCSVFormat.lz4HistoryBytes
            memory.copyMemory(from: memory + used - kept, byteCount: kept)
            used = kept
        }
        let history = min(used, BCSVFormat.lz4HistoryBytes)
        let target = memory + used
        let count = LZ4_decompress_safe_usingDict(
            block.start.assumingMemoryBound(to: CChar.self), target.assumingMemoryBound(to: CChar.self),
            Int32(block.count), Int32(largestRow), (target - history).assumingMemoryBound(to: CChar.self),
            Int32(history))
        guard count >= 0 else { return nil }
        used += Int(count)
        return FileBytes(start: target, count: Int(count))
    }
}
