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
    private let state: UnsafeMutablePointer<LZ4_stream_t>
    private let window: UnsafeMutableRawPointer
    private let history: Int
    #if !BARE_METAL
    private let windowBytes: Int
    #endif
    private let acceleration: Int32
    private var position = 0
    /// A table's, whose bytes need not be the same on all targets. It gives up for a while on rows that do not compress.
    private let isTable: Bool
    #if !BARE_METAL
    private var misses = 0
    private var rowsToSkip = 0
    private var hasSkipped = false
    /// Where the row before lies, and its bytes.
    private var before = 0
    private var bytesBefore = 0
    #endif

    /// `state`: `stateBytes`; `window`: `windowBytes` of these bytes of history.
    init(
        state: UnsafeMutableRawPointer, window: UnsafeMutableRawPointer, history: Int, maxRow: Int, level: Int,
        isTable: Bool
    ) {
        self.state = clz4_init(isTable, state)
        self.isTable = isTable
        self.window = window
        self.history = history
        #if !BARE_METAL
        windowBytes = RowCompressor.windowBytes(history: history, maxRow: maxRow, isTable: isTable)
        #endif
        acceleration = Int32(10 - level)
    }

    mutating func reset() {
        clz4_reset(isTable, state)
        position = 0
        #if !BARE_METAL
        hasSkipped = false
        bytesBefore = 0
        #endif
    }

    /// Where the next row is to be put: room for `most` bytes behind the history, which stays where it is.
    mutating func rowRoom(_ most: Int) -> UnsafeMutableRawPointer {
        #if !BARE_METAL
        if isTable {
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
        let written = Int(
            clz4_compress(
                isTable, state, row, Int32(count), out, Int32(truncatingIfNeeded: RowCompressor.bound(count)), acceleration))
        // It is 0 only if `out` is smaller than the bound.
        precondition(written > 0)
        position += count
        #if !BARE_METAL
        if isTable {
            let plain = LiteralBlock.bytes(count)
            if written < plain {
                misses = 0
            } else {
                // Short rows tell little.
                if count > 64 {
                    misses += 1
                    if misses > 64 { rowsToSkip = 1 << min(misses - 64, 5) }
                }
                return LiteralBlock.store(row, count, to: out)
            }
        }
        #endif
        return written
    }

    #if !BARE_METAL
    /// Begins the window anew, with the history in front: LZ4 on its own forgets it where rows do not lie one behind the
    /// other. The window is several times as long.
    private mutating func moveHistory() {
        position = hasSkipped || rowsToSkip > 0 ? 0 : Int(clz4_save(isTable, state, window, Int32(history)))
        bytesBefore = 0
    }

    /// Behind rows that LZ4 has not seen: its history begins with the row before, unless the new one lies over it.
    private mutating func resume(_ count: Int) {
        hasSkipped = false
        clz4_reset(isTable, state)
        if bytesBefore > 0, before >= position + count + RowEncoder.slack || before + bytesBefore <= position {
            let bytes = min(bytesBefore, 65536)
            clz4_load(isTable, state, window + (before + bytesBefore - bytes), Int32(bytes))
        }
    }
    #endif

    static func bound(_ row: Int) -> Int { row + row / 255 + 16 }

    /// Bytes of the window: `history` and the longest row behind it, at least two rows.
    static func windowBytes(history: Int, maxRow: Int, isTable: Bool) -> Int {
        #if !BARE_METAL
        if isTable { return history + max(3 * history, 2 * maxRow) + RowEncoder.slack }
        #endif
        return max(history, maxRow) + maxRow + RowEncoder.slack
    }

    static func stateBytes(isTable: Bool) -> Int { Int(clz4_state_bytes(isTable)) }
}
