// Whole numbers as digits, eight at a time, without a branch for each.

/// The eight digits of a number below 10^8, the first in the lowest byte, as numbers 0 to 9.
@inline(__always)
func eightDigits(of value: UInt64) -> UInt64 {
    // Two numbers of four digits, then four of two, then eight of one, side by side.
    let fours = value / 10_000 | (value % 10_000) << 32
    let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
    let twos = hundreds | (fours &- 100 &* hundreds) << 16
    let tens = (twos &* 103) >> 10 & 0x000F_000F_000F_000F
    return tens | (twos &- 10 &* tens) << 8
}

/// Digits as text.
@inline(__always)
var zeroDigits: UInt64 { 0x3030_3030_3030_3030 }

/// Stores a number in full and answers how many digits it has. Up to 7 bytes behind them are overwritten.
@inline(__always)
func storeDigits(_ value: UInt64, at out: UnsafeMutableRawPointer) -> Int {
    if value < 100_000_000 { return storeFew(value, out) }
    let (high, low) = value.quotientAndRemainder(dividingBy: 100_000_000)
    var length: Int
    if high < 100_000_000 {
        length = storeFew(high, out)
    } else {
        let (highest, middle) = high.quotientAndRemainder(dividingBy: 100_000_000)
        length = storeFew(highest, out)
        (out + length).storeBytes(of: (eightDigits(of: middle) &+ zeroDigits).littleEndian, as: UInt64.self)
        length &+= 8
    }
    (out + length).storeBytes(of: (eightDigits(of: low) &+ zeroDigits).littleEndian, as: UInt64.self)
    return length &+ 8
}

/// Of a number below 10^8.
@inline(__always)
private func storeFew(_ value: UInt64, _ out: UnsafeMutableRawPointer) -> Int {
    let digits = eightDigits(of: value)
    // Zeros in front, but not the last digit.
    let zeros = (digits | 1 << 56).trailingZeroBitCount & ~7
    out.storeBytes(of: ((digits &+ zeroDigits) >> UInt64(truncatingIfNeeded: zeros)).littleEndian, as: UInt64.self)
    return 8 &- zeros >> 3
}
