import CTickLog
import Synchronization

/// A stream as it was added to the logger. Corresponds to `ticklog_stream`.
struct Stream {
    static let magic: UInt32 = 0x5354_4B54  // "TKTS"
    static let maxNameLength = 31
    static let maxUnitLength = 31
    static let maxNotesLength = 127
    /// Bytes of one sample: more would not fit a BCSV row (spec BCSV, section 2.6).
    static let maxSampleBytes: UInt32 = 16_777_000

    var magic: UInt32
    /// Order of adding.
    let index: UInt16
    /// Order among the polled streams, or among the event streams.
    let fileIndex: UInt16
    let logger: Logger.Pointer
    /// An emitted stream's handles in open runs, `slots` of them; see `Logger.handles`.
    let handles: UnsafeMutablePointer<Atomic<UInt>>
    let slots: Int
    let config: ticklog_stream_config
    /// Bytes of a sample.
    let sampleBytes: UInt32
    let isBuiltin: Bool

    typealias Pointer = UnsafeMutablePointer<Stream>

    var isPolled: Bool { config.kind == UInt16(TICKLOG_POLL) }
    var isWatched: Bool { config.kind == UInt16(TICKLOG_WATCH) }
    var isEmitted: Bool { config.kind == UInt16(TICKLOG_EMIT) }

    /// A stream without fields is a single value of the configuration's type.
    var isSingle: Bool { config.field_count == 0 }

    @inline(__always)
    static func from(_ handle: OpaquePointer?) -> Pointer? {
        guard let handle, UInt(bitPattern: handle) & 7 == 0 else { return nil }
        let stream = Pointer(handle)
        return stream.pointee.magic == magic ? stream : nil
    }

    /// Adds a stream: everything is checked before anything changes.
    static func add(
        _ logger: Logger.Pointer, _ config: UnsafePointer<ticklog_stream_config>,
        _ result: UnsafeMutablePointer<OpaquePointer?>?
    ) -> ticklog_status {
        guard let c = config.taken() else { return TICKLOG_BAD_SIZE }
        guard let name = c.name else { return TICKLOG_NULL }
        guard c.kind >= TICKLOG_POLL, c.kind <= TICKLOG_EMIT else { return TICKLOG_BAD_ARGUMENT }
        guard (c.try_lock == nil) == (c.unlock == nil), c.reserved == 0 else { return TICKLOG_BAD_ARGUMENT }
        let isEmitted = c.kind == TICKLOG_EMIT
        guard isEmitted || c.source != nil else { return TICKLOG_NULL }
        guard c.kind == TICKLOG_POLL || (c.interval_ns == 0 && c.phase_ns == 0) else { return TICKLOG_BAD_ARGUMENT }
        guard isEmitted || c.queue_bytes == 0, !isEmitted || c.try_lock == nil, c.queue_bytes <= 1 << 30
        else { return TICKLOG_BAD_ARGUMENT }
        var status = Names.check(name)
        guard status == TICKLOG_OK else { return status }
        status = Names.checkTexts(unit: c.unit, notes: c.notes)
        guard status == TICKLOG_OK else { return status }
        if let typeName = c.type_name {
            status = Names.checkTypeName(typeName)
            guard status == TICKLOG_OK else { return status }
        }
        var sampleBytes = c.source_size
        if c.field_count == 0 {
            guard c.type <= TICKLOG_F64 || c.type == TICKLOG_OPAQUE || c.type == TICKLOG_STRING
            else { return TICKLOG_BAD_TYPE }
            if c.type <= TICKLOG_F64 {
                let width = UInt32(ValueType(code: c.type).size)
                guard sampleBytes == 0 || sampleBytes == width else { return TICKLOG_BAD_SIZE }
                sampleBytes = width
            } else {
                guard sampleBytes > 0 else { return TICKLOG_BAD_SIZE }
                guard c.type == TICKLOG_OPAQUE || sampleBytes <= 65535 else { return TICKLOG_BAD_SIZE }
            }
        } else {
            guard let fields = c.fields else { return TICKLOG_NULL }
            guard sampleBytes > 0 else { return TICKLOG_BAD_SIZE }
            status = FieldRules.check(fields, count: c.field_count, bytes: sampleBytes)
            guard status == TICKLOG_OK else { return status }
        }
        guard sampleBytes <= maxSampleBytes else { return TICKLOG_TOO_MANY }
        for i in 0..<Int(logger.pointee.streamCount)
        where Names.equal(logger.pointee.streams.pointer(i).pointee.config.name, name) {
            return TICKLOG_DUPLICATE_NAME
        }
        guard !logger.pointee.hasOpenRun else { return TICKLOG_RUN_OPEN }
        guard logger.pointee.streamCount < logger.pointee.maxStreams else { return TICKLOG_TOO_MANY }

        let index = logger.pointee.streamCount
        let isPolled = c.kind == TICKLOG_POLL
        let stream = logger.pointee.streams.pointer(Int(index))
        stream.initialize(
            to: Stream(
                magic: magic, index: index, fileIndex: isPolled ? logger.pointee.polledCount : logger.pointee.eventCount,
                logger: logger, handles: logger.pointee.handles + Int(index) * Int(logger.pointee.maxRuns),
                slots: Int(logger.pointee.maxRuns), config: c, sampleBytes: sampleBytes, isBuiltin: false))
        logger.pointee.streamCount += 1
        if isPolled { logger.pointee.polledCount += 1 } else { logger.pointee.eventCount += 1 }
        result?.pointee = OpaquePointer(stream)
        return TICKLOG_OK
    }
}

/// Legal names of streams and fields: [A-Za-z_][A-Za-z0-9_]{0,30}, `ticklog` reserved.
enum Names {
    static func check(_ name: UnsafePointer<CChar>) -> ticklog_status {
        let length = name.length(Stream.maxNameLength + 1)
        guard length > 0 else { return TICKLOG_BAD_NAME }
        for i in 0..<length {
            switch UInt8(bitPattern: name[i]) {
            case 65...90, 97...122, 95: break
            case 48...57 where i > 0: break
            default: return TICKLOG_BAD_NAME
            }
        }
        guard length <= Stream.maxNameLength else { return TICKLOG_NAME_TOO_LONG }
        let reserved: StaticString = "ticklog"
        if length == 7, UnsafeRawPointer(name).equals(UnsafeRawPointer(reserved.utf8Start), 7) { return TICKLOG_BAD_NAME }
        return TICKLOG_OK
    }

    static func checkTexts(unit: UnsafePointer<CChar>?, notes: UnsafePointer<CChar>?) -> ticklog_status {
        if let unit, unit.length(Stream.maxUnitLength + 1) > Stream.maxUnitLength { return TICKLOG_NAME_TOO_LONG }
        if let notes, notes.length(Stream.maxNotesLength + 1) > Stream.maxNotesLength { return TICKLOG_NAME_TOO_LONG }
        return TICKLOG_OK
    }

    /// The name of a structure, which only DLF headers hold: a ';' or ':' would end it there.
    static func checkTypeName(_ name: UnsafePointer<CChar>) -> ticklog_status {
        let length = name.length(128)
        guard length > 0 else { return TICKLOG_BAD_NAME }
        guard length <= 127 else { return TICKLOG_NAME_TOO_LONG }
        for i in 0..<length where name[i] == 58 || name[i] == 59 { return TICKLOG_BAD_NAME }
        return TICKLOG_OK
    }

    /// Whether two checked names are the same.
    static func equal(_ a: UnsafePointer<CChar>, _ b: UnsafePointer<CChar>) -> Bool {
        let length = a.length(Stream.maxNameLength)
        return length == b.length(Stream.maxNameLength) && UnsafeRawPointer(a).equals(UnsafeRawPointer(b), length)
    }
}

/// Legal fields of a structure of `bytes` bytes.
enum FieldRules {
    static func check(_ fields: UnsafePointer<ticklog_field>, count: UInt32, bytes: UInt32) -> ticklog_status {
        guard count <= 65000 else { return TICKLOG_TOO_MANY }
        for i in 0..<Int(count) {
            let field = fields[i]
            guard let name = field.name else { return TICKLOG_NULL }
            var status = Names.check(name)
            guard status == TICKLOG_OK else { return status }
            status = Names.checkTexts(unit: field.unit, notes: nil)
            guard status == TICKLOG_OK else { return status }
            guard field.type <= TICKLOG_STRING else { return TICKLOG_BAD_TYPE }
            let elements = UInt64(max(field.count, 1))
            let size: UInt64
            if field.type == TICKLOG_STRING {
                guard field.size >= 1, field.size <= 65535 else { return TICKLOG_BAD_FIELD }
                size = UInt64(field.size) * elements
            } else {
                size = UInt64(ValueType(code: field.type).size) * elements
                guard field.size == 0 || UInt64(field.size) == size else { return TICKLOG_BAD_FIELD }
            }
            guard UInt64(field.offset) + size <= UInt64(bytes) else { return TICKLOG_BAD_FIELD }
            for j in 0..<i where Names.equal(fields[j].name, name) { return TICKLOG_DUPLICATE_NAME }
        }
        return TICKLOG_OK
    }
}
