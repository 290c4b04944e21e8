import Foundation
import Testing

/// `info` and `cat` of DLF runs and files.
@Suite(.serialized) struct DLFCommandTests {
    let dlf = Tool.vectors + "/dlf/"

    struct Stream {
        var type = "uint8_t"
        var name = "a"
        var notes = ""
        var size = 1
        var interval = 1
        var phase = 0
    }

    func bytes(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    func header(_ streams: [Stream], isEvents: Bool = false, span: Int = 0) -> Data {
        var data = Data([0x14, 0x84, isEvents ? 1 : 0] + bytes(span, 8) + bytes(streams.count, 2))
        for stream in streams {
            data += Array(stream.type.utf8) + [0] + Array(stream.name.utf8) + [0] + Array(stream.notes.utf8) + [0] + bytes(stream.size, 4)
            if !isEvents { data += bytes(stream.interval, 8) + bytes(stream.phase, 8) }
        }
        return data
    }

    /// A run with any files; 1 ms a tick.
    func withRun(
        polled: Data, event: Data, epoch: Int = 1_700_000_000, type: String = "double", metadata: [UInt8] = [UInt8](repeating: 0, count: 8),
        _ body: (String) throws -> Void
    ) throws {
        let root = try Tool.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        let meta = Data([0x14, 0x84] + bytes(epoch, 4) + bytes(1000, 4) + Array(type.utf8) + [0] + bytes(metadata.count, 4) + metadata)
        for (name, data) in [("meta", meta), ("polled", polled), ("event", event)] {
            try data.write(to: URL(fileURLWithPath: root + "/\(name).dlf"))
        }
        try body(root)
    }

    func info(_ path: String) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(try Tool.run("info", "--json", path).output.utf8)) as! [String: Any]
    }

    // MARK: info

    @Test func `info tells the streams, their samples and where the data end`() throws {
        let told = try info(dlf + "real_structs")
        let streams = told["streams"] as! [[String: Any]]
        #expect(streams.map { $0["samples"] as! Int } == [5, 10, 3, 5, 10, 10])
        #expect(streams.map { $0["sample_bytes"] as! Int } == [20, 12, 4, 2, 2, 1])
        #expect(streams[0]["type"] as? String == "gps_pos;satellites:uint32_t:0;lat:double:4;lng:double:12")
        #expect(streams[2]["phase_s"] as? Double == 0.001 && streams[2]["interval_s"] as? Double == 0.003)
        let files = told["files"] as! [[String: Any]]
        #expect(files.map { $0["rows"] as! Int } == [10, 25] && files.map { $0["samples"] as! Int } == [18, 25])
        #expect(files.map { $0["tail_bytes"] as! Int } == [0, 0] && files.map { $0["tail_offset"] as! Int } == [456, 395])
        #expect(files.map { $0["tick_span_agrees"] as! Bool } == [true, true] && (told["notes"] as! [Any]).isEmpty)
        let text = try Tool.run("info", dlf + "real_structs").output
        #expect(text.contains("phase 1 (0.001 s)") && text.contains("every 3 ticks (0.003 s)") && text.contains("18 samples in 10 rows, tick span 9"))
    }

    @Test func `a torn tail and a tick span that is none are notes, exit 0`() throws {
        let result = try Tool.run("info", dlf + "py_trunc_polled_mid_sample")
        #expect(result.code == 0 && !result.output.contains("damage"))
        #expect(result.output.contains("LOCK") && result.output.contains("offset 265: found 2 bytes and the end of the file"))
        #expect(result.output.contains("found the tick span 0, expected 8"))
        // Garbage of a header that was never patched.
        let two = header([Stream(), Stream(name: "b", interval: 3, phase: 1)], span: -2)
        try withRun(polled: two + [1, 2, 3, 4, 5, 6, 7], event: header([], isEvents: true)) { (run: String) throws in
            let told = try info(run)
            let polled = (told["files"] as! [[String: Any]])[0]
            #expect(polled["tick_span"] as? UInt64 == UInt64.max - 1)
            #expect(polled["tick_span_agrees"] as? Bool == false && polled["last_tick"] as? Int == 5)
            #expect(told["ticks"] as? Int == 6)
            let notes = told["notes"] as! [String]
            // Tick 5 lacks its second sample.
            #expect(notes.count == 2 && notes[0].contains("found the end of tick 5 before all of its samples"), "\(notes)")
            #expect(notes.count == 2 && notes[1].contains("offset 3: found the tick span 18446744073709551614, expected 5"), "\(notes)")
            #expect((told["streams"] as! [[String: Any]]).map { $0["samples"] as! Int } == [6, 1])
            #expect(try Tool.run("info", run).code == 0)
        }
        // A span beyond the last sample, as no stream is due there.
        let slow = header([Stream(interval: 10)], span: 25)
        try withRun(polled: slow + [1, 2, 3], event: header([], isEvents: true, span: 25)) { (run: String) throws in
            let told = try info(run)
            #expect(told["ticks"] as? Int == 26 && (told["notes"] as! [String]).isEmpty)
        }
    }

    @Test func `with a bad polled file everything else is still told, exit 1`() throws {
        let events = header([Stream(name: "ev")], isEvents: true, span: 7) + Data(bytes(0, 2) + bytes(7, 8) + [9])
        let whole = header([Stream()])
        for polled in [Data(), whole.prefix(1), whole.prefix(12), whole.prefix(20), Data([0x84, 0x14]) + whole.dropFirst(2)] {
            try withRun(polled: polled, event: events) { (run: String) throws in
                let result = try Tool.run("info", run)
                #expect(result.code == 1 && result.output.contains("damage: ") && result.output.contains("polled.dlf: offset "))
                #expect(result.output.contains("ev, 1 samples of 1 bytes, uint8_t") && result.output.contains("user.meta = 0.0"))
                #expect(try Tool.run("info", "--json", run).code == 1)
                #expect(try Tool.run("cat", run).code == 1)
                #expect(try Tool.run("cat", "--events", run).lines == ["tick,stream,ev", "7,ev,9"])
                #expect(try Tool.run("cat", "--stream", "ev", run).lines == ["tick,time_ns,ev", "7,1700000000007000000,9"])
            }
        }
        try withRun(polled: whole, event: Data([0x84, 0x14]) + events.dropFirst(2)) { (run: String) throws in
            for path in [run, run + "/event.dlf"] {
                let result = try Tool.run("info", path)
                #expect(result.code == 1 && (result.output + result.errors).contains("big-endian"))
            }
        }
        let unknown = try Tool.run("info", dlf + "py_bad_event_index")
        #expect(unknown.code == 1 && unknown.output.contains("event.dlf: offset 58: found 5"))
        #expect(unknown.output.contains("2 records"))
    }

    @Test func `a polled file of gigabytes is measured and its end printed by arithmetic`() throws {
        let streams = (0..<20).map { Stream(type: "double", name: "s\($0)", size: 8, interval: $0 / 2 + 1, phase: $0) }
        try withRun(polled: header(streams), event: header([], isEvents: true)) { (run: String) throws in
            // A hole: reading all of it would take minutes.
            #expect(truncate(run + "/polled.dlf", 1 << 36) == 0)
            let told = try info(run)
            let last = (told["files"] as! [[String: Any]])[0]["last_tick"] as! Int
            #expect(last > 1_000_000_000)
            let end = try Tool.run("cat", run, "--from", "\(last - 2)", "--no-header")
            #expect(end.code == 0 && end.lines.count == 3 && end.lines[2].hasPrefix("\(last),0.0,"))
            let rows = (told["files"] as! [[String: Any]])[0]["rows"] as! Int
            #expect(try Tool.run("cat", run, "--rows", "\(rows - 2):", "--no-header").lines == Array(end.lines[1...]))
            let stream = try Tool.run("cat", run, "--stream", "s19", "--rows", "100000000:100000001", "--no-header")
            #expect(stream.lines.count == 1)
            #expect(try Tool.run("cat", run, "--samples", "--rows", "5000000000:5000000002").lines.count == 2)
        }
    }

    // MARK: cat

    @Test func `windows and rows are parts of the whole`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = Numbers(state: seed)
        for _ in 0..<6 {
            let streams = (0..<Int.random(in: 1...5, using: &random)).map { i in
                Stream(
                    name: "s\(i)", interval: Int.random(in: 1...12, using: &random), phase: Int.random(in: 0...20, using: &random))
            }
            let data = (0..<Int.random(in: 0...120, using: &random)).map { UInt8($0) }
            try withRun(polled: header(streams) + data, event: header([], isEvents: true)) { (run: String) throws in
                func ticks(_ line: String) -> Int {
                    Int(line.split(separator: ",")[0]) ?? Int(line.components(separatedBy: #""tick":"#)[1].split(separator: ",")[0])!
                }
                for options in [[], ["--samples"], ["--stream", "s0"], ["--stream", "s0", "--samples"]] {
                    let all: [String] = try Tool.run(["cat", run, "--no-header"] + options).lines
                    for _ in 0..<4 {
                        let (from, to) = (Int.random(in: 0...60, using: &random), Int.random(in: 0...80, using: &random))
                        let (a, b) = (Int.random(in: 0...30, using: &random), Int.random(in: 0...60, using: &random))
                        let window = all.filter { ticks($0) >= from && ticks($0) < to }
                        let found = try Tool.run(["cat", run, "--no-header", "--from", "\(from)", "--to", "\(to)", "--rows", "\(a):\(b)"] + options)
                        #expect(found.lines == Array(window.dropFirst(a).prefix(max(b - a, 0))), "\(streams) \(options) \(from) \(to) \(a) \(b)")
                        let rows = try Tool.run(["cat", run, "--no-header", "--rows", "\(a):\(b)"] + options)
                        #expect(rows.lines == Array(all.dropFirst(a).prefix(max(b - a, 0))))
                    }
                }
            }
        }
    }

    @Test func `events and BCSV have windows too`() throws {
        let events = try Tool.run("cat", dlf + "real_events", "--events", "--no-header").lines
        let some = try Tool.run("cat", dlf + "real_events", "--events", "--no-header", "--from", "3", "--to", "9").lines
        #expect(some == events.filter { (3..<9).contains(Int($0.split(separator: ",")[0])!) } && !some.isEmpty && some != events)
        let root = try Tool.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        #expect(try Tool.run("demo", "--seconds", "1", "--out", root + "/runs").code == 0)
        let run = root + "/runs/" + (try FileManager.default.contentsOfDirectory(atPath: root + "/runs")[0])
        let all = try Tool.run("cat", run, "--no-header").lines
        // Ticks may be missing on a busy machine.
        let window = all.filter { (40..<60).contains(Int($0.split(separator: ",")[0])!) }
        #expect(window.count > 5 && window.count < all.count)
        #expect(try Tool.run("cat", run, "--no-header", "--from", "40", "--to", "60").lines == window)
        #expect(try Tool.run("cat", run + "/polled.bcsv", "--no-header", "--from", "40", "--rows", ":5").lines == Array(window.prefix(5)))
        #expect(try Tool.run("cat", Tool.vectors + "/bcsv/v15_logger_zoh_packet_lz4_flush75.bcsv", "--from", "1").code == 2)
        #expect(try Tool.run("cat", run, "--from", "x").code == 2)
    }

    @Test func `a stream alone has times, if the run knows them`() throws {
        let polled = header([Stream(name: "a", interval: 2, phase: 1)])
        try withRun(polled: polled + [5, 6], event: header([], isEvents: true)) { (run: String) throws in
            #expect(try Tool.run("cat", run, "--stream", "a").lines == ["tick,time_ns,a", "1,1700000000001000000,5", "3,1700000000003000000,6"])
            #expect(try Tool.run("cat", run + "/polled.dlf", "--stream", "a").lines == ["tick,a", "1,5", "3,6"])
            #expect(try Tool.run("cat", run, "--stream", "a", "--columns", "a,time_ns", "--rows", ":1").lines[1] == "5,1700000000001000000")
        }
        try withRun(polled: polled + [5, 6], event: header([], isEvents: true), epoch: 0) { (run: String) throws in
            #expect(try Tool.run("cat", run, "--stream", "a", "--no-header").lines == ["1,1000000,5", "3,3000000,6"])
        }
    }

    @Test func `streams of one name, opaque streams, structures without members, no streams at all`() throws {
        let streams = [
            Stream(name: "a"), Stream(type: "!blob", name: "a", size: 2), Stream(type: "word", name: "w", size: 3), Stream(type: "int16_t", name: "a", size: 2),
        ]
        try withRun(polled: header(streams) + [1, 0xAB, 0xCD, 7, 8, 9, 0xFF, 0xFF], event: header([], isEvents: true)) { (run: String) throws in
            #expect(try Tool.run("cat", run).lines == ["tick,a,a,w,a", "0,1,abcd,070809,-1"])
            #expect(try Tool.run("cat", run, "--format", "jsonl").lines == [#"{"tick":0,"a":1,"a~2":"abcd","w":"070809","a~3":-1}"#])
            #expect(try Tool.run("cat", run, "--samples").lines == [
                #"{"stream":"a","tick":0,"value":1}"#, #"{"stream":"a","tick":0,"hex":"abcd"}"#,
                #"{"stream":"w","tick":0,"hex":"070809"}"#, #"{"stream":"a","tick":0,"value":-1}"#,
            ])
            let first = try Tool.run("cat", run, "--stream", "a", "--no-header")
            #expect(first.lines == ["0,1700000000000000000,1"] && first.errors.contains("3 streams are called a"))
            #expect(try Tool.run("cat", run, "--stream", "a~2", "--no-header").lines == ["0,1700000000000000000,abcd"])
            #expect(try Tool.run("cat", run, "--stream", "a~3", "--no-header").lines == ["0,1700000000000000000,-1"])
            for name in ["a~4", "a~1", "a~0", "a~", "~2", "b"] { #expect(try Tool.run("cat", run, "--stream", name).code == 2) }
        }
        try withRun(polled: header([]), event: header([], isEvents: true)) { (run: String) throws in
            for options in [[], ["--events"], ["--samples"], ["--from", "5"], ["--rows", "7:"]] {
                #expect(try Tool.run(["cat", run] + options).code == 0)
            }
            #expect(try Tool.run("cat", run, "--stream", "a").code == 2)
            #expect(try Tool.run("info", run).code == 0)
        }
        // Bytes where no stream could have any.
        try withRun(polled: header([]) + [1], event: header([], isEvents: true)) { (run: String) throws in
            #expect(try Tool.run("info", run).code == 1)
        }
    }

    @Test func `metadata are shown whole`() throws {
        let whole = header([])
        let none = header([], isEvents: true)
        try withRun(polled: whole, event: none, type: "m;a:uint8_t:0;b:int16_t:2", metadata: [1, 0, 0xFE, 0xFF]) { (run: String) throws in
            #expect(try Tool.run("cat", run, "--meta").lines == [
                "epoch_time_s,tick_base_us,meta_structure,user.a,user.b", "1700000000,1000,m;a:uint8_t:0;b:int16_t:2,1,-2",
            ])
        }
        for type in ["!opaque", "name", ""] {
            try withRun(polled: whole, event: none, type: type, metadata: [1, 0xFE]) { (run: String) throws in
                let meta = try Tool.run("cat", run, "--meta", "--format", "jsonl")
                #expect(meta.code == 0 && meta.lines[0].hasSuffix(#""meta":"01fe"}"#))
                #expect(try Tool.run("info", run).output.contains("01fe"))
            }
        }
        try withRun(polled: whole, event: none) { (run: String) throws in
            try Data([0x14, 0x84, 1]).write(to: URL(fileURLWithPath: run + "/meta.dlf"))
            let meta = try Tool.run("cat", run, "--meta")
            #expect(meta.code == 1 && meta.errors.contains("meta.dlf: offset 3: found the end of the file"))
        }
        // Everything else is there, without a time.
        try withRun(polled: header([Stream()]) + [1, 2, 3], event: none) { (run: String) throws in
            try Data([0x14, 0x84, 1]).write(to: URL(fileURLWithPath: run + "/meta.dlf"))
            let told = try Tool.run("info", run)
            #expect(told.code == 1 && told.output.contains("3 samples in 3 rows") && told.output.contains("damage: "), "\(told.output)")
            let values = try Tool.run("cat", run)
            #expect(values.code == 1 && values.errors.contains("meta.dlf: offset 3") && values.lines == ["tick,a", "0,1", "1,2", "2,3"])
            #expect(try Tool.run("cat", run, "--stream", "a").lines.first == "tick,a")
            #expect(try Tool.run("convert", run, run + "/out/").code == 1)
        }
    }
}

/// A generator with a seed.
private struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
