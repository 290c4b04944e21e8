import CTickLog
import Foundation
import Synchronization
import Testing
import TickLog

/// A buffer in memory of its own, with a guard of unused bytes behind it.
private final class Buffer {
    let capacity: Int
    let memory: UnsafeMutableRawPointer
    let bytes: Int
    private static let guardBytes = 64

    init(_ capacity: Int) {
        self.capacity = capacity
        bytes = ticklog_log_buffer_size(UInt32(capacity))
        memory = .allocate(byteCount: bytes + Buffer.guardBytes, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0xA5, count: bytes + Buffer.guardBytes)
    }

    deinit { memory.deallocate() }

    var isGuarded: Bool { (bytes..<bytes + Buffer.guardBytes).allSatisfy { memory.load(fromByteOffset: $0, as: UInt8.self) == 0xA5 } }

    func writer() -> LogBufferWriter { LogBufferWriter(creating: memory, capacity: capacity) }
    func reader(_ start: LogBufferReader.Start = .oldest) throws -> LogBufferReader {
        var reader = try LogBufferReader(memory, bytes: bytes)
        try #require(reader.seek(start) == true)
        return reader
    }

    subscript(offset: Int) -> UInt64 {
        get { memory.load(fromByteOffset: offset, as: UInt64.self) }
        set { memory.storeBytes(of: newValue, toByteOffset: offset, as: UInt64.self) }
    }
}

/// A record's payload follows from its number.
private func payload(_ number: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number &* 13 &+ 1) }
}

/// What a buffer must do, told by the rules of its layout alone.
private struct Model {
    struct Record {
        let start: Int
        let end: Int
        let size: Int
    }
    let capacity: Int
    var records: [Record] = []
    var end = 0
    /// The first record that is not overwritten.
    var oldest = 0

    init(_ capacity: Int) { self.capacity = capacity }

    mutating func write(_ size: Int) -> Bool {
        let bytes = 16 + (size + 7) / 8 * 8
        if bytes > capacity / 2 { return false }
        var start = end
        if start % capacity + bytes > capacity { start += capacity - start % capacity }
        records.append(Record(start: start, end: start + bytes, size: size))
        end = start + bytes
        while records[oldest].start < end - capacity { oldest += 1 }
        return true
    }
}

private func write(_ writer: inout LogBufferWriter, _ number: Int, _ size: Int) -> Bool {
    payload(number, size).withUnsafeBytes {
        writer.write(timestamp: UInt64(number) &* 1000, payload: $0.baseAddress ?? UnsafeRawPointer(bitPattern: 8)!, size: size)
    }
}

/// The number of the record that is read; nil at the end.
private func next(_ reader: inout LogBufferReader, _ model: Model) -> Int? {
    var out = [UInt8](repeating: 0xEE, count: reader.mostPayloadBytes + 1)
    let room = reader.mostPayloadBytes
    switch out.withUnsafeMutableBytes({ reader.read(into: $0.baseAddress!, room: room) }) {
    case .record(let timestamp, let size, let sequence):
        let number = Int(sequence)
        #expect(timestamp == UInt64(number) &* 1000)
        #expect(number < model.records.count && model.records[number].size == size)
        #expect(Array(out[..<size]) == payload(number, size))
        #expect(out[size] == 0xEE)
        return number
    case .none: return nil
    default:
        Issue.record("neither a record nor the end")
        return nil
    }
}

@Suite struct LogBufferTests {
    @Test func `every size at every place, for readers of any slowness`() throws {
        for capacity in [64, 128] {
            // Fillers bring the end to every place; then come two records of every size.
            for place in stride(from: 0, to: 2 * capacity, by: 8) {
                for size in 0...(capacity / 2 + 1) {
                    let buffer = Buffer(capacity)
                    var writer = buffer.writer()
                    var model = Model(capacity)
                    var keen = try buffer.reader()
                    var keenNext = 0
                    let lazy = try buffer.reader()
                    while model.end < place {
                        // Records of 16 and 24 bytes reach every multiple of 8 from 16 on.
                        let filler = (place - model.end) % 16 == 8 && place - model.end >= 24 ? 8 : 0
                        #expect(write(&writer, model.records.count, filler) == model.write(filler))
                        #expect(next(&keen, model) == keenNext)
                        keenNext += 1
                    }
                    for size in [size, size, 3] {
                        let fits = model.write(size)
                        #expect(write(&writer, model.records.count - (fits ? 1 : 0), size) == fits, "\(capacity) \(place) \(size)")
                        #expect(fits == (16 + size <= capacity / 2))
                        // A reader of each slowness: one that has waited since the beginning, one from the oldest, from the newest.
                        var late = lazy
                        var expected = model.oldest
                        while let number = next(&late, model) {
                            #expect(number == expected)
                            expected += 1
                        }
                        #expect(expected == model.records.count)
                        #expect(late.lost == UInt64(model.oldest) && late.read == UInt64(model.records.count - model.oldest))
                        var fresh = try buffer.reader()
                        #expect(model.records.isEmpty || next(&fresh, model) == model.oldest)
                        #expect(fresh.lost == 0)
                        var newest = try buffer.reader(.newest)
                        #expect(next(&newest, model) == nil)
                        while let number = next(&keen, model) {
                            #expect(number == keenNext)
                            keenNext += 1
                        }
                        #expect(keen.lost == 0 && keenNext == model.records.count)
                    }
                    #expect(writer.heldBytes <= capacity && buffer.isGuarded)
                }
            }
        }
    }

    @Test func `any sequence of sizes and reads agrees with the model`() throws {
        var random = SeededRandom()
        print("seed \(random.seed)")
        for _ in 0..<300 {
            let capacity = 64 << random.below(6)
            let buffer = Buffer(capacity)
            var writer = buffer.writer()
            var model = Model(capacity)
            var readers: [(reader: LogBufferReader, next: Int)] = []
            for _ in 0..<400 {
                switch random.below(10) {
                case 0..<5:
                    let size = random.below(random.chance(1, in: 4) ? capacity / 2 + 4 : 40)
                    let number = model.records.count
                    #expect(write(&writer, number, size) == model.write(size))
                case 5 where readers.count < 5:
                    let start: LogBufferReader.Start = random.chance(1, in: 2) ? .oldest : .newest
                    readers.append((try buffer.reader(start), start == .oldest ? model.oldest : model.records.count))
                case 6 where random.chance(1, in: 3):
                    writer = try LogBufferWriter(continuing: buffer.memory, bytes: buffer.bytes)
                default:
                    guard !readers.isEmpty else { continue }
                    let at = random.below(readers.count)
                    for _ in 0..<random.below(6) {
                        let expected = max(readers[at].next, model.oldest)
                        let number = next(&readers[at].reader, model)
                        #expect(number == (expected < model.records.count ? expected : nil))
                        guard let number else { break }
                        readers[at].next = number + 1
                    }
                }
            }
            for (reader, next) in readers {
                #expect(reader.read + reader.lost <= UInt64(next))
                #expect(reader.written == UInt64(model.records.count))
            }
            #expect(buffer.isGuarded)
        }
    }

    @Test func `a record that does not fit stays the next one`() throws {
        let buffer = Buffer(256)
        var writer = buffer.writer()
        #expect(write(&writer, 0, 100))
        #expect(write(&writer, 1, 5))
        var reader = try buffer.reader()
        var out = [UInt8](repeating: 0, count: 112)
        guard case .needs(100) = reader.read(into: &out, room: 99) else { return #expect(Bool(false), "reads into too little") }
        #expect(out.allSatisfy { $0 == 0 })
        guard case .needs(100) = reader.read(into: &out, room: 0) else { return #expect(Bool(false), "has moved") }
        var skipping = reader
        guard case .record(_, 100, 0) = reader.read(into: &out, room: 100) else { return #expect(Bool(false), "is gone") }
        guard case .record(_, 100, 0) = skipping.skip(), case .record(_, 5, 1) = skipping.read(into: &out, room: 112) else { return #expect(Bool(false), "skips") }
        #expect(skipping.read == 2 && skipping.lost == 0)
        guard case .none = skipping.skip() else { return #expect(Bool(false), "skips the end") }
        writer.close()
        guard case .record = reader.read(into: &out, room: 100), case .closed = reader.read(into: &out, room: 100) else {
            return #expect(Bool(false), "is not closed")
        }
        var again = try LogBufferWriter(continuing: buffer.memory, bytes: buffer.bytes)
        guard case .none = reader.read(into: &out, room: 100) else { return #expect(Bool(false), "is closed for ever") }
        #expect(write(&again, 2, 1))
        guard case .record(_, 1, 2) = reader.read(into: &out, room: 100) else { return #expect(Bool(false), "does not go on") }
    }

    /// The four numbers of the header, by their offsets.
    static let end = 64, oldest = 80, newest = 96, count = 112

    @Test func `a writer that was ended anywhere in a record is gone on with`() throws {
        var random = SeededRandom()
        print("seed \(random.seed)")
        for round in 0..<2000 {
            let capacity = 64 << random.below(3)
            let buffer = Buffer(capacity)
            var writer = buffer.writer()
            var model = Model(capacity)
            for number in 0..<random.below(12) {
                let size = random.below(capacity / 2 - 15)
                #expect(model.write(size) && write(&writer, number, size))
            }
            var reader = try buffer.reader()
            let before = UnsafeRawBufferPointer(start: buffer.memory, count: buffer.bytes).map { $0 }
            let written = model
            let size = random.below(capacity / 2 - 15)
            #expect(model.write(size) && write(&writer, written.records.count, size))
            // Of the stores of that write only the first ones were done: `oldest`; some bytes of the ring; end; newest; count.
            let step = random.below(5)
            if step < 4 { buffer[Self.count] = UInt64(written.records.count) }
            let newest = before[Self.newest..<Self.newest + 8].withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
            if step < 3 { buffer[Self.newest] = newest }
            if step < 2 { buffer[Self.end] = UInt64(written.end) }
            if step < 2 {
                for at in 128..<buffer.bytes where step == 0 || random.chance(1, in: 2) {
                    buffer.memory.storeBytes(of: before[at], toByteOffset: at, as: UInt8.self)
                }
            }
            let kept = step < 2 ? written : model
            let first = model.oldest
            // A reader sees no part of it, before and after the writer is back.
            var expected = first
            var some = reader
            while let number = next(&some, kept) {
                #expect(number == expected, "round \(round), step \(step)")
                expected += 1
            }
            #expect(expected == max(kept.records.count, first))
            var newestReader = try buffer.reader(.newest)
            var again = try LogBufferWriter(continuing: buffer.memory, bytes: buffer.bytes)
            #expect(again.records == UInt64(kept.records.count))
            var after = kept
            after.oldest = first
            #expect(after.write(3) && write(&again, kept.records.count, 3))
            #expect(next(&some, after) == kept.records.count)
            #expect(some.lost + some.read == UInt64(after.records.count - written.oldest))
            // Its cursor stands behind the last record that it could know of.
            let seen = next(&newestReader, after)
            #expect(seen == kept.records.count || (step == 2 && seen == kept.records.count - 1))
            #expect(newestReader.lost <= (step == 2 ? 1 : 0))
            while next(&reader, after) != nil {}
            #expect(reader.lost + reader.read == UInt64(after.records.count - written.oldest))
        }
    }

    @Test func `whatever the memory says, readers stay inside and come to an end`() throws {
        var random = SeededRandom()
        print("seed \(random.seed)")
        var records = 0, damages = 0
        for round in 0..<5000 {
            let capacity = 64 << random.below(4)
            let buffer = Buffer(capacity)
            var writer = buffer.writer()
            for number in 0..<random.below(20) { _ = write(&writer, number, random.below(capacity / 2 - 15)) }
            // The last bytes of the memory are the last of the page before one that nobody may read: see the C program. Here the
            // bytes behind are noticed by the sanitizer.
            for _ in 0..<(1 + random.below(8)) {
                let at = round % 2 == 0 ? random.below(buffer.bytes) : 64 + random.below(64)
                let value = random.pick([UInt8(0), 1, 8, 16, 0x7F, 0x80, 0xFF, UInt8(truncatingIfNeeded: random.next())])
                buffer.memory.storeBytes(of: value, toByteOffset: at, as: UInt8.self)
            }
            if round % 7 == 0 { for at in stride(from: 64, to: buffer.bytes, by: 8) { buffer[at] = random.next() & (round % 14 == 0 ? .max : 0xF8) } }
            for start in [LogBufferReader.Start.oldest, .newest] {
                guard var reader = try? LogBufferReader(buffer.memory, bytes: buffer.bytes) else { continue }
                _ = reader.seek(start)
                let copy = UnsafeMutableRawPointer.allocate(byteCount: reader.mostPayloadBytes, alignment: 1)
                defer { copy.deallocate() }
                reading: for _ in 0..<1000 {
                    switch reader.read(into: copy, room: reader.mostPayloadBytes) {
                    case .record(_, let size, _):
                        #expect(size <= reader.mostPayloadBytes)
                        records += 1
                    case .damaged:
                        damages += 1
                        break reading
                    case .needs: #expect(Bool(false), "more than any record has")
                    case .none, .closed: break reading
                    }
                }
            }
            if var again = try? LogBufferWriter(continuing: buffer.memory, bytes: buffer.bytes) {
                for number in 0..<10 { _ = write(&again, number, random.below(capacity / 2 - 15)) }
            }
            #expect(buffer.isGuarded)
        }
        #expect(records > 300 && damages > 300)
    }

    @Test func `what is no buffer is refused`() throws {
        let buffer = Buffer(256)
        _ = buffer.writer()
        var reader = ticklog_log_reader()
        var writer = ticklog_log_writer()
        func both(_ bytes: Int, _ expected: ticklog_status, _ line: Int = #line) {
            #expect(ticklog_log_buffer_open(buffer.memory, bytes, TICKLOG_FROM_OLDEST, &reader) == expected, "line \(line)")
            #expect(ticklog_log_buffer_attach(buffer.memory, bytes, &writer) == expected, "line \(line)")
        }
        both(buffer.bytes, TICKLOG_OK)
        for bytes in [0, 1, 127, 128, buffer.bytes - 1] { both(bytes, TICKLOG_DAMAGED) }
        let good = UnsafeRawBufferPointer(start: buffer.memory, count: 24).map { $0 }
        for (at, value, expected): (Int, UInt8, ticklog_status) in [
            (0, 0, TICKLOG_WRONG_FORMAT), (7, 0, TICKLOG_WRONG_FORMAT), (8, 2, TICKLOG_WRONG_FORMAT),
            (12, 12 - good[12], TICKLOG_WRONG_FORMAT), (16, 1, TICKLOG_DAMAGED), (17, 3, TICKLOG_DAMAGED), (17, 2, TICKLOG_DAMAGED),
            (17, 0, TICKLOG_DAMAGED), (19, 0x80, TICKLOG_DAMAGED),
        ] {
            buffer.memory.storeBytes(of: value, toByteOffset: at, as: UInt8.self)
            both(buffer.bytes, expected, at)
            buffer.memory.storeBytes(of: good[at], toByteOffset: at, as: UInt8.self)
        }
        both(buffer.bytes, TICKLOG_OK)
        #expect(ticklog_log_buffer_open(buffer.memory + 4, buffer.bytes, TICKLOG_FROM_OLDEST, &reader) == TICKLOG_MISALIGNED)
        #expect(ticklog_log_buffer_open(buffer.memory, buffer.bytes, 2, &reader) == TICKLOG_BAD_ARGUMENT)
        for capacity: UInt32 in [0, 32, 63, 65, 96, 1 << 31, .max] {
            #expect(ticklog_log_buffer_size(capacity) == 0)
            #expect(ticklog_log_buffer_create(buffer.memory, buffer.bytes, capacity, &writer) == TICKLOG_BAD_ARGUMENT)
        }
        #expect(ticklog_log_buffer_size(64) == 192 && ticklog_log_buffer_size(1 << 30) == 128 + 1 << 30)
        #expect(ticklog_log_buffer_create(buffer.memory, buffer.bytes - 1, 256, &writer) == TICKLOG_NO_MEMORY)
        #expect(ticklog_log_buffer_create(buffer.memory + 4, buffer.bytes, 64, &writer) == TICKLOG_MISALIGNED)
        var none = ticklog_log_writer()
        #expect(ticklog_log_buffer_write(&none, 0, buffer.memory, 1) == TICKLOG_BAD_HANDLE)
        #expect(ticklog_log_buffer_write(&writer, 0, nil, 1) == TICKLOG_NULL)
        #expect(ticklog_log_buffer_write(&writer, 0, nil, 0) == TICKLOG_OK)
        #expect(ticklog_log_buffer_write(&writer, 0, buffer.memory, -1) == TICKLOG_TOO_LARGE)
        #expect(ticklog_log_buffer_write(&writer, 0, buffer.memory, 113) == TICKLOG_TOO_LARGE)
        #expect(ticklog_log_buffer_write(&writer, 0, buffer.memory, 112) == TICKLOG_OK)
    }

    @Test func `threads that read at full speed see every record whole`() throws {
        let capacity = 4096
        let buffer = Buffer(capacity)
        nonisolated(unsafe) var writer = buffer.writer()
        let records = 200_000
        let workers = try (0..<3).map { _ in
            nonisolated(unsafe) var reader = try buffer.reader()
            return Worker {
                var out = [UInt8](repeating: 0, count: 64)
                var last = -1
                while last < records - 1 {
                    switch reader.read(into: &out, room: 64) {
                    case .record(let timestamp, let size, let sequence):
                        let whole = out[..<size].allSatisfy { $0 == UInt8(truncatingIfNeeded: sequence) }
                        if !whole || timestamp != UInt64(sequence) || Int(sequence) <= last || size != Int(sequence % 64) {
                            #expect(Bool(false), "record \(sequence) behind \(last) is not whole")
                            return
                        }
                        last = Int(sequence)
                    case .none: sched_yield()
                    default:
                        #expect(Bool(false), "damage")
                        return
                    }
                }
                #expect(reader.read + reader.lost == UInt64(records))
            }
        }
        let producer = Worker {
            for number in 0..<records {
                let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 64)
                _ = writer.write(timestamp: UInt64(number), payload: bytes, size: number % 64)
            }
        }
        producer.join()
        for worker in workers { worker.join() }
        #expect(buffer.isGuarded)
    }
}
