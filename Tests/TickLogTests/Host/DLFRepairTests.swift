import Foundation
import Testing
import TickLogHost

/// Runs that are cut, unfinished or overflowed, repaired and held against a reader that walks tick by tick.
@Suite struct DLFRepairTests {
    /// A run's directory that goes away. In memory if it can be: each repair waits for the medium many times.
    final class Folder {
        let path = (FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory())
            + "/ticklog-repair-" + UUID().uuidString
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func empty() throws {
            for name in names { try FileManager.default.removeItem(atPath: path + "/" + name) }
        }
        func write(_ name: String, _ bytes: [UInt8]?) throws {
            if let bytes { try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name)) }
        }
        func read(_ name: String) -> [UInt8]? { (try? Data(contentsOf: URL(fileURLWithPath: path + "/" + name))).map(Array.init) }
        var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
        var all: [String: [UInt8]] { Dictionary(uniqueKeysWithValues: names.map { ($0, read($0)!) }) }
    }

    /// The format once more, with nothing shared and no arithmetic.
    struct Naive {
        struct Stream: Equatable {
            let size, interval, phase: Int
        }
        struct Sample: Equatable {
            let stream: Int
            let tick: UInt64
            let bytes: [UInt8]
        }
        var span: UInt64 = 0
        var count = 0
        var streams: [Stream] = []
        var dataOffset = 13
        var samples: [Sample] = []
        var end = 0
        /// The header ends too early; `streams` are those that it has whole.
        var isCut = false
        let isPolled: Bool

        init(_ b: [UInt8]) {
            isPolled = b.count < 3 || b[2] == 0
            guard b.count >= 13 else {
                isCut = true
                return
            }
            span = Naive.number(b, 3, 8)
            count = Int(Naive.number(b, 11, 2))
            for _ in 0..<count {
                var at = dataOffset
                for _ in 0..<3 {
                    while at < b.count, b[at] != 0 { at += 1 }
                    at += 1
                }
                let fixed = isPolled ? 20 : 4
                guard at + fixed <= b.count else {
                    isCut = true
                    return
                }
                streams.append(
                    Stream(
                        size: Int(Naive.number(b, at, 4)), interval: isPolled ? max(1, Int(Naive.number(b, at + 4, 8))) : 1,
                        phase: isPolled ? Int(Naive.number(b, at + 12, 8)) : 0))
                dataOffset = at + fixed
            }
            end = dataOffset
            if isPolled { walk(b) } else { records(b) }
        }

        static func number(_ b: [UInt8], _ at: Int, _ size: Int) -> UInt64 {
            (0..<size).reversed().reduce(0) { $0 << 8 | UInt64(b[at + $1]) }
        }

        private mutating func walk(_ b: [UInt8]) {
            var tick = 0
            while !streams.isEmpty, end < b.count {
                for (i, stream) in streams.enumerated() where (tick + stream.phase) % stream.interval == 0 {
                    guard end + stream.size <= b.count else { return }
                    samples.append(Sample(stream: i, tick: UInt64(tick), bytes: Array(b[end..<end + stream.size])))
                    end += stream.size
                }
                tick += 1
            }
        }

        private mutating func records(_ b: [UInt8]) {
            while end + 10 <= b.count {
                let stream = Int(Naive.number(b, end, 2))
                guard stream < streams.count, end + 10 + streams[stream].size <= b.count else { return }
                let bytes = Array(b[end + 10..<end + 10 + streams[stream].size])
                samples.append(Sample(stream: stream, tick: Naive.number(b, end + 2, 8), bytes: bytes))
                end += 10 + streams[stream].size
            }
        }

        var last: UInt64? { samples.map(\.tick).max() }

        /// No stream is due behind the last sample, up to and with tick `span`, and none of a later tick is there.
        func agrees(_ span: UInt64) -> Bool {
            if streams.isEmpty { return true }
            guard let last else { return span == 0 || (span < 1000 && !due(0...Int(span))) }
            if span == last { return true }
            guard span > last, span < 1000 else { return false }
            // The last tick must be whole, too.
            let there = samples.filter { $0.tick == last }.count
            let wanted = streams.filter { (Int(last) + $0.phase) % $0.interval == 0 }.count
            return there == wanted && !due(Int(last) + 1...Int(span))
        }

        private func due(_ ticks: ClosedRange<Int>) -> Bool {
            ticks.contains { tick in streams.contains { (tick + $0.phase) % $0.interval == 0 } }
        }
    }

    /// What `tick_span` must become in a run with LOCK and without loss.dlf.
    static func spans(_ polled: Naive?, _ event: Naive?) -> (polled: UInt64, event: UInt64) {
        let lastEvent = event?.last ?? 0
        guard let polled, !polled.streams.isEmpty else { return (lastEvent, lastEvent) }
        let own = polled.last ?? 0
        var stored: [UInt64] = []
        for file in [polled, event] { if let file, !file.isCut { stored.append(file.span) } }
        for span in stored + [own, lastEvent] where span >= lastEvent && polled.agrees(span) { return (span, span) }
        let kept = !polled.isCut && polled.agrees(polled.span) ? polled.span : own
        return (kept, max(kept, lastEvent))
    }

    static func survey(_ folder: Folder) throws -> DLFRunSurvey {
        try DLFRunSurvey(try #require(try RunDirectory(folder.path)))
    }

    static func little(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    static func patched(_ bytes: [UInt8], span: UInt64) -> [UInt8] {
        bytes.count < 11 ? bytes : Array(bytes[..<3]) + little(span) + Array(bytes[11...])
    }

    /// Repairs in place, and checks all that must hold of it.
    static func check(_ folder: Folder, _ files: [String: [UInt8]], _ what: String) throws {
        try folder.empty()
        for (name, bytes) in files { try folder.write(name, bytes) }
        let before = try survey(folder)
        #expect(before.refusal == nil, "\(what)")
        try DLFRunRepair(before).replace()
        let (polled, event) = (files["polled.dlf"].map(Naive.init), files["event.dlf"].map(Naive.init))
        let expected = spans(polled, event)
        for (name, old, span) in [("polled.dlf", polled, expected.polled), ("event.dlf", event, expected.event)] {
            let bytes = try #require(folder.read(name))
            let now = Naive(bytes)
            #expect(!now.isCut && now.streams == old?.streams ?? [], "\(what): \(name): streams")
            #expect(now.span == span, "\(what): \(name): tick_span \(now.span), not \(span)")
            #expect(now.end == bytes.count, "\(what): \(name): a tail")
            #expect(now.samples == old?.samples ?? [], "\(what): \(name): samples")
            if let old, !old.isCut, let before = files[name] {
                var header = patched(Array(before[..<old.dataOffset]), span: span)
                if bytes != before, old.isPolled {
                    // The only other thing that may change: an interval of 0.
                    for at in zeroIntervals(header) { header[at] = 1 }
                }
                #expect(Array(bytes[..<old.dataOffset]) == header, "\(what): \(name): header")
            }
            if bytes != files[name] { #expect(folder.read(name + ".orig") == files[name], "\(what): \(name).orig") }
        }
        #expect(folder.read("LOCK") == nil && folder.read("meta.dlf") == files["meta.dlf"])
        let all = folder.all
        let again = try survey(folder)
        #expect(again.isFinished && again.isClosed && again.isSound, "\(what): \(again.faults.map(\.message))")
        try DLFRunRepair(again).replace()
        #expect(folder.all == all, "\(what): the second repair")
    }

    private static func zeroIntervals(_ header: [UInt8]) -> [Int] {
        var found: [Int] = []
        var at = 13
        for _ in 0..<Int(Naive.number(header, 11, 2)) {
            for _ in 0..<3 {
                while header[at] != 0 { at += 1 }
                at += 1
            }
            if Naive.number(header, at + 4, 8) == 0 { found.append(at + 4) }
            at += 20
        }
        return found
    }

    static func files(_ run: String) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = ["LOCK": [0]]
        for name in ["meta.dlf", "polled.dlf", "event.dlf"] { files[name] = try Vectors.bytes("dlf/\(run)/\(name)") }
        return files
    }

    static let small = ["real_structs", "real_intervals", "real_events", "real_interval0", "real_onetick", "py_opaque_polled"]

    @Test(arguments: small) func `cut anywhere, all whole samples stay and tick_span is right`(_ run: String) throws {
        let folder = try Folder()
        let files = try Self.files(run)
        for name in ["polled.dlf", "event.dlf"] {
            for length in 0...files[name]!.count {
                var cut = files
                cut[name] = Array(files[name]![..<length])
                try Self.check(folder, cut, "\(run) \(name) of \(length) bytes")
            }
        }
    }

    @Test(arguments: [UInt64](arrayLiteral: 0, 1, 50, 51, 52, 53, 0x7FFD_3C21_A0B8, .max - 1, .max))
    func `whatever tick_span holds, the data tell`(_ span: UInt64) throws {
        let folder = try Folder()
        for run in Self.small + ["py_mixed_1_2_5"] {
            let files = try Self.files(run)
            for names in [["polled.dlf"], ["event.dlf"], ["polled.dlf", "event.dlf"]] {
                var changed = files
                for name in names { changed[name] = Self.patched(files[name]!, span: span) }
                try Self.check(folder, changed, "\(run) \(names) with tick_span \(span)")
                changed["polled.dlf"]!.removeLast(min(3, changed["polled.dlf"]!.count - 13))
                try Self.check(folder, changed, "\(run) \(names) with tick_span \(span), cut")
            }
        }
    }

    @Test(arguments: Vectors.names(in: "dlf")) func `every vector is repaired once or refused for good`(_ run: String) throws {
        let folder = try Folder()
        let original = try FileManager.default.contentsOfDirectory(atPath: Vectors.root + "/dlf/\(run)").filter { $0 != "expected.json" }
        for name in original { try folder.write(name, try Vectors.bytes("dlf/\(run)/\(name)")) }
        let before = folder.all
        let survey = try Self.survey(folder)
        if run == "py_bad_magic" {
            #expect(throws: Fault.self) { try DLFRunRepair(survey) }
            #expect(survey.faults.contains { $0.text.contains("big-endian") && $0.offset == 0 })
            #expect(folder.all == before)
            return
        }
        try DLFRunRepair(survey).replace()
        if run.hasPrefix("real_") && before["LOCK"] == nil || ["py_meta_opaque", "py_mixed_1_2_5", "py_opaque_polled", "py_utf8"].contains(run) {
            #expect(survey.isSound && survey.isClosed)
            #expect(folder.all == before)
        } else {
            #expect(folder.all != before)
        }
        let after = folder.all
        let again = try Self.survey(folder)
        #expect(again.isFinished)
        try DLFRunRepair(again).replace()
        #expect(folder.all == after)
    }

    @Test func `an overflowed run looks closed and is not`() throws {
        let folder = try Folder()
        var files = try Self.files("real_structs")
        files["LOCK"] = nil
        for polled in [Self.patched(files["polled.dlf"]!, span: 0), Self.patched(files["polled.dlf"]!, span: 1 << 47), []] {
            try folder.empty()
            files["polled.dlf"] = polled
            for (name, bytes) in files { try folder.write(name, bytes) }
            let survey = try Self.survey(folder)
            #expect(!survey.isSound && !survey.isClosed)
            let said = survey.faults.contains { $0.text.contains("looks closed and is not") && $0.offset == 3 }
            #expect(said == !polled.isEmpty)
            try DLFRunRepair(survey).replace()
            #expect(Naive(folder.read("polled.dlf")!).span == 9 && Naive(folder.read("event.dlf")!).span == 9)
            #expect(try Self.survey(folder).isFinished)
        }
    }

    @Test func `an unclosed run with whole samples is sound`() throws {
        let folder = try Folder()
        var files = try Self.files("real_structs")
        files["polled.dlf"] = Self.patched(files["polled.dlf"]!, span: 3)
        for (name, bytes) in files { try folder.write(name, bytes) }
        let survey = try Self.survey(folder)
        #expect(survey.isSound && !survey.isClosed && !survey.isFinished && !survey.notes.isEmpty)
    }

    @Test func `missing files: event is made, the rest is refused`() throws {
        let folder = try Folder()
        let files = try Self.files("real_structs")
        var without = files
        without["event.dlf"] = nil
        try Self.check(folder, without, "without event.dlf")
        #expect(folder.read("event.dlf")?.count == 13)
        for (name, bytes) in [("polled.dlf", nil), ("meta.dlf", Array(files["meta.dlf"]!.dropLast()))] as [(String, [UInt8]?)] {
            var broken = files
            broken[name] = bytes
            try folder.empty()
            for (name, bytes) in broken { try folder.write(name, bytes) }
            #expect(throws: Fault.self) { try DLFRunRepair(try Self.survey(folder)) }
            #expect(folder.all == broken)
        }
        // A run that ended in its start.
        try folder.empty()
        for name in ["LOCK", "meta.dlf"] { try folder.write(name, files[name]) }
        try DLFRunRepair(try Self.survey(folder)).replace()
        #expect(folder.names == ["event.dlf", "meta.dlf", "polled.dlf"] && folder.all["polled.dlf"]!.count == 13)
    }

    @Test func `a header that contradicts itself is refused, and the run stays`() throws {
        let folder = try Folder()
        let files = try Self.files("real_structs")
        var count = files["polled.dlf"]!
        // More streams than there are: the data are taken for descriptions, and end.
        for streams: UInt8 in [4, 9, 255] {
            count[11] = streams
            try refuses(count)
        }
        var type = files["polled.dlf"]!
        type[2] = 1
        try refuses(type)
        var none = files["polled.dlf"]!
        none[11] = 0
        try refuses(none)

        func refuses(_ polled: [UInt8]) throws {
            var broken = files
            broken["polled.dlf"] = polled
            try folder.empty()
            for (name, bytes) in broken { try folder.write(name, bytes) }
            #expect(throws: Fault.self) { try DLFRunRepair(try Self.survey(folder)) }
            #expect(folder.all == broken)
        }
    }

    @Test(arguments: ["real_structs", "real_events", "real_interval0"])
    func `any byte changed: repaired for good, or refused and left alone`(_ run: String) throws {
        let folder = try Folder()
        let files = try Self.files(run)
        for locked in [true, false] {
            for name in ["meta.dlf", "polled.dlf", "event.dlf"] {
                for offset in 0..<files[name]!.count {
                    for value: UInt8 in [0, 0x3B, 0xFF, files[name]![offset] ^ 1] where value != files[name]![offset] {
                        var changed = files
                        if !locked { changed["LOCK"] = nil }
                        changed[name]![offset] = value
                        if offset % 5 == 0 { changed[name]!.removeLast(1) }
                        try folder.empty()
                        for (name, bytes) in changed { try folder.write(name, bytes) }
                        let survey = try Self.survey(folder)
                        let what = "\(run) \(name) \(offset) \(value) \(locked)"
                        do {
                            try DLFRunRepair(survey).replace()
                        } catch {
                            #expect(folder.all == changed && survey.refusal != nil, "\(what): \(error.message)")
                            continue
                        }
                        let again = try Self.survey(folder)
                        #expect(again.isFinished && again.isSound, "\(what): \(again.faults.map(\.message))")
                        #expect(again.samples == survey.samples, "\(what)")
                    }
                }
            }
        }
    }

    @Test func `the file that a link leads to is repaired, and kept`() throws {
        let folder = try Folder()
        let elsewhere = try Folder()
        var files = try Self.files("real_structs")
        files["polled.dlf"]!.removeLast(3)
        for (name, bytes) in files where name != "polled.dlf" { try folder.write(name, bytes) }
        try elsewhere.write("data", files["polled.dlf"])
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/polled.dlf", withDestinationPath: elsewhere.path + "/data")
        try DLFRunRepair(try Self.survey(folder)).replace()
        #expect(elsewhere.read("data.orig") == files["polled.dlf"])
        #expect(Naive(elsewhere.read("data")!).span == 8 && Naive(folder.read("polled.dlf")!).span == 8)
        #expect(!folder.names.contains("LOCK"))
    }

    @Test func `events out of order are a note`() throws {
        let folder = try Folder()
        var files = try Self.files("real_events")
        files["LOCK"] = nil
        // The second record gets a later tick than the third.
        let event = Naive(files["event.dlf"]!)
        let second = event.dataOffset + 10 + event.samples[0].bytes.count
        files["event.dlf"]![second + 2] = 17
        for (name, bytes) in files { try folder.write(name, bytes) }
        let survey = try Self.survey(folder)
        #expect(survey.isSound && survey.isClosed && survey.isFinished)
        #expect(survey.notes.map(\.offset) == [second + 10 + event.samples[1].bytes.count])
    }

    @Test func `a copy is whole, without LOCK, and leaves the run alone`() throws {
        let folder = try Folder()
        var files = try Self.files("real_structs")
        files["polled.dlf"]!.removeLast(5)
        for (name, bytes) in files { try folder.write(name, bytes) }
        let out = folder.path + ".repaired"
        defer { try? FileManager.default.removeItem(atPath: out) }
        // One that was killed has left a part.
        try FileManager.default.createDirectory(atPath: out + ".part", withIntermediateDirectories: true)
        try Data([1]).write(to: URL(fileURLWithPath: out + ".part/polled.dlf"))
        try DLFRunRepair(try Self.survey(folder)).copy(to: out)
        #expect(folder.all == files)
        #expect(try FileManager.default.contentsOfDirectory(atPath: out).sorted() == ["event.dlf", "meta.dlf", "polled.dlf"])
        #expect(!FileManager.default.fileExists(atPath: out + ".part"))
        #expect(try DLFRunSurvey(try #require(try RunDirectory(out))).isFinished)
        #expect(throws: Fault.self) { try DLFRunRepair(try Self.survey(folder)).copy(to: out) }
    }
}
