import CPosix
import CTickLog
import TickLog

// ticklog.h, section Tables: going on with a file that exists.

@c @implementation
public func ticklog_table_append_size(
    _ config: UnsafePointer<ticklog_table_config>!, _ path: UnsafePointer<CChar>!, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard let config, let path, let bytes else { return TICKLOG_NULL }
    guard let config = TableWriter.taken(config) else { return TICKLOG_BAD_SIZE }
    let file: BCSVFile
    do throws(Fault) { file = try BCSVFile(String(cString: path)) } catch { return status(error) }
    var own = encoded(config, as: file.header)
    let answer = TableWriter.check(&own)
    if answer == TICKLOG_OK { bytes.pointee = TableWriter.size(&own) }
    return answer
}

@c @implementation
public func ticklog_table_append(
    _ config: UnsafePointer<ticklog_table_config>!, _ path: UnsafePointer<CChar>!, _ memory: UnsafeMutableRawPointer!,
    _ bytes: Int, _ unverified: UnsafeMutablePointer<UInt64>!, _ table: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard let config, let path, let memory, let table else { return TICKLOG_NULL }
    guard let config = TableWriter.taken(config) else { return TICKLOG_BAD_SIZE }
    guard config.fields != nil else { return TICKLOG_NULL }
    let append: BCSVAppend
    do throws(Fault) { append = try BCSVAppend(String(cString: path)) } catch { return status(error) }
    let file = append.file
    var own = encoded(config, as: file.header)
    var answer = TableWriter.check(&own)
    guard answer == TICKLOG_OK else { return answer }
    guard TableWriter.size(&own) <= bytes else { return TICKLOG_NO_MEMORY }
    guard UInt(bitPattern: memory) % 8 == 0 else { return TICKLOG_MISALIGNED }

    // A row of the caller's shape, with what the file has last: it tells at once whether the columns are the same.
    let row = UnsafeMutableRawPointer.allocate(byteCount: max(Int(config.row_bytes), 1), alignment: 16)
    defer { row.deallocate() }
    row.initializeMemory(as: UInt8.self, repeating: 0, count: Int(config.row_bytes))
    var reader: OpaquePointer?
    answer = ticklog_reader_open_path(path, TICKLOG_UNVERIFIED, &reader)
    guard answer == TICKLOG_OK else { return answer }
    defer { _ = ticklog_reader_close(reader) }
    guard columns(of: config) == file.columns.count,
        ticklog_reader_bind(reader, config.fields, config.field_count, config.row_bytes) == TICKLOG_OK,
        isSameOrder(config, file)
    else { return TICKLOG_BAD_FIELD }
    var last: UnsafeRawPointer?
    if own.row_codec == TICKLOG_DELTA, own.file_codec == TICKLOG_STREAM || own.file_codec == TICKLOG_STREAM_LZ4, append.rows > 0 {
        var count = 0
        answer = ticklog_reader_seek(reader, append.rows - 1)
        if answer == TICKLOG_OK { answer = ticklog_read_rows(reader, row, 1, &count) }
        guard answer == TICKLOG_OK else { return answer }
        guard holdsTexts(config, reader) else { return TICKLOG_BAD_FIELD }
        last = UnsafeRawPointer(row)
    }

    let end: UInt64
    do throws(Fault) { end = try append.prepare() } catch { return status(error) }
    guard let handle = append.handle() else { return posixStatus(cposix_errno()) }
    var made: TableWriter.Pointer?
    answer = TableWriter.resume(
        &own, handle, at: end, rows: append.rows, last: last, in: memory, bytes, entry: { append.entry($0) }, &made)
    guard answer == TICKLOG_OK else {
        _ = own.storage.pointee.close(own.storage.pointee.context, handle)
        return answer
    }
    unverified?.pointee = append.survey.unverifiedRows
    table.pointee = OpaquePointer(made)
    return TICKLOG_OK
}

/// The configuration with the file's own encoding.
private func encoded(_ config: ticklog_table_config, as header: BCSVHeader) -> ticklog_table_config {
    var own = config
    switch header.rowCodec {
    case .flat: own.row_codec = UInt8(TICKLOG_FLAT)
    case .zoh: own.row_codec = UInt8(TICKLOG_ZOH)
    case .delta: own.row_codec = UInt8(TICKLOG_DELTA)
    }
    switch header.fileCodec {
    case .packet: own.file_codec = UInt8(TICKLOG_PACKET)
    case .packetLZ4: own.file_codec = UInt8(TICKLOG_PACKET_LZ4)
    case .batch: own.file_codec = UInt8(TICKLOG_BATCH)
    case .stream: own.file_codec = UInt8(TICKLOG_STREAM)
    case .streamLZ4: own.file_codec = UInt8(TICKLOG_STREAM_LZ4)
    }
    own.level = header.level
    own.bcsv_version = UInt8(header.minor == 3 ? TICKLOG_BCSV_1_3 : TICKLOG_BCSV_1_5)
    own.packet_bytes = min(max(header.packetLimit, 512), 1 << 30)
    own.storage = ticklog_posix_storage()
    return own
}

private func columns(of config: ticklog_table_config) -> Int {
    var count = 0
    for i in 0..<Int(config.field_count) { count += max(Int(config.fields[i].count), 1) }
    return count
}

/// Whether the fields, which are all in the file, stand in its order.
private func isSameOrder(_ config: ticklog_table_config, _ file: BCSVFile) -> Bool {
    var column = 0
    for i in 0..<Int(config.field_count) {
        let name = String(cString: config.fields[i].name)
        let count = max(Int(config.fields[i].count), 1)
        for k in 0..<count {
            guard file.columns[column].name == (count > 1 ? "\(name)[\(k)]" : name) else { return false }
            column += 1
        }
    }
    return true
}

/// Whether the texts of the reader's row are in the caller's row as they are: not cut, and without a NUL that would cut
/// them.
private func holdsTexts(_ config: ticklog_table_config, _ reader: OpaquePointer?) -> Bool {
    var column: UInt32 = 0
    for i in 0..<Int(config.field_count) {
        let field = config.fields[i]
        let count = UInt32(max(field.count, 1))
        if field.type == TICKLOG_STRING {
            let text = ticklog_reader_text(reader, column)
            guard text.count <= Int(field.size) else { return false }
            for k in 0..<text.count where text.bytes[k] == 0 { return false }
        }
        column += count
    }
    return true
}

private func status(_ fault: Fault) -> ticklog_status {
    switch fault.kind {
    case .unreadable: TICKLOG_WRONG_FORMAT
    case .torn, .damaged: TICKLOG_DAMAGED
    case .system: fault.code.map { posixStatus($0) } ?? TICKLOG_BUSY
    }
}
