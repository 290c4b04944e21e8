import CTickLog

/// Writes rows of the caller's own as a BCSV file, in the caller's memory. Corresponds to `ticklog_table`.
public struct TableWriter {
    public typealias Pointer = UnsafeMutablePointer<TableWriter>

    private static let magic: UInt32 = 0x4254_4B54  // "TKTB"

    private let magic = TableWriter.magic
    private let plan: TablePlan
    private let storage: UnsafePointer<ticklog_storage>
    private var buffer: BlockBuffer
    private var tally = StorageTally()
    private var packets: PacketWriter
    /// What is gathered, and the row itself.
    private let samples: Table<UnsafeRawPointer?>
    private let gather: Gather?
    private let texts: UnsafeMutablePointer<HeldTexts>?
    private var phase = Phase.header(emitted: 0)
    /// Something was written since the last sync.
    private var hasNews = true

    private enum Phase {
        /// The file gets its header, of which `emitted` bytes are in the buffer.
        case header(emitted: Int)
        case rows
        case footer(emitted: Int)
        case finish
        case closed
    }

    // MARK: Making

    /// Bytes of memory that a table needs; 0 if the configuration is invalid. `names`, if given, takes the place of the
    /// fields' own: a text for each field, none of which is an array. Corresponds to `ticklog_table_size`.
    public static func size(
        _ config: UnsafePointer<ticklog_table_config>?, names: UnsafePointer<ticklog_text>? = nil
    ) -> Int {
        var status = TICKLOG_OK
        return TablePlan.make(config, names: names, &status)?.places.bytes ?? 0
    }

    /// A configuration of this header or an older one; nil: TICKLOG_BAD_SIZE.
    public static func taken(_ config: UnsafePointer<ticklog_table_config>) -> ticklog_table_config? { config.taken() }

    /// What is wrong with a configuration.
    public static func check(_ config: UnsafePointer<ticklog_table_config>?) -> ticklog_status {
        var status = TICKLOG_OK
        _ = TablePlan.make(config, names: nil, &status)
        return status
    }

    /// Creates the file and its table in `memory`. `names` are kept. Corresponds to `ticklog_table_create`.
    public static func create(
        _ config: UnsafePointer<ticklog_table_config>?, names: UnsafePointer<ticklog_text>? = nil,
        path: UnsafePointer<CChar>?, in memory: UnsafeMutableRawPointer?, _ bytes: Int, _ table: inout Pointer?
    ) -> ticklog_status {
        var status = TICKLOG_OK
        guard let config, let path, let memory else { return TICKLOG_NULL }
        guard let plan = TablePlan.make(config, names: names, &status) else { return status }
        guard UInt(bitPattern: memory) & 7 == 0 else { return TICKLOG_MISALIGNED }
        guard bytes >= plan.places.bytes else { return TICKLOG_NO_MEMORY }
        let storage: UnsafePointer<ticklog_storage> = config.pointee.storage
        var file: ticklog_file?
        status = storage.pointee.open(storage.pointee.context, path, &file)
        guard status == TICKLOG_OK else { return status }
        let made = make(plan, storage, in: memory)
        made.pointee.buffer.reset(file)
        table = made
        return TICKLOG_OK
    }

    /// Lays a table out in memory that is large enough.
    private static func make(
        _ plan: TablePlan, _ storage: UnsafePointer<ticklog_storage>, in memory: UnsafeMutableRawPointer
    ) -> Pointer {
        let p = plan.places
        let segments = Table<Segment>(memory + p.segments, plan.layout.segmentCount)
        let fields = plan.fields
        if plan.isGathered {
            _ = RowLayout(
                TableScalars(gathered: fields, plan.rowCodec), codec: plan.rowCodec, owners: TablePlan.owners,
                texts: plan.sizes.strings, store: segments)
        } else {
            _ = RowLayout(
                TableScalars(fields), codec: plan.rowCodec, owners: TablePlan.owners, texts: plan.sizes.strings, store: segments)
        }
        let first = Table<UInt32>(memory + p.first, TablePlan.owners + 1)
        RowLayout.link(segments, first: first)
        let samples = Table<UnsafeRawPointer?>(memory + p.samples, TablePlan.owners + 1)
        for i in 0..<samples.count { (samples.base + i).initialize(to: nil) }
        var gather: Gather?
        if plan.isGathered {
            let gathered = memory + p.gathered
            gather = Gather(fields, plan.rowCodec, moves: Table(memory + p.moves, plan.scalars), to: gathered)
            samples[TableScalars.gatheredOwner] = UnsafeRawPointer(gathered)
        }
        var texts: UnsafeMutablePointer<HeldTexts>?
        var textColumns: TextColumns?
        if plan.sizes.strings > 0 {
            let held = (memory + p.texts).assumingMemoryBound(to: HeldTexts.self)
            held.initialize(
                to: HeldTexts(
                    fields, columns: Table(memory + p.textColumns, plan.sizes.strings), arena: memory + p.arena,
                    textBytes: plan.textBytes, capacities: Int(plan.sizes.capacities), firstBit: plan.layout.bits))
            texts = held
            textColumns = held.pointee.textColumns(held)
        }
        var compressor: RowCompressor?
        var batch: BatchCompressor?
        switch plan.fileCodec {
        case .packetLZ4, .streamLZ4:
            compressor = RowCompressor(
                state: memory + p.state, stateBytes: RowCompressor.stateBytes(isAdaptive: true), window: memory + p.window,
                history: plan.history, maxRow: plan.maxRow, level: Int(plan.level), isAdaptive: true)
        case .batch:
            batch = BatchCompressor(payload: memory + p.window, state: memory + p.state, level: Int(plan.level), isTable: true)
        default: break
        }
        let rows = (memory + p.rows).assumingMemoryBound(to: RowEncoder.self)
        rows.initialize(
            to: RowEncoder(
                plan.layout, segments: segments, first: first, samples: samples, held: memory + p.held, isDirect: true,
                spoils: true, texts: textColumns))
        let start = UInt(bitPattern: memory) + UInt(p.buffer)
        let aligned = (start + UInt(plan.blockAlignment) - 1) & ~UInt(plan.blockAlignment - 1)
        let table = (memory + p.writer).assumingMemoryBound(to: TableWriter.self)
        table.initialize(
            to: TableWriter(
                plan: plan, storage: storage,
                buffer: BlockBuffer(
                    memory + Int(aligned - UInt(bitPattern: memory)), capacity: plan.bufferBytes, blockSize: plan.blockSize),
                packets: PacketWriter(
                    rows: rows, codec: plan.fileCodec, compressor: compressor, batch: batch,
                    index: PacketIndex(Table(memory + p.index, plan.indexEntries), isThinned: plan.rowCodec != .delta),
                    packetBytes: Int(plan.packetBytes)),
                samples: samples, gather: gather, texts: texts))
        return table
    }

    private init(
        plan: TablePlan, storage: UnsafePointer<ticklog_storage>, buffer: BlockBuffer, packets: PacketWriter,
        samples: Table<UnsafeRawPointer?>, gather: Gather?, texts: UnsafeMutablePointer<HeldTexts>?
    ) {
        self.plan = plan
        self.storage = storage
        self.buffer = buffer
        self.packets = packets
        self.samples = samples
        self.gather = gather
        self.texts = texts
    }

    // MARK: Going on

    /// Makes a table of a file that has rows already: its next byte goes to `offset`. `config` says how the file is
    /// encoded. Of a delta stream, `last` is its last row, which the next one refers to. `entries` are its packets, in
    /// their order. Corresponds to `ticklog_table_append`.
    public static func resume(
        _ config: UnsafePointer<ticklog_table_config>?, names: UnsafePointer<ticklog_text>? = nil, _ file: ticklog_file?,
        at offset: UInt64, rows: UInt64, last: UnsafeRawPointer?, in memory: UnsafeMutableRawPointer?, _ bytes: Int,
        entry: (Int) -> (offset: UInt64, row: UInt64)?, _ table: inout Pointer?
    ) -> ticklog_status {
        var status = TICKLOG_OK
        guard let config, let memory else { return TICKLOG_NULL }
        guard let plan = TablePlan.make(config, names: names, &status) else { return status }
        guard UInt(bitPattern: memory) & 7 == 0 else { return TICKLOG_MISALIGNED }
        guard bytes >= plan.places.bytes else { return TICKLOG_NO_MEMORY }
        let made = make(plan, config.pointee.storage, in: memory)
        made.pointee.phase = .rows
        if made.pointee.isStream, plan.rowCodec == .delta, let last {
            // Encoded for its values only: what comes of it is forgotten.
            status = made.pointee.append(last)
            guard status == TICKLOG_OK else { return status }
        }
        made.pointee.buffer.resume(file, at: offset)
        made.pointee.packets.resume(rows: rows)
        var i = 0
        while let entry = entry(i) {
            made.pointee.packets.index.add(offset: entry.offset, firstRow: entry.row)
            i += 1
        }
        table = made
        return TICKLOG_OK
    }

    static func from(_ handle: OpaquePointer?) -> Pointer? {
        guard let handle, UInt(bitPattern: handle) & 7 == 0 else { return nil }
        let table = Pointer(handle)
        return table.pointee.magic == magic ? table : nil
    }

    // MARK: Rows

    /// Rows taken so far.
    public var rowCount: UInt64 { packets.rowCount }

    public var rowBytes: Int { plan.rowBytes }

    /// Appends one row. Corresponds to `ticklog_write_row`.
    public mutating func write(_ row: UnsafeRawPointer) -> ticklog_status {
        begin()
        return append(row)
    }

    /// Appends rows that lie one behind the other. Corresponds to `ticklog_write_rows`.
    public mutating func write(_ rows: UnsafeRawPointer, count: Int, written: inout Int) -> ticklog_status {
        begin()
        written = 0
        var row = rows
        while written < count {
            let status = append(row)
            guard status == TICKLOG_OK else { return status }
            row += plan.rowBytes
            written &+= 1
        }
        return TICKLOG_OK
    }

    /// Failures that storage had before this call.
    private var errorsBefore: UInt64 = 0

    /// A call begins: storage is asked again.
    @inline(__always)
    private mutating func begin() {
        buffer.isStalled = false
        errorsBefore = tally.errors
    }

    /// Why there is no room, or not all is written: storage's failure in this call, if there was one. It is not asked again
    /// after one.
    private var refusal: ticklog_status { tally.errors == errorsBefore ? TICKLOG_BUSY : tally.lastError }

    @inline(__always)
    private mutating func append(_ row: UnsafeRawPointer) -> ticklog_status {
        if !isReady {
            // Before the row is looked at.
            guard case .header = phase else { return TICKLOG_CLOSED }
        }
        var most = plan.layout.maxRow
        if let texts {
            var bytes = 0
            let status = texts.pointee.measure(row, &bytes)
            guard status == TICKLOG_OK else { return status }
            most &+= bytes
            texts.pointee.row = row
        }
        let need = packets.room(most)
        if buffer.room < need || buffer.pending >= TableWriter.drainBytes || !isReady {
            let status = makeReady(need)
            guard status == TICKLOG_OK else { return status }
        }
        if let gather { gather.run(row) }
        samples.base[TablePlan.owners] = row
        packets.append(.all(allPresent: true), most: most, to: &buffer)
        return TICKLOG_OK
    }

    /// Enough for a good write, and still in the processor's cache.
    private static var drainBytes: Int { 1 << 18 }

    private var isReady: Bool {
        if case .rows = phase { return true }
        return false
    }

    /// Before a row that needs so much room: the header is there, and storage has taken what it can. OK: the row may come.
    @inline(never)
    private mutating func makeReady(_ need: Int) -> ticklog_status {
        switch phase {
        case .rows: break
        case .header:
            let status = putHeader()
            guard status == TICKLOG_OK else { return status }
        default: return TICKLOG_CLOSED
        }
        hasNews = true
        packets.hashPending(buffer)
        if buffer.pending >= TableWriter.drainBytes {
            let status = buffer.drain(all: false, storage, &tally)
            // Busy: as long as there is room, rows are taken.
            guard status == TICKLOG_OK || status == TICKLOG_BUSY else { return status }
        }
        return buffer.makeRoom(need, storage, &tally) ? TICKLOG_OK : refusal
    }

    // MARK: Header and footer

    private mutating func putHeader() -> ticklog_status {
        while case .header(let emitted) = phase {
            var out = Emitter(skip: emitted, out: buffer.next, room: buffer.room)
            BCSVFormat.putFixedHeader(
                &out, version: plan.version, creationTime: plan.creationTime, columns: plan.sizes.columns,
                flags: plan.rowCodec.flags | plan.fileCodec.flags, level: plan.fileCodec.level(plan.level),
                packetBytes: plan.packetBytes)
            plan.fields.putSchema(&out)
            let status = take(out, emitted, .rows) { .header(emitted: $0) }
            guard status == TICKLOG_OK else { return status }
        }
        return TICKLOG_OK
    }

    private mutating func putFooter() -> ticklog_status {
        while case .footer(let emitted) = phase {
            var out = Emitter(skip: emitted, out: buffer.next, room: buffer.room)
            BCSVFormat.putFooter(&out, packets.index, rows: packets.rowCount)
            let status = take(out, emitted, .finish) { .footer(emitted: $0) }
            guard status == TICKLOG_OK else { return status }
        }
        return TICKLOG_OK
    }

    /// A window of a document: then the next one, or what comes behind the last.
    private mutating func take(_ out: Emitter, _ emitted: Int, _ behind: Phase, _ next: (Int) -> Phase) -> ticklog_status {
        buffer.advance(out.filled)
        hasNews = true
        guard emitted + out.filled < out.position else {
            phase = behind
            return TICKLOG_OK
        }
        phase = next(emitted + out.filled)
        return buffer.makeRoom(min(plan.blockSize, buffer.capacity / 2), storage, &tally) ? TICKLOG_OK : refusal
    }

    // MARK: Flush, close

    /// Closes the open packet, writes everything and syncs. Corresponds to `ticklog_table_flush`.
    public mutating func flush() -> ticklog_status {
        begin()
        switch phase {
        case .rows: break
        case .header:
            let status = putHeader()
            guard status == TICKLOG_OK else { return status }
        default: return TICKLOG_CLOSED
        }
        packets.close(&buffer)
        return finish()
    }

    /// All that is in the buffer, and a sync.
    private mutating func finish() -> ticklog_status {
        packets.hashPending(buffer)
        if buffer.pending > 0 { hasNews = true }
        var status = buffer.drain(all: true, storage, &tally)
        guard status == TICKLOG_OK else { return refusal }
        guard hasNews, let sync = storage.pointee.sync else { return TICKLOG_OK }
        status = sync(storage.pointee.context, buffer.file)
        tally.note(status)
        if status == TICKLOG_OK { hasNews = false }
        return status
    }

    /// Flushes, writes the footer and closes the file. Corresponds to `ticklog_table_close`.
    public mutating func close() -> ticklog_status {
        begin()
        if case .header = phase {
            let status = putHeader()
            guard status == TICKLOG_OK else { return status }
        }
        if case .rows = phase {
            packets.close(&buffer)
            packets.hashPending(buffer)
            phase = isStream ? .finish : .footer(emitted: 0)
        }
        var status = putFooter()
        guard status == TICKLOG_OK else { return status }
        guard case .finish = phase else { return TICKLOG_CLOSED }
        status = finish()
        guard status == TICKLOG_OK else { return status }
        phase = .closed
        status = storage.pointee.close(storage.pointee.context, buffer.file)
        tally.note(status)
        return status
    }

    private var isStream: Bool { plan.fileCodec == .stream || plan.fileCodec == .streamLZ4 }

    /// Closes the file as it is. Corresponds to `ticklog_table_abandon`.
    public mutating func abandon() -> ticklog_status {
        if case .closed = phase { return TICKLOG_CLOSED }
        phase = .closed
        let status = storage.pointee.close(storage.pointee.context, buffer.file)
        tally.note(status)
        return status
    }
}
