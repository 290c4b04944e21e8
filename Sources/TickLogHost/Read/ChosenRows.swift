import TickLog

/// The rows of a table that somebody asked for: those of one stream of a recording, of a window of ticks, of a range of
/// rows. Rows that were lost count in the range, unless ticks or a stream are chosen.
final class ChosenRows {
    /// Whose current row it is.
    let table: Table
    private let recording: Recording?
    private let only: Int?
    private let tickColumn: Int?
    private let ticks: Range<UInt64>
    private let rows: Range<UInt64>
    private var line: UInt64 = 0
    private var ended = false

    static var allTicks: Range<UInt64> { 0..<UInt64.max }

    /// `stream`: of the recording; then the table is that stream's.
    init(_ recording: Recording, stream: Int?, _ clock: RunClock?, ticks: Range<UInt64>, rows: Range<UInt64>) {
        self.recording = recording
        only = stream
        self.ticks = ticks
        self.rows = rows
        tickColumn = nil
        if let stream { table = StreamTable(recording, stream: stream, clock: clock) } else { table = recording.table }
        line = recording.begin(at: ticks.lowerBound, skipping: rows.lowerBound, of: stream != nil ? .samples(stream) : .rows)
    }

    /// `tick`: the column that `ticks` are of, if they are chosen.
    init(_ table: Table, tick: Int?, ticks: Range<UInt64>, rows: Range<UInt64>) {
        self.table = table
        recording = nil
        only = nil
        tickColumn = tick
        self.ticks = ticks
        self.rows = rows
    }

    func next() -> Bool {
        guard !ended, recording == nil ? nextOfTable() : nextOfRecording() else {
            ended = true
            return false
        }
        return true
    }

    private func nextOfTable() -> Bool {
        while table.next() {
            if let tickColumn {
                guard ticks.contains(table.bits(tickColumn)) || isLast(table.bits(tickColumn)) else { continue }
            } else {
                line = table.row
            }
            if line >= rows.upperBound { return false }
            line &+= 1
            if line > rows.lowerBound { return true }
        }
        return false
    }

    /// The largest tick is in a window without an end.
    private func isLast(_ tick: UInt64) -> Bool { tick == UInt64.max && ticks.upperBound == UInt64.max }

    private func nextOfRecording() -> Bool {
        let recording = recording!
        let countsLost = only == nil && ticks == Self.allTicks
        while recording.next() {
            if recording.tick < ticks.lowerBound { continue }
            if recording.tick >= ticks.upperBound, ticks.upperBound != UInt64.max {
                // Events of several sources need not be in order.
                if recording.isEvents { continue }
                return false
            }
            if let only, !recording.sampled.contains(only) { continue }
            if countsLost { line = recording.table.row }
            if line >= rows.upperBound { return false }
            line &+= 1
            if line > rows.lowerBound { return true }
        }
        return false
    }
}
