import CLZ4
import CTickLog
import CXXHash

/// A packet's place, for the footer. Rolled files stay below 2^32 bytes, and each row takes at least one.
struct IndexEntry {
    var offset: UInt32
    var firstRow: UInt32
}

/// The footer's index in bounded memory: when it is full, every second packet is dropped and from then on only every
/// `stride`-th kept. pybcsv reads such an index rightly for flat and ZoH (spec BCSV, section 12).
struct PacketIndex {
    let entries: Table<IndexEntry>
    private(set) var count = 0
    private var stride = 1
    private var packets = 0
    private var isGivenUp = false

    init(_ entries: Table<IndexEntry>) { self.entries = entries }

    /// `offset` is a packet's place in the file. Behind 4 GiB, which only a roll that storage refuses can reach, the file
    /// goes without an index: readers then scan.
    mutating func add(offset: UInt64, firstRow: UInt64) {
        guard offset <= UInt64(UInt32.max), !isGivenUp else {
            isGivenUp = true
            count = 0
            return
        }
        let entry = IndexEntry(offset: UInt32(offset), firstRow: UInt32(truncatingIfNeeded: firstRow))
        if packets % stride == 0 {
            if count == entries.count {
                var i = 0
                while 2 * i < count {
                    entries[i] = entries[2 * i]
                    i += 1
                }
                count = i
                stride *= 2
            }
            if packets % stride == 0 {
                entries[count] = entry
                count += 1
            }
        }
        packets += 1
    }

    mutating func reset() { (count, stride, packets, isGivenUp) = (0, 1, 0, false) }
}

/// LZ4 streaming of rows: each row is a block that may refer to the packet's rows before it (spec BCSV, section 4.1).
struct RowCompressor {
    private let state: UnsafeMutablePointer<LZ4_stream_t>
    private let window: UnsafeMutableRawPointer
    private let windowBytes: Int
    private let maxRow: Int
    private let acceleration: Int32
    private var position = 0

    init(
        state: UnsafeMutableRawPointer, stateBytes: Int, window: UnsafeMutableRawPointer, windowBytes: Int, maxRow: Int,
        level: Int
    ) {
        self.state = LZ4_initStream(state, stateBytes)
        self.window = window
        self.windowBytes = windowBytes
        self.maxRow = maxRow
        acceleration = Int32(10 - level)
    }

    mutating func reset() {
        LZ4_resetStream_fast(state)
        position = 0
    }

    /// Where the next row is to be put: room for `maxRow` bytes behind the history, which stays where it is.
    mutating func rowRoom() -> UnsafeMutableRawPointer {
        if position + maxRow > windowBytes { position = 0 }
        return window + position
    }

    /// Compresses the row that was put there. `out` has room for `bound(maxRow)` bytes.
    mutating func compress(_ count: Int, to out: UnsafeMutableRawPointer, room: Int) -> Int {
        let row = (window + position).assumingMemoryBound(to: CChar.self)
        let written = LZ4_compress_fast_continue(
            state, row, out.assumingMemoryBound(to: CChar.self), Int32(count), Int32(truncatingIfNeeded: room), acceleration)
        // It is 0 only if `out` is smaller than the bound.
        precondition(written > 0)
        position += count
        return Int(written)
    }

    static func bound(_ row: Int) -> Int { row + row / 255 + 16 }

    /// Bytes of the window: `history` and the longest row behind it, at least two rows.
    static func windowBytes(history: Int, maxRow: Int) -> Int { max(history, maxRow) + maxRow }

    static var stateBytes: Int { Int(LZ4_sizeofState()) }
}

/// Writes rows as packets (spec BCSV, section 4).
struct PacketWriter {
    var rows: RowEncoder
    private var compressor: RowCompressor?
    var index: PacketIndex
    private let packetBytes: Int
    private let maxRow: Int
    /// Every owner is due in every row, and no row is repeated: flat rows need no held values.
    private let isUniform: Bool

    private(set) var rowCount: UInt64 = 0
    private(set) var closedPackets: UInt64 = 0
    private(set) var isOpen = false
    private var body = 0
    private var isFirstRow = false
    private var lengthWidth = 1
    private var hash = cxxhash64_state()
    /// How much of the buffer, from its end, is not hashed yet.
    private var unhashed = 0

    init(
        rows: RowEncoder, compressor: RowCompressor?, index: PacketIndex, packetBytes: Int, maxRow: Int, isUniform: Bool
    ) {
        self.rows = rows
        self.compressor = compressor
        self.index = index
        self.packetBytes = packetBytes
        self.maxRow = maxRow
        self.isUniform = isUniform
    }

    /// The most that a row adds to the buffer: the end of the packet before it, a packet header, the row, and the end of
    /// its own packet, which therefore always fits.
    static func rowRoom(maxRow: Int, compressed: Bool) -> Int {
        BCSVFormat.packetEndBytes + BCSVFormat.packetHeaderBytes + BLE.maxRowWidth
            + (compressed ? RowCompressor.bound(maxRow) : maxRow) + BCSVFormat.packetEndBytes
    }

    /// A new file: rows are counted from 0, held values stay.
    mutating func beginFile() {
        rowCount = 0
        isOpen = false
        index.reset()
    }

    /// Which owners a row takes its new values from.
    enum Due {
        case all(allPresent: Bool)
        case event(owner: Int)
        /// None: the row repeats the one before.
        case repeated
    }

    /// Appends a row. The buffer has room for `rowRoom` bytes.
    @_optimize(speed)
    mutating func append(_ due: Due, to buffer: inout BlockBuffer) {
        if isOpen, body >= packetBytes { close(&buffer) }
        if !isOpen { open(&buffer) }
        let guess = lengthWidth
        let start = buffer.next
        let out = start + guess
        let stored: Int
        if compressor != nil {
            let row = compressor!.rowRoom()
            let length = encode(due, to: row)
            stored = length == 0 ? 0 : compressor!.compress(length, to: out, room: RowCompressor.bound(maxRow))
        } else {
            stored = encode(due, to: out)
        }
        isFirstRow = false
        let width = BLE.width(stored)
        if width != guess {
            // Rows mostly have the same width of length; this is the other case.
            (start + width).copyMemory(from: out, byteCount: stored)
            if stored > 0 { lengthWidth = width }
        }
        BLE.store(stored, width: width, at: start)
        body &+= width &+ stored
        unhashed &+= width &+ stored
        buffer.advance(width &+ stored)
        rowCount &+= 1
    }

    @inline(__always)
    private mutating func encode(_ due: Due, to out: UnsafeMutableRawPointer) -> Int {
        switch due {
        case .all(let allPresent):
            if rows.isFlat {
                return isUniform && allPresent && compressor != nil ? rows.encodeFlatDirect(to: out) : rows.encodeFlat(to: out)
            }
            return isFirstRow ? rows.encodeAll(to: out) : rows.encodeChanges(to: out, allPresent: allPresent)
        case .event(let owner):
            return isFirstRow ? rows.encodeAll(to: out) : rows.encodeChanges(of: owner, to: out)
        case .repeated:
            // The samples of the row before lie in a ring that has room for others since.
            if rows.isFlat { return rows.encodeFlatHeld(to: out) }
            return isFirstRow ? rows.encodeHeld(to: out) : 0
        }
    }

    private mutating func open(_ buffer: inout BlockBuffer) {
        let header = buffer.next
        index.add(offset: buffer.length, firstRow: rowCount)
        header.store(BCSVFormat.packetMagic)
        header.store(rowCount, at: 4)
        header.store(cxxhash32(header, 12), at: 12)
        buffer.advance(BCSVFormat.packetHeaderBytes)
        isOpen = true
        isFirstRow = true
        body = 0
        unhashed = 0
        cxxhash64_reset(&hash)
        if compressor != nil { compressor!.reset() }
    }

    /// Ends the open packet. There is room for it: every row left it.
    mutating func close(_ buffer: inout BlockBuffer) {
        if !isOpen { return }
        let end = buffer.next
        end.store(BCSVFormat.terminator.0)
        end.store(BCSVFormat.terminator.1, at: 4)
        buffer.advance(5)
        unhashed += 5
        hashPending(buffer)
        buffer.next.store(cxxhash64_digest(&hash))
        buffer.advance(8)
        isOpen = false
        closedPackets += 1
    }

    /// Hashes what was appended since; before the buffer gives bytes away. In large pieces, since each call costs.
    mutating func hashPending(_ buffer: borrowing BlockBuffer) {
        if unhashed == 0 { return }
        cxxhash64_update(&hash, buffer.next - unhashed, unhashed)
        unhashed = 0
    }
}
