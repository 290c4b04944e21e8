/// BCSV's length integers: 3 bits of byte count, then the value, little-endian (spec BCSV, section 3).
enum BLE {
    /// The most bytes that a row length takes: rows are below 2^24 bytes.
    static let maxRowWidth = 4

    /// How many bytes the minimal encoding of a value below 2^29 takes: 1 to 4.
    @inline(__always)
    static func width(_ value: Int) -> Int {
        value < 1 << 5 ? 1 : value < 1 << 13 ? 2 : value < 1 << 21 ? 3 : 4
    }

    /// Stores the minimal encoding, `width(value)` bytes, at `out`.
    @inline(__always)
    static func store(_ value: Int, width: Int, at out: UnsafeMutableRawPointer) {
        var bits = UInt32(truncatingIfNeeded: value) << 3 | UInt32(truncatingIfNeeded: width &- 1)
        var i = 0
        while i < width {
            out.store(UInt8(truncatingIfNeeded: bits), at: i)
            bits >>= 8
            i &+= 1
        }
    }
}
