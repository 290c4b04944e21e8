import Synchronization

/// The one writer of a log buffer. It never waits: what is oldest is overwritten (spec: PACKETS, 6).
///
/// The order of a seqlock makes that safe. Before a byte of a record is stored, `oldest` says which records go for it; the
/// record is published by one store of `end`, when it is whole. A reader that has copied a record looks at `oldest` again.
public struct LogBufferWriter {
    private let memory: LogBufferMemory
    private var end: UInt64
    private var oldest: UInt64
    private var count: UInt64

    /// Bytes of a buffer, or nil if the capacity is not a power of two from 64 to 2^30.
    public static func bytes(capacity: Int) -> Int? {
        LogBufferMemory.isCapacity(capacity) ? LogBufferMemory.headerBytes + capacity : nil
    }

    /// Makes an empty buffer. `memory` is 8-aligned and has `bytes(capacity:)`; nobody reads it.
    public init(creating memory: UnsafeMutableRawPointer, capacity: Int) {
        precondition(LogBufferMemory.isCapacity(capacity))
        // Who looks too early finds no buffer.
        LogBufferWriter.store(0, memory)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        var i = 4
        while i < LogBufferMemory.headerBytes {
            LogBufferWriter.store(0, memory + i)
            i &+= 4
        }
        LogBufferWriter.store(LogBufferMemory.version, memory + 8)
        LogBufferWriter.store(UInt32(LogBufferMemory.wordBytes), memory + 12)
        LogBufferWriter.store(UInt32(capacity), memory + 16)
        LogBufferWriter.store(UInt32(truncatingIfNeeded: LogBufferMemory.magic >> 32), memory + 4)
        atomicMemoryFence(ordering: .releasing)
        LogBufferWriter.store(UInt32(truncatingIfNeeded: LogBufferMemory.magic), memory)
        self.memory = LogBufferMemory(memory, capacity: capacity)
        end = 0
        oldest = 0
        count = 0
    }

    /// Goes on where a writer has ended, or was ended, in the middle of a record or not: all that was published stays, and
    /// the numbers go on. `start` is 8-aligned. Throws if it is no buffer, or its records contradict each other.
    public init(continuing start: UnsafeMutableRawPointer, bytes: Int) throws(FormatError) {
        memory = try LogBufferMemory.found(start, bytes: bytes)
        end = memory.end.load()
        oldest = memory.oldest.load()
        count = memory.count.load()
        guard (end | oldest) & 7 == 0, oldest <= end, end - oldest <= UInt64(memory.capacity) else {
            throw FormatError(.header, at: 64, expected: "positions of one ring", found: .number(end))
        }
        var at = oldest
        var newest: UInt64?
        var next = UInt32(truncatingIfNeeded: count)
        while at < end {
            switch memory.look(at, before: end) {
            case .unused(let bytes): at += UInt64(bytes)
            case .record(let record) where newest == nil || record.sequence == next:
                newest = at
                next = record.sequence &+ 1
                at += UInt64(record.bytes)
            default:
                throw FormatError(
                    .header, at: LogBufferMemory.headerBytes + memory.offset(at), expected: "a record", found: .number(at))
            }
        }
        // The count is stored behind the end: it may not have come to that.
        let ahead = next &- UInt32(truncatingIfNeeded: count)
        guard ahead <= 1 else {
            throw FormatError(.header, at: 112, expected: "the number of records", found: .number(count))
        }
        count &+= UInt64(ahead)
        if let newest { memory.newest.store(newest) }
        memory.count.store(count)
        LogBufferWriter.store(0, start + 20)
    }

    private static func store(_ value: UInt32, _ at: UnsafeMutableRawPointer) {
        at.assumingMemoryBound(to: Atomic<UInt32>.self).pointee.store(value, ordering: .relaxed)
    }

    public var capacity: Int { memory.capacity }
    /// The largest payload: half of the capacity with its header.
    public var mostPayloadBytes: Int { memory.mostPayloadBytes }
    /// Records that were ever written.
    public var records: UInt64 { count }
    /// Bytes of the ring that hold records which can be read.
    public var heldBytes: UInt64 { end - oldest }

    /// Writes a record. Time: linear in the payload, and in the number of records that it overwrites.
    /// - Returns: false, and nothing is written, if it is larger than `mostPayloadBytes`.
    @inline(__always)
    public mutating func write(timestamp: UInt64, payload: UnsafeRawPointer, size: Int) -> Bool {
        guard size >= 0, size <= memory.mostPayloadBytes else { return false }
        let bytes = LogRecord.bytes(payload: size)
        let tail = memory.capacity &- memory.offset(end)
        let start = bytes > tail ? end &+ UInt64(tail) : end
        let next = start &+ UInt64(bytes)
        let sequence = UInt32(truncatingIfNeeded: count)
        if next &- oldest > UInt64(memory.capacity) { giveUp(next &- UInt64(memory.capacity)) }
        if start != end, tail >= LogRecord.headerBytes { memory.storeWrap(end, sequence: sequence) }
        memory.store(start, timestamp: timestamp, sequence: sequence, payload: payload, size: size)
        end = next
        count &+= 1
        memory.end.store(next)
        memory.newest.store(start)
        memory.count.store(count)
        return true
    }

    /// Says that the records before `position` are going to be overwritten.
    @inline(__always)
    private mutating func giveUp(_ position: UInt64) {
        repeat {
            switch oldest < end ? memory.look(oldest, before: end) : .nonsense {
            case .record(let record): oldest &+= UInt64(record.bytes)
            case .unused(let bytes): oldest &+= UInt64(bytes)
            // Someone else has written into the memory.
            case .nonsense: oldest = end
            }
        } while oldest < position && oldest < end
        memory.oldest.store(oldest)
        // No store of the record may be seen before that of `oldest`.
        atomicMemoryFence(ordering: .releasing)
    }

    /// Tells readers that nothing more will come.
    public func close() {
        UnsafeMutableRawPointer(mutating: memory.start + 20).assumingMemoryBound(to: Atomic<UInt32>.self).pointee
            .store(1, ordering: .releasing)
    }
}
