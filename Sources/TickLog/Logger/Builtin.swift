import CTickLog

/// The event streams that every BCSV run has: `ticklog.clock`, `ticklog.note`, `ticklog.loss`.
enum Builtin {
    static let clock = 0
    static let note = 1
    static let loss = 2
    static let fieldCount = 10

    static let clockBytes: UInt32 = 13   // epoch_ns i64, uncertainty_ns u32, source u8
    static let noteText = 120
    static let noteBytes: UInt32 = 121   // level u8, text string

    static func make(_ logger: Logger.Pointer, fields: UnsafeMutablePointer<ticklog_field>) {
        func field(_ index: Int, _ name: StaticString, _ type: UInt32, _ offset: UInt32, size: Int = 0, unit: StaticString = "") {
            fields[index] = ticklog_field(
                name: text(name), unit: text(unit), type: UInt16(type), count: 1, offset: offset,
                size: UInt32(size == 0 ? ValueType(code: UInt16(type)).size : size))
        }
        field(0, "epoch_ns", TICKLOG_I64, 0, unit: "ns")
        field(1, "uncertainty_ns", TICKLOG_U32, 8, unit: "ns")
        field(2, "source", TICKLOG_U8, 12)
        field(3, "level", TICKLOG_U8, 0)
        field(4, "text", TICKLOG_STRING, 1, size: noteText)
        field(5, "stream", TICKLOG_U16, LossRecord.streamOffset)
        field(6, "reason", TICKLOG_U8, LossRecord.reasonOffset)
        field(7, "first_tick", TICKLOG_U64, LossRecord.firstOffset)
        field(8, "last_tick", TICKLOG_U64, LossRecord.lastOffset)
        field(9, "samples", TICKLOG_U32, LossRecord.samplesOffset)
        func stream(_ index: Int, _ name: StaticString, _ first: Int, _ count: Int, _ bytes: UInt32) {
            var config = ticklog_stream_config()
            config.size = UInt32(MemoryLayout<ticklog_stream_config>.size)
            config.kind = UInt16(TICKLOG_EMIT)
            config.name = text(name)
            config.field_count = UInt32(count)
            config.fields = UnsafePointer(fields + first)
            config.source_size = bytes
            logger.pointee.builtins.pointer(index).initialize(
                to: Stream(
                    magic: Stream.magic, index: UInt16(index), fileIndex: UInt16(index), logger: logger,
                    handles: logger.pointee.handles, slots: 0, config: config, sampleBytes: bytes, isBuiltin: true))
        }
        stream(clock, "ticklog.clock", 0, 3, clockBytes)
        stream(note, "ticklog.note", 3, 2, noteBytes)
        stream(loss, "ticklog.loss", 5, 5, LossRecord.bytes)
    }

    static func text(_ text: StaticString) -> UnsafePointer<CChar> {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}

/// A declared loss, in the layout that `ticklog.loss` and `loss.dlf` store.
enum LossRecord {
    static let streamOffset: UInt32 = 0
    static let reasonOffset: UInt32 = 2
    static let firstOffset: UInt32 = 4
    static let lastOffset: UInt32 = 12
    static let samplesOffset: UInt32 = 20
    static let bytes: UInt32 = 24
}
