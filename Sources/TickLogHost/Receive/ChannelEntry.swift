/// What the receive thread of a channel tells its write thread, in the order in which it happened.
struct ChannelEntry {
    enum Kind: UInt8 {
        /// A frame at `position`, of `bytes`: `a` its sequence number, `b` its timestamp.
        case frame
        /// The same, of a frame that was missing.
        case late
        /// The same, of the first frame of a producer that began anew.
        case restart
        /// Frames `a` to `b` are missing.
        case gap
        /// Bytes that were no frames: `position` how many, `a` header checksums and (lower half) lengths, `b` payload
        /// checksums and (lower half) versions.
        case damage
        /// `a` datagrams were dropped by the kernel.
        case kernelDrops
    }

    var position: UInt64
    var a: UInt64
    var b: UInt64
    var bytes: UInt32
    var flags: UInt16
    var kind: Kind
}
