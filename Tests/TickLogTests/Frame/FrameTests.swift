import CTickLog
import Foundation
import Testing
import TickLog

@Suite struct FrameTests {
    /// All frames of a stream of bytes that comes in parts, by the C functions.
    static func scan(_ bytes: [UInt8], parts: (Int) -> Int) throws -> (frames: [ticklog_frame], counts: ticklog_scan_counts, rest: Int) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: ticklog_scanner_size(), alignment: 8)
        defer { memory.deallocate() }
        var scanner: OpaquePointer?
        try #require(ticklog_scanner_create(0, memory, ticklog_scanner_size(), &scanner) == TICKLOG_OK)
        var frames: [ticklog_frame] = []
        var shown = 0
        var done = 0
        var needed = 0
        while true {
            var consumed = 0
            var frame = ticklog_frame()
            let status = bytes.withUnsafeBytes {
                ticklog_scan(scanner, $0.baseAddress! + done, shown - done, &consumed, &needed, &frame)
            }
            done += consumed
            if status == TICKLOG_OK {
                frames.append(frame)
                continue
            }
            #expect(status == TICKLOG_END)
            #expect(needed > shown - done)
            if shown == bytes.count { break }
            shown = min(bytes.count, shown + parts(shown))
        }
        var counts = ticklog_scan_counts()
        counts.size = UInt32(MemoryLayout<ticklog_scan_counts>.size)
        #expect(ticklog_scanner_counts(scanner, &counts) == TICKLOG_OK)
        return (frames, counts, bytes.count - done)
    }

    static func vectors() throws -> [[String: Any]] {
        let all = try JSONSerialization.jsonObject(with: Data(try Vectors.bytes("stream/expected.json"))) as! [[String: Any]]
        return all.filter { $0["expect"] != nil }
    }

    @Test func `the vectors' frames are found, whatever the parts they come in`() throws {
        for vector in try Self.vectors() {
            let name = vector["name"] as! String
            let expected = vector["expect"] as! [String: Any]
            let sequences = (expected["valid_seq"] ?? expected["valid_seq_if_skipping_whole_frame"]) as! [Int]
            let bytes = try Vectors.bytes("stream/\(name).bin")
            var first: ticklog_scan_counts?
            for size in 1...bytes.count {
                let found = try Self.scan(bytes) { _ in size }
                // The scanner does not look at numbers: what comes twice is found twice.
                var kept = found.frames.map { Int($0.sequence) }
                if name == "dup" { kept.remove(at: 1) }
                #expect(kept == sequences, "\(name) in parts of \(size)")
                #expect(found.counts.header_crc == UInt64(name == "garbage_between" ? 1 : expected["header_crc_errors"] as? Int ?? 0))
                #expect(found.counts.payload_crc == UInt64(expected["payload_crc_errors"] as? Int ?? (name == "frame_in_bad_payload" ? 1 : 0)))
                #expect(found.counts.length_errors == UInt64(expected["length_errors"] as? Int ?? 0))
                #expect((found.rest > 0) == (expected["incomplete_tail"] != nil))
                if let skipped = expected["bytes_skipped"] as? Int { #expect(found.counts.skipped_bytes == UInt64(skipped)) }
                if let first { #expect(found.counts.skipped_bytes == first.skipped_bytes) } else { first = found.counts }
            }
        }
    }

    @Test func `a frame that is built has the vector's bytes`() throws {
        var out = [UInt8](repeating: 0xEE, count: 64)
        var bytes = 0
        let payload = Array("hello".utf8)
        let status = payload.withUnsafeBytes { payload in
            var frame = ticklog_frame(
                sequence: 1, timestamp_ns: 0x0102_0304_0506_0708, payload: payload.baseAddress, payload_bytes: 5,
                flags: UInt16(TICKLOG_FRAME_PTP | TICKLOG_FRAME_FIRST_CHUNK), stream: 3, reserved: 0)
            #expect(ticklog_frame_build(&frame, &out, 44, &bytes) == TICKLOG_NO_MEMORY)
            return ticklog_frame_build(&frame, &out, out.count, &bytes)
        }
        #expect(status == TICKLOG_OK)
        #expect(try Array(out[..<bytes]) == Vectors.bytes("stream/one_hello.bin"))
        #expect(out[bytes] == 0xEE)
    }

    @Test func `every byte changed: the frame is found as it was, or not at all`() throws {
        let bytes = try Vectors.bytes("stream/clean5.bin")
        let whole = try Self.scan(bytes) { _ in bytes.count }.frames.map { [UInt64($0.payload_bytes), $0.sequence, $0.timestamp_ns] }
        for at in 0..<bytes.count {
            for flip: UInt8 in [1, 0x80, 0xFF] {
                var damaged = bytes
                damaged[at] ^= flip
                let found = try Self.scan(damaged) { _ in damaged.count }.frames.map { [UInt64($0.payload_bytes), $0.sequence, $0.timestamp_ns] }
                #expect(found.count == 4)
                for frame in found { #expect(whole.contains(frame)) }
            }
        }
    }

    @Test func `the instruction and the table tell the same as the definition`() throws {
        var random = SeededRandom()
        print("seed \(random.seed)")
        #expect(CRC32C().of(Array("123456789".utf8), 9) == 0xE306_9283)
        #expect(CRC32C(instruction: false).of(Array("123456789".utf8), 9) == 0xE306_9283)
        for _ in 0..<300 {
            let count = Int(random.next() % 7000)
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var crc: UInt32 = .max
            for byte in bytes {
                crc ^= UInt32(byte)
                for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
            }
            #expect(CRC32C().of(bytes, count) == ~crc)
            #expect(CRC32C(instruction: false).of(bytes, count) == ~crc)
            let half = count / 3
            let both = bytes.withUnsafeBytes { ticklog_crc32c(ticklog_crc32c(0, $0.baseAddress, half), $0.baseAddress! + half, count - half) }
            #expect(count == 0 || both == ~crc)
        }
    }

    @Test func `a chunk's header goes through, and one that contradicts itself does not`() {
        var payload = [UInt8](repeating: 7, count: 34)
        var chunk = ticklog_chunk(periodic: 9, index: 2, count: 3, bytes: 10, reserved: 0)
        #expect(ticklog_chunk_build(&chunk, &payload) == TICKLOG_OK)
        func read(_ payload: [UInt8], _ flags: UInt32) -> ticklog_chunk? {
            payload.withUnsafeBytes {
                var frame = ticklog_frame()
                frame.payload = $0.baseAddress
                frame.payload_bytes = UInt32(payload.count)
                frame.flags = UInt16(flags)
                var chunk = ticklog_chunk()
                return ticklog_chunk_read(&frame, &chunk) == TICKLOG_OK ? chunk : nil
            }
        }
        #expect(read(payload, TICKLOG_FRAME_LAST_CHUNK)?.periodic == 9)
        #expect(read(payload, TICKLOG_FRAME_LAST_CHUNK)?.bytes == 10)
        #expect(read(payload, 0) == nil)
        #expect(read(payload, TICKLOG_FRAME_FIRST_CHUNK) == nil)
        #expect(read(payload.dropLast(), TICKLOG_FRAME_LAST_CHUNK) == nil)
        #expect(read(Array(payload[..<23]), TICKLOG_FRAME_LAST_CHUNK) == nil)
        chunk.index = 3
        #expect(ticklog_chunk_build(&chunk, &payload) == TICKLOG_BAD_ARGUMENT)
    }
}

/// What SequenceTracker promises, told by keeping every number.
private struct SequenceModel {
    var expected: UInt64?
    var newest: UInt64 = 0
    var kept: Set<UInt64> = []
    var baseline: UInt64 = 0
    var lostBefore: UInt64 = 0
    let limit: UInt64

    init(limit: UInt64) { self.limit = limit }

    mutating func judge(_ sequence: UInt64, _ timestamp: UInt64, started: Bool) -> SequenceTracker.Verdict {
        guard let expected else {
            (self.expected, newest, kept, baseline) = (sequence + 1, timestamp, [sequence], sequence)
            return .next
        }
        if timestamp > newest, started || sequence < expected {
            lostBefore += missing
            (self.expected, newest, kept, baseline) = (sequence + 1, timestamp, [sequence], sequence)
            return .restart
        }
        if sequence >= expected {
            newest = max(newest, timestamp)
            self.expected = sequence + 1
            kept.insert(sequence)
            return sequence == expected ? .next : .gap
        }
        if kept.contains(sequence) || expected - sequence > limit || sequence + limit < baseline { return .duplicate }
        kept.insert(sequence)
        return .late
    }

    var lost: UInt64 { lostBefore + missing }

    private var missing: UInt64 { (baseline..<(expected ?? 0)).reduce(0) { kept.contains($1) ? $0 : $0 + 1 } }
}

@Suite struct SequenceTests {
    @Test func `what an archive brings of the time before a restart is no new frame`() {
        let ranges = UnsafeMutableBufferPointer<MissingRange>.allocate(capacity: 64)
        defer { ranges.deallocate() }
        var tracker = SequenceTracker(ranges: ranges, lateLimit: .max)
        func judge(_ sequence: UInt64, _ timestamp: UInt64) -> SequenceTracker.Verdict {
            tracker.judge(sequence: sequence, timestamp: timestamp, flags: sequence == 0 ? FrameHeader.producerStarted : 0)
        }
        for sequence: UInt64 in 0..<100 { #expect(judge(sequence, 1000 + sequence) == .next) }
        #expect(judge(0, 2000) == .restart)
        // The live frames go on from 1; the archive is still at 50.
        for step: UInt64 in 1..<50 {
            #expect(judge(50 + step, 1050 + step) == .duplicate)
            #expect(judge(step, 2000 + step) == .next)
        }
        // Then it brings what was live.
        #expect(judge(0, 2000) == .duplicate)
        #expect(judge(30, 2030) == .duplicate)
        #expect(tracker.counts.restarts == 1 && tracker.counts.gaps == 0 && tracker.counts.missing == 0)
        // Not even one that would fill a gap of the new count.
        #expect(judge(60, 2060) == .gap)
        #expect(judge(55, 1055) == .duplicate)
        #expect(judge(55, 2055) == .late)
        // A clock that is set back, behind everything so far, costs nothing that comes in order.
        #expect(judge(61, 900) == .next)
    }

    @Test func `a producer whose clock begins anew with it loses nothing`() {
        let ranges = UnsafeMutableBufferPointer<MissingRange>.allocate(capacity: 64)
        defer { ranges.deallocate() }
        // Nanoseconds since the start, or no time at all; the second time after a set clock.
        for (step, first) in [(10, 50), (0, 0), (10, 1_700_000_000_000_000_000)] as [(UInt64, UInt64)] {
            var tracker = SequenceTracker(ranges: ranges)
            func judge(_ sequence: UInt64, _ timestamp: UInt64) -> SequenceTracker.Verdict {
                tracker.judge(sequence: sequence, timestamp: timestamp, flags: sequence == 0 ? FrameHeader.producerStarted : 0)
            }
            for sequence: UInt64 in 0..<2000 {
                #expect(judge(sequence, first + step * sequence) == .next)
                // A network may bring it twice, soon.
                if sequence == 3, first < 100 { #expect(judge(0, first) == .duplicate) }
            }
            for start: UInt64 in 1...3 {
                // Without a time, no two beginnings differ: the second one is known by how late it comes.
                let again = step == 0 ? 0 : start
                #expect(judge(0, again) == .restart)
                #expect(judge(1, again + step) == .next)
                #expect(judge(3, again + 3 * step) == .gap)
                #expect(judge(2, again + 2 * step) == .late)
                for sequence: UInt64 in 4..<1100 { #expect(judge(sequence, again + step * sequence) == .next) }
                #expect(tracker.counts.restarts == start && tracker.counts.missing == 0)
            }
            #expect(tracker.counts.duplicates == (first < 100 ? 1 : 0))
        }
    }

    @Test func `late, lost, repeated and restarted frames are told as by keeping every number`() {
        var random = SeededRandom()
        print("seed \(random.seed)")
        for _ in 0..<60 {
            let limit = 1 + random.next() % 40
            let ranges = UnsafeMutableBufferPointer<MissingRange>.allocate(capacity: 64)
            defer { ranges.deallocate() }
            var tracker = SequenceTracker(ranges: ranges, lateLimit: limit)
            var model = SequenceModel(limit: limit)
            var at = random.next() % 50
            var time: UInt64 = 1000
            for _ in 0..<400 {
                var sequence = at
                var stamp = time
                var started = false
                switch random.next() % 20 {
                case 0..<3:
                    at += 1 + random.next() % 8
                    time += 10 * 9
                    sequence = at
                    stamp = time
                case 3..<9:
                    let back = random.next() % (limit + 5)
                    sequence = at > back ? at - back : 0
                    stamp = time > 10 * back ? time - 10 * back : 0
                case 9 where random.next() % 4 == 0:
                    at = random.next() % 30
                    time += 10_000
                    sequence = at
                    stamp = time
                    started = random.next() % 2 == 0
                default:
                    at += 1
                    time += 10
                    sequence = at
                    stamp = time
                }
                let flags = started ? FrameHeader.producerStarted : 0
                let expected = model.judge(sequence, stamp, started: started)
                let verdict = tracker.judge(sequence: sequence, timestamp: stamp, flags: flags)
                #expect(verdict == expected, "\(sequence) with limit \(limit), seed \(random.seed)")
            }
            #expect(tracker.counts.missing == model.lost, "seed \(random.seed)")
        }
    }

    @Test func `missing goes down when a late frame comes, and memory that is too small only forgets`() {
        let ranges = UnsafeMutableBufferPointer<MissingRange>.allocate(capacity: 2)
        defer { ranges.deallocate() }
        var tracker = SequenceTracker(ranges: ranges)
        func judge(_ sequence: UInt64) -> SequenceTracker.Verdict { tracker.judge(sequence: sequence, timestamp: 5, flags: 0) }
        #expect(judge(10) == .next)
        #expect(judge(13) == .gap)
        #expect(tracker.counts.missing == 2)
        #expect(judge(9) == .late)
        #expect(tracker.counts.missing == 2)
        #expect(judge(15) == .gap)
        #expect(judge(17) == .gap)
        #expect(tracker.counts.missing == 4)
        #expect(judge(11) == .duplicate)
        #expect(judge(16) == .late)
        #expect(judge(16) == .duplicate)
        #expect(tracker.counts.missing == 3)
        #expect(tracker.counts.gaps == 3)
    }
}

@Suite struct AssemblerTests {
    @Test func `chunks in any order make periodics, and the oldest is given up for a new one`() {
        let slots = UnsafeMutableBufferPointer<OpenPeriodic>.allocate(capacity: 2)
        slots.initialize(repeating: OpenPeriodic())
        let bits = UnsafeMutablePointer<UInt64>.allocate(capacity: PeriodicAssembler.words(slots: 2, maxChunks: 100))
        defer {
            slots.deallocate()
            bits.deallocate()
        }
        var assembler = PeriodicAssembler(slots: slots, bits: bits, maxChunks: 100)
        var evicted: [(UInt64, [UInt32])] = []
        func add(_ periodic: UInt64, _ index: UInt32, of count: UInt32) -> String {
            let copy = assembler
            switch assembler.add(
                ChunkHeader(periodic: periodic, index: index, count: count, chunkBytes: 10), sequence: 0, timestamp: 0,
                evicted: { open, slot in
                    evicted.append((open.periodic, (0..<open.chunks).filter { copy.isMissing($0, of: slot) }))
                })
            {
            case .open: return "open"
            case .complete(let slot): return "complete \(assembler[slot].periodic) \(assembler[slot].bytes)"
            case .inconsistent: return "inconsistent"
            case .tooMany: return "too many"
            }
        }
        #expect(add(1, 70, of: 71) == "open")
        #expect(add(2, 1, of: 2) == "open")
        #expect(add(2, 1, of: 2) == "inconsistent")
        #expect(add(2, 0, of: 3) == "inconsistent")
        #expect(add(2, 0, of: 2) == "complete 2 20")
        #expect(add(3, 0, of: 1) == "complete 3 10")
        #expect(add(4, 0, of: 101) == "too many")
        #expect(add(5, 0, of: 2) == "open")
        #expect(evicted.isEmpty)
        #expect(add(6, 0, of: 2) == "open")
        #expect(evicted.count == 1)
        #expect(evicted[0].0 == 1)
        #expect(evicted[0].1 == Array(0..<70))
        for i in 0..<69 { #expect(add(7, UInt32(i), of: 70) == "open") }
        #expect(add(7, 69, of: 70) == "complete 7 700")
        assembler.end { open, _ in evicted.append((open.periodic, [])) }
        #expect(evicted.map { $0.0 } == [1, 5, 6])
        #expect(assembler.counts.complete == 3)
        #expect(assembler.counts.incomplete == 3)
        #expect(assembler.counts.missingChunks == 72)
        #expect(assembler.openCount == 0)
    }
}
