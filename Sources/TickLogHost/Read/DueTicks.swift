import TickLog

/// The ticks at which any stream of a polled file is due: the rows of its table. Counted by arithmetic, whatever the
/// number of ticks.
public struct DueTicks {
    /// The ticks first, first + interval, ...
    private struct Progression {
        var first: UInt64
        /// `never` if there is only the first.
        var interval: UInt64

        func count(before tick: UInt64) -> UInt64 {
            tick <= first ? 0 : 1 &+ (tick - 1 - first) / interval
        }

        func contains(_ other: Progression) -> Bool {
            other.interval % interval == 0 && other.first >= first && (other.first - first) % interval == 0
        }

        /// The ticks of both; nil if there are none below `never` (by the Chinese remainder theorem).
        func common(_ other: Progression) -> Progression? {
            if interval == never { return other.holds(first) ? self : nil }
            if other.interval == never { return holds(other.first) ? other : nil }
            let (low, high) = first <= other.first ? (self, other) : (other, self)
            let divisor = DueTicks.divisor(low.interval, high.interval)
            let distance = high.first - low.first
            guard distance % divisor == 0 else { return nil }
            // high.first + k * high.interval is one of low's, for the least k below low.interval / divisor.
            let modulus = low.interval / divisor
            var steps: UInt64 = 0
            if modulus > 1 {
                let inverse = DueTicks.inverse(high.interval / divisor % modulus, modulus)
                let behind = (distance / divisor) % modulus
                steps = DueTicks.product(behind == 0 ? 0 : modulus - behind, inverse, modulus)
            }
            let (distanceOf, overflow) = steps.multipliedReportingOverflow(by: high.interval)
            let (start, carry) = high.first.addingReportingOverflow(distanceOf)
            guard !overflow, !carry, start != never else { return nil }
            let (period, tooLong) = modulus.multipliedReportingOverflow(by: high.interval)
            return Progression(first: start, interval: tooLong ? never : period)
        }

        private func holds(_ tick: UInt64) -> Bool { tick >= first && (tick - first) % interval == 0 }
    }

    private static var never: UInt64 { .max }
    private var own: [Progression] = []

    /// Nil if there are too many different schedules.
    public init?(_ streams: UnsafeBufferPointer<PolledSchedule.Stream>) {
        for stream in streams {
            let next = Progression(first: stream.first, interval: stream.interval)
            var isNew = true
            for other in own where other.contains(next) { isNew = false }
            guard isNew else { continue }
            own.removeAll { next.contains($0) }
            own.append(next)
            if own.count > 64 { return nil }
        }
    }

    /// How many there are below a tick; nil if it would take too long to tell. Every combination of schedules counts
    /// that has a tick in common before it.
    public func count(before tick: UInt64) -> UInt64? {
        var sum: UInt64 = 0
        var steps = 0
        return add(&sum, &steps, from: 0, nil, tick, isOdd: true) ? sum : nil
    }

    private func add(_ sum: inout UInt64, _ steps: inout Int, from start: Int, _ base: Progression?, _ tick: UInt64, isOdd: Bool) -> Bool {
        for i in start..<own.count {
            steps += 1
            if steps > 100_000 { return false }
            var both = own[i]
            if let base {
                guard let common = base.common(own[i]) else { continue }
                both = common
            }
            guard both.first < tick else { continue }
            if isOdd { sum &+= both.count(before: tick) } else { sum &-= both.count(before: tick) }
            guard add(&sum, &steps, from: i + 1, both, tick, isOdd: !isOdd) else { return false }
        }
        return true
    }

    private static func divisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }

    private static func product(_ a: UInt64, _ b: UInt64, _ modulus: UInt64) -> UInt64 {
        // By doubling: 128 bits would need a library of their own on some machines.
        func sum(_ a: UInt64, _ b: UInt64) -> UInt64 { a >= modulus - b ? a - (modulus - b) : a + b }
        var (power, left, product) = (a % modulus, b, UInt64(0))
        while left > 0 {
            if left & 1 == 1 { product = sum(product, power) }
            power = sum(power, power)
            left >>= 1
        }
        return product
    }

    /// Of a number below the modulus, to which it is prime.
    private static func inverse(_ number: UInt64, _ modulus: UInt64) -> UInt64 {
        // Extended Euclid, with the coefficients kept below the modulus.
        var (r, next) = (modulus, number)
        var (t, following): (UInt64, UInt64) = (0, 1)
        while next != 0 {
            let quotient = r / next
            let past = product(quotient % modulus, following, modulus)
            let step = t >= past ? t - past : t &+ (modulus &- past)
            (t, following) = (following, step)
            (r, next) = (next, r - quotient * next)
        }
        return t
    }
}
