/// Finding rows by their number (spec: BCSV.md, section 8).
extension TableReader {
    /// A packet's place and its first row.
    private struct Start {
        var offset: Int
        var row: UInt64
    }

    /// Goes to `target`, so that it is the next row that is read; false if there are not so many rows. If it is missing,
    /// the next row that is there is read next.
    ///
    /// Time: the footer's index is searched by halves. Where it has gaps, packets are walked from the nearest entry; where
    /// there is none, packet headers are searched by halves, if no string could hold a copy of one.
    public mutating func seek(to target: UInt64) throws(FormatError) -> Bool {
        if stream != nil {
            defer { dropRow() }
            return try seekInStream(target)
        }
        if let packet, rowsLeft > 0, isEven, target >= nextRow, target < packet.firstRow &+ packet.rowCount {
            defer { dropRow() }
            return try skip(to: target)
        }
        if let footer, target >= footer.rowCount { return false }
        leave()
        let start: Start
        do { start = try nearest(target) } catch {
            dropRow()
            throw error
        }
        restart(start.offset, start.row)
        defer { dropRow() }
        return try skip(to: target)
    }

    /// Goes to the packet with the first row whose value in `column`, of u64, is not less than `value`, or to one a little
    /// before it; so rows with less may come first. The column's values must never go back. Of what is before, only the
    /// first rows of some packets are looked at. Where one is damaged, and in files without packets, it may stay at the
    /// beginning.
    ///
    /// Time: the footer's index is searched by halves, then what is between two of its entries.
    public mutating func seek(toAtLeast value: UInt64, in column: Int) throws(FormatError) {
        precondition(header.type(of: column) == .u64)
        guard packets != nil else { return }
        leave()
        var start = Start(offset: header.dataOffset, row: 0)
        defer {
            // Of the packets that were looked at nothing stays, whatever happened.
            restart(start.offset, start.row)
            dropRow()
        }
        try search(value, column, &start)
    }

    /// `best` becomes the last packet that is found whose first row has less.
    private mutating func search(_ value: UInt64, _ column: Int, _ best: inout Start) throws(FormatError) {
        var end = footer?.offset ?? packets!.window.length
        if let footer, footer.entryCount > 0 {
            var low = 0
            var high = footer.entryCount
            while low < high {
                let middle = low + (high - low) / 2
                let found = try entry(middle)
                if found.offset >= best.offset, try firstValue(found, column) < value {
                    best = found
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            if low < footer.entryCount { end = min(end, max(best.offset, try entry(low).offset)) }
        }
        // A string could hold the copy of a packet.
        guard shape.strings == 0 else { return }
        while end - best.offset > 4096, try !isLast(best, before: end) {
            let middle = best.offset + (end - best.offset) / 2
            if let found = try packets!.firstHeader(from: middle, to: end), found.row > best.row,
                try firstValue(Start(offset: found.offset, row: found.row), column) < value
            {
                best = Start(offset: found.offset, row: found.row)
            } else {
                end = middle
            }
        }
    }

    /// The value of a packet's first row; of one that is damaged, the largest: then the search goes on before it.
    private mutating func firstValue(_ start: Start, _ column: Int) throws(FormatError) -> UInt64 {
        do throws(FormatError) {
            guard try packets!.headerRow(at: start.offset) == start.row else { return UInt64.max }
            let packet = try packets!.read(at: start.offset)
            return firstBits(of: packet, column) ?? UInt64.max
        } catch {
            if error.kind == .source { throw error }
            return UInt64.max
        }
    }

    /// Whether a packet goes as far as `end`.
    private mutating func isLast(_ start: Start, before end: Int) throws(FormatError) -> Bool {
        do throws(FormatError) { return try (packets!.extent(at: start.offset)?.end ?? 0) >= end } catch {
            if error.kind == .source { throw error }
            return false
        }
    }

    /// Reads on to the row before `target`.
    private mutating func skip(to target: UInt64) throws(FormatError) -> Bool {
        while true {
            if rowsLeft > 0 {
                // Damage among these rows leaves none of them.
                while rowsLeft > 0, nextRow < target { if try !nextInPacket() { break } }
                if rowsLeft > 0 { return true }
                if ending != nil { return false }
                continue
            }
            if try passOver(target) { continue }
            switch try packets!.next() {
            case .packet(let packet): begin(packet)
            case .damage(let damage): note(damage)
            case .end(let ending):
                self.ending = ending
                return false
            }
        }
    }

    /// Steps over the packet that stands next, if it ends before `target`: its rows need not be looked at.
    private mutating func passOver(_ target: UInt64) throws(FormatError) -> Bool {
        let offset = packets!.offset
        guard let row = try packets!.headerRow(at: offset), row == packets!.rowCount else { return false }
        let found: (rows: UInt64?, end: Int)?
        do { found = try packets!.extent(at: offset) } catch {
            if error.kind == .source { throw error }
            // Too large: reading it tells, or leaves it out.
            found = nil
        }
        guard let extent = found else { return false }
        let next: UInt64
        if let rows = extent.rows {
            next = row &+ rows
            // Only a packet header or the footer behind it proves that the lengths led to the packet's end.
            if let stated = try packets!.headerRow(at: extent.end) {
                guard stated == next else { return false }
            } else {
                guard extent.end == footer?.offset else { return false }
            }
        } else if let stated = try packets!.headerRow(at: extent.end) {
            next = stated
        } else {
            return false
        }
        guard next <= target, next >= row else { return false }
        packets!.jump(to: extent.end, row: next)
        if UInt64(extent.end) <= UInt64(UInt32.max), next <= UInt64(UInt32.max) { remember(extent.end, next) }
        return true
    }

    private mutating func remember(_ offset: Int, _ row: UInt64) {
        guard row > knownRow else { return }
        knownRow = row
        known.add(offset: UInt64(offset), firstRow: row)
    }

    private mutating func restart(_ offset: Int, _ row: UInt64) {
        packets!.jump(to: offset, row: row)
        forget()
    }

    private mutating func seekInStream(_ target: UInt64) throws(FormatError) -> Bool {
        if !isEven || target < nextRow {
            stream!.restart()
            decoder.reset()
            forget()
            nextRow = 0
        }
        while nextRow < target {
            guard try advance() == .row else { return false }
        }
        // Whether there is one more is known only by reading it.
        return try stream!.hasNext()
    }

    /// The last packet that is known to begin at or before `target`.
    private mutating func nearest(_ target: UInt64) throws(FormatError) -> Start {
        var best = Start(offset: header.dataOffset, row: 0)
        var low = 0
        var high = known.count
        while low < high {
            let middle = (low + high) / 2
            if UInt64(known.entries[middle].firstRow) <= target { low = middle + 1 } else { high = middle }
        }
        if low > 0 {
            best = Start(offset: Int(known.entries[low - 1].offset), row: UInt64(known.entries[low - 1].firstRow))
        }
        guard let footer, footer.entryCount > 0 else {
            return shape.strings == 0 ? try bisect(target, best) : best
        }
        low = 0
        high = footer.entryCount
        while low < high {
            let middle = (low + high) / 2
            if try entry(middle).row <= target { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return best }
        let found = try entry(low - 1)
        // The index has a checksum; its offsets are checked all the same.
        guard found.row > best.row, try packets!.headerRow(at: found.offset) == found.row else { return best }
        return found
    }

    private mutating func entry(_ index: Int) throws(FormatError) -> Start {
        let entry = try packets!.footer!.entry(index, &packets!.window)
        return Start(offset: Int(clamping: entry.packetOffset), row: entry.firstRow)
    }

    /// Halves the bytes behind `best` until few are left, by the packet headers in them.
    private mutating func bisect(_ target: UInt64, _ best: Start) throws(FormatError) -> Start {
        var best = best
        var end = footer?.offset ?? packets!.window.length
        while end - best.offset > 4096 {
            let middle = best.offset + (end - best.offset) / 2
            guard let found = try packets!.firstHeader(from: middle, to: end) else {
                end = middle
                continue
            }
            if found.row <= target, found.row >= best.row {
                best = Start(offset: found.offset, row: found.row)
            } else {
                end = middle
            }
        }
        return best
    }

    // MARK: Parts of a file

    /// Where the footer's index says that packet `index` of its `footer!.entryCount` begins; not checked against the file,
    /// which is mapped.
    public mutating func indexEntry(_ index: Int) throws(FormatError) -> (offset: UInt64, firstRow: UInt64) {
        precondition(packets!.window.isMapped)
        let entry = try packets!.footer!.entry(index, &packets!.window)
        return (entry.packetOffset, entry.firstRow)
    }

    /// Where the packets that were read end; nil within one, and if the file has none.
    public var packetEnd: Int? { rowsLeft == 0 && isEven ? packets?.offset : nil }

    /// How many rows the file has: as its footer says, or where there is none as its last packet header and what stands
    /// behind it say. A stream file is read as a whole.
    public mutating func countRows() throws(FormatError) -> UInt64 {
        if let footer { return footer.rowCount }
        leave()
        do {
            let rows = try stream != nil ? streamRows() : lastRows()
            try comeBack()
            return rows
        } catch {
            dropRow()
            throw error
        }
    }

    private mutating func streamRows() throws(FormatError) -> UInt64 {
        var walk = stream!
        defer { stream!.window = walk.window }
        walk.restart()
        while true {
            if case .end = try walk.next() { return walk.rowCount }
        }
    }

    private mutating func lastRows() throws(FormatError) -> UInt64 {
        var walk = packets!
        defer { packets!.window = walk.window }
        guard var offset = try walk.lastHeader(before: walk.window.length) else { return 0 }
        // A string may hold the copy of a packet: then the header before it is that of a packet which goes further.
        while shape.strings > 0, offset > header.dataOffset, let before = try walk.lastHeader(before: offset) {
            guard let extent = try walk.extent(at: before) else {
                offset = before
                continue
            }
            if extent.end <= offset { break }
            offset = before
        }
        let row = try walk.headerRow(at: offset) ?? 0
        walk.jump(to: offset, row: row)
        if case .packet(let packet) = try walk.next(), packet.isVerified { return row &+ packet.rowCount }
        return row
    }
}
