import CLZ4

/// LZ4 blocks that consist of literals only: what data takes that does not compress.
enum LiteralBlock {
    /// Bytes of such a block: a token, the length's further bytes, the literals.
    @inline(__always)
    static func bytes(_ count: Int) -> Int { count + 1 + (count < 15 ? 0 : (count - 15) / 255 + 1) }

    @inline(never)
    static func store(_ source: UnsafeRawPointer, _ count: Int, to out: UnsafeMutableRawPointer) -> Int {
        var out = out
        out.store(UInt8(truncatingIfNeeded: min(count, 15) << 4))
        out += 1
        if count >= 15 {
            var rest = count - 15
            while rest >= 255 {
                out.store(UInt8.max)
                out += 1
                rest -= 255
            }
            out.store(UInt8(rest))
            out += 1
        }
        out.copy(source, count)
        return bytes(count)
    }
}

/// LZ4 streaming of rows: each row is a block that may refer to the rows before it (spec BCSV, section 4.1).
struct RowCompressor {
    private let state: UnsafeMutableRawPointer
    private let window: UnsafeMutableRawPointer
    private let history: Int
    private let acceleration: Int32
    private var position = 0
    #if !BARE_METAL
    /// Gives up for a while on rows that do not compress. Runs do not: their bytes are the same on all targets.
    private let isAdaptive: Bool
    private let windowBytes: Int
    private var misses = 0
    private var rowsToSkip = 0
    private var hasSkipped = false
    /// Where the row before lies, and its bytes.
    private var before = 0
    private var bytesBefore = 0
    #endif

    /// `window`: `windowBytes` of these bytes of history.
    init(
        state: UnsafeMutableRawPointer, stateBytes: Int, window: UnsafeMutableRawPointer, history: Int, maxRow: Int,
        level: Int, isAdaptive: Bool = false
    ) {
        #if BARE_METAL
        _ = LZ4_initStream(state, stateBytes)
        #else
        if isAdaptive { _ = tables_lz4_init(state, Int32(stateBytes)) } else { _ = LZ4_initStream(state, stateBytes) }
        #endif
        self.state = state
        self.window = window
        self.history = history
        // Rows are short: steps as wide as the reference's pass over most of what could be found in them. Runs count
        // instructions instead.
        acceleration = Int32(isAdaptive ? (14 - level) / 3 : 10 - level)
        #if !BARE_METAL
        self.isAdaptive = isAdaptive
        windowBytes = RowCompressor.windowBytes(history: history, maxRow: maxRow, isAdaptive: isAdaptive)
        #endif
    }

    private var runState: UnsafeMutablePointer<LZ4_stream_t> { state.assumingMemoryBound(to: LZ4_stream_t.self) }

    mutating func reset() {
        position = 0
        #if BARE_METAL
        LZ4_resetStream_fast(runState)
        #else
        if isAdaptive { tables_lz4_reset(state) } else { LZ4_resetStream_fast(runState) }
        hasSkipped = false
        bytesBefore = 0
        #endif
    }

    /// Where the next row is to be put: room for `most` bytes behind the history, which stays where it is.
    mutating func rowRoom(_ most: Int) -> UnsafeMutableRawPointer {
        #if !BARE_METAL
        if isAdaptive {
            if position + most + RowEncoder.slack > windowBytes { moveHistory() }
            return window + position
        }
        #endif
        if position > max(history, most) { position = 0 }
        return window + position
    }

    /// Compresses the row that was put there. `out` has room for `bound(count)` bytes.
    mutating func compress(_ count: Int, to out: UnsafeMutableRawPointer) -> Int {
        let row = window + position
        #if !BARE_METAL
        defer { (before, bytesBefore) = (position - count, count) }
        if rowsToSkip > 0 {
            rowsToSkip -= 1
            hasSkipped = true
            position += count
            return LiteralBlock.store(row, count, to: out)
        }
        if hasSkipped { resume(count) }
        #endif
        let from = row.assumingMemoryBound(to: CChar.self)
        let to = out.assumingMemoryBound(to: CChar.self)
        let room = Int32(truncatingIfNeeded: RowCompressor.bound(count))
        #if BARE_METAL
        let written = Int(LZ4_compress_fast_continue(runState, from, to, Int32(count), room, acceleration))
        #else
        let written = Int(
            isAdaptive ? tables_lz4_compress(state, from, to, Int32(count), room, acceleration)
                : LZ4_compress_fast_continue(runState, from, to, Int32(count), room, acceleration))
        #endif
        // It is 0 only if `out` is smaller than the bound.
        precondition(written > 0)
        position += count
        #if !BARE_METAL
        if isAdaptive {
            let plain = LiteralBlock.bytes(count)
            if written + count >> 8 < plain {
                misses = 0
            } else if count >= RowCompressor.leastToSkip {
                misses += 1
                if misses > 3 { rowsToSkip = min(1 << (misses - 3), 32) }
            }
            if written >= plain { return LiteralBlock.store(row, count, to: out) }
        }
        #endif
        return written
    }

    #if !BARE_METAL
    /// Begins the window anew, with the history in front: where rows do not lie one behind the other, LZ4 forgets it soon.
    /// The window is several times as long. Behind a row there is nothing then.
    private mutating func moveHistory() {
        position = hasSkipped || rowsToSkip > 0 ? 0 : Int(tables_lz4_save(state, window.assumingMemoryBound(to: CChar.self), Int32(history)))
        bytesBefore = 0
    }

    /// Behind rows that LZ4 has not seen: its history begins with the row before, unless the new one lies over it.
    private mutating func resume(_ count: Int) {
        hasSkipped = false
        tables_lz4_reset(state)
        if bytesBefore > 0, before >= position + count + RowEncoder.slack || before + bytesBefore <= position {
            let bytes = min(bytesBefore, 65536)
            _ = tables_lz4_load(
                state, (window + (before + bytesBefore - bytes)).assumingMemoryBound(to: CChar.self), Int32(bytes))
        }
    }
    #endif

    #if !BARE_METAL
    /// Shorter rows are never left out: they compress against many rows before them, of which leaving out costs the memory.
    private static var leastToSkip: Int { 1024 }
    #endif

    static func bound(_ row: Int) -> Int { row + row / 255 + 16 }

    /// Bytes of the window: `history` and the longest row behind it, at least two rows.
    static func windowBytes(history: Int, maxRow: Int, isAdaptive: Bool) -> Int {
        #if !BARE_METAL
        if isAdaptive { return history + max(3 * history, 2 * maxRow) + RowEncoder.slack }
        #endif
        return max(history, maxRow) + maxRow + RowEncoder.slack
    }

    /// Of a run's compressor, whose rows are compressed to the same bytes on all targets, or of a table's.
    static func stateBytes(isAdaptive: Bool) -> Int {
        #if !BARE_METAL
        if isAdaptive { return Int(tables_lz4_state_bytes()) }
        #endif
        return Int(LZ4_sizeofState())
    }
}
