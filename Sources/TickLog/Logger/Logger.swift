import CTickLog
import Synchronization

/// A logger: its streams and its open runs, in the caller's memory. Corresponds to `ticklog_logger`.
///
/// In memory: `Logger`, the built-in streams and their fields, the slots of open runs, the streams.
struct Logger {
    static let magic: UInt32 = 0x474C_4B54  // "TKLG"
    static let builtinCount = 3
    static let maxRootLength = 200

    var magic: UInt32
    let maxStreams: UInt16
    let maxRuns: UInt16
    var streamCount: UInt16 = 0
    var polledCount: UInt16 = 0
    var eventCount: UInt16 = 0
    let root: UnsafePointer<CChar>
    let storage: UnsafePointer<ticklog_storage>
    let random: (@convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int) -> ticklog_status)?
    let randomContext: UnsafeMutableRawPointer?
    /// Bytes of memory, this structure included.
    let bytes: Int
    let builtins: Table<Stream>
    /// Open runs: addresses of their `RunShared`, 0 for a free slot.
    let runs: UnsafeMutablePointer<Atomic<UInt>>
    /// By stream and slot: addresses of the `EventHandle`s in open runs, or 0. Emitters read them while others open and
    /// close runs; here, so that an event finds its ring by two loads.
    let handles: UnsafeMutablePointer<Atomic<UInt>>
    let streams: Table<Stream>

    typealias Pointer = UnsafeMutablePointer<Logger>

    /// Where the parts lie behind the structure.
    private struct Plan {
        let builtins: Int, fields: Int, runs: Int, handles: Int, streams: Int, bytes: Int

        init(maxStreams: Int, maxRuns: Int) {
            builtins = roundUp(MemoryLayout<Logger>.stride, 8)
            fields = builtins + Logger.builtinCount * MemoryLayout<Stream>.stride
            runs = fields + Builtin.fieldCount * MemoryLayout<ticklog_field>.stride
            handles = runs + maxRuns * MemoryLayout<UInt>.stride
            streams = roundUp(handles + maxStreams * maxRuns * MemoryLayout<UInt>.stride, 8)
            bytes = roundUp(streams + maxStreams * MemoryLayout<Stream>.stride, 8)
        }
    }

    /// Checks a configuration: TICKLOG_OK or what is wrong with it.
    static func check(_ config: UnsafePointer<ticklog_config>?) -> ticklog_status {
        guard let config else { return TICKLOG_NULL }
        guard UnsafePointer(config).knownSize != nil else { return TICKLOG_BAD_SIZE }
        guard config.pointee.max_streams <= 65000, config.pointee.max_runs <= 64 else { return TICKLOG_BAD_ARGUMENT }
        guard let root = config.pointee.root, let storage = config.pointee.storage else { return TICKLOG_NULL }
        let length = root.length(maxRootLength + 1)
        guard length > 0 else { return TICKLOG_BAD_NAME }
        guard length <= maxRootLength else { return TICKLOG_NAME_TOO_LONG }
        return StorageRules.check(storage)
    }

    private static func plan(_ config: UnsafePointer<ticklog_config>) -> (plan: Plan, streams: UInt16, runs: UInt16) {
        let streams = config.pointee.max_streams == 0 ? 16 : config.pointee.max_streams
        let runs = config.pointee.max_runs == 0 ? 2 : config.pointee.max_runs
        return (Plan(maxStreams: Int(streams), maxRuns: Int(runs)), streams, runs)
    }

    static func size(_ config: UnsafePointer<ticklog_config>?) -> Int {
        guard check(config) == TICKLOG_OK, let config else { return 0 }
        return plan(config).plan.bytes
    }

    /// Makes a logger in memory that holds at least `size(config)` bytes, aligned to 8.
    static func make(in memory: UnsafeMutableRawPointer, _ config: UnsafePointer<ticklog_config>) -> Pointer {
        let (plan, maxStreams, maxRuns) = plan(config)
        let logger = memory.assumingMemoryBound(to: Logger.self)
        let runs = (memory + plan.runs).assumingMemoryBound(to: Atomic<UInt>.self)
        let handles = (memory + plan.handles).assumingMemoryBound(to: Atomic<UInt>.self)
        for i in 0..<Int(maxRuns) { (runs + i).initialize(to: Atomic(0)) }
        for i in 0..<Int(maxRuns) * Int(maxStreams) { (handles + i).initialize(to: Atomic(0)) }
        logger.initialize(
            to: Logger(
                magic: magic, maxStreams: maxStreams, maxRuns: maxRuns, root: config.pointee.root,
                storage: config.pointee.storage, random: config.pointee.random,
                randomContext: config.pointee.random_context, bytes: plan.bytes,
                builtins: Table(memory + plan.builtins, builtinCount), runs: runs, handles: handles,
                streams: Table(memory + plan.streams, Int(maxStreams))))
        Builtin.make(logger, fields: (memory + plan.fields).assumingMemoryBound(to: ticklog_field.self))
        return logger
    }

    /// The logger behind a C handle, if it is one.
    @inline(__always)
    static func from(_ handle: OpaquePointer?) -> Pointer? {
        guard let handle, UInt(bitPattern: handle) & 7 == 0 else { return nil }
        let logger = Pointer(handle)
        return logger.pointee.magic == magic ? logger : nil
    }

    var hasOpenRun: Bool {
        for i in 0..<Int(maxRuns) where runs[i].load(ordering: .acquiring) != 0 { return true }
        return false
    }

    /// All streams of a kind in order of adding. Built-in streams are the last ones of the event file.
    func stream(polled index: Int) -> Stream.Pointer { find(index, polled: true) }

    func stream(event index: Int) -> Stream.Pointer {
        index < Int(eventCount) ? find(index, polled: false) : builtins.pointer(index - Int(eventCount))
    }

    private func find(_ index: Int, polled: Bool) -> Stream.Pointer {
        var left = index
        for i in 0..<Int(streamCount) where streams.pointer(i).pointee.isPolled == polled {
            if left == 0 { return streams.pointer(i) }
            left -= 1
        }
        preconditionFailure()
    }
}
