/// A row length: 3 bits that say how many bytes follow, then the number (spec: BCSV.md, section 3).
struct RowLength {
    let value: UInt64
    let size: Int

    /// Nil if the bytes end within it.
    @inline(__always)
    init?(_ bytes: FileBytes, at offset: Int) {
        if bytes.holds(8, at: offset) {
            let word = bytes.u64(at: offset)
            size = Int(truncatingIfNeeded: word & 7) + 1
            value = (word << UInt64(64 - 8 * size)) >> UInt64(67 - 8 * size)
            return
        }
        guard bytes.holds(1, at: offset) else { return nil }
        size = Int(bytes[offset] & 7) + 1
        guard bytes.holds(size, at: offset) else { return nil }
        var number: UInt64 = 0
        var i = size
        while i > 0 {
            i -= 1
            number = number << 8 | UInt64(bytes[offset + i])
        }
        value = number >> 3
    }
}
