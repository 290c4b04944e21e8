import TickLog

extension BCSVHeader {
    /// "1.5.0".
    public var versionText: String { "\(major).\(minor).\(patch)" }
}

extension BCSVRowCodec {
    /// As the command's options name it.
    public var text: StaticString {
        switch self {
        case .flat: "flat"
        case .zoh: "zoh"
        case .delta: "delta"
        }
    }
}

extension BCSVFileCodec {
    /// As the command's options name it.
    public var text: StaticString {
        switch self {
        case .packet: "packet"
        case .packetLZ4: "packet-lz4"
        case .batch: "batch"
        case .stream: "stream"
        case .streamLZ4: "stream-lz4"
        }
    }
}
