import CTickLog

// ticklog.h, section "Records".

extension RecordKinds {
    /// What `ticklog_record_next` and its like answer.
    func next(
        _ bytes: FileBytes, _ needed: UnsafeMutablePointer<Int>, _ record: UnsafeMutablePointer<ticklog_record>
    ) -> ticklog_status {
        needed.pointee = 0
        switch look(at: bytes) {
        case .record(let found):
            record.pointee = ticklog_record(
                magic: found.magic, version: found.version, payload_bytes: UInt32(found.payload.count),
                bytes: UInt32(found.bytes), checksum: found.checksum, payload: found.payload.start)
            return TICKLOG_OK
        case .needs(let count):
            needed.pointee = count
            return TICKLOG_END
        case .wrongMagic: return TICKLOG_WRONG_FORMAT
        case .unknownVersion: return TICKLOG_UNSUPPORTED
        case .impossible, .wrongChecksum: return TICKLOG_DAMAGED
        }
    }

    /// What `ticklog_record_find` and its like answer.
    func find(
        _ bytes: FileBytes, _ skipped: UnsafeMutablePointer<Int>, _ needed: UnsafeMutablePointer<Int>,
        _ record: UnsafeMutablePointer<ticklog_record>
    ) -> ticklog_status {
        var at = 0
        while true {
            at = magic(in: bytes, from: at)
            skipped.pointee = at
            let status = next(bytes.slice(at: at, count: bytes.count - at), needed, record)
            if status == TICKLOG_OK || status == TICKLOG_END { return status }
            at += 1
        }
    }
}

@c @implementation
public func ticklog_record_check(_ kinds: UnsafePointer<ticklog_record_kind>!, _ count: UInt32) -> ticklog_status {
    guard let records = UserRecords(kinds, count) else { return TICKLOG_NULL }
    return records.check()
}

@c @implementation
public func ticklog_record_next(
    _ kinds: UnsafePointer<ticklog_record_kind>!, _ kindCount: UInt32, _ bytes: UnsafeRawPointer!, _ count: Int,
    _ needed: UnsafeMutablePointer<Int>!, _ record: UnsafeMutablePointer<ticklog_record>!
) -> ticklog_status {
    guard let records = UserRecords(kinds, kindCount), let bytes, let needed, let record else { return TICKLOG_NULL }
    guard count >= 0 else { return TICKLOG_BAD_SIZE }
    return records.next(FileBytes(start: bytes, count: count), needed, record)
}

@c @implementation
public func ticklog_record_find(
    _ kinds: UnsafePointer<ticklog_record_kind>!, _ kindCount: UInt32, _ bytes: UnsafeRawPointer!, _ count: Int,
    _ skipped: UnsafeMutablePointer<Int>!, _ needed: UnsafeMutablePointer<Int>!, _ record: UnsafeMutablePointer<ticklog_record>!
) -> ticklog_status {
    guard let records = UserRecords(kinds, kindCount), let bytes, let skipped, let needed, let record else { return TICKLOG_NULL }
    guard count >= 0 else { return TICKLOG_BAD_SIZE }
    return records.find(FileBytes(start: bytes, count: count), skipped, needed, record)
}

@c @implementation
public func ticklog_record_read(
    _ kind: UnsafePointer<ticklog_record_kind>!, _ record: UnsafePointer<ticklog_record>!, _ out: UnsafeMutableRawPointer!,
    _ room: Int
) -> ticklog_status {
    guard let records = UserRecords(kind, 1), let record, let out, let payload = record.pointee.payload else { return TICKLOG_NULL }
    guard room >= Int(kind.pointee.record_bytes) else { return TICKLOG_NO_MEMORY }
    guard record.pointee.magic == kind.pointee.magic else { return TICKLOG_BAD_ARGUMENT }
    guard let form = records.form(of: record)?.form else { return TICKLOG_BAD_SIZE }
    let bytes = Int(record.pointee.payload_bytes)
    if let upconvert = form.pointee.upconvert {
        out.zero(Int(kind.pointee.record_bytes))
        return upconvert(kind.pointee.context, payload, UInt32(bytes), out)
    }
    // ticklog_record_check has compared them.
    guard bytes <= Int(kind.pointee.record_bytes) else { return TICKLOG_BAD_SIZE }
    out.copy(payload, bytes)
    (out + bytes).zero(Int(kind.pointee.record_bytes) - bytes)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_record_write(
    _ kind: UnsafePointer<ticklog_record_kind>!, _ record: UnsafeRawPointer!, _ out: UnsafeMutableRawPointer!, _ room: Int,
    _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard let kind, let record, let out, let bytes else { return TICKLOG_NULL }
    bytes.pointee = 0
    guard room >= Record.framingBytes else { return TICKLOG_NO_MEMORY }
    let payload = out + Record.headerBytes
    let most = min(room - Record.framingBytes, Int(kind.mostBytes))
    var count = Int(kind.pointee.record_bytes)
    if let store = kind.pointee.store {
        let stored = store(kind.pointee.context, record, payload, UInt32(most))
        guard stored > 0 else { return TICKLOG_BAD_ARGUMENT }
        guard stored <= UInt32(most) else { return TICKLOG_NO_MEMORY }
        count = Int(stored)
    } else {
        guard count <= most else { return TICKLOG_NO_MEMORY }
        payload.copy(record, count)
    }
    bytes.pointee = frame(kind.pointee.magic, kind.pointee.version, out, count)
    return TICKLOG_OK
}

/// Puts magic and version before a payload, and its checksum behind it; answers how many bytes the record has.
func frame(_ magic: UInt16, _ version: UInt16, _ out: UnsafeMutableRawPointer, _ payloadBytes: Int) -> Int {
    out.store(magic)
    out.store(version, at: 2)
    let checksum = Adler32.of(UnsafeRawPointer(out) + Record.headerBytes, payloadBytes)
    out.store(checksum, at: Record.headerBytes + payloadBytes)
    return Record.framingBytes + payloadBytes
}

@c @implementation
public func ticklog_record_table(
    _ kind: UnsafePointer<ticklog_record_kind>!, _ config: UnsafeMutablePointer<ticklog_table_config>!
) -> ticklog_status {
    guard let kind, let config else { return TICKLOG_NULL }
    guard config.hasKnownSize else { return TICKLOG_BAD_SIZE }
    guard kind.pointee.field_count > 0, kind.pointee.fields != nil else { return TICKLOG_BAD_FIELD }
    config.pointee.row_bytes = kind.pointee.record_bytes
    config.pointee.fields = kind.pointee.fields
    config.pointee.field_count = kind.pointee.field_count
    return TICKLOG_OK
}

@c @implementation
public func ticklog_adler32(_ before: UInt32, _ bytes: UnsafeRawPointer!, _ count: Int) -> UInt32 {
    guard let bytes, count > 0 else { return before }
    return Adler32.of(bytes, count, after: before)
}
