/// Decodes the rows of verified packets: row codecs flat and ZoH, plain or LZ4 (spec: BCSV.md, sections 4 and 7).
///
/// It allocates nothing: `memory` of `memorySize` bytes, aligned to 8, holds the values, the LZ4 window and the strings.
public struct RowDecoder {
    private let bytes: FileBytes
    private let header: BCSVHeader
    private let boolCount: Int
    private let stringCount: Int
    private let compressed: Bool

    /// Bits of each column's value; a string's place and length in `strings`.
    private let slots: UnsafeMutableBufferPointer<UInt64>
    /// Columns in the order of the codec: bools, then the others (ZoH: by type), then strings.
    private let order: UnsafeMutableBufferPointer<UInt16>
    private var window: RowWindow
    private var strings: StringArena

    private var at = 0
    private var rowsLeft: UInt64 = 0
    private var isFirst = true

    public static func memorySize(for header: BCSVHeader) -> Int {
        Parts(header).total
    }

    /// Delta rows, batches and streams are not decoded here.
    public init(
        _ bytes: FileBytes, _ header: BCSVHeader, memory: UnsafeMutableRawBufferPointer
    ) throws(BCSVError) {
        guard header.rowCodec != .delta, header.fileCodec == .packet || header.fileCodec == .packetLZ4 else {
            throw BCSVError(
                .unsupported, at: header.dataOffset, expected: "flat or ZoH rows in packets, plain or LZ4",
                found: .hex(UInt64(header.flags)))
        }
        let parts = Parts(header)
        precondition(memory.count >= parts.total && UInt(bitPattern: memory.baseAddress!) % 8 == 0)
        self.bytes = bytes
        self.header = header
        let n = header.columnCount
        compressed = header.fileCodec == .packetLZ4
        let base = memory.baseAddress!
        slots = UnsafeMutableBufferPointer(start: base.bindMemory(to: UInt64.self, capacity: n), count: n)
        order = UnsafeMutableBufferPointer(
            start: (base + parts.order).bindMemory(to: UInt16.self, capacity: n), count: n)
        window = RowWindow(
            UnsafeMutableRawBufferPointer(start: base + parts.window, count: parts.strings - parts.window),
            largestRow: parts.largestRow)
        strings = StringArena(
            UnsafeMutableRawBufferPointer(start: base + parts.strings, count: parts.total - parts.strings))
        boolCount = RowDecoder.count(of: .bool, header)
        stringCount = RowDecoder.count(of: .string, header)
        fillOrder()
        clear()
    }

    /// Where each part of the memory begins.
    private struct Parts {
        let order: Int
        let window: Int
        let strings: Int
        let total: Int
        let largestRow: Int

        init(_ header: BCSVHeader) {
            let n = header.columnCount
            largestRow = header.largestRow
            order = 8 * n
            window = (order + 2 * n + 7) & ~7
            let unpacked = header.fileCodec == .packetLZ4 ? RowWindow.size(largestRow: largestRow) : 0
            strings = (window + unpacked + 7) & ~7
            total = strings + StringArena.size(columns: RowDecoder.count(of: .string, header))
        }
    }

    private static func count(of type: ValueType, _ header: BCSVHeader) -> Int {
        var count = 0
        var i = 0
        while i < header.columnCount {
            if header.type(of: i) == type { count += 1 }
            i += 1
        }
        return count
    }

    private func fillOrder() {
        var next = 0
        if header.rowCodec == .zoh {
            var code: UInt8 = 0
            while code <= ValueType.string.rawValue {
                var i = 0
                while i < header.columnCount {
                    if header.type(of: i).rawValue == code {
                        order[next] = UInt16(i)
                        next += 1
                    }
                    i += 1
                }
                code += 1
            }
        } else {
            var group = 0
            while group < 3 {
                var i = 0
                while i < header.columnCount {
                    let type = header.type(of: i)
                    if (type == .bool ? 0 : type == .string ? 2 : 1) == group {
                        order[next] = UInt16(i)
                        next += 1
                    }
                    i += 1
                }
                group += 1
            }
        }
    }

    private mutating func clear() {
        slots.update(repeating: 0)
        strings.reset()
    }

    /// Turns to a packet of the same file. Every packet decodes alone.
    public mutating func begin(_ packet: Packet) {
        at = packet.body
        rowsLeft = packet.rowCount
        isFirst = true
        window.reset()
        clear()
    }

    /// Decodes the next row of the packet; false behind the last one.
    public mutating func next() throws(BCSVError) -> Bool {
        guard rowsLeft > 0 else { return false }
        guard let length = RowLength(bytes, at: at), length.value <= UInt64(BCSVFormat.maxRowBytes),
            bytes.holds(Int(length.value), at: at + length.size)
        else {
            // PacketReader walked these lengths: only a file that changes under the reader comes here.
            throw BCSVError(.row, at: at, expected: "the row length that was verified", found: .text("another one"))
        }
        let rowOffset = at
        let stored = bytes.slice(at: at + length.size, count: Int(length.value))
        if length.value == 0 {
            guard header.rowCodec == .zoh, !isFirst else {
                throw BCSVError(.row, at: rowOffset, expected: "a row to repeat", found: .text("the packet's first row"))
            }
        } else {
            let row: FileBytes
            if compressed {
                guard let unpacked = window.unpack(stored) else {
                    throw BCSVError(
                        .row, at: rowOffset, expected: "an LZ4 block of one row", found: .text("another thing"))
                }
                row = unpacked
            } else {
                row = stored
            }
            if header.rowCodec == .zoh {
                try decodeZoH(row, rowOffset)
            } else {
                try decodeFlat(row, rowOffset)
            }
        }
        isFirst = false
        at += length.size + Int(length.value)
        rowsLeft -= 1
        return true
    }

    /// The bits of a column that is no string: the value's own, zero-extended.
    public func bits(_ column: Int) -> UInt64 {
        precondition(column >= 0 && column < slots.count)
        return slots[column]
    }

    /// The bytes of a string column; valid until the next row.
    public func text(_ column: Int) -> UnsafeRawBufferPointer {
        precondition(column >= 0 && column < slots.count)
        return strings.text(slots[column])
    }

    private mutating func decodeFlat(_ row: FileBytes, _ offset: Int) throws(BCSVError) {
        strings.reset()
        let scalarEnd = header.columnCount - stringCount
        var p = (boolCount + 7) / 8
        guard row.holds(p, at: 0) else { throw RowDecoder.short(offset) }
        var k = 0
        while k < boolCount {
            slots[Int(order[k])] = UInt64(row[k >> 3] >> UInt8(k & 7) & 1)
            k += 1
        }
        while k < scalarEnd {
            let column = Int(order[k])
            let size = header.type(of: column).size
            guard row.holds(size, at: p) else { throw RowDecoder.short(offset) }
            slots[column] = row.unsigned(at: p, size: size)
            p += size
            k += 1
        }
        guard row.holds(2 * stringCount, at: p) else { throw RowDecoder.short(offset) }
        var lengths = p
        p += 2 * stringCount
        while k < header.columnCount {
            let length = Int(row.u16(at: lengths))
            guard row.holds(length, at: p) else { throw RowDecoder.short(offset) }
            try keep(row.slice(at: p, count: length), column: Int(order[k]), offset)
            lengths += 2
            p += length
            k += 1
        }
        guard p == row.count else { throw RowDecoder.long(offset, row.count - p) }
    }

    private mutating func decodeZoH(_ row: FileBytes, _ offset: Int) throws(BCSVError) {
        let n = header.columnCount
        let flagBytes = (n + 7) / 8
        guard row.holds(flagBytes, at: 0) else { throw RowDecoder.short(offset) }
        var p = flagBytes
        var k = 0
        while k < boolCount {
            slots[Int(order[k])] = UInt64(row[k >> 3] >> UInt8(k & 7) & 1)
            k += 1
        }
        var byte = boolCount >> 3
        var flags = byte < flagBytes ? row[byte] & (0xFF << UInt8(boolCount & 7)) : 0
        while byte < flagBytes {
            while flags != 0 {
                let index = byte * 8 + flags.trailingZeroBitCount
                flags &= flags &- 1
                guard index < n else { break }
                let column = Int(order[index])
                let type = header.type(of: column)
                if type == .string {
                    guard row.holds(2, at: p) else { throw RowDecoder.short(offset) }
                    let length = Int(row.u16(at: p))
                    guard row.holds(length, at: p + 2) else { throw RowDecoder.short(offset) }
                    try keep(row.slice(at: p + 2, count: length), column: column, offset)
                    p += 2 + length
                } else {
                    guard row.holds(type.size, at: p) else { throw RowDecoder.short(offset) }
                    slots[column] = row.unsigned(at: p, size: type.size)
                    p += type.size
                }
            }
            byte += 1
            if byte < flagBytes { flags = row[byte] }
        }
        guard p == row.count else { throw RowDecoder.long(offset, row.count - p) }
    }

    private mutating func keep(_ text: FileBytes, column: Int, _ offset: Int) throws(BCSVError) {
        slots[column] = 0
        if let place = strings.append(text) {
            slots[column] = place
            return
        }
        // Full: keep only what the columns hold now.
        strings.beginCompaction()
        var k = header.columnCount - stringCount
        while k < header.columnCount {
            let column = Int(order[k])
            slots[column] = strings.move(slots[column])
            k += 1
        }
        guard let place = strings.append(text) else {
            throw BCSVError(
                .tooLarge, at: offset, expected: "strings of at most 16 MiB in one row", found: .text("more"))
        }
        slots[column] = place
    }

    private static func short(_ offset: Int) -> BCSVError {
        BCSVError(.row, at: offset, expected: "every value that the schema asks for", found: .text("a shorter row"))
    }

    private static func long(_ offset: Int, _ excess: Int) -> BCSVError {
        BCSVError(.row, at: offset, expected: "no bytes behind the last value", found: .number(UInt64(excess)))
    }
}

/// The strings that the columns hold at the moment, in two halves: when one is full, what is still held moves to the
/// other.
struct StringArena {
    private let memory: UnsafeMutableRawBufferPointer
    private let half: Int
    private var base = 0
    private var used = 0

    static func size(columns: Int) -> Int {
        2 * min(2 * columns * BCSVFormat.maxStringBytes, BCSVFormat.maxRowBytes + 65536)
    }

    init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
        half = memory.count / 2
    }

    mutating func reset() {
        base = 0
        used = 0
    }

    /// The place and length of the text's copy; nil if the half is full.
    mutating func append(_ text: FileBytes) -> UInt64? {
        guard text.count <= half - used else { return nil }
        let offset = base + used
        if text.count > 0 { (memory.baseAddress! + offset).copyMemory(from: text.start, byteCount: text.count) }
        used += text.count
        return UInt64(offset) << 16 | UInt64(text.count)
    }

    mutating func beginCompaction() {
        base = base == 0 ? half : 0
        used = 0
    }

    /// Moves a text from the other half into this one.
    mutating func move(_ place: UInt64) -> UInt64 {
        let old = text(place)
        return append(FileBytes(old)) ?? 0
    }

    func text(_ place: UInt64) -> UnsafeRawBufferPointer {
        let count = Int(place & 0xFFFF)
        let offset = Int(place >> 16)
        precondition(offset <= memory.count && count <= memory.count - offset)
        if count == 0 { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[offset..<offset + count])
    }
}
