/// The type of a stream's samples, as DLF writes it: a primitive, a structure with members at byte offsets, or opaque
/// bytes (spec: DLF.md, section 2).
public struct TypeString {
    /// Opaque: a text with `!`, a word that is no primitive, a structure without members, and what is no type at all.
    public enum Kind: Sendable { case primitive(ValueType), structure, opaque }

    public struct Member {
        public let name: FileBytes
        public let type: ValueType
        public let offset: Int
    }

    public let kind: Kind
    /// Members of a structure; of others 0.
    public let memberCount: Int
    /// Why the text is no type, if it looks like a structure and has members that cannot be read: its samples are taken
    /// for opaque bytes.
    public let oddity: FormatError?

    private let text: FileBytes
    private var scan: TypeScan

    /// `size` is the stream's type_size; `fileOffset` is where the text stands, for errors. Throws if they contradict
    /// each other. Time: the text is read once.
    public init(_ text: FileBytes, size: Int, fileOffset: Int) throws(FormatError) {
        var whole = TypeScan(size: size, fileOffset: fileOffset)
        for byte in text.buffer { _ = try whole.take(byte) }
        _ = try whole.end()
        kind = whole.kind
        oddity = whole.oddity
        if case .structure = whole.kind { memberCount = whole.members } else { memberCount = 0 }
        self.text = text
        scan = TypeScan(size: size, fileOffset: fileOffset)
    }

    /// The next member of a structure; nil behind the last.
    public mutating func nextMember() throws(FormatError) -> Member? {
        guard case .structure = kind else { return nil }
        while scan.position <= text.count {
            let isLast = scan.position == text.count
            if isLast, scan.members == memberCount { return nil }
            let member = isLast ? try scan.end() : try scan.take(text[scan.position])
            if let member {
                return Member(
                    name: text.slice(at: member.nameStart, count: member.nameCount), type: member.type, offset: member.offset)
            }
            if isLast { return nil }
        }
        return nil
    }
}

extension FileBytes {
    public func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        var i = 0
        while i < count {
            if self[i] != text.utf8Start[i] { return false }
            i += 1
        }
        return true
    }
}
