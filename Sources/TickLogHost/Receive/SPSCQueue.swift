import Synchronization

/// Elements from one thread to another, without locks. Each side has its index on cache lines of its own, beside what it
/// last saw of the other's, so that the two share a line only when one has come to the end of what it knew.
public final class SPSCQueue<Element: BitwiseCopyable> {
    /// One side: its index, and the other's as it was last seen. Two lines, since processors fetch lines in pairs.
    @usableFromInline
    struct Side: ~Copyable {
        // Counts of elements. They wrap on 32 bits, and so do differences.
        @usableFromInline let published = Atomic<UInt>(0)
        @usableFromInline var own: UInt = 0
        @usableFromInline var known: UInt = 0

        init() {}
    }

    @usableFromInline let elements: UnsafeMutablePointer<Element>
    @usableFromInline let mask: UInt
    @usableFromInline let putting: UnsafeMutablePointer<Side>
    @usableFromInline let taking: UnsafeMutablePointer<Side>

    /// - Parameter least: elements; rounded up to a power of two.
    public init(least: Int) {
        var capacity = 16
        while capacity < least { capacity *= 2 }
        mask = UInt(capacity) - 1
        elements = .allocate(capacity: capacity)
        putting = SPSCQueue.side()
        taking = SPSCQueue.side()
    }

    deinit {
        elements.deallocate()
        UnsafeMutableRawPointer(putting).deallocate()
        UnsafeMutableRawPointer(taking).deallocate()
    }

    private static func side() -> UnsafeMutablePointer<Side> {
        let side = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128).bindMemory(to: Side.self, capacity: 1)
        side.initialize(to: Side())
        return side
    }

    /// The putting side: whether so many elements can be put.
    @inlinable @inline(__always)
    public func hasRoom(_ count: UInt) -> Bool {
        if mask &+ 1 &- (putting.pointee.own &- putting.pointee.known) >= count { return true }
        putting.pointee.known = taking.pointee.published.load(ordering: .acquiring)
        return mask &+ 1 &- (putting.pointee.own &- putting.pointee.known) >= count
    }

    /// The putting side: there is room, as `hasRoom` said. The other side sees the element after `publish`.
    @inlinable @inline(__always)
    public func add(_ element: Element) {
        (elements + Int(bitPattern: putting.pointee.own & mask)).initialize(to: element)
        putting.pointee.own &+= 1
    }

    @inlinable @inline(__always)
    public func publish() { putting.pointee.published.store(putting.pointee.own, ordering: .releasing) }

    /// The taking side: the next element, which stays in the queue until `release`.
    @inlinable @inline(__always)
    public func take() -> Element? {
        if taking.pointee.own == taking.pointee.known {
            taking.pointee.known = putting.pointee.published.load(ordering: .acquiring)
            if taking.pointee.own == taking.pointee.known { return nil }
        }
        let element = elements[Int(bitPattern: taking.pointee.own & mask)]
        taking.pointee.own &+= 1
        return element
    }

    /// The taking side: gives back the room of all elements that were taken.
    @inlinable @inline(__always)
    public func release() { taking.pointee.published.store(taking.pointee.own, ordering: .releasing) }
}
