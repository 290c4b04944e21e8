/// 5^q for q from -342 to 324 as 128 bits, the highest of them set: what decimal text is multiplied with to become a
/// float, and the other way round. Computed once, with numbers of a few hundred bits: it takes less than a millisecond.
final class PowersOfTen: Sendable {
    static let shared = PowersOfTen()

    static var least: Int { -342 }
    static var most: Int { 324 }
    /// High and low half of each.
    nonisolated(unsafe) private let halves: UnsafeMutablePointer<UInt64>

    /// The powers of ten that a float64 holds exactly: 10^0 to 10^22.
    nonisolated(unsafe) let exact: UnsafeMutablePointer<Double>

    /// 10^0 to 10^19.
    nonisolated(unsafe) let whole: UnsafeMutablePointer<UInt64>

    private init() {
        whole = UnsafeMutablePointer<UInt64>.allocate(capacity: 20)
        whole[0] = 1
        for i in 1..<20 { whole[i] = whole[i - 1] * 10 }
        exact = UnsafeMutablePointer<Double>.allocate(capacity: 23)
        var power = 1.0
        for i in 0..<23 {
            exact[i] = power
            power *= 10
        }
        halves = UnsafeMutablePointer<UInt64>.allocate(capacity: 2 * (PowersOfTen.most - PowersOfTen.least + 1))
        // Words of 32 bits, the lowest first.
        var words = [UInt32](repeating: 0, count: 26)
        words[0] = 1
        for q in 0...PowersOfTen.most {
            if q > 0 {
                var carry: UInt64 = 0
                for i in 0..<words.count {
                    carry += UInt64(words[i]) * 5
                    words[i] = UInt32(truncatingIfNeeded: carry)
                    carry >>= 32
                }
            }
            store(top(of: words), q)
        }
        // 2^1184 / 5^n: more than 128 bits are left of it for every n.
        words = [UInt32](repeating: 0, count: 38)
        words[37] = 1
        for n in 1...(-PowersOfTen.least) {
            var rest: UInt64 = 0
            for i in (0..<words.count).reversed() {
                rest = rest << 32 | UInt64(words[i])
                words[i] = UInt32(rest / 5)
                rest %= 5
            }
            var (high, low) = top(of: words)
            // Rounded up as long as the quotient of two 64-bit numbers may be exact (Lemire 2021, section 8).
            if n <= 27 {
                low &+= 1
                if low == 0 { high &+= 1 }
            }
            store((high, low), -n)
        }
    }

    /// 10^q in 128 bits as `high` and `low`, rounded up where it is not exact.
    @inline(__always)
    func ceiling(_ q: Int) -> (high: UInt64, low: UInt64) {
        // Stored exactly, or rounded up already.
        if q >= -27, q <= 55 { return (high(q), low(q)) }
        let (low, carry) = low(q).addingReportingOverflow(1)
        return (carry ? high(q) &+ 1 : high(q), low)
    }

    /// The number of decimal digits; 1 of 0.
    @inline(__always)
    func digitCount(_ value: UInt64) -> Int {
        // log10(2) is 1233 / 4096.
        let least = ((64 &- (value | 1).leadingZeroBitCount) &* 1233) >> 12
        return value == 0 ? 1 : least &+ (value >= whole[least] ? 1 : 0)
    }

    private func store(_ value: (UInt64, UInt64), _ q: Int) {
        halves[2 * (q - PowersOfTen.least)] = value.0
        halves[2 * (q - PowersOfTen.least) + 1] = value.1
    }

    @inline(__always)
    func high(_ q: Int) -> UInt64 { halves[2 * (q &- PowersOfTen.least)] }
    @inline(__always)
    func low(_ q: Int) -> UInt64 { halves[2 * (q &- PowersOfTen.least) &+ 1] }

    /// The highest 128 bits that are used.
    private func top(of words: [UInt32]) -> (UInt64, UInt64) {
        var last = words.count - 1
        while words[last] == 0 { last -= 1 }
        var bits: (UInt64, UInt64) = (0, 0)
        func word(_ i: Int) -> UInt64 { i >= 0 ? UInt64(words[i]) : 0 }
        let shift = UInt64(words[last].leadingZeroBitCount)
        bits.0 = word(last) << 32 | word(last - 1)
        bits.1 = word(last - 2) << 32 | word(last - 3)
        if shift > 0 {
            bits.0 = bits.0 << shift | bits.1 >> (64 - shift)
            bits.1 = bits.1 << shift | word(last - 4) >> (32 - shift)
        }
        return bits
    }
}
