/// Adler-32 (RFC 1950): two sums modulo 65521, of the bytes and of the sums.
public enum Adler32 {
    /// The checksum of no bytes.
    public static var start: UInt32 { 1 }
    private static var modulus: UInt64 { 65521 }

    /// The checksum of bytes, or of bytes behind others whose checksum is `before`.
    @_optimize(speed)
    public static func of(_ bytes: UnsafeRawPointer, _ count: Int, after before: UInt32 = 1) -> UInt32 {
        var low = UInt64(before & 0xFFFF)
        var high = UInt64(before >> 16)
        var at = bytes
        var left = count
        #if arch(x86_64) || arch(arm64)
        while left >= Adler32.blockBytes {
            let blocks = min(left / Adler32.blockBytes, Adler32.mostBlocks)
            add(at, blocks, &low, &high)
            at += blocks &* Adler32.blockBytes
            left &-= blocks &* Adler32.blockBytes
        }
        #endif
        while left > 0 {
            // The most that may be added before the second sum must be reduced, if it is to stay below 2^32.
            let piece = min(left, 5552)
            var first = UInt32(truncatingIfNeeded: low)
            var second = UInt32(truncatingIfNeeded: high)
            let end = at + piece
            let unrolled = at + (piece & ~7)
            while at != unrolled {
                // Proof of bounds: 8 bytes lie before `unrolled`.
                for i in 0..<8 {
                    first &+= UInt32(at.load(UInt8.self, at: i))
                    second &+= first
                }
                at += 8
            }
            while at != end {
                first &+= UInt32(at.load(UInt8.self))
                second &+= first
                at += 1
            }
            low = UInt64(first % UInt32(modulus))
            high = UInt64(second % UInt32(modulus))
            left &-= piece
        }
        return UInt32(truncatingIfNeeded: high) << 16 | UInt32(truncatingIfNeeded: low)
    }

    #if arch(x86_64) || arch(arm64)
    /// 15 rows of 16 bytes: as many as sums of 16 bits take, 15 * 16 / 2 * 255 * 2 < 2^16.
    private static var blockBytes: Int { 240 }
    /// With them, sums of 32 bits are far from full.
    private static var mostBlocks: Int { 64 }

    /// Each lane has its own two sums of the bytes above each other; at the end they are weighed by where the lane stands.
    /// Even and odd bytes are told apart by a mask and a shift, which every processor has.
    @inline(__always)
    private static func add(_ bytes: UnsafeRawPointer, _ blocks: Int, _ low: inout UInt64, _ high: inout UInt64) {
        let evenMask = SIMD8<UInt16>(repeating: 0x00FF)
        let lowMask = SIMD4<UInt32>(repeating: 0xFFFF)
        let eight = SIMD8<UInt16>(repeating: 8)
        let sixteen = SIMD4<UInt32>(repeating: 16)
        // Sums of bytes: of lanes 0, 2, 4, 6, and of 1, 3, 5, 7; of odd bytes alone.
        var sum0 = SIMD4<UInt32>.zero
        var sum1 = SIMD4<UInt32>.zero
        var odds = SIMD4<UInt32>.zero
        // Sums of sums: within blocks, and of all that came before a block.
        var within = SIMD4<UInt32>.zero
        var before = SIMD4<UInt32>.zero
        var at = bytes
        for _ in 0..<blocks {
            before &+= sum0 &+ sum1
            var even = SIMD8<UInt16>.zero
            var odd = SIMD8<UInt16>.zero
            var evenSums = SIMD8<UInt16>.zero
            var oddSums = SIMD8<UInt16>.zero
            for row in 0..<15 {
                let bytes = at.loadUnaligned(fromByteOffset: row &* 16, as: SIMD8<UInt16>.self)
                even &+= bytes & evenMask
                odd &+= bytes &>> eight
                evenSums &+= even
                oddSums &+= odd
            }
            at += blockBytes
            let both = unsafeBitCast(even &+ odd, to: SIMD4<UInt32>.self)
            sum0 &+= both & lowMask
            sum1 &+= both &>> sixteen
            let odd32 = unsafeBitCast(odd, to: SIMD4<UInt32>.self)
            odds &+= (odd32 & lowMask) &+ (odd32 &>> sixteen)
            let sums = unsafeBitCast(evenSums &+ oddSums, to: SIMD4<UInt32>.self)
            within &+= (sums & lowMask) &+ (sums &>> sixteen)
        }
        // A byte in lane k, row r of a block is added 240 - 16 r - 2 k times (an odd one once less) by the block's end.
        let weighed = sum0 &* SIMD4<UInt32>(0, 4, 8, 12) &+ sum1 &* SIMD4<UInt32>(2, 6, 10, 14) &+ odds
        let count = UInt64(blocks &* blockBytes)
        high &+= count &* low &+ UInt64(blockBytes) &* total(before) &+ 16 &* total(within) &- total(weighed)
        low &+= total(sum0 &+ sum1)
        low %= modulus
        high %= modulus
    }

    @inline(__always)
    private static func total(_ lanes: SIMD4<UInt32>) -> UInt64 {
        UInt64(lanes[0]) &+ UInt64(lanes[1]) &+ UInt64(lanes[2]) &+ UInt64(lanes[3])
    }
    #endif
}
