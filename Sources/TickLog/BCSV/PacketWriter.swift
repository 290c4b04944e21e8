import CTickLog
import CXXHash

/// Writes rows as a file's body: as packets (spec BCSV, sections 4 and 6) or as a stream (5).
struct PacketWriter {
    /// A pointer, so that it is not copied for each row.
    let rows: UnsafeMutablePointer<RowEncoder>
    private let codec: BCSVFileCodec
    private let isStream: Bool
    let isBatch: Bool
    private var compressor: RowCompressor?
    private let batch: BatchCompressor?
    var index: PacketIndex
    private let packetBytes: Int

    private(set) var rowCount: UInt64 = 0
    private(set) var closedPackets: UInt64 = 0
    private(set) var isOpen = false
    private var body = 0
    private var rowsInPacket = 0
    private var lengthWidth = 1
    private var hash = cxxhash64_state()
    /// How many bytes of the body, from its end, are not hashed yet.
    private var unhashed = 0

    /// Of `compressor` and `batch`, the codec tells which there is.
    init(
        rows: UnsafeMutablePointer<RowEncoder>, codec: BCSVFileCodec, compressor: RowCompressor?, batch: BatchCompressor?, index: PacketIndex,
        packetBytes: Int
    ) {
        self.rows = rows
        self.codec = codec
        isStream = codec == .stream || codec == .streamLZ4
        isBatch = codec == .batch
        self.compressor = compressor
        self.batch = batch
        self.index = index
        self.packetBytes = packetBytes
    }

    // MARK: Room

    /// The most that rows of `maxRow` bytes need of the buffer: the end of the packet before, a packet header, the row,
    /// and the end of its own packet, which therefore always fits. Of a batch, two whole packets: one that is full, and
    /// one of a row alone.
    static func rowRoom(maxRow: Int, codec: BCSVFileCodec, packetBytes: Int) -> Int {
        switch codec {
        case .packet, .stream: frame + maxRow + RowEncoder.slack
        case .packetLZ4, .streamLZ4: frame + RowCompressor.bound(maxRow)
        case .batch: batchRoom(packetBytes + BLE.maxRowWidth + maxRow) + batchRoom(BLE.maxRowWidth + maxRow)
        }
    }

    /// What the next row needs of the buffer if it has `most` bytes at most. Constant but for batches.
    func room(_ most: Int) -> Int {
        switch codec {
        case .packet, .stream: return PacketWriter.frame + most + RowEncoder.slack
        case .packetLZ4, .streamLZ4: return PacketWriter.frame + RowCompressor.bound(most)
        case .batch:
            let row = BLE.maxRowWidth + most
            if !isOpen || body < packetBytes { return PacketWriter.batchRoom((isOpen ? body : 0) + row) }
            return PacketWriter.batchRoom(body) + PacketWriter.batchRoom(row)
        }
    }

    /// The most bytes that the open packet adds to the buffer when it is closed, of which none are there yet: a batch's.
    var unwritten: Int { isBatch && isOpen ? PacketWriter.batchRoom(body) : 0 }

    /// The most bytes that a row adds to a file, with a packet of its own.
    static func rowBytes(maxRow: Int, codec: BCSVFileCodec) -> Int {
        rowRoom(maxRow: maxRow, codec: codec == .batch ? .packetLZ4 : codec, packetBytes: 0)
    }

    private static var frame: Int {
        2 * BCSVFormat.packetEndBytes + BCSVFormat.packetHeaderBytes + BLE.maxRowWidth
    }

    private static func batchRoom(_ rows: Int) -> Int {
        BCSVFormat.packetHeaderBytes + 8 + LiteralBlock.bytes(rows + 5) + BCSVFormat.hashBytes
    }

    // MARK: Rows

    /// A new file: rows are counted from 0, held values stay.
    mutating func beginFile() {
        rowCount = 0
        isOpen = false
        index.reset()
    }

    /// A file that has rows already. What is held stays, and in a stream the next row follows them; compression begins anew.
    mutating func resume(rows: UInt64) {
        rowCount = rows
        if !isStream { isOpen = false }
        if compressor != nil { compressor!.reset() }
    }

    /// Which owners a row takes its new values from.
    enum Due {
        case all(allPresent: Bool)
        case event(owner: Int)
        /// None: the row repeats the one before.
        case repeated
    }

    /// Appends a row of `most` bytes at most. The buffer has `room(most)`.
    @_optimize(speed)
    mutating func append(_ due: Due, most: Int, to buffer: inout BlockBuffer) {
        if isOpen, body >= packetBytes { close(&buffer) }
        if !isOpen { open(&buffer) }
        let guess = lengthWidth
        let start = !isBatch ? buffer.next : batch!.payload + body
        let out = start + guess
        let row = compressor == nil ? out : compressor!.rowRoom(most)
        var stored = encode(due, to: row)
        if compressor != nil, stored > 0 { stored = compressor!.compress(stored, to: out) }
        rowsInPacket &+= 1
        let width = BLE.width(stored)
        if width != guess {
            // Rows mostly have the same width of length; this is the other case.
            (start + width).copyMemory(from: out, byteCount: stored)
            if stored > 0 { lengthWidth = width }
        }
        BLE.store(stored, width: width, at: start)
        rowCount &+= 1
        if isStream {
            if stored > 0 {
                (start + width + stored).store(cxxhash32(start + width, stored))
                stored &+= 4
            }
            buffer.advance(width &+ stored)
            return
        }
        body &+= width &+ stored
        unhashed &+= width &+ stored
        if !isBatch { buffer.advance(width &+ stored) }
        #if !BARE_METAL
        // While the processor has the bytes at hand; in large pieces, since each call costs.
        if unhashed >= 32768 { hashPending(buffer) }
        #endif
    }


    @inline(__always)
    private func encode(_ due: Due, to out: UnsafeMutableRawPointer) -> Int {
        let isFirstRow = rowsInPacket == 0
        if rows.pointee.codec == .delta {
            if case .repeated = due { return rows.pointee.encodeDeltaHeld(to: out, isFirst: isFirstRow) }
            return rows.pointee.encodeDelta(to: out, isFirstRow ? .first : rowsInPacket == 1 ? .second : .later)
        }
        switch due {
        case .all(let allPresent):
            if rows.pointee.codec == .flat {
                return rows.pointee.isDirect && allPresent ? rows.pointee.encodeFlatDirect(to: out) : rows.pointee.encodeFlat(to: out)
            }
            return isFirstRow ? rows.pointee.encodeAll(to: out) : rows.pointee.encodeChanges(to: out, allPresent: allPresent)
        case .event(let owner):
            return isFirstRow ? rows.pointee.encodeAll(to: out) : rows.pointee.encodeChanges(of: owner, to: out)
        case .repeated:
            // The samples of the row before lie in a ring that has room for others since.
            if rows.pointee.codec == .flat { return rows.pointee.encodeFlatHeld(to: out) }
            return isFirstRow ? rows.pointee.encodeHeld(to: out) : 0
        }
    }

    // MARK: Packets

    private mutating func open(_ buffer: inout BlockBuffer) {
        isOpen = true
        rowsInPacket = 0
        body = 0
        unhashed = 0
        if compressor != nil { compressor!.reset() }
        if isStream { return }
        cxxhash64_reset(&hash)
        if !isBatch {
            putHeader(&buffer, firstRow: rowCount)
        }
    }

    private mutating func putHeader(_ buffer: inout BlockBuffer, firstRow: UInt64) {
        let header = buffer.next
        index.add(offset: buffer.length, firstRow: firstRow)
        header.store(BCSVFormat.packetMagic)
        header.store(firstRow, at: 4)
        header.store(cxxhash32(header, 12), at: 12)
        buffer.advance(BCSVFormat.packetHeaderBytes)
    }

    /// Ends the open packet. There is room for it: every row left it. A stream has none.
    mutating func close(_ buffer: inout BlockBuffer) {
        if !isOpen || isStream { return }
        let end = !isBatch ? buffer.next : batch!.payload + body
        end.store(BCSVFormat.terminator.0)
        end.store(BCSVFormat.terminator.1, at: 4)
        body += 5
        unhashed += 5
        if !isBatch { buffer.advance(5) }
        hashPending(buffer)
        if let batch {
            putHeader(&buffer, firstRow: rowCount - UInt64(rowsInPacket))
            let sizes = buffer.next
            let count = batch.compress(body, to: sizes + 8)
            sizes.store(UInt32(body))
            sizes.store(UInt32(count), at: 4)
            buffer.advance(8 + count)
        }
        buffer.next.store(cxxhash64_digest(&hash))
        buffer.advance(8)
        isOpen = false
        closedPackets += 1
    }

    /// Hashes what was appended since; before the buffer gives bytes away.
    mutating func hashPending(_ buffer: borrowing BlockBuffer) {
        if unhashed == 0 { return }
        let end = !isBatch ? buffer.next : batch!.payload + body
        cxxhash64_update(&hash, end - unhashed, unhashed)
        unhashed = 0
    }
}
