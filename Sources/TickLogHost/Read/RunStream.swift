import TickLog

/// A stream of a run as its files describe it.
public struct RunStream {
    public struct Field {
        /// Empty for the one value of a stream without fields.
        public let name: String
        public let type: ValueType
        public let unit: String
        /// Byte offset in a DLF sample.
        var offset = 0
        /// Of the polled or event table; nil if the table has no such column.
        public internal(set) var column: Int?
    }

    public let index: Int
    public let name: String
    /// poll, watch, emit or builtin; in DLF files poll or event.
    public let kind: String
    public let notes: String
    /// Ticks.
    public let interval: UInt64
    public let phase: UInt64
    /// DLF samples without a known meaning.
    public internal(set) var isOpaque = false
    public internal(set) var fields: [Field] = []

    public var isPolled: Bool { kind == "poll" }

    public func isDue(at tick: UInt64) -> Bool { schedule.isDue(at: tick) }

    func due(from tick: UInt64) -> UInt64 { schedule.next(from: tick) }

    var schedule: PolledSchedule.Stream { PolledSchedule.Stream(interval: interval, phase: phase, size: 1) }
}
