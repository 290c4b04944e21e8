import CTickLog

/// Scalar columns of one type that stand together in a row.
struct ScalarGroup {
    /// Groups of fewer columns than this on average are taken flag by flag.
    static let wide = 24

    let type: ValueType
    let count: Int
    /// Bytes from the start of the scalars.
    let offset: Int
}

/// Where the values of a row are, and what the codec's row header is like.
///
/// A decoded row has two parts: its scalars, packed in the order of the codec (flat: columns; ZoH and delta: grouped by
/// type), and the others: a byte for each bool, then a `ticklog_text` for each string.
struct RowShape {
    let codec: BCSVRowCodec
    let columns: Int
    let bools: Int
    let strings: Int
    let scalarBytes: Int
    /// Bytes and bits of the row's header: a flat row's bools, the flags or codes of the others.
    let headerBytes: Int
    let headerBits: Int

    var textsOffset: Int { roundUp(bools, 8) }
    var otherBytes: Int { textsOffset + strings * MemoryLayout<ticklog_text>.stride }
    var othersOffset: Int { roundUp(scalarBytes, 8) }
    /// Cache lines of a slot, which holds a decoded row: an odd number, so that rows do not share one set.
    var slotLines: Int { (othersOffset + otherBytes + 63) / 64 | 1 }

    init(_ outline: BCSVOutline) {
        codec = outline.rowCodec
        columns = outline.columns
        bools = outline.bools
        strings = outline.strings
        scalarBytes = outline.scalarBytes
        headerBits = outline.headerBits
        headerBytes = outline.headerBytes
    }

    /// Stores each column's place in its part, and the groups of scalars, of which there are at most ten; flat rows have
    /// none.
    func place(_ header: BCSVHeader, _ places: Table<UInt32>, _ groups: Table<ScalarGroup>) -> Int {
        var bool = 0
        var text = textsOffset
        var scalar = 0
        var i = 0
        while i < columns {
            let type = header.type(of: i)
            if type == .bool {
                places[i] = UInt32(bool)
                bool += 1
            } else if type == .string {
                places[i] = UInt32(text)
                text += MemoryLayout<ticklog_text>.stride
            } else if codec == .flat {
                places[i] = UInt32(scalar)
                scalar += type.size
            }
            i += 1
        }
        var groupCount = 0
        guard codec != .flat else { return 0 }
        var code = ValueType.u8.rawValue
        while code <= ValueType.f64.rawValue {
            let type = ValueType(rawValue: code)!
            let start = scalar
            var count = 0
            i = 0
            while i < columns {
                if header.type(of: i) == type {
                    places[i] = UInt32(scalar)
                    scalar += type.size
                    count += 1
                }
                i += 1
            }
            if count > 0 {
                (groups.base + groupCount).initialize(to: ScalarGroup(type: type, count: count, offset: start))
                groupCount += 1
            }
            code += 1
        }
        return groupCount
    }
}

/// The bytes of a row, and how many can be read from its start on: what follows the row in its packet may be read, though
/// it means nothing, so that words can be loaded at the row's last bytes.
struct RowBytes {
    let start: UnsafeRawPointer
    let count: Int
    let readable: Int

    @inline(__always)
    func holds(_ length: Int, at offset: Int) -> Bool { offset <= count && length <= count - offset }

    @inline(__always)
    func canRead(_ length: Int, at offset: Int) -> Bool { length <= readable - offset }

    subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < count)
        return start.load(UInt8.self, at: offset)
    }

    func u16(at offset: Int) -> Int {
        precondition(offset >= 0 && holds(2, at: offset))
        return Int(start.load(UInt16.self, at: offset))
    }

    func slice(at offset: Int, count length: Int) -> FileBytes {
        precondition(offset >= 0 && length >= 0 && holds(length, at: offset))
        return FileBytes(start: start + offset, count: length)
    }
}
