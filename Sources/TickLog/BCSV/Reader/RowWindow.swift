import CLZ4

/// The rows of a packet as LZ4 unpacks them: the last 64 KiB stay, because later rows refer to them
/// (spec: BCSV.md, section 4.1).
struct RowWindow {
    private let memory: UnsafeMutableRawBufferPointer
    private let largestRow: Int
    private var used = 0

    /// The second history's room makes moving the first one rare.
    static func size(largestRow: Int) -> Int { 2 * BCSVFormat.lz4HistoryBytes + largestRow }

    init(_ memory: UnsafeMutableRawBufferPointer, largestRow: Int) {
        self.memory = memory
        self.largestRow = largestRow
    }

    mutating func reset() { used = 0 }

    /// Unpacks one row; nil if the block is damaged or longer than any row of the schema. Valid until the next call.
    mutating func unpack(_ block: FileBytes) -> FileBytes? {
        precondition(memory.count >= RowWindow.size(largestRow: largestRow))
        let base = memory.baseAddress!
        if used > memory.count - largestRow {
            let kept = BCSVFormat.lz4HistoryBytes
            base.copyMemory(from: base + used - kept, byteCount: kept)
            used = kept
        }
        let history = min(used, BCSVFormat.lz4HistoryBytes)
        let target = base + used
        let count = LZ4_decompress_safe_usingDict(
            block.start.assumingMemoryBound(to: CChar.self), target.assumingMemoryBound(to: CChar.self),
            Int32(block.count), Int32(largestRow), (target - history).assumingMemoryBound(to: CChar.self),
            Int32(history))
        guard count >= 0 else { return nil }
        used += Int(count)
        return FileBytes(start: target, count: Int(count))
    }
}
