/// Records of MCAP in memory that grows, little-endian: an opcode, a length of eight bytes, and the content.
final class MCAPBytes {
    @exclusivity(unchecked) private(set) var start: UnsafeMutableRawPointer
    @exclusivity(unchecked) private(set) var count = 0
    @exclusivity(unchecked) private var capacity: Int

    init(_ capacity: Int = 1024) {
        start = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { start.deallocate() }

    func clear() { count = 0 }

    /// Where the next bytes go; `more` have room.
    @inline(__always)
    func room(_ more: Int) -> UnsafeMutableRawPointer {
        if capacity &- count < more { grow(more) }
        return start + count
    }

    /// What was stored since `room`.
    @inline(__always)
    func take(upTo end: UnsafeMutableRawPointer) { count = end - start }

    @inline(never)
    private func grow(_ more: Int) {
        let larger = max(count + more, capacity > Int.max / 2 ? 0 : 2 * capacity)
        let made = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        made.copyMemory(from: start, byteCount: count)
        start.deallocate()
        start = made
        capacity = larger
    }

    func u8(_ value: UInt8) {
        room(1).storeBytes(of: value, as: UInt8.self)
        count += 1
    }

    func u16(_ value: UInt16) {
        room(2).storeBytes(of: value.littleEndian, as: UInt16.self)
        count += 2
    }

    func u32(_ value: UInt32) {
        room(4).storeBytes(of: value.littleEndian, as: UInt32.self)
        count += 4
    }

    func u64(_ value: UInt64) {
        room(8).storeBytes(of: value.littleEndian, as: UInt64.self)
        count += 8
    }

    func bytes(_ from: UnsafeRawPointer, _ more: Int) {
        room(more).copyMemory(from: from, byteCount: more)
        count += more
    }

    /// With its length before it.
    func text(_ bytes: [UInt8]) {
        u32(UInt32(truncatingIfNeeded: bytes.count))
        bytes.withUnsafeBytes { if let start = $0.baseAddress { self.bytes(start, $0.count) } }
    }

    func text(_ text: String) { self.text(Array(text.utf8)) }

    func map(_ entries: [(key: String, value: String)]) {
        let place = count
        u32(0)
        for entry in entries {
            text(entry.key)
            text(entry.value)
        }
        store(UInt32(truncatingIfNeeded: count - place - 4), at: place)
    }

    func store(_ value: UInt32, at place: Int) { (start + place).storeBytes(of: value.littleEndian, as: UInt32.self) }
    func store(_ value: UInt64, at place: Int) { (start + place).storeBytes(of: value.littleEndian, as: UInt64.self) }

    /// Answers where the record is, for `end`.
    func begin(_ opcode: MCAPOpcode) -> Int {
        u8(opcode.rawValue)
        u64(0)
        return count - 9
    }

    func end(_ record: Int) { store(UInt64(count - record - 9), at: record + 1) }
}

enum MCAPOpcode: UInt8 {
    case header = 1, footer, schema, channel, message, chunk, messageIndex, chunkIndex, attachment, attachmentIndex, statistics
    case metadata, metadataIndex, summaryOffset, dataEnd
}
