import Synchronization

/// A range of dropped samples as a ring carries it to the consumer.
struct GapRecord {
    /// Tells the gaps of one producer apart: the consumer may have declared a part of a gap while it was open.
    var generation: UInt32
    var reason: UInt32
    var first: UInt64
    var last: UInt64
    var samples: UInt32

    static let recordBytes = RecordHeader.bytes(payload: 32)
}

/// A gap that is still open, for the consumer to look at when nothing comes through the ring any more: the producer may
/// never push again. One writer; a reader that meets a change in progress just looks again later.
struct OpenGap: ~Copyable {
    private let sequence = Atomic<UInt32>(0)
    private let generation = Atomic<UInt32>(0)
    private let reason = Atomic<UInt32>(0)
    private let firstLow = Atomic<UInt32>(0)
    private let firstHigh = Atomic<UInt32>(0)
    private let lastLow = Atomic<UInt32>(0)
    private let lastHigh = Atomic<UInt32>(0)
    private let samples = Atomic<UInt32>(0)

    func publish(_ gap: GapRecord) {
        let odd = sequence.load(ordering: .relaxed) | 1
        sequence.store(odd, ordering: .relaxed)
        generation.store(gap.generation, ordering: .releasing)
        reason.store(gap.reason, ordering: .releasing)
        firstLow.store(UInt32(truncatingIfNeeded: gap.first), ordering: .releasing)
        firstHigh.store(UInt32(truncatingIfNeeded: gap.first >> 32), ordering: .releasing)
        lastLow.store(UInt32(truncatingIfNeeded: gap.last), ordering: .releasing)
        lastHigh.store(UInt32(truncatingIfNeeded: gap.last >> 32), ordering: .releasing)
        samples.store(gap.samples, ordering: .releasing)
        sequence.store(odd &+ 1, ordering: .releasing)
    }

    @inline(__always)
    var isOpen: Bool { reason.load(ordering: .relaxed) != 0 }

    /// The open gap, if there is one and it is not being changed right now.
    func read() -> GapRecord? {
        let before = sequence.load(ordering: .acquiring)
        if before & 1 != 0 { return nil }
        let reason = reason.load(ordering: .acquiring)
        if reason == 0 { return nil }
        let gap = GapRecord(
            generation: generation.load(ordering: .acquiring), reason: reason,
            first: UInt64(firstHigh.load(ordering: .acquiring)) << 32 | UInt64(firstLow.load(ordering: .acquiring)),
            last: UInt64(lastHigh.load(ordering: .acquiring)) << 32 | UInt64(lastLow.load(ordering: .acquiring)),
            samples: samples.load(ordering: .acquiring))
        return sequence.load(ordering: .relaxed) == before ? gap : nil
    }
}

/// The producer's side of a gap: collects what is dropped until a record fits again.
struct GapKeeper {
    private var gap = GapRecord(generation: 0, reason: 0, first: 0, last: 0, samples: 0)
    private let open: UnsafeMutablePointer<OpenGap>

    init(_ open: UnsafeMutablePointer<OpenGap>) { self.open = open }

    @inline(__always)
    var isOpen: Bool { gap.reason != 0 }

    /// Adds dropped samples. A range with two reasons keeps the one that lasts: the full ring.
    mutating func extend(_ reason: UInt32, first: UInt64, last: UInt64, samples: UInt32) {
        if !isOpen {
            gap = GapRecord(generation: gap.generation &+ 1, reason: reason, first: first, last: last, samples: 0)
        }
        if reason != gap.reason { gap.reason = 1 }
        // Ticks go up, but for those of the clock, which the caller names.
        gap.first = min(gap.first, first)
        gap.last = max(gap.last, last)
        gap.samples = gap.samples.addingReportingOverflow(samples).overflow ? .max : gap.samples + samples
        open.pointee.publish(gap)
    }

    /// Writes the gap as a record and closes it. `out` has `GapRecord.recordBytes` of room.
    mutating func store(to out: UnsafeMutableRawPointer, kind: UInt16, stream: UInt16) {
        out.assumingMemoryBound(to: RecordHeader.self).initialize(
            to: RecordHeader(bytes: GapRecord.recordBytes, kind: kind, stream: stream, tick: gap.first))
        (out + Int(RecordHeader.size)).assumingMemoryBound(to: GapRecord.self).initialize(to: gap)
        gap.reason = 0
        open.pointee.publish(gap)
    }
}

/// The consumer's side: what of a producer's gaps was declared already.
struct GapReader {
    private var generation: UInt32 = 0
    private var first: UInt64 = 0
    private var last: UInt64 = 0
    private var samples: UInt32 = 0

    /// The part of a gap that was not taken before, or nil.
    mutating func take(_ gap: GapRecord) -> GapRecord? {
        var rest = gap
        if gap.generation == generation {
            if gap.last == last, gap.samples == samples { return nil }
            // Of one tick there is one row, but events of it may be dropped before and after a look at the open gap.
            rest.first = gap.samples == 0 ? last &+ 1 : gap.first < first ? gap.first : last
            rest.samples = gap.samples - samples
        }
        generation = gap.generation
        first = gap.first
        last = gap.last
        samples = gap.samples
        return rest
    }
}
