import TickLog

/// A cell of a record: where its text is in the file.
struct CSVCell {
    let start: UnsafeRawPointer
    let count: Int
    /// It was quoted and has doubled quotes in it.
    let hasQuotes: Bool

    var text: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}

/// What is wrong with a record.
struct CSVError: Error {
    let line: UInt64
    let offset: Int
    let text: String
}

/// Splits CSV text into records and cells (RFC 4180): lines end with LF, CRLF or CR, a cell that begins with a quote
/// ends with the next single one, and doubled ones within stand for one. A quote elsewhere in a cell is a character.
/// Nothing is copied.
struct CSVRecords {
    let bytes: FileBytes
    let delimiter: UInt8
    let trims: Bool
    /// Offset of the next record.
    private(set) var offset: Int
    /// Line at which the next record begins, from 1.
    private(set) var nextLine: UInt64 = 1
    /// Of the current record.
    private(set) var line: UInt64 = 1
    private(set) var start = 0
    private(set) var count = 0
    private let cells: CSVCells
    private let pattern: UInt64

    init(_ bytes: FileBytes, from offset: Int, delimiter: UInt8, trims: Bool) {
        self.bytes = bytes
        self.offset = offset
        self.delimiter = delimiter
        self.trims = trims
        cells = CSVCells()
        pattern = everyByte(delimiter)
    }

    @inline(__always)
    subscript(index: Int) -> CSVCell { cells.base[index] }

    /// An empty line: one cell, without a byte and without quotes.
    var isBlank: Bool { count == 1 && cells.base[0].count == 0 && bytes.start + start == cells.base[0].start }

    mutating func goBack(to offset: Int, line: UInt64) {
        self.offset = offset
        nextLine = line
    }

    /// Goes to the next record; false at the end.
    mutating func next() throws(CSVError) -> Bool {
        let end = bytes.start + bytes.count
        var at = bytes.start + offset
        guard at < end else { return false }
        start = offset
        line = nextLine
        count = 0
        while true {
            if count == cells.capacity { try grow() }
            let first = at
            if at < end, at.load(as: UInt8.self) == 0x22 || (trims && isQuoted(&at, end)) {
                at = try quoted(at, end)
            } else {
                at = plainEnd(at, end)
                if trims {
                    cells.base[count] = trimmed(first, at)
                } else {
                    cells.base[count] = CSVCell(start: first, count: at - first, hasQuotes: false)
                }
                count &+= 1
            }
            guard at < end else { break }
            let byte = at.load(as: UInt8.self)
            at += 1
            if byte == delimiter { continue }
            if byte == 0x0D, at < end, at.load(as: UInt8.self) == 0x0A { at += 1 }
            break
        }
        nextLine += 1
        offset = at - bytes.start
        return true
    }

    /// The first delimiter or line end at or behind `at`.
    @inline(__always)
    private func plainEnd(_ at: UnsafeRawPointer, _ end: UnsafeRawPointer) -> UnsafeRawPointer {
        var at = at
        while end - at >= 8 {
            let word = UInt64(littleEndian: at.loadUnaligned(as: UInt64.self))
            // The lowest byte that is marked is one of them; higher ones may be marked wrongly.
            let found = zeroBytes(word ^ pattern) | zeroBytes(word ^ everyByte(0x0A)) | zeroBytes(word ^ everyByte(0x0D))
            if found != 0 { return at + found.trailingZeroBitCount >> 3 }
            at += 8
        }
        while at < end {
            let byte = at.load(as: UInt8.self)
            if byte == delimiter || byte == 0x0A || byte == 0x0D { break }
            at += 1
        }
        return at
    }

    /// Reads the quoted cell at `at`; answers where the delimiter or line end behind it is.
    @inline(never)
    private mutating func quoted(_ quote: UnsafeRawPointer, _ end: UnsafeRawPointer) throws(CSVError) -> UnsafeRawPointer {
        let first = nextLine
        let text = quote + 1
        var at = text
        var hasQuotes = false
        while true {
            guard at < end else {
                throw CSVError(
                    line: first, offset: quote - bytes.start,
                    text: "found the end of the file in a quoted cell that begins here, expected a closing quote")
            }
            let byte = at.load(as: UInt8.self)
            if byte == 0x22 {
                guard at + 1 < end, (at + 1).load(as: UInt8.self) == 0x22 else { break }
                hasQuotes = true
                at += 2
            } else {
                if byte == 0x0A || (byte == 0x0D && !(at + 1 < end && (at + 1).load(as: UInt8.self) == 0x0A)) { nextLine += 1 }
                at += 1
            }
        }
        cells.base[count] = CSVCell(start: text, count: at - text, hasQuotes: hasQuotes)
        count += 1
        at += 1
        if trims { while at < end, isBlankByte(at) { at += 1 } }
        if at < end {
            let byte = at.load(as: UInt8.self)
            guard byte == delimiter || byte == 0x0A || byte == 0x0D else {
                throw CSVError(
                    line: nextLine, offset: at - bytes.start,
                    text: "found the byte \(hexText(UInt64(byte))) behind a closing quote, expected a delimiter or the end of the line")
            }
        }
        return at
    }

    private func isBlankByte(_ at: UnsafeRawPointer) -> Bool {
        let byte = at.load(as: UInt8.self)
        return (byte == 0x20 || byte == 0x09) && byte != delimiter
    }

    /// Blanks and then a quote: goes to the quote.
    private func isQuoted(_ at: inout UnsafeRawPointer, _ end: UnsafeRawPointer) -> Bool {
        var ahead = at
        while ahead < end, isBlankByte(ahead) { ahead += 1 }
        guard ahead < end, ahead.load(as: UInt8.self) == 0x22 else { return false }
        at = ahead
        return true
    }

    private func trimmed(_ start: UnsafeRawPointer, _ end: UnsafeRawPointer) -> CSVCell {
        var start = start
        var end = end
        while start < end, isBlankByte(start) { start += 1 }
        while start < end, isBlankByte(end - 1) { end -= 1 }
        return CSVCell(start: start, count: end - start, hasQuotes: false)
    }

    @inline(never)
    private mutating func grow() throws(CSVError) {
        guard count < CSVCells.most else {
            throw CSVError(
                line: line, offset: start, text: "found more than \(CSVCells.most) cells, expected at most so many")
        }
        cells.grow()
    }
}

/// Room for the cells of a record.
private final class CSVCells {
    /// A BCSV file has no more columns (spec BCSV, section 2.6).
    static var most: Int { 65535 }
    private(set) var base: UnsafeMutablePointer<CSVCell>
    private(set) var capacity = 64

    init() { base = UnsafeMutablePointer<CSVCell>.allocate(capacity: capacity) }

    deinit { base.deallocate() }

    func grow() {
        let larger = min(capacity * 4, CSVCells.most)
        let moved = UnsafeMutablePointer<CSVCell>.allocate(capacity: larger)
        moved.update(from: base, count: capacity)
        base.deallocate()
        base = moved
        capacity = larger
    }
}
