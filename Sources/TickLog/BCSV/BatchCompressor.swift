import CLZ4

/// A batch packet's rows until it is full, and their compression in one LZ4 block (spec BCSV, section 6).
struct BatchCompressor {
    let payload: UnsafeMutableRawPointer
    private let state: UnsafeMutableRawPointer
    private let level: Int
    private let isTable: Bool

    /// `payload`: `payloadBytes`; `state`: `stateBytes`, aligned to 8. `isTable`: see `RowCompressor`.
    init(payload: UnsafeMutableRawPointer, state: UnsafeMutableRawPointer, level: Int, isTable: Bool) {
        self.payload = payload
        self.state = state
        self.level = level
        self.isTable = isTable
    }

    /// The most bytes of a payload: a row goes into a packet that is not full, however long it is.
    static func payloadBytes(packetBytes: Int, maxRow: Int) -> Int {
        packetBytes + BLE.maxRowWidth + maxRow + 5 + RowEncoder.slack
    }

    /// From this level on it is LZ4-HC, which bare-metal builds do not have.
    static let leastHighLevel = 6

    static func stateBytes(level: Int, isTable: Bool) -> Int {
        let fast = Int(clz4_state_bytes(isTable))
        #if !BARE_METAL
        if level >= leastHighLevel { return max(Int(LZ4_sizeofStateHC()), fast) }
        #endif
        return fast
    }

    /// Compresses `count` bytes of payload. `out` has room for `LiteralBlock.bytes(count)`, which are never exceeded.
    func compress(_ count: Int, to out: UnsafeMutableRawPointer) -> Int {
        var written = 0
        #if !BARE_METAL
        if level >= BatchCompressor.leastHighLevel {
            written = paysHigh(count, out) ? compressHigh(0, count, out) : compressFast(0, count, out, acceleration: 1)
            return written > 0 ? written : LiteralBlock.store(payload, count, to: out)
        }
        #endif
        written = compressFast(0, count, out, acceleration: 10 - level)
        return written > 0 ? written : LiteralBlock.store(payload, count, to: out)
    }

    /// Part of the payload, as a block of its own; 0 if it gets longer than literals are.
    private func compressFast(_ from: Int, _ count: Int, _ out: UnsafeMutableRawPointer, acceleration: Int) -> Int {
        #if !BARE_METAL
        if isTable {
            // It has a finer hash table for less than 64 KiB.
            return Int(
                clz4_compress_whole(
                    true, state, payload + from, Int32(count), out, Int32(LiteralBlock.bytes(count)), Int32(acceleration)))
        }
        #endif
        // The function for streams, which packets with compressed rows need as well: one copy of the code.
        let stream = clz4_init(isTable, state)
        return Int(
            clz4_compress(
                isTable, stream, payload + from, Int32(count), out, Int32(LiteralBlock.bytes(count)), Int32(acceleration)))
    }

    #if !BARE_METAL
    private func compressHigh(_ from: Int, _ count: Int, _ out: UnsafeMutableRawPointer) -> Int {
        Int(LZ4_compress_HC_extStateHC(
            state, (payload + from).assumingMemoryBound(to: CChar.self), out.assumingMemoryBound(to: CChar.self), Int32(count),
            Int32(LiteralBlock.bytes(count)), Int32(level + 3)))
    }

    /// HC searches noise for a long time and finds nothing that fast LZ4 would not: two samples tell.
    private func paysHigh(_ count: Int, _ out: UnsafeMutableRawPointer) -> Bool {
        let sample = min(max(count / 16, 16384), 65536)
        if count < 4 * sample { return true }
        for i in 0..<2 {
            let from = count / 4 * (1 + 2 * i)
            let fast = compressFast(from, sample, out, acceleration: 1)
            let high = compressHigh(from, sample, out)
            let best = high > 0 ? high : sample
            // By a part of what is left, or of what there was.
            if (fast > 0 ? fast : sample) - best > min(best >> 6, sample >> 8) { return true }
        }
        return false
    }
    #endif
}
