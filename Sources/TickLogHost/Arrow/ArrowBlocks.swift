import CTickLog
import TickLog

/// Rows of BCSV files, decoded by columns straight into a batch.
final class ArrowBlocks {
    private let table: BCSVTable
    /// The column of ticks, if a window of them was asked for.
    private let tick: Int?
    private let ticks: Range<UInt64>
    private let rows: Range<UInt64>
    /// Ticks never go back.
    private let isOrdered: Bool
    private var arrays: UnsafeMutableBufferPointer<ticklog_column_array>
    private var texts: [UnsafeMutablePointer<ticklog_text>?] = []
    private var tickValues: UnsafeMutablePointer<UInt64>?
    private var isBegun = false
    private var hasStrings = false
    /// The next row, and whether the table has yet to go there.
    private var position: UInt64
    private var isElsewhere: Bool
    /// It was tried to read parts, and something was wrong.
    private var isWhole = false
    /// Where packets begin, once that has been asked for; empty if it is not known.
    private var starts: [BCSVTable.PacketStart]?
    /// Rows so far, of those in the window of ticks.
    private var line: UInt64 = 0
    private var ended = false
    /// Of the rows of the last block, those that stay.
    private(set) var kept = 0
    /// The first of them that has a string that is no text.
    private(set) var notText: (row: UInt64, column: Int)?

    /// Rows of a block, if there are strings or a window.
    private static var blockRows: Int { 4096 }
    private static var textBytes: Int { 65535 }

    init(_ table: BCSVTable, tick: Int?, ticks: Range<UInt64>, rows: Range<UInt64>, ordered: Bool) {
        self.table = table
        self.tick = tick
        self.ticks = ticks
        self.rows = rows
        isOrdered = ordered
        position = rows.lowerBound
        isElsewhere = tick == nil && rows.lowerBound > 0
        arrays = UnsafeMutableBufferPointer(start: nil, count: 0)
        if tick != nil { tickValues = .allocate(capacity: Self.blockRows) }
    }

    deinit {
        arrays.deallocate()
        for text in texts { text?.deallocate() }
        tickValues?.deallocate()
    }

    /// How many rows there may be, as far as that is known.
    var rowsLeft: UInt64 {
        let from = tick == nil ? position : rows.lowerBound
        let end = min(rows.upperBound, table.knownRowCount ?? UInt64.max)
        return end > from ? end - from : 0
    }

    /// The bytes of the file, if `rowsLeft` is how many rows it says that there are.
    var countedBytes: Int? { tick == nil ? table.closedFile?.file.bytes.count : nil }

    private func begin(_ columns: UnsafeMutableBufferPointer<ArrowColumn>) {
        isBegun = true
        arrays = .allocate(capacity: columns.count + 1)
        for i in 0..<columns.count {
            arrays[i] = ticklog_column_array(column: UInt32(columns[i].source), reserved: 0, values: nil, text: nil, text_bytes: 0)
            texts.append(columns[i].isString ? .allocate(capacity: Self.blockRows) : nil)
            if columns[i].isString { hasStrings = true }
        }
        let last = tick.map { UInt32($0) } ?? 0
        arrays[columns.count] = ticklog_column_array(column: last, reserved: 0, values: tickValues, text: nil, text_bytes: 0)
        if let tick, isOrdered, ticks.lowerBound > 0 { table.seek(toAtLeast: ticks.lowerBound, in: tick) }
    }

    /// All rows of an empty batch at once, at most `most`, by several threads; 0: by `next` they come.
    func nextParts(_ columns: UnsafeMutableBufferPointer<ArrowColumn>, most: Int, threads: Int) -> Int {
        guard threads > 1, tick == nil, !ended, !isWhole, let file = table.closedFile else { return 0 }
        for i in 0..<columns.count where columns[i].hasDictionary { return 0 }
        if starts == nil { starts = table.packetStarts() ?? [] }
        guard let starts, let last = starts.last else { return 0 }
        let end = min(rows.upperBound, last.row)
        guard position < end else { return 0 }
        let wanted = position..<(end - position > UInt64(most) ? position + UInt64(most) : end)
        guard let parts = ArrowParts(file, starts, wanted, isLast: wanted.upperBound == end, threads: threads) else { return 0 }
        guard parts.read(columns, threads: threads) else {
            isWhole = true
            return 0
        }
        let count = Int(parts.rows.upperBound - position)
        position = parts.rows.upperBound
        if position == end { ended = true } else { isElsewhere = true }
        return count
    }

    /// Puts the next rows into the columns at `row`; answers how many were read, of which `kept` stay: 0 at the end, nil if
    /// the batch has no room for their strings.
    func next(_ columns: UnsafeMutableBufferPointer<ArrowColumn>, _ row: Int, most: Int) throws(Fault) -> Int? {
        kept = 0
        if !isBegun { begin(columns) }
        if isElsewhere {
            isElsewhere = false
            if !table.seek(to: position) { ended = true }
        }
        guard !ended else { return 0 }
        let most = hasStrings || tick != nil ? min(most, Self.blockRows) : most
        for i in 0..<columns.count {
            if let text = texts[i] {
                guard let (memory, room) = try columns[i].room(Self.textBytes, at: row) else {
                    guard row > 0 else { return 0 }
                    return nil
                }
                arrays[i].values = UnsafeMutableRawPointer(text)
                arrays[i].text = memory.assumingMemoryBound(to: CChar.self)
                arrays[i].text_bytes = room
            } else {
                arrays[i].values = columns[i].place(row)
            }
        }
        let count = table.nextColumns(
            UnsafeBufferPointer(start: arrays.baseAddress!, count: columns.count + (tick == nil ? 0 : 1)), most)
        guard count > 0 else {
            ended = true
            return 0
        }
        position = table.row &+ 1
        let first = position &- UInt64(count)
        if tick == nil {
            kept = keepRows(columns, row, first, count)
        } else {
            kept = keepTicks(columns, row, count)
        }
        guard hasStrings else { return count }
        var bad = -1
        for i in 0..<columns.count {
            guard let text = texts[i] else { continue }
            let taken = try columns[i].take(text, kept, at: row)
            if taken < kept {
                kept = taken
                bad = i
            }
        }
        if bad >= 0 {
            for i in 0..<columns.count { columns[i].cut(to: row + kept) }
            notText = (tick == nil ? max(first, rows.lowerBound) &+ UInt64(kept) : first &+ UInt64(kept), bad)
            ended = true
        }
        return count
    }

    /// Of rows that continue each other, those of the range.
    private func keepRows(_ columns: UnsafeMutableBufferPointer<ArrowColumn>, _ row: Int, _ first: UInt64, _ count: Int) -> Int {
        var from = 0
        var to = count
        if first < rows.lowerBound { from = Int(min(rows.lowerBound - first, UInt64(count))) }
        if first &+ UInt64(count) >= rows.upperBound {
            to = first < rows.upperBound ? Int(rows.upperBound - first) : 0
            ended = true
        }
        guard from < to else { return 0 }
        move(columns, row, from, to - from, to: 0)
        return to - from
    }

    private func keepTicks(_ columns: UnsafeMutableBufferPointer<ArrowColumn>, _ row: Int, _ count: Int) -> Int {
        let values = tickValues!
        var kept = 0
        var i = 0
        while i < count, !ended {
            let start = i
            while i < count, isWanted(values[i]) { i += 1 }
            var (from, number) = (start, i - start)
            if number > 0 {
                // The range counts what the window leaves.
                let skipped = Int(min(rows.lowerBound > line ? rows.lowerBound - line : 0, UInt64(number)))
                line += UInt64(skipped)
                from += skipped
                number -= skipped
                let room = rows.upperBound > line ? rows.upperBound - line : 0
                if UInt64(number) >= room {
                    number = Int(room)
                    ended = true
                }
                line += UInt64(number)
                move(columns, row, from, number, to: kept)
                kept += number
            }
            if i < count, !isWanted(values[i]) {
                if isOrdered, values[i] >= ticks.upperBound { ended = true }
                i += 1
            }
        }
        return kept
    }

    private func isWanted(_ tick: UInt64) -> Bool {
        tick >= ticks.lowerBound && (tick < ticks.upperBound || ticks.upperBound == UInt64.max)
    }

    private func move(_ columns: UnsafeMutableBufferPointer<ArrowColumn>, _ row: Int, _ from: Int, _ count: Int, to: Int) {
        guard from != to, count > 0 else { return }
        for i in 0..<columns.count {
            if let text = texts[i] {
                for k in 0..<count { text[to + k] = text[from + k] }
            } else {
                columns[i].move(row + from, count, to: row + to)
            }
        }
    }
}
