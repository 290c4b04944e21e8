import CXXHash

/// The header and schema of a BCSV file, of the 16-byte form (1.3) and the 24-byte form (1.4, 1.5), checked
/// (spec: BCSV.md, section 2). It refers to the file's bytes.
public struct BCSVHeader {
    public let major: UInt8
    public let minor: UInt8
    public let patch: UInt8
    /// LZ4: 1 to 9; 0: not compressed.
    public let level: UInt8
    public let flags: UInt16
    public let columnCount: Int
    public let packetLimit: UInt32
    /// Unix seconds; 0: unknown.
    public let creationTime: UInt64
    /// Where the header ends and the packets begin.
    public let dataOffset: Int

    let bytes: FileBytes
    let typesOffset: Int

    public init(_ bytes: FileBytes) throws(BCSVError) {
        guard bytes.holds(4, at: 0) else {
            throw BCSVError(.notBCSV, at: 0, expected: "\"BCSV\"", found: .end)
        }
        guard bytes.u32(at: 0) == BCSVFormat.magic else {
            throw BCSVError(.notBCSV, at: 0, expected: "\"BCSV\"", found: .hex(UInt64(bytes.u32(at: 0))))
        }
        guard bytes.holds(16, at: 0) else {
            throw BCSVError(.torn, at: bytes.count, expected: "a file header of 16 or 24 bytes", found: .end)
        }
        // The high half of a creation time, 0 until 2106; in the short form flags and column count, which is never 0.
        let long = bytes.u32(at: 8) == 0
        guard !long || bytes.holds(24, at: 0) else {
            throw BCSVError(.torn, at: bytes.count, expected: "a file header of 24 bytes", found: .end)
        }
        let version = long ? 12 : 4
        self.bytes = bytes
        creationTime = long ? bytes.u64(at: 4) : 0
        major = bytes[version]
        minor = bytes[version + 1]
        patch = bytes[version + 2]
        level = bytes[version + 3]
        flags = bytes.u16(at: version + 4)
        columnCount = Int(bytes.u16(at: version + 6))
        packetLimit = bytes.u32(at: version + 8)
        typesOffset = version + 12

        guard major == 1, long ? (minor == 4 || minor == 5) : minor == 3 else {
            throw BCSVError(
                .unsupported, at: version, expected: "version 1.3, 1.4 or 1.5 (as 0x0103, 0x0104, 0x0105)",
                found: .hex(UInt64(major) << 8 | UInt64(minor)))
        }
        guard level <= 9 else {
            throw BCSVError(.header, at: version + 3, expected: "a level of 0 to 9", found: .number(UInt64(level)))
        }
        guard flags & ~(long ? 0x1F : 0x07) == 0 else {
            throw BCSVError(
                .unsupported, at: version + 4, expected: "no other flags than the version's", found: .hex(UInt64(flags)))
        }
        guard columnCount > 0 else {
            throw BCSVError(.header, at: version + 6, expected: "at least one column", found: .number(0))
        }
        guard packetLimit <= BCSVFormat.maxPacketLimit else {
            throw BCSVError(
                .header, at: version + 8, expected: "a packet limit of at most 2^30", found: .number(UInt64(packetLimit)))
        }
        guard bytes.holds(3 * columnCount, at: typesOffset) else {
            throw BCSVError(.torn, at: bytes.count, expected: "the schema: types and name lengths", found: .end)
        }
        var names = 0
        var i = 0
        while i < columnCount {
            guard ValueType(rawValue: bytes[typesOffset + i]) != nil else {
                throw BCSVError(
                    .header, at: typesOffset + i, expected: "a type code of 0 to 11",
                    found: .number(UInt64(bytes[typesOffset + i])))
            }
            names += Int(bytes.u16(at: typesOffset + columnCount + 2 * i))
            // Here, and not behind the loop: the sum of 65535 lengths need not fit an Int.
            guard names <= bytes.count - typesOffset - 3 * columnCount else {
                throw BCSVError(.torn, at: bytes.count, expected: "the schema: column names", found: .end)
            }
            i += 1
        }
        dataOffset = typesOffset + 3 * columnCount + names
    }

    /// Whether the bytes begin as every BCSV file does.
    public static func recognises(_ bytes: FileBytes) -> Bool {
        bytes.holds(4, at: 0) && bytes.u32(at: 0) == BCSVFormat.magic
    }

    public var rowCodec: BCSVRowCodec {
        flags & 0x10 != 0 ? .delta : flags & 0x01 != 0 ? .zoh : .flat
    }

    public var fileCodec: BCSVFileCodec {
        if flags & 0x04 != 0 { return level > 0 ? .streamLZ4 : .stream }
        if level == 0 { return .packet }
        return flags & 0x08 != 0 ? .batch : .packetLZ4
    }

    public func type(of column: Int) -> ValueType {
        precondition(column >= 0 && column < columnCount)
        return ValueType(rawValue: bytes[typesOffset + column])!
    }

    /// Bytes of a column's name. Names stand one behind the other from `namesOffset`; a length of 0 means `Column_<i>`.
    public func nameLength(of column: Int) -> Int {
        precondition(column >= 0 && column < columnCount)
        return Int(bytes.u16(at: typesOffset + columnCount + 2 * column))
    }

    public var namesOffset: Int { typesOffset + 3 * columnCount }

    /// XXH64 of header and schema, which have no checksum of their own: a run keeps it in `meta.bcsv`.
    public var hash: UInt64 { cxxhash64(bytes.start, dataOffset) }

    /// The most bytes that a row of this schema takes before compression.
    public var largestRow: Int {
        var bits = 0
        var sum = 0
        var i = 0
        while i < columnCount {
            let type = type(of: i)
            bits += rowCodec == .delta ? type.deltaCodeBits : 1
            sum += type == .string ? 2 + BCSVFormat.maxStringBytes : type == .bool ? 0 : type.size
            i += 1
        }
        return min(sum + (bits + 7) / 8, BCSVFormat.maxRowBytes)
    }

    func count(of type: ValueType) -> Int {
        var count = 0
        var i = 0
        while i < columnCount {
            if bytes[typesOffset + i] == type.rawValue { count += 1 }
            i += 1
        }
        return count
    }

    /// Bytes of header and schema, from the first 24 bytes and the name lengths alone: nil if these are not there.
    static func measure(_ window: inout SourceWindow) throws(BCSVError) -> Int {
        let first = try window.bytes(at: 0, atLeast: 24)
        guard recognises(first), first.holds(16, at: 0) else { return first.count }
        let long = first.u32(at: 8) == 0
        guard !long || first.holds(24, at: 0) else { return first.count }
        let columns = Int(first.u16(at: long ? 18 : 10))
        let lengths = (long ? 24 : 16) + columns
        var end = lengths + 2 * columns
        var i = 0
        while i < columns {
            let two = try window.bytes(at: lengths + 2 * i, atLeast: 2)
            guard two.holds(2, at: 0) else { break }
            end += Int(two.u16(at: 0))
            // More names than the file has bytes: their sum need not fit an Int.
            if end >= window.length { return window.length }
            i += 1
        }
        return min(end, window.length)
    }
}

extension ValueType {
    /// Bits of a column's code in a delta row's header (spec: BCSV.md, section 7.3).
    var deltaCodeBits: Int {
        switch self {
        case .bool, .string: 1
        case .u8, .i8, .u16, .i16: 2
        case .u32, .i32, .f32: 3
        case .u64, .i64, .f64: 4
        }
    }
}
