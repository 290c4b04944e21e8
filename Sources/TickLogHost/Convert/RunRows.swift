import TickLog

/// The rows of a polled or event table from which a run is made, and which streams have a sample in each. Streams are
/// numbered as in the outline's file; behind the event streams come the built-in ones.
public final class RunRows {
    public let table: Table
    let isEvents: Bool
    /// By stream and field.
    let columns: [[Int]]
    public private(set) var tick: UInt64 = 0
    public private(set) var sampled: [Int] = []
    /// The table's columns are the run's, in order: `tick`, of events `stream`, then the data.
    let isInOrder: Bool

    private let recording: Recording?
    private let tickColumn: Int
    private let streamColumn: Int?
    private var byName: [String: Int] = [:]
    private let polled: [RunOutline.Stream]

    /// Of a run. `base`: the first data column.
    init(_ recording: Recording, columns: [[Int]], base: Int) {
        table = recording.table
        isEvents = recording.isEvents
        self.columns = columns
        self.recording = recording
        isInOrder = base == (recording.isEvents ? 2 : 1)
        tickColumn = 0
        streamColumn = nil
        polled = []
    }

    /// Of any table: all polled streams have a sample in each row; of events the one that the row names.
    init(_ table: Table, polled: [RunOutline.Stream], columns: [[Int]], tick: Int) {
        self.table = table
        isEvents = false
        self.columns = columns
        recording = nil
        tickColumn = tick
        streamColumn = nil
        self.polled = polled
        isInOrder = false
    }

    init(_ table: Table, events names: [String], columns: [[Int]], tick: Int, stream: Int) {
        self.table = table
        isEvents = true
        self.columns = columns
        recording = nil
        tickColumn = tick
        streamColumn = stream
        polled = []
        isInOrder = false
        for i in 0..<names.count { byName[names[i]] = i }
    }

    public func next() -> Bool {
        if let recording {
            guard recording.next() else { return false }
            tick = recording.tick
            sampled = recording.sampled
            return true
        }
        guard table.next() else { return false }
        tick = table.bits(tickColumn)
        sampled.removeAll(keepingCapacity: true)
        if let streamColumn {
            if let i = byName[String(decoding: table.text(streamColumn), as: UTF8.self)] { sampled.append(i) }
        } else {
            for i in 0..<polled.count { sampled.append(i) }
        }
        return true
    }

    /// A sample as DLF has it; nil if the table has values only.
    func bytes(of stream: Int) -> FileBytes? { recording?.bytes(of: stream) }
}

extension RunOutline.Stream {
    /// When a polled stream is due.
    var schedule: PolledSchedule.Stream { PolledSchedule.Stream(interval: interval, phase: phase, size: UInt32(clamping: size)) }
}

extension PolledSchedule.Stream {
    /// How many ticks in [start, end) are due.
    func count(from start: UInt64, to end: UInt64) -> UInt64 { end <= start ? 0 : count(before: end) - count(before: start) }
}
