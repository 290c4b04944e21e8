import Synchronization

/// What the receive thread of a channel tells its write thread, in the order in which it happened.
struct ChannelEntry {
    enum Kind: UInt8 {
        /// A frame at `position`, of `bytes`: `a` its sequence number, `b` its timestamp.
        case frame
        /// The same, of a frame that was missing.
        case late
        /// The same, of the first frame of a producer that began anew.
        case restart
        /// Frames `a` to `b` are missing.
        case gap
        /// Bytes that were no frames: `position` how many, `a` header checksums and (lower half) lengths, `b` payload
        /// checksums and (lower half) versions.
        case damage
        /// `a` datagrams were dropped by the kernel.
        case kernelDrops
    }

    var position: UInt64
    var a: UInt64
    var b: UInt64
    var bytes: UInt32
    var flags: UInt16
    var kind: Kind
}

/// Entries from one thread to another, without locks. Each side keeps what it last saw of the other's index, so that the
/// two share a cache line only when one has come to the end of what it knew.
final class EntryQueue {
    private let entries: UnsafeMutablePointer<ChannelEntry>
    private let mask: UInt
    // Counts of entries, put and taken. They wrap on 32 bits, and so do differences.
    private let put = Atomic<UInt>(0)
    private let taken = Atomic<UInt>(0)
    // The putting side's own.
    @exclusivity(unchecked) private var next: UInt = 0
    @exclusivity(unchecked) private var knownTaken: UInt = 0
    // The taking side's own.
    @exclusivity(unchecked) private var first: UInt = 0
    @exclusivity(unchecked) private var knownPut: UInt = 0

    /// - Parameter least: entries; rounded up to a power of two.
    init(least: Int) {
        var capacity = 16
        while capacity < least { capacity *= 2 }
        mask = UInt(capacity) - 1
        entries = .allocate(capacity: capacity)
    }

    deinit { entries.deallocate() }

    /// Whether so many entries can be put.
    @inline(__always)
    func hasRoom(_ count: UInt) -> Bool {
        if mask &+ 1 &- (next &- knownTaken) >= count { return true }
        knownTaken = taken.load(ordering: .acquiring)
        return mask &+ 1 &- (next &- knownTaken) >= count
    }

    /// There is room: `hasRoom` said so. The other side sees it after `publish`.
    @inline(__always)
    func add(_ entry: ChannelEntry) {
        (entries + Int(bitPattern: next & mask)).initialize(to: entry)
        next &+= 1
    }

    func publish() { put.store(next, ordering: .releasing) }

    /// The taking side: the next entry, which stays in the queue until `release`.
    @inline(__always)
    func take() -> ChannelEntry? {
        if first == knownPut {
            knownPut = put.load(ordering: .acquiring)
            if first == knownPut { return nil }
        }
        let entry = entries[Int(bitPattern: first & mask)]
        first &+= 1
        return entry
    }

    /// Gives back the room of all entries that were taken.
    func release() { taken.store(first, ordering: .releasing) }
}
