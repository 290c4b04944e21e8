/// The 40 bytes in front of a frame's payload, all big-endian (spec: FRAMES, 1).
public struct FrameHeader {
    public static let bytes = 40
    /// No byte of it occurs twice, so that it cannot overlap itself.
    public static let magic: UInt64 = 0xD391_4C7E_A85B_F216
    public static let version: UInt8 = 1

    /// Bits of `flags`.
    public static let firstChunk: UInt16 = 1
    public static let lastChunk: UInt16 = 1 << 1
    /// The first frame since the producer started.
    public static let producerStarted: UInt16 = 1 << 13
    /// The timestamp comes from PTP.
    public static let isPTP: UInt16 = 1 << 15

    public var version = FrameHeader.version
    public var stream: UInt8
    public var flags: UInt16
    /// Of the stream, from 0.
    public var sequence: UInt64
    /// Nanoseconds since the Unix epoch.
    public var timestamp: UInt64
    public var payloadBytes: UInt32
    public internal(set) var payloadCRC: UInt32 = 0

    public init(stream: UInt8, flags: UInt16, sequence: UInt64, timestamp: UInt64, payloadBytes: UInt32) {
        self.stream = stream
        self.flags = flags
        self.sequence = sequence
        self.timestamp = timestamp
        self.payloadBytes = payloadBytes
    }

    /// Reads 40 bytes that begin with the magic; nil if their checksum is wrong.
    @inline(__always)
    init?(_ at: UnsafeRawPointer, _ crc: CRC32C) {
        guard FrameHeader.checksum(at, crc) == UInt32(bigEndian: at.load(UInt32.self, at: 32)) else { return nil }
        version = at.load(UInt8.self, at: 8)
        stream = at.load(UInt8.self, at: 9)
        flags = UInt16(bigEndian: at.load(UInt16.self, at: 10))
        sequence = UInt64(bigEndian: at.load(UInt64.self, at: 12))
        timestamp = UInt64(bigEndian: at.load(UInt64.self, at: 20))
        payloadBytes = UInt32(bigEndian: at.load(UInt32.self, at: 28))
        payloadCRC = UInt32(bigEndian: at.load(UInt32.self, at: 36))
    }

    /// Stores the header of a payload: 40 bytes.
    public func store(to out: UnsafeMutableRawPointer, payload: UnsafeRawPointer, _ crc: CRC32C) {
        out.store(FrameHeader.magic.bigEndian)
        out.store(version, at: 8)
        out.store(stream, at: 9)
        out.store(flags.bigEndian, at: 10)
        out.store(sequence.bigEndian, at: 12)
        out.store(timestamp.bigEndian, at: 20)
        out.store(payloadBytes.bigEndian, at: 28)
        out.store(crc.of(payload, Int(payloadBytes)).bigEndian, at: 36)
        out.store(FrameHeader.checksum(UnsafeRawPointer(out), crc).bigEndian, at: 32)
    }

    /// Over the header with its own checksum taken as zero. It covers the payload's checksum.
    @inline(__always)
    private static func checksum(_ at: UnsafeRawPointer, _ crc: CRC32C) -> UInt32 {
        var zero: UInt32 = 0
        return crc.of(at + 36, 4, after: crc.of(&zero, 4, after: crc.of(at, 32)))
    }
}
