import CPosix
import CTickLog
import TickLog

/// A column of the batch that is being made.
struct ArrowColumn {
    let type: ValueType
    /// Its place in the table.
    let source: Int
    /// Strings need not be UTF-8.
    let isBinary: Bool
    /// Strings are indices into `dictionary`.
    private(set) var hasDictionary = false
    /// Scalars; of bools a byte each; of strings offsets, or indices.
    private var values = ArrowMemory()
    /// Of strings: their bytes.
    private var text = ArrowMemory()
    private var dictionary = ArrowDictionary()
    /// A bit for each row, if there are nulls.
    private var validity = ArrowMemory()
    private var nulls = 0
    private var capacity = 0

    init(_ type: ValueType, source: Int, binary: Bool) {
        self.type = type
        self.source = source
        isBinary = binary
    }

    /// So many rows of another column, from `row` on: values of a fixed size go where they belong there, strings, for which
    /// `reserve` makes room, into memory of its own, from which `append` takes them.
    init(rows: Int, of column: ArrowColumn, from row: Int) {
        self.init(column.type, source: column.source, binary: column.isBinary)
        if !isString {
            values.lend(column.place(row), rows * width)
            capacity = rows
        }
    }

    /// Takes the strings of another column, for the rows from `row` on; false if there is no room for them.
    mutating func append(_ strings: ArrowColumn, _ rows: Int, at row: Int) throws(Fault) -> Bool {
        guard holds(strings.text.used) else { return false }
        try growText(strings.text.used, at: row + rows, of: text.used + strings.text.used)
        let before = Int32(text.used)
        if strings.text.used > 0 { try text.append(UnsafeRawBufferPointer(start: strings.text.start, count: strings.text.used)) }
        let from = strings.values.start.assumingMemoryBound(to: Int32.self)
        let to = values.start.assumingMemoryBound(to: Int32.self) + row
        // In bounds: both have an offset more than rows.
        var i = 1
        while i <= rows {
            to[i] = from[i] &+ before
            i &+= 1
        }
        return true
    }

    /// Makes room for `least` bytes more, and for those of all rows if the rest is as `row` rows are, which have `bytes`.
    private mutating func growText(_ least: Int, at row: Int, of bytes: Int) throws(Fault) {
        guard text.room - text.used < least else { return }
        let expected = row > 0 ? min((UInt64(bytes / row) + 1) * UInt64(capacity), 8 * UInt64(bytes)) : 0
        let wanted = max(2 * UInt64(text.room), UInt64(text.used) + 4 * UInt64(least), expected + expected / 16)
        try text.reserve(Int(min(wanted, UInt64(Int32.max))))
    }

    var isString: Bool { type == .string }
    private var width: Int { isString ? 4 : type.size }

    /// The bytes of values that are the batch's own: of bools they are not.
    func valueBytes(_ rows: Int) -> Int { type == .bool ? 0 : (rows + 1) * width }

    /// Has its values in memory that the batch keeps.
    mutating func lend(_ part: UnsafeMutableRawPointer, _ bytes: Int) { values.lend(part, bytes) }

    /// Room for so many rows.
    mutating func reserve(_ rows: Int) throws(Fault) {
        // One more offset than strings; and vectors are stored.
        try values.reserve((rows + 1) * width)
        if isString, !hasDictionary, capacity == 0 { values.start.storeBytes(of: 0, as: Int32.self) }
        if nulls > 0 { try growValidity(rows) }
        capacity = rows
    }

    private mutating func growValidity(_ rows: Int) throws(Fault) {
        let before = validity.used
        try validity.reserve((rows + 7) / 8)
        validity.used = (rows + 7) / 8
        if validity.used > before { memset(validity.start + before, 0xFF, validity.used - before) }
    }

    /// Where the value of a row goes, of what is no string.
    func place(_ row: Int) -> UnsafeMutableRawPointer { values.start + row * width }

    mutating func setNull(_ row: Int) throws(Fault) {
        if nulls == 0 {
            validity.used = 0
            try growValidity(capacity)
        }
        if isString {
            if hasDictionary { store(0, row) } else { store(Int32(truncatingIfNeeded: text.used), row + 1) }
        } else {
            memset(place(row), 0, width)
        }
        // Behind the call: see Tests/error-register.py.
        nulls += 1
        let byte = validity.start.assumingMemoryBound(to: UInt8.self) + row / 8
        byte.pointee &= ~(1 << UInt8(row & 7))
    }

    private func store(_ number: Int32, _ row: Int) { values.start.storeBytes(of: number, toByteOffset: 4 * row, as: Int32.self) }

    @inline(__always)
    func set(_ row: Int, bits: UInt64) {
        let place = place(row)
        switch type.size {
        case 1: place.storeBytes(of: UInt8(truncatingIfNeeded: bits), as: UInt8.self)
        case 2: place.storeBytes(of: UInt16(truncatingIfNeeded: bits), as: UInt16.self)
        case 4: place.storeBytes(of: UInt32(truncatingIfNeeded: bits), as: UInt32.self)
        default: place.storeBytes(of: bits, as: UInt64.self)
        }
    }

    /// Whether the batch has room for another string of so many bytes.
    func holds(_ count: Int) -> Bool { count <= Int(Int32.max) - text.used }

    /// False if it is no UTF-8.
    mutating func set(_ row: Int, text string: UnsafeRawBufferPointer) throws(Fault) -> Bool {
        if hasDictionary {
            guard let index = try dictionary.index(string, binary: isBinary) else { return false }
            store(index, row)
            return true
        }
        guard isBinary || isUTF8(string) else { return false }
        try text.append(string)
        store(Int32(text.used), row + 1)
        return true
    }

    // MARK: Strings by columns

    /// Room for the strings of a call of the reader, from `row` on: where they go, and how many bytes; nil if the batch has
    /// none.
    mutating func room(_ least: Int, at row: Int) throws(Fault) -> (UnsafeMutableRawPointer, Int)? {
        let used = hasDictionary ? 0 : text.used
        let most = Int(Int32.max) - used
        guard most >= least else { return nil }
        if hasDictionary { try text.reserve(4 * least) } else { try growText(least, at: row, of: used) }
        return (text.start + used, min(text.room - used, most))
    }

    /// Takes strings that were stored in `room`, some perhaps left out: answers how many are UTF-8, up to the first that is
    /// not.
    mutating func take(_ strings: UnsafePointer<ticklog_text>, _ count: Int, at row: Int) throws(Fault) -> Int {
        if hasDictionary {
            for i in 0..<count {
                let bytes = UnsafeRawBufferPointer(start: strings[i].bytes, count: strings[i].count)
                guard let index = try dictionary.index(bytes, binary: isBinary) else { return i }
                store(index, row + i)
            }
            return count
        }
        if takeNeighbours(strings, count, at: row) { return count }
        for i in 0..<count {
            let bytes = UnsafeRawBufferPointer(start: strings[i].bytes, count: strings[i].count)
            guard isBinary || isUTF8(bytes) else { return i }
            if bytes.count > 0, let from = bytes.baseAddress, from != UnsafeRawPointer(text.start + text.used) {
                memmove(text.start + text.used, from, bytes.count)
            }
            text.used += bytes.count
            store(Int32(text.used), row + i + 1)
        }
        return count
    }

    /// The same where none was left out, so that they lie one behind the other already: if all together are UTF-8, and none
    /// begins within a character, each is.
    private mutating func takeNeighbours(_ strings: UnsafePointer<ticklog_text>, _ count: Int, at row: Int) -> Bool {
        // In bounds: the reader has stored as many as there is room for.
        let memory = UnsafeRawPointer(text.start)
        let ends = values.start.assumingMemoryBound(to: Int32.self) + row + 1
        var end = text.used
        var isWithin = false
        var i = 0
        while i < count {
            guard let bytes = strings[i].bytes, UnsafeRawPointer(bytes) == memory + end else { return false }
            if strings[i].count > 0 { isWithin = isWithin || UInt8(bitPattern: bytes[0]) & 0xC0 == 0x80 }
            end &+= strings[i].count
            ends[i] = Int32(truncatingIfNeeded: end)
            i &+= 1
        }
        guard isBinary || (!isWithin && isUTF8(UnsafeRawBufferPointer(start: memory + text.used, count: end - text.used))) else { return false }
        text.used = end
        return true
    }

    /// Of rows that were taken, only so many stay.
    mutating func cut(to rows: Int) {
        guard isString, !hasDictionary, capacity > 0 else { return }
        text.used = Int(values.start.load(fromByteOffset: 4 * rows, as: Int32.self))
    }

    /// Moves the values of `count` rows.
    func move(_ from: Int, _ count: Int, to: Int) { memmove(place(to), place(from), count * width) }

    // MARK: The batch

    /// From the rows so far, whether a dictionary pays; then these rows have it.
    mutating func chooseDictionary(_ rows: Int) throws(Fault) {
        guard isString, rows >= 16 else { return }
        var chosen = ArrowDictionary()
        var isKept = false
        defer { if !isKept { chosen.free() } }
        let most = rows / 4
        let offsets = values.start.assumingMemoryBound(to: Int32.self)
        var indices = ArrowMemory()
        try indices.reserve(4 * (capacity + 1))
        for i in 0..<rows {
            let start = Int(offsets[i])
            // A text may be nil if all are empty.
            let string = UnsafeRawBufferPointer(start: text.memory.map { UnsafeRawPointer($0 + start) }, count: Int(offsets[i + 1]) - start)
            guard let index = try chosen.index(string, binary: true), chosen.count <= most else {
                indices.free()
                return
            }
            indices.start.storeBytes(of: index, toByteOffset: 4 * i, as: Int32.self)
        }
        values.free()
        values = indices
        dictionary.free()
        dictionary = chosen
        isKept = true
        hasDictionary = true
        text.used = 0
    }

    /// Gives the rows to a batch, and is empty.
    mutating func export(_ rows: Int, to batch: ArrowBatch, _ column: Int) throws(Fault) {
        if capacity == 0 { try reserve(0) }
        let bits = nulls > 0 ? validity.move(validity.used, to: batch) : nil
        if type == .bool {
            batch.set(column, rows: rows, nulls: nulls, bits, try packedBools(rows, batch))
        } else if isString, !hasDictionary {
            try text.reserve(1)
            let offsets = values.move((rows + 1) * width, to: batch)
            batch.set(column, rows: rows, nulls: nulls, bits, offsets, text.move(text.used, to: batch))
        } else {
            batch.set(column, rows: rows, nulls: nulls, bits, values.move((rows + 1) * width, to: batch))
            if hasDictionary { try dictionary.export(to: batch, column) }
        }
        nulls = 0
        // The bytes of bools stay, and room for a dictionary's strings.
        capacity = 0
    }

    private func packedBools(_ rows: Int, _ batch: ArrowBatch) throws(Fault) -> UnsafeRawPointer {
        var memory = ArrowMemory()
        try memory.reserve((rows + 63) / 64 * 8)
        let bytes = UnsafeRawPointer(values.start)
        var i = 0
        while i + 8 <= rows {
            // Eight bytes of 0 or 1 become the bits of one.
            let eight = bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)
            memory.start.storeBytes(
                of: UInt8(truncatingIfNeeded: (eight &* 0x0102_0408_1020_4080) &>> 56), toByteOffset: i / 8, as: UInt8.self)
            i += 8
        }
        var last: UInt8 = 0
        while i < rows {
            if bytes.load(fromByteOffset: i, as: UInt8.self) != 0 { last |= 1 << UInt8(i & 7) }
            i += 1
        }
        if rows & 7 != 0 { memory.start.storeBytes(of: last, toByteOffset: rows / 8, as: UInt8.self) }
        return memory.move(memory.room, to: batch)
    }

    mutating func free() {
        values.free()
        text.free()
        validity.free()
        dictionary.free()
    }
}
