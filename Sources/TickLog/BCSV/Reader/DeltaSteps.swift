/// What a delta code takes from the payload: so many bytes, of a load of eight.
struct DeltaStep {
    let mask: UInt64
    let bytes: Int

    static let count = 16

    static func fill(_ steps: Table<DeltaStep>) {
        for code in 0..<count {
            let bytes = min(max(code - 1, 0), 8)
            (steps.base + code).initialize(to: DeltaStep(mask: bytes == 8 ? ~0 : (1 << UInt64(8 * bytes)) - 1, bytes: bytes))
        }
    }
}

/// The arithmetic of gradients: one IEEE operation in the column's own precision, on bits.
protocol GradientSteps {
    associatedtype Bits: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & SIMDScalar
    static func add(_ a: Bits, _ b: Bits) -> Bits
    static func subtract(_ a: Bits, _ b: Bits) -> Bits
    static func add(_ a: SIMD4<Bits>, _ b: SIMD4<Bits>) -> SIMD4<Bits>
    static func subtract(_ a: SIMD4<Bits>, _ b: SIMD4<Bits>) -> SIMD4<Bits>
    /// Of four codes in each lane, the lane's own, and the same for code 1.
    static var laneMask: SIMD4<Bits> { get }
    static var laneOne: SIMD4<Bits> { get }
}

enum FloatSteps: GradientSteps {
    @inline(__always) static func add(_ a: UInt32, _ b: UInt32) -> UInt32 {
        (Float(bitPattern: a) + Float(bitPattern: b)).bitPattern
    }
    @inline(__always) static func subtract(_ a: UInt32, _ b: UInt32) -> UInt32 {
        (Float(bitPattern: a) - Float(bitPattern: b)).bitPattern
    }
    @inline(__always) static func add(_ a: SIMD4<UInt32>, _ b: SIMD4<UInt32>) -> SIMD4<UInt32> {
        unsafeBitCast(
            unsafeBitCast(a, to: SIMD4<Float>.self) + unsafeBitCast(b, to: SIMD4<Float>.self), to: SIMD4<UInt32>.self)
    }
    @inline(__always) static func subtract(_ a: SIMD4<UInt32>, _ b: SIMD4<UInt32>) -> SIMD4<UInt32> {
        unsafeBitCast(
            unsafeBitCast(a, to: SIMD4<Float>.self) - unsafeBitCast(b, to: SIMD4<Float>.self), to: SIMD4<UInt32>.self)
    }
    @inline(__always) static var laneMask: SIMD4<UInt32> { SIMD4(7, 7 << 3, 7 << 6, 7 << 9) }
    @inline(__always) static var laneOne: SIMD4<UInt32> { SIMD4(1, 1 << 3, 1 << 6, 1 << 9) }
}

enum DoubleSteps: GradientSteps {
    @inline(__always) static func add(_ a: UInt64, _ b: UInt64) -> UInt64 {
        (Double(bitPattern: a) + Double(bitPattern: b)).bitPattern
    }
    @inline(__always) static func subtract(_ a: UInt64, _ b: UInt64) -> UInt64 {
        (Double(bitPattern: a) - Double(bitPattern: b)).bitPattern
    }
    @inline(__always) static func add(_ a: SIMD4<UInt64>, _ b: SIMD4<UInt64>) -> SIMD4<UInt64> {
        unsafeBitCast(
            unsafeBitCast(a, to: SIMD4<Double>.self) + unsafeBitCast(b, to: SIMD4<Double>.self), to: SIMD4<UInt64>.self)
    }
    @inline(__always) static func subtract(_ a: SIMD4<UInt64>, _ b: SIMD4<UInt64>) -> SIMD4<UInt64> {
        unsafeBitCast(
            unsafeBitCast(a, to: SIMD4<Double>.self) - unsafeBitCast(b, to: SIMD4<Double>.self), to: SIMD4<UInt64>.self)
    }
    @inline(__always) static var laneMask: SIMD4<UInt64> { SIMD4(15, 15 << 4, 15 << 8, 15 << 12) }
    @inline(__always) static var laneOne: SIMD4<UInt64> { SIMD4(1, 1 << 4, 1 << 8, 1 << 12) }
}
