// Eight bytes of text at a time, the first in the lowest byte.

/// The same byte eight times.
@inline(__always)
func everyByte(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

/// A mark at the lowest byte that is 0, and perhaps at bytes above it; nothing if there is none.
@inline(__always)
func zeroBytes(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
}

/// One to seven bytes, with zeros behind. Nothing else is read.
@inline(__always)
func shortWord(_ text: UnsafeRawPointer, _ count: Int) -> UInt64 {
    if count >= 4 {
        let first = UInt64(UInt32(littleEndian: text.loadUnaligned(as: UInt32.self)))
        let last = UInt64(UInt32(littleEndian: text.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)))
        return first | last << UInt64(truncatingIfNeeded: 8 &* (count &- 4))
    }
    let first = UInt64(text.load(as: UInt8.self))
    let middle = UInt64(text.load(fromByteOffset: count &>> 1, as: UInt8.self))
    let last = UInt64(text.load(fromByteOffset: count &- 1, as: UInt8.self))
    return first | middle << UInt64(truncatingIfNeeded: 8 &* (count &>> 1))
        | last << UInt64(truncatingIfNeeded: 8 &* (count &- 1))
}
