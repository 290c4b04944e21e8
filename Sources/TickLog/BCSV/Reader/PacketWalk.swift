import CLZ4
import CXXHash

/// Walks the packets of a file with the codecs packet, packet-LZ4 and batch. A packet is handed out only when its header
/// and its rows match their checksums; what a failure means, the torn tail of a file that was never closed or damage, is
/// decided by what stands behind it (spec: BCSV.md, section 10).
public struct PacketWalk {
    public enum Event {
        case packet(Packet)
        case damage(BCSVDamage)
        case end(BCSVEnding)
    }

    let header: BCSVHeader
    var window: SourceWindow
    /// Where a batch is unpacked.
    private let unpacked: UnsafeMutableRawBufferPointer
    private let salvage: Bool
    private let unverified: Bool

    /// Where the next packet, the footer or the end is expected.
    public private(set) var offset: Int
    /// The row that the next packet must begin with.
    public private(set) var rowCount: UInt64 = 0
    /// The footer, if there is a right one.
    public let footer: BCSVFooter?
    private let footerError: FormatError?
    private var ending: BCSVEnding?
    /// Row lengths that were followed for the packet that is read, and in vain for all that were wrong.
    private var steps: UInt64 = 0
    private var effort: UInt64 = 0
    private var isDamaged = false
    /// The error of a torn tail whose rows were handed out first.
    private var tornTail: BCSVDamage?

    /// `unpacked` has room for the largest batch; for the other codecs it may be empty.
    public init(
        _ window: SourceWindow, _ header: BCSVHeader, unpacked: UnsafeMutableRawBufferPointer, salvage: Bool,
        unverified: Bool
    ) throws(FormatError) {
        self.header = header
        self.window = window
        self.unpacked = unpacked
        self.salvage = salvage
        self.unverified = unverified
        offset = header.dataOffset
        var found: BCSVFooter?
        var failure: FormatError?
        do {
            found = try BCSVFooter(&self.window)
        } catch {
            if error.kind == .source { throw error }
            failure = error
        }
        if let footer = found, footer.offset < header.dataOffset {
            throw FormatError(
                .header, at: footer.offset, expected: "a schema that ends before the footer", found: .text("a longer one"))
        }
        footer = found
        footerError = failure
    }

    /// The next packet or damage. After the end, the same again.
    public mutating func next() throws(FormatError) -> Event {
        if let ending { return .end(ending) }
        if let tail = tornTail {
            tornTail = nil
            ending = isDamaged ? .damaged : .torn
            return .damage(tail)
        }
        if offset == window.length { return try finish() }
        if try startsFooter() { return try finish() }
        let packet: Packet
        do {
            packet = try read(at: offset)
        } catch {
            if error.kind == .source { throw error }
            return try recover(error)
        }
        guard packet.firstRow == rowCount else { return try misnumbered(packet) }
        return .packet(accept(packet))
    }

    private mutating func accept(_ packet: Packet) -> Packet {
        offset = packet.end
        let (after, overflow) = packet.firstRow.addingReportingOverflow(packet.rowCount)
        rowCount = overflow ? UInt64.max : after
        return packet
    }

    /// Goes on with the packet at `offset`, which is known to begin with `row`.
    mutating func jump(to offset: Int, row: UInt64) {
        self.offset = offset
        rowCount = row
        ending = nil
        isDamaged = false
        tornTail = nil
    }

    private mutating func startsFooter() throws(FormatError) -> Bool {
        let bytes = try window.bytes(at: offset, atLeast: 4)
        return bytes.holds(4, at: 0) && bytes.u32(at: 0) == BCSVFormat.footerMagic
    }

    // MARK: One packet

    private static func isHeader(_ bytes: FileBytes, at offset: Int) -> Bool {
        bytes.holds(BCSVFormat.packetHeaderBytes, at: offset) && bytes.u32(at: offset) == BCSVFormat.packetMagic
            && cxxhash32(bytes.start + offset, 12) == bytes.u32(at: offset + 12)
    }

    /// The first row of the packet whose header stands at `offset`; nil if there is none.
    mutating func headerRow(at offset: Int) throws(FormatError) -> UInt64? {
        guard offset >= header.dataOffset, offset <= window.length else { return nil }
        let bytes = try window.bytes(at: offset, atLeast: BCSVFormat.packetHeaderBytes)
        return PacketWalk.isHeader(bytes, at: 0) ? bytes.u64(at: 4) : nil
    }

    /// The packet at `offset`, verified.
    mutating func read(at offset: Int) throws(FormatError) -> Packet {
        steps = 0
        let bytes = try window.bytes(at: offset, atLeast: BCSVFormat.packetHeaderBytes + 8)
        guard bytes.holds(BCSVFormat.packetHeaderBytes, at: 0) else {
            throw FormatError(.torn, at: offset, expected: "a packet header of 16 bytes", found: .end)
        }
        guard bytes.u32(at: 0) == BCSVFormat.packetMagic else {
            throw FormatError(
                .packetHeader, at: offset, expected: "\"PKCT\" or \"BIDX\"", found: .hex(UInt64(bytes.u32(at: 0))))
        }
        guard PacketWalk.isHeader(bytes, at: 0) else {
            throw FormatError(
                .packetHeader, at: offset + 12, expected: "the XXH32 of the packet header",
                found: .hex(UInt64(bytes.u32(at: 12))))
        }
        let firstRow = bytes.u64(at: 4)
        if header.fileCodec == .batch { return try readBatch(at: offset, firstRow) }
        let (packet, rows) = try walk(at: offset)
        let body = BCSVFormat.packetHeaderBytes
        let end = rows.terminator + rows.terminatorSize
        guard packet.holds(BCSVFormat.hashBytes, at: end) else {
            throw FormatError(.torn, at: offset + packet.count, expected: "the packet's checksum", found: .end)
        }
        guard packet.u64(at: end) == cxxhash64(packet.start + body, end - body) else {
            throw FormatError(
                .packetHash, at: offset + end, expected: "the XXH64 of the packet's rows",
                found: .hex(packet.u64(at: end)))
        }
        return Packet(
            offset: offset, firstRow: firstRow, rowCount: rows.count, end: offset + end + BCSVFormat.hashBytes,
            isVerified: true, rows: packet.slice(at: body, count: rows.terminator - body), body: offset + body)
    }

    /// Where the row lengths lead.
    private struct Rows {
        var count: UInt64 = 0
        /// Behind the last whole row.
        var end: Int
        var terminator = 0
        var terminatorSize = 0
        /// False: the bytes end before the terminator.
        var isComplete = false
    }

    /// Follows the row lengths of the packet at `offset` to its terminator and its checksum.
    private mutating func walk(at offset: Int) throws(FormatError) -> (FileBytes, Rows) {
        var bytes = try window.bytes(at: offset, atLeast: BCSVFormat.packetHeaderBytes)
        var rows = try PacketWalk.rows(bytes, from: BCSVFormat.packetHeaderBytes, header, offset, &steps)
        if !rows.isComplete || !bytes.holds(BCSVFormat.hashBytes, at: rows.terminator + rows.terminatorSize),
            bytes.count < window.length - offset
        {
            bytes = try window.bytes(at: offset, atLeast: window.capacity)
            rows = try PacketWalk.rows(bytes, from: BCSVFormat.packetHeaderBytes, header, offset, &steps)
            if !rows.isComplete || !bytes.holds(BCSVFormat.hashBytes, at: rows.terminator + rows.terminatorSize),
                bytes.count < window.length - offset
            {
                throw FormatError(
                    .tooLarge, at: offset, expected: "a packet that fits the reader's memory",
                    found: .text("a larger one"))
            }
        }
        guard rows.isComplete else {
            throw FormatError(
                .torn, at: offset + rows.end, expected: "a whole row or the packet's end", found: .end)
        }
        return (bytes, rows)
    }

    private static func rows(
        _ bytes: FileBytes, from start: Int, _ header: BCSVHeader, _ offset: Int, _ steps: inout UInt64
    ) throws(FormatError) -> Rows {
        let mayRepeat = header.rowCodec == .zoh
        var rows = Rows(end: start)
        defer { steps &+= rows.count }
        var at = start
        while let length = RowLength(bytes, at: at) {
            if length.value == BCSVFormat.terminatorLength {
                rows.terminator = at
                rows.terminatorSize = length.size
                rows.isComplete = true
                return rows
            }
            guard length.value <= UInt64(BCSVFormat.maxRowBytes) else {
                throw FormatError(
                    .row, at: offset + at, expected: "a row length below 2^24 - 1", found: .number(length.value))
            }
            guard length.value > 0 || mayRepeat && rows.count > 0 else {
                throw FormatError(.row, at: offset + at, expected: "a row length above 0", found: .number(0))
            }
            let next = at + length.size + Int(truncatingIfNeeded: length.value)
            guard next <= bytes.count else { return rows }
            at = next
            rows.end = at
            rows.count += 1
        }
        return rows
    }

    private static let batchHeaderBytes = 24

    private mutating func readBatch(at offset: Int, _ firstRow: UInt64) throws(FormatError) -> Packet {
        let head = PacketWalk.batchHeaderBytes
        var bytes = try window.bytes(at: offset, atLeast: head)
        guard bytes.holds(head, at: 0) else {
            throw FormatError(.torn, at: offset + 16, expected: "the sizes of the batch", found: .end)
        }
        let size = Int(clamping: bytes.u32(at: 16))
        let stored = Int(clamping: bytes.u32(at: 20))
        guard stored <= window.length - offset - head, BCSVFormat.hashBytes <= window.length - offset - head - stored else {
            throw FormatError(.torn, at: offset + 20, expected: "the whole batch", found: .end)
        }
        // LZ4 never shrinks to less than a 255th: what is stored bounds what may be asked for.
        guard size >= 5, size <= Int(header.packetLimit) + BCSVFormat.maxRowBytes + 16, size / 255 <= stored else {
            throw FormatError(
                .row, at: offset + 16, expected: "a size that the header and the stored bytes allow",
                found: .number(UInt64(size)))
        }
        let whole = head + stored + BCSVFormat.hashBytes
        guard size <= unpacked.count, whole <= window.capacity else {
            throw FormatError(
                .tooLarge, at: offset + 16, expected: "a batch that fits the reader's memory",
                found: .number(UInt64(size)))
        }
        bytes = try window.bytes(at: offset, atLeast: whole)
        let target = unpacked.baseAddress!
        let count = LZ4_decompress_safe(
            (bytes.start + head).assumingMemoryBound(to: CChar.self), target.assumingMemoryBound(to: CChar.self),
            Int32(stored), Int32(size))
        guard Int(count) == size else {
            throw FormatError(
                .packetHash, at: offset + head, expected: "an LZ4 block of the stated size",
                found: count < 0 ? .text("another thing") : .number(UInt64(count)))
        }
        let hash = bytes.u64(at: head + stored)
        guard cxxhash64(target, size) == hash else {
            throw FormatError(
                .packetHash, at: offset + head + stored, expected: "the XXH64 of the packet's rows", found: .hex(hash))
        }
        let payload = FileBytes(start: target, count: size)
        let rows: Rows
        do throws(FormatError) { rows = try PacketWalk.rows(payload, from: 0, header, 0, &steps) } catch {
            // What is unpacked has no offset in the file: the block's stands for it.
            throw FormatError(error.kind, at: offset + head, expected: error.expected, found: error.found)
        }
        guard rows.isComplete, rows.terminator + rows.terminatorSize == size else {
            throw FormatError(
                .row, at: offset + head, expected: "rows and a terminator that fill the batch",
                found: .text("other lengths"))
        }
        return Packet(
            offset: offset, firstRow: firstRow, rowCount: rows.count, end: offset + whole, isVerified: true,
            rows: payload.slice(at: 0, count: rows.terminator), body: nil)
    }

    /// Rows and end of the packet at `offset`, without looking at its checksum; nil if it is not whole.
    mutating func extent(at offset: Int) throws(FormatError) -> (rows: UInt64?, end: Int)? {
        if header.fileCodec == .batch {
            let bytes = try window.bytes(at: offset, atLeast: PacketWalk.batchHeaderBytes)
            guard bytes.holds(PacketWalk.batchHeaderBytes, at: 0) else { return nil }
            let rest = window.length - offset - PacketWalk.batchHeaderBytes - BCSVFormat.hashBytes
            let stored = Int(clamping: bytes.u32(at: 20))
            guard stored <= rest else { return nil }
            return (nil, offset + PacketWalk.batchHeaderBytes + stored + BCSVFormat.hashBytes)
        }
        do {
            let (bytes, rows) = try walk(at: offset)
            let end = rows.terminator + rows.terminatorSize + BCSVFormat.hashBytes
            return end <= bytes.count ? (rows.count, offset + end) : nil
        } catch {
            if error.kind == .source || error.kind == .tooLarge { throw error }
            return nil
        }
    }

    // MARK: Damage

    private mutating func end(_ ending: BCSVEnding, _ damage: BCSVDamage) -> Event {
        self.ending = ending
        return .damage(damage)
    }

    /// Decides what an error at `offset` means.
    private mutating func recover(_ error: FormatError) throws(FormatError) -> Event {
        let start = offset
        // Headers that lie may lead each search to the end of the file: behind so much of that nothing more is tried.
        effort &+= steps
        if effort > 8 * UInt64(window.length) + (1 << 20) {
            return end(
                .damaged,
                BCSVDamage(error: error, isTorn: false, skipped: start..<window.length, firstRow: rowCount, rows: nil))
        }
        if let (found, isFooter) = try resync(from: start + 1) {
            let next = isFooter ? footer?.rowCount : try headerRow(at: found)
            var missing: UInt64?
            if let next, next >= rowCount { missing = next - rowCount }
            let damage = BCSVDamage(
                error: error, isTorn: false, skipped: start..<found, firstRow: rowCount, rows: missing)
            isDamaged = true
            if salvage {
                offset = found
                if let next, next > rowCount { rowCount = next }
                return .damage(damage)
            }
            return end(.damaged, damage)
        }
        // Nothing whole behind it. Cut bytes are the end of a file that was never closed, and so are zeros, which a file
        // system leaves where it had room but no data when the power went.
        var isTorn = error.kind == .torn
        if !isTorn, error.kind != .packetHash, error.kind != .tooLarge { isTorn = try isZero(from: error.offset) }
        var missing: UInt64?
        if !isTorn, let footer, footer.rowCount >= rowCount { missing = footer.rowCount - rowCount }
        let damage = BCSVDamage(
            error: error, isTorn: isTorn, skipped: start..<window.length, firstRow: rowCount, rows: missing)
        if isTorn, unverified, let tail = try tornRows(at: start) {
            tornTail = BCSVDamage(
                error: error, isTorn: true, skipped: tail.end..<window.length, firstRow: tail.firstRow &+ tail.rowCount,
                rows: nil)
            return .packet(accept(tail))
        }
        return end(isTorn && !isDamaged ? .torn : .damaged, damage)
    }

    /// The whole rows of a packet that has no end.
    private mutating func tornRows(at offset: Int) throws(FormatError) -> Packet? {
        guard header.fileCodec != .batch, let firstRow = try headerRow(at: offset), firstRow == rowCount else { return nil }
        let bytes = try window.bytes(at: offset, atLeast: window.capacity)
        var rows: Rows
        do {
            rows = try PacketWalk.rows(bytes, from: BCSVFormat.packetHeaderBytes, header, offset, &steps)
        } catch {
            // Zeros behind the last row: what stands before them is whole.
            let cut = bytes.slice(at: 0, count: max(error.offset - offset, BCSVFormat.packetHeaderBytes))
            rows = Rows(end: BCSVFormat.packetHeaderBytes)
            do { rows = try PacketWalk.rows(cut, from: BCSVFormat.packetHeaderBytes, header, offset, &steps) } catch {}
        }
        let end = rows.isComplete ? rows.terminator : rows.end
        guard rows.count > 0 else { return nil }
        return Packet(
            offset: offset, firstRow: firstRow, rowCount: rows.count, end: offset + end, isVerified: false,
            rows: bytes.slice(at: BCSVFormat.packetHeaderBytes, count: end - BCSVFormat.packetHeaderBytes),
            body: offset + BCSVFormat.packetHeaderBytes)
    }

    private mutating func isZero(from offset: Int) throws(FormatError) -> Bool {
        var at = offset
        while at < window.length {
            let bytes = try window.bytes(at: at, atLeast: 1)
            var i = 0
            while i < bytes.count {
                if bytes[i] != 0 { return false }
                i += 1
            }
            at += bytes.count
        }
        return true
    }

    /// A packet that is whole and does not continue the rows before it.
    private mutating func misnumbered(_ packet: Packet) throws(FormatError) -> Event {
        let error = FormatError(
            .packetHeader, at: packet.offset + 4, expected: "the number of the row that follows the packet before",
            found: .number(packet.firstRow))
        let isAhead = packet.firstRow > rowCount
        let damage = BCSVDamage(
            error: error, isTorn: false, skipped: isAhead ? offset..<offset : offset..<packet.end, firstRow: rowCount,
            rows: isAhead ? packet.firstRow - rowCount : nil)
        isDamaged = true
        guard salvage else { return end(.damaged, damage) }
        if isAhead { rowCount = packet.firstRow } else { offset = packet.end }
        return .damage(damage)
    }

    /// The nearest offset, not before `first`, where a packet header that fits the row numbers or the footer stands; nil if
    /// there is none: what failed was the last thing in the file.
    private mutating func resync(from first: Int) throws(FormatError) -> (offset: Int, isFooter: Bool)? {
        var at = first
        while at < window.length {
            let bytes = try window.bytes(at: at, atLeast: BCSVFormat.packetHeaderBytes + 4096)
            guard bytes.holds(BCSVFormat.packetHeaderBytes, at: 0) else { break }
            let last = bytes.count - BCSVFormat.packetHeaderBytes
            var i = 0
            while i <= last {
                let word = bytes.u32(at: i)
                if word == BCSVFormat.packetMagic, PacketWalk.isHeader(bytes, at: i), bytes.u64(at: i + 4) >= rowCount {
                    return (at + i, false)
                }
                if word == BCSVFormat.footerMagic, let footer, footer.offset == at + i { return (at + i, true) }
                i += 1
            }
            at += last + 1
        }
        return nil
    }

    /// The offset of the last packet header before `end`; nil if there is none.
    mutating func lastHeader(before end: Int) throws(FormatError) -> Int? {
        let step = max(min(window.capacity, 65536), 64) - BCSVFormat.packetHeaderBytes
        var high = end
        while high > header.dataOffset {
            let low = max(high - step, header.dataOffset)
            let bytes = try window.bytes(at: low, atLeast: high - low + BCSVFormat.packetHeaderBytes)
            var i = high - low - 1
            while i >= 0 {
                if bytes.holds(4, at: i), bytes.u32(at: i) == BCSVFormat.packetMagic, PacketWalk.isHeader(bytes, at: i) {
                    return low + i
                }
                i -= 1
            }
            high = low
        }
        return nil
    }

    /// The offset and row of the first packet header in [from, to); nil if there is none.
    mutating func firstHeader(from: Int, to: Int) throws(FormatError) -> (offset: Int, row: UInt64)? {
        var at = from
        while at < to {
            let bytes = try window.bytes(at: at, atLeast: BCSVFormat.packetHeaderBytes + 4096)
            guard bytes.holds(BCSVFormat.packetHeaderBytes, at: 0) else { return nil }
            let last = min(bytes.count - BCSVFormat.packetHeaderBytes, to - 1 - at)
            var i = 0
            while i <= last {
                if bytes.u32(at: i) == BCSVFormat.packetMagic, PacketWalk.isHeader(bytes, at: i) {
                    return (at + i, bytes.u64(at: i + 4))
                }
                i += 1
            }
            at += last + 1
        }
        return nil
    }

    // MARK: The end

    private mutating func finish() throws(FormatError) -> Event {
        let at = offset
        let rest = at..<window.length
        guard at < window.length else {
            let ending: BCSVEnding = isDamaged ? .damaged : .open
            self.ending = ending
            return .end(ending)
        }
        guard let footer, footer.offset == at else {
            if let footerError {
                let isTorn = footerError.kind == .torn
                let damage = BCSVDamage(error: footerError, isTorn: isTorn, skipped: rest, firstRow: rowCount, rows: nil)
                return end(isTorn && !isDamaged ? .torn : .damaged, damage)
            }
            let error = FormatError(
                .footer, at: at, expected: "a footer that ends with the file", found: .text("one before its end"))
            // Packets may go on behind it.
            return try recover(error)
        }
        if footer.rowCount != rowCount {
            let error = FormatError(
                .footer, at: footer.offset, expected: "the row count of the footer", found: .number(rowCount))
            return end(
                .damaged,
                BCSVDamage(
                    error: error, isTorn: false, skipped: at..<at, firstRow: rowCount,
                    rows: footer.rowCount > rowCount ? footer.rowCount - rowCount : nil))
        }
        let ending: BCSVEnding = isDamaged ? .damaged : .closed
        self.ending = ending
        return .end(ending)
    }
}
