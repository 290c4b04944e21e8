import TickLog

/// One stream of a recording, alone: `tick`, `time_ns` if the run tells it, and the stream's own columns. Rows are those of
/// the recording, which somebody else moves on, where the stream has a sample.
public final class StreamTable: Table {
    private let recording: Recording
    /// Of the recording's table; those before are the tick and the time.
    private let own: [Int]
    private let clock: RunClock?

    public init(_ recording: Recording, stream index: Int, clock: RunClock?) {
        self.recording = recording
        self.clock = clock
        own = recording.columns(of: index)
        var columns = [Column("tick", .u64)]
        if clock != nil { columns.append(Column("time_ns", .i64)) }
        for column in own { columns.append(recording.table.columns[column]) }
        super.init(columns: columns)
    }

    private var before: Int { clock == nil ? 1 : 2 }

    public override func bits(_ column: Int) -> UInt64 {
        if column >= before { return recording.table.bits(own[column - before]) }
        if column == 1, let clock { return UInt64(bitPattern: clock.time(of: recording.tick)) }
        return recording.tick
    }

    public override func text(_ column: Int) -> UnsafeRawBufferPointer { recording.table.text(own[column - before]) }

    public override func isKnown(_ column: Int) -> Bool { column < before || recording.table.isKnown(own[column - before]) }
}

/// When the ticks of a run were (spec: 6).
public struct RunClock {
    let epochNs: Int64
    let tickNs: UInt64

    /// Nil if the length of a tick is not known.
    public init?(_ meta: RunMeta) {
        guard meta.tickNs > 0 else { return nil }
        epochNs = meta.epochNs
        tickNs = meta.tickNs
    }

    /// Unix time in ns; since the start of the run if nobody knows when that was. What does not fit is the latest that does.
    public func time(of tick: UInt64) -> Int64 {
        let (since, overflow) = tick.multipliedReportingOverflow(by: tickNs)
        guard !overflow, since <= UInt64(Int64.max) else { return Int64.max }
        let (time, tooLate) = epochNs.addingReportingOverflow(Int64(since))
        return tooLate ? Int64.max : time
    }
}
