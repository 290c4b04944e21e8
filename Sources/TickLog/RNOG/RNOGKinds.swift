/// The four kinds of RNO-G packets (spec: RNOG, 1).
public enum RNOGKind: UInt16, Sendable {
    case header = 0xEAD1
    case waveform = 0xAFD1
    case pedestal = 0x57A1
    case daqStatus = 0xDACC

    /// The version that is written.
    public var version: UInt16 {
        switch self {
        case .header: RNOGHeader.version
        case .waveform: RNOGWaveform.version
        case .pedestal: RNOGPedestal.version
        case .daqStatus: RNOGDaqStatus.version
        }
    }

    /// Bytes of the newest structure in memory.
    public var structureBytes: Int {
        switch self {
        case .header: RNOGHeader.bytes
        case .waveform: RNOGWaveform.bytes
        case .pedestal: RNOGPedestal.bytes
        case .daqStatus: RNOGDaqStatus.bytes
        }
    }

    public var name: StaticString {
        switch self {
        case .header: "header"
        case .waveform: "waveform"
        case .pedestal: "pedestal"
        case .daqStatus: "daqstatus"
        }
    }

    /// Stores a payload of this kind, whose checksum holds, as the newest structure; false if it cannot be one.
    public func load(version: UInt16, _ payload: FileBytes, into out: UnsafeMutableRawPointer) -> Bool {
        switch self {
        case .header: RNOGHeader.load(version, payload, out)
        case .waveform: RNOGWaveform.load(version, payload, out)
        case .pedestal: RNOGPedestal.load(version, payload, out)
        case .daqStatus: RNOGDaqStatus.load(version, payload, out)
        }
    }

    /// Bytes of the current version's payload of a structure; nil if it has more samples than can be.
    public func payloadBytes(of record: UnsafeRawPointer) -> Int? {
        self == .waveform ? RNOGWaveform.payloadBytes(of: record) : structureBytes
    }

    /// Stores a structure as the payload of the current version, `payloadBytes(of:)` bytes.
    func store(_ record: UnsafeRawPointer, _ payload: UnsafeMutableRawPointer) {
        // All but one are stored as they are, padding included.
        if self == .waveform { RNOGWaveform.store(record, payload) } else { payload.copy(record, structureBytes) }
    }

    /// Stores a structure as a packet of the current version, 8 bytes more than `payloadBytes(of:)`; answers how many.
    public func write(_ record: UnsafeRawPointer, to out: UnsafeMutableRawPointer) -> Int? {
        guard let count = payloadBytes(of: record) else { return nil }
        store(record, out + Record.headerBytes)
        return frame(rawValue, version, out, count)
    }
}

/// RNO-G packets among other bytes.
public struct RNOGKinds: RecordKinds {
    public init() {}

    /// The largest packet: a pedestal.
    public static var maxBytes: Int { RNOGPedestal.bytes + Record.framingBytes }

    /// Looks at the start of `bytes`.
    public func step(_ bytes: FileBytes) -> RecordStep { look(at: bytes) }

    /// The same, with the Adler-32 of parts of `bytes` computed by somebody who knows much of it already.
    public func step(_ bytes: FileBytes, checksum: (UnsafeRawPointer, Int) -> UInt32) -> RecordStep { look(at: bytes, checksum) }

    /// How many bytes stand before the first place where a packet, or its beginning, may be.
    public func nextMagic(in bytes: FileBytes) -> Int { magic(in: bytes, from: 0) }

    func knows(magic: UInt16) -> Bool { RNOGKind(rawValue: magic) != nil }

    func size(magic: UInt16, version: UInt16, candidate: Int, _ payload: FileBytes) -> RecordSize {
        guard let kind = RNOGKind(rawValue: magic) else { return .unknownMagic }
        guard version <= kind.version else { return .unknownVersion }
        if kind == .daqStatus, let other = RNOGDaqStatus.size(version, candidate) { return .bytes(other) }
        guard candidate == 0 else { return .noMore }
        switch kind {
        case .header: return .bytes(RNOGHeader.size(version))
        case .waveform: return RNOGWaveform.size(version, payload)
        case .pedestal: return .bytes(RNOGPedestal.size(version))
        case .daqStatus: return .noMore
        }
    }
}
