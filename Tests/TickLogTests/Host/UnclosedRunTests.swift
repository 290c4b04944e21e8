import CTickLog
import Foundation
import Testing
import TickLogHost

/// Runs that ended while a file was made: what is there is read, and the rest is no damage.
struct UnclosedRunTests {
    let recorder: Recorder
    let run: String

    /// A run with two polled and two event files, without its LOCK.
    init() throws {
        recorder = try Recorder()
        run = recorder.root + "/run"
        let source = recorder.allocate(4).bindMemory(to: UInt32.self, capacity: 1)
        try recorder.add("n", TICKLOG_POLL, type: TICKLOG_U32, source: source)
        let alarm = try recorder.add("alarm", TICKLOG_EMIT, type: TICKLOG_U32)
        let handle = try recorder.start("run") { $0.roll_bytes = 1 }
        for i in 0..<4 {
            source.pointee = UInt32(i)
            #expect(ticklog_tick(handle, 1) == TICKLOG_OK)
            if i % 2 == 0 { #expect(ticklog_emit(alarm, source, 4) == TICKLOG_OK) }
            #expect(ticklog_flush(handle) == TICKLOG_OK)
        }
        #expect(recorder.stop(handle) == TICKLOG_OK)
        // Only what the tests need.
        for kind in ["polled", "event"] {
            for file in try FileManager.default.contentsOfDirectory(atPath: run) where file.hasPrefix(kind + ".") {
                if file != kind + ".bcsv", file != kind + ".1.bcsv" { try FileManager.default.removeItem(atPath: run + "/" + file) }
            }
            try #require(FileManager.default.fileExists(atPath: "\(run)/\(kind).1.bcsv"))
        }
    }

    func lock() throws { try put([0], "LOCK") }

    func put(_ bytes: some Sequence<UInt8>, _ file: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: run + "/" + file))
    }

    func rows(_ kind: String) throws -> (count: Int, faults: [Fault]) {
        let opened = try Run(try #require(try RunDirectory(run)))
        let recording = try #require(kind == "polled" ? try opened.polled() : try opened.events())
        var count = 0
        while recording.next() { count += 1 }
        return (count, opened.faults + recording.table.faults)
    }

    @Test(arguments: ["polled", "event"]) func `the newest file may end within its header, at any byte`(_ kind: String) throws {
        try lock()
        let whole = try recorder.bytes("run", kind + ".1.bcsv")
        let header = try BCSVFile("\(run)/\(kind).1.bcsv").header.dataOffset
        let before = try rows(kind).count - 1
        for count in 0...header {
            // What a power cut leaves may also be zeros.
            for zeros in count < header ? [0, 1, header] : [0] {
                try put(whole[..<count] + [UInt8](repeating: 0, count: zeros), kind + ".1.bcsv")
                let found = try rows(kind)
                #expect(found.count == before, "\(count) bytes")
                #expect(found.faults.contains { $0.path.hasSuffix(kind + ".1.bcsv") && $0.kind == .torn })
                #expect(!found.faults.contains { $0.kind != .torn }, "\(count) bytes: \(found.faults.map(\.message))")
                let summary = try RunSummary(try #require(try RunDirectory(run)))
                #expect(!summary.faults.contains { $0.kind != .torn })
                let files = kind == "polled" ? summary.polled : summary.events
                try #require(files.count == 2)
                #expect(files[1].rows == 0 && files[1].ending != .closed && files[1].ending != .damaged)
                #expect(files[1].size == UInt64(count + zeros))
            }
        }
    }

    @Test func `without LOCK, or when another file follows, a cut header is damage`() throws {
        let whole = try recorder.bytes("run", "polled.1.bcsv")
        let before = try rows("polled").count - 1
        for isLast in [true, false] {
            if !isLast {
                try lock()
                try put(whole, "polled.2.bcsv")
            }
            for count in [0, 3, 20] {
                try put(whole[..<count], "polled.1.bcsv")
                let found = try rows("polled")
                // What stands before it is read all the same.
                #expect(found.count == before)
                #expect(found.faults.contains { $0.path.hasSuffix("polled.1.bcsv") && $0.kind != .torn })
            }
        }
    }

    @Test func `other bytes than the header's are damage`() throws {
        try lock()
        var bytes = try recorder.bytes("run", "polled.1.bcsv")[..<20]
        bytes[5] ^= 0x10
        try put(bytes, "polled.1.bcsv")
        #expect(try rows("polled").faults.contains { $0.kind != .torn })
    }

    @Test func `a run that ended while it was started has no rows and no damage`() throws {
        try lock()
        for file in ["polled.1.bcsv", "event.1.bcsv", "event.bcsv"] { try FileManager.default.removeItem(atPath: run + "/" + file) }
        let whole = try recorder.bytes("run", "polled.bcsv")
        let header = try BCSVFile(run + "/polled.bcsv").header.dataOffset
        for count in 0...header {
            try put(whole[..<count], "polled.bcsv")
            let summary = try RunSummary(try #require(try RunDirectory(run)))
            #expect(summary.faults.contains { $0.text.contains("no event.bcsv") })
            #expect(!summary.faults.contains { $0.kind != .torn }, "\(count) bytes: \(summary.faults.map(\.message))")
            #expect(summary.ticks == 0)
        }
        // With rows it has gone on: then event.bcsv was there once.
        try put(whole, "polled.bcsv")
        #expect(try RunSummary(try #require(try RunDirectory(run))).faults.contains { $0.kind == .damaged })
    }

    @Test func `the first file cut when the run has events is damage`() throws {
        try lock()
        try FileManager.default.removeItem(atPath: run + "/polled.1.bcsv")
        try put(try recorder.bytes("run", "polled.bcsv")[..<20], "polled.bcsv")
        #expect(throws: Fault.self) { try rows("polled") }
        #expect(try RunSummary(try #require(try RunDirectory(run))).faults.contains { $0.kind == .damaged })
    }
}
