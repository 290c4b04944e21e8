import CLZ4

/// A batch packet's rows until it is full, and their compression in one LZ4 block (spec BCSV, section 6).
struct BatchCompressor {
    let payload: UnsafeMutableRawPointer
    private let state: UnsafeMutableRawPointer
    private let level: Int

    /// `payload`: `payloadBytes`; `state`: `stateBytes`, aligned to 8.
    init(payload: UnsafeMutableRawPointer, state: UnsafeMutableRawPointer, level: Int) {
        self.payload = payload
        self.state = state
        self.level = level
    }

    /// The most bytes of a payload: a row goes into a packet that is not full, however long it is.
    static func payloadBytes(packetBytes: Int, maxRow: Int) -> Int {
        packetBytes + BLE.maxRowWidth + maxRow + 5 + RowEncoder.slack
    }

    /// From this level on it is LZ4-HC, which bare-metal builds do not have.
    static let leastHighLevel = 6

    static func stateBytes(level: Int) -> Int {
        #if !BARE_METAL
        if level >= leastHighLevel { return max(Int(LZ4_sizeofStateHC()), Int(LZ4_sizeofState())) }
        #endif
        return Int(LZ4_sizeofState())
    }

    /// Compresses `count` bytes of payload. `out` has room for `LiteralBlock.bytes(count)`, which are never exceeded.
    func compress(_ count: Int, to out: UnsafeMutableRawPointer) -> Int {
        var written = 0
        #if !BARE_METAL
        if level >= BatchCompressor.leastHighLevel {
            if isCompressible(count, out) {
                written = Int(LZ4_compress_HC_extStateHC(
                    state, payload.assumingMemoryBound(to: CChar.self), out.assumingMemoryBound(to: CChar.self), Int32(count),
                    Int32(LiteralBlock.bytes(count)), Int32(level + 3)))
            } else {
                written = compressFast(0, count, out, acceleration: 1)
            }
            return written > 0 ? written : LiteralBlock.store(payload, count, to: out)
        }
        #endif
        written = compressFast(0, count, out, acceleration: 10 - level)
        return written > 0 ? written : LiteralBlock.store(payload, count, to: out)
    }

    /// Part of the payload, as a block of its own; 0 if it gets longer than literals are.
    private func compressFast(_ from: Int, _ count: Int, _ out: UnsafeMutableRawPointer, acceleration: Int) -> Int {
        // The function for streams, which packets with compressed rows need as well: one copy of the code.
        let stream = LZ4_initStream(state, Int(LZ4_sizeofState()))
        return Int(LZ4_compress_fast_continue(
            stream, (payload + from).assumingMemoryBound(to: CChar.self), out.assumingMemoryBound(to: CChar.self), Int32(count),
            Int32(LiteralBlock.bytes(count)), Int32(acceleration)))
    }

    #if !BARE_METAL
    /// HC searches noise for a long time and finds nothing. Whether there is something to find, fast LZ4 tells from
    /// samples: it finds less than HC, but hardly ever nothing where HC finds much.
    private func isCompressible(_ count: Int, _ out: UnsafeMutableRawPointer) -> Bool {
        let sample = 65536
        if count <= 4 * sample { return isCompressible(from: 0, count, out) }
        for i in 0..<4 where isCompressible(from: (count - sample) / 3 * i, sample, out) { return true }
        return false
    }

    private func isCompressible(from: Int, _ count: Int, _ out: UnsafeMutableRawPointer) -> Bool {
        let written = compressFast(from, count, out, acceleration: 1)
        return written > 0 && written < count - count / 64
    }
    #endif
}
