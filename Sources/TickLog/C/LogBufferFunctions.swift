import CTickLog

// ticklog.h, section "Log buffer".

/// What lies in a ticklog_log_writer.
private struct WriterObject {
    static let alive: UInt32 = 0x574C_4B54  // "TKLW"
    var magic = WriterObject.alive
    var writer: LogBufferWriter

    static func from(_ handle: UnsafePointer<ticklog_log_writer>) -> UnsafeMutablePointer<WriterObject>? {
        let object = UnsafeMutableRawPointer(mutating: handle).assumingMemoryBound(to: WriterObject.self)
        return object.pointee.magic == alive ? object : nil
    }

    static func store(_ writer: LogBufferWriter, _ handle: UnsafeMutablePointer<ticklog_log_writer>) {
        precondition(MemoryLayout<WriterObject>.size <= MemoryLayout<ticklog_log_writer>.size)
        UnsafeMutableRawPointer(handle).bindMemory(to: WriterObject.self, capacity: 1)
            .initialize(to: WriterObject(writer: writer))
    }
}

/// What lies in a ticklog_log_reader.
private struct LogReaderObject {
    static let alive: UInt32 = 0x524C_4B54  // "TKLR"
    var magic = LogReaderObject.alive
    var reader: LogBufferReader

    static func from(_ handle: UnsafePointer<ticklog_log_reader>) -> UnsafeMutablePointer<LogReaderObject>? {
        let object = UnsafeMutableRawPointer(mutating: handle).assumingMemoryBound(to: LogReaderObject.self)
        return object.pointee.magic == alive ? object : nil
    }
}

extension LogBufferReader.Start {
    fileprivate init?(_ from: UInt32) {
        switch from {
        case TICKLOG_FROM_OLDEST: self = .oldest
        case TICKLOG_FROM_NEWEST: self = .newest
        default: return nil
        }
    }
}

@c @implementation
public func ticklog_log_buffer_size(_ capacity: UInt32) -> Int {
    LogBufferWriter.bytes(capacity: Int(exactly: capacity) ?? 0) ?? 0
}

@c @implementation
public func ticklog_log_buffer_create(
    _ memory: UnsafeMutableRawPointer!, _ bytes: Int, _ capacity: UInt32, _ writer: UnsafeMutablePointer<ticklog_log_writer>!
) -> ticklog_status {
    guard let memory, let writer else { return TICKLOG_NULL }
    let needed = ticklog_log_buffer_size(capacity)
    guard needed > 0 else { return TICKLOG_BAD_ARGUMENT }
    guard UInt(bitPattern: memory) % 8 == 0 else { return TICKLOG_MISALIGNED }
    guard bytes >= needed else { return TICKLOG_NO_MEMORY }
    WriterObject.store(LogBufferWriter(creating: memory, capacity: Int(capacity)), writer)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_log_buffer_attach(
    _ memory: UnsafeMutableRawPointer!, _ bytes: Int, _ writer: UnsafeMutablePointer<ticklog_log_writer>!
) -> ticklog_status {
    guard let memory, let writer else { return TICKLOG_NULL }
    guard UInt(bitPattern: memory) % 8 == 0 else { return TICKLOG_MISALIGNED }
    do throws(FormatError) {
        WriterObject.store(try LogBufferWriter(continuing: memory, bytes: bytes), writer)
        return TICKLOG_OK
    } catch { return ReaderObject.status(error) }
}

@c @implementation
public func ticklog_log_buffer_write(
    _ writer: UnsafeMutablePointer<ticklog_log_writer>!, _ timestamp: UInt64, _ payload: UnsafeRawPointer!, _ count: Int
) -> ticklog_status {
    guard let writer else { return TICKLOG_NULL }
    guard let object = WriterObject.from(writer) else { return TICKLOG_BAD_HANDLE }
    // An empty record's address is not looked at.
    guard let bytes = payload ?? (count == 0 ? UnsafeRawPointer(writer) : nil) else { return TICKLOG_NULL }
    return object.pointee.writer.write(timestamp: timestamp, payload: bytes, size: count) ? TICKLOG_OK : TICKLOG_TOO_LARGE
}

@c @implementation
public func ticklog_log_buffer_finish(_ writer: UnsafeMutablePointer<ticklog_log_writer>!) -> ticklog_status {
    guard let writer else { return TICKLOG_NULL }
    guard let object = WriterObject.from(writer) else { return TICKLOG_BAD_HANDLE }
    object.pointee.writer.close()
    return TICKLOG_OK
}

@c @implementation
public func ticklog_log_buffer_open(
    _ memory: UnsafeRawPointer!, _ bytes: Int, _ from: UInt32, _ reader: UnsafeMutablePointer<ticklog_log_reader>!
) -> ticklog_status {
    guard let memory, let reader else { return TICKLOG_NULL }
    guard let start = LogBufferReader.Start(from) else { return TICKLOG_BAD_ARGUMENT }
    guard UInt(bitPattern: memory) % 8 == 0 else { return TICKLOG_MISALIGNED }
    precondition(MemoryLayout<LogReaderObject>.size <= MemoryLayout<ticklog_log_reader>.size)
    do throws(FormatError) {
        var new = try LogBufferReader(memory, bytes: bytes)
        guard let found = new.seek(start) else { return TICKLOG_BUSY }
        guard found else { return TICKLOG_DAMAGED }
        UnsafeMutableRawPointer(reader).bindMemory(to: LogReaderObject.self, capacity: 1)
            .initialize(to: LogReaderObject(reader: new))
        return TICKLOG_OK
    } catch { return ReaderObject.status(error) }
}

@c @implementation
public func ticklog_log_buffer_seek(
    _ reader: UnsafeMutablePointer<ticklog_log_reader>!, _ from: UInt32
) -> ticklog_status {
    guard let reader else { return TICKLOG_NULL }
    guard let object = LogReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    guard let start = LogBufferReader.Start(from) else { return TICKLOG_BAD_ARGUMENT }
    guard let found = object.pointee.reader.seek(start) else { return TICKLOG_BUSY }
    return found ? TICKLOG_OK : TICKLOG_DAMAGED
}

@inline(__always)
private func told(
    _ outcome: LogBufferReader.Outcome, _ record: UnsafeMutablePointer<ticklog_log_record>?
) -> ticklog_status {
    switch outcome {
    case .record(let timestamp, let size, let sequence):
        record?.pointee = ticklog_log_record(
            timestamp: timestamp, bytes: UInt32(truncatingIfNeeded: size), sequence: sequence)
        return TICKLOG_OK
    case .needs(let size):
        record?.pointee.bytes = UInt32(truncatingIfNeeded: size)
        return TICKLOG_NO_MEMORY
    case .none: return TICKLOG_END
    case .closed: return TICKLOG_CLOSED
    case .damaged: return TICKLOG_DAMAGED
    }
}

@c @implementation
public func ticklog_log_buffer_read(
    _ reader: UnsafeMutablePointer<ticklog_log_reader>!, _ out: UnsafeMutableRawPointer!, _ room: Int,
    _ record: UnsafeMutablePointer<ticklog_log_record>!
) -> ticklog_status {
    guard let reader, let out, let record else { return TICKLOG_NULL }
    guard let object = LogReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    return told(object.pointee.reader.read(into: out, room: room), record)
}

@c @implementation
public func ticklog_log_buffer_skip(_ reader: UnsafeMutablePointer<ticklog_log_reader>!) -> ticklog_status {
    guard let reader else { return TICKLOG_NULL }
    guard let object = LogReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    return told(object.pointee.reader.skip(), nil)
}

@c @implementation
public func ticklog_log_buffer_reader_statistics(
    _ reader: UnsafePointer<ticklog_log_reader>!, _ statistics: UnsafeMutablePointer<ticklog_log_reader_statistics>!
) -> ticklog_status {
    guard let reader, let statistics else { return TICKLOG_NULL }
    guard let object = LogReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    guard statistics.hasKnownSize else { return TICKLOG_BAD_SIZE }
    let r = object.pointee.reader
    statistics.fill(
        ticklog_log_reader_statistics(
            size: 0, capacity: UInt32(truncatingIfNeeded: r.capacity), read: r.read, lost: r.lost, lapped: r.overtaken,
            behind_bytes: r.behind, written: r.written))
    return TICKLOG_OK
}

@c @implementation
public func ticklog_log_buffer_writer_statistics(
    _ writer: UnsafePointer<ticklog_log_writer>!, _ statistics: UnsafeMutablePointer<ticklog_log_writer_statistics>!
) -> ticklog_status {
    guard let writer, let statistics else { return TICKLOG_NULL }
    guard let object = WriterObject.from(writer) else { return TICKLOG_BAD_HANDLE }
    guard statistics.hasKnownSize else { return TICKLOG_BAD_SIZE }
    let w = object.pointee.writer
    statistics.fill(
        ticklog_log_writer_statistics(
            size: 0, capacity: UInt32(truncatingIfNeeded: w.capacity), written: w.records, held_bytes: w.heldBytes,
            most_bytes: UInt32(truncatingIfNeeded: w.mostPayloadBytes), reserved: 0))
    return TICKLOG_OK
}
