/// Reads a type string byte by byte, without having it all: primitive, structure or opaque (spec DLF, section 2).
///
/// A text that is none of these still tells nothing wrong about the sizes, and its samples are bytes: `oddity` says why.
/// A primitive of another size than its samples, and a member outside of them, contradict the header: these throw.
struct TypeScan {
    /// A member between two semicolons: where its name lies in the text.
    struct Member {
        let nameStart: Int
        let nameCount: Int
        let type: ValueType
        let offset: Int
    }

    private let size: Int
    private let fileOffset: Int
    /// Bytes read so far.
    private(set) var position = 0
    private var piece = 0
    private var pieceStart = 0
    /// The parts of the piece that the last two colons begin.
    private var word = Word(start: 0)
    private var before = Word(start: 0)
    private var colons = 0
    private var isMarked = false
    private var primitive: ValueType?
    private(set) var members = 0
    /// Why a text that looks like a structure is none.
    private(set) var oddity: FormatError?

    /// `size` is that of the samples; `fileOffset` where the text stands, for errors.
    init(size: Int, fileOffset: Int) {
        self.size = size
        self.fileOffset = fileOffset
    }

    /// A part of the text that may be a type's name or a number.
    private struct Word {
        let start: Int
        var count = 0
        private var letters: UInt64 = 0
        private(set) var number: UInt64 = 0
        private var isNumber = true

        init(start: Int) { self.start = start }

        mutating func take(_ byte: UInt8) {
            if count < 8 { letters |= UInt64(byte) << UInt64(8 &* count) }
            if byte >= 0x30, byte <= 0x39, count < 10 { number = number * 10 + UInt64(byte - 0x30) } else { isNumber = false }
            count += 1
        }

        /// At most ten digits.
        var decimal: UInt64? { isNumber && count > 0 ? number : nil }

        var primitive: ValueType? {
            guard count >= 4, count <= 8 else { return nil }
            var code: UInt8 = 0
            while let type = ValueType(rawValue: code), type != .string {
                let name = type.nameInC
                if name.utf8CodeUnitCount == count {
                    var bits: UInt64 = 0
                    for i in 0..<count { bits |= UInt64(name.utf8Start[i]) << UInt64(8 * i) }
                    if bits == letters { return type }
                }
                code += 1
            }
            return nil
        }
    }

    /// The next byte; a member if it ends one.
    mutating func take(_ byte: UInt8) throws(FormatError) -> Member? {
        if position == 0, byte == 0x21 { isMarked = true }
        position += 1
        if byte == 0x3B { return try endPiece(position - 1) }
        if byte == 0x3A {
            before = word
            word = Word(start: position)
            colons += 1
        } else {
            word.take(byte)
        }
        return nil
    }

    /// Behind the last byte: the last member.
    mutating func end() throws(FormatError) -> Member? {
        let member = try endPiece(position)
        if let primitive, size != primitive.size, members == 0 {
            throw FormatError(
                .typeString, at: fileOffset, expected: "a type_size that is the primitive's", found: .number(UInt64(size)))
        }
        return member
    }

    /// What the text is, once it has ended.
    var kind: TypeString.Kind {
        if let primitive { return .primitive(primitive) }
        return isMarked || members == 0 || oddity != nil ? .opaque : .structure
    }

    private mutating func endPiece(_ end: Int) throws(FormatError) -> Member? {
        let start = pieceStart
        let (type, number, colons) = (before, word, colons)
        let isFirst = piece == 0
        piece += 1
        pieceStart = end + 1
        word = Word(start: end + 1)
        before = word
        self.colons = 0
        if isMarked { return nil }
        if isFirst {
            if end == position, colons == 0 { primitive = number.primitive }
            return nil
        }
        if start == end { return nil }
        // name ':' type ':' offset; the name may have a ':' of its own.
        guard colons >= 2, type.start - 1 > start, type.count > 0 else { return odd(start, "name:type:offset") }
        guard let primitive = type.primitive else { return odd(type.start, "a primitive type") }
        guard let offset = number.decimal else { return odd(number.start, "a decimal offset") }
        guard offset <= UInt64(size), primitive.size <= size - Int(offset) else {
            throw FormatError(
                .typeString, at: fileOffset + start, expected: "a member that lies within the sample", found: .number(offset))
        }
        members += 1
        return Member(nameStart: start, nameCount: type.start - 1 - start, type: primitive, offset: Int(offset))
    }

    private mutating func odd(_ at: Int, _ expected: StaticString) -> Member? {
        if oddity == nil {
            oddity = FormatError(.typeString, at: fileOffset + at, expected: expected, found: .text("another thing"))
        }
        return nil
    }
}
