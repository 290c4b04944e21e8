/// A message of the BMS protocol: words of one source, by their offsets, little-endian (spec: PACKETS, 1).
public struct DataPacket {
    /// Of the body, in front of the words.
    public static let headerBytes = 16
    /// In front of the body stands how many bytes it has.
    public static let lengthBytes = 4
    public static let mostWords = PacketWords.most
    public static let mostBodyBytes = headerBytes + 4 * mostWords

    public enum Command: UInt8, Sendable {
        case diff = 0
        case full = 1
        case query = 2
        case reply = 3
        case sync = 4
        case acknowledge = 5
        case subscribe = 6
        case challenge = 7
        case login = 8
    }

    public enum SourceType: UInt8, Sendable {
        case unknown = 0
        case sbmu = 1
        case rack = 2
        case rtos = 3
    }

    /// Microseconds since the Unix epoch.
    public var timestamp: UInt64
    /// Which one of its type.
    public var source: UInt8
    /// Any number: `knownCommand` says whether it is one of the protocol's. So with `type`.
    public var command: UInt8
    public var type: UInt8
    public var sequence: UInt8
    public var words: PacketWords

    public init(
        _ command: Command, timestamp: UInt64 = 0, type: UInt8, source: UInt8, sequence: UInt8 = 0,
        words: PacketWords = PacketWords()
    ) {
        self.init(timestamp, source, command.rawValue, type, sequence, words)
    }

    init(
        _ timestamp: UInt64, _ source: UInt8, _ command: UInt8, _ type: UInt8, _ sequence: UInt8, _ words: PacketWords
    ) {
        self.timestamp = timestamp
        self.source = source
        self.command = command
        self.type = type
        self.sequence = sequence
        self.words = words
    }

    public var knownCommand: Command? { Command(rawValue: command) }
    public var knownType: SourceType? { SourceType(rawValue: type) }

    public var bodyBytes: Int { DataPacket.headerBytes &+ words.bytes }
    /// With the length in front.
    public var messageBytes: Int { DataPacket.lengthBytes &+ bodyBytes }

    // MARK: Reading

    /// Reads a body, which is all of `body`. The words stay where they are.
    public init(body: FileBytes) throws(FormatError) {
        try DataPacket.check(length: body.count, at: 0)
        try self.init(body, at: 0, length: body.count)
    }

    /// What a stream of bytes has at a place.
    public enum Step {
        /// Nothing can be said with fewer than so many bytes from there on.
        case needs(Int)
        /// A packet, with all its bytes; the words lie in the stream.
        case packet(DataPacket, bytes: Int)
    }

    /// Reads a message: a length, and a body. Throws as soon as the bytes that are there cannot become one; the stream has
    /// then no further place to go on from. Errors' offsets count from the start of `bytes`.
    @inline(__always)
    public static func step(_ bytes: FileBytes, at offset: Int = 0) throws(FormatError) -> Step {
        let there = bytes.count &- offset
        guard there >= lengthBytes else { return .needs(lengthBytes) }
        let length = bytes.u32(at: offset)
        guard length <= UInt32(mostBodyBytes) else { throw lengthError(UInt64(length), at: offset) }
        try check(length: Int(length), at: offset)
        let whole = lengthBytes &+ Int(length)
        let body = offset &+ lengthBytes
        if there < whole {
            // A count that contradicts the length is not waited for.
            if there >= lengthBytes + headerBytes { try check(count: bytes.u32(at: body + 12), at: body, length: Int(length)) }
            return .needs(whole)
        }
        return .packet(try DataPacket(bytes, at: body, length: Int(length)), bytes: whole)
    }

    @inline(__always)
    private init(_ bytes: FileBytes, at body: Int, length: Int) throws(FormatError) {
        try DataPacket.check(count: bytes.u32(at: body &+ 12), at: body, length: length)
        timestamp = bytes.u64(at: body)
        source = bytes[body &+ 8]
        command = bytes[body &+ 9]
        type = bytes[body &+ 10]
        sequence = bytes[body &+ 11]
        words = PacketWords(
            at: bytes.start + (body &+ DataPacket.headerBytes), count: (length &- DataPacket.headerBytes) / 4)
    }

    @inline(__always)
    private static func check(length: Int, at offset: Int) throws(FormatError) {
        guard length >= headerBytes, length <= mostBodyBytes, length % 4 == 0 else {
            throw lengthError(UInt64(length), at: offset)
        }
    }

    private static func lengthError(_ length: UInt64, at offset: Int) -> FormatError {
        FormatError(.message, at: offset, expected: "a length of 16 + 4 x count bytes, count at most 65536", found: .number(length))
    }

    @inline(__always)
    private static func check(count: UInt32, at body: Int, length: Int) throws(FormatError) {
        guard count == UInt32(truncatingIfNeeded: (length &- headerBytes) / 4) else {
            throw FormatError(
                .message, at: body + 12, expected: "the count of words that the length tells", found: .number(UInt64(count)))
        }
    }

    // MARK: Building

    /// Stores the body without its words: 16 bytes.
    @inline(__always)
    public func store(header out: UnsafeMutableRawPointer) {
        out.store(timestamp)
        out.store(source, at: 8)
        out.store(command, at: 9)
        out.store(type, at: 10)
        out.store(sequence, at: 11)
        out.store(UInt32(truncatingIfNeeded: words.count), at: 12)
    }

    /// Stores the body: `bodyBytes` bytes. Words that lie in their place there stay; others may not lie in `out`.
    @inline(__always)
    public func store(body out: UnsafeMutableRawPointer) {
        words.store(to: out + DataPacket.headerBytes)
        store(header: out)
    }

    /// Stores the message: `messageBytes` bytes.
    @inline(__always)
    public func store(to out: UnsafeMutableRawPointer) {
        store(body: out + DataPacket.lengthBytes)
        out.store(UInt32(truncatingIfNeeded: bodyBytes))
    }
}
