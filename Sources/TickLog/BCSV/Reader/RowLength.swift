/// A row length: 3 bits that say how many bytes follow, then the number (spec: BCSV.md, section 3).
struct RowLength {
    let value: UInt64
    let size: Int

    /// Nil if the bytes end within it.
    init?(_ bytes: FileBytes, at offset: Int) {
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
