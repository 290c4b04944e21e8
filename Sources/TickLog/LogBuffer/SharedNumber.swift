import Synchronization

/// A 64-bit number in shared memory, 16 bytes at a multiple of 8: one context stores it, any others load it, in this
/// process or another, and never see half of it.
///
/// Where there are no 64-bit atomics, the high half stands before and behind the low one. The halves are stored in this
/// order and loaded in the other: if both high halves are the same, the low half belongs to them.
struct SharedNumber {
    static let bytes = 16

    let at: UnsafeRawPointer

    @inline(__always)
    init(_ at: UnsafeRawPointer) { self.at = at }

    #if _pointerBitWidth(_64)
    /// Behind everything that was stored before. Only where the memory may be written.
    @inline(__always)
    func store(_ value: UInt64) {
        UnsafeMutableRawPointer(mutating: at).assumingMemoryBound(to: Atomic<UInt64>.self).pointee
            .store(value, ordering: .releasing)
    }

    /// Before everything that is loaded afterwards.
    @inline(__always)
    func load() -> UInt64 {
        at.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .acquiring)
    }
    #else
    @inline(__always)
    private func half(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        UnsafeMutableRawPointer(mutating: at + 4 &* index).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    @inline(__always)
    func store(_ value: UInt64) {
        let high = UInt32(truncatingIfNeeded: value >> 32)
        half(0).pointee.store(high, ordering: .releasing)
        half(1).pointee.store(UInt32(truncatingIfNeeded: value), ordering: .releasing)
        half(2).pointee.store(high, ordering: .releasing)
    }

    /// A function of its own, so that one value leaves the loop below: of several, LLVM's order depends on where the compiler's
    /// memory lies, and the same sources must become the same bytes.
    @inline(never)
    private func attempt() -> (value: UInt64, isWhole: Bool) {
        let behind = half(2).pointee.load(ordering: .acquiring)
        let low = half(1).pointee.load(ordering: .acquiring)
        let before = half(0).pointee.load(ordering: .acquiring)
        return (UInt64(low >> 31 == 0 ? before : behind) << 32 | UInt64(low), before == behind)
    }

    @inline(never)
    func load() -> UInt64 {
        var tries = 0
        while true {
            let (value, isWhole) = attempt()
            tries &+= 1
            // They differ for long only if the writer was interrupted, by this context or for ever: then the low half tells
            // whether it has wrapped already.
            if isWhole || tries == 4 { return value }
        }
    }
    #endif
}
