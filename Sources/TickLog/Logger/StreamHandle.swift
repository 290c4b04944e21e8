import CTickLog
import Synchronization

/// A polled stream in one run, as the sampler sees it.
struct PolledHandle {
    let source: UnsafeRawPointer
    let bytes: UInt32
    /// Bytes in a row record: the sample rounded up to 4, and a word in front if the source is guarded.
    let recordBytes: UInt32
    let group: Int
    /// DLF: where the consumer holds the last value.
    let heldOffset: UInt32
    let tryLock: (@convention(c) (UnsafeMutableRawPointer?) -> Int32)?
    let unlock: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
    let lockContext: UnsafeMutableRawPointer?

    init(_ stream: Stream, group: Int, heldOffset: UInt32) {
        self.heldOffset = heldOffset
        // Adding refused a polled stream without a source.
        source = stream.config.source!
        bytes = stream.sampleBytes
        recordBytes = Self.recordBytes(stream)
        self.group = group
        tryLock = stream.config.try_lock
        unlock = stream.config.unlock
        lockContext = stream.config.lock_context
    }

    var isGuarded: Bool { tryLock != nil }

    static func recordBytes(_ stream: Stream) -> UInt32 {
        (stream.sampleBytes + 3) & ~3 + (stream.config.try_lock == nil ? 0 : 4)
    }

    /// Copies the sample into the row record.
    @inline(__always)
    func sample(to out: UnsafeMutableRawPointer) {
        if tryLock == nil {
            out.copy(source, Int(bytes))
        } else {
            sampleGuarded(to: out)
        }
    }

    /// The word in front tells the consumer whether the sample is fresh: if not, it holds the last value.
    private func sampleGuarded(to out: UnsafeMutableRawPointer) {
        guard let tryLock, let unlock else { return }
        if tryLock(lockContext) == 0 {
            (out + 4).copy(source, Int(bytes))
            unlock(lockContext)
            out.store(UInt32(1))
        } else {
            out.store(UInt32(0))
        }
    }
}

/// An event stream in one run, as its producer sees it.
struct EventHandle {
    let run: RunShared.Pointer
    let producer: UnsafeMutablePointer<RingProducer>
    let gate: ProducerGate
    let slot: UnsafeMutablePointer<StreamSlot>
    let index: UInt16
    let recordBytes: UInt32
    var gap: GapKeeper

    init(
        run: RunShared.Pointer, producer: UnsafeMutablePointer<RingProducer>, gate: ProducerGate,
        slot: UnsafeMutablePointer<StreamSlot>, index: UInt16, sampleBytes: UInt32, gap: GapKeeper
    ) {
        self.run = run
        self.producer = producer
        self.gate = gate
        self.slot = slot
        self.index = index
        recordBytes = RecordHeader.bytes(payload: sampleBytes)
        self.gap = gap
    }

    /// Room for an event's bytes, or nil if the ring is full and the event is counted as dropped. `publish` follows.
    @inline(__always)
    mutating func reserve(tick: UInt64) -> UnsafeMutableRawPointer? {
        slot.pointee.offered.add(1)
        if gap.isOpen { return reserveBehindGap(tick) }
        guard let record = producer.pointee.reserve(recordBytes) else {
            drop(tick)
            return nil
        }
        return begin(record, tick)
    }

    @inline(__always)
    private func begin(_ record: UnsafeMutableRawPointer, _ tick: UInt64) -> UnsafeMutableRawPointer {
        record.assumingMemoryBound(to: RecordHeader.self).initialize(
            to: RecordHeader(bytes: recordBytes, kind: RecordKind.event, stream: index, tick: tick))
        return record + Int(RecordHeader.size)
    }

    @inline(never)
    private mutating func reserveBehindGap(_ tick: UInt64) -> UnsafeMutableRawPointer? {
        guard let record = producer.pointee.reserve(GapRecord.recordBytes + recordBytes) else {
            drop(tick)
            return nil
        }
        gap.store(to: record, kind: RecordKind.eventGap, stream: index)
        return begin(record + Int(GapRecord.recordBytes), tick)
    }

    @inline(never)
    private mutating func drop(_ tick: UInt64) {
        gap.extend(TICKLOG_LOSS_RING_FULL, first: tick, last: tick, samples: 1)
    }

    @inline(__always)
    func publish() { producer.pointee.publish() }

    /// The newest tick; 0 before the first.
    @inline(__always)
    var now: UInt64 {
        let ticks = run.pointee.ticks.load()
        return ticks == 0 ? 0 : ticks &- 1
    }
}

/// A watched stream in one run.
struct WatchHandle {
    let event: UnsafeMutablePointer<EventHandle>
    let source: UnsafeRawPointer
    let bytes: Int
    /// The value last logged.
    let last: UnsafeMutableRawPointer
    var isLogged = false
    let tryLock: (@convention(c) (UnsafeMutableRawPointer?) -> Int32)?
    let unlock: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
    let lockContext: UnsafeMutableRawPointer?

    init(_ stream: Stream, event: UnsafeMutablePointer<EventHandle>, last: UnsafeMutableRawPointer) {
        self.event = event
        source = stream.config.source!
        bytes = Int(stream.sampleBytes)
        self.last = last
        tryLock = stream.config.try_lock
        unlock = stream.config.unlock
        lockContext = stream.config.lock_context
    }

    /// Logs the value if it is not the one last logged. A guard that refuses puts the look off to the next tick; a full
    /// ring as well, after counting the loss. False: the ring was full.
    mutating func sample(tick: UInt64) -> Bool {
        if let tryLock, tryLock(lockContext) != 0 { return true }
        var isKept = true
        if !isLogged || !source.equals(last, bytes) {
            if let out = event.pointee.reserve(tick: tick) {
                // The source may change under an unguarded copy: what is remembered is what was logged.
                out.copy(source, bytes)
                last.copy(out, bytes)
                event.pointee.publish()
                isLogged = true
            } else {
                isKept = false
            }
        }
        unlock?(lockContext)
        return isKept
    }
}
