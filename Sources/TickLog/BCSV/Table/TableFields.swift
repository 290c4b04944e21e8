import CTickLog

/// The columns of a table as C describes them.
struct TableFields {
    let fields: UnsafePointer<ticklog_field>
    let count: Int
    /// The fields' names, if they are not C strings; then no field is an array.
    let names: UnsafePointer<ticklog_text>?

    static let maxNameBytes = 65535
    /// All names of a file (spec BCSV, section 2.6).
    static let maxNamesBytes = 1 << 24

    @inline(__always)
    func elements(_ i: Int) -> Int { Int(max(fields[i].count, 1)) }

    func isString(_ i: Int) -> Bool { fields[i].type == TICKLOG_STRING || fields[i].type == TICKLOG_TEXT }

    /// Its bytes, without an element's [i].
    func name(_ i: Int) -> (bytes: UnsafeRawPointer, count: Int) {
        if let names {
            return (names[i].bytes.map { UnsafeRawPointer($0) } ?? UnsafeRawPointer(names), names[i].count)
        }
        return (UnsafeRawPointer(fields[i].name), fields[i].name.length(TableFields.maxNameBytes + 1))
    }

    /// What the fields are together.
    struct Sizes {
        var columns = 0
        var strings = 0
        /// Of char arrays.
        var capacities: UInt64 = 0
        var hasTexts = false
    }

    func check(rowBytes: UInt32, _ sizes: inout Sizes) -> ticklog_status {
        var names: UInt64 = 0
        var columns: UInt64 = 0
        for i in 0..<count {
            let field = fields[i]
            let elements = UInt64(elements(i))
            guard self.names != nil || field.name != nil else { return TICKLOG_NULL }
            let name = name(i).count
            // The longest of an array's.
            let longest = name + (elements > 1 ? 2 + decimalDigits(elements - 1) : 0)
            guard longest <= TableFields.maxNameBytes else { return TICKLOG_NAME_TOO_LONG }
            names += UInt64(longest) * elements
            guard names <= UInt64(TableFields.maxNamesBytes) else { return TICKLOG_NAME_TOO_LONG }
            columns += elements
            guard columns <= UInt64(BCSVFormat.maxColumns) else { return TICKLOG_TOO_MANY }
            let size: UInt64
            switch UInt32(field.type) {
            case TICKLOG_STRING:
                guard field.size >= 1, field.size <= 65535 else { return TICKLOG_BAD_FIELD }
                size = UInt64(field.size) * elements
                sizes.strings += Int(elements)
                sizes.capacities += size
            case TICKLOG_TEXT:
                size = UInt64(MemoryLayout<ticklog_text>.size) * elements
                guard field.size == 0 || UInt64(field.size) == size else { return TICKLOG_BAD_FIELD }
                sizes.strings += Int(elements)
                sizes.hasTexts = true
            case TICKLOG_BOOL...TICKLOG_F64:
                size = UInt64(ValueType(code: field.type).size) * elements
                guard field.size == 0 || UInt64(field.size) == size else { return TICKLOG_BAD_FIELD }
            default:
                return TICKLOG_BAD_TYPE
            }
            guard UInt64(field.offset) + size <= UInt64(rowBytes) else { return TICKLOG_BAD_FIELD }
        }
        sizes.columns = Int(columns)
        return TICKLOG_OK
    }

    /// The schema (spec BCSV, section 2.4).
    func putSchema(_ out: inout Emitter) {
        for i in 0..<count {
            let type = isString(i) ? ValueType.string.rawValue : UInt8(fields[i].type)
            for _ in 0..<elements(i) { out.put(type) }
        }
        for i in 0..<count {
            let length = name(i).count
            for k in 0..<elements(i) {
                out.put(UInt16(length + (elements(i) > 1 ? 2 + decimalDigits(UInt64(k)) : 0)))
            }
        }
        for i in 0..<count {
            let name = name(i)
            for k in 0..<elements(i) {
                out.put(name.bytes, name.count)
                if elements(i) > 1 {
                    out.put("[")
                    out.put(decimal: UInt64(k))
                    out.put("]")
                }
            }
        }
    }
}

/// Walks the scalars of a table for its row layout: where they lie in the row, or where they lie when they are gathered.
struct TableScalars: IteratorProtocol {
    /// Owner of what is gathered; that of the row itself is `RowField.rowOwner`.
    static let gatheredOwner = 0

    private let fields: TableFields
    /// By type: where the next value goes. Nil: where the row has it.
    private var places: [11 of Int]?
    private let isFlat: Bool
    private var next_ = 0

    /// As the row has them.
    init(_ fields: TableFields) {
        self.fields = fields
        isFlat = false
    }

    /// As a `Gather` for this codec puts them: in the order of the encoded row, bools last.
    init(gathered fields: TableFields, _ codec: BCSVRowCodec) {
        self.fields = fields
        isFlat = codec == .flat
        var bytes = [11 of Int](repeating: 0)
        for i in 0..<fields.count where !fields.isString(i) {
            bytes[Int(fields.fields[i].type)] += ValueType(code: fields.fields[i].type).size * fields.elements(i)
        }
        var places = [11 of Int](repeating: 0)
        var at = 0
        for type in 1..<11 {
            places[type] = at
            at += bytes[type]
        }
        places[0] = at
        self.places = places
    }

    mutating func next() -> RowField? {
        while next_ < fields.count {
            let i = next_
            next_ += 1
            if fields.isString(i) { continue }
            let field = fields.fields[i]
            let type = ValueType(code: field.type)
            var row = RowField(
                owner: RowField.rowOwner, source: Int(field.offset), type: type, count: fields.elements(i))
            if places != nil {
                // Flat rows have all scalars in column order.
                let group = type == .bool ? 0 : isFlat ? 1 : Int(type.rawValue)
                row.owner = TableScalars.gatheredOwner
                row.source = places![group]
                places![group] += type.size * row.count
            }
            return row
        }
        return nil
    }
}

/// Sorts a row of mixed members into groups, so that each is encoded by one loop.
struct Gather {
    struct Move {
        var source: UInt32
        var target: UInt32
    }

    /// First those of one byte, then of two, four, eight.
    private let moves: Table<Move>
    private let counts: [4 of Int]
    private let out: UnsafeMutableRawPointer

    /// `moves` has an element for each scalar column.
    init(_ fields: TableFields, _ codec: BCSVRowCodec, moves: Table<Move>, to out: UnsafeMutableRawPointer) {
        self.moves = moves
        self.out = out
        var counts = [4 of Int](repeating: 0)
        var at = 0
        for power in 0..<4 {
            let size = 1 << power
            var sources = TableScalars(fields)
            var targets = TableScalars(gathered: fields, codec)
            let start = at
            while let source = sources.next(), let target = targets.next() {
                guard source.type.size == size else { continue }
                for i in 0..<source.count {
                    moves[at] = Move(source: UInt32(source.source + i * size), target: UInt32(target.source + i * size))
                    at += 1
                }
            }
            counts[power] = at - start
        }
        self.counts = counts
    }

    @_optimize(speed)
    func run(_ row: UnsafeRawPointer) {
        var move = UnsafePointer(moves.base)
        move = Gather.run(UInt8.self, move, counts[0], row, out)
        move = Gather.run(UInt16.self, move, counts[1], row, out)
        move = Gather.run(UInt32.self, move, counts[2], row, out)
        _ = Gather.run(UInt64.self, move, counts[3], row, out)
    }

    @inline(__always)
    private static func run<Word: FixedWidthInteger & BitwiseCopyable>(
        _: Word.Type, _ first: UnsafePointer<Move>, _ count: Int, _ row: UnsafeRawPointer, _ out: UnsafeMutableRawPointer
    ) -> UnsafePointer<Move> {
        var move = first
        let end = first + count
        while move != end {
            out.store(row.load(Word.self, at: Int(move.pointee.source)), at: Int(move.pointee.target))
            move += 1
        }
        return end
    }
}
