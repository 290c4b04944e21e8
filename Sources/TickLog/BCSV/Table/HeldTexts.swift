import CTickLog

/// A string column of a table.
struct TextColumn {
    /// Of the cell, in the row.
    var source: UInt32
    /// Of a char array; 0: the cell is a `ticklog_text`.
    var capacity: UInt32
    /// Of the held text, in the arena's half.
    var place: UInt32 = 0
    var length: UInt32 = 0
    /// Bytes that the held text may grow to where it is.
    var room: UInt32 = 0
}

/// The string columns of a table: char arrays and `ticklog_text`, of any bytes and length.
///
/// The texts of the row before are held in one half of an arena, each with room to grow. When one outgrows its room, the
/// whole row moves to the other half: that is large enough for any row, so that no sequence of rows needs more.
struct HeldTexts {
    private let columns: Table<TextColumn>
    private var half: UnsafeMutableRawPointer
    private var other: UnsafeMutableRawPointer
    private let halfBytes: Int
    /// The most that the `ticklog_text` cells of a row have together.
    private let textBytes: Int
    private let capacities: Int
    /// Position of the first column's flag in the row header.
    private let firstBit: Int
    /// The row that is being encoded.
    var row: UnsafeRawPointer

    /// `arena`: two halves of `textBytes` and the capacities together.
    init(
        _ fields: TableFields, columns: Table<TextColumn>, arena: UnsafeMutableRawPointer, textBytes: Int, capacities: Int,
        firstBit: Int
    ) {
        self.columns = columns
        halfBytes = textBytes + capacities
        half = arena
        other = arena + halfBytes
        self.textBytes = textBytes
        self.capacities = capacities
        self.firstBit = firstBit
        row = UnsafeRawPointer(arena)
        var at = 0
        for i in 0..<fields.count where fields.isString(i) {
            let field = fields.fields[i]
            let isText = field.type == TICKLOG_TEXT
            let size = isText ? MemoryLayout<ticklog_text>.size : Int(field.size)
            for k in 0..<fields.elements(i) {
                columns[at] = TextColumn(
                    source: field.offset + UInt32(k * size), capacity: isText ? 0 : UInt32(size))
                at += 1
            }
        }
    }

    // MARK: Cells

    @inline(__always)
    private static func cell(_ column: TextColumn, _ row: UnsafeRawPointer) -> (bytes: UnsafeRawPointer, count: Int) {
        let at = row + Int(column.source)
        if column.capacity > 0 { return (at, at.textLength(Int(column.capacity))) }
        let bytes = UInt(bitPattern: at.load(Int.self))
        return (UnsafeRawPointer(bitPattern: bytes) ?? at, at.load(Int.self, at: MemoryLayout<Int>.size))
    }

    /// The most bytes of this row's strings. TOO_LARGE, NULL: the row cannot be written.
    func measure(_ row: UnsafeRawPointer, _ bytes: inout Int) -> ticklog_status {
        var sum = 0
        for i in 0..<columns.count where columns.base[i].capacity == 0 {
            let at = row + Int(columns.base[i].source)
            let count = at.load(UInt.self, at: MemoryLayout<Int>.size)
            guard count <= UInt(BCSVFormat.maxStringBytes) else { return TICKLOG_TOO_LARGE }
            if count > 0, at.load(UInt.self) == 0 { return TICKLOG_NULL }
            sum += Int(count)
        }
        guard sum <= textBytes else { return TICKLOG_TOO_LARGE }
        bytes = sum + capacities
        return TICKLOG_OK
    }

    // MARK: Encoding

    /// For `RowEncoder`: a function without a context of its own.
    func textColumns(_ texts: UnsafeMutablePointer<HeldTexts>) -> TextColumns {
        TextColumns(count: columns.count, context: UnsafeMutableRawPointer(texts)) { context, mode, header, end in
            let texts = context.assumingMemoryBound(to: HeldTexts.self)
            switch mode {
            case TextColumns.Mode.flat.rawValue: return texts.pointee.putFlat(end)
            case TextColumns.Mode.all.rawValue: return texts.pointee.putAll(end)
            default: return texts.pointee.putChanges(header, end)
            }
        }
    }

    private func putFlat(_ end: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var lengths = end
        var out = end + 2 * columns.count
        for i in 0..<columns.count {
            let (bytes, count) = HeldTexts.cell(columns.base[i], row)
            lengths.store(UInt16(truncatingIfNeeded: count))
            lengths += 2
            out.copyText(bytes, count)
            out += count
        }
        return out
    }

    private mutating func putAll(_ end: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var out = end
        for i in 0..<columns.count {
            let (bytes, count) = HeldTexts.cell(columns.base[i], row)
            out.store(UInt16(truncatingIfNeeded: count))
            (out + 2).copyText(bytes, count)
            out += 2 + count
        }
        move()
        return out
    }

    @_optimize(speed)
    private mutating func putChanges(_ header: UnsafeMutableRawPointer, _ end: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var out = end
        var isTight = false
        var bit = firstBit
        let half = half
        for i in 0..<columns.count {
            let column = columns.base + i
            let (bytes, count) = HeldTexts.cell(column.pointee, row)
            if bit & 7 == 0 { header.store(UInt8(0), at: bit >> 3) }
            let held = half + Int(column.pointee.place)
            if count != Int(column.pointee.length) || !bytes.equalsText(held, count) {
                let flags = UnsafeRawPointer(header).load(UInt8.self, at: bit >> 3)
                header.store(flags | 1 << UInt8(truncatingIfNeeded: bit & 7), at: bit >> 3)
                out.store(UInt16(truncatingIfNeeded: count))
                (out + 2).copyText(bytes, count)
                out += 2 + count
                if count <= Int(column.pointee.room) {
                    held.copyText(bytes, count)
                    column.pointee.length = UInt32(truncatingIfNeeded: count)
                } else {
                    isTight = true
                }
            }
            bit &+= 1
        }
        if isTight { move() }
        return out
    }

    /// Takes the whole row over into the other half.
    private mutating func move() {
        var sum = 0
        for i in 0..<columns.count { sum += HeldTexts.cell(columns.base[i], row).count }
        let spare = (halfBytes - sum) / max(columns.count, 1)
        var at = 0
        for i in 0..<columns.count {
            let column = columns.base + i
            let (bytes, count) = HeldTexts.cell(column.pointee, row)
            (other + at).copyText(bytes, count)
            column.pointee.place = UInt32(at)
            column.pointee.length = UInt32(count)
            column.pointee.room = UInt32(count + min(spare, count + 16))
            at += Int(column.pointee.room)
        }
        swap(&half, &other)
    }
}

extension UnsafeMutableRawPointer {
    /// Copies a short text without a call.
    @inline(__always)
    func copyText(_ source: UnsafeRawPointer, _ count: Int) {
        if count >= 8 {
            if count > 16 { return copy(source, count) }
            let last = source.load(UInt64.self, at: count &- 8)
            store(source.load(UInt64.self))
            store(last, at: count &- 8)
        } else if count >= 4 {
            let last = source.load(UInt32.self, at: count &- 4)
            store(source.load(UInt32.self))
            store(last, at: count &- 4)
        } else if count > 0 {
            let middle = source.load(UInt8.self, at: count &>> 1)
            let last = source.load(UInt8.self, at: count &- 1)
            store(source.load(UInt8.self))
            store(middle, at: count &>> 1)
            store(last, at: count &- 1)
        }
    }
}

extension UnsafeRawPointer {
    @inline(__always)
    func equalsText(_ other: UnsafeRawPointer, _ count: Int) -> Bool {
        if count >= 8 {
            var i = 0
            while i < count &- 8 {
                if load(UInt64.self, at: i) != other.load(UInt64.self, at: i) { return false }
                i &+= 8
            }
            return load(UInt64.self, at: count &- 8) == other.load(UInt64.self, at: count &- 8)
        }
        if count >= 4 {
            return load(UInt32.self) == other.load(UInt32.self)
                && load(UInt32.self, at: count &- 4) == other.load(UInt32.self, at: count &- 4)
        }
        var i = 0
        while i < count {
            if load(UInt8.self, at: i) != other.load(UInt8.self, at: i) { return false }
            i &+= 1
        }
        return true
    }

    /// As `stringLength`, eight bytes at a time.
    @inline(__always)
    func textLength(_ limit: Int) -> Int {
        var i = 0
        while limit &- i >= 8 {
            let word = load(UInt64.self, at: i)
            // The lowest set bit is that of the first NUL byte.
            let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if zeros != 0 { return i &+ zeros.trailingZeroBitCount &>> 3 }
            i &+= 8
        }
        while i < limit, load(UInt8.self, at: i) != 0 { i &+= 1 }
        return i
    }
}
