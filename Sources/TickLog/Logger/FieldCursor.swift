import CTickLog

/// Which of a run's files.
enum FileKind: UInt8 {
    case polled
    case event
    case loss  // DLF only: in a BCSV run losses are events
}

/// A field of a file's rows, with the stream that it belongs to.
struct FieldSlot {
    /// Its owner is the stream's `fileIndex`.
    var row: RowField
    var stream: Stream.Pointer? = nil
    var field: UnsafePointer<ticklog_field>? = nil

    var type: ValueType { row.type }
    var count: Int { row.count }
    /// Names of elements end in [i].
    var isArray: Bool { (field?.pointee.count ?? 1) > 1 }
}

/// The same walk, for the layout of the rows.
struct RowFields: IteratorProtocol {
    private var cursor: FieldCursor

    init(_ logger: Logger.Pointer, _ kind: FileKind, tickColumn: Bool) {
        cursor = FieldCursor(logger, kind, tickColumn: tickColumn)
    }

    mutating func next() -> RowField? { cursor.next()?.row }
}

/// Walks all fields of a file in column order: `tick`, in the event file `stream`, then each stream's fields.
struct FieldCursor {
    /// Layout of the row owner's sample: u64 tick, then the stream's name with its NUL.
    static let rowNameOffset = 8
    static let rowNameCapacity = 32
    static let rowSampleBytes = 40

    private let logger: Logger.Pointer
    private let kind: FileKind
    private var head: Int
    private var position = 0
    private var owner = 0
    private var nextField = 0

    init(_ logger: Logger.Pointer, _ kind: FileKind, tickColumn: Bool) {
        self.logger = logger
        self.kind = kind
        head = kind == .event || tickColumn ? 0 : 1
    }

    @inline(never)
    mutating func next() -> FieldSlot? {
        if head == 0 {
            head = 1
            return FieldSlot(row: RowField(owner: RowField.rowOwner, source: 0, type: .u64, count: 1))
        }
        if head == 1 {
            head = 2
            if kind == .event {
                return FieldSlot(
                    row: RowField(
                        owner: RowField.rowOwner, source: Self.rowNameOffset, type: .string, count: 1,
                        capacity: Self.rowNameCapacity))
            }
        }
        while let stream = current {
            let config = stream.pointee.config
            if stream.pointee.isSingle {
                advance()
                return FieldSlot(
                    row: RowField(
                        owner: owner - 1, source: 0, type: ValueType(code: config.type), count: 1,
                        capacity: Int(stream.pointee.sampleBytes)),
                    stream: stream)
            }
            if nextField < Int(config.field_count) {
                let field = config.fields + nextField
                nextField += 1
                return FieldSlot(
                    row: RowField(
                        owner: owner, source: Int(field.pointee.offset), type: ValueType(code: field.pointee.type),
                        count: Int(max(field.pointee.count, 1)), capacity: Int(field.pointee.size)),
                    stream: stream, field: field)
            }
            advance()
        }
        return nil
    }

    private mutating func advance() {
        owner += 1
        position += 1
        nextField = 0
    }

    /// The stream at `position`: the logger's streams of this kind, then, in the event file, the built-in ones.
    private var current: Stream.Pointer? {
        mutating get {
            let l = logger.pointee
            while position < Int(l.streamCount) {
                let stream = l.streams.pointer(position)
                if stream.pointee.isPolled == (kind == .polled) { return stream }
                position += 1
            }
            let builtin = position - Int(l.streamCount)
            return kind == .event && builtin < Logger.builtinCount ? l.builtins.pointer(builtin) : nil
        }
    }
}
