import CTickLog
import Testing

@testable import TickLog

/// A producer that drops what does not fit, and a consumer that declares it, in the ways of the sampler (a row at a
/// tick, no count of samples) and of an event stream (several events at a tick, counted).
final class GapBench {
    let ring: Ring
    let open = UnsafeMutablePointer<OpenGap>.allocate(capacity: 1)
    let recordBytes: UInt32
    var keeper: GapKeeper
    var reader = GapReader()
    var received: [UInt64] = []
    var declared: [GapRecord] = []

    init(capacity: UInt32, recordBytes: UInt32) {
        ring = Ring(capacity)
        self.recordBytes = recordBytes
        open.initialize(to: OpenGap())
        keeper = GapKeeper(open)
    }

    deinit {
        open.deinitialize(count: 1)
        open.deallocate()
    }

    /// False: dropped, and kept in mind.
    func offer(_ tick: UInt64, samples: UInt32) -> Bool {
        guard let room = ring.producer.reserve(recordBytes + (keeper.isOpen ? GapRecord.recordBytes : 0)) else {
            drop(tick, tick, TICKLOG_LOSS_RING_FULL, samples)
            return false
        }
        var record = room
        if keeper.isOpen {
            keeper.store(to: room, kind: RecordKind.eventGap, stream: 0)
            record = room + Int(GapRecord.recordBytes)
        }
        Ring.fill(record, recordBytes, tick)
        ring.producer.publish()
        return true
    }

    func drop(_ first: UInt64, _ last: UInt64, _ reason: UInt32, _ samples: UInt32) {
        keeper.extend(reason, first: first, last: last, samples: samples)
    }

    /// Takes one record. False: there is none.
    func take() -> Bool {
        ring.consumer.refresh()
        guard let record = ring.consumer.front() else { return false }
        if record.pointee.kind == RecordKind.eventGap {
            let gap = UnsafeMutableRawPointer(record + 1).load(as: GapRecord.self)
            if let rest = reader.take(gap) { declared.append(rest) }
        } else {
            received.append(record.pointee.tick)
        }
        ring.consumer.pop(record)
        return true
    }

    /// Looks at the open gap as the service does: the ring is empty after the gap was read.
    func look() {
        if let gap = open.pointee.read(), ring.consumer.isEmpty, let rest = reader.take(gap) { declared.append(rest) }
    }
}

@Suite struct GapTests {
    @Test func `each dropped event is declared exactly once, however pushes, drops and looks follow each other`() {
        var random = SeededRandom()
        for _ in 0..<200 {
            let bench = GapBench(capacity: RingProducer.leastCapacity(24 + GapRecord.recordBytes) + UInt32(8 * random.below(16)), recordBytes: 24)
            var tick: UInt64 = 0
            var sent = 0
            var dropped: [UInt64: Int] = [:]
            for _ in 0..<300 {
                switch random.below(5) {
                case 0 where random.chance(1, in: 4):
                    // The consumer empties the ring after the producer has found it full.
                    bench.drop(tick, tick, TICKLOG_LOSS_RING_FULL, 1)
                    dropped[tick, default: 0] += 1
                case 0...1:
                    if bench.offer(tick, samples: 1) { sent += 1 } else { dropped[tick, default: 0] += 1 }
                case 2: tick += UInt64(random.below(3))
                case 3: _ = bench.take()
                default:
                    if random.chance(1, in: 3) { while bench.take() {} }
                    bench.look()
                }
            }
            while bench.take() {}
            bench.look()
            bench.look()
            #expect(bench.received.count == sent, "seed \(random.seed)")
            let total = dropped.values.reduce(0, +)
            #expect(bench.declared.reduce(0) { $0 + Int($1.samples) } == total, "seed \(random.seed)")
            // Each declared range holds as many drops as it says; it may share its first tick with the range before it.
            for gap in bench.declared {
                let within = dropped.filter { $0.key >= gap.first && $0.key <= gap.last }.values.reduce(0, +)
                #expect(within >= Int(gap.samples), "seed \(random.seed)")
                #expect(gap.first <= gap.last, "seed \(random.seed)")
            }
        }
    }

    @Test func `each dropped row is in exactly one declared range, and no written row is in any`() {
        var random = SeededRandom()
        for _ in 0..<200 {
            let bench = GapBench(capacity: RingProducer.leastCapacity(40 + GapRecord.recordBytes) + UInt32(8 * random.below(16)), recordBytes: 40)
            var tick: UInt64 = 0
            var dropped: Set<UInt64> = []
            for _ in 0..<300 {
                switch random.below(5) {
                case 0...1:
                    // Some ticks are skipped, as the sampler does before it takes the newest one.
                    if random.chance(1, in: 5) {
                        let last = tick + UInt64(random.below(3))
                        for skipped in tick...last { dropped.insert(skipped) }
                        bench.drop(tick, last, TICKLOG_LOSS_LATE, 0)
                        tick = last + 1
                        // The consumer may look in between.
                        if random.chance(1, in: 2) { bench.look() }
                    }
                    if !bench.offer(tick, samples: 0) { dropped.insert(tick) }
                    tick += 1
                case 2...3: _ = bench.take()
                default:
                    if random.chance(1, in: 3) { while bench.take() {} }
                    bench.look()
                }
            }
            while bench.take() {}
            bench.look()
            var times: [UInt64: Int] = [:]
            for gap in bench.declared { for tick in gap.first...gap.last { times[tick, default: 0] += 1 } }
            #expect(times.values.allSatisfy { $0 == 1 }, "seed \(random.seed)")
            #expect(Set(times.keys) == dropped, "seed \(random.seed)")
            #expect(bench.received == (0..<tick).filter { !dropped.contains($0) }, "seed \(random.seed)")
        }
    }

    @Test func `two threads: what one drops the other declares, all of it and once`() {
        let bench = GapBench(capacity: RingProducer.leastCapacity(24 + GapRecord.recordBytes), recordBytes: 24)
        let count: UInt64 = 300_000
        let isDone = Signal()
        var dropped: [UInt64] = []
        let producer = Worker {
            for tick in 0..<count where !bench.offer(tick, samples: 1) { dropped.append(tick) }
            isDone.set()
        }
        while true {
            let isLast = isDone.isSet
            while bench.take() {}
            bench.look()
            if isLast { break }
        }
        producer.join()
        var isDeclared: [UInt64] = []
        for gap in bench.declared {
            let last = isDeclared.last
            for tick in gap.first...gap.last where tick != last { isDeclared.append(tick) }
        }
        #expect(isDeclared == dropped)
        #expect(bench.declared.reduce(0) { $0 + Int($1.samples) } == dropped.count)
        #expect(!dropped.isEmpty)
        #expect(bench.received.count + dropped.count == Int(count))
    }

    @Test func `a gap of late and of dropped samples counts as dropped`() {
        let bench = GapBench(capacity: 256, recordBytes: 24)
        bench.drop(3, 5, TICKLOG_LOSS_LATE, 0)
        #expect(bench.open.pointee.read()?.reason == TICKLOG_LOSS_LATE)
        bench.drop(6, 6, TICKLOG_LOSS_RING_FULL, 0)
        let gap = bench.open.pointee.read()
        #expect(gap?.reason == TICKLOG_LOSS_RING_FULL)
        #expect(gap?.first == 3)
        #expect(gap?.last == 6)
    }

    @Test func `ticks that go back, as those of the clock may, leave a range in order`() {
        let bench = GapBench(capacity: 256, recordBytes: 24)
        bench.drop(100, 100, TICKLOG_LOSS_RING_FULL, 1)
        bench.drop(50, 50, TICKLOG_LOSS_RING_FULL, 1)
        bench.look()
        bench.drop(20, 20, TICKLOG_LOSS_RING_FULL, 1)
        bench.look()
        #expect(bench.declared.map(\.first) == [50, 20])
        #expect(bench.declared.map(\.last) == [100, 100])
        #expect(bench.declared.map(\.samples) == [2, 1])
    }

    @Test func `a count of dropped events stays at its greatest value`() {
        let bench = GapBench(capacity: 256, recordBytes: 24)
        bench.drop(1, 1, TICKLOG_LOSS_RING_FULL, .max - 1)
        bench.drop(2, 2, TICKLOG_LOSS_RING_FULL, 1)
        bench.drop(3, 3, TICKLOG_LOSS_RING_FULL, 1)
        #expect(bench.open.pointee.read()?.samples == .max)
    }
}
