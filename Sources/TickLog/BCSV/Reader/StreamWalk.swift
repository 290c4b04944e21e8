import CXXHash

/// Walks the rows of a stream file, each of which has its own checksum (spec: BCSV.md, section 5).
///
/// A repeated row is a zero byte without a checksum. It counts only if what stands behind it is a right row or the end:
/// a row whose length was flipped to zero is found out that way.
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

    mutating func next() throws(BCSVError) -> Event {
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
    mutating func hasNext() throws(BCSVError) -> Bool {
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
    private mutating func confirmRepeats() throws(BCSVError) {
        guard rowCount > 0 else {
            throw BCSVError(.row, at: offset, expected: "a row to repeat", found: .text("the file's first row"))
        }
        var at = offset
        var count: UInt64 = 0
        while at < window.length {
            let bytes = try window.bytes(at: at, atLeast: 8)
            guard let length = RowLength(bytes, at: 0), length.value == 0 else { break }
            at += length.size
            count += 1
        }
        if at < window.length {
            do { _ = try read(at: at) } catch {
                // Cut within the next row: what stands before it is whole.
                guard error.kind == .torn else { throw error }
            }
        }
        repeats = count
        repeatsEnd = at
    }

    /// The row at `at`, verified; `count` 0 is a repeated one.
    private mutating func read(at: Int) throws(BCSVError) -> (bytes: FileBytes, count: Int, end: Int) {
        var bytes = try window.bytes(at: at, atLeast: 8)
        guard let length = RowLength(bytes, at: 0) else {
            throw BCSVError(.torn, at: at, expected: "a whole row length", found: .end)
        }
        guard length.value <= UInt64(BCSVFormat.maxRowBytes) else {
            throw BCSVError(.row, at: at, expected: "a row length below 2^24 - 1", found: .number(length.value))
        }
        let count = Int(length.value)
        guard count > 0 else {
            guard header.rowCodec == .zoh else {
                throw BCSVError(.row, at: at, expected: "a row length above 0", found: .number(0))
            }
            return (bytes.slice(at: 0, count: 0), 0, at + length.size)
        }
        let whole = length.size + count + 4
        guard whole <= window.length - at else {
            throw BCSVError(.torn, at: at, expected: "a whole row and its checksum", found: .end)
        }
        guard whole <= window.capacity else {
            throw BCSVError(
                .tooLarge, at: at, expected: "a row that fits the reader's memory", found: .number(length.value))
        }
        bytes = try window.bytes(at: at, atLeast: whole)
        let hash = bytes.u32(at: length.size + count)
        guard cxxhash32(bytes.start + length.size, count) == hash else {
            throw BCSVError(
                .packetHash, at: at + length.size + count, expected: "the XXH32 of the row", found: .hex(UInt64(hash)))
        }
        return (bytes.slice(at: length.size, count: count), count, at + whole)
    }
}
