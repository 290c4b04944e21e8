import CPosix

/// Decimal text to floats, rounded to nearest, ties to even: never another bit than the exact value gives.
///
/// Few digits: one multiplication or division, which is exact but for its own rounding (Clinger 1990). Else the digits
/// times a power of five in 128 bits (Lemire, "Number parsing at a gigabyte per second", 2021). What neither decides,
/// or is too small or too large for it, goes to the C library.
struct FloatReader {
    private let powers = PowersOfTen.shared

    /// 10^n for n from 0 to 19.
    func power(_ n: Int) -> UInt64 { powers.whole[n] }

    /// The bits of the float64, or nil if the value is none: its magnitude is too large.
    @inline(__always)
    func double(_ decimal: Decimal, _ text: UnsafeRawBufferPointer, mark: UInt8) -> UInt64? {
        let sign: UInt64 = decimal.isNegative ? 1 << 63 : 0
        if decimal.digits == 0 { return sign }
        if decimal.digits <= 1 << 53, decimal.exponent >= -22, decimal.exponent <= 22, !decimal.isCut {
            let digits = Double(decimal.digits)
            let value = decimal.exponent < 0 ? digits / powers.exact[-decimal.exponent] : digits * powers.exact[decimal.exponent]
            return value.bitPattern | sign
        }
        if !decimal.isCut, let bits = normal(decimal.digits, decimal.exponent, fraction: 52, bias: 1023) {
            return bits | sign
        }
        return slowDouble(text, mark)
    }

    /// The bits of the float32, or nil if the magnitude is too large.
    @inline(__always)
    func float(_ decimal: Decimal, _ text: UnsafeRawBufferPointer, mark: UInt8) -> UInt64? {
        let sign: UInt64 = decimal.isNegative ? 1 << 31 : 0
        if decimal.digits == 0 { return sign }
        if decimal.digits <= 1 << 24, decimal.exponent >= -10, decimal.exponent <= 10, !decimal.isCut {
            let digits = Float(decimal.digits)
            let value = decimal.exponent < 0
                ? digits / Float(powers.exact[-decimal.exponent]) : digits * Float(powers.exact[decimal.exponent])
            return UInt64(value.bitPattern) | sign
        }
        if !decimal.isCut, let bits = normal(decimal.digits, decimal.exponent, fraction: 23, bias: 127) {
            return bits | sign
        }
        return slowFloat(text, mark)
    }

    /// digits * 10^q as the bits of a normal float with so many bits of fraction; nil if that is not sure.
    @inline(__always)
    func normal(_ digits: UInt64, _ q: Int, fraction: Int, bias: Int) -> UInt64? {
        guard q >= PowersOfTen.least, q <= PowersOfTen.most else { return nil }
        let zeros = digits.leadingZeroBitCount
        let w = digits << UInt64(zeros)
        var (high, low) = w.multipliedFullWidth(by: powers.high(q))
        let mask = UInt64.max >> UInt64(fraction + 3)
        if high & mask == mask {
            let (more, _) = w.multipliedFullWidth(by: powers.low(q))
            low &+= more
            if more > low { high &+= 1 }
        }
        if low == UInt64.max, q < -27 || q > 55 { return nil }
        let upper = Int(high >> 63)
        let shift = UInt64(upper + 64 - fraction - 3)
        var mantissa = high >> shift
        // floor(log2(10^q)) = floor(q * log2(10)).
        var exponent = (217_706 &* q) >> 16 &+ 63 &+ upper &- zeros &+ bias
        if exponent <= 0 { return nil }
        // Half way between two floats, exactly: to the even one.
        let lowestTie = fraction == 52 ? -4 : -17
        let highestTie = fraction == 52 ? 23 : 10
        if low <= 1, q >= lowestTie, q <= highestTie, mantissa & 3 == 1, mantissa << shift == high { mantissa &= ~1 }
        mantissa = (mantissa &+ (mantissa & 1)) >> 1
        if mantissa >= 2 << UInt64(fraction) {
            mantissa = 1 << UInt64(fraction)
            exponent &+= 1
        }
        if exponent >= 2 &* bias &+ 1 { return nil }
        return mantissa & ~(1 << UInt64(fraction)) | UInt64(exponent) << UInt64(fraction)
    }

    /// The digits of a float64, rounded to as many as the text has, are those of the text: what is written in that
    /// length later is the same text. For 16 and 17 digits; nil if 128 bits do not decide.
    @inline(__always)
    func keeps(_ digits: UInt64, _ exponent: Int, double bits: UInt64) -> Bool? {
        let biased = Int(bits >> 52 & 0x7FF)
        guard biased > 0, biased < 0x7FF, -exponent >= PowersOfTen.least, -exponent <= PowersOfTen.most else { return nil }
        let mantissa = (bits & (1 << 52 - 1) | 1 << 52) << 11
        // mantissa * 2^(biased - 1086) * 10^-exponent, which should be `digits` and a fraction below a half.
        let (high, low) = mantissa.multipliedFullWidth(by: powers.high(-exponent))
        let (more, _) = mantissa.multipliedFullWidth(by: powers.low(-exponent))
        let (sum, carry) = low.addingReportingOverflow(more)
        let top = carry ? high &+ 1 : high
        // The product has 192 bits and its unit is 2^(biased - 1086 - 127) * 10^-exponent's own power of two; so many
        // bits of `top` are behind the binary point.
        let places = 1085 - biased - (217_706 &* -exponent) >> 16
        guard places > 0, places < 64 else { return nil }
        let whole = top >> UInt64(places)
        let fraction = top << UInt64(64 - places) | sum >> UInt64(places)
        let half: UInt64 = 1 << 63
        // The power is known to 128 bits: a few of the lowest are doubtful.
        if fraction &- (half &- 64) < 128 { return nil }
        return (fraction < half ? whole : whole &+ 1) == digits
    }

    @inline(never)
    private func slowDouble(_ text: UnsafeRawBufferPointer, _ mark: UInt8) -> UInt64? {
        let value = withCString(text, mark) { strtod($0, nil) }
        return value.isFinite ? value.bitPattern : nil
    }

    @inline(never)
    private func slowFloat(_ text: UnsafeRawBufferPointer, _ mark: UInt8) -> UInt64? {
        let value = withCString(text, mark) { strtof($0, nil) }
        return value.isFinite ? UInt64(value.bitPattern) : nil
    }
}

/// Gives the text to a function of the C library, with a point as its decimal mark.
func withCString<Value>(_ text: UnsafeRawBufferPointer, _ mark: UInt8, _ body: (UnsafePointer<CChar>) -> Value) -> Value {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { copy in
        for i in 0..<text.count { copy[i] = CChar(bitPattern: text[i] == mark ? 0x2E : text[i]) }
        copy[text.count] = 0
        return body(UnsafePointer(copy.baseAddress!))
    }
}
