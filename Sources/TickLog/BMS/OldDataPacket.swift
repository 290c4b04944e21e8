/// The first form of the DataPacket ("v0"): command, type, sequence and a reserved byte, then control and data. It has
/// neither time nor count, which follows from the length (spec: PACKETS, 3). The reserved byte is taken for the source, which
/// is what became of it.
extension DataPacket {
    public static let oldHeaderBytes = 4
    public static let mostOldBodyBytes = oldHeaderBytes + 4 * mostWords

    public var oldBodyBytes: Int { DataPacket.oldHeaderBytes &+ words.bytes }
    public var oldMessageBytes: Int { DataPacket.lengthBytes &+ oldBodyBytes }

    /// Reads a body, which is all of `body`.
    public init(oldBody body: FileBytes) throws(FormatError) {
        try DataPacket.check(oldLength: UInt64(body.count), at: 0)
        self.init(old: body.start, length: body.count)
    }

    /// Reads a message: a length, and a body. As `step`.
    public static func oldStep(_ bytes: FileBytes, at offset: Int = 0) throws(FormatError) -> Step {
        let there = bytes.count - offset
        guard there >= lengthBytes else { return .needs(lengthBytes) }
        let length = bytes.u32(at: offset)
        try check(oldLength: UInt64(length), at: offset)
        let whole = lengthBytes + Int(length)
        guard there >= whole else { return .needs(whole) }
        return .packet(DataPacket(old: bytes.start + (offset + lengthBytes), length: Int(length)), bytes: whole)
    }

    /// `length` bytes are there and were checked.
    private init(old at: UnsafeRawPointer, length: Int) {
        self.init(
            0, at.load(UInt8.self, at: 3), at.load(UInt8.self), at.load(UInt8.self, at: 1), at.load(UInt8.self, at: 2),
            PacketWords(at: at + DataPacket.oldHeaderBytes, count: (length - DataPacket.oldHeaderBytes) / 4))
    }

    private static func check(oldLength length: UInt64, at offset: Int) throws(FormatError) {
        guard length >= UInt64(oldHeaderBytes), length <= UInt64(mostOldBodyBytes), length % 4 == 0 else {
            throw FormatError(
                .message, at: offset, expected: "a length of 4 + 4 x count bytes, count at most 65536", found: .number(length))
        }
    }

    /// Stores the message in its old form: `oldMessageBytes` bytes.
    public func storeOld(to out: UnsafeMutableRawPointer) {
        let body = out + DataPacket.lengthBytes
        words.store(to: body + DataPacket.oldHeaderBytes)
        body.store(command)
        body.store(type, at: 1)
        body.store(sequence, at: 2)
        body.store(source, at: 3)
        out.store(UInt32(truncatingIfNeeded: oldBodyBytes))
    }
}
