import Testing
import TickLog

@Suite struct PolledScheduleTests {
    struct Stream {
        let interval: UInt64
        let phase: UInt64
        let size: UInt32

        func isDue(_ tick: UInt64) -> Bool { interval <= 1 || (tick + phase) % interval == 0 }
    }

    /// Runs `body` with the schedule of these streams.
    static func with<Result>(_ streams: [Stream], _ body: (PolledSchedule) throws -> Result) rethrows -> Result {
        let parts = streams.map { PolledSchedule.Stream(interval: $0.interval, phase: $0.phase, size: $0.size) }
        return try parts.withUnsafeBufferPointer { try body(PolledSchedule($0)) }
    }

    static func random(_ random: inout SeededRandom, most: Int = 6) -> [Stream] {
        (0..<random.below(most + 1)).map { _ in
            let interval = UInt64(random.pick([0, 1, 1, 2, 3, 5, 10, 7, 12, 1 + random.below(40)]))
            return Stream(interval: interval, phase: UInt64(random.below(60)), size: UInt32(1 + random.below(9)))
        }
    }

    /// All samples of the first ticks: stream, tick, offset.
    static func walk(_ streams: [Stream], ticks: UInt64) -> [(stream: Int, tick: UInt64, offset: UInt64)] {
        var samples: [(Int, UInt64, UInt64)] = []
        var offset: UInt64 = 0
        for tick in 0..<ticks {
            for (i, stream) in streams.enumerated() where stream.isDue(tick) {
                samples.append((i, tick, offset))
                offset += UInt64(stream.size)
            }
        }
        return samples
    }

    @Test func `arithmetic finds what a walk through all samples finds`() {
        var random = SeededRandom()
        print("seed", random.seed)
        for _ in 0..<60 {
            let streams = Self.random(&random)
            let ticks: UInt64 = 100
            let samples = Self.walk(streams, ticks: ticks)
            Self.with(streams) { schedule in
                for sample in samples {
                    #expect(schedule.offset(of: sample.stream, at: sample.tick) == sample.offset, "\(streams)")
                }
                for tick in 0..<ticks - 1 {
                    let before = samples.filter { $0.tick < tick }
                    let length = before.last.map { $0.offset + UInt64(streams[$0.stream].size) } ?? 0
                    #expect(schedule.offset(of: tick) == length)
                    #expect(schedule.samples(before: tick) == UInt64(before.count))
                    #expect(schedule.length(through: tick) == schedule.offset(of: tick + 1))
                    if let next = samples.first(where: { $0.tick >= tick }) { #expect(schedule.next(from: tick) == next.tick) }
                    for (i, stream) in streams.enumerated() {
                        #expect(schedule.streams[i].isDue(at: tick) == stream.isDue(tick))
                        let last = samples.last { $0.stream == i && $0.tick <= tick }
                        #expect(schedule.streams[i].last(through: tick) == last?.tick)
                    }
                }
            }
        }
    }

    @Test func `any number of bytes is whole samples and a tail`() {
        var random = SeededRandom()
        print("seed", random.seed)
        for _ in 0..<60 {
            let streams = Self.random(&random)
            let samples = Self.walk(streams, ticks: 120)
            Self.with(streams) { schedule in
                var whole = 0
                for bytes in 0..<min((samples.last?.offset ?? 20), 200) {
                    while whole < samples.count, samples[whole].offset + UInt64(streams[samples[whole].stream].size) <= bytes {
                        whole += 1
                    }
                    let extent = schedule.extent(of: bytes)
                    guard !streams.isEmpty else {
                        #expect(extent.samples == 0 && extent.tailBytes == bytes && extent.nextTick == PolledSchedule.never)
                        continue
                    }
                    let next = samples[whole]
                    #expect(extent.samples == UInt64(whole))
                    #expect(extent.lastTick == (whole > 0 ? samples[whole - 1].tick : nil))
                    #expect(extent.nextTick == next.tick && extent.nextStream == next.stream)
                    #expect(extent.bytes == next.offset && extent.tailBytes == bytes - next.offset)
                    let torn = whole > 0 && samples[whole - 1].tick == next.tick
                    #expect(extent.wholeTicks == (whole == 0 ? 0 : samples[whole - 1].tick + (torn ? 0 : 1)))
                    for span in 0..<UInt64(30) {
                        // Every span with the same samples is right.
                        let right = schedule.length(through: span) == bytes
                        #expect(extent.ends(with: span) == right, "\(streams), \(bytes) bytes, span \(span)")
                    }
                }
            }
        }
    }

    @Test func `no header makes the arithmetic trap`() {
        let intervals: [UInt64] = [0, 1, 2, 1 << 31, 1 << 32, 1 << 63 - 1, 1 << 63, UInt64.max - 1, UInt64.max]
        let ticks: [UInt64] = intervals + [3, 1 << 62, UInt64.max - 2]
        var random = SeededRandom()
        print("seed", random.seed)
        for round in 0..<2000 {
            let streams = (0..<(1 + round % 5)).map { _ in
                Stream(
                    interval: random.pick(intervals), phase: random.pick(intervals + [random.next()]),
                    size: random.pick([1, 4, UInt32(Int32.max)]))
            }
            Self.with(streams) { schedule in
                for tick in ticks {
                    // Exact, with as many bits as it takes.
                    var exact: (high: UInt64, low: UInt64) = (0, 0)
                    for stream in schedule.streams where tick > stream.first {
                        let count = 1 + (tick - 1 - stream.first) / stream.interval
                        let (high, low) = count.multipliedFullWidth(by: UInt64(stream.size))
                        let (sum, carry) = exact.low.addingReportingOverflow(low)
                        exact = (exact.high + high + (carry ? 1 : 0), sum)
                    }
                    #expect(schedule.offset(of: tick) == (exact.high > 0 ? .max : exact.low))
                    _ = schedule.length(through: tick)
                    let extent = schedule.extent(of: tick)
                    #expect(extent.bytes + extent.tailBytes == tick)
                    #expect(extent.nextTick == PolledSchedule.never || schedule.next(from: extent.nextTick) == extent.nextTick)
                    for i in 0..<streams.count {
                        let next = schedule.streams[i].next(from: tick)
                        #expect(next >= tick && (next == PolledSchedule.never || schedule.streams[i].isDue(at: next)))
                        #expect(schedule.offset(of: i, at: tick) >= schedule.offset(of: tick))
                    }
                }
            }
        }
    }

    @Test func `as many streams as a header can have`() {
        let streams = (0..<65535).map { Stream(interval: UInt64($0 % 7), phase: UInt64($0), size: UInt32(Int32.max)) }
        Self.with(streams) { schedule in
            #expect(schedule.offset(of: PolledSchedule.never) == .max)
            let length = schedule.length(through: 999)
            let extent = schedule.extent(of: length + 5)
            #expect(extent.wholeTicks == 1000 && extent.tailBytes == 5 && extent.bytes == length)
        }
    }
}
