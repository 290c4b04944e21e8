import CTickLog

/// Reads a BCSV file of any version and codec, row by row, by rows into structures, or by columns
/// (spec: BCSV.md; `ticklog.h`, section "Reading BCSV files").
///
/// It allocates nothing: `Plan` tells how much memory it needs. Its values are valid until the next row is read.
public struct TableReader {
    /// What a reader may do, and how much memory it gets.
    public struct Options {
        /// Goes on behind damage.
        public var salvage = false
        /// Hands out the whole rows of a torn last packet as well.
        public var unverified = false
        /// The largest packet as stored, and of a batch unpacked as well; 0: what the header says.
        public var packetBytes = 0
        /// The most bytes of the strings of one row; 0: what the schema allows, at most 16 MiB.
        public var textBytes = 0

        public init() {}
    }

    public enum Event {
        case row
        case damage
        case end
    }

    public let header: BCSVHeader
    let places: Table<UInt32>
    let shape: RowShape
    var packets: PacketWalk?
    var stream: StreamWalk?
    var decoder: RowDecoder
    /// Packets found by walking, for files whose index is thin or missing: every `stride`-th of them.
    var known: PacketIndex
    var knownRow: UInt64 = 0

    var packet: Packet?
    private var rows = FileBytes(UnsafeRawBufferPointer(start: nil, count: 0))
    private var generation = 0
    private var at = 0
    var rowsLeft: UInt64 = 0
    var nextRow: UInt64 = 0

    /// The current row's index; rows that are missing are counted.
    public private(set) var row: UInt64 = 0
    /// A checksum covers the current row.
    public private(set) var isVerified = true
    /// There is a current row.
    public private(set) var hasRow = false
    /// The newest damage, and how many there were.
    public private(set) var damage: BCSVDamage?
    public private(set) var damageCount: UInt64 = 0
    public private(set) var packetCount = 0
    /// Rows that were in whole packets so far.
    public private(set) var goodRowCount: UInt64 = 0
    public internal(set) var ending: BCSVEnding?
    let salvage: Bool

    // MARK: Memory

    /// Where everything lies in a reader's memory.
    public struct Plan {
        public private(set) var bytes = 0
        let shape: RowShape
        let largestRow: Int
        let isShort: Bool
        let slotCount: Int
        let arenaHalf: Int
        let batchBytes: Int
        private(set) var places = 0, groups = 0, slots = 0, gradients = 0, window = 0, arena = 0, index = 0
        private(set) var rowPointers = 0, runs = 0, batch = 0, steps = 0, scalars = 0, chunks = 0

        static let groupLimit = 10
        #if os(none)
        private static let slotTotal = 4096
        private static let slotLimit = 8
        #else
        private static let slotTotal = 262_144
        private static let slotLimit = 128
        #endif
        static let indexEntries = 256

        /// `isMapped`: the file's bytes stay where they are.
        public init(_ outline: BCSVOutline, _ options: Options, fileLength: Int, isMapped: Bool) {
            shape = RowShape(outline)
            let allowed = options.textBytes == 0 ? outline.largestText : min(options.textBytes, outline.largestText)
            let codec = outline.fileCodec
            let isLZ4 = codec == .packetLZ4 || codec == .streamLZ4
            largestRow = outline.largestRow(text: allowed)
            isShort = allowed < outline.largestText
            // Only bytes that stay can be referred to.
            let keepsTexts = shape.strings > 0 && (isLZ4 || !isMapped && codec != .batch)
            // What the columns hold and what a row brings: no row fills it twice, which would lose the block's other rows.
            arenaHalf = keepsTexts ? 2 * allowed : 0
            let slotBytes = shape.slotLines * 64
            slotCount = 1 + max(1, min(Plan.slotLimit, Plan.slotTotal / slotBytes))
            let stated = outline.largestBatch(fileLength: fileLength)
            batchBytes = codec != .batch || options.packetBytes == 0 ? stated : min(stated, options.packetBytes)

            var cursor = MemoryCursor()
            places = cursor.take(4 * outline.columns)
            groups = cursor.take(MemoryLayout<ScalarGroup>.stride * Plan.groupLimit)
            index = cursor.take(MemoryLayout<IndexEntry>.stride * Plan.indexEntries)
            rowPointers = cursor.take(2 * MemoryLayout<UnsafeRawPointer>.stride * (slotCount - 1))
            runs = cursor.take(2 * (slotCount - 1))
            steps = cursor.take(shape.codec == .delta ? MemoryLayout<DeltaStep>.stride * DeltaStep.count : 0)
            // Ten groups at most: as many columns as are taken flag by flag at most.
            scalars = cursor.take(
                outline.columns > ScalarGroup.wide * Plan.groupLimit ? 0
                    : shape.codec == .zoh ? 4 * outline.columns : shape.codec == .delta ? 4 * shape.headerBits : 0)
            let mayBeNarrow = shape.codec == .delta && outline.columns <= ScalarGroup.wide * Plan.groupLimit
            chunks = cursor.take(
                mayBeNarrow ? MemoryLayout<DeltaChunk>.stride * DeltaFlags.chunkLimit(bits: shape.headerBits) : 0)
            slots = cursor.take(slotBytes * slotCount + 64)
            gradients = cursor.take(shape.codec == .delta ? roundUp(shape.scalarBytes, 8) * (mayBeNarrow ? 2 : 1) : 0)
            window = cursor.take(isLZ4 ? RowWindow.size(largestRow: largestRow) : 0)
            arena = cursor.take(2 * arenaHalf)
            batch = cursor.take(batchBytes)
            bytes = cursor.end
        }

        /// Rows of a block: one slot is that of the row before them.
        var blockRows: Int { slotCount - 1 }
    }

    /// Makes a reader of `window`, whose file begins with `header`. `memory` has `plan.bytes` bytes, aligned to 8.
    public init(
        _ window: SourceWindow, _ header: BCSVHeader, _ plan: Plan, _ options: Options, memory: UnsafeMutableRawPointer
    ) throws(FormatError) {
        self.header = header
        shape = plan.shape
        salvage = options.salvage
        places = Table(memory + plan.places, header.columnCount)
        let groups = Table<ScalarGroup>(memory + plan.groups, Plan.groupLimit)
        let count = plan.shape.place(header, places, groups)
        known = PacketIndex(Table(memory + plan.index, Plan.indexEntries))
        // Slots begin with a cache line.
        let slots = UnsafeMutableRawPointer(
            bitPattern: (UInt(bitPattern: memory + plan.slots) + 63) & ~63)!
        let codec = header.fileCodec
        let steps = Table<DeltaStep>(memory + plan.steps, DeltaStep.count)
        if header.rowCodec == .delta { DeltaStep.fill(steps) }
        var scalarPlaces = Table<UInt32>(memory + plan.scalars, 0)
        if header.rowCodec == .zoh, header.columnCount <= ScalarGroup.wide * Plan.groupLimit,
            plan.shape.columns - plan.shape.bools - plan.shape.strings < count * ScalarGroup.wide
        {
            scalarPlaces = Table(memory + plan.scalars, header.columnCount)
            var k = 0
            for g in 0..<count {
                for i in 0..<groups[g].count {
                    let width = groups[g].type.size
                    scalarPlaces[k] = UInt32(groups[g].offset + i * width) | UInt32(width) << 24
                    k += 1
                }
            }
        }
        var deltaFlags: DeltaFlags?
        if header.rowCodec == .delta, header.columnCount <= ScalarGroup.wide * Plan.groupLimit,
            plan.shape.columns - plan.shape.bools - plan.shape.strings < count * ScalarGroup.wide
        {
            deltaFlags = DeltaFlags(
                Table(UnsafeMutableRawPointer(groups.base), count), from: plan.shape.bools,
                chunks: Table(memory + plan.chunks, DeltaFlags.chunkLimit(bits: plan.shape.headerBits)),
                scalars: Table(memory + plan.scalars, plan.shape.headerBits))
        }
        decoder = RowDecoder(
            plan.shape, groups: Table(UnsafeMutableRawPointer(groups.base), count), slots: slots,
            slotCount: plan.slotCount, gradients: memory + plan.gradients,
            steps: steps, scalarPlaces: scalarPlaces, deltaFlags: deltaFlags, rowsStay: window.isMapped || codec == .batch,
            window: codec == .packetLZ4 || codec == .streamLZ4
                ? RowWindow(memory + plan.window, largestRow: plan.largestRow, isShort: plan.isShort) : nil,
            arena: plan.arenaHalf > 0 ? StringArena(memory + plan.arena, half: plan.arenaHalf) : nil)
        scalars = decoder.scalars
        others = decoder.others
        rowPointers = Table(memory + plan.rowPointers, 2 * plan.blockRows)
        runs = Table(memory + plan.runs, plan.blockRows)
        if codec == .stream || codec == .streamLZ4 {
            stream = StreamWalk(window, header)
        } else {
            packets = try PacketWalk(
                window, header,
                unpacked: UnsafeMutableRawBufferPointer(start: memory + plan.batch, count: plan.batchBytes),
                salvage: options.salvage, unverified: options.unverified)
        }
    }

    // MARK: Rows

    /// Moves to the next row, to damage, or to the end. After damage without salvage the end follows.
    public mutating func advance() throws(FormatError) -> Event {
        let (count, event) = try block(1)
        return count > 0 ? .row : event
    }

    private mutating func decodeNext() throws(FormatError) -> Event {
        hasRow = false
        while true {
            if rowsLeft > 0 {
                if try nextInPacket() { return .row }
                return .damage
            }
            if ending != nil { return .end }
            if stream != nil {
                guard let event = try nextInStream() else { continue }
                return event
            }
            switch try packets!.next() {
            case .packet(let packet): begin(packet)
            case .damage(let damage):
                note(damage)
                return .damage
            case .end(let ending):
                self.ending = isRowDamaged ? .damaged : ending
                return .end
            }
        }
    }

    mutating func note(_ damage: BCSVDamage) {
        self.damage = damage
        damageCount += 1
    }

    mutating func begin(_ packet: Packet) {
        self.packet = packet
        rows = packet.rows
        generation = packets!.window.generation
        at = 0
        rowsLeft = packet.rowCount
        nextRow = packet.firstRow
        isVerified = packet.isVerified
        packetCount += 1
        if packet.isVerified { goodRowCount += packet.rowCount }
        decoder.reset()
    }

    /// Decodes the packet's next row; false after damage, behind which the rest of the packet is left out.
    mutating func nextInPacket() throws(FormatError) -> Bool {
        if let body = packet!.body, packets!.window.generation != generation {
            // Something else was read meanwhile.
            let bytes = try packets!.window.bytes(at: body, atLeast: packet!.rows.count)
            generation = packets!.window.generation
            rows = bytes.slice(at: 0, count: min(packet!.rows.count, bytes.count))
        }
        // What is unpacked has no offset in the file: the packet's stands for it.
        let base = packet!.body == nil ? packet!.offset - at : packet!.body!
        do throws(FormatError) {
            // Walked before: only a file that changes under the reader fails here.
            guard let length = RowLength(rows, at: at), length.value <= UInt64(BCSVFormat.maxRowBytes),
                rows.holds(Int(length.value), at: at + length.size)
            else {
                throw FormatError(.row, at: base + at, expected: "the row length that was verified", found: .text("another one"))
            }
            let count = Int(length.value)
            if count > 0 {
                let start = at + length.size
                try decoder.decode(rows.slice(at: start, count: count), readable: rows.count - start, base + at)
            } else if !decoder.mayRepeat {
                throw FormatError(.row, at: base + at, expected: "a row to repeat", found: .text("the packet's first row"))
            }
            at += length.size + count
        } catch {
            let rest = rowsLeft
            rowsLeft = 0
            if packet!.isVerified { goodRowCount -= rest }
            if !packet!.isVerified {
                // The bytes where a torn packet ends may be anything.
                note(BCSVDamage(error: error, isTorn: true, skipped: base + at..<packet!.end, firstRow: nextRow, rows: nil))
                return false
            }
            note(
                BCSVDamage(
                    error: error, isTorn: false, skipped: packet!.body == nil ? packet!.offset..<packet!.end : base + at..<packet!.end,
                    firstRow: nextRow, rows: rest))
            isRowDamaged = true
            if !salvage { ending = .damaged }
            return false
        }
        row = nextRow
        nextRow &+= 1
        rowsLeft -= 1
        hasRow = true
        return true
    }

    /// The bits of a u64 in a packet's first row; nil if there is none. The decoder forgets what it held.
    mutating func firstBits(of packet: Packet, _ column: Int) -> UInt64? {
        decoder.reset()
        guard let length = RowLength(packet.rows, at: 0), length.value > 0, length.value <= UInt64(BCSVFormat.maxRowBytes),
            packet.rows.holds(Int(length.value), at: length.size)
        else { return nil }
        let row = packet.rows.slice(at: length.size, count: Int(length.value))
        do throws(FormatError) { try decoder.decode(row, readable: packet.rows.count - length.size, packet.offset) } catch { return nil }
        return (decoder.scalars + Int(places[column])).load(UInt64.self)
    }

    /// A packet whose checksum matched had a row that its schema does not allow.
    public private(set) var isRowDamaged = false

    /// Nil: try again.
    private mutating func nextInStream() throws(FormatError) -> Event? {
        switch try stream!.next() {
        case .row(let bytes, let offset):
            do { try decoder.decode(bytes, readable: bytes.count + 4, offset) } catch {
                note(
                    BCSVDamage(
                        error: error, isTorn: false, skipped: offset..<stream!.window.length, firstRow: nextRow, rows: nil))
                ending = .damaged
                return .damage
            }
        case .repeated: break
        case .damage(let damage):
            note(damage)
            return .damage
        case .end(let ending):
            self.ending = ending
            return .end
        }
        row = nextRow
        nextRow &+= 1
        goodRowCount &+= 1
        hasRow = true
        return .row
    }

    /// Before a row that is somewhere else.
    mutating func forget() {
        rowsLeft = 0
        packet = nil
        hasRow = false
        pending = nil
        waiting = 0
        left = nil
        ending = nil
        isRowDamaged = false
    }

    // MARK: Reading elsewhere

    /// Where the window was when something else than the next rows was read, and its generation then.
    private var left: (start: Int, generation: Int)?

    private var window: SourceWindow { stream?.window ?? packets!.window }

    /// Before something else is read: the block's rows may lie in the window, or where a batch was unpacked.
    mutating func leave() {
        if left == nil { left = (window.start, window.generation) }
    }

    /// Brings the block's rows back to where they were. If it fails, the next block tries again.
    mutating func comeBack() throws(FormatError) {
        guard let left else { return }
        if stream != nil {
            try stream!.window.restore(left.start, left.generation)
        } else if let packet, packet.body == nil {
            if hasRow || rowsLeft > 0 || waiting > 0 { _ = try packets!.read(at: packet.offset) }
        } else {
            try packets!.window.restore(left.start, left.generation)
        }
        self.left = nil
    }

    /// The current row is no more: another one comes next.
    mutating func dropRow() { hasRow = false }

    /// The index of the row that is read next, as far as that is known.
    public var position: UInt64 { rowsLeft > 0 || packets == nil ? nextRow : packets!.rowCount }

    public var footer: BCSVFooter? { packets?.footer }

    // MARK: Values of the current row

    /// Its parts.
    private var scalars: UnsafeRawPointer
    private var others: UnsafeRawPointer

    /// The place of a value that is no string, of `type.size` bytes; a bool is a byte 0 or 1.
    public func value(_ column: Int) -> UnsafeRawPointer {
        let type = header.type(of: column)
        precondition(hasRow && type != .string)
        return (type == .bool ? others : scalars) + Int(places[column])
    }

    public func text(_ column: Int) -> FileBytes {
        precondition(hasRow && header.type(of: column) == .string)
        let text = (others + Int(places[column])).load(as: ticklog_text.self)
        return FileBytes(start: UnsafeRawPointer(text.bytes) ?? UnsafeRawPointer(bitPattern: 1)!, count: text.count)
    }

    /// Where all values of the current row lie: a column's at its place of `places`, scalars in the first part, bools
    /// (a byte) and strings (a `ticklog_text`) in the other. Valid until the next row.
    public var parts: (scalars: UnsafeRawPointer, others: UnsafeRawPointer, places: UnsafePointer<UInt32>) {
        precondition(hasRow)
        return (scalars, others, UnsafePointer(places.base))
    }

    /// The bits of a value that is no string, zero-extended.
    public func bits(_ column: Int) -> UInt64 {
        let place = value(column)
        switch header.type(of: column).size {
        case 1: return UInt64(place.load(UInt8.self))
        case 2: return UInt64(place.load(UInt16.self))
        case 4: return UInt64(place.load(UInt32.self))
        default: return place.load(UInt64.self)
        }
    }

    // MARK: Blocks of rows

    /// The parts of the rows of a block: scalars, others, one pair a row.
    let rowPointers: Table<UnsafeRawPointer>
    /// The same rows as runs of repeated ones: where each run ends. Blocks have at most 128 rows.
    let runs: Table<UInt16>

    /// Decodes up to `most` rows that continue each other. At least one, unless damage or the end comes first.
    mutating func block(_ most: Int) throws(FormatError) -> (count: Int, event: Event) {
        if left != nil { try comeBack() }
        if waiting > 0 { return (again(most), .row) }
        if let event = pending {
            pending = nil
            hasRow = false
            return (0, event)
        }
        let limit = min(most, rowPointers.count / 2)
        let mark = decoder.mark
        // Asked once: the compiler copies the stream for each question.
        let isStream = stream != nil
        let staysMapped = stream?.window.isMapped ?? true
        var count = 0
        while count < limit {
            if count > 0 {
                // Not beyond the packet, nor further than rows stay.
                guard rowsLeft > 0 || isStream, decoder.keepsRows(since: mark) else { break }
                if !staysMapped { break }
            }
            let event = try decodeNext()
            guard event == .row else {
                if count == 0 { return (0, event) }
                // Rows come first: what is wrong is told by the next call.
                keep(event)
                break
            }
            if decoder.isDirect, limit > 1 { warmth ^= decoder.touch(rowBytes: shape.scalarBytes) }
            rowPointers.base[2 &* count] = decoder.scalars
            rowPointers.base[2 &* count &+ 1] = decoder.others
            count &+= 1
        }
        scalars = rowPointers[2 * count - 2]
        others = rowPointers[2 * count - 1]
        blockCount = count
        return (count, .row)
    }

    /// Rows of the last block, and how many of them, the last ones, are still to come.
    private var blockCount = 0
    private var waiting = 0

    /// The last `count` rows of the block come again with the next one.
    mutating func giveBack(_ count: Int) {
        guard count > 0 else { return }
        // Behind them there may be rows that were given back before.
        waiting += count
        row &-= UInt64(count)
        // If none of the block is taken, the row before it is gone.
        hasRow = waiting < blockCount
        guard hasRow else { return }
        scalars = rowPointers[2 * (blockCount - waiting) - 2]
        others = rowPointers[2 * (blockCount - waiting) - 1]
    }

    /// Rows that were given back, as a block of at most `most`.
    private mutating func again(_ most: Int) -> Int {
        let first = blockCount - waiting
        for i in 0..<2 * waiting { rowPointers[i] = rowPointers[2 * first + i] }
        blockCount = waiting
        let count = min(most, waiting)
        row &+= UInt64(waiting)
        waiting = 0
        giveBack(blockCount - count)
        scalars = rowPointers[2 * count - 2]
        others = rowPointers[2 * count - 1]
        hasRow = true
        return count
    }

    private var warmth: UInt8 = 0

    /// The block behind rows that are told now: if there is none, the next call tells why. A source that fails is asked again.
    mutating func nextBlock(_ most: Int) -> (count: Int, event: Event) {
        do throws(FormatError) {
            let (count, event) = try block(most)
            if count == 0 { keep(event) }
            return (count, event)
        } catch {
            keepRow()
            return (0, .end)
        }
    }

    /// The row before stays the current one, if its bytes did.
    private mutating func keepRow() { hasRow = stream?.window.isMapped ?? true }

    /// Leaves an event for the next call.
    mutating func keep(_ event: Event) {
        pending = event
        keepRow()
    }

    /// Nothing is left of the last block.
    var isEven: Bool { waiting == 0 && pending == nil && left == nil }

    /// What `block` met behind the rows that it told.
    private(set) var pending: Event?
}
