import Synchronization

/// One of any number of readers of a log buffer, with a cursor of its own. The buffer's memory may be mapped read-only.
///
/// It trusts nothing that it finds there: whatever the memory says, it reads only inside of it, and every call ends after a
/// bounded number of steps (spec: PACKETS, 6).
public struct LogBufferReader {
    public enum Start: Sendable {
        /// At the oldest record that there is.
        case oldest
        /// Behind the newest one.
        case newest
    }

    public enum Outcome {
        case record(timestamp: UInt64, size: Int, sequence: UInt32)
        /// There is none now, or the writer was faster at every try.
        case none
        /// There is none, and the writer has said that none will come.
        case closed
        /// The next record needs so many bytes. It stays the next one.
        case needs(Int)
        /// The memory contradicts itself, or begins anew.
        case damaged
    }

    /// How often a call looks anew before it gives up for now.
    private static let mostTries = 8

    private let memory: LogBufferMemory
    private var position: UInt64 = 0
    private var expected: UInt32 = 0
    /// Records that were read.
    public private(set) var read: UInt64 = 0
    /// Records that were overwritten before they could be read: known when the next one is read.
    public private(set) var lost: UInt64 = 0
    /// How often the writer has overtaken this reader.
    public private(set) var overtaken: UInt64 = 0

    /// `start` is 8-aligned. A cursor at the oldest record: `seek` moves it.
    public init(_ start: UnsafeRawPointer, bytes: Int) throws(FormatError) {
        memory = try LogBufferMemory.found(start, bytes: bytes)
    }

    public var capacity: Int { memory.capacity }
    /// No payload is larger.
    public var mostPayloadBytes: Int { memory.mostPayloadBytes }
    /// Records that the writer has written since the buffer was made.
    public var written: UInt64 { memory.count.load() }
    /// Bytes from the cursor to the end, unless they are overwritten already.
    public var behind: UInt64 {
        let end = memory.end.load()
        return end > position ? end - position : 0
    }

    /// Moves the cursor. What is passed over does not count as lost; what is overwritten from now on does.
    /// - Returns: false, and the cursor stays, if the memory contradicts itself; nil if the writer was faster at every try.
    public mutating func seek(_ to: Start) -> Bool? {
        var tries = 0
        while tries < 8 * LogBufferReader.mostTries {
            tries &+= 1
            let newest = memory.newest.load()
            let end = memory.end.load()
            let oldest = memory.oldest.load()
            guard (newest | end | oldest) & 7 == 0 else { return false }
            if oldest > end { continue }
            // The newest is known a moment after it is there. A writer that was ended may have left it behind for ever.
            if to == .newest, newest < oldest, oldest < end, tries < LogBufferReader.mostTries { continue }
            var at = to == .newest && newest > oldest && newest < end ? newest : oldest
            if at == end {
                // No record can be read. The count is that of `end`: the writer gives up the last record, if at all, after
                // it has counted it.
                let count = memory.count.load()
                if memory.end.load() != end { continue }
                position = end
                expected = UInt32(truncatingIfNeeded: count)
                return true
            }
            guard end - at <= UInt64(memory.capacity) else { return false }
            var found = memory.look(at, before: end)
            if case .unused(let bytes) = found {
                at += UInt64(bytes)
                found = memory.look(at, before: end)
            }
            if isOverwritten(at) { continue }
            guard case .record(let record) = found else { return false }
            position = to == .newest ? at + UInt64(record.bytes) : at
            expected = to == .newest ? record.sequence &+ 1 : record.sequence
            return true
        }
        return nil
    }

    /// Whether what was loaded at a position may be another record's bytes.
    @inline(__always)
    private func isOverwritten(_ position: UInt64) -> Bool {
        // No load of the record may be done behind that of `oldest`.
        atomicMemoryFence(ordering: .acquiring)
        return memory.oldest.load() > position
    }

    /// Copies the payload of the next record to `out`, which has `room` bytes, and moves behind it. Time: linear in the
    /// payload. After `.needs`, `.none` and `.damaged`, what `out` holds means nothing.
    @inline(__always)
    public mutating func read(into out: UnsafeMutableRawPointer, room: Int) -> Outcome {
        next(room) { (memory, position, size) in memory.copy(position, size, to: out) }
    }

    /// Passes over the next record. It counts as read.
    public mutating func skip() -> Outcome { next(.max) { (_, _, _) in } }

    @inline(__always)
    private mutating func next(_ room: Int, _ copy: (LogBufferMemory, UInt64, Int) -> Void) -> Outcome {
        var tries = 0
        while tries < LogBufferReader.mostTries {
            tries &+= 1
            let end = memory.end.load()
            if position == end { return memory.isClosed && memory.end.load() == end ? .closed : .none }
            let oldest = memory.oldest.load()
            guard (end | oldest) & 7 == 0 else { return .damaged }
            if position < oldest {
                overtaken &+= 1
                position = oldest
                continue
            }
            guard position < end, end &- position <= UInt64(memory.capacity) else { return .damaged }
            switch memory.look(position, before: end) {
            case .unused(let bytes):
                if !isOverwritten(position) {
                    position &+= UInt64(bytes)
                    continue
                }
            case .nonsense:
                if !isOverwritten(position) { return .damaged }
            case .record(let record):
                if record.size > room {
                    if !isOverwritten(position) { return .needs(record.size) }
                } else {
                    copy(memory, position, record.size)
                    if !isOverwritten(position) {
                        lost &+= UInt64(record.sequence &- expected)
                        expected = record.sequence &+ 1
                        position &+= UInt64(record.bytes)
                        read &+= 1
                        return .record(timestamp: record.timestamp, size: record.size, sequence: record.sequence)
                    }
                }
            }
            // The writer was faster. The oldest record would be gone again just as soon: go on where there is most time.
            let newest = memory.newest.load()
            guard newest & 7 == 0 else { return .damaged }
            overtaken &+= 1
            position = max(newest, memory.oldest.load())
        }
        return .none
    }
}
