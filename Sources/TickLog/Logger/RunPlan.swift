import CTickLog

/// A checked run configuration and where everything lies in the run's memory. Made twice: to tell the size, and to start.
struct RunPlan {
    let isDLF: Bool
    let rowCodec: BCSVRowCodec
    let polledCodec: BCSVFileCodec
    let eventCodec: BCSVFileCodec
    let level: UInt8
    let version: UInt8
    let tickColumn: Bool
    let shortNames: Bool
    let tickNanoseconds: UInt64
    let flushTicks: UInt64
    let packetBytes: UInt32
    let rollBytes: UInt64
    let maxBytes: UInt64
    let blockSize: Int
    let blockAlignment: Int

    let polledCount: Int
    /// Streams in the event file, built-in ones included.
    let eventCount: Int
    let watchCount: Int
    let queueCount: Int
    let groupCount: Int
    /// All polled streams are due at the same ticks and none is guarded.
    let isUniform: Bool
    let indexEntries: Int
    let eventIndexEntries: Int
    let windowHistory: Int
    let polled: RowLayout
    let event: RowLayout
    /// The largest row record, and the sum of padded samples.
    let rowRecordBytes: UInt32
    let ringBytes: UInt32
    let noteBytes: UInt32
    let clockBytes: UInt32
    let polledBuffer: Int
    let eventBuffer: Int
    let lossBuffer: Int
    let pathBytes: Int

    /// Offsets in the run's memory.
    struct Places {
        var shared = 0, counters = 0, plan = 0, sampler = 0, writer = 0
        var polledHandles = 0, watchHandles = 0, eventHandles = 0
        var samplerGroups = 0, writerGroups = 0, groupRows = 0, files = 0, packets = 0, rows = 0
        var polledSlots = 0, eventSlots = 0
        var indices = 0, producers = 0, consumers = 0, busy = 0, gaps = 0
        var ring = 0, noteRing = 0, clockRing = 0, queues = 0
        var watchValues = 0, heldSamples = 0
        var polledSegments = 0, polledFirst = 0, polledSamples = 0, polledHeld = 0
        var eventSegments = 0, eventFirst = 0, eventSamples = 0, eventHeld = 0, rowSample = 0
        var polledIndex = 0, eventIndex = 0
        var polledState = 0, polledWindow = 0, eventState = 0, eventWindow = 0
        var name = 0, path = 0
        var buffers = 0
        var bytes = 0
    }
    private(set) var places = Places()

    let fileCount: Int

    /// Rings: the ticker's, the queued streams' in order of adding, the clock's, the notes'.
    var ringCount: Int { 1 + queueCount + (isDLF ? 0 : 2) }

    @inline(never)
    static func schedule(_ config: ticklog_stream_config, tickNanoseconds: UInt64) -> Schedule {
        Schedule(interval: config.interval_ns / tickNanoseconds, phase: config.phase_ns / tickNanoseconds)
    }

    /// The plan, or the status that says what is wrong with the configuration.
    static func make(
        _ logger: Logger.Pointer, _ config: UnsafePointer<ticklog_run_config>?, _ status: inout ticklog_status
    ) -> RunPlan? {
        guard let config else {
            status = TICKLOG_NULL
            return nil
        }
        status = check(logger, config.pointee)
        guard status == TICKLOG_OK else { return nil }
        guard isPossible(logger, config.pointee) else {
            status = TICKLOG_TOO_MANY
            return nil
        }
        let plan = RunPlan(logger, config.pointee)
        guard plan.isDLF || plan.polled.columns <= BCSVFormat.maxColumns && plan.event.columns <= BCSVFormat.maxColumns,
            plan.polled.maxRow <= BCSVFormat.maxRowBytes, plan.event.maxRow <= BCSVFormat.maxRowBytes,
            plan.rowRecordBytes <= 1 << 24, plan.places.bytes <= 1 << 30
        else {
            status = TICKLOG_TOO_MANY
            return nil
        }
        return plan
    }

    // MARK: Checks

    private static func check(_ logger: Logger.Pointer, _ c: ticklog_run_config) -> ticklog_status {
        guard c.format <= TICKLOG_DLF, c.row_codec <= TICKLOG_DELTA, c.file_codec <= TICKLOG_STREAM_LZ4,
            c.event_codec <= TICKLOG_STREAM_LZ4, c.short_names <= 1, c.no_tick_column <= 1, c.allow_wide <= 1,
            c.level <= 9,
            c.bcsv_version == 0 || c.bcsv_version == TICKLOG_BCSV_1_3 || c.bcsv_version == TICKLOG_BCSV_1_5,
            c.reserved.0 == 0, c.reserved.1 == 0, c.reserved.2 == 0,
            c.ring_bytes <= 1 << 30, c.note_bytes <= 1 << 24, c.buffer_bytes <= 1 << 30,
            c.window_bytes == 0 || (4096...65536).contains(c.window_bytes),
            c.packet_bytes == 0 || (512...(1 << 30)).contains(c.packet_bytes),
            c.index_entries == 0 || (2...65536).contains(c.index_entries), c.roll_bytes <= 4_000_000_000
        else { return TICKLOG_BAD_ARGUMENT }
        guard c.tick_ns > 0 else { return TICKLOG_BAD_TICK }
        let isDLF = c.format == TICKLOG_DLF
        if isDLF {
            guard c.tick_ns % 1000 == 0, c.tick_ns / 1000 <= UInt64(UInt32.max) else { return TICKLOG_BAD_TICK }
        }
        var status = RunName.check(c.name, short: c.short_names == 1)
        guard status == TICKLOG_OK else { return status }
        status = checkMetadata(c)
        guard status == TICKLOG_OK else { return status }
        let l = logger.pointee
        var first: Schedule?
        var intervalsDiffer = false
        for i in 0..<Int(l.streamCount) {
            let stream = l.streams.pointer(i).pointee
            let s = stream.config
            if stream.isPolled {
                if s.interval_ns != 0, s.interval_ns < c.tick_ns { return TICKLOG_BELOW_TICK }
                if s.interval_ns % c.tick_ns != 0 || s.phase_ns % c.tick_ns != 0 { return TICKLOG_NOT_MULTIPLE }
                let schedule = schedule(s, tickNanoseconds: c.tick_ns)
                if let first { if !first.matches(schedule) { intervalsDiffer = true } } else { first = schedule }
            }
            if stream.isSingle {
                if s.type == TICKLOG_OPAQUE, !isDLF { return TICKLOG_BAD_TYPE }
                if s.type == TICKLOG_STRING, isDLF { return TICKLOG_BAD_TYPE }
            } else if isDLF {
                for k in 0..<Int(s.field_count) where s.fields[k].type == TICKLOG_STRING { return TICKLOG_BAD_TYPE }
            }
        }
        if !isDLF {
            let status = checkCodecs(c)
            guard status == TICKLOG_OK else { return status }
        }
        if !isDLF, c.no_tick_column == 1, l.polledCount == 0 { return TICKLOG_UNSUPPORTED }
        if !isDLF, c.row_codec == TICKLOG_FLAT, intervalsDiffer, c.allow_wide == 0 { return TICKLOG_UNSUPPORTED }
        return TICKLOG_OK
    }

    private static func checkCodecs(_ c: ticklog_run_config) -> ticklog_status {
        // A torn stream cannot be told from a whole one: not what a run promises.
        if c.file_codec >= TICKLOG_STREAM || c.event_codec >= TICKLOG_STREAM { return TICKLOG_UNSUPPORTED }
        let isBatch = c.file_codec == TICKLOG_BATCH || c.event_codec == TICKLOG_BATCH
        if c.bcsv_version == TICKLOG_BCSV_1_3, isBatch || c.row_codec == TICKLOG_DELTA { return TICKLOG_UNSUPPORTED }
        #if BARE_METAL
        if isBatch, Int(c.level) >= BatchCompressor.leastHighLevel { return TICKLOG_UNSUPPORTED }
        #endif
        return TICKLOG_OK
    }

    private static func checkMetadata(_ c: ticklog_run_config) -> ticklog_status {
        guard c.metadata != nil else {
            return c.metadata_size == 0 && c.metadata_field_count == 0 ? TICKLOG_OK : TICKLOG_NULL
        }
        guard c.metadata_size > 0, c.metadata_size <= 1 << 20 else { return TICKLOG_BAD_SIZE }
        if let name = c.metadata_type_name {
            let status = Names.checkTypeName(name)
            guard status == TICKLOG_OK else { return status }
        }
        guard c.metadata_field_count > 0 else { return TICKLOG_OK }
        guard let fields = c.metadata_fields else { return TICKLOG_NULL }
        let status = FieldRules.check(fields, count: c.metadata_field_count, bytes: c.metadata_size)
        guard status == TICKLOG_OK else { return status }
        if c.format == TICKLOG_DLF {
            for i in 0..<Int(c.metadata_field_count) where fields[i].type == TICKLOG_STRING { return TICKLOG_BAD_TYPE }
        }
        var size = FieldSizes()
        for i in 0..<Int(c.metadata_field_count) { size.add(fields[i]) }
        return size.columns + BCSVDocuments.metaColumns <= UInt64(BCSVFormat.maxColumns)
            && size.bytes + BCSVDocuments.metaBytes <= UInt64(BCSVFormat.maxRowBytes) ? TICKLOG_OK : TICKLOG_TOO_MANY
    }

    /// Columns of fields, and the most bytes of their values but for bools'. Fields may overlap: there may be far more of
    /// both than the source has bytes.
    private struct FieldSizes {
        var columns: UInt64 = 0
        var bytes: UInt64 = 0

        mutating func add(_ field: ticklog_field) {
            let count = UInt64(max(field.count, 1))
            columns += count
            if field.type == TICKLOG_STRING { bytes += count * (2 + UInt64(field.size)) }
            if field.type != TICKLOG_STRING, field.type != TICKLOG_BOOL { bytes += count * UInt64(ValueType(code: field.type).size) }
        }
    }

    /// Whether sizes are such that nothing overflows in the plan, 32-bit integers included. It refuses only what the plan
    /// would be too large for as well.
    private static func isPossible(_ logger: Logger.Pointer, _ c: ticklog_run_config) -> Bool {
        let isDLF = c.format == TICKLOG_DLF
        var polled = FieldSizes()
        var event = FieldSizes()
        var row: UInt64 = 0
        var memory = UInt64(c.ring_bytes) + UInt64(c.buffer_bytes) * (isDLF ? 3 : 2) + UInt64(isDLF ? 0 : c.note_bytes)
        let l = logger.pointee
        for i in 0..<Int(l.streamCount) {
            let stream = l.streams.pointer(i).pointee
            var size = FieldSizes()
            if stream.isSingle {
                size.columns = 1
                size.bytes = stream.config.type == TICKLOG_OPAQUE ? 0 : UInt64(stream.sampleBytes)
            }
            for k in 0..<Int(stream.config.field_count) { size.add(stream.config.fields[k]) }
            if stream.isPolled {
                polled.columns += size.columns
                polled.bytes += size.bytes
                row += UInt64(PolledHandle.recordBytes(stream))
            } else {
                event.columns += size.columns
                event.bytes += size.bytes
                if stream.isWatched { memory += UInt64(stream.sampleBytes) }
                if stream.config.queue_bytes > 0 { memory += UInt64(RunPlan.queueBytes(stream)) }
            }
        }
        // A batch's payload, and the buffer for what it is compressed to at worst.
        let packet = UInt64(c.packet_bytes)
        if !isDLF, c.file_codec == TICKLOG_BATCH { memory += 2 * packet }
        if !isDLF, c.event_codec == TICKLOG_BATCH { memory += 2 * packet }
        let columns = isDLF ? 1 << 24 : UInt64(BCSVFormat.maxColumns)
        let bytes = UInt64(BCSVFormat.maxRowBytes)
        return polled.columns <= columns && event.columns <= columns && polled.bytes <= bytes && event.bytes <= bytes
            && row <= 1 << 24 && memory <= 1 << 30
    }

    // MARK: Sizes and places

    private init(_ logger: Logger.Pointer, _ c: ticklog_run_config) {
        let l = logger.pointee
        isDLF = c.format == TICKLOG_DLF
        fileCount = isDLF ? 3 : 2
        rowCodec = BCSVRowCodec(code: c.row_codec)
        polledCodec = BCSVFileCodec(code: isDLF ? UInt8(TICKLOG_PACKET) : c.file_codec == 0 ? UInt8(TICKLOG_PACKET_LZ4) : c.file_codec)
        eventCodec = BCSVFileCodec(code: isDLF ? UInt8(TICKLOG_PACKET) : c.event_codec)
        level = c.level == 0 ? 1 : c.level
        version = c.bcsv_version == 0 ? UInt8(TICKLOG_BCSV_1_5) : c.bcsv_version
        tickColumn = c.no_tick_column == 0
        shortNames = c.short_names == 1
        tickNanoseconds = c.tick_ns
        let flush = UInt64(c.flush_ms == 0 ? 1000 : c.flush_ms) * 1_000_000
        flushTicks = max(flush / c.tick_ns, 1)
        packetBytes = c.packet_bytes != 0 ? c.packet_bytes : polledCodec == .batch || eventCodec == .batch ? 16384 : 65536
        rollBytes = c.roll_bytes == 0 ? 1 << 31 : c.roll_bytes
        maxBytes = c.max_bytes
        blockSize = StorageRules.blockSize(l.storage)
        blockAlignment = StorageRules.blockAlignment(l.storage)
        windowHistory = c.window_bytes == 0 ? 4096 : Int(c.window_bytes)
        indexEntries = isDLF ? 0 : c.index_entries == 0 ? 256 : Int(c.index_entries)
        eventIndexEntries = min(indexEntries, 64)

        polledCount = Int(l.polledCount)
        eventCount = Int(l.eventCount) + (isDLF ? 0 : Logger.builtinCount)
        var watches = 0
        var watchBytes = 0
        var queues = 0
        var queueBytes = 0
        var groups = 0
        var guards = 0
        var rowBytes = 0
        var heldBytes = 0
        var largestEvent = Int(Builtin.noteBytes)
        for i in 0..<Int(l.streamCount) {
            let stream = l.streams.pointer(i).pointee
            if stream.isPolled {
                rowBytes += Int(PolledHandle.recordBytes(stream))
                heldBytes += roundUp(Int(stream.sampleBytes), 4)
                if stream.config.try_lock != nil { guards += 1 }
                if RunPlan.firstAlike(l, i, c.tick_ns) == i { groups += 1 }
            } else {
                largestEvent = max(largestEvent, Int(stream.sampleBytes))
                if stream.isWatched {
                    watches += 1
                    watchBytes += roundUp(Int(stream.sampleBytes), 4)
                }
                if stream.config.queue_bytes > 0 {
                    queues += 1
                    queueBytes += Int(RunPlan.queueBytes(stream))
                }
            }
        }
        watchCount = watches
        queueCount = queues
        groupCount = groups
        isUniform = groups <= 1 && guards == 0

        polled = RowLayout(RowFields(logger, .polled, tickColumn: tickColumn), codec: rowCodec, owners: polledCount)
        event = RowLayout(RowFields(logger, .event, tickColumn: true), codec: .zoh, owners: eventCount)

        rowRecordBytes = RecordHeader.bytes(payload: UInt32(min(rowBytes, 1 << 28)))
        let largestRecord = max(rowRecordBytes, RecordHeader.bytes(payload: UInt32(largestEvent)))
        let leastRing = RingProducer.leastCapacity(largestRecord + GapRecord.recordBytes)
        let ring = c.ring_bytes == 0 ? 8 * rowRecordBytes + 2048 : c.ring_bytes
        ringBytes = max((ring + 7) & ~7, leastRing)
        let leastNote = RingProducer.leastCapacity(RecordHeader.bytes(payload: Builtin.noteBytes) + GapRecord.recordBytes)
        noteBytes = isDLF ? 0 : max(((c.note_bytes == 0 ? 512 : c.note_bytes) + 7) & ~7, leastNote)
        clockBytes = isDLF ? 0 : 256

        // Buffers hold the longest row and two blocks, so that whole blocks can be written while a row grows.
        func buffer(_ row: Int) -> Int {
            let least = row + 2 * RunPlan.blockSize(l)
            return roundUp(max(least, c.buffer_bytes == 0 ? 2048 : Int(c.buffer_bytes)), RunPlan.blockSize(l))
        }
        if isDLF {
            polledBuffer = buffer(rowBytes)
            eventBuffer = buffer(DLFDocuments.recordHeaderBytes + largestEvent)
            lossBuffer = buffer(DLFDocuments.recordHeaderBytes + Int(LossRecord.bytes))
        } else {
            polledBuffer = buffer(PacketWriter.rowRoom(maxRow: polled.maxRow, codec: polledCodec, packetBytes: Int(packetBytes)))
            eventBuffer = buffer(PacketWriter.rowRoom(maxRow: event.maxRow, codec: eventCodec, packetBytes: Int(packetBytes)))
            lossBuffer = 0
        }
        pathBytes = l.root.length(Logger.maxRootLength) + 1 + RunName.maxLength + 1 + FileName.maxLength + 1

        var cursor = MemoryCursor()
        func take(_ bytes: Int) -> Int { cursor.take(bytes) }
        func table<Element>(_: Element.Type, _ count: Int) -> Int { cursor.take(MemoryLayout<Element>.stride * count) }
        let columnOwners = polledCount + 1
        let eventOwners = eventCount + 1
        var p = Places()
        p.shared = take(MemoryLayout<RunShared>.stride)
        p.counters = take(MemoryLayout<RunCounters>.stride)
        p.plan = table(RunPlan.self, 1)
        p.sampler = table(Sampler.self, 1)
        p.writer = table(RunWriter.self, 1)
        p.polledHandles = table(PolledHandle.self, polledCount)
        p.watchHandles = table(WatchHandle.self, watches)
        p.eventHandles = table(EventHandle.self, eventCount)
        p.samplerGroups = table(ScheduleGroup.self, groups)
        p.writerGroups = table(ScheduleGroup.self, groups)
        p.groupRows = take(MemoryLayout<Published64>.stride * groups)
        p.files = table(LogFile.self, fileCount)
        p.packets = table(PacketWriter.self, isDLF ? 0 : 2)
        p.rows = take(isDLF ? 0 : 2 * MemoryLayout<RowEncoder>.stride)
        p.polledSlots = take(MemoryLayout<StreamSlot>.stride * polledCount)
        p.eventSlots = take(MemoryLayout<StreamSlot>.stride * eventCount)
        let rings = 1 + queues + (isDLF ? 0 : 2)
        p.indices = take(MemoryLayout<RingIndices>.stride * rings)
        p.producers = table(RingProducer.self, rings)
        p.consumers = table(RingConsumer.self, rings)
        p.busy = take(4 * rings)
        p.gaps = take(MemoryLayout<OpenGap>.stride * (1 + eventCount))
        p.ring = take(Int(ringBytes))
        p.clockRing = take(Int(clockBytes))
        p.noteRing = take(Int(noteBytes))
        p.queues = take(queueBytes)
        p.watchValues = take(watchBytes)
        p.heldSamples = take(isDLF ? heldBytes : 0)
        p.name = take(RunName.maxLength + 1)
        p.path = take(pathBytes)
        if !isDLF {
            p.polledSegments = table(Segment.self, polled.segmentCount)
            p.polledFirst = take(4 * columnOwners)
            p.polledSamples = take(MemoryLayout<UnsafeRawPointer?>.stride * columnOwners)
            p.polledHeld = take(RowEncoder.heldBytes(polled))
            p.eventSegments = table(Segment.self, event.segmentCount)
            p.eventFirst = take(4 * eventOwners)
            p.eventSamples = take(MemoryLayout<UnsafeRawPointer?>.stride * eventOwners)
            p.eventHeld = take(RowEncoder.heldBytes(event))
            p.rowSample = take(FieldCursor.rowSampleBytes)
            p.polledIndex = table(IndexEntry.self, indexEntries)
            p.eventIndex = table(IndexEntry.self, eventIndexEntries)
            p.polledState = take(stateBytes(polledCodec))
            p.polledWindow = take(windowBytes(polledCodec, polled))
            p.eventState = take(stateBytes(eventCodec))
            p.eventWindow = take(windowBytes(eventCodec, event))
        }
        // The memory is aligned to 8 only: buffers may have to start up to `blockAlignment - 8` bytes later.
        p.buffers = take(polledBuffer + eventBuffer + lossBuffer + 2 * blockAlignment + max(blockAlignment - 8, 0))
        p.bytes = cursor.end
        places = p
    }

    private func stateBytes(_ codec: BCSVFileCodec) -> Int {
        switch codec {
        case .packetLZ4: RowCompressor.stateBytes(isAdaptive: false)
        case .batch: BatchCompressor.stateBytes(level: Int(level), isTable: false)
        default: 0
        }
    }

    /// The compressor's window, or the batch's payload.
    private func windowBytes(_ codec: BCSVFileCodec, _ layout: RowLayout) -> Int {
        switch codec {
        case .packetLZ4: RowCompressor.windowBytes(history: windowHistory, maxRow: layout.maxRow, isAdaptive: false)
        case .batch: BatchCompressor.payloadBytes(packetBytes: Int(packetBytes), maxRow: layout.maxRow)
        default: 0
        }
    }

    private static func blockSize(_ l: Logger) -> Int { StorageRules.blockSize(l.storage) }

    static func queueBytes(_ stream: Stream) -> UInt32 {
        let least = RingProducer.leastCapacity(RecordHeader.bytes(payload: stream.sampleBytes) + GapRecord.recordBytes)
        return max((stream.config.queue_bytes + 7) & ~7, least)
    }

    /// The first polled stream with the schedule of stream `index`. Quick where there are few schedules.
    static func firstAlike(_ l: Logger, _ index: Int, _ tickNanoseconds: UInt64) -> Int {
        let mine = schedule(l.streams.pointer(index).pointee.config, tickNanoseconds: tickNanoseconds)
        for j in 0..<index where l.streams.pointer(j).pointee.isPolled {
            if schedule(l.streams.pointer(j).pointee.config, tickNanoseconds: tickNanoseconds).matches(mine) { return j }
        }
        return index
    }
}

/// Hands out places in memory, each aligned to 8.
struct MemoryCursor {
    private(set) var end = 0

    @inline(never)
    mutating func take(_ bytes: Int) -> Int {
        let at = end
        // More than there can be: no memory is enough for it.
        let (sum, overflow) = at.addingReportingOverflow(bytes)
        end = overflow || sum > Int.max - 7 ? Int.max & ~7 : (sum + 7) & ~7
        return at
    }
}
