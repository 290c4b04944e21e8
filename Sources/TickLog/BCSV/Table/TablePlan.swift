import CTickLog

/// A checked table configuration and where everything lies in the table's memory. Made twice: to tell the size, and to
/// create.
struct TablePlan {
    let fields: TableFields
    let rowBytes: Int
    let rowCodec: BCSVRowCodec
    let fileCodec: BCSVFileCodec
    let level: UInt8
    let version: UInt8
    let creationTime: UInt64
    let packetBytes: UInt32
    let indexEntries: Int
    let history: Int
    let sizes: TableFields.Sizes
    /// Of the `ticklog_text` cells of a row.
    let textBytes: Int
    let layout: RowLayout
    /// Members lie in an order that is not the encoded row's: they are sorted first.
    let isGathered: Bool
    let bufferBytes: Int
    let blockSize: Int
    let blockAlignment: Int

    /// Offsets in the table's memory.
    struct Places {
        var writer = 0, rows = 0, segments = 0, first = 0, samples = 0, held = 0, moves = 0, gathered = 0
        var texts = 0, textColumns = 0, arena = 0, index = 0, state = 0, window = 0, buffer = 0
        var bytes = 0
    }
    private(set) var places = Places()

    /// The longest row.
    var maxRow: Int { layout.maxRow + textBytes + Int(sizes.capacities) }
    var scalars: Int { sizes.columns - sizes.strings }
    static var owners: Int { 1 }

    /// The plan, or the status that says what is wrong with the configuration.
    static func make(
        _ config: UnsafePointer<ticklog_table_config>?, names: UnsafePointer<ticklog_text>?, _ status: inout ticklog_status
    ) -> TablePlan? {
        guard let config else {
            status = TICKLOG_NULL
            return nil
        }
        guard let c = config.taken() else {
            status = TICKLOG_BAD_SIZE
            return nil
        }
        status = check(c)
        guard status == TICKLOG_OK else { return nil }
        let fields = TableFields(fields: c.fields, count: Int(c.field_count), names: names)
        var sizes = TableFields.Sizes()
        status = fields.check(rowBytes: c.row_bytes, &sizes)
        guard status == TICKLOG_OK else { return nil }
        let texts = !sizes.hasTexts ? 0 : c.text_bytes == 0 ? 65536 : UInt64(c.text_bytes)
        guard texts + sizes.capacities + 9 * UInt64(sizes.columns) + 16 <= UInt64(BCSVFormat.maxRowBytes), isPossible(c) else {
            status = TICKLOG_TOO_MANY
            return nil
        }
        return TablePlan(c, fields, sizes, textBytes: Int(texts))
    }

    private static func check(_ c: ticklog_table_config) -> ticklog_status {
        guard c.fields != nil, let storage = c.storage else { return TICKLOG_NULL }
        guard c.field_count > 0, c.row_codec <= TICKLOG_DELTA, c.file_codec <= TICKLOG_STREAM_LZ4, c.level <= 9,
            c.bcsv_version == 0 || c.bcsv_version == TICKLOG_BCSV_1_3 || c.bcsv_version == TICKLOG_BCSV_1_5,
            c.packet_bytes == 0 || (512...BCSVFormat.maxPacketLimit).contains(c.packet_bytes),
            c.index_entries == 0 || (2...(1 << 24)).contains(c.index_entries), c.buffer_bytes <= 1 << 30,
            c.window_bytes == 0 || (4096...65536).contains(c.window_bytes)
        else { return TICKLOG_BAD_ARGUMENT }
        if c.bcsv_version == TICKLOG_BCSV_1_3, c.row_codec == TICKLOG_DELTA || c.file_codec == TICKLOG_BATCH {
            return TICKLOG_UNSUPPORTED
        }
        #if BARE_METAL
        if c.file_codec == TICKLOG_BATCH, Int(c.level) >= BatchCompressor.leastHighLevel { return TICKLOG_UNSUPPORTED }
        #endif
        return StorageRules.checkForTables(storage)
    }

    /// Whether nothing overflows in the plan.
    private static func isPossible(_ c: ticklog_table_config) -> Bool {
        // Rows and what is made of them stay below 2^28 bytes.
        let packets = c.file_codec == TICKLOG_BATCH ? 3 * UInt64(c.packet_bytes) : 0
        let index = UInt64(c.index_entries) * UInt64(MemoryLayout<IndexEntry>.stride)
        return packets + index + UInt64(c.buffer_bytes) + 1 << 28 <= UInt64(Int.max)
    }

    private init(_ c: ticklog_table_config, _ fields: TableFields, _ sizes: TableFields.Sizes, textBytes: Int) {
        self.fields = fields
        self.sizes = sizes
        self.textBytes = textBytes
        rowBytes = Int(c.row_bytes)
        rowCodec = BCSVRowCodec(code: c.row_codec)
        fileCodec = BCSVFileCodec(code: c.file_codec)
        level = c.level == 0 ? 1 : c.level
        version = c.bcsv_version == 0 ? UInt8(TICKLOG_BCSV_1_5) : c.bcsv_version
        creationTime = c.creation_time
        packetBytes = c.packet_bytes == 0 ? 65536 : c.packet_bytes
        history = c.window_bytes == 0 ? 65536 : Int(c.window_bytes)
        blockSize = StorageRules.blockSize(c.storage)
        blockAlignment = StorageRules.blockAlignment(c.storage)

        let plain = RowLayout(TableScalars(fields), codec: rowCodec, owners: TablePlan.owners, texts: sizes.strings)
        isGathered = plain.segmentCount > 3 + plain.columns / 16
        layout = !isGathered ? plain
            : RowLayout(
                TableScalars(gathered: fields, rowCodec), codec: rowCodec, owners: TablePlan.owners, texts: sizes.strings)
        let isStream = fileCodec == .stream || fileCodec == .streamLZ4
        indexEntries = isStream ? 0 : c.index_entries == 0 ? 256 : Int(c.index_entries)

        let maxRow = layout.maxRow + textBytes + Int(sizes.capacities)
        let room = PacketWriter.rowRoom(maxRow: maxRow, codec: fileCodec, packetBytes: Int(packetBytes))
        // Large writes cost an operating system less; a microcontroller has no memory for them.
        #if BARE_METAL
        let usual = 2048
        #else
        let usual = 1 << 18
        #endif
        bufferBytes = roundUp(max(room + 2 * blockSize, c.buffer_bytes == 0 ? usual : Int(c.buffer_bytes)), blockSize)

        var cursor = MemoryCursor()
        func table<Element>(_: Element.Type, _ count: Int) -> Int { cursor.take(MemoryLayout<Element>.stride * count) }
        var p = Places()
        p.writer = table(TableWriter.self, 1)
        p.rows = cursor.take(MemoryLayout<RowEncoder>.stride)
        p.segments = table(Segment.self, layout.segmentCount)
        p.first = table(UInt32.self, TablePlan.owners + 1)
        p.samples = table(UnsafeRawPointer?.self, TablePlan.owners + 1)
        p.held = cursor.take(RowEncoder.heldBytes(layout))
        if isGathered {
            p.moves = table(Gather.Move.self, sizes.columns - sizes.strings)
            p.gathered = cursor.take(layout.bools + layout.scalarBytes)
        }
        if sizes.strings > 0 {
            p.texts = table(HeldTexts.self, 1)
            p.textColumns = table(TextColumn.self, sizes.strings)
            // Flat rows hold nothing.
            p.arena = cursor.take(rowCodec == .flat ? 1 : 2 * (textBytes + Int(sizes.capacities)))
        }
        p.index = table(IndexEntry.self, indexEntries)
        switch fileCodec {
        case .packetLZ4, .streamLZ4:
            p.state = cursor.take(RowCompressor.stateBytes(isAdaptive: true))
            p.window = cursor.take(RowCompressor.windowBytes(history: history, maxRow: maxRow, isAdaptive: true))
        case .batch:
            p.state = cursor.take(BatchCompressor.stateBytes(level: Int(level), isTable: true))
            p.window = cursor.take(BatchCompressor.payloadBytes(packetBytes: Int(packetBytes), maxRow: maxRow))
        default: break
        }
        p.buffer = cursor.take(bufferBytes + max(blockAlignment - 8, 0))
        p.bytes = cursor.end
        places = p
    }
}
