/// Random numbers that are the same everywhere for the same seed: SplitMix64.
public struct SplitMix64 {
    private var state: UInt64

    public init(_ seed: UInt64) { state = seed }

    /// The numbers that belong to a place, whatever was drawn for another.
    init(_ seed: UInt64, channel: Int, sequence: UInt64) {
        var mixer = SplitMix64(seed)
        mixer.state ^= UInt64(channel) &* 0xD6E8_FEB8_6659_FD93
        mixer.state = mixer.next() ^ sequence
        state = mixer.next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// From 0, below `limit`, which is not 0.
    mutating func below(_ limit: UInt64) -> UInt64 { next() % limit }

    /// True with the probability `p`.
    mutating func chance(_ p: Double) -> Bool { Double(next() >> 11) * 0x1p-53 < p }
}
