import CTickLog
import Synchronization

/// Flushing, rolling and closing a run's files.
extension RunWriter {
    // MARK: Room

    /// Whether a row fits into the file, after giving storage what it takes. Rolls the file when it is long enough.
    mutating func roomFor(_ file: UnsafeMutablePointer<LogFile>) -> Bool {
        guard !file.pointee.isChanging || continueChange(file) else { return false }
        // A file has a row at least, however small roll_bytes is: otherwise storage that is busy at each change would get
        // one file after the other, and no row.
        if !plan.pointee.isDLF, file.pointee.buffer.length >= plan.pointee.rollBytes, !file.pointee.isRollRefused,
            file.pointee.packets!.pointee.rowCount > 0,
            !plan.pointee.shortNames || file.pointee.roll < FileName.maxShortRoll
        {
            guard !reachesMaxBytes(UInt64(documents.headerBytes(file.pointee.kind)) + tailBytes) else { return false }
            if beginRoll(file) {
                guard continueChange(file) else { return false }
            }
        }
        guard !reachesMaxBytes(UInt64(file.pointee.rowRoom)) else { return false }
        return file.pointee.makeRoom(file.pointee.room, storage, &tally)
    }

    mutating func reachesMaxBytes(_ more: UInt64) -> Bool {
        if plan.pointee.maxBytes == 0 { return false }
        var total = tally.bytes + tailBytes + more
        for i in 0..<files.count {
            total += UInt64(files.pointer(i).pointee.buffer.pending + (files.pointer(i).pointee.packets?.pointee.unwritten ?? 0))
        }
        if total <= plan.pointee.maxBytes { return false }
        isDiscarding = true
        return true
    }

    // MARK: Changing files

    private mutating func beginRoll(_ file: UnsafeMutablePointer<LogFile>) -> Bool {
        let next = file.pointee.roll + 1
        FileName.store(
            .log(file.pointee.kind), isDLF: false, short: plan.pointee.shortNames, roll: next, to: path + pathName)
        var handle: ticklog_file?
        let status = storage.pointee.open(storage.pointee.context, path.assumingMemoryBound(to: CChar.self), &handle)
        guard status == TICKLOG_OK else {
            // The old file simply grows until storage opens the next one.
            tally.note(status)
            file.pointee.isRollRefused = true
            return false
        }
        file.pointee.closePacket()
        file.pointee.roll = next
        file.pointee.change = .footer(next: handle, emitted: 0)
        return true
    }

    /// Goes on with a change of files. True: none is under way any more.
    mutating func continueChange(_ file: UnsafeMutablePointer<LogFile>) -> Bool {
        while true {
            switch file.pointee.change {
            case .none, .closed:
                return true
            case .footer(let next, let emitted):
                var out = window(on: file, skip: emitted)
                documents.putFooter(&out, file.pointee.packets!.pointee.index, rows: file.pointee.packets!.pointee.rowCount)
                file.pointee.buffer.advance(out.filled)
                if emitted + out.filled == out.position {
                    file.pointee.change = .finish(next: next)
                } else {
                    file.pointee.change = .footer(next: next, emitted: emitted + out.filled)
                    guard drainForChange(file) else { return false }
                }
            case .finish(let next):
                guard file.pointee.buffer.drain(all: true, storage, &tally) == TICKLOG_OK, patchTickSpan(file),
                    syncForChange(file)
                else { return false }
                tally.note(storage.pointee.close(storage.pointee.context, file.pointee.buffer.file))
                if let next {
                    file.pointee.buffer.reset(next)
                    file.pointee.packets?.pointee.beginFile()
                    file.pointee.change = .header(emitted: 0)
                } else {
                    file.pointee.buffer.reset(nil)
                    file.pointee.change = .closed
                }
            case .header(let emitted):
                var out = window(on: file, skip: emitted)
                documents.putHeader(&out, file.pointee.kind)
                file.pointee.buffer.advance(out.filled)
                if emitted + out.filled == out.position {
                    file.pointee.change = .none
                    file.pointee.hasNews = true
                } else {
                    file.pointee.change = .header(emitted: emitted + out.filled)
                    guard drainForChange(file) else { return false }
                }
            }
        }
    }

    private func window(on file: UnsafeMutablePointer<LogFile>, skip: Int) -> Emitter {
        Emitter(skip: skip, out: file.pointee.buffer.next, room: file.pointee.buffer.room)
    }

    /// Makes room for the next window of a document.
    private mutating func drainForChange(_ file: UnsafeMutablePointer<LogFile>) -> Bool {
        file.pointee.buffer.makeRoom(min(file.pointee.buffer.blockSize, file.pointee.buffer.capacity / 2), storage, &tally)
    }

    /// A file that is about to be closed is synced once. False: storage is busy.
    private mutating func syncForChange(_ file: UnsafeMutablePointer<LogFile>) -> Bool {
        switch sync(file) {
        case TICKLOG_OK: noteSynced(file.pointee.kind)
        case TICKLOG_BUSY: return false
        default: declareUnsynced(file.pointee.kind)
        }
        file.pointee.hasNews = false
        return true
    }

    private mutating func sync(_ file: UnsafeMutablePointer<LogFile>) -> ticklog_status {
        guard let sync = storage.pointee.sync else { return TICKLOG_OK }
        let status = sync(storage.pointee.context, file.pointee.buffer.file)
        tally.note(status)
        return status
    }

    // MARK: Flush

    /// Closes the open packets, writes everything and syncs. False: storage did not take all of it.
    mutating func flushFiles() -> Bool {
        var isDone = true
        for i in 0..<files.count {
            // What a failed sync of the polled file has cost is declared in the next files.
            flushLosses()
            if files.pointer(i).pointee.hasNews, !flush(files.pointer(i)) { isDone = false }
        }
        return isDone
    }

    private mutating func flush(_ file: UnsafeMutablePointer<LogFile>) -> Bool {
        guard continueChange(file) else { return false }
        file.pointee.closePacket()
        guard file.pointee.drain(all: true, storage, &tally) == TICKLOG_OK, patchTickSpan(file) else { return false }
        switch sync(file) {
        case TICKLOG_OK:
            noteSynced(file.pointee.kind)
            file.pointee.hasNews = false
            return true
        case TICKLOG_BUSY:
            return false
        default:
            declareUnsynced(file.pointee.kind)
            return false
        }
    }

    /// DLF: the index of the last tick in the data, in every file (spec DLF, section 4).
    private mutating func patchTickSpan(_ file: UnsafeMutablePointer<LogFile>) -> Bool {
        guard plan.pointee.isDLF, storage.pointee.flags & TICKLOG_APPEND_ONLY == 0 else { return true }
        var ticks = completeTicks
        if case .notYet = closing, file.pointee.kind != .polled { ticks = takenTicks }
        var span = ticks == 0 ? 0 : ticks - 1
        let status = withUnsafeBytes(of: &span) { bytes in
            var accepted: UInt32 = 0
            let status = storage.pointee.write(
                storage.pointee.context, file.pointee.buffer.file, DLFDocuments.tickSpanOffset, bytes.baseAddress, 8,
                &accepted)
            return status == TICKLOG_OK && accepted != 8 ? TICKLOG_BUSY : status
        }
        tally.note(status)
        return status == TICKLOG_OK
    }

    mutating func publishTally() {
        if tally.bytes == publishedTally.bytes, tally.errors == publishedTally.errors { return }
        publishedTally = tally
        let counters = run.pointee.counters
        counters.pointee.bytes.store(tally.bytes)
        counters.pointee.storageErrors.store(tally.errors)
        counters.pointee.lastError.store(tally.lastError, ordering: .relaxed)
        var packets: UInt64 = 0
        for i in 0..<files.count { packets += files.pointer(i).pointee.packets?.pointee.closedPackets ?? 0 }
        counters.pointee.packets.store(packets)
    }

    // MARK: Stop

    /// Corresponds to `ticklog_stop`.
    mutating func stop() -> ticklog_status {
        if case .notYet = closing { closeRun() }
        let status = finish()
        publishTally()
        return status
    }

    /// From now on producers are refused.
    mutating func closeRun() {
        run.pointee.state.store(RunShared.closing, ordering: .sequentiallyConsistent)
        let logger = run.pointee.logger
        for i in 0..<Int(logger.pointee.maxRuns)
        where logger.pointee.runs[i].load(ordering: .relaxed) == UInt(bitPattern: run) {
            for k in 0..<Int(logger.pointee.eventCount) {
                eventSlot(k).pointee.stream.pointee.handles[i].store(0, ordering: .releasing)
            }
        }
        closing = .silencing
    }

    /// Waits for calls that are under way: they are short. False: a producer is off its core in the middle of one, or
    /// interrupted by this very context, and can only go on when the caller has its time back.
    private func areProducersSilent() -> Bool {
        for i in 0..<run.pointee.ringCount {
            var patience = 1_000_000
            while (run.pointee.busy + i).pointee.load(ordering: .sequentiallyConsistent) != 0 {
                patience -= 1
                if patience == 0 { return false }
            }
        }
        return true
    }

    /// Goes on with closing. BUSY: call again. Any other failure of storage is tried again a few times, then the run ends
    /// with its LOCK in place.
    mutating func finish() -> ticklog_status {
        if case .closed = closing { return TICKLOG_CLOSED }
        var idle = 0
        var failures = 0
        while true {
            beginCalls()
            let bytes = tally.bytes
            let errors = tally.errors
            let isDone = continueClosing()
            if tally.errors != errors {
                hasFailed = true
                failures += 1
            }
            if isDone { break }
            if failures >= 3 {
                abandon()
                break
            }
            if tally.errors == errors {
                idle = tally.bytes == bytes ? idle + 1 : 0
                if idle >= Self.patience { return TICKLOG_BUSY }
            }
        }
        settle()
        closing = .closed
        run.pointee.state.store(RunShared.closed, ordering: .releasing)
        // Until now its documents were made of the logger's streams, and its memory was in use.
        let logger = run.pointee.logger
        for i in 0..<Int(logger.pointee.maxRuns)
        where logger.pointee.runs[i].load(ordering: .relaxed) == UInt(bitPattern: run) {
            logger.pointee.runs[i].store(0, ordering: .releasing)
        }
        return hasFailed ? tally.lastError : TICKLOG_OK
    }

    /// One attempt; true when the run is closed.
    private mutating func continueClosing() -> Bool {
        let errors = tally.errors
        if case .silencing = closing {
            guard areProducersSilent() else { return false }
            closing = .draining
        }
        if case .draining = closing {
            // The producers are silent: a pass that ends leaves nothing behind, but for what its own losses added.
            guard pass(), pass() else { return false }
            if !isDiscarding { completeTicks = max(completeTicks, run.pointee.ticks.load()) }
            end(polled)
            closing = .endingPolled
        }
        if case .endingPolled = closing {
            guard continueChange(polled), flushLosses() else { return false }
            for i in 1..<files.count { end(files.pointer(i)) }
            closing = .endingRest
        }
        if case .endingRest = closing {
            for i in 1..<files.count where !continueChange(files.pointer(i)) { return false }
            closing = .unlocking
        }
        // LOCK says that the run needs repair.
        if hasFailed || tally.errors != errors { return true }
        FileName.store(.lock, isDLF: plan.pointee.isDLF, short: plan.pointee.shortNames, roll: 0, to: path + pathName)
        let status = storage.pointee.remove(storage.pointee.context, path.assumingMemoryBound(to: CChar.self))
        tally.note(status)
        return status == TICKLOG_OK
    }

    /// The last packet, then the footer.
    private mutating func end(_ file: UnsafeMutablePointer<LogFile>) {
        file.pointee.closePacket()
        file.pointee.packets?.pointee.hashPending(file.pointee.buffer)
        file.pointee.change = plan.pointee.isDLF ? .finish(next: nil) : .footer(next: nil, emitted: 0)
    }

    /// Storage does not recover: lets go of the files as they are.
    private mutating func abandon() {
        for i in 0..<files.count {
            let file = files.pointer(i)
            switch file.pointee.change {
            case .closed: continue
            case .footer(.some(let next), _), .finish(.some(let next)):
                tally.note(storage.pointee.close(storage.pointee.context, next))
            default: break
            }
            tally.note(storage.pointee.close(storage.pointee.context, file.pointee.buffer.file))
            file.pointee.change = .closed
            declareUnsynced(file.pointee.kind)
        }
    }

    /// What could not be declared in the file is counted as lost in the statistics.
    private mutating func settle() {
        for i in 0..<plan.pointee.polledCount {
            settle(run.pointee.polledSlots + i, Statistics.polled(run, i).pending)
        }
        for i in 0..<plan.pointee.eventCount {
            settle(run.pointee.eventSlots + i, Statistics.event(run, i).pending)
        }
    }

    private func settle(_ slot: UnsafeMutablePointer<StreamSlot>, _ pending: UInt64) {
        if pending == 0 { return }
        slot.pointee.lost.add(pending)
        run.pointee.counters.pointee.lost.add(pending)
        run.pointee.counters.pointee.lostStorage.add(pending)
    }
}
