/// The first 24 bytes of a payload that is one chunk of a radar periodic, all big-endian (spec: FRAMES, 4).
public struct ChunkHeader {
    public static let bytes = 24

    public var periodic: UInt64
    /// From 0, less than `count`.
    public var index: UInt32
    public var count: UInt32
    /// Bytes of the chunk behind this header.
    public var chunkBytes: UInt32

    public init(periodic: UInt64, index: UInt32, count: UInt32, chunkBytes: UInt32) {
        self.periodic = periodic
        self.index = index
        self.count = count
        self.chunkBytes = chunkBytes
    }

    /// Nil if the payload does not begin with a header that agrees with itself and with the payload's length and flags.
    public init?(payload: UnsafeRawPointer, bytes: UInt32, flags: UInt16) {
        guard bytes >= UInt32(ChunkHeader.bytes) else { return nil }
        periodic = UInt64(bigEndian: payload.load(UInt64.self))
        index = UInt32(bigEndian: payload.load(UInt32.self, at: 8))
        count = UInt32(bigEndian: payload.load(UInt32.self, at: 12))
        chunkBytes = UInt32(bigEndian: payload.load(UInt32.self, at: 16))
        guard index < count, chunkBytes == bytes - UInt32(ChunkHeader.bytes), payload.load(UInt32.self, at: 20) == 0,
            (flags & FrameHeader.firstChunk != 0) == (index == 0), (flags & FrameHeader.lastChunk != 0) == (index == count - 1)
        else { return nil }
    }

    public func store(to out: UnsafeMutableRawPointer) {
        out.store(periodic.bigEndian)
        out.store(index.bigEndian, at: 8)
        out.store(count.bigEndian, at: 12)
        out.store(chunkBytes.bigEndian, at: 16)
        out.store(UInt32(0), at: 20)
    }
}
