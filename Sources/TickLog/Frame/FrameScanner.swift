/// Finds the frames in a stream of bytes, however it was split, and counts what is none (spec: FRAMES, 2).
///
/// The bytes stay where they are: the caller shows what he has, and moves on by what was consumed. A frame whose header
/// is bad is searched through, from the byte behind its magic's first; one whose payload is bad is left out whole, since
/// its length is known to be right.
public struct FrameScanner {
    public struct Counts {
        public internal(set) var frames: UInt64 = 0
        /// All bytes of whole frames, headers included.
        public internal(set) var frameBytes: UInt64 = 0
        /// Bytes that belong to no frame with a good header.
        public internal(set) var skippedBytes: UInt64 = 0
        public internal(set) var headerCRC: UInt64 = 0
        public internal(set) var versions: UInt64 = 0
        public internal(set) var lengths: UInt64 = 0
        public internal(set) var payloadCRC: UInt64 = 0
        /// Bytes of an unfinished frame at the end.
        public internal(set) var truncatedBytes: UInt64 = 0
    }

    public enum Step {
        /// A whole frame at the start of the bytes.
        case frame(FrameHeader)
        /// The bytes at the start are no frame, or a bad one: they are counted, and to be passed over.
        case passed
        /// Nothing can be said before there are so many bytes.
        case needs(Int)
    }

    /// The most bytes that a payload may have.
    public let maxPayload: UInt32
    public internal(set) var counts = Counts()
    private let crc: CRC32C
    /// The header at the start of the bytes that come next was found good, and its frame has so many bytes.
    private var pending: FrameHeader?

    public init(maxPayload: UInt32, crc: CRC32C = CRC32C()) {
        self.maxPayload = maxPayload
        self.crc = crc
    }

    /// Looks at the start of `bytes`. `consumed` is how many of them the step covers; the next call begins behind them,
    /// with at least what is left.
    public mutating func step(_ bytes: FileBytes, _ consumed: inout Int) -> Step {
        consumed = 0
        let header: FrameHeader
        if let pending {
            header = pending
        } else {
            consumed = magic(in: bytes)
            if consumed > 0 {
                counts.skippedBytes &+= UInt64(consumed)
                return .passed
            }
            guard bytes.count >= FrameHeader.bytes else { return .needs(FrameHeader.bytes) }
            guard let found = FrameHeader(bytes.start, crc) else {
                counts.headerCRC &+= 1
                return pass(&consumed)
            }
            guard found.version == FrameHeader.version else {
                counts.versions &+= 1
                return pass(&consumed)
            }
            guard found.payloadBytes > 0, found.payloadBytes <= maxPayload else {
                counts.lengths &+= 1
                return pass(&consumed)
            }
            header = found
        }
        let whole = FrameHeader.bytes + Int(header.payloadBytes)
        guard bytes.count >= whole else {
            pending = header
            return .needs(whole)
        }
        pending = nil
        consumed = whole
        guard crc.of(bytes.start + FrameHeader.bytes, Int(header.payloadBytes)) == header.payloadCRC else {
            counts.payloadCRC &+= 1
            return .passed
        }
        counts.frames &+= 1
        counts.frameBytes &+= UInt64(whole)
        return .frame(header)
    }

    /// The input ended, with `rest` bytes that were not consumed.
    public mutating func end(_ rest: Int) {
        pending = nil
        counts.truncatedBytes &+= UInt64(rest)
    }

    /// What follows does not continue the bytes so far; the caller has kept those that were not consumed, to show them again.
    public mutating func interrupt() { pending = nil }

    /// The bytes came as one message, and the `rest` that was not consumed has no whole frame: it is a frame that was cut,
    /// or none at all.
    public mutating func endMessage(_ rest: Int) {
        if pending != nil { counts.truncatedBytes &+= UInt64(rest) } else { counts.skippedBytes &+= UInt64(rest) }
        pending = nil
    }

    private mutating func pass(_ consumed: inout Int) -> Step {
        consumed = 1
        counts.skippedBytes &+= 1
        return .passed
    }

    /// How many bytes stand before the first place where the magic is, or could begin at the end.
    private func magic(in bytes: FileBytes) -> Int {
        let magic = FrameHeader.magic.bigEndian
        var at = 0
        // Proof of bounds: at + 8 <= count.
        while bytes.count &- at >= 8 {
            if bytes.start.load(UInt64.self, at: at) == magic { return at }
            at &+= 1
        }
        while at < bytes.count {
            var same = 0
            while at + same < bytes.count, bytes[at + same] == UInt8(truncatingIfNeeded: magic >> UInt64(8 * same)) { same += 1 }
            if at + same == bytes.count { return at }
            at += 1
        }
        return at
    }
}
