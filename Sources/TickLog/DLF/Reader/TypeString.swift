/// The type of a stream's samples, as DLF writes it: a primitive, a structure with members at byte offsets, or opaque
/// bytes (spec: DLF.md, section 2).
public struct TypeString {
    public enum Kind: Sendable { case primitive(ValueType), structure, opaque }

    public struct Member {
        public let name: FileBytes
        public let type: ValueType
        public let offset: Int
    }

    public let kind: Kind
    /// The structure's name, the primitive's, or the text of an opaque type with its `!`.
    public let name: FileBytes

    private let text: FileBytes
    private let fileOffset: Int
    private let size: Int
    private var at: Int

    /// `size` is the stream's type_size; `fileOffset` is where the text stands, for errors.
    public init(_ text: FileBytes, size: Int, fileOffset: Int) throws(FormatError) {
        self.text = text
        self.size = size
        self.fileOffset = fileOffset
        let end = TypeString.end(of: text, from: 0, at: Self.semicolon)
        name = text.slice(at: 0, count: end)
        at = end
        if text.count > 0, text[0] == 0x21 {
            kind = .opaque
            at = text.count
        } else if end == text.count, let type = TypeString.primitive(name) {
            kind = .primitive(type)
            guard size == type.size else {
                throw FormatError(
                    .typeString, at: fileOffset, expected: "a type_size that is the primitive's", found: .number(UInt64(size)))
            }
        } else {
            kind = .structure
        }
    }

    /// The next member of a structure; nil behind the last.
    public mutating func nextMember() throws(FormatError) -> Member? {
        guard case .structure = kind, at < text.count else { return nil }
        let start = at + 1
        let end = TypeString.end(of: text, from: start, at: Self.semicolon)
        // name ':' type ':' offset; the name may hold a ':' of its own if it is an old one, so look from the end.
        var second = end
        while second > start, text[second - 1] != Self.colon { second -= 1 }
        var first = second - 1
        while first > start, text[first - 1] != Self.colon { first -= 1 }
        guard first > start + 1, second > first + 1 else { throw wrong(start, "name:type:offset") }
        let memberName = text.slice(at: start, count: first - 1 - start)
        guard let type = TypeString.primitive(text.slice(at: first, count: second - 1 - first)) else {
            throw wrong(first, "a primitive type")
        }
        var offset = 0
        guard second < end, end - second <= 10 else { throw wrong(second, "a decimal offset") }
        while second < end {
            let digit = text[second]
            guard digit >= 0x30, digit <= 0x39 else { throw wrong(second, "a decimal offset") }
            // At most ten digits: fits 64 bits, but not always 32.
            let (product, overflow) = offset.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit - 0x30))
            guard !overflow, !carry else { throw wrong(second, "an offset within the sample") }
            offset = sum
            second += 1
        }
        guard offset <= size, type.size <= size - offset else {
            throw wrong(start, "a member that lies within the sample")
        }
        at = end
        return Member(name: memberName, type: type, offset: offset)
    }

    private func wrong(_ at: Int, _ expected: StaticString) -> FormatError {
        FormatError(.typeString, at: fileOffset + at, expected: expected, found: .text("another thing"))
    }

    private static var semicolon: UInt8 { 0x3B }
    private static var colon: UInt8 { 0x3A }

    private static func end(of text: FileBytes, from start: Int, at mark: UInt8) -> Int {
        var i = start
        while i < text.count, text[i] != mark { i += 1 }
        return i
    }

    private static func primitive(_ text: FileBytes) -> ValueType? {
        var code: UInt8 = 0
        while let type = ValueType(rawValue: code), type != .string {
            if text.equals(type.nameInC) { return type }
            code += 1
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
