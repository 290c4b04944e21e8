/// Why bytes are not the BCSV that they should be: where, what was found and what was expected.
public struct BCSVError: Error {
    public enum Kind: Sendable {
        case notBCSV
        /// A version, flag or codec that is not read.
        case unsupported
        /// The file header or schema contradicts itself or the limits.
        case header
        /// The file ends within something.
        case torn
        /// Neither a packet nor the footer stands where one must.
        case packetHeader
        /// The packet's bytes do not match its checksum.
        case packetHash
        /// A row's length or bytes contradict the schema.
        case row
        case footer
        /// More memory would be needed than a reader gives.
        case tooLarge
        /// The source could not be read; `found` is its status, negated.
        case source
    }

    public let kind: Kind
    /// From the start of the file.
    public let offset: Int
    public let expected: StaticString
    public let found: Finding

    init(_ kind: Kind, at offset: Int, expected: StaticString, found: Finding) {
        self.kind = kind
        self.offset = offset
        self.expected = expected
        self.found = found
    }
}
