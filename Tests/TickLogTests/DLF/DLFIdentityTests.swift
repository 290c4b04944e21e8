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
}
