/// A value's bits. Vectors are of concrete types: in generic code Swift's are loops.
#if arch(arm)
typealias RowWord = FixedWidthInteger & UnsignedInteger & BitwiseCopyable
#else
protocol RowWord: FixedWidthInteger, UnsignedInteger, BitwiseCopyable {
    /// Which of eight values differ, the first as the lowest bit.
    static func differences(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer) -> UInt8
}

extension UInt8: RowWord {
    @inline(__always)
    static func differences(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer) -> UInt8 {
        let d = a.load(UInt64.self) ^ b.load(UInt64.self)
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        // The top bit of each byte that is not 0, then all of them side by side.
        let tops = (d | ((d & low) &+ low)) & ~low
        return UInt8(truncatingIfNeeded: ((tops &>> 7) &* 0x0102_0408_1020_4080) &>> 56)
    }
}

extension UInt16: RowWord {
    @inline(__always)
    static func differences(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer) -> UInt8 {
        let differs =
            a.loadUnaligned(as: SIMD8<UInt16>.self) .!= b.loadUnaligned(as: SIMD8<UInt16>.self)
        let weights = SIMD8<UInt16>(1, 2, 4, 8, 16, 32, 64, 128)
        return UInt8(truncatingIfNeeded: SIMD8<UInt16>.zero.replacing(with: weights, where: differs).wrappedSum())
    }
}

extension UInt32: RowWord {
    @inline(__always)
    static func differences(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer) -> UInt8 {
        let differs =
            a.loadUnaligned(as: SIMD8<UInt32>.self) .!= b.loadUnaligned(as: SIMD8<UInt32>.self)
        let weights = SIMD8<UInt32>(1, 2, 4, 8, 16, 32, 64, 128)
        return UInt8(truncatingIfNeeded: SIMD8<UInt32>.zero.replacing(with: weights, where: differs).wrappedSum())
    }
}

extension UInt64: RowWord {
    @inline(__always)
    static func differences(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer) -> UInt8 {
        var bits: UInt8 = 0
        var i = 0
        while i < 8 {
            let one: UInt8 = a.load(UInt64.self, at: 8 &* i) == b.load(UInt64.self, at: 8 &* i) ? 0 : 1
            bits |= one &<< UInt8(truncatingIfNeeded: i)
            i &+= 1
        }
        return bits
    }
}

extension UnsafeRawPointer {
    /// Whether 64 bytes are the same.
    @inline(__always)
    func isSame64(_ other: UnsafeRawPointer) -> Bool {
        isZero64 { at in
            loadUnaligned(fromByteOffset: at, as: SIMD4<UInt64>.self) ^ other.loadUnaligned(fromByteOffset: at, as: SIMD4<UInt64>.self)
        }
    }

    /// Whether 64 bytes are 0.
    @inline(__always)
    var isZero64: Bool {
        isZero64 { loadUnaligned(fromByteOffset: $0, as: SIMD4<UInt64>.self) }
    }

    @inline(__always)
    private func isZero64(_ half: (Int) -> SIMD4<UInt64>) -> Bool {
        let all = half(0) | half(32)
        let sum = all.lowHalf | all.highHalf
        return sum.x | sum.y == 0
    }
}
#endif
