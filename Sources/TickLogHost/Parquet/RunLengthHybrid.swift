/// Parquet's hybrid of runs and packed bits (encoding RLE): small numbers as runs of the same one, and otherwise side by
/// side, in groups of eight, the first in the lowest bits.
enum RunLengthHybrid {
    /// Bits of numbers below `count`; at least one.
    static func width(_ count: Int) -> Int { count <= 2 ? 1 : Int.bitWidth - (count - 1).leadingZeroBitCount }

    /// Most bytes that `count` numbers take.
    static func bound(_ count: Int, width: Int) -> Int {
        // A run of eight or more takes at most 5 + 2 bytes instead of `width` bytes for each group: more for narrow ones.
        (count / 8 + 1) * (width + 7) + 16
    }

    /// Answers how many bytes it stored. `out` has room for the bound.
    @_optimize(speed)
    static func encode(_ values: UnsafePointer<UInt16>, _ count: Int, width: Int, to out: UnsafeMutableRawPointer) -> Int {
        var at = out
        // What is to be packed begins here.
        var start = 0
        var i = 0
        while i < count {
            let value = values[i]
            var end = i &+ 1
            while end < count, values[end] == value { end &+= 1 }
            // What is packed is whole groups; the run lends it what is missing.
            let lent = (8 &- (i &- start) & 7) & 7
            if end &- i &- lent >= 8 {
                if i &+ lent > start { at = pack(values + start, i &+ lent &- start, width, at) }
                at = varint(UInt64(end &- i &- lent) << 1, at)
                at.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
                at += 1
                if width > 8 {
                    at.storeBytes(of: UInt8(truncatingIfNeeded: value >> 8), as: UInt8.self)
                    at += 1
                }
                start = end
            }
            i = end
        }
        if start < count { at = pack(values + start, count &- start, width, at) }
        return at - out
    }

    private static func varint(_ value: UInt64, _ out: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        var rest = value
        var at = out
        while rest >= 0x80 {
            at.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            at += 1
            rest >>= 7
        }
        at.storeBytes(of: UInt8(rest), as: UInt8.self)
        return at + 1
    }

    /// Groups of eight, the last one filled up with zeros.
    private static func pack(
        _ values: UnsafePointer<UInt16>, _ count: Int, _ width: Int, _ out: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        let groups = (count &+ 7) >> 3
        var at = varint(UInt64(groups) << 1 | 1, out)
        let end = at + groups &* width
        let shift = UInt64(truncatingIfNeeded: width)
        var bits: UInt64 = 0
        var filled: UInt64 = 0
        var i = 0
        while i < count {
            bits |= UInt64(values[i]) &<< filled
            filled &+= shift
            if filled >= 32 {
                at.storeBytes(of: UInt32(truncatingIfNeeded: bits), as: UInt32.self)
                at += 4
                bits &>>= 32
                filled &-= 32
            }
            i &+= 1
        }
        while at < end {
            at.storeBytes(of: UInt8(truncatingIfNeeded: bits), as: UInt8.self)
            at += 1
            bits &>>= 8
        }
        return at
    }
}
