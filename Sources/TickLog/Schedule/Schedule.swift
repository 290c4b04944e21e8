/// When a polled stream is due: at every tick with (tick + phase) mod interval = 0 (spec DLF, section 3).
struct Schedule {
    /// In ticks, at least 1.
    let interval: UInt64
    /// In ticks, as configured: it may exceed the interval.
    let phase: UInt64
    /// The first due tick.
    let first: UInt64

    init(interval: UInt64, phase: UInt64) {
        self.interval = max(interval, 1)
        self.phase = phase
        let rest = phase % self.interval
        first = rest == 0 ? 0 : self.interval - rest
    }

    /// Whether both are due at the same ticks.
    func matches(_ other: Schedule) -> Bool { interval == other.interval && first == other.first }

    /// How many ticks below `end` are due.
    @inline(never)
    func count(before end: UInt64) -> UInt64 {
        end <= first ? 0 : 1 + (end - 1 - first) / interval
    }

    /// How many ticks in [start, end] are due.
    func count(from start: UInt64, through end: UInt64) -> UInt64 {
        end < start || end < first ? 0 : (1 &+ (end - first) / interval) &- count(before: start)
    }

    /// The first due tick that is not below `tick`.
    func next(from tick: UInt64) -> UInt64 {
        first &+ count(before: tick) &* interval
    }
}

/// All streams of one schedule, and where a side of the run stands in it. The hot path compares and adds; nothing is
/// divided.
struct ScheduleGroup {
    /// The next tick that this side has not seen yet and at which the group is due. In front, because ThreadSanitizer
    /// takes its change for one of the structure's beginning, and any context reads the schedule.
    var due: UInt64
    let schedule: Schedule
    /// Bytes of the group's samples in a row record.
    var rowBytes: UInt32 = 0
    /// Streams in the group.
    var streams: UInt32 = 0
    /// Rows of this group that were written since the last good sync (consumer's side).
    var unsynced: UInt64 = 0

    init(_ schedule: Schedule) {
        due = schedule.first
        self.schedule = schedule
    }
}
