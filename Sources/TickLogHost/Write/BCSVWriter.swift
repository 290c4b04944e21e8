import CPosix
import CTickLog
import TickLog

/// How a BCSV file is written (spec BCSV, sections 2.5, 6 and 7).
public struct BCSVOptions {
    public var rowCodec: BCSVRowCodec = .zoh
    public var fileCodec: BCSVFileCodec = .packet
    /// Of LZ4, 1 (fastest) to 9; in batches HC from 6 on. 0 is 1.
    public var level = 1
    /// A packet is closed when it has as many bytes, 512 to 2^30. A batch takes three times as much memory.
    public var packetBytes = 8 << 20
    public var version = BCSVVersion.v1_5
    /// Unix seconds, for the header of version 1.5; 0: unknown.
    public var creationTime: UInt64 = 0
    /// Most entries of the footer's index, 2 to 2^24. When full, every second one is dropped; in a delta file, all.
    public var indexEntries = 1 << 16
    /// Whether the file survives a power cut once it is flushed or closed.
    public var isSynced = true

    public init() {}
}

/// The stamp in the file header.
public enum BCSVVersion { case v1_3, v1_5 }

/// Writes a table to a new BCSV file. A value stays until another one is set.
///
/// Corresponds to `ticklog_table`.
public final class BCSVWriter {
    public let path: String
    public let columns: [Column]
    /// The next row.
    let row: UnsafeMutableRawPointer
    /// By column: where its value lies in the row, and its bytes; of strings, 0.
    let offsets: UnsafeMutablePointer<Int>
    private let sizes: UnsafeMutablePointer<UInt8>
    /// By column: memory for a string.
    private let texts: UnsafeMutablePointer<UnsafeMutableRawBufferPointer>
    /// What the table refers to as long as it lives: storage, fields, names.
    private let kept: UnsafeMutableRawPointer
    private let memory: UnsafeMutableRawPointer
    private let table: TableWriter.Pointer
    private var isClosed = false

    /// Creates the file, which must not exist. `names`, if given, are the columns' names, of any bytes, at most 65535 each.
    /// Throws for options out of their range, and what the system says.
    public init(
        _ path: String, columns: [Column], names: [[UInt8]]? = nil, options: BCSVOptions = BCSVOptions()
    ) throws(Fault) {
        self.path = path
        self.columns = columns
        guard !columns.isEmpty, columns.count <= 65535 else {
            throw Fault(.unreadable, path, at: nil, "found \(columns.count) columns, expected 1 to 65535: a BCSV file has no more")
        }
        let names = names ?? columns.map { Array($0.name.utf8) }
        var nameBytes = 0
        for name in names { nameBytes += name.count }
        guard names.count == columns.count, nameBytes <= 1 << 24 else {
            throw Fault(.system, path, at: nil, "found \(names.count) column names of \(nameBytes) bytes, expected \(columns.count) of at most 2^24")
        }
        for name in names where name.count > 65535 {
            throw Fault(.system, path, at: nil, "found a column name of \(name.count) bytes, expected at most 65535")
        }

        // Values lie in the order in which they are encoded: by type, or in a flat file all scalars in column order.
        offsets = .allocate(capacity: columns.count)
        sizes = .allocate(capacity: columns.count)
        texts = .allocate(capacity: columns.count)
        texts.initialize(repeating: UnsafeMutableRawBufferPointer(start: nil, count: 0), count: columns.count)
        let textBytes = MemoryLayout<ticklog_text>.stride
        var rowBytes = 0
        var strings = 0
        var scalarBytes = 0
        for i in 0..<columns.count where columns[i].type == .string {
            offsets[i] = rowBytes
            sizes[i] = 0
            rowBytes += textBytes
            strings += 1
        }
        for code in UInt8(0)..<11 {
            for i in 0..<columns.count where columns[i].type != .string {
                let group = columns[i].type == .bool ? 0 : options.rowCodec == .flat ? 1 : columns[i].type.rawValue
                guard group == code else { continue }
                let size = columns[i].type.size
                offsets[i] = rowBytes
                sizes[i] = UInt8(size)
                rowBytes += size
                scalarBytes += size
            }
        }
        row = .allocate(byteCount: rowBytes, alignment: 16)
        row.initializeMemory(as: UInt8.self, repeating: 0, count: rowBytes)

        let fieldBytes = MemoryLayout<ticklog_field>.stride * columns.count
        let viewBytes = MemoryLayout<ticklog_text>.stride * columns.count
        let storageBytes = MemoryLayout<ticklog_storage>.stride
        kept = .allocate(byteCount: storageBytes + fieldBytes + viewBytes + nameBytes + 1, alignment: 16)
        let storage = kept.bindMemory(to: ticklog_storage.self, capacity: 1)
        storage.initialize(to: ticklog_posix_storage().pointee)
        if !options.isSynced { storage.pointee.sync = nil }
        let fields = (kept + storageBytes).bindMemory(to: ticklog_field.self, capacity: columns.count)
        let views = (kept + storageBytes + fieldBytes).bindMemory(to: ticklog_text.self, capacity: columns.count)
        var nameAt = kept + storageBytes + fieldBytes + viewBytes
        for i in 0..<columns.count {
            var field = ticklog_field()
            let isString = columns[i].type == .string
            field.type = isString ? UInt16(TICKLOG_TEXT) : UInt16(columns[i].type.rawValue)
            field.count = 1
            field.offset = UInt32(offsets[i])
            (fields + i).initialize(to: field)
            names[i].withUnsafeBytes { bytes in
                if bytes.count > 0 { nameAt.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count) }
            }
            (views + i).initialize(
                to: ticklog_text(bytes: UnsafePointer(nameAt.assumingMemoryBound(to: CChar.self)), count: names[i].count))
            nameAt += names[i].count
        }

        var config = ticklog_table_config()
        config.size = UInt32(MemoryLayout<ticklog_table_config>.size)
        config.row_bytes = UInt32(rowBytes)
        config.fields = UnsafePointer(fields)
        config.field_count = UInt32(columns.count)
        config.row_codec = UInt8(
            options.rowCodec == .flat ? TICKLOG_FLAT : options.rowCodec == .delta ? TICKLOG_DELTA : TICKLOG_ZOH)
        switch options.fileCodec {
        case .packet: config.file_codec = UInt8(TICKLOG_PACKET)
        case .packetLZ4: config.file_codec = UInt8(TICKLOG_PACKET_LZ4)
        case .batch: config.file_codec = UInt8(TICKLOG_BATCH)
        case .stream: config.file_codec = UInt8(TICKLOG_STREAM)
        case .streamLZ4: config.file_codec = UInt8(TICKLOG_STREAM_LZ4)
        }
        config.level = UInt8(clamping: options.level)
        config.bcsv_version = UInt8(options.version == .v1_3 ? TICKLOG_BCSV_1_3 : TICKLOG_BCSV_1_5)
        config.packet_bytes = UInt32(clamping: options.packetBytes)
        config.index_entries = UInt32(clamping: options.indexEntries)
        config.creation_time = options.creationTime
        config.storage = UnsafePointer(storage)
        // As much as a row may have.
        if strings > 0 {
            let most = (1 << 24) - 64 - scalarBytes - 11 * columns.count
            config.text_bytes = UInt32(clamping: max(min(strings * 65535, most), 1))
        }

        // Memory that is never written to is never there: the largest row costs nothing until it comes.
        let bytes = TableWriter.size(&config, names: UnsafePointer(views))
        let allocated = malloc(max(bytes, 8))
        var made: TableWriter.Pointer?
        var status = TICKLOG_NO_MEMORY
        if let allocated {
            var text = path
            status = text.withUTF8 { utf8 -> ticklog_status in
                let name = UnsafeMutablePointer<CChar>.allocate(capacity: utf8.count + 1)
                defer { name.deallocate() }
                for i in 0..<utf8.count { name[i] = CChar(bitPattern: utf8[i]) }
                name[utf8.count] = 0
                return TableWriter.create(&config, names: UnsafePointer(views), path: name, in: allocated, bytes, &made)
            }
        }
        guard let allocated, let made else {
            free(allocated)
            row.deallocate()
            offsets.deallocate()
            sizes.deallocate()
            texts.deallocate()
            kept.deallocate()
            throw Fault(.system, path, at: nil, BCSVWriter.text(status))
        }
        memory = allocated
        table = made
    }

    deinit {
        if !isClosed { abandon() }
        for i in 0..<columns.count { free(texts[i].baseAddress) }
        free(memory)
        row.deallocate()
        offsets.deallocate()
        sizes.deallocate()
        texts.deallocate()
        kept.deallocate()
    }

    /// Rows written so far.
    public var rowCount: UInt64 { table.pointee.rowCount }

    /// The next rows' value in a column that is no string: the lowest bits are taken; of a bool, any but 0 is true.
    public func set(_ column: Int, bits: UInt64) {
        let at = row + offsets[column]
        switch sizes[column] {
        case 1:
            let byte = columns[column].type == .bool ? (bits == 0 ? 0 : 1) : UInt8(truncatingIfNeeded: bits)
            at.storeBytes(of: byte, as: UInt8.self)
        case 2: at.storeBytes(of: UInt16(truncatingIfNeeded: bits), as: UInt16.self)
        case 4: at.storeBytes(of: UInt32(truncatingIfNeeded: bits), as: UInt32.self)
        case 8: at.storeBytes(of: bits, as: UInt64.self)
        default: break
        }
    }

    /// The next rows' bytes in a string column, at most 65535 of them: otherwise `writeRow` throws. They are copied.
    public func set(_ column: Int, text: UnsafeRawBufferPointer) {
        guard sizes[column] == 0 else { return }
        if texts[column].count < min(text.count, 65536) {
            free(texts[column].baseAddress)
            let room = min(text.count * 2 + 16, 65536)
            let memory = malloc(room)
            texts[column] = UnsafeMutableRawBufferPointer(start: memory, count: memory == nil ? 0 : room)
        }
        let count = min(text.count, texts[column].count)
        if count > 0 { texts[column].baseAddress!.copyMemory(from: text.baseAddress!, byteCount: count) }
        let view = ticklog_text(
            bytes: texts[column].baseAddress.map { UnsafePointer($0.assumingMemoryBound(to: CChar.self)) }, count: text.count)
        row.storeBytes(of: view, toByteOffset: offsets[column], as: ticklog_text.self)
    }

    /// Appends a row of the values that are set. After an error it may be called again.
    public func writeRow() throws(Fault) {
        let status = table.pointee.write(UnsafeRawPointer(row))
        if status != TICKLOG_OK { throw fault(status) }
    }

    /// What was written is in the file, and synced if the options say so.
    public func flush() throws(Fault) {
        let status = table.pointee.flush()
        if status != TICKLOG_OK { throw fault(status) }
    }

    /// Writes the footer and closes the file. After an error, close again or abandon.
    public func close() throws(Fault) {
        let status = table.pointee.close()
        if status != TICKLOG_OK { throw fault(status) }
        isClosed = true
    }

    /// Closes the file as it is, without a footer.
    public func abandon() {
        if !isClosed { _ = table.pointee.abandon() }
        isClosed = true
    }

    private func fault(_ status: ticklog_status) -> Fault {
        if status == TICKLOG_TOO_LARGE {
            return Fault(
                .system, path, at: nil, "row \(rowCount): a string of more than 65535 bytes, or strings of more than a row can hold")
        }
        return Fault(.system, path, at: nil, BCSVWriter.text(status))
    }

    private static func text(_ status: ticklog_status) -> String {
        var bytes: [UInt8] = []
        var at: UnsafePointer<CChar> = ticklog_status_text(status)
        while at.pointee != 0 {
            bytes.append(UInt8(bitPattern: at.pointee))
            at += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
