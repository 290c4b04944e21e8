import CTickLog

// ticklog.h, section "Reading BCSV files".

/// A reader in the caller's memory.
public struct ReaderObject {
    fileprivate static let alive: UInt32 = 0x5244_4B54  // "TKDR"
    fileprivate var magic: UInt32 = 0
    public var table: TableReader
    fileprivate var binding: RowBinding
    fileprivate let copies: Table<FieldCopy>
    fileprivate let textUse: Table<Int>
    fileprivate let unnamed: UnsafeMutableRawPointer
    fileprivate let salvage: Bool
    /// What `ticklog_reader_open_path` took, for `ticklog_reader_close`.
    public var owner: UnsafeMutableRawPointer?

    public typealias Pointer = UnsafeMutablePointer<ReaderObject>

    @inline(never)
    public static func from(_ handle: OpaquePointer?) -> Pointer? {
        guard let handle, UInt(bitPattern: handle) % 8 == 0 else { return nil }
        let reader = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: ReaderObject.self)
        return reader.pointee.magic == alive ? reader : nil
    }

    public mutating func kill() { magic = 0 }

    /// Where a reader's parts lie.
    struct Places {
        private(set) var bytes = 0
        private(set) var header = 0, copies = 0, textUse = 0, unnamed = 0, window = 0, table = 0
        let windowBytes: Int
        let headerBytes: Int
        let plan: TableReader.Plan

        init(_ outline: BCSVOutline, headerBytes: Int, _ config: ticklog_reader_config, _ source: ticklog_source) {
            let isMapped = source.mapped != nil
            let length = Int(source.bytes)
            plan = TableReader.Plan(outline, ReaderObject.options(config), fileLength: length, isMapped: isMapped)
            self.headerBytes = isMapped ? 0 : headerBytes
            let largest = outline.largestPacket(fileLength: length)
            windowBytes = isMapped ? 0 : max(min(config.packet_bytes == 0 ? largest : Int(config.packet_bytes) + 64, length), 64)
            var cursor = MemoryCursor()
            _ = cursor.take(MemoryLayout<ReaderObject>.stride)
            copies = cursor.take(MemoryLayout<FieldCopy>.stride * outline.columns)
            textUse = cursor.take(outline.strings > 0 ? MemoryLayout<Int>.stride * outline.columns : 0)
            unnamed = cursor.take(16 * outline.unnamed)
            header = cursor.take(self.headerBytes)
            window = cursor.take(windowBytes)
            table = cursor.take(plan.bytes)
            bytes = cursor.end
        }
    }

    fileprivate static func options(_ config: ticklog_reader_config) -> TableReader.Options {
        var options = TableReader.Options()
        options.salvage = config.flags & TICKLOG_SALVAGE != 0
        options.unverified = config.flags & TICKLOG_UNVERIFIED != 0
        options.packetBytes = Int(config.packet_bytes)
        options.textBytes = Int(config.text_bytes)
        return options
    }

    fileprivate static func check(_ c: ticklog_reader_config) -> ticklog_status {
        guard let source = c.source else { return TICKLOG_NULL }
        let status = sourceStatus(source)
        guard status != TICKLOG_BAD_SIZE else { return status }
        guard c.flags & ~(TICKLOG_SALVAGE | TICKLOG_UNVERIFIED) == 0, c.packet_bytes <= 1 << 30, c.text_bytes <= 1 << 24
        else { return TICKLOG_BAD_ARGUMENT }
        return status
    }

    /// Measures the header with a small window on the stack.
    fileprivate static func places(
        _ config: UnsafePointer<ticklog_reader_config>
    ) throws(FormatError) -> Places {
        let source = config.pointee.source!
        var measured: (bytes: Int, outline: BCSVOutline)
        if let mapped = source.pointee.mapped {
            var window = SourceWindow(FileBytes(start: mapped, count: Int(source.pointee.bytes)))
            measured = try BCSVHeader.measure(&window)
        } else {
            var buffer = InlineArray<32, UInt64>(repeating: 0)
            measured = try withUnsafeMutableBytes(of: &buffer) { (bytes) throws(FormatError) in
                var window = SourceWindow(source, bytes.baseAddress!, capacity: bytes.count)
                return try BCSVHeader.measure(&window)
            }
        }
        return Places(measured.outline, headerBytes: measured.bytes, config.pointee, source.pointee)
    }

    fileprivate static func make(
        _ config: UnsafePointer<ticklog_reader_config>, _ places: Places, _ memory: UnsafeMutableRawPointer
    ) throws(FormatError) -> Pointer {
        let source = config.pointee.source!
        let window: SourceWindow
        let bytes: FileBytes
        if let mapped = source.pointee.mapped {
            bytes = FileBytes(start: mapped, count: Int(source.pointee.bytes))
            window = SourceWindow(bytes)
        } else {
            var whole = SourceWindow(source, memory + places.header, capacity: places.headerBytes)
            bytes = places.headerBytes == 0
                ? FileBytes(UnsafeRawBufferPointer(start: nil, count: 0)) : try whole.bytes(at: 0, atLeast: places.headerBytes)
            window = SourceWindow(source, memory + places.window, capacity: places.windowBytes)
        }
        let header = try BCSVHeader(bytes)
        let table = try TableReader(window, header, places.plan, options(config.pointee), memory: memory + places.table)
        let copies = Table<FieldCopy>(memory + places.copies, header.columnCount)
        let reader = memory.bindMemory(to: ReaderObject.self, capacity: 1)
        reader.initialize(
            to: ReaderObject(
                magic: alive, table: table, binding: RowBinding(copies), copies: copies,
                textUse: Table(memory + places.textUse, places.plan.shape.strings > 0 ? header.columnCount : 0),
                unnamed: memory + places.unnamed, salvage: config.pointee.flags & TICKLOG_SALVAGE != 0))
        return reader
    }

    // MARK: What reading answers

    static func status(_ error: FormatError) -> ticklog_status {
        switch error.kind {
        case .wrongFormat, .unsupported: return TICKLOG_WRONG_FORMAT
        case .tooLarge: return TICKLOG_TOO_LARGE
        case .source:
            if case .number(let number) = error.found { return 0 &- ticklog_status(truncatingIfNeeded: number) }
            return TICKLOG_IO
        default: return TICKLOG_DAMAGED
        }
    }

    /// An error that did not come as damage: `ticklog_reader_damage` tells it as well.
    fileprivate mutating func failed(_ error: FormatError) -> ticklog_status {
        if error.kind != .source {
            table.note(
                BCSVDamage(
                    error: error, isTorn: false, skipped: error.offset..<error.offset, firstRow: table.position, rows: nil))
        }
        return ReaderObject.status(error)
    }

    /// What ends the reading: the end, or the damage that was not to be salvaged.
    fileprivate var endStatus: ticklog_status {
        guard !salvage, table.ending == .damaged, let damage = table.damage else { return TICKLOG_END }
        return ReaderObject.status(damage.error)
    }

    /// Whether `event` is to be passed over: damage that is salvaged or is a torn tail.
    fileprivate func isPassed(_ event: TableReader.Event) -> Bool {
        guard event == .damage, let damage = table.damage else { return false }
        return salvage || damage.isTorn
    }

    fileprivate func status(_ event: TableReader.Event) -> ticklog_status {
        switch event {
        case .row: TICKLOG_OK
        case .damage: table.damage.map { ReaderObject.status($0.error) } ?? TICKLOG_DAMAGED
        case .end: endStatus
        }
    }
}

@c @implementation
public func ticklog_reader_size(
    _ config: UnsafePointer<ticklog_reader_config>!, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard let config, let bytes else { return TICKLOG_NULL }
    guard var own = config.taken() else { return TICKLOG_BAD_SIZE }
    let status = ReaderObject.check(own)
    guard status == TICKLOG_OK else { return status }
    do throws(FormatError) {
        bytes.pointee = try ReaderObject.places(&own).bytes
        return TICKLOG_OK
    } catch { return ReaderObject.status(error) }
}

@c @implementation
public func ticklog_reader_open(
    _ config: UnsafePointer<ticklog_reader_config>!, _ memory: UnsafeMutableRawPointer!, _ bytes: Int,
    _ reader: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard let config, let memory, let reader else { return TICKLOG_NULL }
    guard var own = config.taken() else { return TICKLOG_BAD_SIZE }
    let status = ReaderObject.check(own)
    guard status == TICKLOG_OK else { return status }
    guard UInt(bitPattern: memory) % 8 == 0 else { return TICKLOG_MISALIGNED }
    do throws(FormatError) {
        let places = try ReaderObject.places(&own)
        guard bytes >= places.bytes else { return TICKLOG_NO_MEMORY }
        reader.pointee = OpaquePointer(try ReaderObject.make(&own, places, memory))
        return TICKLOG_OK
    } catch { return ReaderObject.status(error) }
}

@c @implementation
public func ticklog_reader_columns(_ reader: OpaquePointer!) -> UInt32 {
    guard let reader = ReaderObject.from(reader) else { return 0 }
    return UInt32(reader.pointee.table.header.columnCount)
}

@c @implementation
public func ticklog_reader_column(
    _ reader: OpaquePointer!, _ index: UInt32, _ column: UnsafeMutablePointer<ticklog_column>!
) -> ticklog_status {
    guard reader != nil, let column else { return TICKLOG_NULL }
    guard let reader = ReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    let header = reader.pointee.table.header
    guard index < header.columnCount else { return TICKLOG_BAD_ARGUMENT }
    var at = header.namesOffset
    var unnamed = 0
    for i in 0..<Int(index) {
        let length = header.nameLength(of: i)
        at += length
        if length == 0 { unnamed += 1 }
    }
    let length = header.nameLength(of: Int(index))
    let type = header.type(of: Int(index))
    var name = ticklog_text(
        bytes: (header.bytes.start + at).assumingMemoryBound(to: CChar.self), count: length)
    if length == 0 {
        let place = reader.pointee.unnamed + 16 * unnamed
        var number = DecimalText(Int(index))
        name.count = number.storeUnnamed(at: place)
        name.bytes = UnsafeRawPointer(place).assumingMemoryBound(to: CChar.self)
    }
    column.pointee = ticklog_column(name: name, type: UInt32(type.rawValue), size: UInt32(type.size))
    return TICKLOG_OK
}

@c @implementation
public func ticklog_reader_rows(_ reader: OpaquePointer!, _ rows: UnsafeMutablePointer<UInt64>!) -> ticklog_status {
    guard reader != nil, let rows else { return TICKLOG_NULL }
    guard let reader = ReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    do throws(FormatError) {
        rows.pointee = try reader.pointee.table.countRows()
        return TICKLOG_OK
    } catch { return reader.pointee.failed(error) }
}

@c @implementation
public func ticklog_reader_seek(_ reader: OpaquePointer!, _ row: UInt64) -> ticklog_status {
    guard reader != nil else { return TICKLOG_NULL }
    guard let reader = ReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    do throws(FormatError) {
        return try reader.pointee.table.seek(to: row) ? TICKLOG_OK : reader.pointee.endStatus
    } catch { return reader.pointee.failed(error) }
}

@c @implementation
public func ticklog_reader_next(_ reader: OpaquePointer!) -> ticklog_status {
    guard reader != nil else { return TICKLOG_NULL }
    guard let reader = ReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    do throws(FormatError) {
        while true {
            let (count, event) = try reader.pointee.table.block(1)
            if count > 0 { return TICKLOG_OK }
            if !reader.pointee.isPassed(event) { return reader.pointee.status(event) }
        }
    } catch { return reader.pointee.failed(error) }
}

@c @implementation
public func ticklog_reader_row(_ reader: OpaquePointer!) -> UInt64 {
    ReaderObject.from(reader)?.pointee.table.row ?? 0
}

@c @implementation
public func ticklog_reader_is_verified(_ reader: OpaquePointer!) -> Int32 {
    ReaderObject.from(reader)?.pointee.table.isVerified == true ? 1 : 0
}

@c @implementation
public func ticklog_reader_value(_ reader: OpaquePointer!, _ column: UInt32) -> UnsafeRawPointer! {
    guard let reader = ReaderObject.from(reader), reader.pointee.table.hasRow,
        column < reader.pointee.table.header.columnCount, reader.pointee.table.header.type(of: Int(column)) != .string
    else { return nil }
    return reader.pointee.table.value(Int(column))
}

@c @implementation
public func ticklog_reader_text(_ reader: OpaquePointer!, _ column: UInt32) -> ticklog_text {
    guard let reader = ReaderObject.from(reader), reader.pointee.table.hasRow,
        column < reader.pointee.table.header.columnCount, reader.pointee.table.header.type(of: Int(column)) == .string
    else { return ticklog_text(bytes: nil, count: 0) }
    let text = reader.pointee.table.text(Int(column))
    return ticklog_text(bytes: text.start.assumingMemoryBound(to: CChar.self), count: text.count)
}

@c @implementation
public func ticklog_reader_bind(
    _ reader: OpaquePointer!, _ fields: UnsafePointer<ticklog_field>!, _ count: UInt32, _ rowBytes: UInt32
) -> ticklog_status {
    guard reader != nil, let fields else { return TICKLOG_NULL }
    guard let reader = ReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    var binding = RowBinding(reader.pointee.copies)
    let status = binding.bind(reader.pointee.table, fields, Int(count), rowBytes: Int(rowBytes))
    reader.pointee.binding = status == TICKLOG_OK ? binding : RowBinding(reader.pointee.copies)
    return status
}

@c @implementation
public func ticklog_read_rows(
    _ reader: OpaquePointer!, _ rows: UnsafeMutableRawPointer!, _ most: Int, _ count: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard reader != nil, let rows, let count else { return TICKLOG_NULL }
    count.pointee = 0
    guard let reader = ReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    guard most > 0, reader.pointee.binding.count > 0 else { return TICKLOG_BAD_ARGUMENT }
    do throws(FormatError) {
        while true {
            let (got, event) = try reader.pointee.table.readRows(reader.pointee.binding, rows, most)
            count.pointee = got
            if got > 0 { return TICKLOG_OK }
            if !reader.pointee.isPassed(event) { return reader.pointee.status(event) }
        }
    } catch { return reader.pointee.failed(error) }
}

@c @implementation
public func ticklog_read_columns(
    _ reader: OpaquePointer!, _ arrays: UnsafePointer<ticklog_column_array>!, _ arrayCount: UInt32, _ most: Int,
    _ count: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard reader != nil, let arrays, let count else { return TICKLOG_NULL }
    count.pointee = 0
    guard let reader = ReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    guard most > 0, arrayCount > 0 else { return TICKLOG_BAD_ARGUMENT }
    for i in 0..<Int(arrayCount) {
        let array = arrays[i]
        guard array.column < reader.pointee.table.header.columnCount, array.reserved == 0 else {
            return TICKLOG_BAD_ARGUMENT
        }
        guard let values = array.values else { return TICKLOG_NULL }
        let type = reader.pointee.table.header.type(of: Int(array.column))
        guard UInt(bitPattern: values) % UInt(type == .string ? MemoryLayout<ticklog_text>.alignment : type.size) == 0 else {
            return TICKLOG_MISALIGNED
        }
        guard type == .string || array.text == nil else { return TICKLOG_BAD_ARGUMENT }
        if type == .string {
            guard array.text != nil else { return TICKLOG_NULL }
            guard array.text_bytes >= BCSVFormat.maxStringBytes else { return TICKLOG_BAD_ARGUMENT }
            // Each column's texts are counted once.
            for k in 0..<i where arrays[k].column == array.column { return TICKLOG_BAD_ARGUMENT }
        }
    }
    do throws(FormatError) {
        while true {
            let (got, event) = try reader.pointee.table.readColumns(
                UnsafeBufferPointer(start: arrays, count: Int(arrayCount)), most, texts: reader.pointee.textUse)
            count.pointee = got
            if got > 0 { return TICKLOG_OK }
            if !reader.pointee.isPassed(event) { return reader.pointee.status(event) }
        }
    } catch { return reader.pointee.failed(error) }
}

@c @implementation
public func ticklog_reader_damage(
    _ reader: OpaquePointer!, _ damage: UnsafeMutablePointer<ticklog_damage>!, _ count: UnsafeMutablePointer<UInt64>!
) -> ticklog_status {
    guard reader != nil, let damage else { return TICKLOG_NULL }
    guard let reader = ReaderObject.from(reader) else { return TICKLOG_BAD_HANDLE }
    guard damage.hasKnownSize else { return TICKLOG_BAD_SIZE }
    count?.pointee = reader.pointee.table.damageCount
    guard let found = reader.pointee.table.damage else { return TICKLOG_NOT_FOUND }
    var text: UnsafePointer<CChar>?
    var number: UInt64 = 0
    switch found.error.found {
    case .number(let value), .hex(let value): number = value
    case .end: text = Builtin.text("the end of the file")
    case .text(let value): text = Builtin.text(value)
    }
    damage.fill(
        ticklog_damage(
            size: 0, status: found.isTorn ? TICKLOG_END : ReaderObject.status(found.error),
            offset: UInt64(found.error.offset), skipped_from: UInt64(found.skipped.lowerBound),
            skipped_bytes: UInt64(found.skipped.count), first_row: found.firstRow, rows: found.rows ?? 0,
            expected: Builtin.text(found.error.expected), found: text, found_number: number))
    return TICKLOG_OK
}
