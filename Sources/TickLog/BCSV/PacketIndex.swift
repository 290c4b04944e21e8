/// A packet's place, for the footer. On 32-bit machines packets behind 4 GiB have none; each row takes at least a byte.
struct IndexEntry {
    var offset: UInt
    var firstRow: UInt
}

/// The footer's index in bounded memory: when it is full, every second packet is dropped and from then on only every
/// `stride`-th kept. pybcsv reads such an index rightly for flat and ZoH, but not for delta, which gets all entries or
/// none (spec BCSV, section 12).
struct PacketIndex {
    let entries: Table<IndexEntry>
    private(set) var count = 0
    private var stride = 1
    private var packets = 0
    private var isGivenUp = false

    private let isThinned: Bool

    init(_ entries: Table<IndexEntry>, isThinned: Bool = true) {
        self.entries = entries
        self.isThinned = isThinned
    }

    /// `offset` is a packet's place in the file. Where it is too large, the file goes without an index: readers then scan.
    mutating func add(offset: UInt64, firstRow: UInt64) {
        guard offset <= UInt64(UInt.max), !isGivenUp, isThinned || count < entries.count else {
            isGivenUp = true
            count = 0
            return
        }
        let entry = IndexEntry(offset: UInt(offset), firstRow: UInt(truncatingIfNeeded: firstRow))
        if packets % stride == 0 {
            if count == entries.count {
                var i = 0
                while 2 * i < count {
                    entries[i] = entries[2 * i]
                    i += 1
                }
                count = i
                stride *= 2
            }
            if packets % stride == 0 {
                entries[count] = entry
                count += 1
            }
        }
        packets += 1
    }

    mutating func reset() { (count, stride, packets, isGivenUp) = (0, 1, 0, false) }
}
