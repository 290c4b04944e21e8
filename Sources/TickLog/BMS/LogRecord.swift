/// In front of each record of a BMS log file: 16 bytes, little-endian. Behind it the payload, and zeros to a multiple of 8
/// (spec: PACKETS, 5).
public struct LogRecord {
    public static let headerBytes = 16
    /// The largest payload: a DataPacket's body.
    public static let mostPayloadBytes = DataPacket.mostBodyBytes

    /// Microseconds since the Unix epoch, of the server.
    public let timestamp: UInt64
    /// Bytes of the payload.
    public let size: UInt32
    /// CRC-32C of timestamp, size and payload, as they lie in the file.
    public let checksum: UInt32

    /// The record of a payload of at most 2^32 - 1 bytes.
    @inline(__always)
    public init(timestamp: UInt64, payload: UnsafeRawPointer, size: Int, _ crc: CRC32C) {
        self.timestamp = timestamp
        self.size = UInt32(size)
        checksum = LogRecord.checksum(timestamp, self.size, payload, crc)
    }

    /// Reads a header: 16 bytes. Nothing of it is checked.
    @inline(__always)
    public init(_ at: UnsafeRawPointer) {
        timestamp = at.load(UInt64.self)
        size = at.load(UInt32.self, at: 8)
        checksum = at.load(UInt32.self, at: 12)
    }

    /// Bytes of a whole record of `size` bytes of payload, at most 2^30.
    @inline(__always)
    public static func bytes(payload size: Int) -> Int { (headerBytes &+ size &+ 7) & ~7 }

    /// Whether the payload, `size` bytes, is the one that was written.
    @inline(__always)
    public func isWhole(_ payload: UnsafeRawPointer, _ crc: CRC32C) -> Bool {
        checksum == LogRecord.checksum(timestamp, size, payload, crc)
    }

    /// Stores the header: 16 bytes.
    @inline(__always)
    public func store(to out: UnsafeMutableRawPointer) {
        out.store(timestamp)
        out.store(size, at: 8)
        out.store(checksum, at: 12)
    }

    /// Stores a whole record: `bytes(payload:)` bytes. The payload does not lie in `out`, or in its place there.
    @inline(__always)
    public func store(to out: UnsafeMutableRawPointer, payload: UnsafeRawPointer) {
        store(to: out)
        let place = out + LogRecord.headerBytes
        if payload != UnsafeRawPointer(place) { place.copy(payload, Int(size)) }
        (place + Int(size)).zero(LogRecord.bytes(payload: Int(size)) &- LogRecord.headerBytes &- Int(size))
    }

    @inline(__always)
    private static func checksum(_ timestamp: UInt64, _ size: UInt32, _ payload: UnsafeRawPointer, _ crc: CRC32C) -> UInt32 {
        var header = (timestamp, size)
        let before = withUnsafeBytes(of: &header) { crc.of($0.baseAddress!, 12) }
        return crc.of(payload, Int(size), after: before)
    }
}

/// The first 16 bytes of a BMS log file.
public struct LogFileHeader {
    public static let bytes = 16
    public static let version: UInt32 = 1
    /// "TLBMSLOG"
    public static let magic: UInt64 = 0x474F_4C53_4D42_4C54

    /// What the records hold.
    public enum Kind: UInt32, Sendable {
        case dataPackets = 0
        case legacyPackets = 1
    }

    public let kind: Kind

    public init(_ kind: Kind) { self.kind = kind }

    public init(_ bytes: FileBytes) throws(FormatError) {
        guard bytes.count >= LogFileHeader.bytes else {
            throw FormatError(.torn, at: bytes.count, expected: "a file header of 16 bytes", found: .end)
        }
        guard bytes.u64(at: 0) == LogFileHeader.magic else {
            throw FormatError(.wrongFormat, at: 0, expected: "\"TLBMSLOG\"", found: .hex(bytes.u64(at: 0)))
        }
        let version = bytes.u32(at: 8)
        guard version == LogFileHeader.version else {
            throw FormatError(.unsupported, at: 8, expected: "version 1", found: .number(UInt64(version)))
        }
        guard let kind = Kind(rawValue: bytes.u32(at: 12)) else {
            throw FormatError(.unsupported, at: 12, expected: "kind 0 or 1", found: .number(UInt64(bytes.u32(at: 12))))
        }
        self.kind = kind
    }

    /// Stores the header: 16 bytes.
    public func store(to out: UnsafeMutableRawPointer) {
        out.store(LogFileHeader.magic)
        out.store(LogFileHeader.version, at: 8)
        out.store(kind.rawValue, at: 12)
    }
}
