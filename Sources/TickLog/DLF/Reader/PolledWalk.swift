/// Goes from sample to sample of a polled file, tick after tick and within a tick in the header's order, and tells where
/// each lies (spec: 4.3). Nothing is divided and no byte is looked at.
///
/// Streams of every tick are linked, so that ticks in which no other is due cost nothing for the others.
public struct PolledWalk {
    /// What the walk keeps of a stream, in the caller's memory.
    public struct Slot {
        /// The next tick at which it is due; of streams of every tick it is not used.
        fileprivate var due: UInt64
        fileprivate let interval: UInt64
        fileprivate let size: UInt32
        /// The next stream of every tick.
        fileprivate var nextOfAll: UInt32
    }

    private let schedule: PolledSchedule
    private let slots: UnsafeMutablePointer<Slot>
    private let count: Int
    /// Bytes of data that the file has.
    private let length: UInt64
    private let firstOfAll: Int
    /// The walk ends before this tick.
    private var end = PolledSchedule.never
    /// The next stream to look at.
    private var place = 0
    /// Whether all streams are looked at in this tick.
    private var looksAtAll = false
    /// The next tick at which a stream of not every tick is due.
    private var nearest: UInt64 = 0
    private var next: UInt64 = 0

    /// Of the current sample. Its offset counts from where the data begin.
    public private(set) var tick: UInt64 = 0
    public private(set) var stream = 0
    public private(set) var offset: UInt64 = 0
    public private(set) var size = 0

    /// `slots`: memory for as many as there are streams. `length`: of the data; below 2^63.
    public init(_ schedule: PolledSchedule, _ slots: UnsafeMutablePointer<Slot>, length: UInt64) {
        self.schedule = schedule
        self.slots = slots
        count = schedule.streams.count
        self.length = length
        var link = count
        for i in stride(from: count - 1, through: 0, by: -1) {
            let stream = schedule.streams[i]
            (slots + i).initialize(
                to: Slot(due: 0, interval: stream.interval, size: stream.size, nextOfAll: UInt32(link)))
            if stream.interval == 1 { link = i }
        }
        firstOfAll = link
        begin(from: 0, to: PolledSchedule.never)
    }

    /// The next sample is the first at or behind `from`; the last is before `to`. Time: O(streams).
    public mutating func begin(from: UInt64, to: UInt64) {
        end = to
        nearest = PolledSchedule.never
        for i in 0..<count where slots[i].interval > 1 {
            slots[i].due = schedule.streams[i].next(from: from)
            nearest = min(nearest, slots[i].due)
        }
        next = schedule.offset(of: from)
        // As if the tick before were over.
        place = count
        looksAtAll = false
        tick = from
        startTick(from)
    }

    /// Where the sample behind the current one is expected.
    public var nextOffset: UInt64 { min(next, length) }

    /// Moves to the next sample; false at the end of the file or window.
    @inline(__always)
    public mutating func advance() -> Bool {
        while true {
            if looksAtAll {
                while place < count {
                    let i = place
                    place &+= 1
                    let interval = slots[i].interval
                    if interval == 1 { return take(i) }
                    var due = slots[i].due
                    let isDue = due == tick
                    if isDue {
                        let (following, overflow) = tick.addingReportingOverflow(interval)
                        due = overflow ? PolledSchedule.never : following
                        slots[i].due = due
                    }
                    if due < nearest { nearest = due }
                    if isDue { return take(i) }
                }
            } else if place < count {
                let i = place
                place = Int(slots[i].nextOfAll)
                return take(i)
            }
            if tick >= end { return false }
            startTick(firstOfAll < count ? tick &+ 1 : nearest)
            if tick >= end { return false }
        }
    }

    @inline(__always)
    private mutating func startTick(_ following: UInt64) {
        tick = firstOfAll < count ? following : max(following, nearest)
        looksAtAll = tick == nearest
        if looksAtAll { nearest = PolledSchedule.never }
        place = tick >= end ? count : looksAtAll ? 0 : firstOfAll
        if tick >= end { looksAtAll = false }
    }

    /// The sample of stream `i` at this tick. One that the file does not have whole ends the walk.
    @inline(__always)
    private mutating func take(_ i: Int) -> Bool {
        let size = slots[i].size
        guard next <= length, UInt64(size) <= length &- next else {
            end = 0
            place = count
            looksAtAll = false
            return false
        }
        stream = i
        self.size = Int(size)
        offset = next
        next &+= UInt64(size)
        return true
    }
}
