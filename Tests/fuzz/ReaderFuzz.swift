import CTickLog

// The reader of BCSV files, through the C API. The first byte of an input says how the rest, a file, is read:
// bits 0 and 1 are the reader's flags, bit 2: from a mapping, bit 3: with its checksums made right, bits 4 and 5: by rows, by
// columns, by rows into structures, by seeks.

/// The file that the reader's callback reads.
nonisolated(unsafe) private var current: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
nonisolated(unsafe) private var checksum: UInt64 = 0

private func require(_ condition: Bool, _ what: StaticString) {
    if !condition { fatalError("\(what)") }
}

private func touch(_ bytes: UnsafeRawPointer?, _ count: Int) {
    guard let bytes else { return }
    for i in 0..<count { checksum = checksum &* 31 &+ UInt64(bytes.load(fromByteOffset: i, as: UInt8.self)) }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func readerFuzz(_ input: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let input, count > 0 else { return 0 }
    let options = input[0]
    var file = Rehash(file: Array(UnsafeBufferPointer(start: input + 1, count: count - 1)))
    if options & 8 != 0 { file.run() }
    // A copy of exactly its length, so that a byte too many is noticed.
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: file.file.count, alignment: 1)
    bytes.copyBytes(from: file.file)
    current = UnsafeRawBufferPointer(bytes)
    read(options)
    bytes.deallocate()
    return 0
}

private func read(_ options: UInt8) {
    var source = ticklog_source()
    source.size = UInt32(MemoryLayout<ticklog_source>.size)
    source.bytes = UInt64(current.count)
    if options & 4 != 0 { source.mapped = current.baseAddress }
    source.read = { _, offset, bytes, count in
        require(offset <= UInt64(current.count) && UInt64(count) <= UInt64(current.count) - offset, "reads behind the end")
        if count > 0 { bytes!.copyMemory(from: current.baseAddress! + Int(offset), byteCount: Int(count)) }
        return 0
    }
    withUnsafePointer(to: &source) { source in
        var config = ticklog_reader_config()
        config.size = UInt32(MemoryLayout<ticklog_reader_config>.size)
        config.flags = UInt32(options & 3)
        config.source = source
        var size = 0
        guard ticklog_reader_size(&config, &size) == 0 else { return }
        if size > 32 << 20 { // the header asks for it; with limits it must be little
            config.packet_bytes = 65536
            config.text_bytes = 65536
            guard ticklog_reader_size(&config, &size) == 0 else { return }
            require(size < 32 << 20, "a reader with limits needs too much memory")
        }
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        defer { memory.deallocate() }
        var reader: OpaquePointer?
        guard ticklog_reader_open(&config, memory, size, &reader) == 0, let reader else { return }
        rows(reader, options)
        var damage = ticklog_damage()
        damage.size = UInt32(MemoryLayout<ticklog_damage>.size)
        if ticklog_reader_damage(reader, &damage, nil) == 0 {
            require(damage.expected != nil, "damage without an expectation")
            require(damage.skipped_from <= UInt64(current.count), "damage behind the end")
            require(damage.skipped_bytes <= UInt64(current.count) - damage.skipped_from, "skips more than there is")
        }
    }
}

private func rows(_ reader: OpaquePointer, _ options: UInt8) {
    var columns: [ticklog_column] = []
    for i in 0..<ticklog_reader_columns(reader) {
        var column = ticklog_column()
        require(ticklog_reader_column(reader, i, &column) == 0, "no column")
        require(column.type <= 11 && column.name.count > 0, "a column's type or name")
        touch(UnsafeRawPointer(column.name.bytes), column.name.count)
        columns.append(column)
    }
    switch options >> 4 & 3 {
    case 0: oneByOne(reader, columns)
    case 1: byColumns(reader, columns)
    case 2: byRows(reader, columns)
    default: bySeeks(reader, columns)
    }
}

/// Touches the current row.
private func row(_ reader: OpaquePointer, _ columns: [ticklog_column]) {
    for (i, column) in columns.enumerated() {
        if column.type == 11 {
            let text = ticklog_reader_text(reader, UInt32(i))
            require(text.count <= 65535 && (text.count == 0 || text.bytes != nil), "a text")
            touch(UnsafeRawPointer(text.bytes), text.count)
        } else {
            let value = ticklog_reader_value(reader, UInt32(i))
            require(value != nil, "no value")
            touch(value, Int(column.size))
            if column.type == 0 { require(value!.load(as: UInt8.self) <= 1, "a bool") }
        }
    }
}

private func oneByOne(_ reader: OpaquePointer, _ columns: [ticklog_column]) {
    var before: UInt64?
    // Repeats cost a byte of the file each.
    var left = current.count * 2 + 100
    while ticklog_reader_next(reader) == 0 {
        let index = ticklog_reader_row(reader)
        require(before == nil || index > before!, "row indices go back")
        before = index
        row(reader, columns)
        left -= 1
        if columns.count * (current.count - left) > 2_000_000 { break }
    }
}

private func byColumns(_ reader: OpaquePointer, _ columns: [ticklog_column]) {
    let most = 17
    var arrays: [ticklog_column_array] = []
    var texts = 0
    for (i, column) in columns.enumerated() {
        if column.type == 11 && texts == 20 { continue }
        var array = ticklog_column_array()
        array.column = UInt32(i)
        let size = column.type == 11 ? MemoryLayout<ticklog_text>.stride : Int(column.size)
        array.values = .allocate(byteCount: most * size, alignment: 8)
        if column.type == 11 {
            array.text_bytes = 65535
            array.text = .allocate(capacity: 65535)
            texts += 1
        }
        arrays.append(array)
    }
    defer {
        for array in arrays {
            array.values.deallocate()
            array.text?.deallocate()
        }
    }
    var found = 0, calls = 0
    while calls < 2000, ticklog_read_columns(reader, arrays, UInt32(arrays.count), most, &found) == 0 {
        require(found > 0 && found <= most, "count of rows by columns")
        for array in arrays where columns[Int(array.column)].type == 11 {
            let texts = array.values.assumingMemoryBound(to: ticklog_text.self)
            for i in 0..<found { touch(UnsafeRawPointer(texts[i].bytes), texts[i].count) }
        }
        calls += 1
    }
}

private func byRows(_ reader: OpaquePointer, _ columns: [ticklog_column]) {
    var fields: [ticklog_field] = [], names: [UnsafeMutablePointer<CChar>] = []
    defer { for name in names { name.deallocate() } }
    var at = 0
    for (i, column) in columns.prefix(300).enumerated() {
        let bytes = UnsafeBufferPointer(start: column.name.bytes, count: column.name.count)
        if bytes.contains(0) { continue }
        let name = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for k in 0..<bytes.count { name[k] = bytes[k] }
        name[bytes.count] = 0
        names.append(name)
        var field = ticklog_field()
        field.name = UnsafePointer(name)
        field.type = UInt16(column.type)
        field.size = column.type == 11 ? UInt32(1 + i % 9) : column.size
        field.offset = UInt32(at)
        at += Int(field.size)
        fields.append(field)
    }
    let most = 17, stride = (at + 7) & ~7
    guard !fields.isEmpty, ticklog_reader_bind(reader, fields, UInt32(fields.count), UInt32(stride)) == 0 else { return }
    let rows = UnsafeMutableRawPointer.allocate(byteCount: most * stride, alignment: 8)
    defer { rows.deallocate() }
    var found = 0, calls = 0
    while calls < 2000, ticklog_read_rows(reader, rows, most, &found) == 0 {
        require(found > 0 && found <= most, "count of rows")
        calls += 1
    }
}

private func bySeeks(_ reader: OpaquePointer, _ columns: [ticklog_column]) {
    var rows: UInt64 = 0
    let known = ticklog_reader_rows(reader, &rows) == 0
    for i in 0..<8 as Range<UInt64> {
        let target = known && rows > 0 ? (rows / 8 &* i) % rows : i * 1000
        if ticklog_reader_seek(reader, target) == 0, ticklog_reader_next(reader) == 0 {
            require(ticklog_reader_row(reader) >= target, "a row before the one sought")
            row(reader, columns)
        }
    }
    _ = ticklog_reader_seek(reader, UInt64.max)
    _ = ticklog_reader_next(reader)
}
