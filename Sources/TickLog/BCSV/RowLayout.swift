/// One field of a file's rows: a column, or `count` columns of an array.
struct RowField {
    /// Where its samples come from: the owner's place in the tables of samples, or `rowOwner`.
    var owner: Int
    /// Bytes from the start of the sample.
    var source: Int
    var type: ValueType
    var count: Int
    /// A string's capacity.
    var capacity: Int = 0

    /// Owner of the columns that belong to the row itself, such as `tick`.
    static let rowOwner = -1
}

/// A run of neighbouring columns of one type that lie side by side in a sample: the unit of row encoding.
struct Segment {
    /// Bytes from the start of the owner's sample.
    var source: UInt32
    /// ZoH, delta: offset of the held values. Flat: offset in the row. Strings: offset among the held strings.
    var held: UInt32
    /// Position of the first column's bits in the row header. Flat: of the first bool.
    var bit: UInt32
    /// Columns. Flat scalars, which are only copied: bytes, of a width of 1.
    var count: UInt32
    /// Index of the next segment of the same owner, or `none`.
    var next: UInt32
    /// The owner's place in the tables of samples: its stream's file index, the row owner last.
    var owner: UInt16
    /// String capacity.
    var capacity: UInt16
    /// Bytes of a value: 1, 2, 4, 8; `boolWidth`, `stringWidth`.
    var width: UInt8
    /// Delta subtracts floats as floats.
    var isFloat = false

    static let none: UInt32 = .max
    static let boolWidth: UInt8 = 0
    static let stringWidth: UInt8 = 255
}

/// The shape of a BCSV file's rows, and the segments that encode them.
///
/// ZoH and delta group columns by type, in the order of type codes (spec BCSV, sections 7.2 and 7.3); flat keeps column
/// order (7.1).
struct RowLayout {
    let codec: BCSVRowCodec
    /// Streams, the row owner not counted.
    let owners: Int
    private(set) var columns = 0
    private(set) var bools = 0
    private(set) var scalarBytes = 0
    private(set) var strings = 0
    /// Held strings: a length and the capacity each.
    private(set) var stringBytes = 0
    private(set) var segmentCount = 0
    /// ZoH, delta: bits of the row header but for the texts'.
    private(set) var bits = 0
    /// String columns that have no segments: a table's.
    let texts: Int

    var isFlat: Bool { codec == .flat }
    /// ZoH, delta: what a row begins with.
    var headerBytes: Int { (bits + texts + 7) / 8 }
    var boolBytes: Int { (bools + 7) / 8 }
    /// The longest row, but for the texts' bytes.
    var maxRow: Int { (isFlat ? boolBytes : headerBytes) + scalarBytes + stringBytes + 2 * texts }
    /// Bits of a value's code in the header of a delta row: as many as its byte counts, 0 and a hit need.
    static func codeBits(_ type: ValueType) -> Int {
        type.size == 8 ? 4 : type.size == 4 ? 3 : 2
    }

    /// Measures the rows of these fields, in column order. If `store` is given, puts the segments there: as many as
    /// `segmentCount` was before. `texts`: how many columns more there are, strings that the fields leave out.
    init<Fields: IteratorProtocol>(
        _ fields: Fields, codec: BCSVRowCodec, owners: Int, texts: Int = 0, store: Table<Segment>? = nil
    ) where Fields.Element == RowField {
        self.codec = codec
        self.owners = owners
        self.texts = texts
        columns = texts
        // Flat rows begin with their bools' bits: their number must be known first.
        var rest = fields
        while let field = rest.next() {
            columns += field.count
            if field.type == .bool { bools += field.count }
        }
        var place = Placement(flatStart: boolBytes)
        if isFlat {
            // Scalars in column order; strings and bools keep their order among themselves, so one pass is enough.
            rest = fields
            while let field = rest.next() { add(field, &place, store) }
        } else {
            var type: UInt8 = 0
            while type <= ValueType.string.rawValue {
                rest = fields
                while let field = rest.next() {
                    if field.type.rawValue == type { add(field, &place, store) }
                }
                type += 1
            }
        }
        segmentCount = place.segments
        bits = place.bit
    }

    /// Where the next segment goes.
    private struct Placement {
        let flatStart: Int
        var bit = 0
        var segments = 0
        var last = Segment(source: 0, held: 0, bit: 0, count: 0, next: Segment.none, owner: 0, capacity: 0, width: 0)
        var lastType: ValueType? = nil
    }

    private mutating func add(_ field: RowField, _ place: inout Placement, _ store: Table<Segment>?) {
        let owner = UInt16(field.owner == RowField.rowOwner ? owners : field.owner)
        var segment = Segment(
            source: UInt32(field.source), held: 0, bit: UInt32(place.bit), count: UInt32(field.count), next: Segment.none,
            owner: owner, capacity: 0, width: 0)
        switch field.type {
        case .bool:
            segment.width = Segment.boolWidth
            place.bit += field.count
        case .string:
            segment.width = Segment.stringWidth
            // An opaque stream, of which only DLF runs make something, may be longer.
            segment.capacity = UInt16(truncatingIfNeeded: field.capacity)
            segment.held = UInt32(stringBytes)
            if !isFlat { place.bit += field.count }
            strings += field.count
            stringBytes += field.count * (2 + field.capacity)
        default:
            let bytes = field.type.size * field.count
            segment.width = isFlat ? 1 : UInt8(field.type.size)
            segment.held = UInt32((isFlat ? place.flatStart : 0) + scalarBytes)
            if isFlat { segment.count = UInt32(bytes) }
            segment.isFloat = field.type == .f32 || field.type == .f64
            if !isFlat { place.bit += field.count * (codec == .delta ? Self.codeBits(field.type) : 1) }
            scalarBytes += bytes
        }
        // Neighbours in memory that are neighbours in the row as well become one segment. Values of one type, or a flat
        // row's scalars, are neighbours in the row if no other owner's or type's come between.
        if place.segments > 0, place.last.owner == owner, segment.width == place.last.width,
            segment.width != Segment.stringWidth, isFlat ? segment.width != 0 || place.lastType == field.type : place.lastType == field.type,
            place.last.source + place.last.count * UInt32(max(segment.width, 1)) == segment.source,
            segment.width == 0 || place.last.held + place.last.count * UInt32(segment.width) == segment.held
        {
            place.last.count += segment.count
            if let store { store[place.segments - 1] = place.last }
        } else {
            if let store { store[place.segments] = segment }
            place.last = segment
            place.segments += 1
        }
        place.lastType = field.type
    }

    /// Links each owner's segments: `first` has an entry for each owner, the row owner last.
    static func link(_ segments: Table<Segment>, first: Table<UInt32>) {
        for i in 0..<first.count { first[i] = Segment.none }
        var i = segments.count
        while i > 0 {
            i -= 1
            let owner = Int(segments[i].owner)
            segments.pointer(i).pointee.next = first[owner]
            first[owner] = UInt32(i)
        }
    }
}
