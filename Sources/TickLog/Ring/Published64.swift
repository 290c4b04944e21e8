import Synchronization

/// A 64-bit number with one writer and any readers, without locks.
///
/// Cortex-M has no 64-bit atomics. There the high half is stored before and after the low one, and a reader takes the copy
/// that belongs to the low half it found. That holds for numbers that change by less than 2^31 at a time.
public struct Published64: ~Copyable, Sendable {
    #if _pointerBitWidth(_64)
    private let value = Atomic<UInt64>(0)

    public init() {}

    @inline(__always)
    public func store(_ new: UInt64) { value.store(new, ordering: .releasing) }

    @inline(__always)
    public func load() -> UInt64 { value.load(ordering: .acquiring) }
    #else
    private let highBefore = Atomic<UInt32>(0)
    private let low = Atomic<UInt32>(0)
    private let highAfter = Atomic<UInt32>(0)

    public init() {}

    @inline(__always)
    public func store(_ new: UInt64) {
        let high = UInt32(truncatingIfNeeded: new >> 32)
        highBefore.store(high, ordering: .relaxed)
        low.store(UInt32(truncatingIfNeeded: new), ordering: .releasing)
        highAfter.store(high, ordering: .releasing)
    }

    @inline(__always)
    public func load() -> UInt64 {
        let after = highAfter.load(ordering: .acquiring)
        let low = low.load(ordering: .acquiring)
        let before = highBefore.load(ordering: .acquiring)
        // They differ while the low half wraps: then it is near its end, or it has begun anew. No waiting for the writer,
        // which this context may have interrupted.
        return UInt64(low >> 31 == 0 ? before : after) << 32 | UInt64(low)
    }
    #endif

    #if _pointerBitWidth(_64)
    /// Adds to the number. For its one writer only, which needs no order against itself.
    @inline(__always)
    public func add(_ amount: UInt64) { value.store(value.load(ordering: .relaxed) &+ amount, ordering: .releasing) }
    #else
    @inline(never)
    public func add(_ amount: UInt64) {
        store((UInt64(highBefore.load(ordering: .relaxed)) << 32 | UInt64(low.load(ordering: .relaxed))) &+ amount)
    }
    #endif
}
