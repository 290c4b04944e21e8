/// Why bytes are not the DLF file that they should be: where, what was found and what was expected.
public struct DLFError: Error {
    public enum Kind: Sendable {
        case notDLF
        /// The header contradicts itself or its limits.
        case header
        /// A type string is none, or its members lie outside the sample.
        case typeString
        /// The file ends within something.
        case torn
        /// An event of a stream that the header does not have.
        case event
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
