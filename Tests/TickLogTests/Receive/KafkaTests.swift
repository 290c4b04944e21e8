import Testing
import TickLog
@testable import TickLogHost

private func read(_ text: String) -> [HandOver] {
    Array(text.utf8).withUnsafeBytes { HandOver.read(FileBytes($0)) }
}

private func channel(_ key: String) -> Int? { Array(key.utf8).withUnsafeBytes { channelOfKey($0) } }

@Suite struct KafkaTests {
    @Test func `a key is a channel's number in decimal digits, and nothing else`() {
        for number in [0, 7, 10, 255, 4000, 999_999_999] { #expect(channel("\(number)") == number) }
        for key in ["", "x", "01", "00", "-1", "+1", " 1", "1 ", "1.0", "1234567890", "٣", "0x1"] { #expect(channel(key) == nil, "\(key)") }
    }

    @Test func `what a channel's next receiver must know survives as text`() {
        let states = [
            HandOver(channel: 0, expected: 0, timestamp: 0),
            HandOver(channel: 17, expected: 1000, timestamp: .max, missing: [.init(first: 993, last: 994), .init(first: 1, last: 1)]),
            HandOver(channel: 255, expected: .max, timestamp: 1, missing: [.init(first: 0, last: .max - 1)]),
        ]
        #expect(read(HandOver.text(states)) == states)
        #expect(HandOver.text([states[1]]) == "17:3e8:ffffffffffffffff:3e1-3e2:1-1")
        #expect(HandOver.text([]) == "")
        #expect(read("") == [])
    }

    @Test(arguments: [0, 1, 20, 60, 100, 500, 4000]) func `the text fits its limit, channels before ranges and newest ranges first`(limit: Int) {
        var missing: [HandOver.Missing] = []
        for i in 1...50 {
            let first = UInt64(1_000_000 - 10 * i)
            missing.append(HandOver.Missing(first: first, last: first + 1))
        }
        var states: [HandOver] = []
        for channel in 0..<40 { states.append(HandOver(channel: channel, expected: 1_000_000, timestamp: 1 << 60, missing: missing)) }
        let text = HandOver.text(states, limit: limit)
        #expect(text.utf8.count <= limit)
        let found = read(text)
        for (state, full) in zip(found, states) {
            #expect(state.channel == full.channel && state.expected == full.expected && state.timestamp == full.timestamp)
            #expect(state.missing == Array(full.missing.prefix(state.missing.count)))
        }
        let counts = [0: 0, 1: 0, 20: 0, 60: 2, 100: 4, 500: 19, 4000: 40]
        #expect(found.count == counts[limit]!)
        if limit == 4000 { #expect(found[39].missing.count == 6) }
    }

    @Test func `what anyone has committed is read without harm`() {
        #expect(read("hello") == [])
        #expect(read("1:2") == [])
        #expect(read("1:2:g") == [])
        #expect(read("1:2:12345678901234567") == [])
        #expect(read("-1:2:3;;x;4:5:6") == [HandOver(channel: 4, expected: 5, timestamp: 6)])
        // Ranges that overlap, are turned round, or lie behind what is expected.
        let head = HandOver(channel: 1, expected: 0x20, timestamp: 3)
        for ranges in [":20-20", ":5-4", ":1f", ":1-2-3", ":-", "::"] { #expect(read("1:20:3" + ranges) == [head], "\(ranges)") }
        #expect(read("1:20:3:10-12:12-13") == [HandOver(channel: 1, expected: 0x20, timestamp: 3, missing: [.init(first: 0x10, last: 0x12)])])
        #expect(read(String(repeating: "1:2:3;", count: 20000)) == [])

        var random = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...UInt64.max, using: &random)
        var state = seed
        for _ in 0..<5000 {
            var bytes: [UInt8] = []
            for _ in 0..<40 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(Array(":;-0129af ".utf8)[Int(state >> 40) % 10])
            }
            for entry in bytes.withUnsafeBytes({ HandOver.read(FileBytes($0)) }) {
                var next = entry.expected
                for range in entry.missing {
                    #expect(range.first <= range.last && range.last < next, "seed \(seed)")
                    next = range.first
                }
            }
        }
    }

    @Test func `a channel goes on where another receiver has come to, unless it has come as far itself`() throws {
        let channel = try Channel(number: 3, ringBytes: 65536, maxPayload: 1000, lateLimit: 1024)
        #expect(channel.handOver == nil)
        let state = HandOver(channel: 3, expected: 1000, timestamp: 50, missing: [.init(first: 998, last: 998), .init(first: 5, last: 7)])
        channel.resume(state)
        #expect(channel.handOver == state)
        channel.resume(HandOver(channel: 3, expected: 900, timestamp: 40))
        #expect(channel.handOver == state)
        let later = HandOver(channel: 3, expected: 2, timestamp: 60)
        channel.resume(later)
        #expect(channel.handOver == later, "the producer began anew")
    }

    @Test func `a topic for each channel has its number where %d stands`() {
        let one = KafkaSettings(brokers: "b", topic: "radar")
        #expect(!one.hasTopicPerChannel)
        #expect(one.topic(of: 3) == "radar")
        let each = KafkaSettings(brokers: "b", topic: "r%d.%d")
        #expect(each.hasTopicPerChannel)
        #expect(each.topic(of: 12) == "r12.%d")
    }

    @Test func `settings are lines of a name and a value`() throws {
        func read(_ text: String) throws -> [String] {
            let bytes = Array(text.utf8)
            return try bytes.withUnsafeBytes { try KafkaSettings.properties(FileBytes($0), named: "f") }.map { $0.name + "|" + $0.value }
        }
        #expect(try read("") == [])
        #expect(try read("# a=b\n\n a.b = c=d \r\nx=\n  # y\nlast=1") == ["a.b|c=d", "x|", "last|1"])
        for text in ["a", "=b", "a=\u{0}", "a=b\nc"] { #expect(throws: KafkaError.self) { try read(text) } }
    }
}
