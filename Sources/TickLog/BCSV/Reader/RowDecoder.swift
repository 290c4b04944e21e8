import CTickLog

/// Why a row cannot be decoded; `RowDecoder` adds where.
private enum RowFault {
    case short, long, code, flags, texts, block
}

/// Decodes rows, one after the other: row codecs flat, ZoH and delta (spec: BCSV.md, section 7), plain or as LZ4 blocks
/// (section 4.1).
///
/// Decoded rows lie in slots, which are used in turn: the last `slotCount - 1` stay. It allocates nothing.
struct RowDecoder {
    let shape: RowShape
    private let groups: Table<ScalarGroup>
    private let slots: UnsafeMutableRawPointer
    private let slotBytes: Int
    let slotCount: Int
    /// Delta: each scalar's gradient.
    private var gradients: UnsafeMutableRawPointer
    /// Where the next row's gradients go, if there are `deltaFlags`: the two change places.
    private var nextGradients: UnsafeMutableRawPointer
    private let deltaFlags: DeltaFlags?
    private let steps: Table<DeltaStep>
    /// ZoH with small groups: each scalar's place, and its width above 24 bits.
    private let scalarPlaces: Table<UInt32>
    private let isNarrow: Bool
    /// The bytes of rows stay until the next packet, or as long as the file is a stream.
    private let rowsStay: Bool
    private var window: RowWindow?
    /// Where texts are kept; nil if the bytes of the rows themselves stay until the next packet.
    private var arena: StringArena?
    /// The arena's turns before the current row.
    private var turnsBefore = 0
    private var slot = 0
    private var isFirst = true

    /// The current row's parts. The scalars of a flat row are where the row is.
    private(set) var scalars: UnsafeRawPointer
    private(set) var others: UnsafeRawPointer
    /// The scalars lie where the row lies, not in a slot.
    private(set) var isDirect = false

    init(
        _ shape: RowShape, groups: Table<ScalarGroup>, slots: UnsafeMutableRawPointer, slotCount: Int,
        gradients: UnsafeMutableRawPointer, steps: Table<DeltaStep>, scalarPlaces: Table<UInt32>,
        deltaFlags: DeltaFlags?, rowsStay: Bool, window: RowWindow?,
        arena: StringArena?
    ) {
        self.shape = shape
        self.groups = groups
        self.slots = slots
        slotBytes = shape.slotLines * 64
        self.slotCount = slotCount
        self.gradients = gradients
        nextGradients = gradients + (deltaFlags == nil ? 0 : roundUp(shape.scalarBytes, 8))
        self.deltaFlags = deltaFlags
        self.steps = steps
        self.scalarPlaces = scalarPlaces
        isNarrow = scalarPlaces.count > 0
        self.rowsStay = rowsStay
        self.window = window
        self.arena = arena
        scalars = UnsafeRawPointer(slots)
        others = UnsafeRawPointer(slots) + shape.othersOffset
    }

    /// Before the first row of a packet, or of a stream file: nothing is held.
    mutating func reset() {
        isFirst = true
        window?.reset()
        arena?.reset()
    }

    /// Whether a repeated row, of length 0, may come now.
    var mayRepeat: Bool { shape.codec == .zoh && !isFirst }

    /// Rows that were decoded since `mark` stay where they are while one more is decoded, as far as slots go.
    func keepsRows(since mark: Int) -> Bool { !(window?.isFull ?? false) && (arena == nil || arena!.turns == mark) }

    /// For `keepsRows`.
    var mark: Int { arena?.turns ?? 0 }

    /// Decodes one row, which lies at `offset` in the file.
    /// `readable`: bytes that can be read from its start on.
    mutating func decode(_ stored: FileBytes, readable: Int, _ offset: Int) throws(FormatError) {
        var row = RowBytes(start: stored.start, count: stored.count, readable: readable)
        if window != nil {
            if window!.isFull { saveScalars() }
            guard let unpacked = window!.unpack(stored) else { throw error(.block, offset) }
            row = RowBytes(start: unpacked.start, count: unpacked.count, readable: window!.readable + unpacked.count)
        }
        let previous = scalars
        let previousOthers = others
        slot = slot + 1 < slotCount ? slot + 1 : 0
        let place = slots + slot * slotBytes
        let placeOthers = place + shape.othersOffset
        if isFirst {
            if shape.codec == .delta {
                place.zero(shape.scalarBytes)
                gradients.zero(shape.scalarBytes)
            }
            placeOthers.zero(shape.otherBytes)
        } else if shape.codec != .flat, shape.strings > 0, placeOthers != previousOthers {
            (placeOthers + shape.textsOffset).copy(
                previousOthers + shape.textsOffset, shape.otherBytes - shape.textsOffset)
        }
        turnsBefore = arena?.turns ?? 0
        let fault: RowFault?
        var direct: UnsafeRawPointer?
        switch shape.codec {
        case .flat:
            fault = decodeFlat(row, placeOthers)
            direct = row.start + shape.headerBytes
        case .zoh:
            if rowsStay, shape.scalarBytes > 0, hasAllScalars(row) {
                direct = row.start + shape.headerBytes
                _ = unpackBools(row, placeOthers)
                fault = takeTexts(row, placeOthers, shape.columns - shape.strings, shape.headerBytes + shape.scalarBytes)
                break
            }
            if !isFirst, UnsafeRawPointer(place) != previous { place.copy(previous, shape.scalarBytes) }
            fault = decodeZoH(row, place, placeOthers)
        case .delta: fault = decodeDelta(row, isFirst ? UnsafeRawPointer(place) : previous, place, placeOthers)
        }
        if let fault { throw error(fault, offset) }
        isDirect = direct != nil
        scalars = direct ?? UnsafeRawPointer(place)
        others = UnsafeRawPointer(placeOthers)
        isFirst = false
    }

    /// The scalars that lie in a row which is about to move.
    private mutating func saveScalars() {
        guard shape.codec == .zoh, !isFirst else { return }
        let own = UnsafeRawPointer(slots + slot * slotBytes)
        if scalars != own {
            (slots + slot * slotBytes).copy(scalars, shape.scalarBytes)
            scalars = own
        }
    }

    /// Every scalar of the ZoH row is in it: they lie there as in a slot.
    private func hasAllScalars(_ row: RowBytes) -> Bool {
        guard row.holds(shape.headerBytes + shape.scalarBytes, at: 0) else { return false }
        var bit = shape.bools
        let end = shape.columns - shape.strings
        while bit < end {
            let take = min(32, end &- bit)
            let all = RowDecoder.mask(take)
            if RowDecoder.bits(row, bit) & all != all { return false }
            bit &+= take
        }
        return true
    }

    /// Reads a byte of each cache line of the scalars in their order: a block of rows is turned into columns across rows,
    /// which no cache foresees. Returns something that depends on them.
    @inline(__always)
    func touch(rowBytes: Int) -> UInt8 {
        var sum: UInt8 = 0
        var i = 0
        while i < rowBytes {
            sum ^= scalars.load(UInt8.self, at: i)
            i &+= 64
        }
        return sum
    }

    private func error(_ fault: RowFault, _ offset: Int) -> FormatError {
        switch fault {
        case .short:
            FormatError(.row, at: offset, expected: "every value that the schema asks for", found: .text("a shorter row"))
        case .long:
            FormatError(.row, at: offset, expected: "no bytes behind the last value", found: .text("a longer row"))
        case .code:
            FormatError(.row, at: offset, expected: "delta codes that their columns have", found: .text("a higher one"))
        case .flags:
            FormatError(
                .row, at: offset, expected: "every column in the first row, and zeros behind the last flag",
                found: .text("other flags"))
        case .texts:
            FormatError(
                .tooLarge, at: offset, expected: "strings that fit the reader's memory", found: .text("longer ones"))
        case .block:
            window!.isShort
                ? FormatError(.tooLarge, at: offset, expected: "an LZ4 block of a row that fits the reader's memory", found: .text("another thing"))
                : FormatError(.row, at: offset, expected: "an LZ4 block of one row", found: .text("another thing"))
        }
    }

    // MARK: Flat

    private mutating func decodeFlat(_ row: RowBytes, _ others: UnsafeMutableRawPointer) -> RowFault? {
        let fixed = shape.headerBytes + shape.scalarBytes
        guard row.holds(fixed + 2 * shape.strings, at: 0) else { return .short }
        if shape.bools > 0, !unpackBools(row, others) { return .flags }
        guard shape.strings > 0 else { return row.count == fixed ? nil : .long }
        let texts = (others + shape.textsOffset).assumingMemoryBound(to: ticklog_text.self)
        // Of the row that was here before, nothing is held.
        if arena != nil { (others + shape.textsOffset).zero(shape.otherBytes - shape.textsOffset) }
        var p = fixed + 2 * shape.strings
        var i = 0
        while i < shape.strings {
            let length = row.u16(at: fixed + 2 * i)
            guard row.holds(length, at: p) else { return .short }
            guard keep(row.slice(at: p, count: length), texts, i) else { return .texts }
            p += length
            i += 1
        }
        return p == row.count ? nil : .long
    }

    /// A byte for each bool. False if there are bits behind the last one; in a flat row only, others have flags there.
    private func unpackBools(_ row: RowBytes, _ others: UnsafeMutableRawPointer) -> Bool {
        var k = 0
        while k < shape.bools {
            others.store(row[k >> 3] >> UInt8(truncatingIfNeeded: k & 7) & 1, at: k)
            k += 1
        }
        return shape.codec != .flat || shape.bools & 7 == 0 || row[shape.headerBytes - 1] >> UInt8(shape.bools & 7) == 0
    }

    // MARK: Zero-order hold

    /// At least 56 bits from bit `bit` on, as far as the row has bytes; zeros behind it.
    @inline(__always)
    private static func bits(_ row: RowBytes, _ bit: Int) -> UInt64 {
        let at = bit >> 3
        if row.canRead(8, at: at) { return row.start.load(UInt64.self, at: at) &>> UInt64(truncatingIfNeeded: bit & 7) }
        var word: UInt64 = 0
        var i = 0
        while i < 8, at + i < row.count {
            word |= UInt64(row[at + i]) << UInt64(8 * i)
            i += 1
        }
        return word &>> UInt64(truncatingIfNeeded: bit & 7)
    }

    @inline(__always)
    private static func mask(_ count: Int) -> UInt64 { (1 &<< UInt64(truncatingIfNeeded: count)) &- 1 }

    private mutating func decodeZoH(
        _ row: RowBytes, _ place: UnsafeMutableRawPointer, _ others: UnsafeMutableRawPointer
    ) -> RowFault? {
        guard row.holds(shape.headerBytes, at: 0) else { return .short }
        _ = unpackBools(row, others)
        var bit = shape.bools
        var p = shape.headerBytes
        var i = 0
        if isNarrow {
            if let fault = takeFlagged(row, place, &p) { return fault }
            return takeTexts(row, others, shape.columns - shape.strings, p)
        }
        while i < groups.count {
            let group = groups[i]
            let fault: RowFault?
            switch group.type.size {
            case 4: fault = takeChanged(UInt32.self, row, place + group.offset, group.count, bit, &p)
            case 8: fault = takeChanged(UInt64.self, row, place + group.offset, group.count, bit, &p)
            case 2: fault = takeChanged(UInt16.self, row, place + group.offset, group.count, bit, &p)
            default: fault = takeChanged(UInt8.self, row, place + group.offset, group.count, bit, &p)
            }
            if let fault { return fault }
            bit += group.count
            i += 1
        }
        return takeTexts(row, others, bit, p)
    }

    /// Stores the values whose flags, from bit `first` on, are set. `place` has room for `count`.
    @_optimize(speed)
    private func takeChanged<Word: FixedWidthInteger & BitwiseCopyable>(
        _: Word.Type, _ row: RowBytes, _ place: UnsafeMutableRawPointer, _ count: Int, _ first: Int, _ p: inout Int
    ) -> RowFault? {
        let width = MemoryLayout<Word>.size
        var at = p
        var done = 0
        while done < count {
            let take = min(32, count &- done)
            let all = RowDecoder.mask(take)
            var flags = RowDecoder.bits(row, first &+ done) & all
            if isFirst, flags != all { return .flags }
            if flags != 0 {
                let bytes = flags.nonzeroBitCount &* width
                guard row.holds(bytes, at: at) else { return .short }
                // The payload of all these flags is there, and their columns are below `count`.
                let target = place + done &* width
                if flags == all {
                    target.copy(row.start + at, bytes)
                } else {
                    var source = row.start + at
                    repeat {
                        let k = flags.trailingZeroBitCount
                        flags &= flags &- 1
                        target.store(source.load(Word.self), at: k &* width)
                        source += width
                    } while flags != 0
                }
                at &+= bytes
            }
            done &+= take
        }
        p = at
        return nil
    }

    /// The same where groups are small: flag by flag, whatever the types.
    @_optimize(speed)
    private func takeFlagged(_ row: RowBytes, _ place: UnsafeMutableRawPointer, _ p: inout Int) -> RowFault? {
        let first = shape.bools
        let count = shape.columns &- shape.strings &- first
        var at = p
        var done = 0
        while done < count {
            let take = min(56, count &- done)
            let all = RowDecoder.mask(take)
            var flags = RowDecoder.bits(row, first &+ done) & all
            if isFirst, flags != all { return .flags }
            while flags != 0 {
                let k = flags.trailingZeroBitCount
                flags &= flags &- 1
                // In bounds: there is a step for each scalar.
                let step = scalarPlaces.base[done &+ k]
                let target = place + Int(step & 0xFF_FFFF)
                let width = Int(step >> 24)
                guard row.holds(width, at: at) else { return .short }
                let source = row.start + at
                switch width {
                case 4: target.store(source.load(UInt32.self))
                case 8: target.store(source.load(UInt64.self))
                case 2: target.store(source.load(UInt16.self))
                default: target.store(source.load(UInt8.self))
                }
                at &+= width
            }
            done &+= take
        }
        p = at
        return nil
    }

    /// The changed strings, each behind its length, and the end of the row.
    private mutating func takeTexts(
        _ row: RowBytes, _ others: UnsafeMutableRawPointer, _ first: Int, _ start: Int
    ) -> RowFault? {
        var p = start
        let texts = (others + shape.textsOffset).assumingMemoryBound(to: ticklog_text.self)
        var i = 0
        while i < shape.strings {
            let bit = first + i
            if row[bit >> 3] >> UInt8(truncatingIfNeeded: bit & 7) & 1 != 0 {
                guard row.holds(2, at: p) else { return .short }
                let length = row.u16(at: p)
                guard row.holds(length, at: p + 2) else { return .short }
                guard keep(row.slice(at: p + 2, count: length), texts, i) else { return .texts }
                p += 2 + length
            } else if isFirst {
                return .flags
            }
            i += 1
        }
        if shape.headerBits & 7 != 0, row[shape.headerBytes - 1] >> UInt8(shape.headerBits & 7) != 0 { return .flags }
        return p == row.count ? nil : .long
    }

    /// Keeps a text; false if there is no room. `texts` are all of the row's.
    private mutating func keep(_ text: FileBytes, _ texts: UnsafeMutablePointer<ticklog_text>, _ index: Int) -> Bool {
        guard arena != nil else {
            texts[index] = ticklog_text(
                bytes: text.start.assumingMemoryBound(to: CChar.self), count: text.count)
            return true
        }
        texts[index] = ticklog_text(bytes: nil, count: 0)
        if let kept = arena!.append(text) {
            texts[index] = kept
            return true
        }
        // Full: keep only what the columns hold now. Twice for one row would be more than a row may have.
        guard arena!.turns == turnsBefore else { return false }
        arena!.beginCompaction()
        var i = 0
        while i < shape.strings {
            let held = texts[i]
            if held.count > 0 {
                guard let moved = arena!.append(FileBytes(start: UnsafeRawPointer(held.bytes!), count: held.count)) else {
                    return false
                }
                texts[i] = moved
            }
            i += 1
        }
        guard let kept = arena!.append(text) else { return false }
        texts[index] = kept
        return true
    }

    // MARK: Delta

    private mutating func decodeDelta(
        _ row: RowBytes, _ previous: UnsafeRawPointer, _ place: UnsafeMutableRawPointer,
        _ others: UnsafeMutableRawPointer
    ) -> RowFault? {
        guard row.holds(shape.headerBytes, at: 0) else { return .short }
        _ = unpackBools(row, others)
        var bit = shape.bools
        var p = shape.headerBytes
        if deltaFlags != nil {
            if let fault = takeCodes(row, previous, place, &p) { return fault }
            return takeTexts(row, others, shape.headerBits - shape.strings, p)
        }
        var i = 0
        while i < groups.count {
            let group = groups[i]
            let from = previous + group.offset
            let to = place + group.offset
            let gradient = gradients + group.offset
            let fault: RowFault?
            switch group.type {
            case .f32: fault = takeFloats(FloatSteps.self, row, from, to, gradient, group.count, bit, &p)
            case .f64: fault = takeFloats(DoubleSteps.self, row, from, to, gradient, group.count, bit, &p)
            case .u32, .i32: fault = takeInts(UInt32.self, row, from, to, gradient, group.count, bit, &p)
            case .u64, .i64: fault = takeInts(UInt64.self, row, from, to, gradient, group.count, bit, &p)
            case .u16, .i16: fault = takeInts(UInt16.self, row, from, to, gradient, group.count, bit, &p)
            default: fault = takeInts(UInt8.self, row, from, to, gradient, group.count, bit, &p)
            }
            if let fault { return fault }
            bit += group.count * group.type.deltaCodeBits
            i += 1
        }
        return takeTexts(row, others, bit, p)
    }

    /// Where groups are small: only the columns whose code is not 0, whatever their types.
    @_optimize(speed)
    private mutating func takeCodes(
        _ row: RowBytes, _ previous: UnsafeRawPointer, _ place: UnsafeMutableRawPointer, _ p: inout Int
    ) -> RowFault? {
        if UnsafeRawPointer(place) != previous { place.copy(previous, shape.scalarBytes) }
        nextGradients.zero(shape.scalarBytes)
        // The most that all values take can be read, and eight bytes at the last of them.
        let fault = row.canRead(shape.scalarBytes &+ 8, at: p) ? takeCodes(row, place, &p, all: true) : takeCodes(row, place, &p, all: false)
        swap(&gradients, &nextGradients)
        return fault
    }

    /// `all`: whatever the codes are, their values can be read.
    @inline(__always)
    private func takeCodes(_ row: RowBytes, _ place: UnsafeMutableRawPointer, _ p: inout Int, all: Bool) -> RowFault? {
        let flags = deltaFlags!
        let old = UnsafeRawPointer(gradients)
        let new = nextGradients
        var at = p
        var i = 0
        while i < flags.chunks.count {
            let chunk = flags.chunks.base[i]
            let codes = RowDecoder.bits(row, chunk.bit) & RowDecoder.mask(chunk.count)
            guard chunk.wrong(codes) == 0 else { return .code }
            var changed = chunk.changed(codes)
            while changed != 0 {
                let k = changed.trailingZeroBitCount
                changed &= changed &- 1
                // In bounds: a bit of the header, where a code begins.
                let scalar = flags.scalars.base[chunk.bit &+ k]
                let offset = Int(scalar & 0xFF_FFFF)
                let code = codes &>> UInt64(truncatingIfNeeded: k)
                let isFine: Bool
                switch scalar >> 24 {
                case 1: isFine = takeInt(UInt8.self, code & 3, row, &at, place + offset, old + offset, new + offset, all)
                case 2: isFine = takeInt(UInt16.self, code & 3, row, &at, place + offset, old + offset, new + offset, all)
                case 4: isFine = takeInt(UInt32.self, code & 7, row, &at, place + offset, old + offset, new + offset, all)
                case 8: isFine = takeInt(UInt64.self, code & 15, row, &at, place + offset, old + offset, new + offset, all)
                case 4 | DeltaFlags.float:
                    isFine = takeFloat(FloatSteps.self, code & 7, row, &at, place + offset, old + offset, new + offset, all)
                default: isFine = takeFloat(DoubleSteps.self, code & 15, row, &at, place + offset, old + offset, new + offset, all)
                }
                guard isFine else { return .short }
            }
            i &+= 1
        }
        guard at <= row.count else { return .short }
        p = at
        return nil
    }

    /// The bytes of a value's code, which is neither 0 nor wrong: none of code 1. False: there are too few.
    @inline(__always)
    private func takeWord(_ code: UInt64, _ row: RowBytes, _ at: inout Int, _ word: inout UInt64, _ all: Bool) -> Bool {
        if all {
            // A code has at most four bits, and there are sixteen steps.
            let step = steps.base[Int(truncatingIfNeeded: code)]
            word = row.start.load(UInt64.self, at: at) & step.mask
            at &+= step.bytes
            return true
        }
        let bytes = Int(truncatingIfNeeded: code) &- 1
        guard row.holds(bytes, at: at) else { return false }
        word = RowDecoder.word(row, at, bytes)
        at &+= bytes
        return true
    }

    /// One integer whose code is not 0. False: too few bytes.
    @inline(__always)
    private func takeInt<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _: Word.Type, _ code: UInt64, _ row: RowBytes, _ at: inout Int, _ value: UnsafeMutableRawPointer,
        _ old: UnsafeRawPointer, _ new: UnsafeMutableRawPointer, _ all: Bool
    ) -> Bool {
        var word: UInt64 = 0
        guard takeWord(code, row, &at, &word, all) else { return false }
        let zigzag = Word(truncatingIfNeeded: word)
        let step = (zigzag &>> 1) ^ (0 &- (zigzag & 1))
        let gradient = code == 1 ? old.load(Word.self) : step
        new.store(gradient)
        value.store(UnsafeRawPointer(value).load(Word.self) &+ gradient)
        return true
    }

    /// The same of a float.
    @inline(__always)
    private func takeFloat<Steps: GradientSteps>(
        _: Steps.Type, _ code: UInt64, _ row: RowBytes, _ at: inout Int, _ value: UnsafeMutableRawPointer,
        _ old: UnsafeRawPointer, _ new: UnsafeMutableRawPointer, _ all: Bool
    ) -> Bool {
        let previous = UnsafeRawPointer(value).load(Steps.Bits.self)
        if code == 1 {
            let gradient = old.load(Steps.Bits.self)
            new.store(gradient)
            value.store(Steps.add(previous, gradient))
            return true
        }
        var word: UInt64 = 0
        guard takeWord(code, row, &at, &word, all) else { return false }
        let next = previous ^ Steps.Bits(truncatingIfNeeded: word)
        new.store(Steps.subtract(next, previous))
        value.store(next)
        return true
    }

    /// The little-endian integer of the `count` bytes at `at`, 0 to `width` of them.
    @inline(__always)
    private static func word(_ row: RowBytes, _ at: Int, _ count: Int) -> UInt64 {
        if row.canRead(8, at: at) {
            let all = row.start.load(UInt64.self, at: at)
            return count >= 8 ? all : all & mask(8 &* count)
        }
        var word: UInt64 = 0
        var i = 0
        while i < count {
            word |= UInt64(row[at &+ i]) << UInt64(8 &* i)
            i &+= 1
        }
        return word
    }

    /// The codes of eight neighbouring columns that do not exist: bits that only they have.
    @inline(__always)
    private static func wrongCodes(_ codes: UInt64, _ width: Int) -> UInt64 {
        switch width {
        case 4: codes & (codes &<< 1) & 0o4444_4444  // 6, 7
        case 8: codes & ((codes &<< 1) | (codes &<< 2)) & 0x8888_8888  // 10 to 15
        case 1: codes & (codes &<< 1) & 0xAAAA  // 3
        default: 0
        }
    }

    /// The payload of the next code, which leaves `codes`: 0 for code 0 and 1.
    @inline(__always)
    private func payload<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ codes: inout UInt64, _ at: inout UnsafeRawPointer, _: Word.Type
    ) -> Word {
        let codeBits = MemoryLayout<Word>.size < 4 ? 2 : MemoryLayout<Word>.size == 4 ? 3 : 4
        let code = Int(truncatingIfNeeded: codes & RowDecoder.mask(codeBits))
        codes &>>= UInt64(truncatingIfNeeded: codeBits)
        // A code has at most four bits, and there are sixteen steps.
        let step = steps.base[code]
        let word = Word(truncatingIfNeeded: at.load(UInt64.self) & step.mask)
        at += step.bytes
        return word
    }

    /// Eight values at a time, without branches, since the codes of noisy data cannot be foreseen; then one by one.
    @_optimize(speed)
    private func takeInts<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable & SIMDScalar>(
        _: Word.Type, _ row: RowBytes, _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer,
        _ gradients: UnsafeMutableRawPointer, _ count: Int, _ first: Int, _ p: inout Int
    ) -> RowFault? {
        let width = MemoryLayout<Word>.size
        let codeBits = width < 4 ? 2 : width == 4 ? 3 : 4
        var at = p
        var i = 0
        while i < count {
            let take = min(8, count &- i)
            // Eight codes take at most 32 bits.
            var codes = RowDecoder.bits(row, first &+ i &* codeBits) & RowDecoder.mask(take &* codeBits)
            guard RowDecoder.wrongCodes(codes, width) == 0 else { return .code }
            if codes == 0, take == 8 {
                // Idle: nothing changed, and the gradients are gone.
                let place = i &* width
                to.storeBytes(of: (from + place).loadUnaligned(as: SIMD8<Word>.self), toByteOffset: place, as: SIMD8<Word>.self)
                gradients.storeBytes(of: SIMD8<Word>(repeating: 0), toByteOffset: place, as: SIMD8<Word>.self)
                i &+= 8
                continue
            }
            if row.canRead(take &* width &+ 8, at: at) {
                // The most that these values take can be read, and eight bytes at the last of them.
                var source = row.start + at
                let start = source
                var k = 0
                while k < take {
                    let isOne = codes & RowDecoder.mask(codeBits) == 1
                    let zigzag = payload(&codes, &source, Word.self)
                    let place = (i &+ k) &* width
                    let old = UnsafeRawPointer(gradients).load(Word.self, at: place)
                    let step = (zigzag &>> 1) ^ (0 &- (zigzag & 1))
                    let gradient = isOne ? old : step
                    gradients.store(gradient, at: place)
                    to.store(from.load(Word.self, at: place) &+ gradient, at: place)
                    k &+= 1
                }
                at &+= source - start
                guard at <= row.count else { return .short }
                i &+= take
                continue
            }
            let end = i &+ take
            while i < end {
                let code = Int(truncatingIfNeeded: codes & RowDecoder.mask(codeBits))
                codes &>>= UInt64(truncatingIfNeeded: codeBits)
                let place = i &* width
                var gradient = UnsafeRawPointer(gradients).load(Word.self, at: place)
                if code != 1 {
                    let bytes = max(code &- 1, 0)
                    guard row.holds(bytes, at: at) else { return .short }
                    let zigzag = Word(truncatingIfNeeded: RowDecoder.word(row, at, bytes))
                    gradient = (zigzag &>> 1) ^ (0 &- (zigzag & 1))
                    gradients.store(gradient, at: place)
                    at &+= bytes
                }
                to.store(from.load(Word.self, at: place) &+ gradient, at: place)
                i &+= 1
            }
        }
        p = at
        return nil
    }

    @_optimize(speed)
    private func takeFloats<Steps: GradientSteps>(
        _: Steps.Type, _ row: RowBytes, _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer,
        _ gradients: UnsafeMutableRawPointer, _ count: Int, _ first: Int, _ p: inout Int
    ) -> RowFault? {
        let width = MemoryLayout<Steps.Bits>.size
        let codeBits = width == 4 ? 3 : 4
        var at = p
        var i = 0
        while i < count {
            let take = min(8, count &- i)
            var codes = RowDecoder.bits(row, first &+ i &* codeBits) & RowDecoder.mask(take &* codeBits)
            guard RowDecoder.wrongCodes(codes, width) == 0 else { return .code }
            if codes == 0, take == 8 {
                // Idle: nothing changed, and the gradients are gone.
                let place = i &* width
                to.storeBytes(of: (from + place).loadUnaligned(as: SIMD8<Steps.Bits>.self), toByteOffset: place, as: SIMD8<Steps.Bits>.self)
                gradients.storeBytes(of: SIMD8<Steps.Bits>(repeating: 0), toByteOffset: place, as: SIMD8<Steps.Bits>.self)
                i &+= 8
                continue
            }
            if take == 8, row.canRead(8 &* width &+ 8, at: at) {
                var source = row.start + at
                let start = source
                var k = 0
                while k < 2 {
                    let place = (i &+ 4 &* k) &* width
                    let four = codes
                    let a = payload(&codes, &source, Steps.Bits.self)
                    let b = payload(&codes, &source, Steps.Bits.self)
                    let c = payload(&codes, &source, Steps.Bits.self)
                    let d = payload(&codes, &source, Steps.Bits.self)
                    let previous = (from + place).loadUnaligned(as: SIMD4<Steps.Bits>.self)
                    let old = (UnsafeRawPointer(gradients) + place).loadUnaligned(as: SIMD4<Steps.Bits>.self)
                    let lanes = SIMD4(repeating: Steps.Bits(truncatingIfNeeded: four))
                    let code = lanes & Steps.laneMask
                    let isOne = code .== Steps.laneOne
                    let isZero = code .== SIMD4<Steps.Bits>(repeating: 0)
                    let value = (previous ^ SIMD4(a, b, c, d)).replacing(with: Steps.add(previous, old), where: isOne)
                    let gradient = Steps.subtract(value, previous).replacing(with: old, where: isOne)
                        .replacing(with: SIMD4<Steps.Bits>(repeating: 0), where: isZero)
                    to.storeBytes(of: value, toByteOffset: place, as: SIMD4<Steps.Bits>.self)
                    gradients.storeBytes(of: gradient, toByteOffset: place, as: SIMD4<Steps.Bits>.self)
                    k &+= 1
                }
                at &+= source - start
                guard at <= row.count else { return .short }
                i &+= 8
                continue
            }
            if row.canRead(take &* width &+ 8, at: at) {
                var source = row.start + at
                let start = source
                var k = 0
                while k < take {
                    let code = Int(truncatingIfNeeded: codes & RowDecoder.mask(codeBits))
                    let word = payload(&codes, &source, Steps.Bits.self)
                    let place = (i &+ k) &* width
                    let previous = from.load(Steps.Bits.self, at: place)
                    let old = UnsafeRawPointer(gradients).load(Steps.Bits.self, at: place)
                    let value = code == 1 ? Steps.add(previous, old) : previous ^ word
                    to.store(value, at: place)
                    gradients.store(code == 0 ? 0 : code == 1 ? old : Steps.subtract(value, previous), at: place)
                    k &+= 1
                }
                at &+= source - start
                guard at <= row.count else { return .short }
                i &+= take
                continue
            }
            let end = i &+ take
            while i < end {
                let code = Int(truncatingIfNeeded: codes & RowDecoder.mask(codeBits))
                codes &>>= UInt64(truncatingIfNeeded: codeBits)
                let place = i &* width
                let previous = from.load(Steps.Bits.self, at: place)
                if code < 2 {
                    let gradient = code == 0 ? 0 : UnsafeRawPointer(gradients).load(Steps.Bits.self, at: place)
                    gradients.store(gradient, at: place)
                    to.store(code == 0 ? previous : Steps.add(previous, gradient), at: place)
                } else {
                    let bytes = code &- 1
                    guard row.holds(bytes, at: at) else { return .short }
                    let value = previous ^ Steps.Bits(truncatingIfNeeded: RowDecoder.word(row, at, bytes))
                    gradients.store(Steps.subtract(value, previous), at: place)
                    to.store(value, at: place)
                    at &+= bytes
                }
                i &+= 1
            }
        }
        p = at
        return nil
    }
}
