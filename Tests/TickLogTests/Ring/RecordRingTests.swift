import Foundation
import Synchronization
import Testing

@testable import TickLog

/// A ring in memory of its own.
final class Ring {
    let indices: UnsafeMutablePointer<RingIndices>
    let base: UnsafeMutableRawPointer
    let capacity: UInt32
    var producer: RingProducer
    var consumer: RingConsumer

    init(_ capacity: UInt32) {
        self.capacity = capacity
        indices = .allocate(capacity: 1)
        indices.initialize(to: RingIndices())
        // Bytes behind the ring that nobody may touch.
        base = .allocate(byteCount: Int(capacity) + 64, alignment: 8)
        base.initializeMemory(as: UInt8.self, repeating: 0xA5, count: Int(capacity) + 64)
        producer = RingProducer(indices: indices, base: base, capacity: capacity)
        consumer = RingConsumer(indices: indices, base: base, capacity: capacity)
    }

    deinit {
        indices.deinitialize(count: 1)
        indices.deallocate()
        base.deallocate()
    }

    var isFenceIntact: Bool { (0..<64).allSatisfy { base.load(fromByteOffset: Int(capacity) + $0, as: UInt8.self) == 0xA5 } }

    /// Pushes a record whose bytes follow from `number`. Returns its place, or nil if it does not fit.
    func push(_ bytes: UInt32, _ number: UInt64) -> Int? {
        guard let at = producer.reserve(bytes) else { return nil }
        Ring.fill(at, bytes, number)
        producer.publish()
        return at - base
    }

    static func fill(_ at: UnsafeMutableRawPointer, _ bytes: UInt32, _ number: UInt64) {
        at.storeBytes(of: RecordHeader(bytes: bytes, kind: RecordKind.event, stream: UInt16(truncatingIfNeeded: number), tick: number), as: RecordHeader.self)
        var i = 16
        while i < Int(bytes) {
            at.storeBytes(of: number &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(i), toByteOffset: i, as: UInt64.self)
            i += 8
        }
    }

    /// Whether a record holds what `fill` put there.
    static func holds(_ record: UnsafeMutablePointer<RecordHeader>, _ bytes: UInt32, _ number: UInt64) -> Bool {
        guard record.pointee.bytes == bytes, record.pointee.tick == number,
            record.pointee.stream == UInt16(truncatingIfNeeded: number)
        else { return false }
        let at = UnsafeRawPointer(record)
        var i = 16
        while i < Int(bytes) {
            if at.load(fromByteOffset: i, as: UInt64.self) != number &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(i) { return false }
            i += 8
        }
        return true
    }
}

/// The ring as a plain queue of places, with no index arithmetic to get wrong: a map of cells that are in use.
struct RingModel {
    let capacity: Int
    var isUsed: [Bool]
    /// `pad`: where the unused end of the ring begins that the record left behind, and gives back with its own room.
    var queue: [(at: Int, bytes: Int, number: UInt64, pad: Int)] = []
    /// Where the next record begins if it fits there, and where the oldest one began last.
    var head = 0
    var tail = 0

    init(_ capacity: Int) {
        self.capacity = capacity
        isUsed = Array(repeating: false, count: capacity / 8)
    }

    /// Where a record of `bytes` belongs, or nil. A ring is never full to the last byte: it would look empty.
    func place(_ bytes: Int) -> Int? {
        func fits(_ at: Int) -> Bool {
            at + bytes <= capacity && !isUsed[at / 8..<(at + bytes) / 8].contains(true) && (at + bytes) % capacity != tail
        }
        if fits(head) { return head }
        // What it leaves behind at the end must be free as well, and holds the mark that says so.
        return !isUsed[(head / 8)...].contains(true) && bytes <= head && fits(0) ? 0 : nil
    }

    mutating func push(_ bytes: Int, _ number: UInt64) -> Int? {
        guard let at = place(bytes) else { return nil }
        let pad = at == head ? capacity : head
        for i in pad / 8..<capacity / 8 { isUsed[i] = true }
        for i in at / 8..<(at + bytes) / 8 { isUsed[i] = true }
        queue.append((at, bytes, number, pad))
        head = (at + bytes) % capacity
        return at
    }

    mutating func pop() -> (at: Int, bytes: Int, number: UInt64, pad: Int) {
        let oldest = queue.removeFirst()
        for i in oldest.pad / 8..<capacity / 8 { isUsed[i] = false }
        for i in oldest.at / 8..<(oldest.at + oldest.bytes) / 8 { isUsed[i] = false }
        tail = (oldest.at + oldest.bytes) % capacity
        return oldest
    }
}

@Suite struct RecordRingTests {
    /// One step of ring and model: pop for 0, else push so many bytes. Says what differs.
    func step(_ bytes: UInt32, _ number: UInt64, _ ring: Ring, _ model: inout RingModel) -> String? {
        if bytes > 0 {
            let at = ring.push(bytes, number)
            let expected = model.push(Int(bytes), number)
            return at == expected ? nil : "push \(bytes): at \(at.map(String.init) ?? "nowhere"), expected \(expected.map(String.init) ?? "nowhere")"
        }
        ring.consumer.refresh()
        if ring.consumer.isEmpty != model.queue.isEmpty { return "empty: \(ring.consumer.isEmpty)" }
        guard let record = ring.consumer.front() else { return model.queue.isEmpty ? nil : "nothing in front" }
        guard !model.queue.isEmpty else { return "a record that was not pushed" }
        let oldest = model.pop()
        if UnsafeMutableRawPointer(record) - ring.base != oldest.at { return "record at \(UnsafeMutableRawPointer(record) - ring.base), expected \(oldest.at)" }
        if !Ring.holds(record, UInt32(oldest.bytes), oldest.number) { return "a record's bytes changed" }
        ring.consumer.pop(record)
        return nil
    }

    @Test func `every sequence of pushes and pops gives the records back in order, in every small ring`() {
        let sizes: [UInt32] = [0, 16, 24, 32]
        let length = 7
        for capacity in stride(from: UInt32(24), through: 88, by: 8) {
            let ring = Ring(capacity)
            for sequence in 0..<Int(pow(4, Double(length))) {
                ring.indices.pointee.head.store(0, ordering: .relaxed)
                ring.indices.pointee.tail.store(0, ordering: .relaxed)
                ring.producer = RingProducer(indices: ring.indices, base: ring.base, capacity: capacity)
                ring.consumer = RingConsumer(indices: ring.indices, base: ring.base, capacity: capacity)
                var model = RingModel(Int(capacity))
                var rest = sequence
                for number in 0..<length {
                    let fault = step(sizes[rest % 4], UInt64(number), ring, &model)
                    if let fault {
                        Issue.record("capacity \(capacity), sequence \(sequence), step \(number): \(fault)")
                        return
                    }
                    rest /= 4
                }
            }
            #expect(ring.isFenceIntact)
        }
    }

    @Test func `a ring is a queue, whatever its capacity and its records' sizes`() {
        var random = SeededRandom()
        for _ in 0..<60 {
            let capacity = UInt32(24 + 8 * random.below(random.chance(1, in: 2) ? 20 : 300))
            let largest = max(2, Int(capacity) / 8 / (1 + random.below(6)))
            let ring = Ring(capacity)
            var model = RingModel(Int(capacity))
            var fill = true
            for number in 0..<1500 {
                // Long ways up and down, so that the ring is full and empty often.
                if random.chance(1, in: 40) { fill.toggle() }
                let isPush = random.chance(fill ? 3 : 1, in: 4)
                let bytes = isPush ? UInt32(16 + 8 * random.below(largest)) : 0
                if let fault = step(bytes, UInt64(number), ring, &model) {
                    Issue.record("seed \(random.seed), capacity \(capacity), step \(number): \(fault)")
                    return
                }
            }
            #expect(ring.isFenceIntact, "seed \(random.seed)")
        }
    }

    @Test func `a block fits into an empty ring of the least capacity, wherever its indices stand`() {
        for bytes in stride(from: UInt32(16), through: 264, by: 8) {
            for more in stride(from: UInt32(0), through: 24, by: 8) {
                let capacity = RingProducer.leastCapacity(bytes) + more
                // The first record leaves both indices at its end; the second one is a wrapped one's.
                for first in stride(from: UInt32(16), to: capacity, by: 8) {
                    let ring = Ring(capacity)
                    for (number, size) in [first, bytes, bytes].enumerated() {
                        guard ring.push(size, UInt64(number)) != nil else {
                            Issue.record("block of \(bytes) in \(capacity) with the indices behind \(first), record \(number)")
                            return
                        }
                        ring.consumer.refresh()
                        guard let record = ring.consumer.front(), Ring.holds(record, size, UInt64(number)) else {
                            Issue.record("block of \(bytes) in \(capacity) behind \(first) did not come back")
                            return
                        }
                        ring.consumer.pop(record)
                    }
                    #expect(ring.isFenceIntact)
                }
            }
        }
    }

    @Test func `what is reserved and not published is not seen`() {
        let ring = Ring(96)
        #expect(ring.producer.reserve(32) != nil)
        ring.consumer.refresh()
        #expect(ring.consumer.front() == nil)
        #expect(ring.consumer.isEmpty)
        // Reserving again begins at the same place.
        #expect(ring.push(24, 1) == 0)
        ring.consumer.refresh()
        #expect(ring.consumer.front()?.pointee.bytes == 24)
    }

    @Test func `the consumer gives out only what it took notice of`() {
        let ring = Ring(256)
        _ = ring.push(16, 0)
        ring.consumer.refresh()
        _ = ring.push(16, 1)
        let first = ring.consumer.front()!
        ring.consumer.pop(first)
        #expect(ring.consumer.front() == nil)
        #expect(!ring.consumer.isEmpty)
        #expect(ring.consumer.highWater == 16)
        ring.consumer.refresh()
        #expect(ring.consumer.front()?.pointee.tick == 1)
    }

    @Test(arguments: [UInt32(176), 1000, 65536]) func `two threads pass a million records on, whole and in order`(_ capacity: UInt32) {
        let count = capacity == 1000 ? 1_000_000 : 200_000
        let seed = SeededRandom().seed
        let ring = Ring(capacity)
        let giveUp = Signal()
        let producer = Worker {
            var random = SeededRandom(seed)
            var number: UInt64 = 0
            while number < count {
                let bytes = UInt32(16 + 8 * random.below(8))
                while ring.push(bytes, number) == nil {
                    if giveUp.isSet { return }
                    sched_yield()
                }
                number += 1
            }
        }
        var random = SeededRandom(seed)
        var number: UInt64 = 0
        while number < count {
            ring.consumer.refresh()
            var isIdle = true
            while let record = ring.consumer.front() {
                isIdle = false
                if !Ring.holds(record, UInt32(16 + 8 * random.below(8)), number) {
                    Issue.record("seed \(seed): record \(number) came as \(record.pointee)")
                    giveUp.set()
                    producer.join()
                    return
                }
                ring.consumer.pop(record)
                number += 1
            }
            if isIdle { sched_yield() }
        }
        producer.join()
        #expect(number == count)
        #expect(ring.consumer.isEmpty)
        #expect(ring.isFenceIntact)
    }
}
