import CXXHash

/// Walks the rows of a stream file, each of which has its own checksum (spec: BCSV.md, section 5).
///
/// A repeated row is a zero byte without a checksum. If what stands behind it is neither a right row nor the end, the zero
/// may be a length of which a bit was flipped: that is tried out.
struct StreamWalk {
    enum Event {
        case row(FileBytes, at: Int)
        case repeated
        case damage(BCSVDamage)
        case end(BCSVEnding)
    }

    let header: BCSVHeader
    var window: SourceWindow
    private(set) var offset: Int
    private(set) var rowCount: UInt64 = 0
    /// Repeated rows that are known to be right, and where they end.
    private var repeats: UInt64 = 0
    private var repeatsEnd = 0
    private var ending: BCSVEnding?

    init(_ window: SourceWindow, _ header: BCSVHeader) {
        self.window = window
        self.header = header
        offset = header.dataOffset
    }

    mutating func next() throws(FormatError) -> Event {
        if let ending { return .end(ending) }
        if repeats > 0 { return repeated() }
        do {
            if offset == window.length {
                ending = .closed
                return .end(.closed)
            }
            let row = try read(at: offset)
            if row.count > 0 {
                let at = offset
                offset = row.end
                rowCount += 1
                return .row(row.bytes, at: at)
            }
            try confirmRepeats()
            return repeated()
        } catch {
            if error.kind == .source { throw error }
            let isTorn = error.kind == .torn
            ending = isTorn ? .torn : .damaged
            return .damage(
                BCSVDamage(
                    error: error, isTorn: isTorn, skipped: offset..<window.length, firstRow: rowCount, rows: nil))
        }
    }

    /// Back to the first row.
    mutating func restart() {
        offset = header.dataOffset
        rowCount = 0
        repeats = 0
        ending = nil
    }

    /// Whether a right row stands next.
    mutating func hasNext() throws(FormatError) -> Bool {
        guard ending == nil, repeats > 0 || offset < window.length else { return false }
        if repeats > 0 { return true }
        do {
            _ = try read(at: offset)
            return true
        } catch {
            if error.kind == .source { throw error }
            return false
        }
    }

    private mutating func repeated() -> Event {
        repeats -= 1
        if repeats == 0 { offset = repeatsEnd }
        rowCount += 1
        return .repeated
    }

    /// Counts the zeros from `offset` on and looks at what follows them.
    private mutating func confirmRepeats() throws(FormatError) {
        guard rowCount > 0 else {
            throw FormatError(.row, at: offset, expected: "a row to repeat", found: .text("the file's first row"))
        }
        var at = offset
        var count: UInt64 = 0
        while at < window.length {
            let bytes = try window.bytes(at: at, atLeast: 1)
            guard bytes[0] == 0 else { break }
            at += 1
            count += 1
        }
        if at < window.length {
            do { _ = try read(at: at) } catch {
                // Cut within the next row: what stands before it is whole.
                if error.kind != .torn {
                    if error.kind == .source { throw error }
                    at = try firstFlipped(from: offset, to: at)
                    count = UInt64(at - offset)
                    guard count > 0 else { throw error }
                }
            }
        }
        repeats = count
        repeatsEnd = at
    }

    /// The first of the zeros in [from, to) that would be the length of a right row with one bit turned; `to` if there is
    /// none. `from` if that is more work than it is worth: then none of them counts.
    private mutating func firstFlipped(from: Int, to: Int) throws(FormatError) -> Int {
        var budget = 1 << 24
        var at = from
        while at < to {
            var bit = 0
            while bit < 32 {
                let bytes = try window.bytes(at: at, atLeast: 8)
                var word: UInt64 = 0
                var i = 0
                while i < min(bytes.count, 8) {
                    word |= UInt64(bytes[i]) << UInt64(8 * i)
                    i += 1
                }
                word ^= 1 << UInt64(bit)
                let size = Int(word & 7) + 1
                let length = (word << UInt64(64 - 8 * size)) >> UInt64(67 - 8 * size)
                bit += 1
                guard length > 0, length <= UInt64(BCSVFormat.maxRowBytes), size <= bytes.count, bit <= 8 * size else { continue }
                let whole = size + Int(length) + 4
                guard whole <= window.length - at, whole <= window.capacity else { continue }
                budget -= whole + 64
                guard budget > 0 else { return from }
                let row = try window.bytes(at: at, atLeast: whole)
                if cxxhash32(row.start + size, Int(length)) == row.u32(at: whole - 4) { return at }
            }
            at += 1
        }
        return to
    }

    /// The row at `at`, verified; `count` 0 is a repeated one.
    private mutating func read(at: Int) throws(FormatError) -> (bytes: FileBytes, count: Int, end: Int) {
        var bytes = try window.bytes(at: at, atLeast: 8)
        guard let length = RowLength(bytes, at: 0) else {
            throw FormatError(.torn, at: at, expected: "a whole row length", found: .end)
        }
        guard length.value <= UInt64(BCSVFormat.maxRowBytes) else {
            throw FormatError(.row, at: at, expected: "a row length below 2^24 - 1", found: .number(length.value))
        }
        let count = Int(length.value)
        guard count > 0 else {
            // A longer form of the zero is two zeros of which a bit was turned.
            guard header.rowCodec == .zoh, length.size == 1 else {
                throw FormatError(
                    .row, at: at, expected: "a row length above 0, or one zero byte where rows are held", found: .number(0))
            }
            return (bytes.slice(at: 0, count: 0), 0, at + length.size)
        }
        let whole = length.size + count + 4
        guard whole <= window.length - at else {
            throw FormatError(.torn, at: at, expected: "a whole row and its checksum", found: .end)
        }
        guard whole <= window.capacity else {
            throw FormatError(
                .tooLarge, at: at, expected: "a row that fits the reader's memory", found: .number(length.value))
        }
        bytes = try window.bytes(at: at, atLeast: whole)
        let hash = bytes.u32(at: length.size + count)
        guard cxxhash32(bytes.start + length.size, count) == hash else {
            throw FormatError(
                .packetHash, at: at + length.size + count, expected: "the XXH32 of the row", found: .hex(UInt64(hash)))
        }
        return (bytes.slice(at: length.size, count: count), count, at + whole)
    }
}
