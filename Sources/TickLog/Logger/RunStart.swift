import CTickLog
import Synchronization

/// Opening a run. Corresponds to `ticklog_start`.
struct RunStart {
    let logger: Logger.Pointer
    let config: UnsafePointer<ticklog_run_config>
    let plan: RunPlan
    let memory: UnsafeMutableRawPointer

    /// How often storage may be busy without progress: there is no coming back to a start that was left half done.
    private static let patience = 100_000

    private var places: RunPlan.Places { plan.places }
    private var run: RunShared.Pointer { (memory + places.shared).assumingMemoryBound(to: RunShared.self) }
    private var writer: UnsafeMutablePointer<RunWriter> {
        (memory + places.writer).assumingMemoryBound(to: RunWriter.self)
    }

    static func start(
        _ logger: Logger.Pointer, _ config: UnsafePointer<ticklog_run_config>?, _ memory: UnsafeMutableRawPointer?,
        _ bytes: Int, _ result: UnsafeMutablePointer<OpaquePointer?>
    ) -> ticklog_status {
        var status = TICKLOG_OK
        guard let config, let plan = RunPlan.make(logger, config, &status) else {
            return status == TICKLOG_OK ? TICKLOG_NULL : status
        }
        guard let slot = freeSlot(logger) else { return TICKLOG_TOO_MANY }
        guard config.pointee.name != nil || logger.pointee.random != nil else { return TICKLOG_NO_ENTROPY }
        guard let memory else { return TICKLOG_NULL }
        guard UInt(bitPattern: memory) & 7 == 0 else { return TICKLOG_MISALIGNED }
        guard bytes >= plan.places.bytes else { return TICKLOG_NO_MEMORY }
        guard !overlaps(logger, memory, plan.places.bytes, UnsafeRawPointer(result)) else { return TICKLOG_OVERLAP }

        let start = RunStart(logger: logger, config: config, plan: plan, memory: memory)
        status = RunName.store(config.pointee.name, short: plan.shortNames, logger.pointee, to: memory + plan.places.name)
        guard status == TICKLOG_OK else { return status }
        start.layOut()
        status = start.createFiles()
        guard status == TICKLOG_OK else {
            start.run.pointee.state.store(RunShared.closed, ordering: .relaxed)
            return status
        }
        start.run.pointee.state.store(RunShared.open, ordering: .releasing)
        logger.pointee.runs[slot].store(UInt(bitPattern: start.run), ordering: .releasing)
        start.publishHandles(slot)
        result.pointee = OpaquePointer(start.run)
        return TICKLOG_OK
    }

    private static func freeSlot(_ logger: Logger.Pointer) -> Int? {
        for i in 0..<Int(logger.pointee.maxRuns) where logger.pointee.runs[i].load(ordering: .acquiring) == 0 { return i }
        return nil
    }

    /// From now on events reach the run.
    private func publishHandles(_ slot: Int) {
        for i in 0..<Int(logger.pointee.eventCount) {
            let handle = run.pointee.eventHandles.pointer(i)
            logger.pointee.stream(event: i).pointee.handles[slot].store(UInt(bitPattern: handle), ordering: .releasing)
        }
    }

    /// Whether the memory meets the logger, an open run or the result.
    private static func overlaps(
        _ logger: Logger.Pointer, _ memory: UnsafeMutableRawPointer, _ bytes: Int, _ result: UnsafeRawPointer
    ) -> Bool {
        let start = UInt(bitPattern: memory)
        func meets(_ other: UnsafeRawPointer, _ count: Int) -> Bool {
            let at = UInt(bitPattern: other)
            return at < start &+ UInt(bytes) && start < at &+ UInt(count)
        }
        if meets(logger, logger.pointee.bytes) || meets(result, MemoryLayout<OpaquePointer>.size) { return true }
        for i in 0..<Int(logger.pointee.maxRuns) {
            guard let run = RunShared.Pointer(bitPattern: logger.pointee.runs[i].load(ordering: .acquiring)) else { continue }
            if meets(run.pointee.memory, run.pointee.memoryBytes) { return true }
        }
        return false
    }

    // MARK: Memory

    private func layOut() {
        run.initialize(
            to: RunShared(isDLF: plan.isDLF, logger: logger, memory: memory, memoryBytes: places.bytes, plan: plan))
        run.pointee.counters.initialize(to: RunCounters())
        let gaps = pointer(places.gaps, OpenGap.self)
        for i in 0...plan.eventCount { (gaps + i).initialize(to: OpenGap()) }
        for i in 0..<plan.ringCount { (run.pointee.busy + i).initialize(to: Atomic(0)) }
        for i in 0..<plan.groupCount { (run.pointee.groupRows + i).initialize(to: Published64()) }
        makeRing(0, places.ring, plan.ringBytes)
        makeGroups()
        makeEvents()
        (memory + places.sampler).assumingMemoryBound(to: Sampler.self).initialize(
            to: Sampler(
                run: run, gate: gate(0), producer: producer(0), polled: run.pointee.polledHandles,
                watched: Table(memory + places.watchHandles, plan.watchCount),
                groups: Table(memory + places.samplerGroups, plan.groupCount), gap: GapKeeper(gaps)))
        makeWriter()
    }

    private func pointer<Element: ~Copyable>(_ place: Int, _: Element.Type) -> UnsafeMutablePointer<Element> {
        (memory + place).assumingMemoryBound(to: Element.self)
    }

    private func producer(_ ring: Int) -> UnsafeMutablePointer<RingProducer> {
        pointer(places.producers, RingProducer.self) + ring
    }

    private func gate(_ ring: Int) -> ProducerGate { ProducerGate(run.pointee.busy + ring) }

    private func makeRing(_ index: Int, _ place: Int, _ bytes: UInt32) {
        let indices = pointer(places.indices, RingIndices.self) + index
        indices.initialize(to: RingIndices())
        producer(index).initialize(to: RingProducer(indices: indices, base: memory + place, capacity: bytes))
        (pointer(places.consumers, RingConsumer.self) + index).initialize(
            to: RingConsumer(indices: indices, base: memory + place, capacity: bytes))
    }

    private func makeGroups() {
        let l = logger.pointee
        let sampler = Table<ScheduleGroup>(memory + places.samplerGroups, plan.groupCount)
        let writer = run.pointee.groups
        var count = 0
        var polled = 0
        var held: UInt32 = 0
        for i in 0..<Int(l.streamCount) {
            let stream = l.streams.pointer(i)
            guard stream.pointee.isPolled else { continue }
            let schedule = RunPlan.schedule(stream.pointee.config, tickNanoseconds: plan.tickNanoseconds)
            var group = 0
            while group < count, !sampler[group].schedule.matches(schedule) { group += 1 }
            if group == count {
                sampler[group] = ScheduleGroup(schedule)
                writer[group] = ScheduleGroup(schedule)
                count += 1
            }
            let handle = PolledHandle(stream.pointee, group: group, heldOffset: held)
            (run.pointee.polledHandles.base + polled).initialize(to: handle)
            (run.pointee.polledSlots + polled).initialize(to: StreamSlot(stream, isDLF: plan.isDLF))
            sampler.pointer(group).pointee.rowBytes += handle.recordBytes
            writer.pointer(group).pointee.streams += 1
            held += (stream.pointee.sampleBytes + 3) & ~3
            polled += 1
        }
        if plan.isDLF { (memory + places.heldSamples).zero(Int(held)) }
    }

    private func makeEvents() {
        let gaps = pointer(places.gaps, OpenGap.self)
        var ring = 1
        var queue = places.queues
        var watch = 0
        var value = places.watchValues
        for i in 0..<plan.eventCount {
            let stream = logger.pointee.stream(event: i)
            let config = stream.pointee.config
            var own = 0
            if stream.pointee.isBuiltin {
                // Clock and notes have rings of their own; losses come from the service itself.
                if stream.pointee.index == UInt16(Builtin.clock) {
                    own = plan.ringCount - 2
                    makeRing(own, places.clockRing, plan.clockBytes)
                } else if stream.pointee.index == UInt16(Builtin.note) {
                    own = plan.ringCount - 1
                    makeRing(own, places.noteRing, plan.noteBytes)
                }
            } else if config.queue_bytes > 0 {
                own = ring
                let bytes = RunPlan.queueBytes(stream.pointee)
                makeRing(own, queue, bytes)
                queue += Int(bytes)
                ring += 1
            }
            (run.pointee.eventSlots + i).initialize(to: StreamSlot(stream, isDLF: plan.isDLF))
            let handle = run.pointee.eventHandles.base + i
            handle.initialize(
                to: EventHandle(
                    run: run, producer: producer(own), gate: gate(own), slot: run.pointee.eventSlots + i,
                    index: UInt16(i), sampleBytes: stream.pointee.sampleBytes, gap: GapKeeper(gaps + (1 + i))))
            if stream.pointee.isWatched {
                (pointer(places.watchHandles, WatchHandle.self) + watch).initialize(
                    to: WatchHandle(stream.pointee, event: handle, last: memory + value))
                value += roundUp(Int(stream.pointee.sampleBytes), 4)
                watch += 1
            }
        }
    }

    private func makeWriter() {
        let plan = pointer(places.plan, RunPlan.self)
        plan.initialize(to: self.plan)
        let documents = RunDocuments(plan: plan, logger: logger, epoch: config.pointee.epoch_ns)
        // Buffers start at the storage's alignment, of which the plan has left room for.
        var at = UInt(bitPattern: memory) + UInt(places.buffers)
        func buffer(_ bytes: Int) -> BlockBuffer {
            at = (at + UInt(self.plan.blockAlignment) - 1) & ~UInt(self.plan.blockAlignment - 1)
            let base = memory + Int(at - UInt(bitPattern: memory))
            at += UInt(bytes)
            return BlockBuffer(base, capacity: bytes, blockSize: self.plan.blockSize)
        }
        let files = Table<LogFile>(memory + places.files, self.plan.fileCount)
        let polledSamples = Table<UnsafeRawPointer?>(memory + places.polledSamples, self.plan.isDLF ? 0 : self.plan.polledCount + 1)
        let eventSamples = Table<UnsafeRawPointer?>(memory + places.eventSamples, self.plan.isDLF ? 0 : self.plan.eventCount + 1)
        if self.plan.isDLF {
            var row = 0
            for i in 0..<self.plan.polledCount { row += Int(run.pointee.polledHandles.pointer(i).pointee.bytes) }
            var event = 0
            for i in 0..<self.plan.eventCount {
                event = max(event, Int(logger.pointee.stream(event: i).pointee.sampleBytes))
            }
            let header = DLFDocuments.recordHeaderBytes
            files.base.initialize(to: LogFile(.polled, buffer: buffer(self.plan.polledBuffer), packets: nil, rowRoom: row, maxRow: 0))
            (files.base + 1).initialize(
                to: LogFile(.event, buffer: buffer(self.plan.eventBuffer), packets: nil, rowRoom: header + event, maxRow: 0))
            (files.base + 2).initialize(
                to: LogFile(
                    .loss, buffer: buffer(self.plan.lossBuffer), packets: nil, rowRoom: header + Int(LossRecord.bytes), maxRow: 0))
        } else {
            let p = places
            files.base.initialize(
                to: LogFile(
                    .polled, buffer: buffer(self.plan.polledBuffer),
                    packets: packets(
                        .polled, self.plan.polled, self.plan.polledCodec, polledSamples, segments: p.polledSegments,
                        first: p.polledFirst, held: p.polledHeld, index: p.polledIndex, entries: self.plan.indexEntries,
                        state: p.polledState, window: p.polledWindow),
                    rowRoom: PacketWriter.rowBytes(maxRow: self.plan.polled.maxRow, codec: self.plan.polledCodec),
                    maxRow: self.plan.polled.maxRow))
            (files.base + 1).initialize(
                to: LogFile(
                    .event, buffer: buffer(self.plan.eventBuffer),
                    packets: packets(
                        .event, self.plan.event, self.plan.eventCodec, eventSamples, segments: p.eventSegments,
                        first: p.eventFirst, held: p.eventHeld, index: p.eventIndex, entries: self.plan.eventIndexEntries,
                        state: p.eventState, window: p.eventWindow),
                    rowRoom: PacketWriter.rowBytes(maxRow: self.plan.event.maxRow, codec: self.plan.eventCodec),
                    maxRow: self.plan.event.maxRow))
        }
        let rowSample = memory + places.rowSample
        if !self.plan.isDLF {
            rowSample.zero(FieldCursor.rowSampleBytes)
            polledSamples[self.plan.polledCount] = UnsafeRawPointer(rowSample)
            eventSamples[self.plan.eventCount] = UnsafeRawPointer(rowSample)
        }
        writer.initialize(
            to: RunWriter(
                run: run, plan: plan, storage: logger.pointee.storage,
                rings: Table(memory + places.consumers, self.plan.ringCount), polledHandles: run.pointee.polledHandles,
                groups: run.pointee.groups, gaps: pointer(places.gaps, OpenGap.self), path: memory + places.path,
                pathName: storePath(), polledSamples: polledSamples, eventSamples: eventSamples, rowSample: rowSample,
                heldSamples: memory + places.heldSamples, documents: documents, tailBytes: tailBytes(documents),
                files: files))
    }

    @inline(never)
    private func packets(
        _ kind: FileKind, _ layout: RowLayout, _ codec: BCSVFileCodec, _ samples: Table<UnsafeRawPointer?>, segments: Int, first: Int,
        held: Int, index: Int, entries: Int, state: Int, window: Int
    ) -> UnsafeMutablePointer<PacketWriter> {
        let table = Table<Segment>(memory + segments, layout.segmentCount)
        let owners = layout.owners + 1
        let firsts = Table<UInt32>(memory + first, owners)
        _ = RowLayout(
            RowFields(logger, kind, tickColumn: kind == .event || plan.tickColumn), codec: layout.codec,
            owners: layout.owners, store: table)
        RowLayout.link(table, first: firsts)
        for i in 0..<owners { (samples.base + i).initialize(to: nil) }
        var compressor: RowCompressor?
        var batch: BatchCompressor?
        switch codec {
        case .packetLZ4:
            compressor = RowCompressor(
                state: memory + state, stateBytes: RowCompressor.stateBytes(isAdaptive: false), window: memory + window,
                history: plan.windowHistory, maxRow: layout.maxRow, level: Int(plan.level))
        case .batch:
            batch = BatchCompressor(payload: memory + window, state: memory + state, level: Int(plan.level), isTable: false)
        default: break
        }
        let rows = pointer(places.rows, RowEncoder.self) + (kind == .polled ? 0 : 1)
        rows.initialize(
            to: RowEncoder(
                layout, segments: table, first: firsts, samples: samples, held: memory + held,
                isDirect: compressor != nil && kind == .polled && plan.isUniform && plan.tickColumn))
        let packets = pointer(places.packets, PacketWriter.self) + (kind == .polled ? 0 : 1)
        packets.initialize(
            to: PacketWriter(
                rows: rows,
                codec: codec, compressor: compressor, batch: batch,
                index: PacketIndex(Table(memory + index, entries), isThinned: layout.codec != .delta),
                packetBytes: Int(plan.packetBytes)))
        return packets
    }

    /// What closing adds at most: footers, and losses: of every stream, and the one that found max_bytes reached.
    private func tailBytes(_ documents: RunDocuments) -> UInt64 {
        let losses = plan.polledCount + plan.eventCount + 1
        if plan.isDLF { return UInt64(DLFDocuments.recordHeaderBytes + Int(LossRecord.bytes)) * UInt64(losses) }
        let footers = 2 * BCSVFormat.footerBytes + BCSVFormat.indexEntryBytes * (plan.indexEntries + plan.eventIndexEntries)
        let lossRow = RowCompressor.bound(BLE.maxRowWidth + plan.event.headerBytes + 8 + 2 + 32 + Int(LossRecord.bytes))
        let row = PacketWriter.rowBytes(maxRow: plan.event.maxRow, codec: plan.eventCodec)
        // Where packets are small the losses fill several, and the first row of each has all columns.
        let packets = 2 + losses / (1 + max(Int(plan.packetBytes) - row, 0) / lossRow)
        return UInt64(footers + 2 * BCSVFormat.packetEndBytes) + UInt64(packets) * UInt64(row) + UInt64(lossRow) * UInt64(losses)
    }

    // MARK: Files

    /// Root, '/', name, '/' in the path buffer; returns where a file's name begins.
    private func storePath() -> Int {
        let path = memory + places.path
        let root = logger.pointee.root.length(Logger.maxRootLength)
        let name = UnsafePointer(run.pointee.name).length(RunName.maxLength)
        path.copy(logger.pointee.root, root)
        path.store(UInt8(47), at: root)
        (path + root + 1).copy(run.pointee.name, name)
        path.store(UInt8(47), at: root + 1 + name)
        return root + name + 2
    }

    /// The directory, LOCK, and every file with its header, all synced. On failure what was made is removed.
    private func createFiles() -> ticklog_status {
        let storage = logger.pointee.storage
        if let free = storage.taken()?.free_bytes {
            var bytes: UInt64 = 0
            if free(storage.pointee.context, logger.pointee.root, &bytes) == TICKLOG_OK, bytes < writer.pointee.tailBytes + 4096 {
                return TICKLOG_NO_SPACE
            }
        }
        let path = writer.pointee.path
        // The directory's own path ends before the last '/'.
        path.store(UInt8(0), at: writer.pointee.pathName - 1)
        var status = storage.pointee.make_directory(storage.pointee.context, path.assumingMemoryBound(to: CChar.self))
        guard status == TICKLOG_OK else { return status }
        path.store(UInt8(47), at: writer.pointee.pathName - 1)
        var made = 0
        status = create(&made)
        if status != TICKLOG_OK { removeFiles(made) }
        return status
    }

    /// In order: LOCK, meta, streams (BCSV), and the files that stay open.
    private func create(_ made: inout Int) -> ticklog_status {
        var status = writeWhole(.lock, &made) { $0.put(UInt8(0)) }
        guard status == TICKLOG_OK else { return status }
        let documents = writer.pointee.documents
        status = writeWhole(.meta, &made) { documents.putMeta(&$0, runName: run.pointee.name, user: config) }
        guard status == TICKLOG_OK else { return status }
        if !plan.isDLF {
            status = writeWhole(.streams, &made) { documents.putStreams(&$0) }
            guard status == TICKLOG_OK else { return status }
        }
        for i in 0..<plan.fileCount {
            let file = writer.pointee.files.pointer(i)
            var handle: ticklog_file?
            status = open(.log(file.pointee.kind), &handle)
            guard status == TICKLOG_OK else { return status }
            made += 1
            file.pointee.buffer.reset(handle)
            status = write(to: file) { documents.putHeader(&$0, file.pointee.kind) }
            guard status == TICKLOG_OK else { return status }
        }
        writer.pointee.publishTally()
        return TICKLOG_OK
    }

    private func open(_ which: FileName.Which, _ handle: inout ticklog_file?) -> ticklog_status {
        let storage = logger.pointee.storage
        let path = writer.pointee.path
        FileName.store(
            which, isDLF: plan.isDLF, short: plan.shortNames, roll: 0, to: path + writer.pointee.pathName)
        return storage.pointee.open(storage.pointee.context, path.assumingMemoryBound(to: CChar.self), &handle)
    }

    /// A small file, by way of the polled file's buffer, which is still empty.
    private func writeWhole(
        _ which: FileName.Which, _ made: inout Int, _ put: (inout Emitter) -> Void
    ) -> ticklog_status {
        let storage = logger.pointee.storage
        let file = writer.pointee.files.base
        var handle: ticklog_file?
        var status = open(which, &handle)
        guard status == TICKLOG_OK else { return status }
        made += 1
        file.pointee.buffer.reset(handle)
        status = write(to: file, put)
        let closed = storage.pointee.close(storage.pointee.context, handle)
        file.pointee.buffer.reset(nil)
        return status == TICKLOG_OK ? closed : status
    }

    /// A whole document and a sync. Storage may be busy for a while.
    private func write(to file: UnsafeMutablePointer<LogFile>, _ put: (inout Emitter) -> Void) -> ticklog_status {
        let storage = logger.pointee.storage
        var emitted = 0
        var idle = 0
        while true {
            var out = Emitter(skip: emitted, out: file.pointee.buffer.next, room: file.pointee.buffer.room)
            put(&out)
            file.pointee.buffer.advance(out.filled)
            emitted += out.filled
            let isWhole = emitted == out.position
            file.pointee.buffer.isStalled = false
            let before = file.pointee.buffer.pending
            var status = file.pointee.buffer.drain(all: isWhole, storage, &writer.pointee.tally)
            _ = file.pointee.buffer.makeRoom(file.pointee.buffer.blockSize, storage, &writer.pointee.tally)
            if status == TICKLOG_OK, isWhole {
                status = storage.pointee.sync?(storage.pointee.context, file.pointee.buffer.file) ?? TICKLOG_OK
                if status != TICKLOG_BUSY { return status }
            }
            if status != TICKLOG_OK, status != TICKLOG_BUSY { return status }
            idle = file.pointee.buffer.pending < before ? 0 : idle + 1
            if idle >= Self.patience { return TICKLOG_BUSY }
        }
    }

    /// Closes the files that are still open, and removes, as far as storage lets it, the first `made` files and the
    /// directory.
    private func removeFiles(_ made: Int) {
        let storage = logger.pointee.storage
        let path = writer.pointee.path
        // LOCK, meta and streams are closed.
        let whole = plan.isDLF ? 2 : 3
        for i in whole..<max(made, whole) {
            _ = storage.pointee.close(storage.pointee.context, writer.pointee.files.pointer(i - whole).pointee.buffer.file)
        }
        var i = made
        while i > 0 {
            i -= 1
            var which = FileName.Which.lock
            if i == 1 { which = .meta }
            if i == 2, !plan.isDLF { which = .streams }
            if i >= whole { which = .log(writer.pointee.files.pointer(i - whole).pointee.kind) }
            FileName.store(
                which, isDLF: plan.isDLF, short: plan.shortNames, roll: 0, to: path + writer.pointee.pathName)
            let status = storage.pointee.remove(storage.pointee.context, path.assumingMemoryBound(to: CChar.self))
            // What cannot be removed stays behind its LOCK, as a run that was not closed.
            guard status == TICKLOG_OK else { return }
        }
        path.store(UInt8(0), at: writer.pointee.pathName - 1)
        _ = storage.pointee.remove(storage.pointee.context, path.assumingMemoryBound(to: CChar.self))
    }
}
