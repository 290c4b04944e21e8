import CTickLog
import Synchronization

/// The ticker's side of a run: meters the streams and copies what is due into the ring. Nothing here waits.
struct Sampler {
    let run: RunShared.Pointer
    let gate: ProducerGate
    let producer: UnsafeMutablePointer<RingProducer>
    let polled: Table<PolledHandle>
    let watched: Table<WatchHandle>
    let groups: Table<ScheduleGroup>
    var gap: GapKeeper
    private var ticks: UInt64 = 0

    init(
        run: RunShared.Pointer, gate: ProducerGate, producer: UnsafeMutablePointer<RingProducer>,
        polled: Table<PolledHandle>, watched: Table<WatchHandle>, groups: Table<ScheduleGroup>, gap: GapKeeper
    ) {
        self.run = run
        self.gate = gate
        self.producer = producer
        self.polled = polled
        self.watched = watched
        self.groups = groups
        self.gap = gap
    }

    /// Advances the tick counter and samples what is due at the newest tick. Corresponds to `ticklog_tick`.
    @_optimize(speed)
    mutating func tick(_ elapsed: UInt32) -> ticklog_status {
        guard gate.enter(run) else { return TICKLOG_CLOSED }
        let first = ticks
        let tick = first &+ UInt64(elapsed) &- 1
        ticks = tick &+ 1
        // Before gap and record, so that offered samples are never fewer than written and lost ones.
        run.pointee.ticks.store(ticks)
        if elapsed > 1 { skip(from: first, to: tick) }
        var status = TICKLOG_OK
        if !sampleRow(tick) { status = TICKLOG_RING_FULL }
        var i = 0
        while i < watched.count {
            if !watched.pointer(i).pointee.sample(tick: tick) { status = TICKLOG_RING_FULL }
            i &+= 1
        }
        gate.leave()
        return status
    }

    /// All samples that are due at the tick as one record; false if the ring is too full for it.
    @inline(__always)
    private mutating func sampleRow(_ tick: UInt64) -> Bool {
        var payload: UInt32 = 0
        var i = 0
        while i < groups.count {
            let group = groups.pointer(i)
            if group.pointee.due == tick { payload &+= group.pointee.rowBytes }
            i &+= 1
        }
        if payload == 0 { return true }
        let bytes = RecordHeader.bytes(payload: payload)
        guard let record = reserve(bytes) else {
            drop(tick)
            return false
        }
        record.assumingMemoryBound(to: RecordHeader.self).initialize(
            to: RecordHeader(bytes: bytes, kind: RecordKind.row, stream: 0, tick: tick))
        var out = record + Int(RecordHeader.size)
        i = 0
        while i < polled.count {
            let handle = polled.pointer(i)
            if groups.pointer(handle.pointee.group).pointee.due == tick {
                handle.pointee.sample(to: out)
                out += Int(handle.pointee.recordBytes)
            }
            i &+= 1
        }
        producer.pointee.publish()
        advance(tick)
        return true
    }

    @inline(__always)
    private func advance(_ tick: UInt64) {
        var i = 0
        while i < groups.count {
            let group = groups.pointer(i)
            if group.pointee.due == tick { group.pointee.due &+= group.pointee.schedule.interval }
            i &+= 1
        }
    }

    /// Room for a record, behind the gap before it if there is one: both or none.
    @inline(__always)
    private mutating func reserve(_ bytes: UInt32) -> UnsafeMutableRawPointer? {
        if !gap.isOpen { return producer.pointee.reserve(bytes) }
        guard let record = producer.pointee.reserve(GapRecord.recordBytes &+ bytes) else { return nil }
        gap.store(to: record, kind: RecordKind.rowGap, stream: 0)
        return record + Int(GapRecord.recordBytes)
    }

    @inline(never)
    private mutating func drop(_ tick: UInt64) {
        gap.extend(TICKLOG_LOSS_RING_FULL, first: tick, last: tick, samples: 0)
        advance(tick)
    }

    /// Counts what was due in [first, end) as lost. The one place where the schedule divides: ticks were missed anyway.
    @inline(never)
    private mutating func skip(from first: UInt64, to end: UInt64) {
        var isDue = false
        var i = 0
        while i < groups.count {
            let group = groups.pointer(i)
            if group.pointee.due < end {
                isDue = true
                group.pointee.due = group.pointee.schedule.next(from: end)
            }
            i &+= 1
        }
        if isDue { gap.extend(TICKLOG_LOSS_LATE, first: first, last: end &- 1, samples: 0) }
    }
}
