/// Where everything lies in the data of a polled file: nothing but the schedule tells it (spec: 4.3; DLF.md, sections
/// 3 to 5). All by arithmetic; no header makes it overflow.
///
/// Offsets and lengths count from where the data begin. What would not fit 64 bits is `UInt64.max`, which no file
/// reaches. Ticks are below `never`: a run has at most 2^64 - 1 of them.
public struct PolledSchedule {
    /// Stands for a tick that does not come.
    public static var never: UInt64 { .max }

    /// When one stream has samples, and how large they are.
    public struct Stream {
        let schedule: Schedule
        /// Bytes of a sample, at least 1.
        public let size: UInt32

        /// `interval` 0 means every tick. `phase` may exceed it.
        public init(interval: UInt64, phase: UInt64, size: UInt32) {
            schedule = Schedule(interval: interval, phase: phase)
            self.size = size
        }

        public init(_ stream: DLFStream) {
            self.init(interval: stream.interval, phase: stream.phase, size: UInt32(clamping: stream.size))
        }

        /// In ticks, at least 1.
        public var interval: UInt64 { schedule.interval }
        /// The first due tick.
        public var first: UInt64 { schedule.first }

        public func isDue(at tick: UInt64) -> Bool {
            interval == 1 || tick >= first && (tick - first) % interval == 0
        }

        /// How many samples it has before a tick.
        public func count(before tick: UInt64) -> UInt64 { schedule.count(before: tick) }

        /// The tick of sample `index`, from 0.
        public func tick(of index: UInt64) -> UInt64 {
            let (ticks, overflow) = index.multipliedReportingOverflow(by: interval)
            return overflow ? never : sum(first, ticks)
        }

        /// The first due tick at or behind a tick.
        public func next(from tick: UInt64) -> UInt64 { self.tick(of: count(before: tick)) }

        /// The last due tick at or before a tick; nil if there is none yet.
        public func last(through tick: UInt64) -> UInt64? {
            guard tick >= first, tick != never else { return nil }
            return tick - (tick - first) % interval
        }
    }

    public let streams: UnsafeBufferPointer<Stream>

    /// The streams of the header, in its order. They stay where they are as long as this is used.
    public init(_ streams: UnsafeBufferPointer<Stream>) {
        self.streams = streams
    }

    // MARK: From ticks to bytes

    /// Where the samples of a tick begin: the length of all samples before it. Time: O(streams).
    public func offset(of tick: UInt64) -> UInt64 {
        var offset: UInt64 = 0
        for stream in streams { offset = sum(offset, product(stream.count(before: tick), stream.size)) }
        return offset
    }

    /// Where the sample of a stream at a tick lies, or would lie if it were due then. Time: O(streams).
    public func offset(of stream: Int, at tick: UInt64) -> UInt64 {
        var offset = offset(of: tick)
        for other in streams[..<stream] where other.isDue(at: tick) { offset = sum(offset, UInt64(other.size)) }
        return offset
    }

    /// The length of the data up to and with a tick: what a `tick_span` of it promises. Time: O(streams).
    public func length(through tick: UInt64) -> UInt64 {
        offset(of: sum(tick, 1))
    }

    /// How many samples all streams have before a tick. Time: O(streams).
    public func samples(before tick: UInt64) -> UInt64 {
        var count: UInt64 = 0
        for stream in streams { count = sum(count, stream.count(before: tick)) }
        return count
    }

    /// The first tick at or behind a tick at which any stream is due. Time: O(streams).
    public func next(from tick: UInt64) -> UInt64 {
        var nearest = Self.never
        for stream in streams { nearest = min(nearest, stream.next(from: tick)) }
        return nearest
    }

    // MARK: From bytes to ticks

    /// What so many bytes of data are.
    public struct Extent: Equatable {
        /// Whole samples.
        public var samples: UInt64 = 0
        /// The last tick that has a whole sample.
        public var lastTick: UInt64?
        /// The tick of the next sample, which is missing or torn: all ticks before it are whole, and ticks between the
        /// last one and it have no samples. `never` if the streams can have no more.
        public var nextTick: UInt64 = 0
        /// The stream of the next sample.
        public var nextStream = 0
        /// Bytes of the whole samples.
        public var bytes: UInt64 = 0
        /// Bytes behind them: a part of a sample or, without streams, anything.
        public var tailBytes: UInt64 = 0

        /// How many ticks are whole, from tick 0 to the last one with a sample.
        public var wholeTicks: UInt64 {
            guard let lastTick else { return 0 }
            return min(lastTick + 1, nextTick)
        }

        /// Whether the data end with tick `span`: none of it is missing, none of a later one is there.
        public func ends(with span: UInt64) -> Bool {
            tailBytes == 0 && span < nextTick && lastTick ?? 0 <= span
        }
    }

    /// What `bytes` bytes of data are. Time: O(streams × log ticks).
    public func extent(of bytes: UInt64) -> Extent {
        var extent = Extent()
        guard streams.count > 0 else {
            extent.nextTick = Self.never
            extent.tailBytes = bytes
            return extent
        }
        // The largest tick that begins within the data.
        var low: UInt64 = 0
        var high = Self.never
        for stream in streams {
            high = min(high, stream.tick(of: bytes / UInt64(max(stream.size, 1))))
        }
        while low < high {
            let middle = high - (high - low) / 2
            if offset(of: middle) <= bytes { low = middle } else { high = middle - 1 }
        }
        extent.nextTick = low
        extent.bytes = offset(of: low)
        extent.samples = samples(before: low)
        for stream in streams {
            let count = stream.count(before: low)
            if count > 0 { extent.lastTick = max(extent.lastTick ?? 0, stream.tick(of: count - 1)) }
        }
        if low != Self.never { takeTick(&extent, bytes) }
        extent.tailBytes = bytes - extent.bytes
        return extent
    }

    /// Takes the samples that the data has of tick `nextTick`, which are not all.
    private func takeTick(_ extent: inout Extent, _ bytes: UInt64) {
        for i in 0..<streams.count where streams[i].isDue(at: extent.nextTick) {
            extent.nextStream = i
            guard UInt64(streams[i].size) <= bytes - extent.bytes else { return }
            extent.bytes += UInt64(streams[i].size)
            extent.samples += 1
            extent.lastTick = extent.nextTick
        }
    }
}

/// At most `UInt64.max`.
@inline(__always)
private func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
}

/// At most `UInt64.max`.
@inline(__always)
private func product(_ count: UInt64, _ size: UInt32) -> UInt64 {
    let (product, overflow) = count.multipliedReportingOverflow(by: UInt64(size))
    return overflow ? .max : product
}
