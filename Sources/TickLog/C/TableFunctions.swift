import CTickLog

// ticklog.h, section Tables.

@c @implementation
public func ticklog_table_size(_ config: UnsafePointer<ticklog_table_config>!) -> Int {
    TableWriter.size(config)
}

@c @implementation
public func ticklog_table_create(
    _ config: UnsafePointer<ticklog_table_config>!, _ path: UnsafePointer<CChar>!, _ memory: UnsafeMutableRawPointer!,
    _ bytes: Int, _ table: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard let table else { return TICKLOG_NULL }
    var made: TableWriter.Pointer?
    let status = TableWriter.create(config, path: path, in: memory, bytes, &made)
    if status == TICKLOG_OK { table.pointee = OpaquePointer(made) }
    return status
}

@c @implementation
public func ticklog_write_row(_ table: OpaquePointer!, _ row: UnsafeRawPointer!) -> ticklog_status {
    guard table != nil, let row else { return TICKLOG_NULL }
    guard let table = TableWriter.from(table) else { return TICKLOG_BAD_HANDLE }
    return table.pointee.write(row)
}

@c @implementation
public func ticklog_write_rows(
    _ table: OpaquePointer!, _ rows: UnsafeRawPointer!, _ count: Int, _ written: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    written?.pointee = 0
    guard table != nil, rows != nil || count == 0 else { return TICKLOG_NULL }
    guard let table = TableWriter.from(table) else { return TICKLOG_BAD_HANDLE }
    guard let rows else { return TICKLOG_OK }
    var taken = 0
    let status = table.pointee.write(rows, count: count, written: &taken)
    written?.pointee = taken
    return status
}

@c @implementation
public func ticklog_table_flush(_ table: OpaquePointer!) -> ticklog_status {
    guard table != nil else { return TICKLOG_NULL }
    guard let table = TableWriter.from(table) else { return TICKLOG_BAD_HANDLE }
    return table.pointee.flush()
}

@c @implementation
public func ticklog_table_close(_ table: OpaquePointer!) -> ticklog_status {
    guard table != nil else { return TICKLOG_NULL }
    guard let table = TableWriter.from(table) else { return TICKLOG_BAD_HANDLE }
    return table.pointee.close()
}

@c @implementation
public func ticklog_table_abandon(_ table: OpaquePointer!) -> ticklog_status {
    guard table != nil else { return TICKLOG_NULL }
    guard let table = TableWriter.from(table) else { return TICKLOG_BAD_HANDLE }
    return table.pointee.abandon()
}

@c @implementation
public func ticklog_table_rows(_ table: OpaquePointer!) -> UInt64 {
    TableWriter.from(table)?.pointee.rowCount ?? 0
}
