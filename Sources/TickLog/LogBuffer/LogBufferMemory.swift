import Synchronization

/// The memory of a log buffer: a header of 128 bytes, and a ring of a power of two (spec: PACKETS, 6).
///
/// Positions count the bytes that were ever written, so that full and empty cannot be mixed up; the place of one in the
/// ring is the position modulo the capacity. All words are loaded and stored as atomics: who reads them may be
/// overtaken by the writer at any moment, and looks afterwards whether that happened.
struct LogBufferMemory {
    static let headerBytes = 128
    /// "TLLOGBUF"
    static let magic: UInt64 = 0x4655_4247_4F4C_4C54
    static let version: UInt32 = 1
    static let leastCapacity = 64
    static let mostCapacity = 1 << 30
    /// In the place of a record's size: the rest of the ring is not used, the next record is at its start.
    static let wrap: UInt32 = .max

    #if _pointerBitWidth(_64)
    typealias Word = UInt64
    #else
    typealias Word = UInt32
    #endif
    static let wordBytes = MemoryLayout<Word>.size

    let start: UnsafeRawPointer
    let capacity: Int

    /// For memory that has such a header: see `found`.
    @inline(__always)
    init(_ start: UnsafeRawPointer, capacity: Int) {
        self.start = start
        self.capacity = capacity
    }

    static func isCapacity(_ capacity: Int) -> Bool {
        capacity >= leastCapacity && capacity <= mostCapacity && capacity & (capacity - 1) == 0
    }

    /// The largest payload: a record has at most half of the ring, so that it always fits behind the one before it.
    @inline(__always)
    var mostPayloadBytes: Int { capacity / 2 &- LogRecord.headerBytes }

    /// Looks for a header in any bytes, at least 8-aligned. Every field is loaded once.
    static func found(_ start: UnsafeRawPointer, bytes: Int) throws(FormatError) -> LogBufferMemory {
        guard bytes >= headerBytes else {
            throw FormatError(.torn, at: max(bytes, 0), expected: "a log buffer's header of 128 bytes", found: .end)
        }
        var magic: UInt64 = 0
        var i = 0
        while i < 8 {
            magic |= UInt64(load(UInt32.self, start + i)) << UInt64(8 &* i)
            i &+= 4
        }
        // The magic is stored last.
        atomicMemoryFence(ordering: .acquiring)
        guard magic == LogBufferMemory.magic else {
            throw FormatError(.wrongFormat, at: 0, expected: "\"TLLOGBUF\"", found: .hex(magic))
        }
        let version = load(UInt32.self, start + 8)
        guard version == LogBufferMemory.version else {
            throw FormatError(.unsupported, at: 8, expected: "version 1", found: .number(UInt64(version)))
        }
        let word = load(UInt32.self, start + 12)
        guard word == UInt32(wordBytes) else {
            throw FormatError(.unsupported, at: 12, expected: "words of this machine's size", found: .number(UInt64(word)))
        }
        let capacity = load(UInt32.self, start + 16)
        guard capacity <= UInt32(mostCapacity), isCapacity(Int(capacity)) else {
            throw FormatError(
                .header, at: 16, expected: "a power of two from 64 to 2^30", found: .number(UInt64(capacity)))
        }
        guard bytes - headerBytes >= Int(capacity) else {
            throw FormatError(.torn, at: bytes, expected: "as many bytes as the capacity tells", found: .end)
        }
        return LogBufferMemory(start, capacity: Int(capacity))
    }

    // MARK: The numbers

    /// Where the next record goes: all before it is whole.
    @inline(__always) var end: SharedNumber { SharedNumber(start + 64) }
    /// Where the oldest record begins that is not overwritten, nor about to be.
    @inline(__always) var oldest: SharedNumber { SharedNumber(start + 80) }
    /// Where the newest record begins; it may lag behind `end` by one record.
    @inline(__always) var newest: SharedNumber { SharedNumber(start + 96) }
    /// How many records there ever were; it may lag behind by one.
    @inline(__always) var count: SharedNumber { SharedNumber(start + 112) }

    /// Whether the writer has said that it writes no more.
    var isClosed: Bool {
        (start + 20).assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .acquiring) != 0
    }

    // MARK: Words

    @inline(__always)
    static func load(_ type: UInt32.Type, _ at: UnsafeRawPointer) -> UInt32 {
        at.assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .relaxed)
    }

    @inline(__always)
    private func place(_ position: UInt64) -> UnsafeRawPointer {
        start + (LogBufferMemory.headerBytes &+ offset(position))
    }

    /// A position's offset in the ring.
    @inline(__always)
    func offset(_ position: UInt64) -> Int { Int(truncatingIfNeeded: position) & (capacity &- 1) }

    @inline(__always)
    private func load(_ at: UnsafeRawPointer) -> Word {
        at.assumingMemoryBound(to: Atomic<Word>.self).pointee.load(ordering: .relaxed)
    }

    @inline(__always)
    private func store(_ value: Word, _ at: UnsafeRawPointer) {
        UnsafeMutableRawPointer(mutating: at).assumingMemoryBound(to: Atomic<Word>.self).pointee
            .store(value, ordering: .relaxed)
    }

    @inline(__always)
    private func load64(_ at: UnsafeRawPointer) -> UInt64 {
        #if _pointerBitWidth(_64)
        load(at)
        #else
        UInt64(load(at)) | UInt64(load(at + 4)) << 32
        #endif
    }

    @inline(__always)
    private func store64(_ value: UInt64, _ at: UnsafeRawPointer) {
        #if _pointerBitWidth(_64)
        store(value, at)
        #else
        store(Word(truncatingIfNeeded: value), at)
        store(Word(truncatingIfNeeded: value >> 32), at + 4)
        #endif
    }

    // MARK: Records

    /// What stands at a position.
    enum Found {
        case record(Header)
        /// Nothing for so many bytes: the next record is at the start of the ring.
        case unused(Int)
        /// Nothing that a writer stores, or it was overwritten meanwhile.
        case nonsense
    }

    struct Header {
        let timestamp: UInt64
        let size: Int
        let sequence: UInt32
        /// With the header and the padding.
        let bytes: Int
    }

    /// Looks at a position that is a multiple of 8 and less than `limit`, which is at most a capacity behind it. What is
    /// found lies in the ring in one piece, and before `limit`.
    @inline(__always)
    func look(_ position: UInt64, before limit: UInt64) -> Found {
        let offset = offset(position)
        let tail = capacity &- offset
        let room = Int(truncatingIfNeeded: limit &- position)
        let at = start + (LogBufferMemory.headerBytes &+ offset)
        if tail >= LogRecord.headerBytes {
            let word = load64(at + 8)
            let size = UInt32(truncatingIfNeeded: word)
            if size != LogBufferMemory.wrap {
                guard size <= UInt32(mostPayloadBytes) else { return .nonsense }
                let bytes = LogRecord.bytes(payload: Int(size))
                guard bytes <= tail, bytes <= room else { return .nonsense }
                return .record(
                    Header(
                        timestamp: load64(at), size: Int(size), sequence: UInt32(truncatingIfNeeded: word >> 32),
                        bytes: bytes))
            }
        }
        // A record follows it.
        return offset > 0 && tail < room ? .unused(tail) : .nonsense
    }

    /// Copies a payload of `size` bytes that `look` has found at `position`.
    @inline(__always)
    func copy(_ position: UInt64, _ size: Int, to out: UnsafeMutableRawPointer) {
        let at = place(position) + LogRecord.headerBytes
        var i = 0
        while size &- i >= LogBufferMemory.wordBytes {
            out.store(load(at + i), at: i)
            i &+= LogBufferMemory.wordBytes
        }
        guard i < size else { return }
        // The rest of the word is padding.
        var last = load(at + i)
        while i < size {
            out.store(UInt8(truncatingIfNeeded: last), at: i)
            last >>= 8
            i &+= 1
        }
    }

    /// Stores a record, whose room is in one piece.
    @inline(__always)
    func store(_ position: UInt64, timestamp: UInt64, sequence: UInt32, payload: UnsafeRawPointer, size: Int) {
        let at = place(position)
        store64(timestamp, at)
        store64(UInt64(sequence) << 32 | UInt64(UInt32(truncatingIfNeeded: size)), at + 8)
        let to = at + LogRecord.headerBytes
        var i = 0
        while size &- i >= LogBufferMemory.wordBytes {
            store(payload.load(Word.self, at: i), to + i)
            i &+= LogBufferMemory.wordBytes
        }
        if i < size {
            var last: Word = 0
            var shift: Word = 0
            let word = i
            while i < size {
                last |= Word(payload.load(UInt8.self, at: i)) &<< shift
                shift &+= 8
                i &+= 1
            }
            store(last, to + word)
            i = word &+ LogBufferMemory.wordBytes
        }
        if i & 7 != 0 { store(0, to + i) }
    }

    /// Marks the rest of the ring as unused, at least 16 bytes.
    @inline(__always)
    func storeWrap(_ position: UInt64, sequence: UInt32) {
        let at = place(position)
        store64(0, at)
        store64(UInt64(sequence) << 32 | UInt64(LogBufferMemory.wrap), at + 8)
    }
}
