import CTickLog
import Foundation
import Testing
@testable import TickLogHost

/// Runs of the logger, of random streams and with random losses, converted both ways.
@Suite struct RunConversionTests {
    private static let types: [(UInt32, Int)] = [
        (TICKLOG_BOOL, 1), (TICKLOG_U8, 1), (TICKLOG_U16, 2), (TICKLOG_U32, 4), (TICKLOG_U64, 8), (TICKLOG_I8, 1), (TICKLOG_I16, 2),
        (TICKLOG_I32, 4), (TICKLOG_I64, 8), (TICKLOG_F32, 4), (TICKLOG_F64, 8),
    ]

    private struct Source {
        let memory: UnsafeMutableRawPointer
        let size: Int
        /// Offsets of bools, which are 0 or 1.
        let bools: [Int]
    }

    private func record(_ recorder: Recorder, _ name: String, isDLF: Bool, _ random: inout SeededRandom) throws {
        var sources: [Source] = []
        var handles: [OpaquePointer] = []
        let tickNs: UInt64 = 1_000_000
        for i in 0..<random.below(9) {
            let kind = random.pick([TICKLOG_POLL, TICKLOG_POLL, TICKLOG_WATCH, TICKLOG_EMIT])
            var fields: [ticklog_field] = []
            var bools: [Int] = []
            var size = 0
            let isSingle = random.chance(1, in: 2)
            let (single, singleSize) = random.pick(Self.types)
            if isSingle {
                size = singleSize
                if single == TICKLOG_BOOL { bools = [0] }
            } else {
                for k in 0...random.below(5) {
                    let (type, bytes) = random.pick(Self.types)
                    size = (size + bytes - 1) / bytes * bytes
                    if type == TICKLOG_BOOL { bools.append(size) }
                    fields.append(recorder.field("f\(k)", type, at: size))
                    size += bytes
                }
                size += random.below(4)
            }
            let memory = recorder.allocate(size)
            let list = recorder.fields(fields)
            let (interval, phase) = (UInt64(random.below(6)), UInt64(random.below(9)))
            let handle = try recorder.add("s\(i)", kind, type: isSingle ? single : TICKLOG_U8, source: kind == TICKLOG_EMIT ? nil : UnsafeRawPointer(memory)) {
                if !isSingle {
                    $0.fields = list
                    $0.field_count = UInt32(fields.count)
                }
                $0.source_size = UInt32(size)
                if kind == TICKLOG_POLL {
                    $0.interval_ns = interval * tickNs
                    $0.phase_ns = phase * tickNs
                }
            }
            sources.append(Source(memory: memory, size: size, bools: bools))
            if kind == TICKLOG_EMIT { handles.append(handle) } else { handles.append(handle) }
        }
        let run = try recorder.start(name) {
            $0.format = UInt8(isDLF ? TICKLOG_DLF : TICKLOG_BCSV)
            $0.tick_ns = tickNs
            $0.epoch_ns = 1_700_000_000_123_456_789
        }
        for _ in 0..<random.below(60) {
            for source in sources where random.chance(1, in: 2) {
                // Padding as well.
                for i in 0..<source.size { source.memory.storeBytes(of: UInt8(random.below(256)), toByteOffset: i, as: UInt8.self) }
                for at in source.bools { source.memory.storeBytes(of: UInt8(random.below(2)), toByteOffset: at, as: UInt8.self) }
            }
            // Ticks that are skipped are lost.
            _ = ticklog_tick(run, random.chance(1, in: 6) ? UInt32(2 + random.below(5)) : 1)
            _ = ticklog_service(run)
        }
        #expect(recorder.stop(run) == TICKLOG_OK)
    }

    private func open(_ path: String) throws -> StoredRun { try StoredRun(try Run(try #require(try RunDirectory(path)))) }

    private func convert(_ from: String, to path: String, isDLF: Bool) throws {
        let source = try open(from)
        let run = try NewRun(path, replacing: false)
        if isDLF {
            try DLFRunWriter(source, run).write()
        } else {
            try BCSVRunWriter(source, run, BCSVOptions()).write()
        }
        try run.commit()
    }

    private func difference(_ a: String, _ b: String) throws -> String {
        let comparison = RunComparison(try open(a), try open(b), tolerance: nil)
        try comparison.run()
        return (comparison.parts + comparison.metadata + comparison.streams + comparison.losses + comparison.padding).joined(separator: "; ")
    }

    private func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    @Test(arguments: [true, false]) func `runs of the logger, both ways`(_ isDLF: Bool) throws {
        var random = SeededRandom()
        let seed = random.seed
        for round in 0..<12 {
            let recorder = try Recorder()
            try record(recorder, "origin", isDLF: isDLF, &random)
            let (origin, there, back) = (recorder.root + "/origin", recorder.root + "/there", recorder.root + "/back")
            try convert(origin, to: there, isDLF: !isDLF)
            try convert(there, to: back, isDLF: isDLF)
            let label: Comment = "seed \(seed), round \(round)"
            for (a, b) in [(origin, there), (there, back), (origin, back)] {
                let found = try difference(a, b)
                #expect(found == "", label)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: recorder.root).sorted() == ["back", "origin", "there"], label)
            guard isDLF else { continue }
            for file in ["meta.dlf", "polled.dlf", "event.dlf", "loss.dlf"] {
                #expect(try bytes(origin + "/" + file) == bytes(back + "/" + file), "\(file), seed \(seed), round \(round)")
            }
        }
    }

    @Test func `streams of one name, and names that columns cannot have, come back`() throws {
        let recorder = try Recorder()
        let origin = recorder.root + "/origin"
        try FileManager.default.createDirectory(atPath: origin, withIntermediateDirectories: true)
        func number<N: FixedWidthInteger>(_ number: N) -> Data { withUnsafeBytes(of: number.littleEndian) { Data($0) } }
        func header(_ isEvents: Bool, _ streams: [(type: String, name: [UInt8], size: Int)]) -> Data {
            var data = number(UInt16(0x8414))
            data += [isEvents ? 1 : 0]
            data += number(UInt64(1))
            data += number(UInt16(streams.count))
            for stream in streams {
                data += Data((stream.type + "\0").utf8)
                data += Data(stream.name + [0])
                data += Data("N/A\0".utf8)
                data += number(UInt32(stream.size))
                // A phase that exceeds the interval.
                if !isEvents {
                    data += number(UInt64(1))
                    data += number(UInt64(7))
                }
            }
            return data
        }
        let name = Array("a".utf8)
        let polled: [(String, [UInt8], Int)] = [
            ("uint8_t", name, 1), ("uint8_t", name, 1), ("t;b:uint8_t:1;b:bool:0", name, 3), ("uint8_t", Array("a.b".utf8), 1),
            ("uint8_t", Array("tick".utf8), 1), ("uint8_t", [], 1), ("!x", [0xFF, 0xC3], 2), ("word", Array("ticklog.loss".utf8), 1),
        ]
        let events: [(String, [UInt8], Int)] = [("uint8_t", name, 1), ("uint8_t", name, 1), ("none", Array("e".utf8), 0)]
        var meta = number(UInt16(0x8414)) + number(UInt32(5)) + number(UInt32(1000))
        meta += Data("!m\0".utf8)
        meta += number(UInt32(2))
        meta += [1, 2]
        try meta.write(to: URL(fileURLWithPath: origin + "/meta.dlf"))
        // Two ticks. The bool is 2, then 1, and the third byte padding.
        let data = Data([1, 2, 2, 4, 9, 5, 6, 7, 0xAB, 0xCD, 8]) + Data([1, 2, 1, 4, 9, 5, 6, 7, 0xAB, 0xCD, 8])
        try (header(false, polled) + data).write(to: URL(fileURLWithPath: origin + "/polled.dlf"))
        var records = header(true, events)
        for (stream, tick, value) in [(0, 0, [1]), (1, 0, [2]), (2, 0, []), (1, 1, [3])] as [(UInt16, UInt64, [UInt8])] {
            records += number(stream)
            records += number(tick)
            records += value
        }
        try records.write(to: URL(fileURLWithPath: origin + "/event.dlf"))

        try convert(origin, to: recorder.root + "/there", isDLF: false)
        try convert(recorder.root + "/there", to: recorder.root + "/back", isDLF: true)
        #expect(try difference(origin, recorder.root + "/there") == "")
        for file in ["meta.dlf", "polled.dlf", "event.dlf"] {
            #expect(try bytes(origin + "/" + file) == bytes(recorder.root + "/back/" + file), "\(file)")
        }
        let run = try Run(try #require(try RunDirectory(recorder.root + "/there")))
        #expect(run.streams.map(\.name).count == polled.count + events.count + 3)
        #expect(Set(run.streams.map(\.name)).count == run.streams.count)
        // Padding that differs is found.
        var changed = header(false, polled) + data
        changed[changed.count - 7] ^= 1
        try changed.write(to: URL(fileURLWithPath: origin + "/polled.dlf"))
        #expect(try difference(origin, recorder.root + "/there").hasPrefix("padding"))
    }
}
