import CTickLog
import Foundation
import Testing
import TickLog
import TickLogHost

/// The reader through its C functions: mapped, and by callbacks that give no byte more than asked for.
@Suite struct TableReaderTests {
    /// A file and a reader of it.
    final class CReader {
        let bytes: [UInt8]
        private(set) var reader: OpaquePointer?
        let status: ticklog_status
        private let memory: UnsafeMutableRawPointer
        private let source: UnsafeMutablePointer<ticklog_source>
        private let copy: UnsafeMutablePointer<UInt8>

        init(_ bytes: [UInt8], mapped: Bool, flags: UInt32 = 0, packetBytes: UInt32 = 0) {
            self.bytes = bytes
            copy = .allocate(capacity: bytes.count + 1)
            copy.initialize(from: bytes, count: bytes.count)
            source = .allocate(capacity: 1)
            source.initialize(to: ticklog_source())
            source.pointee.size = UInt32(MemoryLayout<ticklog_source>.size)
            source.pointee.bytes = UInt64(bytes.count)
            source.pointee.context = UnsafeMutableRawPointer(copy)
            if mapped { source.pointee.mapped = UnsafeRawPointer(copy) }
            source.pointee.read = { context, offset, bytes, count in
                bytes!.copyMemory(from: context! + Int(offset), byteCount: Int(count))
                return TICKLOG_OK
            }
            var config = ticklog_reader_config()
            config.size = UInt32(MemoryLayout<ticklog_reader_config>.size)
            config.flags = flags
            config.packet_bytes = packetBytes
            config.source = UnsafePointer(source)
            var size = 0
            let measured = ticklog_reader_size(&config, &size)
            memory = UnsafeMutableRawPointer.allocate(byteCount: max(size, 8), alignment: 8)
            status = measured == TICKLOG_OK ? ticklog_reader_open(&config, memory, size, &reader) : measured
        }

        deinit {
            memory.deallocate()
            source.deallocate()
            copy.deallocate()
        }

        lazy var columns: [ticklog_column] = (0..<ticklog_reader_columns(reader)).map {
            var column = ticklog_column()
            _ = ticklog_reader_column(reader, $0, &column)
            return column
        }

        func row() -> [Cell] {
            columns.indices.map { i in
                if columns[i].type == TICKLOG_STRING {
                    let text = ticklog_reader_text(reader, UInt32(i))
                    return .text(String(decoding: UnsafeRawBufferPointer(start: text.bytes, count: text.count), as: UTF8.self))
                }
                var bits: UInt64 = 0
                memcpy(&bits, ticklog_reader_value(reader, UInt32(i)), Int(columns[i].size))
                return .bits(bits)
            }
        }

        func all() -> (rows: [[Cell]], status: ticklog_status) {
            var rows: [[Cell]] = []
            while true {
                let status = ticklog_reader_next(reader)
                guard status == TICKLOG_OK else { return (rows, status) }
                rows.append(row())
            }
        }

        /// All rows by columns, in blocks of `most`.
        func allByColumns(_ most: Int) -> (rows: [[Cell]], status: ticklog_status) {
            var arrays: [ticklog_column_array] = []
            for (i, column) in columns.enumerated() {
                var array = ticklog_column_array()
                array.column = UInt32(i)
                array.values = .allocate(byteCount: most * MemoryLayout<ticklog_text>.stride, alignment: 16)
                if column.type == TICKLOG_STRING {
                    array.text_bytes = 65535 * 3
                    array.text = .allocate(capacity: array.text_bytes)
                }
                arrays.append(array)
            }
            defer {
                for array in arrays {
                    array.values.deallocate()
                    array.text?.deallocate()
                }
            }
            var rows: [[Cell]] = []
            while true {
                var count = 0
                let status = ticklog_read_columns(reader, arrays, UInt32(arrays.count), most, &count)
                guard status == TICKLOG_OK else { return (rows, status) }
                for r in 0..<count {
                    rows.append(
                        columns.indices.map { i in
                            if columns[i].type == TICKLOG_STRING {
                                let text = arrays[i].values.assumingMemoryBound(to: ticklog_text.self)[r]
                                return .text(
                                    String(
                                        decoding: UnsafeRawBufferPointer(start: text.bytes, count: text.count),
                                        as: UTF8.self))
                            }
                            var bits: UInt64 = 0
                            let size = Int(columns[i].size)
                            memcpy(&bits, arrays[i].values + r * size, size)
                            return .bits(bits)
                        })
                }
            }
        }
    }

    static func dataset(_ name: String) -> String { String(name.split(separator: "_")[1]) }

    @Test(arguments: BCSVReaderTests.valid, [true, false])
    func `rows and columns are the values that the file was written from`(_ name: String, _ mapped: Bool) throws {
        let bytes = try Vectors.bytes("bcsv/" + name)
        let expected = try BCSVReaderTests.expected(Self.dataset(name))
        let byRow = CReader(bytes, mapped: mapped)
        #expect(byRow.status == TICKLOG_OK)
        var (rows, status) = byRow.all()
        #expect(rows == expected && status == TICKLOG_END)
        for most in [1, 7, 300] {
            (rows, status) = CReader(bytes, mapped: mapped).allByColumns(most)
            #expect(rows == expected && status == TICKLOG_END, "\(most) rows at a time")
        }
        var count: UInt64 = 0
        #expect(ticklog_reader_rows(byRow.reader, &count) == TICKLOG_OK)
        #expect(count == UInt64(expected.count))
    }

    @Test(arguments: BCSVReaderTests.valid, [true, false])
    func `any row is found by its number, also without a footer`(_ name: String, _ mapped: Bool) throws {
        var random = SeededRandom()
        print("seed", random.seed)
        var bytes = try Vectors.bytes("bcsv/" + name)
        let expected = try BCSVReaderTests.expected(Self.dataset(name))
        for withFooter in [true, false] {
            if !withFooter {
                guard let footer = try? BCSVFooter(MappedFile(bytes, named: name).bytes) else { return }
                bytes.removeLast(bytes.count - footer.offset)
            }
            let reader = CReader(bytes, mapped: mapped)
            for _ in 0..<(expected.isEmpty ? 0 : 12) {
                let row = Int(random.next() % UInt64(expected.count))
                #expect(ticklog_reader_seek(reader.reader, UInt64(row)) == TICKLOG_OK)
                for next in row..<min(row + 3, expected.count) {
                    #expect(ticklog_reader_next(reader.reader) == TICKLOG_OK)
                    #expect(ticklog_reader_row(reader.reader) == UInt64(next))
                    #expect(reader.row() == expected[next])
                    // Counting looks elsewhere in the file, and disturbs nothing.
                    var count: UInt64 = 0
                    #expect(ticklog_reader_rows(reader.reader, &count) == TICKLOG_OK)
                    #expect(count == UInt64(expected.count))
                    #expect(reader.row() == expected[next])
                }
            }
            #expect(ticklog_reader_seek(reader.reader, UInt64(expected.count)) == TICKLOG_END)
        }
    }

    @Test(arguments: [true, false])
    func `of a torn packet the whole rows come if they are asked for, and are marked`(_ mapped: Bool) throws {
        let bytes = try Vectors.bytes(BCSVReaderTests.logger)
        let expected = try BCSVReaderTests.expected("logger")
        for length in stride(from: 69, to: bytes.count, by: 13) {
            let cut = Array(bytes[..<length])
            let (whole, _) = CReader(cut, mapped: mapped).all()
            let reader = CReader(cut, mapped: mapped, flags: TICKLOG_UNVERIFIED)
            var rows: [[Cell]] = []
            var verified = 0
            while ticklog_reader_next(reader.reader) == TICKLOG_OK {
                rows.append(reader.row())
                if ticklog_reader_is_verified(reader.reader) == 1 { verified += 1 }
            }
            #expect(verified == whole.count)
            #expect(rows.count >= whole.count && rows.count <= whole.count + 75)
            #expect(rows == Array(expected[..<rows.count]))
        }
    }

    @Test func `a reader with less memory than a packet needs says so`() throws {
        let bytes = try Vectors.bytes("bcsv/v15_rollover_zoh_packet.bcsv")
        let reader = CReader(bytes, mapped: false, packetBytes: 4096)
        #expect(reader.all().status == TICKLOG_TOO_LARGE)
    }
}
