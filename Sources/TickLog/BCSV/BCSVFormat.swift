/// Constants of the BCSV format (spec BCSV).
enum BCSVFormat {
    static let magic: UInt32 = 0x5653_4342         // "BCSV"
    static let packetMagic: UInt32 = 0x5443_4B50   // "PKCT"
    static let footerMagic: UInt32 = 0x5844_4942   // "BIDX"
    static let footerEndMagic: UInt32 = 0x5844_4945  // "EIDX"

    static let flagZeroOrderHold: UInt16 = 0x0001
    static let flagStream: UInt16 = 0x0004
    static let flagBatch: UInt16 = 0x0008
    static let flagDelta: UInt16 = 0x0010

    static let packetHeaderBytes = 16
    /// The row length that ends a packet, and its encoding.
    static let terminatorLength: UInt64 = 0x3FFF_FFFF
    static let terminator: (UInt32, UInt8) = (0xFFFF_FFFC, 0x01)
    static let hashBytes = 8
    static let packetEndBytes = 13
    /// "BIDX", "EIDX", size, row count, hash.
    static let footerBytes = 28
    /// From "EIDX" on.
    static let footerEndBytes = 24
    static let indexEntryBytes = 16
    static let maxColumns = 65535
    static let maxRowBytes = 16_777_214
    static let maxStringBytes = 65535
    static let maxNameBytes = 65535
    static let maxPacketLimit: UInt32 = 1 << 30
    /// How far back an LZ4 block may refer.
    static let lz4HistoryBytes = 65536
}
