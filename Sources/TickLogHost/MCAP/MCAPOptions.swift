/// How an MCAP file is written.
public struct MCAPOptions: Sendable {
    public enum Compression: Sendable { case none, lz4 }

    public var compression = Compression.lz4
    /// A chunk is written when its messages take as many bytes before compression, 2^10 to 2^28; at least one message. The
    /// writer's memory is about three times as much, and the index of the chunks.
    public var chunkBytes = 1 << 20

    public init() {}
}
