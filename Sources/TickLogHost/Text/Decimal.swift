/// A decimal number as it stands in a text: digits * 10^exponent, with its sign.
///
/// What counts as one: `-?` then digits with at most one decimal mark among them, then an exponent if it has one. No
/// plus sign, no blanks, and no zeros in front ("007", "00.5"): as a number they would be printed differently, and a
/// text that is more than its value is no number.
struct Decimal {
    /// The significant digits, of which there are at most 19.
    var digits: UInt64 = 0
    var exponent = 0
    /// Digits from the first that is not 0 to the last one in the text.
    var count = 0
    var isNegative = false
    /// Neither a decimal mark nor an exponent.
    var isWhole = true
    /// There were more than 19 digits: `digits` has the first 19.
    var isCut = false

    /// Nil if the bytes [at, end) are anything else than one number.
    @inline(__always)
    init?(_ text: UnsafeRawPointer, _ end: UnsafeRawPointer, mark: UInt8) {
        var at = text
        if at < end, at.load(as: UInt8.self) == 0x2D {
            isNegative = true
            at += 1
        }
        let whole = at
        while at < end {
            let digit = at.load(as: UInt8.self) &- 0x30
            guard digit <= 9 else { break }
            digits = digits &* 10 &+ UInt64(digit)
            at += 1
        }
        var length = at - whole
        if length > 1, whole.load(as: UInt8.self) == 0x30 { return nil }
        count = length == 1 && digits == 0 ? 0 : length
        if at == end {
            if length == 0 { return nil }
            if length > 19 { countAgain(whole, end, mark) }
            return
        }
        isWhole = false
        if at.load(as: UInt8.self) == mark {
            at += 1
            let fraction = at
            // Eight at a time: most floats have about as many or twice that.
            while end - at >= 8, let eight = eightDigits(at.loadUnaligned(as: UInt64.self)) {
                digits = digits &* 100_000_000 &+ eight
                at += 8
            }
            while at < end {
                let digit = at.load(as: UInt8.self) &- 0x30
                guard digit <= 9 else { break }
                digits = digits &* 10 &+ UInt64(digit)
                at += 1
            }
            let places = at - fraction
            length += places
            exponent = -places
            if count > 0 {
                count += places
            } else {
                // 0.00012 has two digits.
                var first = fraction
                while first < at, first.load(as: UInt8.self) == 0x30 { first += 1 }
                count = at - first
            }
        }
        if length == 0 { return nil }
        let mantissa = at
        if at < end {
            guard at.load(as: UInt8.self) | 0x20 == 0x65 else { return nil }
            at += 1
            var negative = false
            if at < end, at.load(as: UInt8.self) == 0x2D || at.load(as: UInt8.self) == 0x2B {
                negative = at.load(as: UInt8.self) == 0x2D
                at += 1
            }
            if at == end { return nil }
            var power = 0
            while at < end {
                let digit = at.load(as: UInt8.self) &- 0x30
                guard digit <= 9 else { return nil }
                if power < 100_000 { power = power &* 10 &+ Int(digit) }
                at += 1
            }
            exponent += negative ? -power : power
        }
        if count > 19 { countAgain(whole, mantissa, mark) }
    }

    /// More digits than 64 bits hold: takes the first 19, and tells whether the rest are zeros.
    @inline(never)
    private mutating func countAgain(_ start: UnsafeRawPointer, _ end: UnsafeRawPointer, _ mark: UInt8) {
        digits = 0
        var taken = 0
        var at = start
        while at < end {
            let byte = at.load(as: UInt8.self)
            at += 1
            if byte == mark { continue }
            if taken > 0 || byte != 0x30 {
                if taken < 19 {
                    digits = digits &* 10 &+ UInt64(byte &- 0x30)
                } else {
                    if byte != 0x30 { isCut = true }
                    exponent += 1
                }
                taken += 1
            }
        }
    }

    /// Without the zeros at its end: 1.500 and 1.5 are the same number. Only of one that was not cut.
    func reduced() -> (digits: UInt64, exponent: Int, count: Int) {
        guard digits != 0 else { return (0, 0, 0) }
        var digits = digits
        var exponent = exponent
        var count = min(count, 19)
        while digits % 10 == 0 {
            digits /= 10
            exponent += 1
            count -= 1
        }
        return (digits, exponent, count)
    }
}

/// The number that eight ASCII digits are, the first in the lowest byte; nil if one is no digit.
@inline(__always)
private func eightDigits(_ bytes: UInt64) -> UInt64? {
    let text = UInt64(littleEndian: bytes)
    guard text & 0xF0F0_F0F0_F0F0_F0F0 | ((text &+ 0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0) >> 4
        == 0x3333_3333_3333_3333
    else { return nil }
    return eightDigitValue(text &- 0x3030_3030_3030_3030)
}

/// The number that eight digits are, each 0 to 9, the first in the lowest byte.
@inline(__always)
func eightDigitValue(_ digits: UInt64) -> UInt64 {
    let value = digits &* 10 &+ digits >> 8
    let low = (value & 0x0000_00FF_0000_00FF) &* 0x000F_4240_0000_0064
    let high = (value >> 16 & 0x0000_00FF_0000_00FF) &* 0x0000_2710_0000_0001
    return (low &+ high) >> 32
}
