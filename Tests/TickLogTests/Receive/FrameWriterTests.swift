import Foundation
import Testing
@testable import TickLog
@testable import TickLogHost

@Suite struct FrameWriterTests {
    let make = FrameMaker()
    let directory: String

    init() throws { directory = try temporaryDirectory() }

    func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))) }

    func writer(_ rollBytes: UInt64, number: UInt64 = 0, continuing: UInt64? = nil) throws -> FrameWriter {
        try FrameWriter(directory: directory, channel: 3, rollBytes: rollBytes, number: number, continuing: continuing)
    }

    /// As the write thread does.
    func add(_ bytes: UnsafeMutableRawBufferPointer, to writer: FrameWriter) throws {
        if !writer.hasRoom(bytes.count) {
            try writer.write()
            if writer.exceeds(bytes.count) { try writer.roll() }
        }
        writer.add(bytes.baseAddress!, bytes.count)
    }

    func channel() throws -> Channel { try Channel(number: 3, ringBytes: 65536, maxPayload: 4096, lateLimit: 1024) }

    @Test func `a file is finished before the write that would exceed, whatever lies in one piece`() throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 10_000, alignment: 8)
        defer { memory.deallocate() }
        for i in 0..<10_000 { memory[i] = UInt8(truncatingIfNeeded: i / 7) }
        for roll: UInt64 in [1, 99, 100, 250, 1000, 20_000] {
            for name in try names(in: directory) { removeFile(directory.file(name)) }
            let writer = try writer(roll)
            for i in 0..<100 { try add(UnsafeMutableRawBufferPointer(rebasing: memory[(100 * i)..<(100 * i + 100)]), to: writer) }
            try writer.write()
            #expect(try names(in: directory).last == ChannelFile.name(3, writer.number) + ".part")
            try writer.roll()
            let found = try names(in: directory)
            let whole = max(1, Int(roll) / 100)
            #expect(found == (0..<((100 + whole - 1) / whole)).map { ChannelFile.name(3, UInt64($0)) }, "roll at \(roll)")
            #expect(try found.flatMap { try read($0) } == Array(memory), "roll at \(roll)")
            #expect(writer.fileCount == UInt64(found.count))
        }
    }

    @Test func `batches of any size, past the page cache or through it, follow one another`() throws {
        var random = SeededRandom()
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 1)
        defer { memory.deallocate() }
        for i in stride(from: 0, to: memory.count, by: 8) { memory.storeBytes(of: random.next(), toByteOffset: i, as: UInt64.self) }
        let least = DirectBlocks.leastBytes
        let writer = try writer(64 << 20)
        var expected: [UInt8] = []
        for size in [1, least - 2, least, 4095, least + 1, least + 4096, 3 << 20, 1, least] + (0..<20).map({ _ in 1 + Int(random.next() % 1_500_000) }) {
            // In pieces of any length, which lie apart.
            var left = size
            while left > 0 {
                let piece = min(left, 1 + Int(random.next() % 70_000))
                let at = Int(random.next() % UInt64(memory.count - piece))
                let bytes = UnsafeMutableRawBufferPointer(rebasing: memory[at..<(at + piece)])
                try add(bytes, to: writer)
                expected += Array(bytes)
                left -= piece
            }
            try writer.write()
            if expected.count > 24 << 20 { break }
        }
        try writer.roll()
        let names = try names(in: directory)
        #expect(names == [ChannelFile.name(3, 0)])
        #expect(try read(names[0]) == expected, "seed \(random.seed)")
    }

    @Test func `a file cut anywhere is gone on with behind its last whole frame`() throws {
        var maker = make
        maker.stream = 3
        let frames = (0..<4).map { maker.chunk($0, 0, UInt32($0), of: 4, bytes: 10) }
        let bytes = frames.flatMap { $0 }
        let length = frames[0].count
        for cut in 0...bytes.count {
            for name in try names(in: directory) { removeFile(directory.file(name)) }
            try Data(maker.chunk(0, 0, 0, of: 1)).write(to: URL(fileURLWithPath: directory + "/ch3_00000006.dat"))
            try Data(bytes[..<cut]).write(to: URL(fileURLWithPath: directory + "/ch3_00000007.dat.part"))
            let channel = try channel()
            let earlier = try EarlierFiles(directory, channel)
            let whole = cut / length
            #expect(earlier.number == 7)
            #expect(earlier.continuing == (whole > 0 ? UInt64(whole * length) : nil), "cut at \(cut)")
            #expect(earlier.cutBytes == UInt64(cut % length), "cut at \(cut)")
            #expect(channel.expected == UInt64(max(1, whole)))
            let writer = try writer(1 << 20, number: earlier.number, continuing: earlier.continuing)
            var rest = Array(bytes[(whole * length)...])
            try rest.withUnsafeMutableBytes { rest in
                if rest.count > 0 { try add(rest, to: writer) }
                try writer.write()
            }
            try writer.roll()
            #expect(try read("ch3_00000007.dat") == bytes, "cut at \(cut)")
            #expect(try names(in: directory).count == 2)
        }
    }

    @Test func `only as many files are looked at as may come again, and what they hold is known`() throws {
        var maker = make
        maker.stream = 3
        func store(_ number: UInt64, _ sequences: ClosedRange<UInt64>) throws {
            let bytes = sequences.flatMap { maker.frame($0, payload: [1]) }
            try Data(bytes).write(to: URL(fileURLWithPath: directory + "/" + ChannelFile.name(3, number)))
        }
        try store(0, 0...999)
        try store(1, 1000...1499)
        try store(2, 1510...2000)
        try store(3, 2001...2100)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: directory + "/ch3_00000001.dat.part"))
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: directory + "/ch31_00000009.dat"))
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: directory + "/ch3_9.dat"))
        let channel = try channel()
        let earlier = try EarlierFiles(directory, channel)
        #expect(earlier.number == 4)
        #expect(earlier.continuing == nil)
        // 2100 - 1000 is beyond the limit of 1024, 2100 - 1510 is not.
        #expect(earlier.frames == 1091)
        #expect(channel.expected == 2101)
        for (sequence, isKept) in [(1505, true), (1505, false), (1600, false), (2100, false), (1450, false), (2101, true), (2103, true)] as [(UInt64, Bool)] {
            let before = ChannelReport(channel).frames
            let frame = maker.frame(sequence, payload: [1])
            #expect(channel.take(message: UnsafeRawBufferPointer(start: frame, count: frame.count)))
            #expect((ChannelReport(channel).frames > before) == isKept, "\(sequence)")
        }
        let report = ChannelReport(channel)
        #expect(report.missing == 1 && report.gaps == 1 && report.late == 1 && report.duplicates == 4)
    }

    @Test func `no more is read again than was asked for, and a file without frames does not hide those before it`() throws {
        var maker = make
        maker.stream = 3
        func store(_ number: UInt64, _ sequences: Range<UInt64>) throws {
            let bytes = sequences.flatMap { maker.frame($0, payload: [1]) }
            try Data(bytes).write(to: URL(fileURLWithPath: directory + "/" + ChannelFile.name(3, number)))
        }
        for number: UInt64 in 0..<10 { try store(number, (10 * number + 1)..<(10 * number + 11)) }
        try store(10, 0..<0)
        let all = try EarlierFiles(directory, try channel(), nextFile: 77)
        #expect(all.number == 11 && all.frames == 100)
        let bytes = UInt64(10 * maker.frame(1, payload: [1]).count)
        for (lookBack, files) in [(0, 1), (bytes, 1), (3 * bytes, 3), (4 * bytes - 1, 3), (100 * bytes, 10)] as [(UInt64, UInt64)] {
            let channel = try channel()
            let earlier = try EarlierFiles(directory, channel, lookBack: lookBack)
            #expect(earlier.frames == 10 * files, "\(lookBack) bytes")
            #expect(channel.expected == 101)
        }
        for name in try names(in: directory) { removeFile(directory.file(name)) }
        #expect(try EarlierFiles(directory, try channel(), nextFile: 77).number == 77)
    }

    @Test func `a log that ends tells the number of the next file`() throws {
        for (lines, number) in [
            ("", 0), ("{\"kind\":\"ended\",\"file\":12}\n", 12), ("{\"kind\":\"ended\",\"file\":12}\n{\"kind\":\"gap\"}\n", 0),
            ("{\"kind\":\"ended\",\"file\":12}\n{\"kind\":\"ended\",\"file\":1", 12), ("}\n", 0), ("\n", 0), ("{\"file\":12}\n", 0),
            ("{\"kind\":\"ended\",\"file\":}\n", 0), ("{\"kind\":\"ended\",\"file\":9999999999999999999}\n", 0),
        ] as [(String, UInt64)] {
            let path = directory + "/ch6_loss.jsonl"
            try Data(lines.utf8).write(to: URL(fileURLWithPath: path))
            #expect(try LossLog(directory: directory, channel: 6).nextFile == number, "\(lines)")
        }
    }

    @Test func `lines of losses go on behind those that are whole, and two receivers do not share a directory`() throws {
        let path = directory + "/ch5_loss.jsonl"
        try Data("{\"kind\":\"gap\"}\n{\"kind\":\"ga".utf8).write(to: URL(fileURLWithPath: path))
        let log = try LossLog(directory: directory, channel: 5)
        #expect(throws: FileError.self) { _ = try LossLog(directory: directory, channel: 5) }
        log.record("gap", [("first", 7), ("last", .max)])
        try log.write()
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0] == "{\"kind\":\"gap\"}")
        let object = try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) as! [String: Any]
        #expect(object["kind"] as? String == "gap")
        #expect(object["last"] as? UInt64 == .max)
    }
}
