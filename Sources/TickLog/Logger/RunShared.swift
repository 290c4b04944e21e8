import CTickLog
import Synchronization

/// What the contexts of a run share: written once before the run opens, but for the atomics. Corresponds to
/// `ticklog_run`.
struct RunShared: ~Copyable {
    static let magic: UInt32 = 0x4E52_4B54  // "TKRN"

    let magic: UInt32
    let isDLF: Bool
    let state: Atomic<UInt32>
    /// Ticks so far: the newest tick and one.
    let ticks: Published64
    let logger: Logger.Pointer
    let memory: UnsafeMutableRawPointer
    let memoryBytes: Int
    let name: UnsafeMutablePointer<CChar>
    let sampler: UnsafeMutablePointer<Sampler>
    let writer: UnsafeMutablePointer<RunWriter>
    let counters: UnsafeMutablePointer<RunCounters>
    /// By event file index, the built-in streams last.
    let eventHandles: Table<EventHandle>
    let polledSlots: UnsafeMutablePointer<StreamSlot>
    let eventSlots: UnsafeMutablePointer<StreamSlot>
    let polledHandles: Table<PolledHandle>
    let groups: Table<ScheduleGroup>
    /// By group: rows written.
    let groupRows: UnsafeMutablePointer<Published64>
    /// For each ring, whether its producer is inside a call.
    let busy: UnsafeMutablePointer<Atomic<UInt32>>
    let ringCount: Int
    let ringBytes: UInt32

    static let opening: UInt32 = 0
    static let open: UInt32 = 1
    /// Producers are refused; the rings are being drained.
    static let closing: UInt32 = 2
    static let closed: UInt32 = 3

    typealias Pointer = UnsafeMutablePointer<RunShared>

    @inline(__always)
    static func from(_ handle: OpaquePointer?) -> Pointer? {
        guard let handle, UInt(bitPattern: handle) & 7 == 0 else { return nil }
        let run = Pointer(handle)
        return run.pointee.magic == magic ? run : nil
    }

    init(
        isDLF: Bool, logger: Logger.Pointer, memory: UnsafeMutableRawPointer, memoryBytes: Int, plan: RunPlan
    ) {
        let p = plan.places
        magic = Self.magic
        self.isDLF = isDLF
        state = Atomic(Self.opening)
        ticks = Published64()
        self.logger = logger
        self.memory = memory
        self.memoryBytes = memoryBytes
        name = (memory + p.name).assumingMemoryBound(to: CChar.self)
        sampler = (memory + p.sampler).assumingMemoryBound(to: Sampler.self)
        writer = (memory + p.writer).assumingMemoryBound(to: RunWriter.self)
        counters = (memory + p.counters).assumingMemoryBound(to: RunCounters.self)
        eventHandles = Table(memory + p.eventHandles, plan.eventCount)
        polledSlots = (memory + p.polledSlots).assumingMemoryBound(to: StreamSlot.self)
        eventSlots = (memory + p.eventSlots).assumingMemoryBound(to: StreamSlot.self)
        polledHandles = Table(memory + p.polledHandles, plan.polledCount)
        groups = Table(memory + p.writerGroups, plan.groupCount)
        groupRows = (memory + p.groupRows).assumingMemoryBound(to: Published64.self)
        busy = (memory + p.busy).assumingMemoryBound(to: Atomic<UInt32>.self)
        ringCount = plan.ringCount
        ringBytes = plan.ringBytes
    }
}

/// A producer's way into a run: marks it busy, so that `stop` waits for a call that is under way, then asks whether the
/// run is open. Both sides store before they load, in one order for all (sequentially consistent): either the producer
/// sees that the run closes, or `stop` sees the producer.
struct ProducerGate {
    private let busy: UnsafeMutablePointer<Atomic<UInt32>>

    init(_ busy: UnsafeMutablePointer<Atomic<UInt32>>) { self.busy = busy }

    @inline(__always)
    func enter(_ run: RunShared.Pointer) -> Bool {
        busy.pointee.store(1, ordering: .sequentiallyConsistent)
        if run.pointee.state.load(ordering: .sequentiallyConsistent) == RunShared.open { return true }
        leave()
        return false
    }

    @inline(__always)
    func leave() { busy.pointee.store(0, ordering: .releasing) }
}

/// Numbers of a run that any context may read.
struct RunCounters: ~Copyable {
    let written = Published64()
    let lost = Published64()
    let lostRingFull = Published64()
    let lostLate = Published64()
    let lostBusy = Published64()
    let lostStorage = Published64()
    let rows = Published64()
    let bytes = Published64()
    let packets = Published64()
    let syncs = Published64()
    let storageErrors = Published64()
    let longestGap = Published64()
    let lastError = Atomic<Int32>(0)
    let ringHighWater = Atomic<UInt32>(0)
}

/// Numbers of one stream in one run.
struct StreamSlot: ~Copyable {
    let stream: Stream.Pointer
    /// The stream's index in losses. BCSV: order of adding, built-in streams last, as in `streams.bcsv`. DLF, whose files
    /// do not tell the order of adding: polled streams in the order of their file, then event streams in that of theirs.
    let index: UInt16
    /// Events offered. Polled samples follow from the ticks. Written by the stream's producer.
    let offered = Published64()
    /// Events: written. Polled: to be subtracted from the rows of its group (held or lost later).
    let written = Published64()
    let lost = Published64()
    /// Consumer's: what is lost and not declared yet.
    var pending = PendingLoss()
    /// Consumer's: events since the last good sync; of a polled stream, samples to subtract from its group's.
    var unsynced: UInt64 = 0
    /// Consumer's: what of the producer's gaps was declared.
    var gap = GapReader()

    init(_ stream: Stream.Pointer, isDLF: Bool) {
        self.stream = stream
        let s = stream.pointee
        if isDLF {
            index = s.isPolled ? s.fileIndex : s.logger.pointee.polledCount + s.fileIndex
        } else {
            index = s.isBuiltin ? s.logger.pointee.streamCount + s.index : s.index
        }
    }
}

/// Losses of one stream and one reason that wait for room in the file.
struct PendingLoss {
    var reason: UInt8 = 0
    var first: UInt64 = 0
    var last: UInt64 = 0
    var samples: UInt64 = 0
}
