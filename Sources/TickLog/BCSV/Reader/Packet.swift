/// One packet of a file. Offsets are from the start of the file (spec: BCSV.md, sections 4 and 6).
public struct Packet {
    public let offset: Int
    public let firstRow: UInt64
    public let rowCount: UInt64
    public let end: Int
    /// Its checksum matched. False only for the whole rows of a torn last packet, if they were asked for.
    public let isVerified: Bool
    /// The rows, without the terminator: in the file, or of a batch unpacked.
    let rows: FileBytes
    /// Where the rows stand in the file; nil if they were unpacked.
    let body: Int?
}

/// What the end of a file says.
public enum BCSVEnding: Sendable {
    /// The footer is there and right, or the file is a stream, which has none.
    case closed
    /// No footer, but the last packet is whole.
    case open
    /// No footer, and bytes of an unfinished packet or row at the end.
    case torn
    case damaged
}

/// Something that is wrong with a file, and what follows from it.
public struct BCSVDamage {
    public let error: FormatError
    /// The torn tail of a file that was never closed is no damage.
    public let isTorn: Bool
    /// The bytes that are left out.
    public let skipped: Range<Int>
    /// The first row that is missing.
    public let firstRow: UInt64
    /// How many are missing: nil if that cannot be told.
    public let rows: UInt64?
}
