import CTickLog

/// A copy from a decoded row into a row of the caller's.
struct FieldCopy {
    enum Part: UInt8 { case scalars, others, text, view }
    /// Bytes from the start of the part.
    var from: UInt32
    var to: UInt32
    /// Of a text: the capacity.
    var bytes: UInt32
    var part: Part
}

/// Which columns go where in the caller's rows (`ticklog_reader_bind`).
struct RowBinding {
    private let copies: Table<FieldCopy>
    private(set) var count = 0
    private(set) var rowBytes = 0
    /// A text refers to the reader's memory: it stays for one row only.
    private(set) var hasViews = false

    init(_ copies: Table<FieldCopy>) { self.copies = copies }

    /// Binds `fields`, and tells what is wrong with them.
    mutating func bind(
        _ reader: borrowing TableReader, _ fields: UnsafePointer<ticklog_field>, _ fieldCount: Int, rowBytes: Int
    ) -> ticklog_status {
        count = 0
        hasViews = false
        self.rowBytes = rowBytes
        var column = 0
        for i in 0..<fieldCount {
            let field = fields[i]
            let elements = max(Int(field.count), 1)
            guard let name = field.name else { return TICKLOG_NULL }
            let isText = field.type == TICKLOG_TEXT
            guard isText || ValueType(rawValue: UInt8(truncatingIfNeeded: field.type)) != nil, field.type <= TICKLOG_TEXT else { return TICKLOG_BAD_TYPE }
            let type = isText ? ValueType.string : ValueType(code: field.type)
            let width = isText ? MemoryLayout<ticklog_text>.size : type == .string ? Int(field.size) : type.size
            guard width > 0, type != .string || elements == 1 || isText, field.size == 0 || Int(field.size) == width * elements,
                Int(field.offset) <= rowBytes, width * elements <= rowBytes - Int(field.offset)
            else { return TICKLOG_BAD_FIELD }
            for element in 0..<elements {
                guard let found = reader.header.column(named: name, element: elements > 1 ? element : nil, from: column) else {
                    return TICKLOG_NOT_FOUND
                }
                guard reader.header.type(of: found) == type else { return TICKLOG_BAD_TYPE }
                column = found + 1 < reader.header.columnCount ? found + 1 : 0
                let part: FieldCopy.Part = isText ? .view : type == .string ? .text : type == .bool ? .others : .scalars
                let copy = FieldCopy(
                    from: reader.places[found], to: field.offset + UInt32(element * width), bytes: UInt32(width),
                    part: part)
                guard add(copy) else { return TICKLOG_TOO_MANY }
                if isText { hasViews = true }
            }
        }
        return TICKLOG_OK
    }

    private mutating func add(_ copy: FieldCopy) -> Bool {
        if count > 0, copy.part == .scalars || copy.part == .others {
            let last = copies.pointer(count - 1)
            if last.pointee.part == copy.part, last.pointee.from + last.pointee.bytes == copy.from,
                last.pointee.to + last.pointee.bytes == copy.to
            {
                last.pointee.bytes += copy.bytes
                return true
            }
        }
        guard count < copies.count else { return false }
        (copies.base + count).initialize(to: copy)
        count += 1
        return true
    }

    /// Copies one decoded row to the caller's.
    @_optimize(speed)
    func copy(scalars: UnsafeRawPointer, others: UnsafeRawPointer, to row: UnsafeMutableRawPointer) {
        var i = 0
        while i < count {
            let copy = copies.base[i]
            let target = row + Int(copy.to)
            switch copy.part {
            case .scalars:
                let source = scalars + Int(copy.from)
                // Single values are not worth a call.
                switch copy.bytes {
                case 4: target.store(source.load(UInt32.self))
                case 8: target.store(source.load(UInt64.self))
                case 2: target.store(source.load(UInt16.self))
                case 1: target.store(source.load(UInt8.self))
                default: target.copy(source, Int(copy.bytes))
                }
            case .others: target.copy(others + Int(copy.from), Int(copy.bytes))
            case .view: target.copy(others + Int(copy.from), MemoryLayout<ticklog_text>.size)
            case .text:
                let text = (others + Int(copy.from)).load(as: ticklog_text.self)
                let count = min(text.count, Int(copy.bytes))
                if count > 0 { target.copy(UnsafeRawPointer(text.bytes!), count) }
                (target + count).zero(Int(copy.bytes) - count)
            }
            i &+= 1
        }
    }
}

extension BCSVHeader {
    /// The column of a name, or of `name[element]`; searched from `first` on, around.
    func column(named name: UnsafePointer<CChar>, element: Int?, from first: Int) -> Int? {
        let length = name.length(BCSVFormat.maxNameBytes + 1)
        var column = first
        var at = namesOffset
        for i in 0..<first { at += nameLength(of: i) }
        repeat {
            let bytes = nameLength(of: column)
            if matches(bytes > 0 ? self.bytes.slice(at: at, count: bytes) : nil, column, name, length, element) { return column }
            at += bytes
            column += 1
            if column == columnCount {
                column = 0
                at = namesOffset
            }
        } while column != first
        return nil
    }

    private func matches(
        _ stored: FileBytes?, _ column: Int, _ name: UnsafePointer<CChar>, _ length: Int, _ element: Int?
    ) -> Bool {
        var digits = DecimalText(element ?? 0)
        let wanted = length + (element == nil ? 0 : digits.count + 2)
        guard let stored else {
            var own = DecimalText(column)
            return element == nil && own.isUnnamed(name, length)
        }
        guard stored.count == wanted, stored.start.equals(UnsafeRawPointer(name), length) else { return false }
        guard element != nil else { return true }
        guard stored[length] == 0x5B, stored[wanted - 1] == 0x5D else { return false }
        return digits.withBytes { stored.start.advanced(by: length + 1).equals($0, $1) }
    }
}

/// A small number as text.
struct DecimalText {
    private var digits: UInt64 = 0
    private(set) var count = 0

    /// `value` has at most eight digits.
    init(_ value: Int) {
        var rest = value
        repeat {
            digits = digits << 8 | UInt64(0x30 + rest % 10)
            rest /= 10
            count += 1
        } while rest > 0 && count < 8
    }

    mutating func withBytes<Result>(_ body: (UnsafeRawPointer, Int) -> Result) -> Result {
        let count = count
        return withUnsafeBytes(of: &digits) { body($0.baseAddress!, count) }
    }

    /// Whether a name is that of the column without one, of this number.
    mutating func isUnnamed(_ name: UnsafePointer<CChar>, _ length: Int) -> Bool {
        let prefix: StaticString = "Column_"
        guard length == 7 + count, UnsafeRawPointer(name).equals(UnsafeRawPointer(prefix.utf8Start), 7) else { return false }
        return withBytes { UnsafeRawPointer(name + 7).equals($0, $1) }
    }

    /// Stores "Column_<number>" and tells its length.
    mutating func storeUnnamed(at place: UnsafeMutableRawPointer) -> Int {
        let prefix: StaticString = "Column_"
        place.copy(UnsafeRawPointer(prefix.utf8Start), 7)
        withBytes { (place + 7).copy($0, $1) }
        return 7 + count
    }
}
