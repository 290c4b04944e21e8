import TickLog

/// A file of RNO-G packets, as they are or compressed by gzip (spec: RNOG).
public struct RNOGFile {
    public let file: MappedFile
    public let isCompressed: Bool
    public var path: String { file.path }

    /// Takes the file for one.
    public init(_ file: MappedFile) {
        self.file = file
        isCompressed = GzipStream.recognises(file.bytes)
    }

    public init(_ path: String) throws(FileError) { self.init(try MappedFile(path)) }

    /// Whether bytes begin with a packet's magic and a version, or may unpack to some that do.
    public static func isPossible(_ bytes: FileBytes) -> Bool { GzipStream.recognises(bytes) || begins(bytes) }

    private static func begins(_ bytes: FileBytes) -> Bool {
        guard bytes.count >= 4 else { return bytes.count >= 2 && RNOGKind(rawValue: bytes.u16(at: 0)) != nil }
        // Versions that are not read are named as such.
        return RNOGKind(rawValue: bytes.u16(at: 0)) != nil && bytes.u16(at: 2) < 256
    }

    /// The file begins with a packet, in a gzip member or not.
    public static func recognises(_ file: MappedFile) throws(Fault) -> Bool {
        guard GzipStream.recognises(file.bytes) else { return begins(file.bytes) }
        let stream = try GzipStream(file)
        _ = stream.have(4)
        return begins(stream.bytes)
    }

    /// One with the name of packets that has any, so that one with a bad start is read.
    public static func hasAny(_ file: MappedFile) throws(Fault) -> Bool {
        let name = file.path.fileExtension
        guard name == "dat" || name == "gz" else { return false }
        let walk = try RNOGWalk(RNOGFile(file))
        while let piece = walk.next() { if case .packet = piece { return true } }
        return false
    }

    /// Its bytes, unpacked, from `start` on, which must be 0 if it is compressed.
    func stream(at start: Int = 0) throws(Fault) -> ByteStream {
        isCompressed ? try GzipStream(file) : FileStream(file, at: start)
    }
}

/// A packet of a file.
public struct RNOGPacket {
    public let kind: RNOGKind
    public let version: UInt16
    /// Of the unpacked file.
    public let offset: UInt64
    /// Magic, version, payload and checksum; valid until the walk goes on.
    public let bytes: FileBytes

    init(_ record: Record, at offset: UInt64) {
        kind = RNOGKind(rawValue: record.magic)!
        version = record.version
        self.offset = offset
        bytes = FileBytes(start: record.payload.start - Record.headerBytes, count: record.bytes)
    }

    public var payload: FileBytes { bytes.slice(at: Record.headerBytes, count: bytes.count - Record.framingBytes) }

    /// Headers and waveforms have one.
    public var event: UInt32? { kind == .header || kind == .waveform ? payload.u32(at: 0) : nil }

    /// Fills `out`, of `kind.structureBytes` bytes, with the newest structure.
    public func load(into out: UnsafeMutableRawPointer) {
        // The walk has verified its size.
        _ = kind.load(version: version, payload, into: out)
    }
}
