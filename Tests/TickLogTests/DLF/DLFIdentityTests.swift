import CTickLog
import Foundation
import Testing

/// Runs of dlflib's real encoder, made again: the same streams, values and ticks give the same bytes.
///
/// Four things differ on purpose, because dlflib is wrong there (spec DLF, sections 3, 4, 6):
/// - Interval 0 is stored as 1: dlflib's own readers divide by it.
/// - Watched streams are compared by their bytes: dlflib compares FNV hashes, which never logs bytes that hash to 0 and
///   misses a change to bytes of the same hash. No vector here has such bytes.
/// - A change that finds the buffer full is declared lost: dlflib logs it later, under a later tick.
/// - tick_span is 0 before the first flush: dlflib's is whatever lay on the stack (`real_crash`, not compared).
@Suite struct DLFIdentityTests {
    /// But for the one that crashed: there is nothing to stop, and its vector tells some of its samples only.
    static let runs = Vectors.names(in: "dlf").filter { $0.hasPrefix("real_") && $0 != "real_crash" }

    static let types: [String: UInt32] = [
        "bool": TICKLOG_BOOL, "uint8_t": TICKLOG_U8, "uint16_t": TICKLOG_U16, "uint32_t": TICKLOG_U32, "uint64_t": TICKLOG_U64,
        "int8_t": TICKLOG_I8, "int16_t": TICKLOG_I16, "int32_t": TICKLOG_I32, "int64_t": TICKLOG_I64, "float": TICKLOG_F32,
        "double": TICKLOG_F64,
    ]

    static func bytes(hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).map { i in
            let start = hex.index(hex.startIndex, offsetBy: i)
            return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)!
        }
    }

    /// A type string's name and members.
    static func members(_ structure: String, _ recorder: Recorder) -> (name: String, fields: [ticklog_field]) {
        let parts = structure.split(separator: ";").map(String.init)
        return (parts[0], parts.dropFirst().map { part in
            let member = part.split(separator: ":").map(String.init)
            return recorder.field(member[0], types[member[1]]!, at: Int(member[2])!)
        })
    }

    @Test(arguments: runs) func `the run of dlflib's encoder comes out byte for byte`(_ name: String) throws {
        let recorder = try Recorder()
        let expected = try Vectors.json("dlf/\(name)/expected.json")
        let meta = expected["meta"] as! [String: Any]
        let tickNanoseconds = UInt64(meta["tick_base_us"] as! Int) * 1000

        // What each stream's source holds at each tick, if the vector says.
        var values: [(source: UnsafeMutableRawPointer, ticks: [Int: [UInt8]])] = []
        var span = 0
        for (part, kind) in [("polled", TICKLOG_POLL), ("event", TICKLOG_WATCH)] {
            let file = expected[part] as! [String: Any]
            span = file["tick_span"] as! Int
            let samples = file["samples"] as! [[String: Any]]
            try #require(samples.count == (file["check"] as! [String: Any])["complete_samples"] as! Int)
            for (index, stream) in (file["streams"] as! [[String: Any]]).enumerated() {
                let structure = stream["type_structure"] as! String
                let size = stream["type_size"] as! Int
                let source = recorder.allocate(size)
                var ticks: [Int: [UInt8]] = [:]
                for sample in samples where sample["i"] as! Int == index {
                    ticks[sample["tick"] as! Int] = Self.bytes(hex: sample["hex"] as! String)
                }
                values.append((source, ticks))
                let type = structure.hasPrefix("!") ? TICKLOG_OPAQUE : Self.types[structure] ?? TICKLOG_U8
                try recorder.add(stream["id"] as! String, kind, type: type, source: source) { config in
                    let notes = stream["notes"] as! String
                    config.notes = notes.isEmpty ? nil : UnsafePointer(recorder.text(notes))
                    config.source_size = UInt32(size)
                    if structure.hasPrefix("!") {
                        config.type_name = UnsafePointer(recorder.text(String(structure.dropFirst())))
                    } else if Self.types[structure] == nil {
                        let (name, fields) = Self.members(structure, recorder)
                        config.type_name = UnsafePointer(recorder.text(name))
                        config.field_count = UInt32(fields.count)
                        config.fields = recorder.fields(fields)
                    }
                    if kind == TICKLOG_POLL {
                        config.interval_ns = UInt64(stream["tick_interval"] as! Int) * tickNanoseconds
                        config.phase_ns = UInt64(stream["tick_phase"] as! Int) * tickNanoseconds
                    }
                }
            }
        }

        let metadata = Self.bytes(hex: meta["meta_hex"] as! String)
        let structure = Self.members(meta["meta_structure"] as! String, recorder)
        let copy = recorder.allocate(metadata.count)
        copy.copyMemory(from: metadata, byteCount: metadata.count)
        let run = try recorder.start("run") {
            $0.format = UInt8(TICKLOG_DLF)
            $0.tick_ns = tickNanoseconds
            $0.epoch_ns = Int64(meta["epoch_time_s"] as! Int) * 1_000_000_000 + 123_456_789
            $0.metadata = UnsafeRawPointer(copy)
            $0.metadata_size = UInt32(metadata.count)
            $0.metadata_field_count = UInt32(structure.fields.count)
            $0.metadata_fields = structure.fields.isEmpty ? nil : recorder.fields(structure.fields)
            $0.metadata_type_name = UnsafePointer(recorder.text(structure.name))
        }
        for tick in 0...span {
            for (source, ticks) in values {
                if let bytes = ticks[tick] { source.copyMemory(from: bytes, byteCount: bytes.count) }
            }
            #expect(ticklog_tick(run, 1) == TICKLOG_OK)
            #expect(ticklog_service(run) == TICKLOG_OK)
        }
        #expect(recorder.stop(run) == TICKLOG_OK)

        for file in ["meta.dlf", "polled.dlf", "event.dlf"] {
            var reference = try Vectors.bytes("dlf/\(name)/\(file)")
            if file == "polled.dlf" { Self.mendIntervals(&reference, expected["polled"] as! [String: Any]) }
            let written = try recorder.bytes("run", file)
            #expect(written == reference, "\(file)")
        }
        // No losses, and no LOCK.
        #expect(try recorder.read("run").losses().isEmpty)
    }

    /// Interval 0 becomes 1, what it means.
    static func mendIntervals(_ bytes: inout [UInt8], _ file: [String: Any]) {
        var at = 13
        for stream in file["streams"] as! [[String: Any]] {
            for key in ["type_structure", "id", "notes"] { at += (stream[key] as! String).utf8.count + 1 }
            at += 4
            if stream["tick_interval"] as! Int == 0 { bytes[at] = 1 }
            at += 16
        }
    }

    @Test func `a change of bytes is an event even where dlflib's hash is 0`() throws {
        // FNV-1 of these is 0, which dlflib takes for what it logged last.
        let bytes: [UInt8] = [0x01, 0x47, 0x6C, 0x10, 0xF3]
        var hash: UInt32 = 0x811C_9DC5
        for byte in bytes { hash = hash &* 0x0100_0193 ^ UInt32(byte) }
        #expect(hash == 0)
        let recorder = try Recorder()
        let source = recorder.allocate(5)
        source.copyMemory(from: bytes, byteCount: 5)
        try recorder.add("blob", TICKLOG_WATCH, type: TICKLOG_OPAQUE, source: source) { $0.source_size = 5 }
        let run = try recorder.start("run") { $0.format = UInt8(TICKLOG_DLF) }
        #expect(ticklog_tick(run, 1) == TICKLOG_OK)
        #expect(recorder.stop(run) == TICKLOG_OK)
        #expect(try recorder.bytes("run", "event.dlf").suffix(15) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + bytes)
    }

    // MARK: dlflib's encoder, in a few lines

    /// A stream's header. Phases stand there as they were asked for, also above the interval.
    static func header(_ name: String, _ type: String, size: Int, _ schedule: (interval: Int, phase: Int)?) -> [UInt8] {
        var bytes = Array(type.utf8) + [0] + Array(name.utf8) + [0, 0]
        add(size, 4, to: &bytes)
        if let schedule {
            add(schedule.interval, 8, to: &bytes)
            add(schedule.phase, 8, to: &bytes)
        }
        return bytes
    }

    static func add(_ value: Int, _ size: Int, to bytes: inout [UInt8]) {
        for i in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
    }

    static func start(isEvents: Bool, span: Int, streams: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x14, 0x84, isEvents ? 1 : 0]
        add(span, 8, to: &bytes)
        add(streams, 2, to: &bytes)
        return bytes
    }

    @Test func `phases, also beyond the interval, come out as dlflib's`() throws {
        // In ticks. What is no whole tick dlflib cuts; here it is refused.
        let schedules: [(interval: Int, phase: Int)] = [
            (1, 0), (2, 1), (5, 2), (5, 7), (3, 0), (4, 3), (1, 3), (7, 700), (100, 5), (100, 39),
        ]
        let recorder = try Recorder()
        var sources: [UnsafeMutableRawPointer] = []
        for (i, schedule) in schedules.enumerated() {
            sources.append(recorder.allocate(4))
            try recorder.add("s\(i)", TICKLOG_POLL, type: TICKLOG_U32, source: sources[i]) {
                $0.interval_ns = UInt64(schedule.interval) * 1_000_000
                $0.phase_ns = UInt64(schedule.phase) * 1_000_000
            }
        }
        let span = 60
        let run = try recorder.start("run") { $0.format = UInt8(TICKLOG_DLF) }
        var expected = Self.start(isEvents: false, span: span, streams: schedules.count)
        for (i, schedule) in schedules.enumerated() { expected += Self.header("s\(i)", "uint32_t", size: 4, schedule) }
        for tick in 0...span {
            for (i, schedule) in schedules.enumerated() {
                let value = tick * 1000 + i
                sources[i].storeBytes(of: UInt32(value), as: UInt32.self)
                if (tick + schedule.phase) % schedule.interval == 0 { Self.add(value, 4, to: &expected) }
            }
            #expect(ticklog_tick(run, 1) == TICKLOG_OK)
            #expect(ticklog_service(run) == TICKLOG_OK)
        }
        #expect(recorder.stop(run) == TICKLOG_OK)
        let written = try recorder.bytes("run", "polled.dlf")
        #expect(written == expected)
    }

    @Test func `every change of bytes is an event, also those that dlflib's hash does not see`() throws {
        let zero: [UInt8] = [0x01, 0x47, 0x6C, 0x10, 0xF3]
        let (a, b) = (Self.bytes(hex: "56708ccfd6"), Self.bytes(hex: "ba18997787"))
        func hash(_ bytes: [UInt8]) -> UInt32 {
            var hash: UInt32 = 0x811C_9DC5
            for byte in bytes { hash = hash &* 0x0100_0193 ^ UInt32(byte) }
            return hash
        }
        #expect(hash(zero) == 0 && hash(a) == hash(b) && a != b)
        let plain: [UInt8] = [1, 2, 3, 4, 5]
        let values = [zero, zero, a, b, b, plain, zero, a, a, b, a, plain]

        let recorder = try Recorder()
        let source = recorder.allocate(5)
        try recorder.add("blob", TICKLOG_WATCH, type: TICKLOG_OPAQUE, source: source) { $0.source_size = 5 }
        let run = try recorder.start("run") { $0.format = UInt8(TICKLOG_DLF) }
        var (own, dlflib): ([[UInt8]], [[UInt8]]) = ([], [])
        var last: [UInt8]?
        var lastHash: UInt32 = 0
        for (tick, value) in values.enumerated() {
            var record: [UInt8] = [0, 0]
            Self.add(tick, 8, to: &record)
            record += value
            if last != value { own.append(record) }
            if lastHash != hash(value) { dlflib.append(record) }
            (last, lastHash) = (value, hash(value))
            source.copyMemory(from: value, byteCount: 5)
            #expect(ticklog_tick(run, 1) == TICKLOG_OK)
        }
        #expect(recorder.stop(run) == TICKLOG_OK)
        let written = try recorder.bytes("run", "event.dlf")
        #expect(written.suffix(15 * own.count) == own.flatMap { $0 }[...])
        // Nine changes with the first value, of which dlflib would have missed the first and three of a to b and back.
        #expect(own.count == 9 && dlflib.count == 5)
        #expect(own.filter { dlflib.contains($0) } == dlflib)
    }
}
