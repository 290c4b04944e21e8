import CTickLog
import Foundation
import Testing
import TickLog
import TickLogHost

/// Rows that are found by the value of a column that never goes back.
@Suite struct ValueSeekTests {
    /// A file of ticks, a random value each, and a text if it is to have one.
    static func file(
        _ ticks: [UInt64], row: UInt32, codec: UInt32, hasText: Bool, indexEntries: UInt32, _ random: inout SeededRandom
    ) throws -> [UInt8] {
        let storage = MemoryStorage()
        let names: [[CChar]] = ["tick", "v", "s"].map { Array($0.utf8CString) }
        try names[0].withUnsafeBufferPointer { tick in
            try names[1].withUnsafeBufferPointer { value in
                try names[2].withUnsafeBufferPointer { text in
                    let fields = [
                        ticklog_field(name: tick.baseAddress, unit: nil, type: UInt16(TICKLOG_U64), count: 0, offset: 0, size: 0),
                        ticklog_field(name: value.baseAddress, unit: nil, type: UInt16(TICKLOG_F64), count: 0, offset: 8, size: 0),
                        ticklog_field(name: text.baseAddress, unit: nil, type: UInt16(TICKLOG_STRING), count: 0, offset: 16, size: 8),
                    ]
                    try fields.withUnsafeBufferPointer { fields in
                        var config = ticklog_table_config()
                        config.size = UInt32(MemoryLayout<ticklog_table_config>.size)
                        config.row_bytes = 24
                        config.fields = fields.baseAddress
                        config.field_count = hasText ? 3 : 2
                        config.row_codec = UInt8(row)
                        config.file_codec = UInt8(codec)
                        config.packet_bytes = 4096
                        config.index_entries = indexEntries
                        config.storage = storage.storage
                        let memory = TableMemory(ticklog_table_size(&config))
                        var handle: OpaquePointer?
                        try #require(ticklog_table_create(&config, "x", memory.base, memory.count, &handle) == TICKLOG_OK)
                        for tick in ticks {
                            let cells: [UInt64] = [tick, Double(random.next() % 1000).bitPattern, 0x6261]
                            try #require(cells.withUnsafeBytes { ticklog_write_row(handle, $0.baseAddress) } == TICKLOG_OK)
                        }
                        try #require(ticklog_table_close(handle) == TICKLOG_OK)
                    }
                }
            }
        }
        return storage.bytes
    }

    static let codecs = [TICKLOG_PACKET, TICKLOG_PACKET_LZ4, TICKLOG_BATCH, TICKLOG_STREAM, TICKLOG_STREAM_LZ4]

    @Test(arguments: [TICKLOG_FLAT, TICKLOG_ZOH, TICKLOG_DELTA], codecs)
    func `any tick is found without reading what is before, also without a footer`(_ row: UInt32, _ codec: UInt32) throws {
        var random = SeededRandom()
        print("seed", random.seed)
        let isStream = codec == TICKLOG_STREAM || codec == TICKLOG_STREAM_LZ4
        for hasText in [false, true] {
            for indexEntries in [UInt32(0), 4] {
                var ticks: [UInt64] = []
                var tick: UInt64 = 0
                for _ in 0..<20000 {
                    ticks.append(tick)
                    // Also the same again.
                    tick += UInt64(random.pick([0, 0, 0, 0, 0, 0, 1, random.below(100)]))
                }
                var bytes = try Self.file(ticks, row: row, codec: codec, hasText: hasText, indexEntries: indexEntries, &random)
                for hasFooter in [true, false] {
                    if !hasFooter {
                        guard let footer = try? BCSVFooter(MappedFile(bytes, named: "x").bytes) else { continue }
                        bytes.removeLast(bytes.count - footer.offset)
                    }
                    let file = try BCSVFile(MappedFile(bytes, named: "x"))
                    for target in [0, 1, tick, tick + 1, UInt64.max] + (0..<8).map({ _ in ticks[random.below(ticks.count)] }) {
                        let about = "row codec \(row), codec \(codec), text \(hasText), index \(indexEntries), footer \(hasFooter), tick \(target)"
                        let reader = try BCSVReader(file)
                        // From the middle of a packet as well.
                        if random.chance(1, in: 2) { for _ in 0..<random.below(3000) { _ = reader.next() } }
                        let began = isStream ? reader.rows.position : 0
                        reader.seek(toAtLeast: target, in: 0)
                        var passed = 0
                        var found = false
                        while !found, reader.next() {
                            try #require(reader.rows.bits(0) == ticks[Int(reader.rows.row)], "\(about)")
                            found = reader.rows.bits(0) >= target
                            if !found { passed += 1 }
                        }
                        #expect(!reader.isDamaged, "\(about)")
                        let first = ticks.firstIndex { $0 >= target } ?? ticks.count
                        if found, began <= UInt64(first) { #expect(reader.rows.row == UInt64(first), "\(about)") }
                        if began <= UInt64(first) { #expect(found == (first < ticks.count), "\(about)") }
                        // One packet, or as far as there is nothing to find one by.
                        if isStream || hasText && (indexEntries > 0 || !hasFooter) { continue }
                        let most = 6000
                        #expect(passed < most, "\(about)")
                    }
                }
            }
        }
    }

    @Test func `damage before a tick does not hide what is behind it, and damage where it is looked for is told`() throws {
        var random = SeededRandom()
        print("seed", random.seed)
        let ticks = (0..<40000).map { UInt64($0) * 3 }
        let sound = try Self.file(ticks, row: TICKLOG_FLAT, codec: TICKLOG_PACKET, hasText: false, indexEntries: 0, &random)
        for _ in 0..<60 {
            var bytes = sound
            let at = 200 + random.below(sound.count - 400)
            bytes[at] ^= UInt8(1 + random.below(255))
            let target = UInt64(random.below(120000))
            guard let file = try? BCSVFile(MappedFile(bytes, named: "x")) else { continue }
            let reader = try BCSVReader(file)
            reader.seek(toAtLeast: target, in: 0)
            while reader.next(), reader.rows.bits(0) < target {}
            // Either the right row, or it is said why not.
            if reader.faults.isEmpty { #expect(reader.rows.bits(0) == (target + 2) / 3 * 3) } else { #expect(reader.isDamaged) }
        }
        var bytes = sound
        bytes[3000] ^= 1
        let reader = try BCSVReader(try BCSVFile(MappedFile(bytes, named: "x")))
        reader.seek(toAtLeast: 60000, in: 0)
        while reader.next(), reader.rows.bits(0) < 60000 {}
        #expect(reader.faults.isEmpty && reader.rows.bits(0) == 60000)
    }

    /// Rows of a run's polled file as record batches from a tick on; nil with an error.
    static func arrowRows(_ run: String, from tick: UInt64) -> Int? {
        var config = ticklog_arrow_config()
        config.size = UInt32(MemoryLayout<ticklog_arrow_config>.size)
        config.from_tick = tick
        var stream = ArrowArrayStream()
        guard ticklog_arrow_open(run, &config, &stream) == TICKLOG_OK else { return nil }
        defer { stream.release(&stream) }
        var rows = 0
        while true {
            var batch = ArrowArray()
            guard stream.get_next(&stream, &batch) == 0 else { return nil }
            guard let release = batch.release else { return rows }
            rows += Int(batch.length)
            release(&batch)
        }
    }

    @Test(arguments: [true, false]) func `record batches of a run from a tick on do not see what is before`(_ isOneFile: Bool) throws {
        let run = NSTemporaryDirectory() + "ticklog-seek-\(ProcessInfo.processInfo.processIdentifier)-\(isOneFile)"
        try? FileManager.default.removeItem(atPath: run)
        try FileManager.default.copyItem(atPath: Vectors.root + "/runs/format-1/rolled", toPath: run)
        defer { try? FileManager.default.removeItem(atPath: run) }
        if isOneFile { try FileManager.default.removeItem(atPath: run + "/polled.1.bcsv") }
        let sound = try #require(Self.arrowRows(run, from: 60))
        #expect(sound > 3)
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: run + "/polled.bcsv")))
        bytes[bytes.count / 4] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: run + "/polled.bcsv"))
        #expect(Self.arrowRows(run, from: 0) == nil)
        #expect(Self.arrowRows(run, from: 60) == sound)
    }
}
