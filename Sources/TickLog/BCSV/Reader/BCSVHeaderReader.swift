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

    public init(_ bytes: FileBytes) throws(FormatError) {
        guard bytes.holds(4, at: 0) else {
            throw FormatError(.wrongFormat, at: 0, expected: "\"BCSV\"", found: .end)
        }
        guard bytes.u32(at: 0) == BCSVFormat.magic else {
            throw FormatError(.wrongFormat, at: 0, expected: "\"BCSV\"", found: .hex(UInt64(bytes.u32(at: 0))))
        }
        guard bytes.holds(16, at: 0) else {
            throw FormatError(.torn, at: bytes.count, expected: "a file header of 16 or 24 bytes", found: .end)
        }
        // The high half of a creation time, 0 until 2106; in the short form flags and column count, which is never 0.
        let long = bytes.u32(at: 8) == 0
        guard !long || bytes.holds(24, at: 0) else {
            throw FormatError(.torn, at: bytes.count, expected: "a file header of 24 bytes", found: .end)
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
            throw FormatError(
                .unsupported, at: version, expected: "version 1.3, 1.4 or 1.5 (as 0x0103, 0x0104, 0x0105)",
                found: .hex(UInt64(major) << 8 | UInt64(minor)))
        }
        guard level <= 9 else {
            throw FormatError(.header, at: version + 3, expected: "a level of 0 to 9", found: .number(UInt64(level)))
        }
        guard flags & ~(long ? 0x1F : 0x07) == 0 else {
            throw FormatError(
                .unsupported, at: version + 4, expected: "no other flags than the version's", found: .hex(UInt64(flags)))
        }
        guard columnCount > 0 else {
            throw FormatError(.header, at: version + 6, expected: "at least one column", found: .number(0))
        }
        guard packetLimit <= BCSVFormat.maxPacketLimit else {
            throw FormatError(
                .header, at: version + 8, expected: "a packet limit of at most 2^30", found: .number(UInt64(packetLimit)))
        }
        guard bytes.holds(3 * columnCount, at: typesOffset) else {
            throw FormatError(.torn, at: bytes.count, expected: "the schema: types and name lengths", found: .end)
        }
        var names = 0
        var i = 0
        while i < columnCount {
            guard ValueType(rawValue: bytes[typesOffset + i]) != nil else {
                throw FormatError(
                    .header, at: typesOffset + i, expected: "a type code of 0 to 11",
                    found: .number(UInt64(bytes[typesOffset + i])))
            }
            names += Int(bytes.u16(at: typesOffset + columnCount + 2 * i))
            // Here, and not behind the loop: the sum of 65535 lengths need not fit an Int.
            guard names <= bytes.count - typesOffset - 3 * columnCount else {
                throw FormatError(.torn, at: bytes.count, expected: "the schema: column names", found: .end)
            }
            i += 1
        }
        dataOffset = typesOffset + 3 * columnCount + names
    }

    /// Whether the bytes begin as every BCSV file does.
    public static func recognises(_ bytes: FileBytes) -> Bool {
        bytes.holds(4, at: 0) && bytes.u32(at: 0) == BCSVFormat.magic
    }

    public var rowCodec: BCSVRowCodec { BCSVHeader.codec(rows: flags) }
    public var fileCodec: BCSVFileCodec { BCSVHeader.codec(file: flags, level) }

    private static func codec(rows flags: UInt16) -> BCSVRowCodec {
        flags & 0x10 != 0 ? .delta : flags & 0x01 != 0 ? .zoh : .flat
    }

    private static func codec(file flags: UInt16, _ level: UInt8) -> BCSVFileCodec {
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

    /// What a reader's memory depends on.
    public var outline: BCSVOutline {
        var outline = BCSVOutline(rowCodec: rowCodec, fileCodec: fileCodec, packetLimit: packetLimit)
        var i = 0
        while i < columnCount {
            outline.add(type(of: i), isNamed: nameLength(of: i) > 0)
            i += 1
        }
        return outline
    }

    /// The most bytes that a row of this schema takes before compression.
    public var largestRow: Int { outline.largestRow }

    /// Bytes of header and schema, and their outline, for a file whose header is not in memory. It checks no more than it
    /// must: the header's own check follows.
    static func measure(_ window: inout SourceWindow) throws(FormatError) -> (bytes: Int, outline: BCSVOutline) {
        let first = try window.bytes(at: 0, atLeast: 24)
        let none = BCSVOutline(rowCodec: .flat, fileCodec: .packet, packetLimit: 0)
        guard recognises(first), first.holds(16, at: 0) else { return (min(first.count, 24), none) }
        let long = first.u32(at: 8) == 0
        guard !long || first.holds(24, at: 0) else { return (first.count, none) }
        let version = long ? 12 : 4
        let level = first[version + 3]
        let flags = first.u16(at: version + 4)
        let columns = Int(first.u16(at: version + 6))
        let limit = first.u32(at: version + 8)
        guard limit <= BCSVFormat.maxPacketLimit else { return (min(first.count, 24), none) }
        var outline = BCSVOutline(rowCodec: codec(rows: flags), fileCodec: codec(file: flags, level), packetLimit: limit)
        let types = version + 12
        var end = types + 3 * columns
        guard end <= window.length else { return (window.length, none) }
        var i = 0
        while i < columns {
            // Read at once: the window moves.
            let code = try window.bytes(at: types + i, atLeast: 1)[0]
            let length = try window.bytes(at: types + columns + 2 * i, atLeast: 2).u16(at: 0)
            outline.add(ValueType(rawValue: code) ?? .bool, isNamed: length > 0)
            end += Int(length)
            // More names than the file has bytes: their sum need not fit an Int.
            if end > window.length { return (window.length, none) }
            i += 1
        }
        return (end, outline)
    }
}

/// What a reader's memory depends on: codecs, and how many columns there are of each type.
public struct BCSVOutline {
    let rowCodec: BCSVRowCodec
    let fileCodec: BCSVFileCodec
    let packetLimit: UInt32
    private(set) var columns = 0
    private(set) var bools = 0
    private(set) var strings = 0
    private(set) var scalarBytes = 0
    private(set) var unnamed = 0
    private var codeBits = 0

    init(rowCodec: BCSVRowCodec, fileCodec: BCSVFileCodec, packetLimit: UInt32) {
        self.rowCodec = rowCodec
        self.fileCodec = fileCodec
        self.packetLimit = packetLimit
    }

    mutating func add(_ type: ValueType, isNamed: Bool) {
        columns += 1
        codeBits += type.deltaCodeBits
        if type == .bool { bools += 1 } else if type == .string { strings += 1 } else { scalarBytes += type.size }
        if !isNamed { unnamed += 1 }
    }

    /// Bits of a row's header: a flat row's bools, the flags or codes of the others.
    var headerBits: Int {
        switch rowCodec {
        case .flat: bools
        case .zoh: columns
        case .delta: codeBits
        }
    }

    var headerBytes: Int { (headerBits + 7) / 8 }

    /// The most bytes that a row takes before compression; `text`: of its strings together.
    func largestRow(text: Int) -> Int {
        min(headerBytes + scalarBytes + 2 * strings + text, BCSVFormat.maxRowBytes)
    }

    var largestText: Int {
        // 65535 full strings together need not fit an Int.
        let enough = BCSVFormat.maxRowBytes / BCSVFormat.maxStringBytes + 1
        return min(min(strings, enough) * BCSVFormat.maxStringBytes, BCSVFormat.maxRowBytes)
    }
    var largestRow: Int { largestRow(text: largestText) }

    /// The most bytes that a batch of this file may have, as far as its header and length tell.
    func largestBatch(fileLength: Int) -> Int {
        guard fileCodec == .batch else { return 0 }
        let stated = Int(packetLimit) + BCSVFormat.maxRowBytes + 16
        let (possible, overflow) = fileLength.multipliedReportingOverflow(by: 255)
        return overflow ? stated : min(stated, possible)
    }

    /// The most bytes that a packet or a stream's row may have as stored.
    func largestPacket(fileLength: Int) -> Int {
        let row = largestRow + largestRow / 255 + 64
        let isStream = fileCodec == .stream || fileCodec == .streamLZ4
        return min(fileLength, isStream ? row : Int(packetLimit) + row + (fileCodec == .batch ? Int(packetLimit) / 255 : 0))
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
