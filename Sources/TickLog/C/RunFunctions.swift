import CTickLog
import Synchronization

// ticklog.h, section Runs.

@c @implementation
public func ticklog_run_size(_ logger: OpaquePointer!, _ config: UnsafePointer<ticklog_run_config>!) -> Int {
    guard let logger = Logger.from(logger) else { return 0 }
    var status = TICKLOG_OK
    guard var own = config?.taken() else { return 0 }
    return RunPlan.make(logger, &own, &status)?.places.bytes ?? 0
}

@c @implementation
public func ticklog_start(
    _ logger: OpaquePointer!, _ config: UnsafePointer<ticklog_run_config>!, _ memory: UnsafeMutableRawPointer!,
    _ bytes: Int, _ run: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard logger != nil, let config, let run else { return TICKLOG_NULL }
    guard let logger = Logger.from(logger) else { return TICKLOG_BAD_HANDLE }
    guard var own = config.taken() else { return TICKLOG_BAD_SIZE }
    return RunStart.start(logger, &own, memory, bytes, run)
}

@c @implementation
public func ticklog_tick(_ run: OpaquePointer!, _ elapsed: UInt32) -> ticklog_status {
    guard let run = RunShared.from(run) else { return refused(run) }
    guard elapsed > 0, elapsed >> 31 == 0 else { return TICKLOG_BAD_TICK }
    let sampler = run.pointee.sampler
    return sampler.pointee.tick(elapsed)
}

@c @implementation
public func ticklog_emit(_ stream: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ count: Int) -> ticklog_status {
    guard stream != nil, let bytes else { return TICKLOG_NULL }
    guard let stream = Stream.from(stream) else { return TICKLOG_BAD_HANDLE }
    guard stream.pointee.isEmitted else { return TICKLOG_BAD_ARGUMENT }
    guard count == Int(stream.pointee.sampleBytes) else { return TICKLOG_BAD_SIZE }
    let handles = stream.pointee.handles
    let slots = stream.pointee.slots
    var status = TICKLOG_CLOSED
    var i = 0
    while i < slots {
        if let handle = UnsafeMutablePointer<EventHandle>(bitPattern: handles[i].load(ordering: .acquiring)) {
            // Before the gate, whose fence would hold the loads up.
            let tick = handle.pointee.now
            let producer = handle.pointee.producer
            if handle.pointee.gate.enter(handle.pointee.run) {
                if let out = handle.pointee.reserve(tick: tick) {
                    if count == 16 {
                        // The common event of two words is not worth a call.
                        out.store(bytes.load(UInt64.self))
                        out.store(bytes.load(UInt64.self, at: 8), at: 8)
                    } else {
                        out.copy(bytes, count)
                    }
                    producer.pointee.publish()
                    if status == TICKLOG_CLOSED { status = TICKLOG_OK }
                } else {
                    status = TICKLOG_RING_FULL
                }
                handle.pointee.gate.leave()
            }
        }
        i &+= 1
    }
    return status
}

@c @implementation
public func ticklog_note(_ run: OpaquePointer!, _ level: UInt8, _ text: UnsafePointer<CChar>!) -> ticklog_status {
    guard run != nil, let text else { return TICKLOG_NULL }
    guard let run = RunShared.from(run) else { return TICKLOG_BAD_HANDLE }
    guard !run.pointee.isDLF else { return TICKLOG_UNSUPPORTED }
    let length = text.length(Builtin.noteText + 1)
    guard length <= Builtin.noteText else { return TICKLOG_NAME_TOO_LONG }
    return builtin(run, Builtin.note) { out in
        out.store(level)
        (out + 1).copy(text, length)
        if length < Builtin.noteText { out.store(UInt8(0), at: 1 + length) }
    }
}

@c @implementation
public func ticklog_set_time(
    _ run: OpaquePointer!, _ tick: UInt64, _ epoch_ns: Int64, _ uncertainty_ns: UInt32, _ source: UInt8
) -> ticklog_status {
    guard let run = RunShared.from(run) else { return refused(run) }
    guard !run.pointee.isDLF else { return TICKLOG_UNSUPPORTED }
    let ticks = run.pointee.ticks.load()
    guard tick < max(ticks, 1) else { return TICKLOG_BAD_TICK }
    return builtin(run, Builtin.clock, tick: tick) { out in
        out.store(epoch_ns)
        out.store(uncertainty_ns, at: 8)
        out.store(source, at: 12)
    }
}

@c @implementation
public func ticklog_service(_ run: OpaquePointer!) -> ticklog_status {
    guard let run = RunShared.from(run) else { return refused(run) }
    guard run.pointee.state.load(ordering: .acquiring) != RunShared.closed else { return TICKLOG_CLOSED }
    let writer = run.pointee.writer
    return writer.pointee.service()
}

@c @implementation
public func ticklog_flush(_ run: OpaquePointer!) -> ticklog_status {
    guard let run = RunShared.from(run) else { return refused(run) }
    guard run.pointee.state.load(ordering: .acquiring) == RunShared.open else { return TICKLOG_CLOSED }
    let writer = run.pointee.writer
    return writer.pointee.flush()
}

@c @implementation
public func ticklog_stop(_ run: OpaquePointer!) -> ticklog_status {
    guard let run = RunShared.from(run) else { return refused(run) }
    guard run.pointee.state.load(ordering: .acquiring) != RunShared.closed else { return TICKLOG_CLOSED }
    let writer = run.pointee.writer
    return writer.pointee.stop()
}

@c @implementation
public func ticklog_run_name(_ run: OpaquePointer!) -> UnsafePointer<CChar>! {
    guard let run = RunShared.from(run) else { return nil }
    return UnsafePointer(run.pointee.name)
}

/// Why a handle is none.
private func refused(_ handle: OpaquePointer?) -> ticklog_status {
    handle == nil ? TICKLOG_NULL : TICKLOG_BAD_HANDLE
}

/// Logs an event of a built-in stream.
@inline(__always)
private func builtin(
    _ run: RunShared.Pointer, _ index: Int, tick: UInt64? = nil, _ fill: (UnsafeMutableRawPointer) -> Void
) -> ticklog_status {
    let handle = run.pointee.eventHandles.pointer(run.pointee.eventHandles.count - Logger.builtinCount + index)
    guard handle.pointee.gate.enter(run) else { return TICKLOG_CLOSED }
    var status = TICKLOG_RING_FULL
    if let out = handle.pointee.reserve(tick: tick ?? handle.pointee.now) {
        fill(out)
        handle.pointee.publish()
        status = TICKLOG_OK
    }
    handle.pointee.gate.leave()
    return status
}
