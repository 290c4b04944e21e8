import Foundation
import Testing
@testable import TickLog
@testable import TickLogHost

@Suite struct MirroredRingTests {
    @Test func `a byte is seen in both places, and a range over the end lies in one piece`() throws {
        let ring = try MirroredRing(least: 100_000)
        #expect(ring.capacity == 131_072)
        for at in [0, 1, 65535, 131_071] {
            ring.start.storeBytes(of: UInt8(at & 0xFF ^ 0x5A), toByteOffset: at, as: UInt8.self)
            #expect(ring.start.load(fromByteOffset: at + ring.capacity, as: UInt8.self) == UInt8(at & 0xFF ^ 0x5A))
        }
        let position = UInt64(ring.capacity) * 1_000_003 - 3
        let text = Array("over the end".utf8)
        ring.at(position).copyMemory(from: text, byteCount: text.count)
        for i in 0..<text.count {
            #expect(ring.at(position + UInt64(i)).load(as: UInt8.self) == text[i])
        }
    }

    @Test func `a ring that no machine has is refused`() {
        #expect(throws: FileError.self) { _ = try MirroredRing(least: Int.max / 4) }
    }
}

@Suite struct SPSCQueueTests {
    @Test func `another thread takes the entries as they were put`() {
        let queue = SPSCQueue<ChannelEntry>(least: 64)
        let count: UInt64 = 300_000
        let worker = Worker {
            var next: UInt64 = 0
            while next < count {
                guard queue.hasRoom(2) else {
                    queue.publish()
                    continue
                }
                queue.add(ChannelEntry(position: next, a: next &* 3, b: ~next, bytes: UInt32(truncatingIfNeeded: next), flags: 7, kind: .late))
                next += 1
                if next % 5 == 0 { queue.publish() }
            }
            queue.publish()
        }
        var taken: UInt64 = 0
        var wrong = 0
        while taken < count {
            guard let entry = queue.take() else {
                queue.release()
                continue
            }
            if entry.position != taken || entry.a != taken &* 3 || entry.b != ~taken || entry.kind != .late { wrong += 1 }
            taken += 1
            if taken % 7 == 0 { queue.release() }
        }
        worker.join()
        #expect(wrong == 0)
        #expect(queue.take() == nil)
    }

    @Test func `a full queue has no room until something is released`() {
        let queue = SPSCQueue<ChannelEntry>(least: 16)
        for i in 0..<16 {
            #expect(queue.hasRoom(1))
            queue.add(ChannelEntry(position: UInt64(i), a: 0, b: 0, bytes: 0, flags: 0, kind: .frame))
        }
        #expect(!queue.hasRoom(1))
        queue.publish()
        #expect(queue.take()?.position == 0)
        #expect(!queue.hasRoom(1))
        queue.release()
        #expect(queue.hasRoom(1))
        #expect(!queue.hasRoom(2))
    }
}

@Suite struct ChannelTests {
    let make = FrameMaker()

    /// What a channel makes of a stream in parts: the accepted frames' bytes, and the entries' kinds.
    func take(_ bytes: [UInt8], parts: (Int) -> Int, channel: Channel) -> (kept: [UInt8], kinds: [ChannelEntry.Kind]) {
        var kept: [UInt8] = []
        var kinds: [ChannelEntry.Kind] = []
        var at = 0
        func drain() {
            let scanned = channel.publishedScanned.load()
            while let entry = channel.queue.take() {
                if entry.kind != .damage { kinds.append(entry.kind) }
                if entry.bytes > 0 {
                    kept += Array(UnsafeRawBufferPointer(start: channel.ring.at(entry.position), count: Int(entry.bytes)))
                }
            }
            channel.queue.release()
            channel.publishedReleased.store(scanned)
        }
        while at < bytes.count {
            guard let room = channel.room(1) else {
                drain()
                continue
            }
            let count = min(parts(at), bytes.count - at, room.count)
            bytes.withUnsafeBytes { room.baseAddress!.copyMemory(from: $0.baseAddress! + at, byteCount: count) }
            channel.took(count)
            at += count
            drain()
        }
        channel.ended()
        drain()
        return (kept, kinds)
    }

    func stream() -> (bytes: [UInt8], good: [UInt8]) {
        var bytes: [UInt8] = []
        var good: [UInt8] = []
        for sequence: UInt64 in [0, 1, 4, 2, 2, 5] {
            let frame = make.chunk(sequence, 0, UInt32(sequence), of: 6)
            bytes += frame
            if !(sequence == 2 && good.suffix(frame.count) == frame[...]) { good += frame }
        }
        bytes += [1, 2, 3, 0xD3, 0x91]
        var bad = make.chunk(6, 1, 0, of: 2)
        bad[70] ^= 1
        bytes += bad
        let last = make.chunk(7, 1, 1, of: 2)
        bytes += last + last[..<50]
        return (bytes, good + last)
    }

    @Test func `every split of a stream gives the same frames and counts`() throws {
        let (bytes, good) = stream()
        for size in 1...bytes.count {
            let channel = try Channel(number: 0, ringBytes: 65536, maxPayload: 4096, lateLimit: 1024)
            let found = take(bytes, parts: { _ in size }, channel: channel)
            #expect(found.kept == good, "parts of \(size)")
            #expect(found.kinds == [.frame, .frame, .gap, .frame, .late, .frame, .gap, .frame], "parts of \(size)")
            let report = ChannelReport(channel)
            #expect(report.frames == 6 && report.duplicates == 1 && report.late == 1 && report.gaps == 2 && report.missing == 2)
            #expect(report.payloadCRC == 1 && report.skippedBytes == 5 && report.truncated == 50 && report.headerCRC == 0)
            #expect(report.taken == UInt64(bytes.count) && report.bytes == UInt64(good.count))
        }
    }

    @Test func `bytes go round the ring many times and stay what they were`() throws {
        var random = SeededRandom()
        print("seed \(random.seed)")
        let channel = try Channel(number: 0, ringBytes: 65536, maxPayload: 20000, lateLimit: 1024)
        var bytes: [UInt8] = []
        for sequence: UInt64 in 0..<300 {
            bytes += make.frame(sequence, payload: (0...random.below(20000)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ Int(sequence)) })
        }
        #expect(bytes.count > 10 * channel.ringBytes)
        let found = take(bytes, parts: { _ in 1 + random.below(30000) }, channel: channel)
        #expect(found.kept == bytes, "seed \(random.seed)")
    }

    @Test func `a ring that nobody empties has no room: nothing is overwritten`() throws {
        let channel = try Channel(number: 0, ringBytes: 65536, maxPayload: 1000, lateLimit: 1024)
        let frame = make.frame(0, payload: [UInt8](repeating: 9, count: 1000))
        var taken = 0
        while channel.take(message: UnsafeRawBufferPointer(start: frame, count: frame.count)) { taken += 1 }
        #expect(taken == 65536 / 1040)
        #expect(channel.room(1040) == nil)
        #expect(channel.position == UInt64(taken * 1040))
        channel.publishedReleased.store(1040)
        #expect(channel.take(message: UnsafeRawBufferPointer(start: frame, count: frame.count)))
        #expect(ChannelReport(channel).pauses == 1)
    }

    @Test func `the queue of entries is full before the ring: what was taken is looked at later`() throws {
        let channel = try Channel(number: 0, ringBytes: 1 << 20, maxPayload: 1000, lateLimit: 1024)
        var bytes: [UInt8] = []
        for sequence: UInt64 in 0..<8000 { bytes += make.frame(sequence, payload: [1]) }
        let room = try #require(channel.room(bytes.count))
        room.baseAddress!.copyMemory(from: bytes, byteCount: bytes.count)
        channel.took(bytes.count)
        #expect(channel.room(1) == nil)
        var frames: UInt64 = 0
        while frames < 8000 {
            var got = 0
            while let entry = channel.queue.take() {
                #expect(entry.a == frames)
                frames += 1
                got += 1
            }
            try #require(got > 0)
            channel.queue.release()
            _ = channel.room(1)
        }
        #expect(channel.room(1) != nil)
    }
}
