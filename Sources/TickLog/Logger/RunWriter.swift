import CTickLog
import Synchronization

/// The service side of a run: drains the rings into files. The only part that does I/O.
struct RunWriter {
    let run: RunShared.Pointer
    let plan: UnsafePointer<RunPlan>
    let storage: UnsafePointer<ticklog_storage>
    let rings: Table<RingConsumer>
    let polledHandles: Table<PolledHandle>
    let groups: Table<ScheduleGroup>
    /// The open gaps: the polled rows', then each event stream's.
    let gaps: UnsafeMutablePointer<OpenGap>
    var rowGap = GapReader()
    let path: UnsafeMutableRawPointer
    /// Where the file's name begins in `path`.
    let pathName: Int
    /// BCSV: where each owner's new sample lies; see `RowEncoder`.
    let polledSamples: Table<UnsafeRawPointer?>
    let eventSamples: Table<UnsafeRawPointer?>
    let rowSample: UnsafeMutableRawPointer
    /// DLF: the last value of each polled stream.
    let heldSamples: UnsafeMutableRawPointer
    let documents: RunDocuments
    /// Bytes that closing the run needs at most: for max_bytes.
    let tailBytes: UInt64

    /// Polled, event and, in DLF runs, loss: a BCSV run declares losses in its event file.
    let files: Table<LogFile>
    var tally = StorageTally()
    /// As it was when it was published last.
    var publishedTally = StorageTally()
    /// The newest tick that the polled file is complete to, and one.
    var completeTicks: UInt64 = 0
    /// The newest tick of which everything was taken from the rings, and one: what the event file is complete to.
    var takenTicks: UInt64 = 0
    var lastFlush: UInt64 = 0
    /// Ticks up to `fillEnd` that were lost are being filled with held values (DLF, or no tick column).
    var isFilling = false
    var fillEnd: UInt64 = 0
    /// The gap at the front of the ring is declared already; its filling was interrupted.
    var isGapTaken = false
    var lastLossTick: UInt64 = 0
    /// Some stream has losses that are not declared yet.
    var hasLosses = false
    /// max_bytes is reached: what is still in the rings is declared lost.
    var isDiscarding = false
    var hasFailed = false
    var closing = Closing.notYet

    @inline(__always) var polled: UnsafeMutablePointer<LogFile> { files.base }
    @inline(__always) var event: UnsafeMutablePointer<LogFile> { files.base + 1 }
    var loss: UnsafeMutablePointer<LogFile> { files.pointer(2) }

    enum Closing {
        case notYet, silencing, draining, endingPolled, endingRest, unlocking, closed
    }

    // MARK: Service

    /// Corresponds to `ticklog_service`.
    mutating func service() -> ticklog_status {
        let errors = tally.errors
        beginCalls()
        if case .notYet = closing {
            _ = pass()
            if isDiscarding {
                closeRun()
                let status = finish()
                publishTally()
                return status == TICKLOG_OK ? TICKLOG_FULL : status
            }
            let now = run.pointee.ticks.load()
            if now &- lastFlush >= plan.pointee.flushTicks, hasNews {
                if flushFiles() { lastFlush = now }
            } else {
                // Large writes are what storage is good at: half a buffer at a time.
                if polled.pointee.buffer.pending * 2 >= polled.pointee.buffer.capacity { _ = polled.pointee.drain(all: false, storage, &tally) }
                if event.pointee.buffer.pending * 2 >= event.pointee.buffer.capacity { _ = event.pointee.drain(all: false, storage, &tally) }
            }
            publishTally()
            return tally.errors == errors ? TICKLOG_OK : tally.lastError
        }
        let status = finish()
        publishTally()
        return status == TICKLOG_OK && isDiscarding ? TICKLOG_FULL : status
    }

    private var hasNews: Bool {
        for i in 0..<files.count where files.pointer(i).pointee.hasNews { return true }
        return false
    }

    /// Corresponds to `ticklog_flush`.
    mutating func flush() -> ticklog_status {
        let errors = tally.errors
        let ticks = overTicks
        var idle = 0
        var rounds = 0
        while true {
            beginCalls()
            let bytes = tally.bytes
            let isDrained = pass()
            if isDiscarding { return service() }
            // Ticks that come meanwhile may keep gaps open that were there before.
            rounds += 1
            let isTaken = takenTicks >= ticks
            if isDrained, isTaken || rounds >= Self.flushRounds, flushFiles() {
                lastFlush = run.pointee.ticks.load()
                publishTally()
                return tally.errors != errors ? tally.lastError : isTaken ? TICKLOG_OK : TICKLOG_BUSY
            }
            publishTally()
            if tally.errors != errors { return tally.lastError }
            idle = tally.bytes == bytes ? idle + 1 : 0
            if idle >= Self.patience, !isDrained || isTaken || rounds >= Self.flushRounds { return TICKLOG_BUSY }
        }
    }

    /// How often flush looks whether nothing new came while it took what was there.
    static let flushRounds = 64

    /// How often storage may be busy without progress before flush and stop give the time back to the caller.
    static let patience = 2

    mutating func beginCalls() {
        for i in 0..<files.count {
            files.pointer(i).pointee.buffer.isStalled = false
            files.pointer(i).pointee.isRollRefused = false
        }
    }

    /// Takes everything that is in the rings now. False: storage stalled before the end.
    @_optimize(speed)
    mutating func pass() -> Bool {
        let ticks = overTicks
        let wasOpen = hasOpenGap
        for i in 0..<rings.count { rings.pointer(i).pointee.refresh() }
        run.pointee.counters.pointee.ringHighWater.store(rings.base.pointee.highWater, ordering: .relaxed)
        guard !polled.pointee.isChanging || continueChange(polled), !event.pointee.isChanging || continueChange(event),
            !isFilling || continueFill(), drainRings() else {
            if !isDiscarding { flushLosses() }
            return false
        }
        if hasOpenGap {
            guard areRingsEmpty else { return isDiscarding || flushLosses() }
            takeOpenGaps()
            guard continueFill() else { return false }
        } else if wasOpen {
            // Its end came into the ring behind what was looked at.
            return isDiscarding || flushLosses()
        }
        // Once max_bytes is reached losses are collected, and declared when nothing comes any more.
        guard isDiscarding || flushLosses() else { return false }
        takenTicks = max(takenTicks, ticks)
        if !isDiscarding { completeTicks = max(completeTicks, ticks) }
        return true
    }

    /// Ticks of which all is in the rings. A call of the ticker counts its ticks before it samples, so that its count says
    /// nothing while it is under way.
    private var overTicks: UInt64 {
        let ticks = run.pointee.ticks.load()
        return run.pointee.busy.pointee.load(ordering: .sequentiallyConsistent) == 0 ? ticks : takenTicks
    }

    /// Merges the rings by tick; among equal ticks the ticker's ring comes first, then the queues in order of adding.
    @_optimize(speed)
    private mutating func drainRings() -> Bool {
        while true {
            var best = -1
            var record: UnsafeMutablePointer<RecordHeader>?
            var i = 0
            while i < rings.count {
                if let front = rings.pointer(i).pointee.front(), record == nil || front.pointee.tick < record!.pointee.tick {
                    best = i
                    record = front
                }
                i &+= 1
            }
            guard let record else { return true }
            guard consume(record) else { return false }
            rings.pointer(best).pointee.pop(record)
        }
    }

    /// Encodes a record, or declares it. False: there is no room until storage takes something.
    private mutating func consume(_ record: UnsafeMutablePointer<RecordHeader>) -> Bool {
        let payload = UnsafeMutableRawPointer(record) + Int(RecordHeader.size)
        let tick = record.pointee.tick
        switch record.pointee.kind {
        case RecordKind.row:
            return isDiscarding ? discardRow(tick) : appendRow(tick, payload)
        case RecordKind.event:
            let stream = Int(record.pointee.stream)
            if isDiscarding {
                noteLoss(eventSlot(stream), UInt8(TICKLOG_LOSS_STORAGE), tick, tick, 1)
                return true
            }
            return appendEvent(stream, tick, payload)
        case RecordKind.rowGap:
            if !isGapTaken {
                takeRowGap(payload.assumingMemoryBound(to: GapRecord.self).pointee)
                isGapTaken = true
            }
            guard continueFill() else { return false }
            isGapTaken = false
            return true
        default:
            takeEventGap(Int(record.pointee.stream), payload.assumingMemoryBound(to: GapRecord.self).pointee)
            return true
        }
    }

    // MARK: Rows

    private var fillsGaps: Bool { plan.pointee.isDLF || !plan.pointee.tickColumn }

    @_optimize(speed)
    private mutating func appendRow(_ tick: UInt64, _ payload: UnsafeMutableRawPointer) -> Bool {
        guard roomFor(polled) else { return isDiscarding ? discardRow(tick) : false }
        var sample = UnsafeRawPointer(payload)
        var allPresent = true
        var isBusy = false
        var i = 0
        while i < polledHandles.count {
            let handle = polledHandles.pointer(i)
            if groups.pointer(handle.pointee.group).pointee.due == tick {
                var at: UnsafeRawPointer? = sample
                if handle.pointee.isGuarded {
                    at = sample.load(UInt32.self) == 0 ? nil : sample + 4
                    if at == nil { isBusy = true }
                }
                put(at, of: i)
                if at == nil { allPresent = false }
                sample += Int(handle.pointee.recordBytes)
            } else {
                allPresent = false
                if !plan.pointee.isDLF { polledSamples[i] = nil }
            }
            i &+= 1
        }
        if !plan.pointee.isDLF {
            rowSample.store(tick)
            polled.pointee.append(.all(allPresent: allPresent))
        }
        wroteRow(tick, counts: true)
        if isBusy { declareBusy(tick, payload) }
        return true
    }

    /// Hands the new sample of a polled stream to the row, or its held value for nil.
    @inline(__always)
    private mutating func put(_ sample: UnsafeRawPointer?, of stream: Int) {
        if plan.pointee.isDLF {
            putDLF(sample, of: stream)
        } else {
            polledSamples[stream] = sample
        }
    }

    private mutating func putDLF(_ sample: UnsafeRawPointer?, of stream: Int) {
        let bytes = Int(polledHandles.pointer(stream).pointee.bytes)
        let held = heldSamples + Int(polledHandles.pointer(stream).pointee.heldOffset)
        if let sample { held.copy(sample, bytes) }
        polled.pointee.buffer.next.copy(held, bytes)
        polled.pointee.buffer.advance(bytes)
    }

    /// After a row at `tick`: the schedule goes on, and the groups' samples are counted unless they are declared lost.
    @_optimize(speed)
    private mutating func wroteRow(_ tick: UInt64, counts: Bool) {
        var samples: UInt64 = 0
        var i = 0
        while i < groups.count {
            let group = groups.pointer(i)
            if group.pointee.due == tick {
                group.pointee.due &+= group.pointee.schedule.interval
                if counts {
                    (run.pointee.groupRows + i).pointee.add(1)
                    group.pointee.unsynced &+= 1
                    samples &+= UInt64(group.pointee.streams)
                }
            }
            i &+= 1
        }
        polled.pointee.noteRow(tick)
        completeTicks = tick &+ 1
        run.pointee.counters.pointee.written.add(samples)
        run.pointee.counters.pointee.rows.add(1)
    }

    /// Fills lost ticks with held values, as far as there is room.
    private mutating func continueFill() -> Bool {
        if !isFilling { return true }
        while let tick = nextDue, tick <= fillEnd {
            guard roomFor(polled) else {
                if isDiscarding { break }
                return false
            }
            if plan.pointee.isDLF {
                for i in 0..<polledHandles.count
                where groups.pointer(polledHandles.pointer(i).pointee.group).pointee.due == tick {
                    putDLF(nil, of: i)
                }
            } else {
                polled.pointee.append(.repeated)
            }
            wroteRow(tick, counts: false)
        }
        isFilling = false
        skipSchedule(through: fillEnd)
        return true
    }

    private var nextDue: UInt64? {
        var least: UInt64?
        for i in 0..<groups.count {
            let due = groups.pointer(i).pointee.due
            if least == nil || due < least! { least = due }
        }
        return least
    }

    /// Ticks through `last` will not come any more.
    private mutating func skipSchedule(through last: UInt64) {
        for i in 0..<groups.count where groups.pointer(i).pointee.due <= last {
            groups.pointer(i).pointee.due = groups.pointer(i).pointee.schedule.next(from: last &+ 1)
        }
        // What max_bytes keeps out of the file does not count as complete.
        if !isDiscarding, completeTicks <= last { completeTicks = last &+ 1 }
    }

    // MARK: Events

    func eventSlot(_ stream: Int) -> UnsafeMutablePointer<StreamSlot> {
        precondition(stream < plan.pointee.eventCount)
        return run.pointee.eventSlots + stream
    }

    private mutating func appendEvent(_ stream: Int, _ tick: UInt64, _ payload: UnsafeRawPointer) -> Bool {
        guard roomFor(event) else {
            if isDiscarding {
                noteLoss(eventSlot(stream), UInt8(TICKLOG_LOSS_STORAGE), tick, tick, 1)
            }
            return isDiscarding
        }
        putEvent(stream, tick, payload)
        let slot = eventSlot(stream)
        slot.pointee.written.add(1)
        slot.pointee.unsynced &+= 1
        run.pointee.counters.pointee.written.add(1)
        return true
    }

    /// Appends an event to the event file, which has room.
    private mutating func putEvent(_ stream: Int, _ tick: UInt64, _ payload: UnsafeRawPointer) {
        let s = eventSlot(stream).pointee.stream
        if plan.pointee.isDLF {
            let out = event.pointee.buffer.next
            let bytes = Int(s.pointee.sampleBytes)
            out.store(UInt16(stream))
            out.store(tick, at: 2)
            (out + DLFDocuments.recordHeaderBytes).copy(payload, bytes)
            event.pointee.buffer.advance(DLFDocuments.recordHeaderBytes + bytes)
        } else {
            rowSample.store(tick)
            let name = s.pointee.config.name!
            let length = name.length(FieldCursor.rowNameCapacity - 1)
            (rowSample + FieldCursor.rowNameOffset).copy(name, length)
            rowSample.store(UInt8(0), at: FieldCursor.rowNameOffset + length)
            eventSamples[stream] = payload
            event.pointee.append(.event(owner: stream))
            eventSamples[stream] = nil
        }
        event.pointee.noteRow(tick)
        run.pointee.counters.pointee.rows.add(1)
    }

    // MARK: Losses

    private var hasOpenGap: Bool {
        @inline(__always) get {
            var i = 0
            while i <= plan.pointee.eventCount {
                if (gaps + i).pointee.isOpen { return true }
                i &+= 1
            }
            return false
        }
    }

    /// A ring that is empty after the gap was read holds no older gap of the same producer: they are taken in order.
    private mutating func takeOpenGaps() {
        if let gap = gaps.pointee.read(), rings.base.pointee.isEmpty { takeRowGap(gap) }
        for i in 0..<plan.pointee.eventCount {
            if let gap = (gaps + 1 + i).pointee.read(), areRingsEmpty { takeEventGap(i, gap) }
        }
    }

    private var areRingsEmpty: Bool {
        for i in 0..<rings.count where !rings.pointer(i).pointee.isEmpty { return false }
        return true
    }

    private mutating func takeRowGap(_ gap: GapRecord) {
        guard let rest = rowGap.take(gap) else { return }
        declareRows(UInt8(truncatingIfNeeded: rest.reason), rest.first, rest.last)
        run.pointee.counters.pointee.longestGap.store(
            max(run.pointee.counters.pointee.longestGap.load(), gap.last - gap.first + 1))
        if fillsGaps, !isDiscarding {
            isFilling = true
            fillEnd = rest.last
        } else {
            skipSchedule(through: rest.last)
        }
    }

    private mutating func takeEventGap(_ stream: Int, _ gap: GapRecord) {
        guard let rest = eventSlot(stream).pointee.gap.take(gap) else { return }
        noteLoss(
            eventSlot(stream), UInt8(truncatingIfNeeded: rest.reason), rest.first, rest.last,
            UInt64(rest.samples))
    }

    private mutating func discardRow(_ tick: UInt64) -> Bool {
        declareRows(UInt8(TICKLOG_LOSS_STORAGE), tick, tick)
        skipSchedule(through: tick)
        return true
    }

    /// Declares all polled samples that were due in [first, last].
    private mutating func declareRows(_ reason: UInt8, _ first: UInt64, _ last: UInt64) {
        for i in 0..<polledHandles.count {
            let schedule = groups.pointer(polledHandles.pointer(i).pointee.group).pointee.schedule
            let samples = schedule.count(from: first, through: last)
            if samples > 0 {
                noteLoss(run.pointee.polledSlots + i, reason, first, last, samples)
            }
        }
    }

    /// Where a guard refused, the last value stands in the row, and the sample counts as lost instead of written. After the
    /// row was counted: who reads statistics meanwhile must not find less than nothing written.
    @inline(never)
    private mutating func declareBusy(_ tick: UInt64, _ payload: UnsafeRawPointer) {
        var sample = payload
        for i in 0..<polledHandles.count {
            let handle = polledHandles.pointer(i)
            let group = groups.pointer(handle.pointee.group)
            // The schedule has gone on already.
            guard group.pointee.due &- group.pointee.schedule.interval == tick else { continue }
            if handle.pointee.isGuarded, sample.load(UInt32.self) == 0 {
                let slot = run.pointee.polledSlots + i
                slot.pointee.written.add(1)
                slot.pointee.unsynced &+= 1
                unwrite(1)
                noteLoss(slot, UInt8(TICKLOG_LOSS_BUSY), tick, tick, 1)
            }
            sample += Int(handle.pointee.recordBytes)
        }
    }

    /// Adds to what a stream has lost, to be declared when there is room. Ranges are kept apart while there is.
    private mutating func noteLoss(
        _ slot: UnsafeMutablePointer<StreamSlot>, _ reason: UInt8, _ first: UInt64, _ last: UInt64,
        _ samples: UInt64
    ) {
        hasLosses = true
        let pending = slot.pointee.pending
        // The tail that max_bytes reserves holds one loss of each stream.
        if !isDiscarding, pending.samples > 0, pending.reason != reason || pending.last &+ 1 < first {
            _ = declare(slot)
        }
        if slot.pointee.pending.samples == 0 {
            slot.pointee.pending = PendingLoss(reason: reason, first: first, last: last, samples: samples)
        } else {
            slot.pointee.pending.reason = isDiscarding ? UInt8(TICKLOG_LOSS_STORAGE) : reason
            slot.pointee.pending.first = min(slot.pointee.pending.first, first)
            slot.pointee.pending.last = max(slot.pointee.pending.last, last)
            slot.pointee.pending.samples &+= samples
        }
    }

    /// Writes every pending loss into the file. False: there was no room for all.
    @discardableResult
    mutating func flushLosses() -> Bool {
        if !hasLosses { return true }
        var areDeclared = true
        for i in 0..<plan.pointee.polledCount where run.pointee.polledSlots[i].pending.samples > 0 {
            if !declare(run.pointee.polledSlots + i) { areDeclared = false }
        }
        for i in 0..<plan.pointee.eventCount where run.pointee.eventSlots[i].pending.samples > 0 {
            if !declare(run.pointee.eventSlots + i) { areDeclared = false }
        }
        hasLosses = !areDeclared
        return areDeclared
    }

    /// Writes one stream's pending loss.
    private mutating func declare(_ slot: UnsafeMutablePointer<StreamSlot>) -> Bool {
        let pending = slot.pointee.pending
        var bytes: [24 of UInt8] = .init(repeating: 0)
        let isDeclared = withUnsafeMutableBytes(of: &bytes) { buffer in
            let record = buffer.baseAddress!
            record.store(slot.pointee.index, at: Int(LossRecord.streamOffset))
            record.store(pending.reason, at: Int(LossRecord.reasonOffset))
            record.store(pending.first, at: Int(LossRecord.firstOffset))
            record.store(pending.last, at: Int(LossRecord.lastOffset))
            record.store(UInt32(clamping: pending.samples), at: Int(LossRecord.samplesOffset))
            // A stream's own rows are in order of ticks, whatever streams its losses are of.
            return putLoss(record, max(pending.last, lastLossTick))
        }
        guard isDeclared else { return false }
        lastLossTick = max(pending.last, lastLossTick)
        slot.pointee.pending = PendingLoss()
        slot.pointee.lost.add(pending.samples)
        let counters = run.pointee.counters
        counters.pointee.lost.add(pending.samples)
        switch UInt32(pending.reason) {
        case TICKLOG_LOSS_RING_FULL: counters.pointee.lostRingFull.add(pending.samples)
        case TICKLOG_LOSS_LATE: counters.pointee.lostLate.add(pending.samples)
        case TICKLOG_LOSS_BUSY: counters.pointee.lostBusy.add(pending.samples)
        default: counters.pointee.lostStorage.add(pending.samples)
        }
        return true
    }

    /// Appends a loss to its file.
    private mutating func putLoss(_ record: UnsafeRawPointer, _ tick: UInt64) -> Bool {
        if !isDiscarding { _ = reachesMaxBytes(UInt64((plan.pointee.isDLF ? loss : event).pointee.rowRoom)) }
        if !plan.pointee.isDLF {
            // The tail that max_bytes reserves is for these.
            guard !event.pointee.isChanging, event.pointee.makeRoom(event.pointee.room, storage, &tally) else { return false }
            putEvent(plan.pointee.eventCount - Logger.builtinCount + Builtin.loss, tick, record)
            event.pointee.hasUnsyncedLoss = true
            return true
        }
        let bytes = DLFDocuments.recordHeaderBytes + Int(LossRecord.bytes)
        guard loss.pointee.makeRoom(bytes, storage, &tally) else { return false }
        let out = loss.pointee.buffer.next
        out.store(UInt16(0))
        out.store(tick, at: 2)
        (out + DLFDocuments.recordHeaderBytes).copy(record, Int(LossRecord.bytes))
        loss.pointee.buffer.advance(bytes)
        loss.pointee.noteRow(tick)
        loss.pointee.hasUnsyncedLoss = true
        return true
    }

    /// A sync failed: what was written since the last good one may be gone. It counts as lost from now on.
    ///
    /// Declarations among it may be gone as well, and their samples must not be declared twice: then the run ends with its
    /// LOCK in place.
    mutating func declareUnsynced(_ file: FileKind) {
        for i in 0..<files.count where files.pointer(i).pointee.kind == file && files.pointer(i).pointee.hasUnsyncedLoss {
            hasFailed = true
        }
        if file == .polled, polled.pointee.hasUnsynced {
            for i in 0..<polledHandles.count {
                let slot = run.pointee.polledSlots + i
                let rows = groups.pointer(polledHandles.pointer(i).pointee.group).pointee.unsynced
                // Busy samples among them are declared already.
                let samples = rows - slot.pointee.unsynced
                slot.pointee.unsynced = 0
                if samples == 0 { continue }
                slot.pointee.written.add(samples)
                unwrite(samples)
                noteLoss(
                    slot, UInt8(TICKLOG_LOSS_STORAGE), polled.pointee.unsyncedFirst, polled.pointee.unsyncedLast,
                    samples)
            }
            for i in 0..<groups.count { groups.pointer(i).pointee.unsynced = 0 }
            polled.pointee.hasUnsynced = false
        }
        if file == .event, event.pointee.hasUnsynced {
            for i in 0..<plan.pointee.eventCount where run.pointee.eventSlots[i].unsynced > 0 {
                let slot = run.pointee.eventSlots + i
                let samples = slot.pointee.unsynced
                slot.pointee.unsynced = 0
                slot.pointee.written.store(slot.pointee.written.load() &- samples)
                unwrite(samples)
                noteLoss(
                    slot, UInt8(TICKLOG_LOSS_STORAGE), event.pointee.unsyncedFirst, event.pointee.unsyncedLast,
                    samples)
            }
            event.pointee.hasUnsynced = false
        }
    }

    private func unwrite(_ samples: UInt64) {
        run.pointee.counters.pointee.written.store(run.pointee.counters.pointee.written.load() &- samples)
    }

    mutating func noteSynced(_ file: FileKind) {
        run.pointee.counters.pointee.syncs.add(1)
        for i in 0..<files.count where files.pointer(i).pointee.kind == file { files.pointer(i).pointee.hasUnsyncedLoss = false }
        if file == .polled {
            for i in 0..<groups.count { groups.pointer(i).pointee.unsynced = 0 }
            for i in 0..<plan.pointee.polledCount { run.pointee.polledSlots[i].unsynced = 0 }
            polled.pointee.hasUnsynced = false
        } else if file == .event {
            for i in 0..<plan.pointee.eventCount { run.pointee.eventSlots[i].unsynced = 0 }
            event.pointee.hasUnsynced = false
        }
    }
}
