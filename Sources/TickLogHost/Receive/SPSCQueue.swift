import Synchronization

/// Elements from one thread to another, without locks. Each side has its index on cache lines of its own, beside what it
/// last saw of the other's, so that the two share a line only when one has come to the end of what it knew.
public final class SPSCQueue<Element: BitwiseCopyable> {
    /// One side: its index, and the other's as it was last seen. Two lines, since processors fetch lines in pairs.
    ///
    /// Each is accessed for itself: an access to a structure of all three would be one to what the other side reads.
    @usableFromInline
    struct Side {
        @usableFromInline let start = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)

        init() {
            start.initializeMemory(as: UInt.self, repeating: 0, count: 16)
            published.initialize(to: Atomic(0))
        }

        // Counts of elements. They wrap on 32 bits, and so do differences.
        @inlinable @inline(__always)
        var published: UnsafeMutablePointer<Atomic<UInt>> { start.assumingMemoryBound(to: Atomic<UInt>.self) }

        @inlinable @inline(__always)
        var own: UInt {
            get { start.load(fromByteOffset: 16, as: UInt.self) }
            nonmutating set { start.storeBytes(of: newValue, toByteOffset: 16, as: UInt.self) }
        }

        @inlinable @inline(__always)
        var known: UInt {
            get { start.load(fromByteOffset: 32, as: UInt.self) }
            nonmutating set { start.storeBytes(of: newValue, toByteOffset: 32, as: UInt.self) }
        }
    }

    @usableFromInline let elements: UnsafeMutablePointer<Element>
    @usableFromInline let mask: UInt
    @usableFromInline let putting = Side()
    @usableFromInline let taking = Side()

    /// - Parameter least: elements; rounded up to a power of two.
    public init(least: Int) {
        var capacity = 16
        while capacity < least { capacity *= 2 }
        mask = UInt(capacity) - 1
        elements = .allocate(capacity: capacity)
    }

    deinit {
        elements.deallocate()
        putting.start.deallocate()
        taking.start.deallocate()
    }

    /// The putting side: whether so many elements can be put.
    @inlinable @inline(__always)
    public func hasRoom(_ count: UInt) -> Bool {
        if mask &+ 1 &- (putting.own &- putting.known) >= count { return true }
        putting.known = taking.published.pointee.load(ordering: .acquiring)
        return mask &+ 1 &- (putting.own &- putting.known) >= count
    }

    /// The putting side: there is room, as `hasRoom` said. The other side sees the element after `publish`.
    @inlinable @inline(__always)
    public func add(_ element: Element) {
        (elements + Int(bitPattern: putting.own & mask)).initialize(to: element)
        putting.own &+= 1
    }

    @inlinable @inline(__always)
    public func publish() { putting.published.pointee.store(putting.own, ordering: .releasing) }

    /// The taking side: the next element, which stays in the queue until `release`.
    @inlinable @inline(__always)
    public func take() -> Element? {
        if taking.own == taking.known {
            taking.known = putting.published.pointee.load(ordering: .acquiring)
            if taking.own == taking.known { return nil }
        }
        let element = elements[Int(bitPattern: taking.own & mask)]
        taking.own &+= 1
        return element
    }

    /// The taking side: gives back the room of all elements that were taken.
    @inlinable @inline(__always)
    public func release() { taking.published.pointee.store(taking.own, ordering: .releasing) }
}
