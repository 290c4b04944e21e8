import CTickLog
import Foundation
import Testing
import TickLog
import TickLogHost

/// Rows that are added to files of every version and codec, closed, not closed and torn.
@Suite struct TableAppendTests {
    /// Columns, as fields of a row in which values take 16 bytes each.
    final class Row {
        let columns: [ticklog_column]
        let fields: UnsafeMutablePointer<ticklog_field>
        let bytes: UnsafeMutableRawPointer
        private var kept: [UnsafeMutablePointer<CChar>] = []

        init(_ columns: [ticklog_column]) {
            self.columns = columns
            fields = .allocate(capacity: columns.count)
            bytes = .allocate(byteCount: 16 * columns.count, alignment: 16)
            bytes.initializeMemory(as: UInt8.self, repeating: 0, count: 16 * columns.count)
            for (i, column) in columns.enumerated() {
                var field = ticklog_field()
                let name = String(
                    decoding: UnsafeRawBufferPointer(start: column.name.bytes, count: column.name.count), as: UTF8.self)
                kept.append(strdup(name))
                field.name = UnsafePointer(kept[i])
                field.type = UInt16(column.type == TICKLOG_STRING ? TICKLOG_TEXT : column.type)
                field.offset = UInt32(16 * i)
                (fields + i).initialize(to: field)
            }
        }

        deinit {
            fields.deallocate()
            bytes.deallocate()
            for name in kept { free(name) }
        }

        /// Writes one row and tells the status. Texts live as long as the call.
        func write(_ cells: [Cell], to table: OpaquePointer?) -> ticklog_status {
            var texts: [[CChar]] = []
            for cell in cells { if case .text(let text) = cell { texts.append(text.utf8.map { CChar(bitPattern: $0) }) } }
            let buffers = texts.map { text in
                let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: max(text.count, 1))
                buffer.initialize(from: text, count: text.count)
                return buffer
            }
            defer { for buffer in buffers { buffer.deallocate() } }
            var next = 0
            for (i, cell) in cells.enumerated() {
                switch cell {
                case .bits(let bits): bytes.storeBytes(of: bits, toByteOffset: 16 * i, as: UInt64.self)
                case .text:
                    bytes.storeBytes(
                        of: ticklog_text(bytes: buffers[next], count: texts[next].count), toByteOffset: 16 * i,
                        as: ticklog_text.self)
                    next += 1
                }
            }
            return ticklog_write_row(table, bytes)
        }

        func config() -> ticklog_table_config {
            var config = ticklog_table_config()
            config.size = UInt32(MemoryLayout<ticklog_table_config>.size)
            config.row_bytes = UInt32(16 * columns.count)
            config.fields = UnsafePointer(fields)
            config.field_count = UInt32(columns.count)
            config.text_bytes = 1 << 20
            return config
        }
    }

    /// Appends rows to a file of these bytes and tells what the file has then.
    static func append(_ rows: [[Cell]], to bytes: [UInt8]) throws -> (bytes: [UInt8], unverified: UInt64) {
        let path = FileManager.default.temporaryDirectory.path + "/append-\(UUID().uuidString).bcsv"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let schema = TableReaderTests.CReader(bytes, mapped: true)
        let row = Row(schema.columns)
        var config = row.config()
        var size = 0
        try #require(ticklog_table_append_size(&config, path, &size) == TICKLOG_OK)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        defer { memory.deallocate() }
        var table: OpaquePointer?
        var unverified: UInt64 = 0
        try #require(ticklog_table_append(&config, path, memory, size, &unverified, &table) == TICKLOG_OK)
        for cells in rows { #expect(row.write(cells, to: table) == TICKLOG_OK) }
        #expect(ticklog_table_close(table) == TICKLOG_OK)
        return (Array(try Data(contentsOf: URL(fileURLWithPath: path))), unverified)
    }

    static let files = BCSVReaderTests.valid.filter { !$0.contains("maxstr") && !$0.contains("wide") }

    @Test(arguments: files) func `rows that are added follow those that were there`(_ name: String) throws {
        let bytes = try Vectors.bytes("bcsv/" + name)
        let expected = try BCSVReaderTests.expected(TableReaderTests.dataset(name))
        // Twice the last rows, backwards, so that every codec has something to do.
        let more = Array(expected.suffix(5).reversed()) + expected.prefix(3)
        var unclosed = bytes
        if let footer = try? BCSVFooter(MappedFile(bytes, named: name).bytes) {
            unclosed.removeLast(bytes.count - footer.offset)
        }
        for (file, what) in [(bytes, "closed"), (unclosed, "not closed")] {
            let result = try Self.append(more, to: file)
            let reader = TableReaderTests.CReader(result.bytes, mapped: true)
            let (rows, status) = reader.all()
            #expect(rows == expected + more && status == TICKLOG_END, "\(what)")
            #expect(result.unverified == 0)
            let summary = FileSummary(try BCSVFile(MappedFile(result.bytes, named: name)))
            #expect(summary.ending == .closed && !summary.isDamaged, "\(what)")
        }
    }

    @Test(arguments: files) func `the whole rows of a torn tail stay`(_ name: String) throws {
        let bytes = try Vectors.bytes("bcsv/" + name)
        let expected = try BCSVReaderTests.expected(TableReaderTests.dataset(name))
        let header = TableReaderTests.CReader(bytes, mapped: true)
        guard header.status == TICKLOG_OK, !expected.isEmpty else { return }
        let start = try BCSVFile(MappedFile(bytes, named: name)).header.dataOffset
        for part in 1..<6 {
            let length = start + (bytes.count - start) * part / 6
            let cut = Array(bytes[..<length])
            let before = TableReaderTests.CReader(cut, mapped: true, flags: TICKLOG_UNVERIFIED).all().rows
            let result = try Self.append([expected[0]], to: cut)
            let (rows, status) = TableReaderTests.CReader(result.bytes, mapped: true).all()
            #expect(rows == before + [expected[0]] && status == TICKLOG_END, "\(length) bytes")
        }
    }

    @Test func `other columns are refused, and the file stays as it is`() throws {
        let bytes = try Vectors.bytes("bcsv/v15_alltypes_zoh_packet.bcsv")
        let path = FileManager.default.temporaryDirectory.path + "/append-\(UUID().uuidString).bcsv"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let other = TableReaderTests.CReader(try Vectors.bytes("bcsv/v15_const_zoh_packet.bcsv"), mapped: true)
        let row = Row(other.columns)
        var config = row.config()
        var size = 0
        #expect(ticklog_table_append_size(&config, path, &size) == TICKLOG_OK)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        defer { memory.deallocate() }
        var table: OpaquePointer?
        #expect(ticklog_table_append(&config, path, memory, size, nil, &table) == TICKLOG_BAD_FIELD)
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: path))) == bytes)
    }
}
