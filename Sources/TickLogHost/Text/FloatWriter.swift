/// Floats as the shortest text that reads back as the same bits; of several, the one closest to the value. It is what
/// `description` answers, without making a string.
///
/// Schubfach (Giulietti, "The Schubfach way to render doubles", 2021): the float and the middles to its neighbours,
/// each times a power of ten, decide between at most four candidates. Products are rounded to odd, which keeps every
/// comparison right.
struct FloatWriter {
    private let powers = PowersOfTen.shared

    /// Writes at most 40 bytes at `out`, those included that are overwritten behind the text, and answers how long that is.
    /// The value is finite.
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
        return storeDouble(digits, power, negative: bits >> 63 != 0, isLarge: value.magnitude > 0x1p53, at: out)
    }

    func write(_ value: Float, at out: UnsafeMutableRawPointer) -> Int {
        let bits = value.bitPattern
        if bits << 1 == 0 { return storeZero(negative: bits != 0, at: out) }
        let (digits, exponent) = shortest(bits)
        return storeFloat(digits, exponent, negative: bits >> 31 != 0, isLarge: value.magnitude > 0x1p24, at: out)
    }

    /// What a finite float32 but 0 is written as, without its sign: digits * 10^exponent. Zeros may be at the end.
    @inline(__always)
    func shortest(_ bits: UInt32) -> (digits: UInt64, exponent: Int) {
        let fraction = bits & (1 << 23 - 1)
        let biased = Int(bits >> 23 & 0xFF)
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
        return FloatWriter.shortest(vb, lower, upper, k)
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
        out.storeBytes(of: (negative ? 0x302E_302D as UInt32 : 0x0030_2E30).littleEndian, as: UInt32.self)
        return negative ? 4 : 3
    }

    /// Nine digits at most.
    @inline(__always)
    private func storeFloat(
        _ value: UInt64, _ power: Int, negative: Bool, isLarge: Bool, at out: UnsafeMutableRawPointer
    ) -> Int {
        out.storeBytes(of: 0x2D, as: UInt8.self)
        let out = out + (negative ? 1 : 0)
        let count = powers.digitCount(value)
        // Nine digits, with zeros behind.
        let (first, rest) = (value &* powers.whole[9 &- count]).quotientAndRemainder(dividingBy: 100_000_000)
        let digits = eightDigits(of: rest)
        let kept = 9 &- digits.leadingZeroBitCount >> 3
        // The value is 0.digits * 10^point.
        let point = count &+ power
        let text = digits &+ zeroDigits
        var at = out
        if point <= 0, !isLarge { at = out + (2 &- point) }
        if isLarge || point < -3 { at = out + 1 }
        at.storeBytes(of: UInt8(truncatingIfNeeded: first &+ 0x30), as: UInt8.self)
        at.storeBytes(of: text.littleEndian, toByteOffset: 1, as: UInt64.self)
        let length: Int
        if point > 0, point < kept, !isLarge {
            // Out of registers: memory that was just written in two pieces is slow to read.
            let behind = text &>> UInt64(truncatingIfNeeded: 8 &* (point &- 1))
            out.storeBytes(of: behind.littleEndian, toByteOffset: point &+ 1, as: UInt64.self)
            out.storeBytes(of: 0x2E, toByteOffset: point, as: UInt8.self)
            length = kept &+ 1
        } else {
            length = finish(kept, point, isLarge: isLarge, at: out)
        }
        return negative ? length &+ 1 : length
    }

    /// Seventeen digits at most.
    @inline(__always)
    private func storeDouble(
        _ value: UInt64, _ power: Int, negative: Bool, isLarge: Bool, at out: UnsafeMutableRawPointer
    ) -> Int {
        out.storeBytes(of: 0x2D, as: UInt8.self)
        let out = out + (negative ? 1 : 0)
        let count = powers.digitCount(value)
        let (high, low) = (value &* powers.whole[17 &- count]).quotientAndRemainder(dividingBy: 100_000_000)
        let (first, middle) = high.quotientAndRemainder(dividingBy: 100_000_000)
        var upper = eightDigits(of: middle)
        var lower = eightDigits(of: low)
        let kept = lower != 0 ? 17 &- lower.leadingZeroBitCount >> 3 : 9 &- upper.leadingZeroBitCount >> 3
        upper &+= zeroDigits
        lower &+= zeroDigits
        let point = count &+ power
        var at = out
        if point <= 0, !isLarge { at = out + (2 &- point) }
        if isLarge || point < -3 { at = out + 1 }
        at.storeBytes(of: UInt8(truncatingIfNeeded: first &+ 0x30), as: UInt8.self)
        at.storeBytes(of: upper.littleEndian, toByteOffset: 1, as: UInt64.self)
        at.storeBytes(of: lower.littleEndian, toByteOffset: 9, as: UInt64.self)
        let length: Int
        if point > 0, point < kept, !isLarge {
            var place = point &- 1
            if place >= 8 {
                place &-= 8
                upper = lower
            }
            let shift = UInt64(truncatingIfNeeded: 8 &* place)
            upper = upper &>> shift | (lower &<< 1) &<< (63 &- shift)
            out.storeBytes(of: upper.littleEndian, toByteOffset: point &+ 1, as: UInt64.self)
            out.storeBytes(of: (lower &>> shift).littleEndian, toByteOffset: point &+ 9, as: UInt64.self)
            out.storeBytes(of: 0x2E, toByteOffset: point, as: UInt8.self)
            length = kept &+ 1
        } else {
            length = finish(kept, point, isLarge: isLarge, at: out)
        }
        return negative ? length &+ 1 : length
    }

    /// What stands around the digits, as Swift writes floats: 0.001, 5.0, 1e-05, 1.5e+20. The digits are there: behind
    /// the zeros of 0.001, or one place further right than they will be in 1.5e+20, or where they stay in 5.0.
    @inline(__always)
    private func finish(_ kept: Int, _ point: Int, isLarge: Bool, at out: UnsafeMutableRawPointer) -> Int {
        if isLarge || point < -3 {
            out.storeBytes(of: out.load(fromByteOffset: 1, as: UInt8.self), as: UInt8.self)
            var length = 1
            if kept > 1 {
                out.storeBytes(of: 0x2E, toByteOffset: 1, as: UInt8.self)
                length = kept &+ 1
            }
            let exponent = point &- 1
            out.storeBytes(of: 0x65, toByteOffset: length, as: UInt8.self)
            out.storeBytes(of: exponent < 0 ? 0x2D : 0x2B, toByteOffset: length &+ 1, as: UInt8.self)
            length &+= 2
            // At least two digits.
            if exponent.magnitude < 10 {
                out.storeBytes(of: 0x30, toByteOffset: length, as: UInt8.self)
                length &+= 1
            }
            return length &+ storeDigits(UInt64(exponent.magnitude), at: out + length)
        }
        if point <= 0 {
            // 0. and at most three zeros; the digits begin behind them.
            out.storeBytes(of: 0x2E30, as: UInt16.self)
            for i in 0..<(-point) { out.storeBytes(of: 0x30, toByteOffset: 2 &+ i, as: UInt8.self) }
            return 2 &- point &+ kept
        }
        out.storeBytes(of: (0x302E as UInt16).littleEndian, toByteOffset: point, as: UInt16.self)
        return point &+ 2
    }
}
