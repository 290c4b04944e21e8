/// Numbers that the decoders go by (spec: BCSV.md, sections 2 to 8).
enum BCSVDecoding {
    static var fileMagic: UInt32 { 0x5653_4342 }  // "BCSV"
    static var packetMagic: UInt32 { 0x5443_4B50 }  // "PKCT"
    static var footerMagic: UInt32 { 0x5844_4942 }  // "BIDX"
    static var footerEndMagic: UInt32 { 0x5844_4945 }  // "EIDX"

    static var packetHeaderSize: Int { 16 }
    static var footerSize: Int { 28 }
    static var footerEndSize: Int { 24 }
    static var footerEntrySize: Int { 16 }
    static var hashSize: Int { 8 }

    static var terminator: UInt64 { 0x3FFF_FFFF }
    static var largestRow: Int { 16_777_214 }
    static var largestPacketLimit: UInt32 { 1 << 30 }
    static var lz4History: Int { 65536 }
}

/// The kinds of row encoding, by the file's flags.
public enum BCSVRowCodec { case flat, zoh, delta }

/// The kinds of file encoding, by the file's flags and level.
public enum BCSVFileCodec { case packet, packetLZ4, batch, stream, streamLZ4 }

/// A row length: 3 bits that say how many bytes follow, then the number (spec: BCSV.md, section 3).
struct RowLength {
    let value: UInt64
    let size: Int

    /// Nil if the bytes end within it.
    init?(_ bytes: FileBytes, at offset: Int) {
        guard bytes.holds(1, at: offset) else { return nil }
        size = Int(bytes[offset] & 7) + 1
        guard bytes.holds(size, at: offset) else { return nil }
        var number: UInt64 = 0
        var i = size
        while i > 0 {
            i -= 1
            number = number << 8 | UInt64(bytes[offset + i])
        }
        value = number >> 3
    }
}
