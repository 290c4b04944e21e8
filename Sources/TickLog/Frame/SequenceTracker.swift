/// Sequence numbers that have not come, both ends included.
public struct MissingRange {
    public internal(set) var first: UInt64
    public internal(set) var last: UInt64
    /// Counted as missing; false for those before the first frame that ever came.
    var isCounted: Bool
}

/// Tells from the sequence numbers of a channel what was lost, what came late and what came twice (spec: FRAMES, 3).
///
/// It knows the ranges that are missing, as many as the caller's memory holds; those that are older, or further behind
/// than `lateLimit`, are given up: what comes of them then counts as a duplicate, since it cannot be told from one.
public struct SequenceTracker {
    public enum Verdict: Sendable {
        /// The expected one, or the first of all.
        case next
        /// Frames before it are missing.
        case gap
        /// One that was missing.
        case late
        /// The producer began anew: the baseline is reset.
        case restart
        /// It was there, or is too old to tell: not to be kept.
        case duplicate
    }

    public struct Counts {
        /// Gaps that opened, and the frames that are missing in them now.
        public internal(set) var gaps: UInt64 = 0
        public internal(set) var missing: UInt64 = 0
        public internal(set) var late: UInt64 = 0
        public internal(set) var duplicates: UInt64 = 0
        public internal(set) var restarts: UInt64 = 0
    }

    /// How far behind the newest frame one may come and still be kept.
    public let lateLimit: UInt64
    public internal(set) var counts = Counts()
    /// The number of the next frame; nil before the first.
    public private(set) var expected: UInt64?
    /// Of all frames that were accepted since the producer began.
    public private(set) var newestTimestamp: UInt64 = 0
    /// The frame that the count began with.
    private var baseline: UInt64 = 0
    private var baselineTimestamp: UInt64 = 0
    /// Earlier timestamps, of before the year 2000, are of a producer whose clock was not set.
    private static var clockIsSet: UInt64 { 946_684_800_000_000_000 }
    /// Of the counts before the producer began anew: the number behind their highest, and their newest timestamp.
    private var earlierExpected: UInt64 = 0
    private var earlierTimestamp: UInt64 = 0
    private let ranges: UnsafeMutableBufferPointer<MissingRange>
    /// Where the first range lies; behind the memory's end it goes on at the start.
    private var first = 0
    private var count = 0

    public init(ranges: UnsafeMutableBufferPointer<MissingRange>, lateLimit: UInt64 = 1024) {
        self.ranges = ranges
        self.lateLimit = lateLimit
    }

    /// How many ranges are missing and can still come.
    public var rangeCount: Int { count }

    /// One of them, in order.
    public subscript(index: Int) -> MissingRange {
        get { ranges[place(index)] }
        set { ranges.baseAddress!.advanced(by: place(index)).initialize(to: newValue) }
    }

    @inline(__always)
    private func place(_ index: Int) -> Int {
        let place = first + index
        return place < ranges.count ? place : place - ranges.count
    }

    /// The frames so far were kept by an earlier receiver: nothing of them is counted, and what they left out counts as
    /// late when it comes, but was not missing.
    public mutating func countAnew() {
        counts = Counts()
        for i in 0..<count { self[i].isCounted = false }
    }

    /// Goes on where another receiver has come to: its next number, and its newest timestamp.
    public mutating func resume(expected: UInt64, timestamp: UInt64) {
        self.expected = expected
        newestTimestamp = timestamp
        count = 0
    }

    /// A range that was missing there and may still come, behind those that were told before.
    public mutating func resume(missing first: UInt64, _ last: UInt64) { insert(MissingRange(first: first, last: last, isCounted: false)) }

    /// Nothing that is missing so far is waited for.
    public mutating func forgetMissing() { count = 0 }

    public mutating func judge(sequence: UInt64, timestamp: UInt64, flags: UInt16) -> Verdict {
        guard let expected else {
            begin(sequence, timestamp)
            return .next
        }
        let isNewer = timestamp > newestTimestamp
        if isNewer, sequence < expected || flags & FrameHeader.producerStarted != 0 {
            counts.restarts &+= 1
            earlierExpected = max(earlierExpected, expected)
            earlierTimestamp = newestTimestamp
            begin(sequence, timestamp)
            return .restart
        }
        // A producer without a clock begins anew with it. Only the frame that the count began with may come twice.
        if flags & FrameHeader.producerStarted != 0, timestamp < SequenceTracker.clockIsSet,
            sequence != baseline || timestamp != baselineTimestamp || expected &- sequence > 1024
        {
            counts.restarts &+= 1
            earlierExpected = 0
            earlierTimestamp = 0
            begin(sequence, timestamp)
            return .restart
        }
        // One of the count before, which an archive or a broker brings: taken for a new one, it would open a gap, and the
        // next new one would be another restart. The expected number is always taken, whatever its time: clocks are set back.
        if sequence != expected, sequence < earlierExpected, timestamp <= earlierTimestamp {
            counts.duplicates &+= 1
            return .duplicate
        }
        if sequence < expected { return old(sequence) }
        if isNewer { newestTimestamp = timestamp }
        self.expected = sequence &+ 1
        forget()
        if sequence == expected { return .next }
        counts.gaps &+= 1
        counts.missing &+= sequence - expected
        insert(MissingRange(first: expected, last: sequence - 1, isCounted: true))
        return .gap
    }

    private mutating func begin(_ sequence: UInt64, _ timestamp: UInt64) {
        expected = sequence &+ 1
        newestTimestamp = timestamp
        baseline = sequence
        baselineTimestamp = timestamp
        count = 0
        // Frames before the first may have been overtaken by it. They were never missed.
        if sequence > 0 {
            insert(MissingRange(first: sequence - min(sequence, lateLimit), last: sequence - 1, isCounted: false))
        }
    }

    private mutating func old(_ sequence: UInt64) -> Verdict {
        // The last range that does not begin behind it.
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].first <= sequence { low = middle + 1 } else { high = middle }
        }
        let i = low - 1
        guard i >= 0, sequence <= self[i].last, expected! &- sequence <= lateLimit else {
            counts.duplicates &+= 1
            return .duplicate
        }
        counts.late &+= 1
        let range = self[i]
        if range.isCounted { counts.missing &-= 1 }
        if range.first == range.last {
            remove(i)
        } else if sequence == range.first {
            self[i].first += 1
        } else if sequence == range.last {
            self[i].last -= 1
        } else {
            self[i].last = sequence - 1
            insert(MissingRange(first: sequence + 1, last: range.last, isCounted: range.isCounted), at: i + 1)
        }
        return .late
    }

    /// Gives up what can no longer come.
    private mutating func forget() {
        var gone = 0
        while gone < count, expected! &- self[gone].last > lateLimit { gone += 1 }
        if gone > 0 { removeFirst(gone) }
    }

    private mutating func insert(_ range: MissingRange, at index: Int? = nil) {
        guard ranges.count > 0 else { return }
        var index = index ?? count
        if count == ranges.count {
            guard index > 0 else { return }
            removeFirst(1)
            index -= 1
        }
        var i = count
        count += 1
        while i > index {
            self[i] = self[i - 1]
            i -= 1
        }
        self[index] = range
    }

    private mutating func remove(_ index: Int) {
        if index == 0 { return removeFirst(1) }
        var i = index
        while i + 1 < count {
            self[i] = self[i + 1]
            i += 1
        }
        count -= 1
    }

    private mutating func removeFirst(_ gone: Int) {
        first = place(gone)
        count -= gone
    }
}
