#if !arch(arm)
extension DeltaValue {
    @inline(__always)
    static func putVector(
        _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer, _ gradients: UnsafeMutableRawPointer, predicts: Bool,
        _ end: inout UnsafeMutableRawPointer
    ) -> UInt64? { nil }
}

extension DeltaF32 {
    @inline(__always)
    static func putVector(
        _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer, _ gradients: UnsafeMutableRawPointer, predicts: Bool,
        _ end: inout UnsafeMutableRawPointer
    ) -> UInt64? {
        let new = source.loadUnaligned(as: SIMD8<UInt32>.self)
        let old = UnsafeRawPointer(held).loadUnaligned(as: SIMD8<UInt32>.self)
        let gradient = UnsafeRawPointer(gradients).loadUnaligned(as: SIMD8<UInt32>.self)
        let newFloat = unsafeBitCast(new, to: SIMD8<Float>.self)
        let oldFloat = unsafeBitCast(old, to: SIMD8<Float>.self)
        let sum = unsafeBitCast(oldFloat + unsafeBitCast(gradient, to: SIMD8<Float>.self), to: SIMD8<UInt32>.self)
        // NaN is not equal to itself.
        let isNumber = newFloat .== newFloat
        held.storeBytes(of: new, as: SIMD8<UInt32>.self)
        return DeltaVector.put(
            new ^ old, isHit: (sum .== new) .& isNumber, predicts: predicts,
            difference: unsafeBitCast(newFloat - oldFloat, to: SIMD8<UInt32>.self), gradient: gradient, gradients, &end)
    }
}

extension DeltaU32 {
    @inline(__always)
    static func putVector(
        _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer, _ gradients: UnsafeMutableRawPointer, predicts: Bool,
        _ end: inout UnsafeMutableRawPointer
    ) -> UInt64? {
        let new = source.loadUnaligned(as: SIMD8<UInt32>.self)
        let old = UnsafeRawPointer(held).loadUnaligned(as: SIMD8<UInt32>.self)
        let gradient = UnsafeRawPointer(gradients).loadUnaligned(as: SIMD8<UInt32>.self)
        let change = new &- old
        let sign = unsafeBitCast(unsafeBitCast(change, to: SIMD8<Int32>.self) &>> 31, to: SIMD8<UInt32>.self)
        held.storeBytes(of: new, as: SIMD8<UInt32>.self)
        return DeltaVector.put(
            change &<< 1 ^ sign, isHit: (old &+ gradient) .== new, predicts: predicts, difference: change, gradient: gradient,
            gradients, &end)
    }
}

enum DeltaVector {
    /// What is the same for all types of four bytes.
    @inline(__always)
    static func put(
        _ delta: SIMD8<UInt32>, isHit: SIMDMask<SIMD8<Int32>>, predicts: Bool, difference: SIMD8<UInt32>,
        gradient: SIMD8<UInt32>, _ gradients: UnsafeMutableRawPointer, _ end: inout UnsafeMutableRawPointer
    ) -> UInt64 {
        typealias Vector = SIMD8<UInt32>
        let isSame = delta .== Vector.zero
        let isHit = isHit .& SIMDMask<SIMD8<Int32>>(repeating: predicts)
        let one = Vector(repeating: 1)
        var bytes = Vector(repeating: 4)
        bytes = bytes &- Vector.zero.replacing(with: one, where: (delta & 0xFFFF_FF00) .== Vector.zero)
        bytes = bytes &- Vector.zero.replacing(with: one, where: (delta & 0xFFFF_0000) .== Vector.zero)
        bytes = bytes &- Vector.zero.replacing(with: one, where: (delta & 0xFF00_0000) .== Vector.zero)
        var codes = (bytes &+ one).replacing(with: one, where: isHit)
        codes.replace(with: Vector.zero, where: isSame)
        let lengths = bytes.replacing(with: Vector.zero, where: isHit .| isSame)
        var next = difference.replacing(with: gradient, where: isHit)
        next.replace(with: Vector.zero, where: isSame)
        gradients.storeBytes(of: next, as: Vector.self)
        // What the last store covers too much is put back.
        let sums = unsafeBitCast(lengths, to: SIMD4<UInt64>.self)
        let sum = sums.lowHalf &+ sums.highHalf
        let halves = sum.x &+ sum.y
        let last = end + Int(truncatingIfNeeded: (halves &+ halves &>> 32) & 0xFF)
        let behind = UnsafeRawPointer(last).load(UInt32.self)
        var out = end
        var i = 0
        while i < 8 {
            out.store(delta[i])
            out += Int(truncatingIfNeeded: lengths[i])
            i &+= 1
        }
        out.store(behind)
        end = out
        // Three bits each: first two in a word of 64 bits, then the four words.
        let pairs = unsafeBitCast(codes, to: SIMD4<UInt64>.self)
        let sixes = (pairs | pairs &>> 29) & 0x3F
        return sixes[0] | sixes[1] &<< 6 | sixes[2] &<< 12 | sixes[3] &<< 18
    }
}
#endif
