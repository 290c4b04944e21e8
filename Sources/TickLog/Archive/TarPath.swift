/// The path of a file in an archive: all of it, or its last bytes if it is longer than any that a run has.
public struct TarPath {
    private static var room: Int { 256 }

    private var bytes = InlineArray<32, UInt64>(repeating: 0)
    public private(set) var count = 0

    mutating func append(_ byte: UInt8) {
        if count == Self.room {
            // Half of it goes: the end is what counts.
            let half = Self.room / 16
            for i in 0..<half { bytes[i] = bytes[i + half] }
            count = Self.room / 2
        }
        let shift = UInt64(8 * (count % 8))
        bytes[count / 8] = bytes[count / 8] & ~(0xFF << shift) | UInt64(byte) << shift
        count += 1
    }

    public subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        return UInt8(truncatingIfNeeded: bytes[index / 8] >> UInt64(8 * (index % 8)))
    }

    /// Where the part behind the last `/` begins.
    public var nameStart: Int {
        var start = count
        while start > 0, self[start - 1] != 0x2F { start -= 1 }
        return start
    }

    /// Whether the part behind the last `/` is `name`, upper or lower case.
    public func isNamed(_ name: FileBytes) -> Bool {
        let start = nameStart
        guard count - start == name.count else { return false }
        for i in 0..<name.count where Self.lower(self[start + i]) != Self.lower(name[i]) { return false }
        return true
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte + 32 : byte }
}
