/// Floats as the shortest text that reads back as the same bits; of several, the one closest to the value. It is what
/// `description` answers, without making a string.
///
/// Schubfach (Giulietti, "The Schubfach way to render doubles", 2021): the float and the middles to its neighbours,
/// each times a power of ten, decide between at most four candidates. Products are rounded to odd, which keeps every
/// comparison right.
struct FloatWriter {
    private let powers = PowersOfTen.shared

    /// Writes at most 32 bytes at `out`; answers how many. The value is finite.
    func write(_ value: Double, at out: UnsafeMutableRawPointer) -> Int {
        let bits = value.bitPattern
        let fraction = bits & (1 << 52 - 1)
        let biased = Int(bits >> 52 & 0x7FF)
        if bits << 1 == 0 { return storeZero(negative: bits != 0, at: out) }
        let c = biased == 0 ? fraction : fraction | 1 << 52
        let q = max(biased, 1) &- 1075
        let isEven = c & 1 == 0
        let isPower = fraction == 0 && biased > 1
        let k = (q &* 1_262_611 &- (isPower ? 524_031 : 0)) >> 22
        let h = UInt64(truncatingIfNeeded: q &+ (-k &* 1_741_647) >> 19 &+ 1)
        let g = powers.ceiling(-k)
        func product(_ c: UInt64) -> UInt64 {
            let x = c &<< h
            let (more, _) = g.low.multipliedFullWidth(by: x)
            let (high, low) = g.high.multipliedFullWidth(by: x)
            let (sum, carry) = low.addingReportingOverflow(more)
            return (carry ? high &+ 1 : high) | (sum > 1 ? 1 : 0)
        }
        let vb = product(4 &* c)
        let lower = product(4 &* c &- (isPower ? 1 : 2)) &+ (isEven ? 0 : 1)
        let upper = product(4 &* c &+ 2) &- (isEven ? 0 : 1)
        let (digits, power) = FloatWriter.shortest(vb, lower, upper, k)
        return store(digits, power, negative: bits >> 63 != 0, isLarge: value.magnitude > 0x1p53, at: out)
    }

    func write(_ value: Float, at out: UnsafeMutableRawPointer) -> Int {
        let bits = value.bitPattern
        let fraction = bits & (1 << 23 - 1)
        let biased = Int(bits >> 23 & 0xFF)
        if bits << 1 == 0 { return storeZero(negative: bits != 0, at: out) }
        let c = UInt64(biased == 0 ? fraction : fraction | 1 << 23)
        let q = max(biased, 1) &- 150
        let isEven = c & 1 == 0
        let isPower = fraction == 0 && biased > 1
        let k = (q &* 1_262_611 &- (isPower ? 524_031 : 0)) >> 22
        let h = UInt64(truncatingIfNeeded: q &+ (-k &* 1_741_647) >> 19 &+ 1)
        // Half as many bits are enough; rounded up where they are not all.
        let power = powers.ceiling(-k)
        let g = power.low == 0 ? power.high : power.high &+ 1
        func product(_ c: UInt64) -> UInt64 {
            let (high, low) = g.multipliedFullWidth(by: c &<< h)
            return high | (low >> 32 > 1 ? 1 : 0)
        }
        let vb = product(4 &* c)
        let lower = product(4 &* c &- (isPower ? 1 : 2)) &+ (isEven ? 0 : 1)
        let upper = product(4 &* c &+ 2) &- (isEven ? 0 : 1)
        let (digits, exponent) = FloatWriter.shortest(vb, lower, upper, k)
        return store(digits, exponent, negative: bits >> 31 != 0, isLarge: value.magnitude > 0x1p24, at: out)
    }

    /// Of the multiples of 10^k and 10^(k + 1) between `lower` and `upper`, which are quarters, the shortest that is
    /// closest to `value`.
    @inline(__always)
    private static func shortest(_ value: UInt64, _ lower: UInt64, _ upper: UInt64, _ k: Int) -> (UInt64, Int) {
        let s = value >> 2
        if s >= 10 {
            let tens = s / 10
            let isLowIn = lower <= 40 &* tens
            let isHighIn = 40 &* tens &+ 40 <= upper
            if isLowIn != isHighIn { return (tens &+ (isHighIn ? 1 : 0), k &+ 1) }
        }
        let isLowIn = lower <= 4 &* s
        let isHighIn = 4 &* s &+ 4 <= upper
        if isLowIn != isHighIn { return (s &+ (isHighIn ? 1 : 0), k) }
        let middle = 4 &* s &+ 2
        return (s &+ (value > middle || (value == middle && s & 1 != 0) ? 1 : 0), k)
    }

    private func storeZero(negative: Bool, at out: UnsafeMutableRawPointer) -> Int {
        out.storeBytes(of: negative ? 0x302E_302D : 0x0030_2E30, as: UInt32.self)
        return negative ? 4 : 3
    }

    /// As Swift writes floats: 0.001, 12.5, 5.0, 1e-05, 1.5e+20.
    @inline(__always)
    private func store(
        _ value: UInt64, _ power: Int, negative: Bool, isLarge: Bool, at out: UnsafeMutableRawPointer
    ) -> Int {
        var digits = value
        var power = power
        while digits % 10 == 0 {
            digits /= 10
            power &+= 1
        }
        let count = digitCount(digits)
        // The value is 0.digits * 10^point.
        let point = count &+ power
        var length = 0
        func put(_ byte: UInt8) {
            out.storeBytes(of: byte, toByteOffset: length, as: UInt8.self)
            length &+= 1
        }
        if negative { put(0x2D) }
        if point < -3 || isLarge {
            storeDigits(digits, count, out + (length &+ 1))
            out.storeBytes(of: out.load(fromByteOffset: length &+ 1, as: UInt8.self), toByteOffset: length, as: UInt8.self)
            if count > 1 { out.storeBytes(of: 0x2E, toByteOffset: length &+ 1, as: UInt8.self) }
            length &+= count > 1 ? count &+ 1 : 1
            put(0x65)
            let exponent = point &- 1
            put(exponent < 0 ? 0x2D : 0x2B)
            let magnitude = UInt64(exponent.magnitude)
            let places = magnitude >= 100 ? 3 : 2
            storeDigits(magnitude, places, out + length)
            return length &+ places
        }
        if point <= 0 {
            put(0x30)
            put(0x2E)
            for _ in 0..<(-point) { put(0x30) }
            storeDigits(digits, count, out + length)
            return length &+ count
        }
        if point >= count {
            storeDigits(digits, count, out + length)
            length &+= count
            for _ in 0..<(point &- count) { put(0x30) }
            put(0x2E)
            put(0x30)
            return length
        }
        // The digits behind the point first, one place further right; then those before it.
        storeDigits(digits, count, out + (length &+ 1))
        for i in 0..<point {
            out.storeBytes(
                of: out.load(fromByteOffset: length &+ i &+ 1, as: UInt8.self), toByteOffset: length &+ i, as: UInt8.self)
        }
        out.storeBytes(of: 0x2E, toByteOffset: length &+ point, as: UInt8.self)
        return length &+ count &+ 1
    }
}

/// The number of decimal digits.
@inline(__always)
func digitCount(_ value: UInt64) -> Int {
    if value < 10 { return 1 }
    if value < 100 { return 2 }
    if value < 1000 { return 3 }
    if value < 10000 { return 4 }
    var count = 5
    var rest = value / 100_000
    while rest > 0 {
        rest /= 10
        count &+= 1
    }
    return count
}

/// Stores so many digits, at most 20, the last ones of the value. Up to 7 bytes behind them are overwritten.
@inline(__always)
func storeDigits(_ value: UInt64, _ count: Int, _ out: UnsafeMutableRawPointer) {
    if count <= 8 { return storeUpToEight(value, count, out) }
    let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
    if count <= 16 {
        storeUpToEight(high, count &- 8, out)
    } else {
        let (highest, middle) = high.quotientAndRemainder(dividingBy: 100_000_000)
        storeUpToEight(highest, count &- 16, out)
        storeUpToEight(middle, 8, out + (count &- 16))
    }
    storeUpToEight(low, 8, out + (count &- 8))
}

@inline(__always)
private func storeUpToEight(_ value: UInt64, _ count: Int, _ out: UnsafeMutableRawPointer) {
    // Two numbers of four digits, then four of two, then eight of one, side by side.
    let fours = value / 10_000 | (value % 10_000) << 32
    let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
    let twos = hundreds | (fours &- 100 &* hundreds) << 16
    let tens = (twos &* 103) >> 10 & 0x000F_000F_000F_000F
    let ones = tens | (twos &- 10 &* tens) << 8
    let text = (ones &+ 0x3030_3030_3030_3030) >> UInt64(8 &* (8 &- count))
    out.storeBytes(of: text.littleEndian, as: UInt64.self)
}
