import CTickLog
import Foundation
import Testing

/// A kind of record as a C program would describe it: version 1 { u16 celsius }, version 2 { i32 millikelvin; u32 sensor },
/// version 3 the same with a list of samples behind it.
private struct Reading {
    var millikelvin: Int32 = 0
    var sensor: UInt32 = 0
    var count: UInt32 = 0
    var samples: (UInt16, UInt16, UInt16, UInt16) = (0, 0, 0, 0)
}

private let magic: UInt16 = 0x7452

/// Descriptions that stay where they are.
private final class Kinds {
    let forms = UnsafeMutablePointer<ticklog_record_form>.allocate(capacity: 3)
    let fields = UnsafeMutablePointer<ticklog_field>.allocate(capacity: 4)
    let kind = UnsafeMutablePointer<ticklog_record_kind>.allocate(capacity: 2)
    let names: [UnsafeMutablePointer<CChar>?] = (["millikelvin", "sensor", "count", "samples", "reading"] as [String]).map { strdup($0) }

    init() {
        forms.initialize(to: ticklog_record_form(version: 1, reserved: 0, bytes: 2, measure: nil) { _, payload, bytes, record in
            guard bytes == 2, let payload, let record else { return TICKLOG_BAD_SIZE }
            let celsius = Int32(payload.loadUnaligned(as: UInt16.self))
            record.storeBytes(of: celsius * 1000 + 273_150, as: Int32.self)
            return TICKLOG_OK
        })
        (forms + 1).initialize(to: ticklog_record_form(version: 2, reserved: 0, bytes: 8, measure: nil, upconvert: nil))
        (forms + 2).initialize(
            to: ticklog_record_form(
                version: 3, reserved: 0, bytes: 12,
                measure: { _, payload in
                    let count = payload!.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
                    return count <= 4 ? 12 + 2 * count : 0
                },
                upconvert: { _, payload, bytes, record in
                    record!.copyMemory(from: payload!, byteCount: Int(bytes))
                    return TICKLOG_OK
                }))
        let types = [TICKLOG_I32, TICKLOG_U32, TICKLOG_U32, TICKLOG_U16]
        for i in 0..<4 {
            (fields + i).initialize(
                to: ticklog_field(
                    name: names[i], unit: nil, type: UInt16(types[i]), count: i == 3 ? 4 : 1, offset: UInt32(4 * i), size: i == 3 ? 8 : 4))
        }
        kind.initialize(
            to: ticklog_record_kind(
                size: UInt32(MemoryLayout<ticklog_record_kind>.size), magic: magic, version: 3, name: names[4],
                record_bytes: UInt32(MemoryLayout<Reading>.size), form_count: 3, forms: forms,
                store: { _, record, payload, room in
                    let count = record!.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
                    guard count <= 4 else { return 0 }
                    if 12 + 2 * count <= room { payload!.copyMemory(from: record!, byteCount: Int(12 + 2 * count)) }
                    return 12 + 2 * count
                }, context: nil, most_bytes: 0, field_count: 4, fields: fields))
        (kind + 1).initialize(to: kind.pointee)
    }

    deinit {
        forms.deallocate()
        fields.deallocate()
        kind.deallocate()
        for name in names { free(name) }
    }

    func read(_ bytes: [UInt8]) -> [Reading]? {
        var readings: [Reading] = []
        var at = 0
        while at < bytes.count {
            var needed = 0
            var record = ticklog_record()
            var reading = Reading()
            let isRead = bytes.withUnsafeBytes {
                ticklog_record_next(kind, 1, $0.baseAddress! + at, bytes.count - at, &needed, &record) == TICKLOG_OK
                    && ticklog_record_read(kind, &record, &reading, MemoryLayout<Reading>.size) == TICKLOG_OK
            }
            guard isRead else { return nil }
            readings.append(reading)
            at += Int(record.bytes)
        }
        return readings
    }

    func write(_ reading: Reading) -> [UInt8] {
        var reading = reading
        var out = [UInt8](repeating: 0, count: 64)
        var bytes = 0
        #expect(ticklog_record_write(kind, &reading, &out, out.count, &bytes) == TICKLOG_OK)
        return Array(out[..<bytes])
    }
}

@Suite struct RecordTests {
    @Test func `a record has the bytes that are written down`() {
        let kinds = Kinds()
        let bytes = kinds.write(Reading(millikelvin: 300_000, sensor: 7, count: 1, samples: (5, 0, 0, 0)))
        let payload: [UInt8] = [0xE0, 0x93, 4, 0, 7, 0, 0, 0, 1, 0, 0, 0, 5, 0]
        // Adler-32 by hand: 1 and the bytes are 0x185; the sums of that are 0x1268.
        var low = 1, high = 0
        for byte in payload {
            low += Int(byte)
            high += low
        }
        #expect(bytes == [0x52, 0x74, 3, 0] + payload + [UInt8(low & 255), UInt8(low >> 8), UInt8(high & 255), UInt8(high >> 8)])
    }

    @Test func `records of all versions are read as the newest`() throws {
        let kinds = Kinds()
        #expect(ticklog_record_check(kinds.kind, 1) == TICKLOG_OK)
        let newest = Reading(millikelvin: -5, sensor: 9, count: 3, samples: (1, 2, 3, 0))
        let bytes = RNOGTests.framed(magic, 1, [25, 0]) + RNOGTests.framed(magic, 2, [1, 0, 0, 0, 2, 0, 0, 0]) + kinds.write(newest)
        let readings = try #require(kinds.read(bytes))
        #expect(readings.map { $0.millikelvin } == [298_150, 1, -5])
        #expect(readings.map { $0.sensor } == [0, 2, 9])
        #expect(readings.map { $0.count } == [0, 0, 3])
        #expect(readings[2].samples.2 == 3 && readings[1].samples.0 == 0)
    }

    @Test func `every bit and every cut is noticed`() {
        let kinds = Kinds()
        let bytes = kinds.write(Reading(millikelvin: 1, sensor: 2, count: 4, samples: (9, 8, 7, 6)))
        for bit in 0..<8 * bytes.count {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            #expect(kinds.read(damaged) == nil, "bit \(bit)")
        }
        for count in 1..<bytes.count {
            var needed = 0
            var record = ticklog_record()
            let status = bytes.withUnsafeBytes { ticklog_record_next(kinds.kind, 1, $0.baseAddress, count, &needed, &record) }
            #expect(status == TICKLOG_END && needed > count && needed <= bytes.count)
        }
        var needed = 0
        var record = ticklog_record()
        func status(_ bytes: [UInt8]) -> Int32 { bytes.withUnsafeBytes { ticklog_record_next(kinds.kind, 1, $0.baseAddress, bytes.count, &needed, &record) } }
        #expect(status([0x53, 0x74, 3, 0]) == TICKLOG_WRONG_FORMAT)
        #expect(status([0x52, 0x74, 9, 0]) == TICKLOG_UNSUPPORTED)
        #expect(status([0x52, 0x74, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]) == TICKLOG_DAMAGED)
    }

    @Test func `two sizes of one version are told apart by the checksum`() throws {
        let kinds = Kinds()
        let forms = UnsafeMutablePointer<ticklog_record_form>.allocate(capacity: 2)
        defer { forms.deallocate() }
        forms.initialize(to: ticklog_record_form(version: 3, reserved: 0, bytes: 4, measure: nil, upconvert: nil))
        (forms + 1).initialize(to: ticklog_record_form(version: 3, reserved: 0, bytes: 8, measure: nil, upconvert: nil))
        kinds.kind.pointee.forms = UnsafePointer(forms)
        kinds.kind.pointee.form_count = 2
        #expect(ticklog_record_check(kinds.kind, 1) == TICKLOG_OK)
        let readings = try #require(kinds.read(RNOGTests.framed(magic, 3, [1, 0, 0, 0]) + RNOGTests.framed(magic, 3, [2, 0, 0, 0, 3, 0, 0, 0])))
        #expect(readings.map { $0.millikelvin } == [1, 2] && readings.map { $0.sensor } == [0, 3])
    }

    @Test func `wrong descriptions are refused`() {
        func status(_ change: (Kinds) -> Void) -> Int32 {
            let kinds = Kinds()
            change(kinds)
            return ticklog_record_check(kinds.kind, 1)
        }
        #expect(ticklog_record_check(nil, 1) == TICKLOG_NULL)
        #expect(status { $0.kind.pointee.size = 1 } == TICKLOG_BAD_SIZE)
        #expect(status { $0.kind.pointee.name = nil } == TICKLOG_NULL)
        #expect(status { $0.kind.pointee.version = 4 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { $0.forms[1].bytes = 21 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { $0.forms[2].upconvert = nil } == TICKLOG_NULL)
        #expect(status { $0.forms[1].version = 1; $0.forms[1].bytes = 2 } == TICKLOG_BAD_ARGUMENT)
        #expect(status { $0.fields[3].offset = 16 } == TICKLOG_BAD_FIELD)
        let kinds = Kinds()
        #expect(ticklog_record_check(kinds.kind, 2) == TICKLOG_DUPLICATE_NAME)
        var reading = Reading(count: 5)
        var out = [UInt8](repeating: 0, count: 64)
        var bytes = 0
        #expect(ticklog_record_write(kinds.kind, &reading, &out, 64, &bytes) == TICKLOG_BAD_ARGUMENT)
        reading.count = 4
        #expect(ticklog_record_write(kinds.kind, &reading, &out, 27, &bytes) == TICKLOG_NO_MEMORY)
        #expect(ticklog_record_write(kinds.kind, &reading, &out, 28, &bytes) == TICKLOG_OK && bytes == 28)
    }

    @Test func `records become the rows of a table`() throws {
        let kinds = Kinds()
        let path = NSTemporaryDirectory() + "records-\(UUID().uuidString).bcsv"
        defer { unlink(path) }
        var config = ticklog_table_config()
        config.size = UInt32(MemoryLayout<ticklog_table_config>.size)
        config.storage = ticklog_posix_storage()
        #expect(ticklog_record_table(kinds.kind, &config) == TICKLOG_OK)
        let size = ticklog_table_size(&config)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        defer { memory.deallocate() }
        var table: OpaquePointer?
        try #require(ticklog_table_create(&config, path, memory, size, &table) == TICKLOG_OK)
        let bytes = RNOGTests.framed(magic, 1, [25, 0]) + kinds.write(Reading(millikelvin: 3, sensor: 4, count: 2, samples: (5, 6, 0, 0)))
        for reading in try #require(kinds.read(bytes)) {
            var reading = reading
            #expect(ticklog_write_row(table, &reading) == TICKLOG_OK)
        }
        try #require(ticklog_table_close(table) == TICKLOG_OK)
        var reader: OpaquePointer?
        try #require(ticklog_reader_open_path(path, 0, &reader) == TICKLOG_OK)
        defer { ticklog_reader_close(reader) }
        #expect(ticklog_reader_columns(reader) == 7)
        var rows: [[UInt32]] = []
        while ticklog_reader_next(reader) == TICKLOG_OK {
            rows.append((0..<3).map { ticklog_reader_value(reader, $0).loadUnaligned(as: UInt32.self) }
                + (3..<7).map { UInt32(ticklog_reader_value(reader, $0).loadUnaligned(as: UInt16.self)) })
        }
        #expect(rows == [[298_150, 0, 0, 0, 0, 0, 0], [3, 4, 2, 5, 6, 0, 0]])
    }
}
