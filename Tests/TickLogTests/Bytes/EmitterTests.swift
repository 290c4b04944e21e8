import CTickLog
import CXXHash
import Testing

@testable import TickLog

@Suite struct EmitterTests {
    /// The whole document, and the same put together from windows of random sizes.
    static func expectSame(_ random: inout SeededRandom, _ put: (inout Emitter) -> Void) {
        var measure = Emitter.measuring()
        put(&measure)
        let length = measure.position
        let whole = UnsafeMutableRawPointer.allocate(byteCount: length + 1, alignment: 1)
        defer { whole.deallocate() }
        var once = Emitter(skip: 0, out: whole, room: length)
        put(&once)
        #expect(once.filled == length)
        let expected = Array(UnsafeRawBufferPointer(start: whole, count: length))
        for largest in [1, 2, 7, 64, length + 5] {
            var parts: [UInt8] = []
            while parts.count < length {
                let room = 1 + random.below(largest)
                let window = UnsafeMutableRawPointer.allocate(byteCount: room + 1, alignment: 1)
                defer { window.deallocate() }
                // A byte that no window may touch.
                window.storeBytes(of: 0xA5, toByteOffset: room, as: UInt8.self)
                var out = Emitter(skip: parts.count, out: window, room: room)
                put(&out)
                #expect(out.position == length)
                #expect(out.filled == min(room, length - parts.count))
                #expect(window.load(fromByteOffset: room, as: UInt8.self) == 0xA5)
                parts += Array(UnsafeRawBufferPointer(start: window, count: out.filled))
            }
            #expect(parts == expected, "seed \(random.seed), windows up to \(largest)")
        }
    }

    @Test func `any split of a document gives the same bytes`() {
        var random = SeededRandom()
        for _ in 0..<20 {
            let seed = random.next()
            Self.expectSame(&random) { out in
                var content = SeededRandom(seed)
                for _ in 0..<30 {
                    switch content.below(6) {
                    case 0: out.put(UInt8(truncatingIfNeeded: content.next()))
                    case 1: out.put(UInt16(truncatingIfNeeded: content.next()))
                    case 2: out.put(content.next())
                    case 3: out.put("a static text")
                    case 4: out.put(decimal: content.next() >> UInt64(content.below(64)))
                    default:
                        let bytes = (0..<content.below(100)).map { _ in UInt8(truncatingIfNeeded: content.next()) }
                        out.put(bytes, bytes.count)
                    }
                }
                out.put(out.hashed())
            }
        }
    }

    @Test func `any split of a run's headers, footer and tables gives the same bytes`() throws {
        var random = SeededRandom()
        let recorder = try Recorder()
        for i in 0..<4 {
            let stream = RandomStream("s\(i)", recorder, &random, isPolled: i < 3)
            _ = try stream.add(to: recorder, i < 3 ? TICKLOG_POLL : TICKLOG_EMIT)
        }
        let logger = Logger.from(recorder.logger)!
        let documents = BCSVDocuments(logger: logger, version: UInt8(TICKLOG_BCSV_1_5), epoch: 1_763_485_651_000_000_000)
        Self.expectSame(&random) {
            documents.putHeader(&$0, .polled, tickColumn: true, columns: 9, rowCodec: .zoh, fileCodec: .packetLZ4, level: 1, packetBytes: 65536)
        }
        Self.expectSame(&random) {
            documents.putHeader(&$0, .event, tickColumn: true, columns: 9, rowCodec: .zoh, fileCodec: .packet, level: 0, packetBytes: 512)
        }
        Self.expectSame(&random) { documents.putStreams(&$0, tickNanoseconds: 1_000_000) }
        let entries = UnsafeMutableRawPointer.allocate(byteCount: 160, alignment: 8)
        defer { entries.deallocate() }
        var index = PacketIndex(Table(entries, 10))
        for i in 0..<10 { index.add(offset: UInt64(100 * i), firstRow: UInt64(i)) }
        Self.expectSame(&random) { BCSVFormat.putFooter(&$0, index, rows: 10) }
        Self.expectSame(&random) { DLFDocuments(logger: logger).putHeader(&$0, .polled, tickNanoseconds: 1_000_000) }
    }

    @Test func `a document's hash is that of all its bytes, whatever the window keeps`() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var out = Emitter(skip: 500, out: nil, room: 0)
        out.put(bytes, 300)
        bytes.withUnsafeBytes { out.put($0.baseAddress! + 300, 700) }
        #expect(out.hashed() == cxxhash64(bytes, bytes.count))
    }

    @Test func `decimal numbers are those that Swift prints`() {
        var random = SeededRandom()
        for value in [0, 9, 10, 99, 100, UInt64.max] + (0..<200).map({ random.next() >> UInt64($0 % 64) }) {
            var room = [UInt8](repeating: 0, count: 20)
            let count = room.withUnsafeMutableBytes { buffer in
                var out = Emitter(skip: 0, out: buffer.baseAddress, room: 20)
                out.put(decimal: value)
                return out.position
            }
            #expect(String(decoding: room.prefix(count), as: UTF8.self) == String(value))
            #expect(decimalDigits(value) == count)
        }
    }
}
