/// Goes through the samples of one stream of a polled file and steps over all others by arithmetic: the samples that
/// another stream has between two of its own are a constant, or one more. Nothing is divided.
struct PolledSteps {
    /// What the steps keep of a stream whose interval does not divide the chosen one's, in the caller's memory.
    struct Slot {
        /// Ticks since it was last due, at the current sample of the chosen stream.
        fileprivate var past: UInt64
        /// What a step adds to that, below the interval.
        fileprivate let step: UInt64
        fileprivate let interval: UInt64
        /// Of streams that are due together with it as well.
        fileprivate var size: UInt64
    }

    private let slots: UnsafeMutablePointer<Slot>
    private var count = 0
    private let interval: UInt64
    let size: Int
    private let length: UInt64
    private let end: UInt64
    /// Bytes from a sample to the next, without what other streams have more now and then.
    private var usual: UInt64 = 0
    /// For so many steps no stream has more, if the slots were brought up to date `behind` steps ago.
    private var quiet: UInt64 = 0
    private var behind: UInt64 = 0

    /// Of the next sample. Its offset counts from where the data begin.
    private(set) var tick: UInt64
    private(set) var offset: UInt64

    /// `slots`: memory for as many as there are streams. Time: O(streams).
    init(
        _ schedule: PolledSchedule, _ stream: Int, from: UInt64, to: UInt64, _ slots: UnsafeMutablePointer<Slot>,
        length: UInt64
    ) {
        let own = schedule.streams[stream]
        self.slots = slots
        self.length = length
        end = to
        interval = own.interval
        size = Int(own.size)
        tick = own.next(from: from)
        offset = schedule.offset(of: stream, at: tick)
        for i in 0..<schedule.streams.count {
            let other = schedule.streams[i]
            let (bytes, overflow) = (interval / other.interval).multipliedReportingOverflow(by: UInt64(other.size))
            usual = overflow ? 1 << 62 : min(usual &+ min(bytes, 1 << 62), 1 << 62)
            let step = interval % other.interval
            guard step > 0 else { continue }
            // Samples before it in the header are of the tick itself, those behind it of the tick before.
            let late: UInt64 = i < stream ? 0 : 1
            let first = other.first
            let past = tick >= first && tick - first >= late
                ? (tick - first - late) % other.interval : other.interval - (first - tick + late)
            add(Slot(past: past, step: step, interval: other.interval, size: UInt64(other.size)))
        }
        look()
    }

    /// Streams of one schedule are one: of the first few, so that this takes no time of its own.
    private mutating func add(_ slot: Slot) {
        for i in 0..<min(count, 16) where slots[i].interval == slot.interval && slots[i].past == slot.past {
            slots[i].size += slot.size
            return
        }
        (slots + count).initialize(to: slot)
        count += 1
    }

    /// Whether there is a sample at `tick`, whole and in the window.
    @inline(__always)
    var isThere: Bool { tick < end && offset <= length && UInt64(size) <= length &- offset }

    /// Moves to the next sample. Time: O(1) while no other stream has more than usual, otherwise O(streams).
    @inline(__always)
    mutating func advance() {
        let (following, overflow) = tick.addingReportingOverflow(interval)
        tick = overflow ? PolledSchedule.never : following
        // Both are at most 2^62 and the sum of all sizes more.
        offset &+= usual
        if quiet > 0 {
            quiet &-= 1
            behind &+= 1
        } else {
            addMore()
        }
    }

    private mutating func addMore() {
        var i = 0
        while i < count {
            let slot = slots + i
            // While there was a quiet time, a step is 1 and does not reach the interval.
            var past = slot.pointee.past &+ slot.pointee.step &* behind
            let room = slot.pointee.interval &- slot.pointee.step
            if past >= room {
                past &-= room
                offset &+= slot.pointee.size
            } else {
                past &+= slot.pointee.step
            }
            slot.pointee.past = past
            i &+= 1
        }
        behind = 0
        look()
    }

    /// For how many steps no stream has more: known without a division if each adds 1.
    private mutating func look() {
        quiet = count == 0 ? .max : interval == 1 ? .max : 0
        guard count > 0, interval == 1 else { return }
        var i = 0
        while i < count {
            quiet = min(quiet, slots[i].interval &- 1 &- slots[i].past)
            i &+= 1
        }
    }
}
