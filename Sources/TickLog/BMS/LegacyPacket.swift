/// The Packet that racks sent before there were DataPackets, little-endian, without a length in front (spec: PACKETS, 2).
public struct LegacyPacket {
    public static let headerBytes = 16
    public static let mostWords = PacketWords.most
    public static let mostBytes = headerBytes + 4 * mostWords

    /// Seconds, bit for bit as they came: any number, not only one that is finite.
    public var time: Double
    public var rack: Int32
    public var words: PacketWords

    public init(time: Double, rack: Int32, words: PacketWords = PacketWords()) {
        self.time = time
        self.rack = rack
        self.words = words
    }

    public var bytes: Int { LegacyPacket.headerBytes &+ words.bytes }

    /// What a stream of bytes has at a place.
    public enum Step {
        /// Nothing can be said with fewer than so many bytes from there on.
        case needs(Int)
        /// A packet, with all its bytes; the words lie in the stream.
        case packet(LegacyPacket, bytes: Int)
    }

    /// Reads the packet at a place. Throws if its count is beyond the limit; the stream has then no further place to go on
    /// from. Errors' offsets count from the start of `bytes`.
    @inline(__always)
    public static func step(_ bytes: FileBytes, at offset: Int = 0) throws(FormatError) -> Step {
        let there = bytes.count &- offset
        guard there >= headerBytes else { return .needs(headerBytes) }
        let count = bytes.u32(at: offset &+ 12)
        guard count <= UInt32(mostWords) else {
            throw FormatError(
                .message, at: offset + 12, expected: "a count of at most 65536 words", found: .number(UInt64(count)))
        }
        let whole = headerBytes &+ 4 &* Int(count)
        guard there >= whole else { return .needs(whole) }
        return .packet(
            LegacyPacket(
                time: Double(bitPattern: bytes.u64(at: offset)), rack: Int32(bitPattern: bytes.u32(at: offset &+ 8)),
                words: PacketWords(at: bytes.start + (offset &+ headerBytes), count: Int(count))),
            bytes: whole)
    }

    /// Stores the packet: `bytes` bytes. Words that lie in their place there stay; others may not lie in `out`.
    @inline(__always)
    public func store(to out: UnsafeMutableRawPointer) {
        words.store(to: out + LegacyPacket.headerBytes)
        out.store(time.bitPattern)
        out.store(rack, at: 8)
        out.store(UInt32(truncatingIfNeeded: words.count), at: 12)
    }
}
