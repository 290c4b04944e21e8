import CTickLog
import Foundation
import Testing
import TickLog
import TickLogHost

/// The DLF reader through its C functions: mapped, and by callbacks that give no byte more than asked for.
@Suite struct DLFFunctionTests {
    /// What a source does.
    final class File {
        let bytes: [UInt8]
        /// The call that fails, counted from 0.
        var failing = -1
        var calls = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }
    }

    final class Reader {
        let file: File
        private(set) var dlf: OpaquePointer?
        private(set) var status: ticklog_status = TICKLOG_OK
        private let memory: UnsafeMutableRawPointer
        private let source: UnsafeMutablePointer<ticklog_source>
        private let copy: UnsafeMutablePointer<UInt8>
        var size = 0

        init(_ bytes: [UInt8], mapped: Bool, window: UInt32 = 512, failing: Int = -1) {
            file = File(bytes)
            file.failing = failing
            copy = .allocate(capacity: bytes.count + 1)
            copy.initialize(from: bytes, count: bytes.count)
            source = .allocate(capacity: 1)
            source.initialize(to: ticklog_source())
            source.pointee.size = UInt32(MemoryLayout<ticklog_source>.size)
            source.pointee.bytes = UInt64(bytes.count)
            source.pointee.context = Unmanaged.passUnretained(file).toOpaque()
            if mapped { source.pointee.mapped = UnsafeRawPointer(copy) }
            source.pointee.read = { context, offset, bytes, count in
                let file = Unmanaged<File>.fromOpaque(context!).takeUnretainedValue()
                precondition(offset <= file.bytes.count && UInt64(count) <= UInt64(file.bytes.count) - offset)
                defer { file.calls += 1 }
                if file.calls == file.failing { return -77 }
                file.bytes.withUnsafeBytes { bytes!.copyMemory(from: $0.baseAddress! + Int(offset), byteCount: Int(count)) }
                return TICKLOG_OK
            }
            var config = ticklog_dlf_config()
            config.size = UInt32(MemoryLayout<ticklog_dlf_config>.size)
            config.window_bytes = window
            config.source = UnsafePointer(source)
            status = ticklog_dlf_size(&config, &size)
            memory = UnsafeMutableRawPointer.allocate(byteCount: max(size, 8), alignment: 8)
            guard status == TICKLOG_OK else { return }
            if failing < 0 { #expect(ticklog_dlf_open(&config, memory, size - 1, &dlf) == TICKLOG_NO_MEMORY) }
            status = ticklog_dlf_open(&config, memory, size, &dlf)
        }

        deinit {
            memory.deallocate()
            source.deallocate()
            copy.deallocate()
        }

        func choose(_ stream: Int?, _ from: UInt64 = 0, _ to: UInt64 = .max) {
            #expect(ticklog_dlf_choose(dlf, stream.map { UInt32($0) } ?? UInt32.max, from, to) == TICKLOG_OK)
        }

        func next() -> (sample: DLFBytes.Sample?, status: ticklog_status) {
            var sample = ticklog_dlf_sample()
            let status = ticklog_dlf_next(dlf, &sample)
            return (status == TICKLOG_OK ? Self.taken(sample) : nil, status)
        }

        static func taken(_ sample: ticklog_dlf_sample) -> DLFBytes.Sample {
            DLFBytes.Sample(
                stream: Int(sample.stream), tick: sample.tick, offset: Int(sample.offset),
                bytes: Array(UnsafeRawBufferPointer(start: sample.bytes, count: Int(sample.count))))
        }

        func all() -> (samples: [DLFBytes.Sample], status: ticklog_status) {
            var samples: [DLFBytes.Sample] = []
            while true {
                let (sample, status) = next()
                guard let sample else { return (samples, status) }
                samples.append(sample)
            }
        }

        func at(_ stream: Int, _ tick: UInt64) -> (sample: DLFBytes.Sample?, status: ticklog_status) {
            var sample = ticklog_dlf_sample()
            let status = ticklog_dlf_sample_at(dlf, UInt32(stream), tick, &sample)
            return (status == TICKLOG_OK ? Self.taken(sample) : nil, status)
        }

        func measure() -> ticklog_dlf_extent {
            var extent = ticklog_dlf_extent()
            extent.size = UInt32(MemoryLayout<ticklog_dlf_extent>.size)
            #expect(ticklog_dlf_measure(dlf, &extent) == TICKLOG_OK)
            return extent
        }

        var header: ticklog_dlf_header {
            var header = ticklog_dlf_header()
            header.size = UInt32(MemoryLayout<ticklog_dlf_header>.size)
            #expect(ticklog_dlf_get_header(dlf, &header) == TICKLOG_OK)
            return header
        }

        func stream(_ index: Int) -> ticklog_dlf_stream {
            var stream = ticklog_dlf_stream()
            stream.size = UInt32(MemoryLayout<ticklog_dlf_stream>.size)
            #expect(ticklog_dlf_get_stream(dlf, UInt32(index), &stream) == TICKLOG_OK)
            return stream
        }

        func damage() -> ticklog_damage? {
            var damage = ticklog_damage()
            damage.size = UInt32(MemoryLayout<ticklog_damage>.size)
            return ticklog_dlf_get_damage(dlf, &damage) == TICKLOG_OK ? damage : nil
        }
    }

    static func string(_ text: ticklog_text) -> String {
        String(decoding: UnsafeRawBufferPointer(start: text.bytes, count: text.count), as: UTF8.self)
    }

    static func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }

    // MARK: The vectors

    @Test(arguments: DLFReaderTests.runs, [true, false])
    func `a vector is what its description says`(_ run: String, _ mapped: Bool) throws {
        let expected = try Vectors.json("dlf/\(run)/expected.json")
        for part in ["polled", "event"] {
            let bytes = try Vectors.bytes("dlf/\(run)/\(part).dlf")
            let described = expected[part] as! [String: Any]
            let reader = Reader(bytes, mapped: mapped)
            guard let check = described["check"] as? [String: Any] else {
                #expect(described["error"] != nil)
                #expect(reader.status == (run == "py_trunc_header" ? TICKLOG_DAMAGED : TICKLOG_WRONG_FORMAT))
                continue
            }
            try #require(reader.status == TICKLOG_OK)
            let header = reader.header
            #expect(Int(header.data_offset) == described["data_start"] as? Int)
            #expect(Int(header.data_bytes) == check["data_len"] as? Int)
            #expect(Int(header.tick_span) == described["tick_span"] as? Int)
            #expect(Int(header.is_events) == described["stream_type"] as? Int)
            let streams = described["streams"] as! [[String: Any]]
            try #require(Int(header.streams) == streams.count)
            for (i, stream) in streams.enumerated() {
                let found = reader.stream(i)
                #expect(Self.string(found.type_text) == stream["type_structure"] as? String)
                #expect(Self.string(found.name) == stream["id"] as? String)
                #expect(Self.string(found.notes) == stream["notes"] as? String)
                #expect(Int(found.sample_bytes) == stream["type_size"] as? Int)
                if part == "polled" {
                    let interval = max(stream["tick_interval"] as! Int, 1)
                    #expect(Int(found.interval) == interval)
                    #expect(Int(found.phase) == (stream["tick_phase"] as! Int) % interval)
                }
                var index: UInt32 = 0
                #expect(ticklog_dlf_find_stream(reader.dlf, stream["id"] as! String, &index) == TICKLOG_OK && index == i)
            }

            let (samples, status) = reader.all()
            #expect(status == (check["error"] as? String != nil ? TICKLOG_DAMAGED : TICKLOG_END))
            #expect(samples.count == check["complete_samples"] as? Int)
            let listed = described["samples"] as! [[String: Any]]
            let start = Int(header.data_offset)
            for (sample, found) in zip(listed, samples) { Self.compare(sample, found, start) }
            if let tail = described["samples_tail"] as? [[String: Any]] {
                for (sample, found) in zip(tail, samples.suffix(tail.count)) { Self.compare(sample, found, start) }
            }

            let extent = reader.measure()
            #expect(Int(extent.samples) == samples.count)
            #expect(Int(extent.tail_bytes) == check["tail_bytes"] as? Int)
            #expect(Int(extent.tail_offset) == start + (check["data_len"] as! Int) - (check["tail_bytes"] as! Int))
            if let last = check["last_tick_in_data"] as? Int { #expect(extent.last_tick == UInt64(last)) }
            #expect(extent.status == (check["error"] as? String != nil ? TICKLOG_DAMAGED : extent.tail_bytes > 0 ? TICKLOG_END : TICKLOG_OK))
            if let error = check["error"] as? String {
                // "unknown stream index 5 at 28"
                #expect(Int(try #require(reader.damage()).offset) == start + Int(error.split(separator: " ").last!)!)
                #expect(try #require(reader.damage()).found_number == 5)
            }
            if part == "polled" { try Self.arithmetic(expected, bytes, check, reader) }
        }
    }

    static func compare(_ sample: [String: Any], _ found: DLFBytes.Sample, _ start: Int) {
        #expect(found.stream == sample["i"] as? Int && found.tick == UInt64(sample["tick"] as! Int))
        #expect(found.offset - start == sample["off"] as? Int)
        #expect(hex(found.bytes) == sample["hex"] as? String)
    }

    /// What the description says about positions, by the schedule and by windows.
    static func arithmetic(_ expected: [String: Any], _ bytes: [UInt8], _ check: [String: Any], _ reader: Reader) throws {
        let file = try DLFFile(MappedFile(bytes, named: "polled.dlf"))
        let extent = file.schedule.extent(of: UInt64(file.dataCount))
        #expect(extent.lastTick.map { Int($0) } == check["last_tick_in_data"] as? Int)
        if let full = check["full_ticks"] as? Int { #expect(Int(extent.wholeTicks) == full) }
        if let length = check["expected_len_for_span"] as? Int {
            #expect(Int(file.schedule.length(through: file.header.tickSpan)) == length)
            #expect(extent.ends(with: file.header.tickSpan) == check["span_matches"] as? Bool)
        }
        guard let windows = expected["windows"] as? [[String: Any]] else { return }
        for window in windows {
            let from = UInt64(window["start"] as! Int)
            let to = (window["end"] as? Int).map { UInt64($0) } ?? .max
            let offset = Int(file.schedule.offset(of: from))
            #expect(offset == window["offset_of_start"] as? Int)
            reader.choose(nil, from, to)
            let (samples, _) = reader.all()
            #expect(samples.count == window["count"] as? Int)
            for (key, sample) in [("first", samples.first), ("last", samples.last)] {
                let place = sample.map { [$0.stream, Int($0.tick), $0.offset - file.dataOffset] }
                #expect(place == window[key] as? [Int])
            }
        }
    }

    // MARK: Against a walk

    @Test(arguments: [true, false]) func `polled samples in file order, in windows, of one stream and at a tick`(_ mapped: Bool) {
        var random = SeededRandom()
        print("seed", random.seed)
        for round in 0..<40 {
            let streams = DLFBytes.streams(&random, random.below(round < 30 ? 7 : 41))
            let ticks = UInt64(random.below(80))
            let (bytes, samples) = DLFBytes.polled(streams, ticks: ticks, &random)
            let reader = Reader(bytes, mapped: mapped)
            #expect(reader.all() == (samples, TICKLOG_END))
            for _ in 0..<12 {
                let from = UInt64(random.below(90))
                let to = random.chance(1, in: 4) ? UInt64.max : UInt64(random.below(90))
                let chosen = streams.isEmpty || random.chance(1, in: 3) ? nil : random.below(streams.count)
                reader.choose(chosen, from, to)
                let wanted = samples.filter { $0.tick >= from && $0.tick < to && (chosen == nil || $0.stream == chosen) }
                #expect(reader.all() == (wanted, TICKLOG_END), "stream \(chosen ?? -1) of \(streams), [\(from), \(to))")
                if let chosen {
                    reader.choose(chosen, from, to)
                    #expect(Self.read(reader, Int(streams[chosen].size), 1 + random.below(9)) == wanted.map { Taken($0) })
                }
            }
            // What was chosen is not disturbed.
            reader.choose(nil)
            var taken: [DLFBytes.Sample] = []
            for i in 0..<streams.count {
                if let sample = reader.next().sample { taken.append(sample) }
                for tick in stride(from: UInt64(0), to: ticks + 15, by: 3) {
                    let latest = samples.last { $0.stream == i && $0.tick <= tick }
                    let due = (0...tick).last { streams[i].isDue($0) }
                    let (sample, status) = reader.at(i, tick)
                    if due == nil {
                        #expect(status == TICKLOG_NOT_FOUND)
                    } else if latest?.tick == due {
                        #expect(sample == latest && status == TICKLOG_OK)
                    } else {
                        #expect(status == TICKLOG_END)
                    }
                }
            }
            #expect(taken == Array(samples.prefix(streams.count)))
        }
    }

    struct Taken: Equatable {
        let tick: UInt64
        let bytes: [UInt8]

        init(_ sample: DLFBytes.Sample) {
            tick = sample.tick
            bytes = sample.bytes
        }

        init(tick: UInt64, bytes: [UInt8]) {
            self.tick = tick
            self.bytes = bytes
        }
    }

    /// By ticklog_dlf_read, `most` at a time.
    static func read(_ reader: Reader, _ size: Int, _ most: Int) -> [Taken] {
        var taken: [Taken] = []
        var memory = [UInt8](repeating: 0xEE, count: size * most)
        var ticks = [UInt64](repeating: 0, count: most)
        while true {
            var count = 0
            let status = ticklog_dlf_read(reader.dlf, &memory, &ticks, most, &count)
            #expect((status == TICKLOG_OK) == (count > 0))
            guard status == TICKLOG_OK else {
                #expect(status == TICKLOG_END)
                return taken
            }
            for i in 0..<count { taken.append(Taken(tick: ticks[i], bytes: Array(memory[size * i..<size * (i + 1)]))) }
        }
    }

    @Test(arguments: [true, false]) func `events in file order, in windows, of one stream and at a tick`(_ mapped: Bool) {
        var random = SeededRandom()
        print("seed", random.seed)
        for _ in 0..<30 {
            let streams = DLFBytes.streams(&random, 1 + random.below(6))
            let (bytes, samples) = DLFBytes.events(streams, ticks: UInt64(random.below(60)), &random)
            let reader = Reader(bytes, mapped: mapped)
            #expect(reader.all() == (samples, TICKLOG_END))
            for _ in 0..<8 {
                let from = UInt64(random.below(60)), to = UInt64(random.below(70))
                let chosen = random.chance(1, in: 3) ? nil : random.below(streams.count)
                reader.choose(chosen, from, to)
                #expect(
                    reader.all().samples
                        == samples.filter { $0.tick >= from && $0.tick < to && (chosen == nil || $0.stream == chosen) })
            }
            for i in 0..<streams.count {
                for tick in 0..<UInt64(62) {
                    let (sample, status) = reader.at(i, tick)
                    #expect(sample == samples.last { $0.stream == i && $0.tick <= tick })
                    #expect(status == (sample == nil ? TICKLOG_NOT_FOUND : TICKLOG_OK))
                }
            }
        }
    }

    @Test func `cut anywhere, every whole sample comes and the tail is told, mapped and by callbacks`() throws {
        var random = SeededRandom()
        print("seed", random.seed)
        let streams = DLFBytes.streams(&random, 4)
        for isEvents in [false, true] {
            let (bytes, samples) = isEvents
                ? DLFBytes.events(streams, ticks: 20, &random) : DLFBytes.polled(streams, ticks: 20, &random)
            let start = DLFBytes.header(streams, isEvents: isEvents).count
            for length in 0...bytes.count {
                for mapped in [true, false] {
                    let reader = Reader(Array(bytes[..<length]), mapped: mapped)
                    guard length >= start else {
                        #expect(reader.status == (length < 2 ? TICKLOG_WRONG_FORMAT : TICKLOG_DAMAGED))
                        continue
                    }
                    try #require(reader.status == TICKLOG_OK)
                    let whole = samples.filter { $0.offset + (isEvents ? 10 : 0) + $0.bytes.count <= length }
                    #expect(reader.all() == (whole, TICKLOG_END))
                    let end = whole.last.map { $0.offset + (isEvents ? 10 : 0) + $0.bytes.count } ?? start
                    let extent = reader.measure()
                    #expect(Int(extent.samples) == whole.count && Int(extent.tail_offset) == end)
                    #expect(Int(extent.tail_bytes) == length - end)
                    #expect(extent.status == (length > end ? TICKLOG_END : TICKLOG_OK))
                    #expect(extent.first_tick == whole.first?.tick ?? 0)
                    #expect(extent.last_tick == whole.map { $0.tick }.max() ?? 0)
                    let damage = reader.damage()
                    #expect((damage != nil) == (length > end))
                    if let damage {
                        #expect(damage.status == TICKLOG_END && Int(damage.offset) == end)
                        #expect(Int(damage.skipped_bytes) == length - end)
                    }
                    let table = DLFTable(try DLFFile(MappedFile(Array(bytes[..<length]), named: "cut.dlf")))
                    var count = 0
                    while table.next() { count += table.sampled.count }
                    #expect(count == whole.count && !table.isDamaged && table.faults.isEmpty == (length == end))
                }
            }
        }
    }

    @Test func `an event of an unknown stream ends the reading there, and what stands before stays`() throws {
        var random = SeededRandom(4)
        let streams = DLFBytes.streams(&random, 2)
        var (bytes, samples) = DLFBytes.events(streams, ticks: 30, &random)
        let bad = samples[samples.count / 2]
        bytes[bad.offset] = 2
        for mapped in [true, false] {
            let reader = Reader(bytes, mapped: mapped)
            #expect(reader.all() == (Array(samples.prefix { $0.offset < bad.offset }), TICKLOG_DAMAGED))
            #expect(reader.next().status == TICKLOG_DAMAGED)
            let damage = try #require(reader.damage())
            #expect(Int(damage.offset) == bad.offset && damage.found_number == 2)
            #expect(Int(damage.skipped_from) == bad.offset && Int(damage.skipped_bytes) == bytes.count - bad.offset)
            // Ticks before the last whole ones are known.
            let first = samples[0]
            #expect(reader.at(first.stream, first.tick).sample == first)
            #expect(reader.at(first.stream, 1000).status == TICKLOG_DAMAGED)
        }
    }

    @Test func `what the source answers comes through, and the same call succeeds afterwards`() throws {
        var random = SeededRandom()
        print("seed", random.seed)
        let streams = DLFBytes.streams(&random, 3)
        for isEvents in [false, true] {
            let (bytes, samples) = isEvents
                ? DLFBytes.events(streams, ticks: 400, &random) : DLFBytes.polled(streams, ticks: 400, &random)
            let calls = { let reader = Reader(bytes, mapped: false, failing: .max); _ = reader.all(); return reader.file.calls }()
            #expect(calls > 3)
            for failing in 0..<calls {
                let reader = Reader(bytes, mapped: false, failing: failing)
                guard reader.status == TICKLOG_OK else {
                    #expect(reader.status == -77)
                    continue
                }
                var taken: [DLFBytes.Sample] = []
                var failures = 0
                while true {
                    let (sample, status) = reader.next()
                    if let sample { taken.append(sample) }
                    if status == -77 { failures += 1 }
                    if status == TICKLOG_END { break }
                }
                #expect(failures == 1, "call \(failing)")
                #expect(taken == samples)
            }
        }
    }

    // MARK: Headers

    @Test func `notes that are missing altogether are read as none`() throws {
        var random = SeededRandom()
        print("seed", random.seed)
        for round in 0..<400 {
            var streams = DLFBytes.streams(&random, 1 + random.below(6))
            for i in 0..<streams.count {
                streams[i].notes = random.pick([nil, nil, "a note", ""])
                streams[i].id = random.pick(["x", "temperature", "a.b", "s\(i)"])
                if random.chance(1, in: 5) { (streams[i].type, streams[i].size) = ("!blob", UInt32(1 + random.below(400))) }
                // As the last stream's, it might be that of one with empty notes.
                if streams[i].type == "!blob", streams[i].size == 256 { streams[i].size = 255 }
            }
            let isEvents = round % 2 == 1
            let bytes = DLFBytes.header(streams, isEvents: isEvents) + [1, 2, 3]
            for mapped in [true, false] {
                let reader = Reader(bytes, mapped: mapped)
                try #require(reader.status == TICKLOG_OK, "\(streams)")
                #expect(reader.header.data_bytes == 3, "\(streams)")
                for (i, stream) in streams.enumerated() {
                    let found = reader.stream(i)
                    #expect(Self.string(found.name) == stream.id && Self.string(found.notes) == stream.notes ?? "", "\(streams)")
                    #expect(found.sample_bytes == stream.size, "\(streams)")
                    if !isEvents { #expect(found.interval == max(stream.interval, 1), "\(streams)") }
                }
            }
        }
    }

    @Test func `missing notes before a size whose lowest byte is 0 are not taken for empty ones`() throws {
        let blob = DLFBytes.Stream(type: "!blob", notes: nil, size: 256)
        let other = DLFBytes.Stream(type: "double", notes: nil, size: 8)
        for streams in [[blob, other], [blob, blob, other]] {
            let reader = Reader(DLFBytes.header(streams, isEvents: true) + [1, 2, 3], mapped: true)
            try #require(reader.status == TICKLOG_OK)
            for i in 0..<streams.count { #expect(reader.stream(i).sample_bytes == streams[i].size) }
            withExtendedLifetime(reader) {}
        }
        // Of the last stream, it cannot be told: here are empty notes in a header that lacks its last byte.
        let whole = DLFBytes.header([.init(type: "!blob", notes: "", size: 24)], isEvents: true)
        #expect(Reader(whole.dropLast(), mapped: true).status == TICKLOG_DAMAGED)
    }

    @Test func `headers of other writers`() throws {
        func open(_ stream: DLFBytes.Stream) -> Reader { Reader(DLFBytes.header([stream]), mapped: true) }
        for (notes, told) in [("N/A", ""), ("N/A.", "N/A."), ("", "")] {
            let reader = open(.init(notes: notes))
            #expect(Self.string(reader.stream(0).notes) == told)
            withExtendedLifetime(reader) {}
        }
        #expect(open(.init(interval: 0, phase: 7)).stream(0).interval == 1)
        #expect(open(.init(interval: 5, phase: 7)).stream(0).phase == 2)
        for type in ["int", "!NO_STRUCTURE", "gps", "s;x:size_t:0", "s;x", "s;x:uint8_t:-1", "uint8_t;"] {
            let stream = open(.init(type: type, size: 4)).stream(0)
            #expect(stream.type == TICKLOG_OPAQUE && stream.members == 0, "\(type)")
        }
        #expect(open(.init(type: "double", size: 4)).status == TICKLOG_DAMAGED)
        #expect(open(.init(type: "s;x:double:1", size: 8)).status == TICKLOG_DAMAGED)
        #expect(open(.init(type: "s;x:double:9999999999", size: 8)).status == TICKLOG_DAMAGED)
        #expect(open(.init(size: 0)).status == TICKLOG_DAMAGED)
        // Contradictions are not taken for missing notes.
        for notes in ["", "a", "ab", "abc", "some notes"] {
            #expect(open(.init(type: "s;x:double:1", notes: notes, size: 8)).status == TICKLOG_DAMAGED, "\(notes)")
            #expect(open(.init(type: "float", notes: notes, size: 8, interval: 5)).status == TICKLOG_DAMAGED, "\(notes)")
        }
        let two = open(.init(type: "s;a.b:double:0;c::bool:8", size: 12))
        defer { withExtendedLifetime(two) {} }
        let structure = two.stream(0)
        #expect(structure.type == TICKLOG_STRUCTURE && structure.members == 2)
        var member = ticklog_dlf_member()
        #expect(ticklog_dlf_get_member(structure.type_text, 12, 1, &member) == TICKLOG_OK)
        #expect(Self.string(member.name) == "c:" && member.type == TICKLOG_BOOL && member.offset == 8)
        #expect(ticklog_dlf_get_member(structure.type_text, 12, 2, &member) == TICKLOG_NOT_FOUND)
        #expect(ticklog_dlf_get_member(structure.type_text, 8, 0, &member) == TICKLOG_DAMAGED)
        // A tick_span of any bytes is told, and not used.
        let (bytes, samples) = { var random = SeededRandom(1); return DLFBytes.polled([.init()], ticks: 9, &random) }()
        let garbage = Array(bytes[..<3]) + [UInt8](repeating: 0xEE, count: 8) + bytes[11...]
        let reader = Reader(garbage, mapped: true)
        #expect(reader.header.tick_span == 0xEEEE_EEEE_EEEE_EEEE && reader.all() == (samples, TICKLOG_END))
        // Two streams of one name: the first is found.
        let twins = Reader(DLFBytes.header([.init(), .init(type: "bool")]), mapped: false)
        var index: UInt32 = 9
        #expect(ticklog_dlf_find_stream(twins.dlf, "s", &index) == TICKLOG_OK && index == 0)
        #expect(ticklog_dlf_find_stream(twins.dlf, "t", &index) == TICKLOG_NOT_FOUND)
        withExtendedLifetime(twins) {}
    }

    @Test func `a file of a big-endian writer is named so`() throws {
        let bytes = try Vectors.bytes("dlf/py_bad_magic/polled.dlf")
        do {
            _ = try DLFFile(MappedFile(bytes, named: "polled.dlf"))
            Issue.record("it was read")
        } catch {
            #expect(error.kind == .unreadable && error.text.contains("big-endian"))
        }
    }

    @Test func `any header is read or refused, without a trap`() throws {
        var random = SeededRandom()
        print("seed", random.seed)
        let streams = DLFBytes.streams(&random, 3)
        for isEvents in [false, true] {
            let (bytes, _) = isEvents ? DLFBytes.events(streams, ticks: 9, &random) : DLFBytes.polled(streams, ticks: 9, &random)
            for _ in 0..<4000 {
                var damaged = bytes
                for _ in 0...random.below(3) { damaged[random.below(bytes.count)] = random.pick([0, 1, 0x3B, 0x80, 0xFF, 0x41]) }
                let mapped = Reader(damaged, mapped: true)
                // A window that holds the largest sample need not be small.
                let called = Reader(damaged, mapped: false, window: 0)
                #expect(mapped.status == called.status)
                guard mapped.status == TICKLOG_OK else { continue }
                #expect(mapped.all() == called.all())
                for stream in 0..<Int(mapped.header.streams) {
                    for tick in [0, 5, UInt64.max] { #expect(mapped.at(stream, tick) == called.at(stream, tick)) }
                    mapped.choose(stream, random.next(), .max)
                    called.choose(stream, 1, .max)
                    _ = mapped.all()
                    _ = called.all()
                }
                #expect(mapped.measure().tail_offset == called.measure().tail_offset)
            }
        }
    }

    @Test func `extreme schedules are walked as they are computed`() {
        let values: [UInt64] = [0, 1, 2, 3, 1 << 31, 1 << 62, 1 << 63 - 1, 1 << 63, UInt64.max - 1, UInt64.max]
        var random = SeededRandom()
        print("seed", random.seed)
        for _ in 0..<500 {
            let streams = (0..<1 + random.below(4)).map { _ in
                DLFBytes.Stream(interval: random.pick(values), phase: random.pick(values))
            }
            let bytes = DLFBytes.header(streams) + [UInt8](repeating: 7, count: 9)
            let reader = Reader(bytes, mapped: true)
            guard reader.status == TICKLOG_OK else { continue }
            let extent = reader.measure()
            let (samples, _) = reader.all()
            #expect(samples.count == Int(extent.samples))
            #expect(samples.map { $0.tick }.max() ?? 0 == extent.last_tick)
            for sample in samples { #expect(reader.at(sample.stream, sample.tick).sample == sample, "\(streams)") }
            for i in 0..<streams.count {
                reader.choose(i)
                #expect(reader.all().samples == samples.filter { $0.stream == i }, "\(streams)")
            }
        }
    }

    // MARK: Arguments

    @Test func `wrong arguments are refused`() throws {
        let reader = Reader(DLFBytes.header([.init()]) + [1, 2], mapped: true)
        var sample = ticklog_dlf_sample()
        var count = 0
        var byte: UInt8 = 0
        #expect(ticklog_dlf_next(nil, &sample) == TICKLOG_NULL)
        #expect(ticklog_dlf_next(reader.dlf, nil) == TICKLOG_NULL)
        #expect(ticklog_dlf_choose(reader.dlf, 1, 0, 9) == TICKLOG_NOT_FOUND)
        #expect(ticklog_dlf_sample_at(reader.dlf, 1, 0, &sample) == TICKLOG_NOT_FOUND)
        #expect(ticklog_dlf_read(reader.dlf, &byte, nil, 1, &count) == TICKLOG_BAD_ARGUMENT)
        reader.choose(0)
        #expect(ticklog_dlf_read(reader.dlf, &byte, nil, 0, &count) == TICKLOG_BAD_ARGUMENT)
        #expect(ticklog_dlf_read(reader.dlf, &byte, nil, 1, &count) == TICKLOG_OK && byte == 1)
        var header = ticklog_dlf_header()
        #expect(ticklog_dlf_get_header(reader.dlf, &header) == TICKLOG_BAD_SIZE)
        #expect(ticklog_dlf_close(reader.dlf) == TICKLOG_BAD_HANDLE)
        let zeros = UnsafeMutableRawPointer.allocate(byteCount: 512, alignment: 8)
        zeros.initializeMemory(as: UInt8.self, repeating: 0, count: 512)
        defer { zeros.deallocate() }
        #expect(ticklog_dlf_next(OpaquePointer(zeros), &sample) == TICKLOG_BAD_HANDLE)
        // A sample larger than the window.
        let large = Reader(DLFBytes.header([.init(type: "!x", size: 600)]) + [UInt8](repeating: 1, count: 700), mapped: false)
        #expect(large.status == TICKLOG_TOO_LARGE)
    }

    @Test func `metadata, mapped and copied`() throws {
        let bytes = try Vectors.bytes("dlf/real_structs/meta.dlf")
        let file = File(bytes)
        try bytes.withUnsafeBytes { mapped in
            for isMapped in [true, false] {
                var source = ticklog_source()
                source.size = UInt32(MemoryLayout<ticklog_source>.size)
                source.bytes = UInt64(bytes.count)
                source.context = Unmanaged.passUnretained(file).toOpaque()
                if isMapped { source.mapped = mapped.baseAddress }
                source.read = { context, offset, bytes, count in
                    let file = Unmanaged<File>.fromOpaque(context!).takeUnretainedValue()
                    file.bytes.withUnsafeBytes { bytes!.copyMemory(from: $0.baseAddress! + Int(offset), byteCount: Int(count)) }
                    return TICKLOG_OK
                }
                var memory = [UInt8](repeating: 0, count: bytes.count)
                var meta = ticklog_dlf_meta()
                #expect(ticklog_dlf_read_meta(&source, nil, 0, &meta) == TICKLOG_BAD_SIZE)
                meta.size = UInt32(MemoryLayout<ticklog_dlf_meta>.size)
                try memory.withUnsafeMutableBytes { memory in
                    if !isMapped {
                        #expect(ticklog_dlf_read_meta(&source, memory.baseAddress, memory.count - 1, &meta) == TICKLOG_NO_MEMORY)
                    }
                    try #require(ticklog_dlf_read_meta(&source, memory.baseAddress, memory.count, &meta) == TICKLOG_OK)
                    #expect(meta.epoch_s == 1_763_485_651 && meta.tick_us == 1000 && meta.metadata_size == 16)
                    #expect(Self.string(meta.type_text) == "meta_struct;time:uint32_t:0;another:uint64_t:8")
                    #expect(meta.metadata.loadUnaligned(as: UInt32.self) == 1_234_567)
                }
            }
        }
    }
}

func == (_ a: (samples: [DLFBytes.Sample], status: ticklog_status), _ b: ([DLFBytes.Sample], ticklog_status)) -> Bool {
    a.samples == b.0 && a.status == b.1
}
