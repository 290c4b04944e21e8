import CTickLog
import CXXHash
import Testing

/// A random table: how its rows lie in memory, and what they hold.
final class RandomTable {
    struct Column {
        var name: String
        /// A type of ticklog.h.
        var type: UInt32
        var offset: Int
        /// Of a char array.
        var capacity: Int
    }

    var fields: [ticklog_field] = []
    var columns: [Column] = []
    let rowBytes: Int
    private(set) var rows: [[NaiveBCSV.Cell]] = []
    private let names: [[CChar]]
    private let row: UnsafeMutableRawPointer
    private var texts: [UnsafeMutableRawPointer?]
    private let style: Int
    private let rate: Int
    private let longest: Int

    static let width = [1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8]

    init(_ random: inout SeededRandom, columns limit: Int, longest: Int = 20) {
        var end = 0
        var names: [[CChar]] = []
        style = random.below(4)
        rate = random.pick([1, 2, 10, 100])
        self.longest = longest
        let one: UInt32? = random.chance(1, in: 3) ? random.pick([0, 1, 2, 3, 8, 9, 10, 11, 64]) : nil
        while columns.count < limit {
            let type = one ?? (random.chance(1, in: 4) ? 9 : random.chance(1, in: 10) ? TICKLOG_TEXT : UInt32(random.below(12)))
            let isString = type == TICKLOG_STRING || type == TICKLOG_TEXT
            let count = min(random.chance(1, in: 3) ? 2 + random.below(isString ? 3 : 90) : 1, limit - columns.count)
            let capacity = type == TICKLOG_STRING ? 1 + random.below(20) : 0
            let width = type == TICKLOG_TEXT ? MemoryLayout<ticklog_text>.size : type == TICKLOG_STRING ? capacity : Self.width[Int(type)]
            if random.chance(1, in: 3) { end += random.below(9) }
            let name = random.chance(1, in: 9) ? "" : "c\(fields.count)"
            names.append(Array(name.utf8CString))
            fields.append(ticklog_field(
                name: nil, unit: nil, type: UInt16(type), count: UInt16(count), offset: UInt32(end), size: UInt32(capacity)))
            for i in 0..<count {
                columns.append(Column(
                    name: count > 1 ? "\(name)[\(i)]" : name, type: type, offset: end + i * width, capacity: capacity))
            }
            end += count * width
        }
        rowBytes = max(end + random.below(4), 1)
        self.names = names
        row = .allocate(byteCount: rowBytes, alignment: 8)
        row.initializeMemory(as: UInt8.self, repeating: 0, count: rowBytes)
        texts = Array(repeating: nil, count: columns.count)
    }

    deinit {
        row.deallocate()
        for text in texts { text?.deallocate() }
    }

    var naiveColumns: [NaiveBCSV.Column] {
        columns.map { NaiveBCSV.Column(name: $0.name, type: $0.type == TICKLOG_TEXT ? 11 : UInt8($0.type)) }
    }

    /// Changes some values; the new row is one of `rows`.
    func change(_ random: inout SeededRandom) -> UnsafeRawPointer {
        for i in columns.indices where random.chance(1, in: rate) {
            let column = columns[i]
            let at = row + column.offset
            switch column.type {
            case TICKLOG_STRING:
                for k in 0..<column.capacity { at.storeBytes(of: UInt8(random.chance(1, in: 6) ? 0 : random.below(256)), toByteOffset: k, as: UInt8.self) }
            case TICKLOG_TEXT:
                texts[i]?.deallocate()
                let count = random.pick([0, 1, random.below(longest + 1), random.below(longest + 1), longest])
                let text = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 1)
                for k in 0..<count { text.storeBytes(of: UInt8(random.below(random.pick([2, 256]))), toByteOffset: k, as: UInt8.self) }
                texts[i] = text
                at.storeBytes(of: ticklog_text(bytes: UnsafePointer(text.assumingMemoryBound(to: CChar.self)), count: count), as: ticklog_text.self)
            default:
                let width = Self.width[Int(column.type)]
                withUnsafeBytes(of: value(column.type, &random)) { at.copyMemory(from: $0.baseAddress!, byteCount: width) }
            }
        }
        rows.append(columns.map { column in
            let at = UnsafeRawPointer(row + column.offset)
            switch column.type {
            case TICKLOG_BOOL: return [at.load(as: UInt8.self) == 0 ? 0 : 1]
            case TICKLOG_STRING: return Array(UnsafeRawBufferPointer(start: at, count: column.capacity).prefix { $0 != 0 })
            case TICKLOG_TEXT:
                let text = at.loadUnaligned(as: ticklog_text.self)
                return Array(UnsafeRawBufferPointer(start: text.bytes, count: text.count))
            default: return Array(UnsafeRawBufferPointer(start: at, count: Self.width[Int(column.type)]))
            }
        })
        return UnsafeRawPointer(row)
    }

    private func value(_ type: UInt32, _ random: inout SeededRandom) -> UInt64 {
        switch style {
        case 0: return random.next()
        case 1: return UInt64(random.below(3))
        case 2:
            // Ramps, which gradients foretell.
            let at = rows.count * 3 + 1
            return type == 9 ? UInt64((Float(at) * 0.5).bitPattern) : type == 10 ? (Double(at) * 0.25).bitPattern : UInt64(at)
        default:
            if type == 9 { return UInt64(random.pick([0, 0x8000_0000, 1, 0x7FC0_0001, 0x7F80_0001, 0xFFC1_2345, 0x7F80_0000, 0xFF80_0000, 0x0080_0000])) }
            if type == 10 { return random.pick([0, 1 << 63, 1, 0x7FF8_0000_0000_0001, 0x7FF0_0000_0000_0001, 0x7FF0_0000_0000_0000, 0x0010_0000_0000_0000]) }
            return random.pick([0, 1, .max, 1 << 63, 0x80, 0x8000, 0x7F, 0x7FFF])
        }
    }

    /// Its configuration, while `body` runs.
    func withConfig<Result>(_ storage: UnsafePointer<ticklog_storage>, _ body: (inout ticklog_table_config) throws -> Result) rethrows -> Result {
        var all: [CChar] = []
        var starts: [Int] = []
        for name in names {
            starts.append(all.count)
            all += name
        }
        return try all.withUnsafeBufferPointer { text in
            var fields = fields
            for i in fields.indices { fields[i].name = text.baseAddress! + starts[i] }
            return try fields.withUnsafeBufferPointer { fields in
                var config = ticklog_table_config()
                config.size = UInt32(MemoryLayout<ticklog_table_config>.size)
                config.row_bytes = UInt32(rowBytes)
                config.fields = fields.baseAddress
                config.field_count = UInt32(fields.count)
                config.storage = storage
                return try body(&config)
            }
        }
    }
}

/// A table in exactly the memory that it asks for, between guards.
final class TableMemory {
    let base: UnsafeMutableRawPointer
    let count: Int

    init(_ count: Int) {
        self.count = count
        base = .allocate(byteCount: count + 16, alignment: 8)
        // Nothing is taken for zero.
        base.initializeMemory(as: UInt8.self, repeating: 0xA5, count: count + 16)
    }

    var isWhole: Bool { UnsafeRawBufferPointer(start: base + count, count: 16).allSatisfy { $0 == 0xA5 } }

    deinit { base.deallocate() }
}

@Suite struct TableTests {
    static let rowCodecs = [TICKLOG_ZOH, TICKLOG_FLAT, TICKLOG_DELTA]
    static let fileCodecs = [TICKLOG_PACKET, TICKLOG_PACKET_LZ4, TICKLOG_BATCH, TICKLOG_STREAM, TICKLOG_STREAM_LZ4]

    /// What is wrong with a file, by the format's tables alone.
    static func check(_ bytes: [UInt8], _ rows: [[NaiveBCSV.Cell]], _ naive: NaiveBCSV) throws -> String? {
        switch naive.fileCodec {
        case TICKLOG_PACKET: return RowTests.difference(bytes, naive.file(rows))
        case TICKLOG_STREAM: return RowTests.difference(bytes, naive.stream(rows))
        default: break
        }
        let header = naive.header
        guard Array(bytes.prefix(header.count)) == header else { return RowTests.difference(bytes, header) }
        let isStream = naive.fileCodec == TICKLOG_STREAM_LZ4
        let unpacked = try Unpacked(
            bytes, from: header.count, isCompressed: true, isBatch: naive.fileCodec == TICKLOG_BATCH, isStream: isStream)
        var at = 0
        for (k, packet) in unpacked.packets.enumerated() {
            if packet.firstRow != at { return "packet \(k) begins with row \(packet.firstRow), expected \(at)" }
            for (i, row) in packet.rows.enumerated() where row != naive.row(rows, at + i, packet: at) {
                return "row \(at + i) is \(row.prefix(40)), expected \(naive.row(rows, at + i, packet: at).prefix(40))"
            }
            if !isStream, packet.bytesBeforeLast >= naive.packetLimit { return "packet \(k) is too long" }
            at += packet.rows.count
        }
        if at != rows.count { return "\(at) rows, expected \(rows.count)" }
        if isStream { return unpacked.end == bytes.count ? nil : "bytes behind the last row" }
        var index = unpacked.packets.map { ($0.offset, $0.firstRow) }
        var step = 1
        while (index.count + step - 1) / step > naive.indexLimit { step *= 2 }
        index = naive.isDelta && step > 1 ? [] : stride(from: 0, to: index.count, by: step).map { index[$0] }
        var footer: [UInt8] = Array("BIDX".utf8)
        for entry in index { footer += NaiveBCSV.little(UInt64(entry.0)) + NaiveBCSV.little(UInt64(entry.1)) }
        footer += Array("EIDX".utf8) + NaiveBCSV.little(UInt32(28 + 16 * index.count)) + NaiveBCSV.little(UInt64(rows.count))
        footer += NaiveBCSV.little(cxxhash64(footer, footer.count))
        return RowTests.difference(Array(bytes.dropFirst(unpacked.end)), footer)
    }

    @Test(arguments: rowCodecs, fileCodecs)
    func `rows are what the format's tables say, for any structures, levels and sizes`(_ rowCodec: UInt32, _ fileCodec: UInt32) throws {
        var random = SeededRandom()
        for round in 0..<(rowCodec == TICKLOG_DELTA ? 10 : 24) {
            let isWide = random.chance(1, in: 8)
            let table = RandomTable(&random, columns: 1 + random.below(isWide ? 200 : 30), longest: random.chance(1, in: 12) ? 65535 : 20)
            let storage = MemoryStorage(blockSize: random.pick([16, 512, 4096]))
            if random.chance(1, in: 3) { storage.most = 1 + random.below(700) }
            let level = UInt8(1 + random.below(9))
            let isNew = rowCodec == TICKLOG_DELTA || fileCodec == TICKLOG_BATCH
            let version = isNew || random.chance(1, in: 2) ? TICKLOG_BCSV_1_5 : TICKLOG_BCSV_1_3
            let packetBytes = random.pick([512, 1000, 65536])
            let indexEntries = random.pick([2, 3, 256])
            let count = random.pick([0, 1, 2, 3, isWide ? 20 : 90])
            let about = "seed \(random.seed), round \(round), \(table.columns.count) columns, \(count) rows, level \(level)"
            try table.withConfig(storage.storage) { config in
                config.row_codec = UInt8(rowCodec)
                config.file_codec = UInt8(fileCodec)
                config.level = level
                config.bcsv_version = UInt8(version)
                config.packet_bytes = UInt32(packetBytes)
                config.index_entries = UInt32(indexEntries)
                config.creation_time = 1_763_485_651
                config.text_bytes = UInt32(max(table.columns.count * 65535, 1) > 1 << 22 ? 1 << 22 : max(table.columns.count * 65535, 1))
                config.window_bytes = random.pick([0, 4096])
                let bytes = ticklog_table_size(&config)
                try #require(bytes > 0)
                let memory = TableMemory(bytes)
                var handle: OpaquePointer?
                try #require(ticklog_table_create(&config, "x", memory.base, bytes, &handle) == TICKLOG_OK)
                for row in 0..<count {
                    #expect(ticklog_write_row(handle, table.change(&random)) == TICKLOG_OK)
                    #expect(ticklog_table_rows(handle) == UInt64(row + 1))
                }
                #expect(ticklog_table_close(handle) == TICKLOG_OK)
                #expect(ticklog_table_close(handle) == TICKLOG_CLOSED)
                #expect(ticklog_write_row(handle, memory.base) == TICKLOG_CLOSED)
                #expect(memory.isWhole, "\(about)")
            }
            #expect(storage.complaints == [], "\(about)")
            #expect(storage.isSynced && !storage.isOpen)
            let naive = NaiveBCSV(
                columns: table.naiveColumns, isFlat: rowCodec == TICKLOG_FLAT, packetLimit: packetBytes,
                minor: version == TICKLOG_BCSV_1_5 ? 5 : 3, epochSeconds: 1_763_485_651, indexLimit: indexEntries,
                isDelta: rowCodec == TICKLOG_DELTA, fileCodec: fileCodec,
                level: fileCodec == TICKLOG_PACKET || fileCodec == TICKLOG_STREAM ? 0 : level)
            if let wrong = try Self.check(storage.bytes, table.rows, naive) {
                Issue.record("\(about): \(wrong)")
                return
            }
        }
    }

    /// Spec BCSV, section 11: t u32, ok bool, x f32, s string.
    struct Example {
        var t: UInt32
        var ok: Bool
        var x: Float
        var s: String
    }
    static let examples = [
        Example(t: 1, ok: true, x: 1.5, s: "ab"), Example(t: 2, ok: true, x: 1.5, s: "ab"), Example(t: 2, ok: true, x: 1.5, s: "ab"),
        Example(t: 3, ok: false, x: 2, s: ""),
    ]

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.filter { !$0.isWhitespace }
        return stride(from: 0, to: digits.count, by: 2).map { i in
            let at = digits.index(digits.startIndex, offsetBy: i)
            return UInt8(digits[at..<digits.index(at, offsetBy: 2)], radix: 16)!
        }
    }

    /// The examples' file, as the format's description prints it in part.
    static func example(_ rowCodec: UInt32, _ fileCodec: UInt32, _ version: UInt32) throws -> [UInt8] {
        let storage = MemoryStorage()
        try ["t", "ok", "x", "s"].map { $0.utf8CString }.withCStrings { names in
            let types = [TICKLOG_U32, TICKLOG_BOOL, TICKLOG_F32, TICKLOG_STRING]
            let offsets: [UInt32] = [0, 4, 8, 12]
            let fields = (0..<4).map { i in
                ticklog_field(name: names[i], unit: nil, type: UInt16(types[i]), count: 1, offset: offsets[i], size: i == 3 ? 4 : 0)
            }
            try fields.withUnsafeBufferPointer { fields in
                var config = ticklog_table_config()
                config.size = UInt32(MemoryLayout<ticklog_table_config>.size)
                config.row_bytes = 16
                config.fields = fields.baseAddress
                config.field_count = 4
                config.row_codec = UInt8(rowCodec)
                config.file_codec = UInt8(fileCodec)
                config.bcsv_version = UInt8(version)
                config.storage = storage.storage
                let memory = TableMemory(ticklog_table_size(&config))
                var handle: OpaquePointer?
                try #require(ticklog_table_create(&config, "x", memory.base, memory.count, &handle) == TICKLOG_OK)
                var rows: [UInt8] = []
                for example in examples {
                    rows += NaiveBCSV.little(example.t) + [example.ok ? 1 : 0, 9, 9, 9] + NaiveBCSV.little(example.x.bitPattern)
                    rows += Array((Array(example.s.utf8) + [0, 0, 0, 0]).prefix(4))
                }
                var written = 0
                #expect(ticklog_write_rows(handle, rows, 4, &written) == TICKLOG_OK)
                #expect(written == 4)
                #expect(ticklog_table_close(handle) == TICKLOG_OK)
            }
        }
        return storage.bytes
    }

    @Test(arguments: [
        (TICKLOG_FLAT, TICKLOG_PACKET, "68 01 01000000 0000C03F 0200 6162 68 01 02000000 0000C03F 0200 6162 68 01 02000000 0000C03F 0200 6162 58 00 03000000 00000040 0000 FCFFFFFF01 0C820BBBB22EF462"),
        (TICKLOG_ZOH, TICKLOG_PACKET, "68 0F 01000000 0000C03F 0200 6162 28 03 02000000 00 58 0E 03000000 00000040 0000 FCFFFFFF01 7CF6F78F652FDF01"),
        (TICKLOG_ZOH, TICKLOG_PACKET_LZ4, "70 D0 0F01000000 0000C03F 0200 6162 30 50 0302000000 00 60 B0 0E03000000 00000040 0000 FCFFFFFF01"),
        (TICKLOG_ZOH, TICKLOG_STREAM, "68 0F 01000000 0000C03F 0200 6162 1EAACE6E 28 03 02000000 0AB548E7 00 58 0E 03000000 00000040 0000 6E4AA3C8"),
        (TICKLOG_DELTA, TICKLOG_PACKET, "50 D5 02 0000C03F 0200 6162 10 05 02 08 01 40 D4 02 0000C07F 0000 FCFFFFFF01 56B8BEC1AD3345A7"),
        (TICKLOG_DELTA, TICKLOG_BATCH, "1E000000 20000000 F00F 50 D5 02 0000C03F 0200 6162 10 05 02 08 01 40 D4 02 0000C07F 0000 FCFFFFFF01 56B8BEC1AD3345A7"),
    ])
    func `the format's worked examples`(_ rowCodec: UInt32, _ fileCodec: UInt32, _ hex: String) throws {
        let bytes = try Self.example(rowCodec, fileCodec, TICKLOG_BCSV_1_5)
        let expected = Self.bytes(hex)
        let start = 24 + 4 + 8 + 5 + (fileCodec == TICKLOG_STREAM ? 0 : 16)
        #expect(Array(bytes.dropFirst(start).prefix(expected.count)) == expected)
    }

    @Test func `the worked example's whole file, version 1-3`() throws {
        let expected = Self.bytes("""
            42435356 010300 00 0000 0400 00000100 0300090B 0100 0200 0100 0100 746F6B7873
            504B4354 0000000000000000 A428BFB8 68 01 01000000 0000C03F 0200 6162 68 01 02000000 0000C03F 0200 6162
            68 01 02000000 0000C03F 0200 6162 58 00 03000000 00000040 0000 FCFFFFFF01 0C820BBBB22EF462
            42494458 2100000000000000 0000000000000000 45494458 2C000000 0400000000000000 359517C70346D896
            """)
        #expect(try Self.example(TICKLOG_FLAT, TICKLOG_PACKET, TICKLOG_BCSV_1_3) == expected)
    }

    // MARK: Storage that fails

    @Test(arguments: fileCodecs, [TICKLOG_IO, TICKLOG_BUSY])
    func `storage that fails at any call loses nothing: the retry goes on`(_ fileCodec: UInt32, _ failure: Int32) throws {
        var random = SeededRandom()
        let about = "seed \(random.seed)"
        let codec = random.pick(Self.rowCodecs)
        // Without a failure: what is to be written, and how many calls that takes.
        func write(_ storage: MemoryStorage, _ seed: UInt64) throws -> (failures: Int, rows: [[NaiveBCSV.Cell]]) {
            var random = SeededRandom(seed)
            let table = RandomTable(&random, columns: 12)
            var failures = 0
            try table.withConfig(storage.storage) { config in
                config.row_codec = UInt8(codec)
                config.file_codec = UInt8(fileCodec)
                config.packet_bytes = 600
                config.buffer_bytes = 1
                config.text_bytes = 4000
                let memory = TableMemory(ticklog_table_size(&config))
                var handle: OpaquePointer?
                while true {
                    let status = ticklog_table_create(&config, "x", memory.base, memory.count, &handle)
                    if status == TICKLOG_OK { break }
                    #expect(status == failure)
                    failures += 1
                }
                func retry(_ call: () -> ticklog_status) {
                    for _ in 0..<100 {
                        let status = call()
                        if status == TICKLOG_OK { return }
                        #expect(status == failure, "\(about), after call \(storage.calls), \(storage.bytes.count) bytes, \(table.rows.count) rows")
                        failures += 1
                    }
                    Issue.record("storage is well again, and it still fails")
                }
                for i in 0..<300 {
                    let row = table.change(&random)
                    retry { ticklog_write_row(handle, row) }
                    #expect(ticklog_table_rows(handle) == UInt64(i + 1))
                    if i == 150 { retry { ticklog_table_flush(handle) } }
                }
                retry { ticklog_table_close(handle) }
                #expect(memory.isWhole)
            }
            #expect(storage.complaints == [])
            return (failures, table.rows)
        }
        let seed = random.next()
        let sound = MemoryStorage()
        sound.most = 700
        let (none, rows) = try write(sound, seed)
        #expect(none == 0)
        #expect(rows.count == 300)
        for n in 0..<sound.calls {
            let storage = MemoryStorage()
            storage.most = 700
            storage.answer = { $0 == n || $0 == n + 1 ? failure : TICKLOG_OK }
            let (failures, _) = try write(storage, seed)
            // A busy storage is noticed only where there is no room for the row.
            #expect(failures > 0 || failure == TICKLOG_BUSY, "\(about), call \(n)")
            #expect(storage.bytes == sound.bytes, "\(about), call \(n)")
        }
    }

    @Test func `what is flushed is whole, and abandoning leaves it so`() throws {
        var random = SeededRandom()
        for fileCodec in Self.fileCodecs {
            let table = RandomTable(&random, columns: 9)
            let storage = MemoryStorage()
            var flushed = 0
            try table.withConfig(storage.storage) { config in
                config.file_codec = UInt8(fileCodec)
                let memory = TableMemory(ticklog_table_size(&config))
                var handle: OpaquePointer?
                try #require(ticklog_table_create(&config, "x", memory.base, memory.count, &handle) == TICKLOG_OK)
                #expect(storage.bytes.isEmpty)
                #expect(ticklog_table_flush(handle) == TICKLOG_OK)
                #expect(storage.bytes.count > 24 && storage.isSynced)
                for _ in 0..<20 { #expect(ticklog_write_row(handle, table.change(&random)) == TICKLOG_OK) }
                #expect(ticklog_table_flush(handle) == TICKLOG_OK)
                #expect(storage.isSynced)
                flushed = storage.bytes.count
                // Nothing new: nothing is written.
                #expect(ticklog_table_flush(handle) == TICKLOG_OK)
                #expect(storage.bytes.count == flushed)
                #expect(ticklog_table_abandon(handle) == TICKLOG_OK)
                #expect(ticklog_table_abandon(handle) == TICKLOG_CLOSED)
            }
            #expect(!storage.isOpen && storage.bytes.count == flushed)
            let isStream = fileCodec == TICKLOG_STREAM || fileCodec == TICKLOG_STREAM_LZ4
            let naive = NaiveBCSV(
                columns: table.naiveColumns, isFlat: false, packetLimit: 65536, minor: 5, epochSeconds: 0, indexLimit: 1, fileCodec: fileCodec)
            // The footer that it lacks ends the packets here.
            let unpacked = try Unpacked(
                storage.bytes + [0, 0, 0, 0].prefix(isStream ? 0 : 4), from: naive.header.count,
                isCompressed: fileCodec != TICKLOG_PACKET && fileCodec != TICKLOG_STREAM, isBatch: fileCodec == TICKLOG_BATCH, isStream: isStream)
            #expect(unpacked.end == flushed)
            #expect(unpacked.packets.map(\.rows.count) == [20], "seed \(random.seed)")
        }
    }

    // MARK: Refusals

    @Test func `what a configuration must not say`() {
        func status(_ change: (inout ticklog_table_config, inout ticklog_field) -> Void) -> ticklog_status {
            let storage = MemoryStorage()
            return "a".withCString { name in
                var field = ticklog_field(name: name, unit: nil, type: UInt16(TICKLOG_U32), count: 1, offset: 0, size: 0)
                var config = ticklog_table_config()
                config.size = UInt32(MemoryLayout<ticklog_table_config>.size)
                config.row_bytes = 8
                config.field_count = 1
                config.storage = storage.storage
                change(&config, &field)
                return withUnsafePointer(to: field) { pointer in
                    config.fields = config.field_count == 99 ? nil : pointer
                    let memory = TableMemory(1 << 20)
                    var handle: OpaquePointer?
                    let status = ticklog_table_create(&config, "x", memory.base, memory.count, &handle)
                    #expect((ticklog_table_size(&config) == 0) == (status != TICKLOG_OK && status != TICKLOG_NO_MEMORY))
                    #expect((handle == nil) == (status != TICKLOG_OK))
                    #expect(storage.isOpen == (status == TICKLOG_OK))
                    return status
                }
            }
        }
        #expect(status { _, _ in } == TICKLOG_OK)
        #expect(status { config, _ in config.size = 8 } == TICKLOG_BAD_SIZE)
        #expect(status { config, _ in config.field_count = 0 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { config, _ in config.field_count = 99 } == TICKLOG_NULL)
        #expect(status { _, field in field.name = nil } == TICKLOG_NULL)
        #expect(status { _, field in field.type = 12 } == TICKLOG_BAD_TYPE)
        #expect(status { _, field in field.type = UInt16(TICKLOG_OPAQUE) } == TICKLOG_BAD_TYPE)
        #expect(status { _, field in field.offset = 5 } == TICKLOG_BAD_FIELD)
        #expect(status { _, field in field.count = 3 } == TICKLOG_BAD_FIELD)
        #expect(status { _, field in field.size = 5 } == TICKLOG_BAD_FIELD)
        #expect(status { _, field in field.type = UInt16(TICKLOG_STRING) } == TICKLOG_BAD_FIELD)
        #expect(status { config, _ in config.row_codec = 4 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { config, _ in config.file_codec = 6 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { config, _ in config.level = 10 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { config, _ in config.packet_bytes = 511 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { config, _ in config.packet_bytes = 1 << 30 + 1 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { config, _ in config.index_entries = 1 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { config, _ in config.window_bytes = 100 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { config, _ in config.bcsv_version = 14 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { config, _ in (config.bcsv_version, config.row_codec) = (UInt8(TICKLOG_BCSV_1_3), UInt8(TICKLOG_DELTA)) } == TICKLOG_UNSUPPORTED)
        #expect(status { config, _ in (config.bcsv_version, config.file_codec) = (UInt8(TICKLOG_BCSV_1_3), UInt8(TICKLOG_BATCH)) } == TICKLOG_UNSUPPORTED)
        #expect(status { config, field in (field.type, config.text_bytes, config.row_bytes) = (UInt16(TICKLOG_TEXT), 1 << 24, 16) } == TICKLOG_TOO_MANY)
        #expect(status { config, _ in (config.file_codec, config.packet_bytes) = (UInt8(TICKLOG_BATCH), 1 << 30) } == TICKLOG_NO_MEMORY)
    }

    @Test func `texts that are too long are refused whole, and the table goes on`() throws {
        let storage = MemoryStorage()
        try "a".withCString { name in
            let field = ticklog_field(
                name: name, unit: nil, type: UInt16(TICKLOG_TEXT), count: 2, offset: 0, size: UInt32(2 * MemoryLayout<ticklog_text>.size))
            try withUnsafePointer(to: field) { field in
                var config = ticklog_table_config()
                config.size = UInt32(MemoryLayout<ticklog_table_config>.size)
                config.row_bytes = UInt32(2 * MemoryLayout<ticklog_text>.size)
                config.fields = field
                config.field_count = 1
                config.text_bytes = 100_000
                config.storage = storage.storage
                let memory = TableMemory(ticklog_table_size(&config))
                var handle: OpaquePointer?
                try #require(ticklog_table_create(&config, "x", memory.base, memory.count, &handle) == TICKLOG_OK)
                let text = [CChar](repeating: 65, count: 65536)
                func write(_ a: Int, _ b: Int, isNull: Bool = false) -> ticklog_status {
                    text.withUnsafeBufferPointer { text in
                        let row = [ticklog_text(bytes: isNull ? nil : text.baseAddress, count: a), ticklog_text(bytes: text.baseAddress, count: b)]
                        return ticklog_write_row(handle, row)
                    }
                }
                #expect(write(3, 65535) == TICKLOG_OK)
                #expect(write(65536, 0) == TICKLOG_TOO_LARGE)
                #expect(write(50_000, 50_001) == TICKLOG_TOO_LARGE)
                #expect(write(-1, 1) == TICKLOG_TOO_LARGE)
                #expect(write(1, 1, isNull: true) == TICKLOG_NULL)
                #expect(write(0, 1, isNull: true) == TICKLOG_OK)
                #expect(write(50_000, 50_000) == TICKLOG_OK)
                #expect(ticklog_table_rows(handle) == 3)
                #expect(ticklog_table_close(handle) == TICKLOG_OK)
                #expect(memory.isWhole)
            }
        }
        let naive = NaiveBCSV(
            columns: [.init(name: "a[0]", type: 11), .init(name: "a[1]", type: 11)], isFlat: false, packetLimit: 65536, minor: 5,
            epochSeconds: 0, indexLimit: 256)
        func cell(_ count: Int) -> [UInt8] { [UInt8](repeating: 65, count: count) }
        let rows = [[cell(3), cell(65535)], [[], cell(1)], [cell(50_000), cell(50_000)]]
        #expect(RowTests.difference(storage.bytes, naive.file(rows)) == nil)
    }
}

extension Array where Element == ContiguousArray<CChar> {
    /// All of them as C strings while `body` runs.
    func withCStrings<Result>(_ body: ([UnsafePointer<CChar>]) throws -> Result) rethrows -> Result {
        var all: [CChar] = []
        var starts: [Int] = []
        for text in self {
            starts.append(all.count)
            all += text
        }
        return try all.withUnsafeBufferPointer { all in try body(starts.map { all.baseAddress! + $0 }) }
    }
}
