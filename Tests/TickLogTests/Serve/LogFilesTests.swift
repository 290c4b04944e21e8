import Foundation
import Testing
@testable import TickLog
@testable import TickLogHost

/// Logs as the server writes and reads them.
@Suite struct LogFilesTests {
    let directory: String
    var path: String { directory + "/packets.log" }

    init() throws { directory = try temporaryDirectory() }

    static func body(_ i: Int, words count: Int) -> [UInt8] {
        let control = (0..<count).map { UInt16(truncatingIfNeeded: $0 &+ i) }
        let data = (0..<count).map { UInt16(truncatingIfNeeded: $0 &* 7 &+ i) }
        var bytes = [UInt8](repeating: 0, count: DataPacket.headerBytes + 4 * count)
        control.withUnsafeBytes { control in
            data.withUnsafeBytes { data in
                let words = count == 0
                    ? PacketWords() : PacketWords(control: control.baseAddress!, data: data.baseAddress!, count: count)
                bytes.withUnsafeMutableBytes {
                    DataPacket(.diff, timestamp: UInt64(i), type: 2, source: UInt8(i & 255), words: words).store(body: $0.baseAddress!)
                }
            }
        }
        return bytes
    }

    /// Writes a log through the stream and the writer, as the server does.
    func write(_ bodies: [[UInt8]], rollBytes: UInt64, from earlier: EarlierLog? = nil, ringBytes: Int = 1 << 20) throws {
        let state = ServerState { Issue.record("said: \($0)") }
        let wake = try EventFlag()
        let stream = try PacketStream(
            ringBytes: ringBytes, kind: .dataPackets, rollBytes: rollBytes, position: earlier?.position ?? LogPosition(number: 1, offset: 0),
            timestamp: earlier?.timestamp ?? 0)
        let writer = BMSLogWriter(
            stream, path, from: earlier?.position ?? LogPosition(number: 1, offset: 0), syncMilliseconds: 5, LogCounts(), state, told: wake)
        try writer.open()
        let thread = try WorkThread { writer.run() }
        for (i, body) in bodies.enumerated() {
            while !stream.hasRoom(payload: body.count) {
                stream.publish()
                wake.wait(milliseconds: 10)
            }
            // The clock goes back now and then.
            body.withUnsafeBytes { stream.append(timestamp: UInt64(1000 + i - i % 7 * 3), payload: $0.baseAddress!, size: $0.count) }
            if i % 5 == 0 { stream.publish() }
        }
        stream.publish()
        writer.inputEnded.store(true, ordering: .releasing)
        writer.wakeUp()
        thread.join()
        #expect(stream.released.load() == stream.appended)
        #expect(stream.position.offset == size(of: path) && !state.hasFailed)
    }

    func read() throws -> [[UInt8]] {
        let reader = try BMSLogReader(path)
        var found: [[UInt8]] = []
        var last: (LogPosition, UInt64)?
        while let record = try reader.next() {
            if let last { #expect(last.0 < record.position && last.1 <= record.timestamp) }
            last = (record.position, record.timestamp)
            found.append(Array(record.payload.buffer))
        }
        #expect(reader.torn == nil)
        return found
    }

    @Test(arguments: [48, 100, 4096, 20_000, 1 << 30] as [UInt64])
    func `what was appended is read, however the files roll, and behind an earlier server`(_ roll: UInt64) throws {
        let bodies = (0..<600).map { LogFilesTests.body($0, words: $0 % 40 == 39 ? 3000 : $0 % 20) }
        try write(Array(bodies[..<250]), rollBytes: roll)
        var records = 0
        let earlier = try EarlierLog(path, .dataPackets, from: 0) { (record) throws(Fault) in
            if Array(record.payload.buffer) == bodies[records] { records += 1 }
        }
        #expect(records == 250 && earlier.records == 250 && earlier.cutBytes == 0)
        try write(Array(bodies[250...]), rollBytes: roll, from: earlier)
        #expect(try read() == bodies)
        for name in try names(in: directory) {
            let bytes = size(of: directory.file(name))
            let file = try MappedFile(directory.file(name))
            var walk = try LogWalk(file.bytes, name)
            var count = 0
            while try walk.next() != nil { count += 1 }
            #expect(bytes <= roll || count <= 1, "\(name) has \(bytes) bytes and \(count) records")
        }
        // From a position on, whole files are left out.
        let middle = LogPosition(number: max(1, earlier.position.number - 1), offset: 0)
        let reader = try BMSLogReader(path, from: middle)
        #expect(try reader.next()!.position.number == middle.number)
    }

    /// A small log, and where its records end.
    func small() throws -> (bytes: [UInt8], ends: [Int], bodies: [[UInt8]]) {
        let bodies = [0, 1, 2, 3, 16].map { LogFilesTests.body(100 + $0, words: $0) }
        try write(bodies, rollBytes: 1 << 20)
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        var ends = [LogFile.headBytes]
        for body in bodies { ends.append(ends.last! + LogRecord.bytes(payload: body.count)) }
        #expect(ends.last == bytes.count)
        return (bytes, ends, bodies)
    }

    /// What a reader gets out of bytes before it stops.
    func records(_ bytes: [UInt8]) -> (bodies: [[UInt8]], fault: Fault?) {
        let file = MappedFile(bytes, named: "log")
        defer { withExtendedLifetime(file) {} }
        var found: [[UInt8]] = []
        do throws(Fault) {
            var walk = try LogWalk(file.bytes, "log")
            while let record = try walk.next() { found.append(Array(record.payload.buffer)) }
            return (found, nil)
        } catch { return (found, error) }
    }

    @Test func `of a log cut anywhere the whole records are read, and the rest is torn`() throws {
        let (bytes, ends, bodies) = try small()
        for count in 0..<bytes.count {
            let (found, fault) = records(Array(bytes[..<count]))
            let whole = max(0, ends.filter { $0 <= count }.count - 1)
            #expect(found == Array(bodies[..<whole]), "cut to \(count)")
            #expect(fault?.kind == (ends.contains(count) ? nil : .torn), "cut to \(count)")
        }
    }

    @Test func `a flipped bit never makes another record, and is no torn end unless it is in the last one`() throws {
        let (bytes, ends, bodies) = try small()
        for bit in 0..<(8 * bytes.count) {
            var bad = bytes
            bad[bit / 8] ^= 1 << UInt8(bit % 8)
            let (found, fault) = records(bad)
            let record = ends.filter { $0 <= bit / 8 }.count
            #expect(found == Array(bodies[..<max(0, record - 1)]), "bit \(bit)")
            #expect(fault != nil, "bit \(bit)")
            if record > 0 { #expect(fault?.kind == (record == bodies.count ? .torn : .damaged), "bit \(bit)") }
        }
    }

    @Test func `an earlier log that ends anywhere is gone on with`() throws {
        let (bytes, ends, bodies) = try small()
        for count in stride(from: 0, through: bytes.count, by: 3) {
            try Data(bytes[..<count]).write(to: URL(fileURLWithPath: path))
            let earlier = try EarlierLog(path, .dataPackets, from: 0) { (_) throws(Fault) in }
            let whole = max(0, ends.filter { $0 <= count }.count - 1)
            #expect(earlier.records == UInt64(whole))
            #expect(earlier.position == LogPosition(number: 1, offset: count < LogFile.headBytes ? 0 : UInt64(ends[whole])))
            try write([bodies[0]], rollBytes: 1 << 20, from: earlier)
            #expect(try read() == Array(bodies[..<whole]) + [bodies[0]], "cut to \(count)")
        }
    }

    @Test func `a file that is none, or has another number, is not touched`() throws {
        let (bytes, _, _) = try small()
        for content in [Array("notes".utf8), [UInt8](repeating: 0, count: 40), Array(bytes[..<8]) + [9] + bytes[9...]] {
            try Data(content).write(to: URL(fileURLWithPath: path))
            #expect(throws: Fault.self) { _ = try EarlierLog(path, .dataPackets, from: 0) { (_) throws(Fault) in } }
            #expect(Array(try Data(contentsOf: URL(fileURLWithPath: path))) == content)
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(throws: Fault.self) { _ = try EarlierLog(path, .legacyPackets, from: 0) { (_) throws(Fault) in } }
        // File 1 twice.
        try Data(bytes).write(to: URL(fileURLWithPath: path + ".000001"))
        #expect(throws: Fault.self) { _ = try EarlierLog(path, .dataPackets, from: 0) { (_) throws(Fault) in } }
        #expect(throws: Fault.self) { _ = try read() }
    }

    @Test func `names of files are those that the writer makes`() throws {
        for name in ["packets.log.000003", "packets.log.000004", "packets.log.3", "packets.log.00005", "packets.log.0000006", "packets.log.000000",
            "packets.log.00000x", "packets.log.lock", "other.log.000001", "packets.log.99999999"] {
            try Data().write(to: URL(fileURLWithPath: directory.file(name)))
        }
        #expect(try LogFile.numbers(of: path, from: 0) == [3, 4])
    }
}
