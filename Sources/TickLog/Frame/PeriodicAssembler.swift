/// A radar periodic of which chunks have come.
public struct OpenPeriodic {
    public internal(set) var periodic: UInt64 = 0
    public internal(set) var chunks: UInt32 = 0
    public internal(set) var received: UInt32 = 0
    /// Bytes of its chunks.
    public internal(set) var bytes: UInt64 = 0
    /// Of its first frame that came.
    public internal(set) var sequence: UInt64 = 0
    public internal(set) var timestamp: UInt64 = 0
    /// When it was opened, counted in periodics; 0: the slot is free.
    var age: UInt64 = 0

    public init() {}
}

/// Puts chunks together to periodics, in the caller's memory: several open at once, chunks in any order; when there is no
/// room for one more, the oldest is given up as incomplete (spec: FRAMES, 4).
///
/// It keeps which chunks are there, not their bytes: those stay where they were received.
public struct PeriodicAssembler {
    public enum Outcome {
        /// A chunk of a periodic that is still open.
        case open
        /// The last one that was missing: the slot tells of the periodic until the next call.
        case complete(Int)
        /// The chunk was there already, or contradicts the periodic's number of chunks.
        case inconsistent
        /// More chunks than there are bits for.
        case tooMany
    }

    public struct Counts {
        public internal(set) var complete: UInt64 = 0
        public internal(set) var incomplete: UInt64 = 0
        /// Chunks that are missing in those.
        public internal(set) var missingChunks: UInt64 = 0
    }

    public internal(set) var counts = Counts()
    /// The most chunks of a periodic.
    public let maxChunks: UInt32
    private let slots: UnsafeMutableBufferPointer<OpenPeriodic>
    private let bits: UnsafeMutablePointer<UInt64>
    private let wordsPerSlot: Int
    private var age: UInt64 = 0
    private var latest = 0

    /// How many words of bits there must be.
    public static func words(slots: Int, maxChunks: UInt32) -> Int { slots * ((Int(maxChunks) + 63) / 64) }

    /// `slots` initialized and at least one; `bits` has `words(slots:maxChunks:)`.
    public init(slots: UnsafeMutableBufferPointer<OpenPeriodic>, bits: UnsafeMutablePointer<UInt64>, maxChunks: UInt32) {
        self.slots = slots
        self.bits = bits
        self.maxChunks = maxChunks
        wordsPerSlot = (Int(maxChunks) + 63) / 64
    }

    public subscript(slot: Int) -> OpenPeriodic { slots[slot] }

    public var openCount: Int {
        var count = 0
        for slot in slots where slot.age > 0 { count += 1 }
        return count
    }

    /// Whether a chunk of a periodic that is open, or was given up, is missing.
    public func isMissing(_ chunk: UInt32, of slot: Int) -> Bool {
        bits[slot * wordsPerSlot + Int(chunk / 64)] >> UInt64(chunk % 64) & 1 == 0
    }

    /// Takes a chunk. `evicted`: a periodic that had to be given up for it, in the slot that it then uses; it is told
    /// before the slot is used again.
    public mutating func add(
        _ chunk: ChunkHeader, sequence: UInt64, timestamp: UInt64, evicted: (OpenPeriodic, Int) -> Void
    ) -> Outcome {
        guard chunk.count <= maxChunks else { return .tooMany }
        var slot = latest
        if slots[slot].age == 0 || slots[slot].periodic != chunk.periodic {
            slot = find(chunk.periodic) ?? open(chunk, sequence, timestamp, evicted)
            latest = slot
        }
        guard slots[slot].chunks == chunk.count, isMissing(chunk.index, of: slot) else { return .inconsistent }
        bits[slot * wordsPerSlot + Int(chunk.index / 64)] |= 1 << UInt64(chunk.index % 64)
        slots[slot].received += 1
        slots[slot].bytes &+= UInt64(chunk.chunkBytes)
        guard slots[slot].received == slots[slot].chunks else { return .open }
        counts.complete &+= 1
        slots[slot].age = 0
        return .complete(slot)
    }

    /// Gives up everything that is open, oldest first.
    public mutating func end(_ evicted: (OpenPeriodic, Int) -> Void) {
        while let slot = oldest() { giveUp(slot, evicted) }
    }

    private func find(_ periodic: UInt64) -> Int? {
        for i in 0..<slots.count where slots[i].age > 0 && slots[i].periodic == periodic { return i }
        return nil
    }

    private func oldest() -> Int? {
        var oldest: Int?
        for i in 0..<slots.count where slots[i].age > 0 {
            if oldest == nil || slots[i].age < slots[oldest!].age { oldest = i }
        }
        return oldest
    }

    private mutating func open(
        _ chunk: ChunkHeader, _ sequence: UInt64, _ timestamp: UInt64, _ evicted: (OpenPeriodic, Int) -> Void
    ) -> Int {
        var slot = 0
        while slot < slots.count, slots[slot].age > 0 { slot += 1 }
        if slot == slots.count {
            slot = oldest()!
            giveUp(slot, evicted)
        }
        age &+= 1
        var fresh = OpenPeriodic()
        fresh.periodic = chunk.periodic
        fresh.chunks = chunk.count
        fresh.sequence = sequence
        fresh.timestamp = timestamp
        fresh.age = age
        slots[slot] = fresh
        for i in 0..<(Int(chunk.count) + 63) / 64 { bits[slot * wordsPerSlot + i] = 0 }
        return slot
    }

    private mutating func giveUp(_ slot: Int, _ evicted: (OpenPeriodic, Int) -> Void) {
        counts.incomplete &+= 1
        counts.missingChunks &+= UInt64(slots[slot].chunks - slots[slot].received)
        evicted(slots[slot], slot)
        slots[slot].age = 0
    }
}
