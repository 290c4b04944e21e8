import TickLog

/// What the test producer makes. All but `rate` decides the bytes.
public struct SendOptions: Sendable {
    public var channels = 4
    /// Frames of each channel in a second; 0: as fast as they are taken.
    public var rate: UInt64 = 0
    /// Sequence numbers of each channel.
    public var count: UInt64 = 1000
    /// The first of them.
    public var first: UInt64 = 0
    /// Payload bytes, the chunk's header included: 1 to 2^30.
    public var size = 1400
    /// Chunks of a periodic; 0: the payload has no chunk header.
    public var chunks: UInt32 = 1
    /// Probabilities: of a frame that is put out, to have a byte spoiled; of a frame, to be left out, to be put out twice,
    /// to be held back behind some later ones.
    public var corrupt = 0.0
    public var drop = 0.0
    public var duplicate = 0.0
    public var reorder = 0.0
    public var seed: UInt64 = 1
    /// Timestamps by the clock. Then the bytes differ from run to run.
    public var isRealtime = false

    public init() {}

    /// The most later frames behind which one is held back. A receiver that holds 8 open periodics loses none by it.
    var mostHeldBack: UInt64 { chunks < 2 ? 16 : min(16, 3 * UInt64(chunks)) }
}
