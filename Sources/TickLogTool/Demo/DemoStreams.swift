import CTickLog
import CPosix
import TickLog

/// What the demo logs of this machine: the variables, and how the logger is told of them.
final class DemoStreams {
    static var tickNs: UInt64 { 10_000_000 }
    static var streamCount: Int { 8 }

    // The variables, at these offsets. The sampler writes them just before each tick.
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 8)
    private static var cpu: Int { 0 }
    private static var switches: Int { 40 }
    private static var memoryUse: Int { 48 }
    private static var network: Int { 80 }
    private static var load: Int { 96 }
    private static var activity: Int { 108 }
    private static var processes: Int { 112 }
    private static var heartbeat: Int { 120 }

    private let fields = UnsafeMutablePointer<ticklog_field>.allocate(capacity: 32)
    private var fieldCount = 0
    private var processesStream: OpaquePointer?
    private var heartbeatStream: OpaquePointer?

    private let stat = ProcFile("/proc/stat")
    private let memoryInfo = ProcFile("/proc/meminfo")
    private let networkDevices = ProcFile("/proc/net/dev")
    private let loadAverage = ProcFile("/proc/loadavg")
    private var lastIdle: UInt64 = 0
    private var lastBusy: UInt64 = 0
    private var lastRunning = UInt32.max

    init() {
        memset(memory, 0, 256)
    }

    deinit {
        memory.deallocate()
        fields.deallocate()
    }

    func add(to logger: OpaquePointer) -> ticklog_status {
        let u64 = UInt16(TICKLOG_U64)
        let u32 = UInt16(TICKLOG_U32)
        let f32 = UInt16(TICKLOG_F32)
        let cpuFields = structure([("user", u64), ("nice", u64), ("system", u64), ("idle", u64), ("iowait", u64)], "jiffies")
        let memoryFields = structure([("total", u64), ("available", u64), ("free", u64), ("cached", u64)], "KiB")
        let networkFields = structure([("received", u64), ("sent", u64)], "bytes")
        let loadFields = structure([("one", f32), ("five", f32), ("fifteen", f32)], "processes")
        let processFields = structure([("running", u32), ("blocked", u32)], "processes")
        let heartbeatFields = structure([("second", u32), ("late_us", u32)], nil)

        let polled: [(StaticString, StaticString, (Int, Int), Int, UInt64)] = [
            ("cpu", "time of all processors, /proc/stat", cpuFields, Self.cpu, 1),
            ("memory", "/proc/meminfo", memoryFields, Self.memoryUse, 10),
            ("network", "all interfaces but lo, /proc/net/dev", networkFields, Self.network, 10),
            ("load", "/proc/loadavg", loadFields, Self.load, 100),
        ]
        for (name, notes, range, offset, ticks) in polled {
            var config = Self.config(TICKLOG_POLL, name, notes)
            config.interval_ns = ticks * Self.tickNs
            use(range, &config)
            config.source = UnsafeRawPointer(memory + offset)
            let status = ticklog_add(logger, &config, nil)
            guard status == TICKLOG_OK else { return status }
        }

        var switches = Self.config(TICKLOG_POLL, "switches", "context switches since the start, /proc/stat")
        switches.type = u64
        switches.unit = Self.text("switches")
        switches.interval_ns = Self.tickNs
        switches.source = UnsafeRawPointer(memory + Self.switches)
        var status = ticklog_add(logger, &switches, nil)
        guard status == TICKLOG_OK else { return status }

        var activity = Self.config(TICKLOG_WATCH, "activity", "share of the processors in use, in tenths, when it changes")
        activity.type = UInt16(TICKLOG_U8)
        activity.source = UnsafeRawPointer(memory + Self.activity)
        status = ticklog_add(logger, &activity, nil)
        guard status == TICKLOG_OK else { return status }

        var processes = Self.config(TICKLOG_EMIT, "processes", "when the number of running processes changes")
        use(processFields, &processes)
        status = ticklog_add(logger, &processes, &processesStream)
        guard status == TICKLOG_OK else { return status }

        var heartbeat = Self.config(TICKLOG_EMIT, "heartbeat", "every second; how late the sampler woke")
        use(heartbeatFields, &heartbeat)
        return ticklog_add(logger, &heartbeat, &heartbeatStream)
    }

    /// Reads what is due at a tick. Called by the sampler, before `ticklog_tick`.
    func read(tick: UInt64) {
        stat.read()
        if var at = stat.find("cpu ") {
            for i in 0..<5 { memory.storeBytes(of: stat.number(&at), toByteOffset: Self.cpu + 8 * i, as: UInt64.self) }
        }
        memory.storeBytes(of: stat.number(after: "ctxt "), toByteOffset: Self.switches, as: UInt64.self)
        if tick % 10 == 0 {
            memoryInfo.read()
            networkDevices.read()
            let bytes = networkDevices.networkBytes()
            let values = [
                memoryInfo.number(after: "MemTotal:"), memoryInfo.number(after: "MemAvailable:"),
                memoryInfo.number(after: "MemFree:"), memoryInfo.number(after: "Cached:"), bytes.received, bytes.sent,
            ]
            for i in 0..<values.count {
                memory.storeBytes(of: values[i], toByteOffset: Self.memoryUse + 8 * i, as: UInt64.self)
            }
        }
        if tick % 100 == 0 {
            loadAverage.read()
            var at = 0
            for i in 0..<3 {
                memory.storeBytes(of: loadAverage.decimal(&at), toByteOffset: Self.load + 4 * i, as: Float.self)
            }
        }
        if tick % 25 == 0 { updateActivity() }
    }

    /// Emits the events that have come up. Called by the sampler, after `ticklog_tick`.
    func emit(tick: UInt64, lateNs: UInt64) {
        let running = UInt32(truncatingIfNeeded: stat.number(after: "procs_running "))
        if running != lastRunning {
            lastRunning = running
            let blocked = UInt32(truncatingIfNeeded: stat.number(after: "procs_blocked "))
            emit(processesStream, Self.processes, running, blocked)
        }
        if tick % 100 == 0 {
            emit(heartbeatStream, Self.heartbeat, UInt32(truncatingIfNeeded: tick / 100), UInt32(clamping: lateNs / 1000))
        }
    }

    private func emit(_ stream: OpaquePointer?, _ offset: Int, _ first: UInt32, _ second: UInt32) {
        memory.storeBytes(of: first, toByteOffset: offset, as: UInt32.self)
        memory.storeBytes(of: second, toByteOffset: offset + 4, as: UInt32.self)
        _ = ticklog_emit(stream, memory + offset, 8)  // a full ring is counted and declared
    }

    private func updateActivity() {
        func jiffies(_ i: Int) -> UInt64 { memory.load(fromByteOffset: Self.cpu + 8 * i, as: UInt64.self) }
        let busy = jiffies(0) &+ jiffies(1) &+ jiffies(2)
        let idle = jiffies(3) &+ jiffies(4)
        let all = (busy &- lastBusy) &+ (idle &- lastIdle)
        if lastIdle > 0, all > 0 {
            memory.storeBytes(of: UInt8(clamping: (busy &- lastBusy) &* 10 / all), toByteOffset: Self.activity, as: UInt8.self)
        }
        lastBusy = busy
        lastIdle = idle
    }

    private static func text(_ text: StaticString) -> UnsafePointer<CChar> {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    private static func config(_ kind: UInt32, _ name: StaticString, _ notes: StaticString) -> ticklog_stream_config {
        var config = ticklog_stream_config()
        config.size = UInt32(MemoryLayout<ticklog_stream_config>.size)
        config.kind = UInt16(kind)
        config.name = text(name)
        config.notes = text(notes)
        return config
    }

    /// Describes a structure of members without gaps; the range of its fields.
    private func structure(_ members: [(StaticString, UInt16)], _ unit: StaticString?) -> (Int, Int) {
        let start = fieldCount
        var offset: UInt32 = 0
        for (name, type) in members {
            let size: UInt32 = type == UInt16(TICKLOG_U64) ? 8 : 4
            (fields + fieldCount).initialize(
                to: ticklog_field(
                    name: Self.text(name), unit: unit.map { Self.text($0) }, type: type, count: 1, offset: offset,
                    size: size))
            offset += size
            fieldCount += 1
        }
        return (start, fieldCount)
    }

    private func use(_ range: (Int, Int), _ config: inout ticklog_stream_config) {
        config.fields = UnsafePointer(fields + range.0)
        config.field_count = UInt32(range.1 - range.0)
        let last = fields[range.1 - 1]
        config.source_size = last.offset + last.size
    }
}
