import Synchronization

/// What a record in a ring is.
enum RecordKind {
    static let row: UInt16 = 1       // all polled samples of one tick
    static let event: UInt16 = 2     // one event
    static let rowGap: UInt16 = 3    // a range of ticks whose rows were dropped
    static let eventGap: UInt16 = 4  // a range of ticks in which events of a stream were dropped
}

/// In front of every record. `bytes` counts this header and the padding to 8.
struct RecordHeader {
    static let size: UInt32 = 16

    var bytes: UInt32
    var kind: UInt16
    var stream: UInt16
    var tick: UInt64

    /// In the place of `bytes`: the rest of the ring is empty, go on at its start.
    static let wrap: UInt32 = .max

    @inline(__always)
    static func bytes(payload: UInt32) -> UInt32 { (size &+ payload &+ 7) & ~7 }
}

/// The two indices of a ring, each on a cache line of its own: the side that writes one would otherwise take the line
/// away from the side that writes the other at every record.
struct RingIndices: ~Copyable {
    let head = Atomic<UInt32>(0)
    private let headLine: InlineArray<15, UInt32> = .init(repeating: 0)
    let tail = Atomic<UInt32>(0)
    private let tailLine: InlineArray<15, UInt32> = .init(repeating: 0)
}

/// The producer's side of a single-producer, single-consumer ring of whole records in caller memory.
///
/// Records are contiguous, so that the other side reads them where they lie. Indices are byte offsets below `capacity`,
/// multiples of 8; equal indices mean empty. Each side keeps the other's index and asks for it anew only when it seems
/// to be in the way.
struct RingProducer {
    private let indices: UnsafeMutablePointer<RingIndices>
    private let base: UnsafeMutableRawPointer
    private let capacity: UInt32
    private var head: UInt32 = 0
    private var tail: UInt32 = 0
    private var next: UInt32 = 0

    init(indices: UnsafeMutablePointer<RingIndices>, base: UnsafeMutableRawPointer, capacity: UInt32) {
        self.indices = indices
        self.base = base
        self.capacity = capacity
    }

    /// The least capacity in which a block of `bytes` always fits into an empty ring, wherever its indices stand.
    static func leastCapacity(_ bytes: UInt32) -> UInt32 { 2 &* bytes &+ 16 }

    /// Room for `bytes` (a multiple of 8) in one piece, or nil if the ring is too full. Nothing is visible to the
    /// consumer before `publish`.
    @inline(__always)
    mutating func reserve(_ bytes: UInt32) -> UnsafeMutableRawPointer? {
        if let at = place(bytes) { return at }
        tail = indices.pointee.tail.load(ordering: .acquiring)
        return place(bytes)
    }

    // Proof of bounds: head and tail are below capacity. Behind head, bytes <= capacity - head; before tail, the record
    // ends before tail.
    @inline(__always)
    private mutating func place(_ bytes: UInt32) -> UnsafeMutableRawPointer? {
        if head >= tail {
            let behind = capacity &- head
            if bytes < behind || (bytes == behind && tail != 0) {
                next = bytes == behind ? 0 : head &+ bytes
                return base + Int(head)
            }
            if bytes < tail {
                (base + Int(head)).store(RecordHeader.wrap)
                next = bytes
                return base
            }
        } else if bytes < tail &- head {
            next = head &+ bytes
            return base + Int(head)
        }
        return nil
    }

    /// Hands what was reserved to the consumer.
    @inline(__always)
    mutating func publish() {
        head = next
        indices.pointee.head.store(next, ordering: .releasing)
    }
}

/// The consumer's side.
struct RingConsumer {
    private let indices: UnsafeMutablePointer<RingIndices>
    private let base: UnsafeMutableRawPointer
    let capacity: UInt32
    private var tail: UInt32 = 0
    private var head: UInt32 = 0
    /// Most bytes that were found in the ring.
    private(set) var highWater: UInt32 = 0

    init(indices: UnsafeMutablePointer<RingIndices>, base: UnsafeMutableRawPointer, capacity: UInt32) {
        self.indices = indices
        self.base = base
        self.capacity = capacity
    }

    /// Takes notice of what was published; `front` gives only that, so that draining is bounded.
    mutating func refresh() {
        head = indices.pointee.head.load(ordering: .acquiring)
        let used = head >= tail ? head &- tail : capacity &- tail &+ head
        if used > highWater { highWater = used }
    }

    /// Whether the ring is empty at this moment.
    var isEmpty: Bool { indices.pointee.head.load(ordering: .acquiring) == tail }

    /// The oldest record, or nil if all that was noticed is consumed.
    @inline(__always)
    mutating func front() -> UnsafeMutablePointer<RecordHeader>? {
        if tail == head { return nil }
        let record = (base + Int(tail)).assumingMemoryBound(to: RecordHeader.self)
        if record.pointee.bytes == RecordHeader.wrap {
            tail = 0
            // The record that made the producer wrap was published with the mark, so the ring is not empty here.
            return base.assumingMemoryBound(to: RecordHeader.self)
        }
        return record
    }

    /// Gives the oldest record's room back.
    @inline(__always)
    mutating func pop(_ record: UnsafeMutablePointer<RecordHeader>) {
        tail &+= record.pointee.bytes
        if tail == capacity { tail = 0 }
        indices.pointee.tail.store(tail, ordering: .releasing)
    }
}
