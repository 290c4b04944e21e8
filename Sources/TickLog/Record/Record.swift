/// A record that was found: magic u16, version u16, payload, Adler-32 of the payload u32 (spec: RNOG, 1).
public struct Record {
    public let magic: UInt16
    public let version: UInt16
    /// Its checksum holds.
    public let payload: FileBytes
    public let checksum: UInt32

    /// Magic and version before the payload, the checksum behind it.
    public static var headerBytes: Int { 4 }
    public static var framingBytes: Int { 8 }

    /// All of it.
    public var bytes: Int { payload.count + Record.framingBytes }
}

/// How many bytes the payload of a record has.
enum RecordSize {
    case bytes(Int)
    /// So many of its first bytes tell.
    case needs(Int)
    /// None of this version has further sizes.
    case noMore
    case unknownMagic
    case unknownVersion
    /// The bytes at `offset` of the payload are a count that cannot be.
    case impossible(at: Int, found: UInt32)
}

/// The kinds of records that are read.
protocol RecordKinds {
    func knows(magic: UInt16) -> Bool

    /// A version may have had several sizes; `candidate` counts them from 0, smallest first. `payload` has what there is
    /// of it, and of what follows.
    func size(magic: UInt16, version: UInt16, candidate: Int, _ payload: FileBytes) -> RecordSize
}

/// What stands at the start of some bytes.
public enum RecordStep {
    case record(Record)
    /// Nothing can be said before there are so many bytes.
    case needs(Int)
    case wrongMagic(UInt16)
    case unknownVersion(magic: UInt16, UInt16)
    case impossible(at: Int, found: UInt32)
    /// Where it is, what is there, and what the payload's is.
    case wrongChecksum(at: Int, stored: UInt32, computed: UInt32)
}

extension RecordKinds {
    /// Looks at the start of `bytes`. Time: that of `checksum`, for each size that the record's version has had.
    @inline(__always)
    func look(at bytes: FileBytes, _ checksum: (UnsafeRawPointer, Int) -> UInt32 = { Adler32.of($0, $1) }) -> RecordStep {
        guard bytes.count >= Record.headerBytes else {
            if bytes.count >= 2, !knows(magic: bytes.u16(at: 0)) { return .wrongMagic(bytes.u16(at: 0)) }
            return .needs(Record.headerBytes)
        }
        let magic = bytes.u16(at: 0)
        let version = bytes.u16(at: 2)
        let rest = bytes.slice(at: Record.headerBytes, count: bytes.count - Record.headerBytes)
        var wrong: RecordStep?
        var candidate = 0
        while true {
            switch size(magic: magic, version: version, candidate: candidate, rest) {
            case .unknownMagic: return .wrongMagic(magic)
            case .unknownVersion: return .unknownVersion(magic: magic, version)
            case .impossible(let at, let found): return .impossible(at: Record.headerBytes + at, found: found)
            case .needs(let count): return .needs(Record.headerBytes + count)
            case .noMore: return wrong ?? .unknownVersion(magic: magic, version)
            case .bytes(let count):
                guard rest.holds(4, at: count) else { return .needs(Record.framingBytes + count) }
                let stored = rest.u32(at: count)
                let computed = checksum(rest.start, count)
                if stored == computed {
                    return .record(Record(magic: magic, version: version, payload: rest.slice(at: 0, count: count), checksum: stored))
                }
                wrong = wrong ?? .wrongChecksum(at: Record.headerBytes + count, stored: stored, computed: computed)
            }
            candidate += 1
        }
    }

    /// How many bytes stand before the first known magic with a version that it has, or before what could begin one.
    func magic(in bytes: FileBytes, from start: Int) -> Int {
        var at = start
        while bytes.count &- at >= 4 {
            // Proof of bounds: at + 4 <= count.
            let magic = bytes.start.load(UInt16.self, at: at)
            if knows(magic: magic) {
                let empty = FileBytes(start: bytes.start, count: 0)
                switch size(magic: magic, version: bytes.start.load(UInt16.self, at: at &+ 2), candidate: 0, empty) {
                case .bytes, .needs: return at
                case .noMore, .unknownMagic, .unknownVersion, .impossible: break
                }
            }
            at &+= 1
        }
        while at < bytes.count {
            if bytes.count - at == 1 || knows(magic: bytes.u16(at: at)) { return at }
            at += 1
        }
        return at
    }
}
