import Testing

@testable import TickLog

@Suite struct ScheduleTests {
    /// The rule itself, in arithmetic that cannot overflow.
    static func isDue(_ tick: UInt64, _ interval: UInt64, _ phase: UInt64) -> Bool {
        interval == 0 || (tick % interval + phase % interval) % interval == 0
    }

    @Test func `count, first and next agree with asking every tick`() {
        for interval in UInt64(0)...9 {
            // Phases above the interval as well.
            for phase in UInt64(0)...25 {
                let schedule = Schedule(interval: interval, phase: phase)
                let due = (UInt64(0)..<60).filter { Self.isDue($0, interval, phase) }
                #expect(schedule.first == due[0])
                for end in UInt64(0)..<50 {
                    #expect(schedule.count(before: end) == UInt64(due.filter { $0 < end }.count))
                    #expect(schedule.next(from: end) == due.first { $0 >= end }, "interval \(interval), phase \(phase), from \(end)")
                    for start in stride(from: UInt64(0), to: 50, by: 7) {
                        #expect(schedule.count(from: start, through: end) == UInt64(due.filter { $0 >= start && $0 <= end }.count))
                    }
                }
            }
        }
    }

    @Test func `interval 0 is every tick`() {
        let schedule = Schedule(interval: 0, phase: 7)
        #expect(schedule.interval == 1)
        #expect(schedule.first == 0)
        #expect(schedule.matches(Schedule(interval: 1, phase: 0)))
    }

    @Test func `schedules are alike if they are due at the same ticks, whatever their phases say`() {
        for interval in UInt64(1)...6 {
            for a in UInt64(0)...14 {
                for b in UInt64(0)...14 {
                    let alike = (0..<30).allSatisfy { Self.isDue($0, interval, a) == Self.isDue($0, interval, b) }
                    #expect(Schedule(interval: interval, phase: a).matches(Schedule(interval: interval, phase: b)) == alike)
                }
            }
        }
        #expect(!Schedule(interval: 2, phase: 0).matches(Schedule(interval: 4, phase: 0)))
    }

    @Test func `schedules hold to the end of 64 bits`() {
        var random = SeededRandom()
        let ends: [UInt64] = [.max, .max - 1, 1 << 63, 1 << 63 - 1, 1 << 32, 1 << 32 - 1]
        for _ in 0..<3000 {
            let interval = random.chance(1, in: 2) ? random.next() >> UInt64(random.below(64)) : random.pick(ends)
            let phase = random.chance(1, in: 2) ? random.next() >> UInt64(random.below(64)) : random.pick(ends)
            let schedule = Schedule(interval: interval, phase: phase)
            let step = max(interval, 1)
            #expect(schedule.first < step)
            #expect(Self.isDue(schedule.first, step, phase), "seed \(random.seed): \(interval), \(phase)")
            // 128 bits have room for what 64 would wrap.
            let end = random.chance(1, in: 2) ? random.next() : random.pick(ends)
            let first = UInt128(schedule.first)
            let below = UInt128(end) <= first ? 0 : (UInt128(end) - first + UInt128(step) - 1) / UInt128(step)
            #expect(UInt128(schedule.count(before: end)) == below, "seed \(random.seed): \(interval), \(phase), \(end)")
            let next = first + below * UInt128(step)
            if next <= UInt128(UInt64.max) {
                #expect(UInt128(schedule.next(from: end)) == next, "seed \(random.seed): \(interval), \(phase), \(end)")
            }
        }
    }

    @Test func `the last tick of 64 bits is counted`() {
        let schedule = Schedule(interval: 1, phase: 0)
        #expect(schedule.count(from: .max - 3, through: .max - 1) == 3)
        #expect(schedule.count(from: .max, through: .max) == 1)
        #expect(schedule.count(from: 5, through: 4) == 0)
    }
}
