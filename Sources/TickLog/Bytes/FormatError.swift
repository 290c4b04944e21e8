/// Why bytes are not what their format says they should be: where, what was found and what was expected.
public struct FormatError: Error {
    public enum Kind: Sendable {
        /// Another format, or none.
        case wrongFormat
        /// A version, flag or codec that is not read.
        case unsupported
        /// The file header or schema contradicts itself or the limits.
        case header
        /// DLF: a type string is none, or its members lie outside the sample.
        case typeString
        /// The file ends within something.
        case torn
        /// BCSV: neither a packet nor the footer stands where one must.
        case packetHeader
        /// BCSV: the packet's bytes do not match its checksum.
        case packetHash
        /// BCSV: a row's length or bytes contradict the schema.
        case row
        case footer
        /// DLF: an event of a stream that the header does not have.
        case event
        /// BMS: a message's length and count contradict each other or the limits.
        case message
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

    public init(_ kind: Kind, at offset: Int, expected: StaticString, found: Finding) {
        self.kind = kind
        self.offset = offset
        self.expected = expected
        self.found = found
    }
}
