/// One stream of a polled or event file (spec: 4.2; DLF.md, section 2).
public struct DLFStream {
    public let type: FileBytes
    public let typeOffset: Int
    public let id: FileBytes
    /// As they stand there: see `ownNotes`.
    public let notes: FileBytes
    /// Bytes of one sample.
    public let size: Int
    /// Ticks; 0 in event files. A stored 0 means every tick and is 1 here.
    public let interval: UInt64
    /// Ticks, less than the interval.
    public let phase: UInt64

    /// The notes; empty for `N/A`, which some of dlflib's firmware wrote for none.
    public var ownNotes: FileBytes { notes.equals("N/A") ? notes.slice(at: 0, count: 0) : notes }

    /// Whether a polled stream is due at a tick (spec: DLF.md, section 3).
    public func isDue(at tick: UInt64) -> Bool {
        interval > 0 && PolledSchedule.Stream(self).isDue(at: tick)
    }

    /// The first tick at or behind `tick` at which a polled stream is due; nil beyond the last tick that there is.
    public func due(from tick: UInt64) -> UInt64? {
        let next = PolledSchedule.Stream(self).next(from: tick)
        return next == PolledSchedule.never ? nil : next
    }
}
