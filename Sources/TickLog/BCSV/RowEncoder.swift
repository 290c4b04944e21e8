/// Encodes the rows of one BCSV file and holds the last value of every column.
///
/// Before a row, `samples` says where each owner's new sample lies; nil means that the owner is not due and its columns
/// keep their values. `out` always has room for `maxRow` bytes and `slack` more, which stay as they are unless the
/// encoder `spoils` them.
///
/// Its functions change nothing in it; they are mutating because Swift copies what it only borrows, for each row.

struct RowEncoder: ~Copyable {
    let codec: BCSVRowCodec
    /// Every owner has a sample in every row, and no row is repeated: flat rows need no held values.
    let isDirect: Bool
    /// The bytes behind a row may be spoiled: no LZ4 window has older rows there.
    let spoils: Bool
    let segments: Table<Segment>
    /// By owner: its first segment.
    let first: Table<UInt32>
    /// By owner, the row owner last.
    let samples: Table<UnsafeRawPointer?>
    /// ZoH: the bools as the row header has them, then zero bits. Flat: the row's bools and scalars.
    let held: UnsafeMutableRawPointer
    /// ZoH: the held scalars, grouped by type. Flat: unused.
    let scalars: UnsafeMutableRawPointer
    /// Delta: what each scalar changed by last, as `scalars`. Otherwise unused.
    let gradients: UnsafeMutableRawPointer
    /// The held strings: u16 length, then the capacity.
    let strings: UnsafeMutableRawPointer
    /// A table's string columns, behind all others.
    let texts: TextColumns?
    let headerBytes: Int
    let boolBytes: Int
    let bools: Int
    let columns: Int
    let scalarBytes: Int
    let stringCount: Int

    init(
        _ layout: RowLayout, segments: Table<Segment>, first: Table<UInt32>, samples: Table<UnsafeRawPointer?>,
        held: UnsafeMutableRawPointer, isDirect: Bool, spoils: Bool = false, texts: TextColumns? = nil
    ) {
        codec = layout.codec
        self.isDirect = isDirect
        self.spoils = spoils
        self.texts = texts
        self.segments = segments
        self.first = first
        self.samples = samples
        self.held = held
        let fixed = layout.isFlat ? layout.boolBytes + layout.scalarBytes : layout.headerBytes
        scalars = held + roundUp(fixed, 8)
        let values = layout.isFlat ? 0 : roundUp(layout.scalarBytes, 8)
        gradients = scalars + values
        strings = gradients + (layout.codec == .delta ? values : 0)
        headerBytes = layout.headerBytes
        boolBytes = layout.boolBytes
        bools = layout.bools
        columns = layout.columns
        scalarBytes = layout.scalarBytes
        stringCount = layout.strings
        held.zero(RowEncoder.heldBytes(layout))
    }

    /// Values are stored whole, and what they cover behind the row is put back: an LZ4 window has older rows there.
    static let slack = 8

    /// Memory for the held values.
    static func heldBytes(_ layout: RowLayout) -> Int {
        let fixed = layout.isFlat ? layout.boolBytes + layout.scalarBytes : layout.headerBytes
        let values = layout.isFlat ? 0 : roundUp(layout.scalarBytes, 8) * (layout.codec == .delta ? 2 : 1)
        return roundUp(fixed, 8) + values + roundUp(layout.stringBytes, 8)
    }

    // MARK: Zero-order hold

    /// The whole row, whatever changed: the first row of a packet.
    mutating func encodeAll(to out: UnsafeMutableRawPointer) -> Int {
        hold()
        return encodeHeld(to: out)
    }

    /// The held values as a whole row. Looks at no sample.
    mutating func encodeHeld(to out: UnsafeMutableRawPointer) -> Int {
        out.copy(held, boolBytes)
        var bit = bools
        if bit & 7 != 0 {
            // The byte that bools and flags share.
            let shared = UInt8(truncatingIfNeeded: 0xFF << UInt32(bit & 7))
            let at = bit >> 3
            out.store(UnsafeRawPointer(held).load(UInt8.self, at: at) | shared, at: at)
            bit = (bit | 7) + 1
        }
        var at = bit >> 3
        while at < headerBytes {
            out.store(UInt8.max, at: at)
            at += 1
        }
        if columns & 7 != 0 {
            let last = UnsafeRawPointer(out).load(UInt8.self, at: headerBytes - 1)
            out.store(last & UInt8(truncatingIfNeeded: (1 << UInt32(columns & 7)) - 1), at: headerBytes - 1)
        }
        (out + headerBytes).copy(scalars, scalarBytes)
        let fixed = headerBytes + scalarBytes
        if let texts { return texts.encode(.all, header: out, end: out + fixed) - out }
        return fixed + copyStrings(to: out + fixed, lengths: true)
    }

    /// What changed since the row before; 0 bytes if nothing did.
    @_optimize(speed)
    mutating func encodeChanges(to out: UnsafeMutableRawPointer, allPresent: Bool) -> Int {
        // Where every owner has a sample, every byte of the header is stored below.
        if !allPresent { out.zero(headerBytes) }
        out.copy(held, boolBytes)
        var row = ZoHRow(header: out.assumingMemoryBound(to: UInt8.self), end: out + headerBytes)
        var i = 0
        while i < segments.count {
            let segment = segments.pointer(i)
            if let sample = samples[Int(segment.pointee.owner)] { encode(segment, sample, &row) }
            i &+= 1
        }
        if let texts {
            let end = row.end
            row.end = texts.encode(.changes, header: out, end: end)
            if row.end != end { row.changed = true }
        }
        return row.changed ? row.end - out : 0
    }

    /// What changed, if only one owner and the row owner have samples: an event. O(columns of the two).
    mutating func encodeChanges(of owner: Int, to out: UnsafeMutableRawPointer) -> Int {
        out.zero(headerBytes)
        out.copy(held, boolBytes)
        var row = ZoHRow(header: out.assumingMemoryBound(to: UInt8.self), end: out + headerBytes)
        // Both chains are in row order; so must the payload be.
        var a = first[first.count - 1]
        var b = first[owner]
        while a != Segment.none || b != Segment.none {
            let segment = segments.pointer(Int(min(a, b)))
            if a < b { a = segment.pointee.next } else { b = segment.pointee.next }
            if let sample = samples[Int(segment.pointee.owner)] { encode(segment, sample, &row) }
        }
        return row.changed ? row.end - out : 0
    }

    @inline(never)
    @_optimize(speed)
    private mutating func encode(_ segment: UnsafeMutablePointer<Segment>, _ sample: UnsafeRawPointer, _ row: inout ZoHRow) {
        let source = sample + Int(segment.pointee.source)
        let bit = Int(segment.pointee.bit)
        let count = Int(segment.pointee.count)
        let values = scalars + Int(segment.pointee.held)
        switch segment.pointee.width {
        case 4: row.put(UInt32.self, source, held: values, count, bit)
        case 8: row.put(UInt64.self, source, held: values, count, bit)
        case 2: row.put(UInt16.self, source, held: values, count, bit)
        case 1: row.put(UInt8.self, source, held: values, count, bit)
        case Segment.boolWidth:
            if holdBools(source, count, bit) {
                row.changed = true
                copyBits(bit, count, to: row.header)
            }
        default: putStrings(segment.pointee, source, &row)
        }
    }

    mutating func copyBits(_ bit: Int, _ count: Int, to header: UnsafeMutablePointer<UInt8>) {
        let from = held.assumingMemoryBound(to: UInt8.self)
        var at = bit
        while at < bit + count {
            let mask = UInt8(1) << UInt8(at & 7)
            header[at >> 3] = header[at >> 3] & ~mask | from[at >> 3] & mask
            at += 1
        }
    }

    private mutating func putStrings(_ segment: Segment, _ source: UnsafeRawPointer, _ row: inout ZoHRow) {
        let capacity = Int(segment.capacity)
        for i in 0..<Int(segment.count) {
            let bit = Int(segment.bit) + i
            if bit & 7 == 0 { row.header[bit >> 3] = 0 }
            guard holdString(source + i * capacity, segment, i) else { continue }
            row.header[bit >> 3] |= 1 << UInt8(bit & 7)
            let value = UnsafeRawPointer(strings + (Int(segment.held) + i * (2 + capacity)))
            let bytes = 2 + Int(value.load(UInt16.self))
            row.end.copy(value, bytes)
            row.end += bytes
            row.changed = true
        }
    }

    // MARK: Flat

    /// Stores the new samples and the held values around them as a flat row.
    mutating func encodeFlat(to out: UnsafeMutableRawPointer) -> Int {
        hold()
        return encodeFlatHeld(to: out)
    }

    /// The held values as a flat row. Looks at no sample.
    mutating func encodeFlatHeld(to out: UnsafeMutableRawPointer) -> Int {
        out.copy(held, boolBytes + scalarBytes)
        return finishFlat(out)
    }

    /// The same where every owner has a sample and no row is ever repeated: each value is copied once, past the held row.
    mutating func encodeFlatDirect(to out: UnsafeMutableRawPointer) -> Int {
        for i in 0..<segments.count {
            let segment = segments.pointer(i)
            guard let sample = samples[Int(segment.pointee.owner)] else { continue }
            let width = segment.pointee.width
            if width == Segment.boolWidth || width == Segment.stringWidth {
                hold(segment, sample)
            } else {
                (out + Int(segment.pointee.held)).copy(
                    sample + Int(segment.pointee.source), Int(segment.pointee.count) * Int(width))
            }
        }
        out.copy(held, boolBytes)
        return finishFlat(out)
    }

    private mutating func finishFlat(_ out: UnsafeMutableRawPointer) -> Int {
        var at = boolBytes + scalarBytes
        if let texts { return texts.encode(.flat, header: out, end: out + at) - out }
        if stringCount == 0 { return at }
        var i = 0
        while i < segments.count {
            let segment = segments[i]
            if segment.width == Segment.stringWidth {
                for k in 0..<Int(segment.count) {
                    let value = UnsafeRawPointer(strings + (Int(segment.held) + k * (2 + Int(segment.capacity))))
                    out.store(value.load(UInt16.self), at: at)
                    at += 2
                }
            }
            i += 1
        }
        return at + copyStrings(to: out + at, lengths: false)
    }

    // MARK: Held values

    /// Takes every new sample over into the held values.
    mutating func hold() {
        for i in 0..<segments.count {
            let segment = segments.pointer(i)
            if let sample = samples[Int(segment.pointee.owner)] { hold(segment, sample) }
        }
    }

    mutating func hold(_ segment: UnsafeMutablePointer<Segment>, _ sample: UnsafeRawPointer) {
        let source = sample + Int(segment.pointee.source)
        let count = Int(segment.pointee.count)
        switch segment.pointee.width {
        case Segment.boolWidth:
            _ = holdBools(source, count, Int(segment.pointee.bit))
        case Segment.stringWidth:
            for i in 0..<count { _ = holdString(source + i * Int(segment.pointee.capacity), segment.pointee, i) }
        case let width:
            ((codec == .flat ? held : scalars) + Int(segment.pointee.held)).copy(source, count * Int(width))
        }
    }

    /// Whether one of these bools changed. Any byte but 0 is true.
    mutating func holdBools(_ source: UnsafeRawPointer, _ count: Int, _ bit: Int) -> Bool {
        let bits = held.assumingMemoryBound(to: UInt8.self)
        var changed: UInt8 = 0
        for i in 0..<count {
            let value: UInt8 = source.load(UInt8.self, at: i) == 0 ? 0 : 1
            let at = bit + i
            let old = bits[at >> 3] >> UInt8(at & 7) & 1
            bits[at >> 3] ^= (old ^ value) << UInt8(at & 7)
            changed |= old ^ value
        }
        return changed != 0
    }

    /// Whether the string changed. It ends at its first NUL or its capacity.
    mutating func holdString(_ source: UnsafeRawPointer, _ segment: Segment, _ index: Int) -> Bool {
        let capacity = Int(segment.capacity)
        let value = strings + (Int(segment.held) + index * (2 + capacity))
        let length = source.stringLength(capacity)
        if UnsafeRawPointer(value).load(UInt16.self) == UInt16(length), UnsafeRawPointer(value + 2).equals(source, length) {
            return false
        }
        value.store(UInt16(length))
        (value + 2).copy(source, length)
        return true
    }

    /// All strings' bytes in column order, each behind its length if asked for.
    mutating func copyStrings(to out: UnsafeMutableRawPointer, lengths: Bool) -> Int {
        if stringCount == 0 { return 0 }
        var at = 0
        for i in 0..<segments.count where segments[i].width == Segment.stringWidth {
            let segment = segments[i]
            for k in 0..<Int(segment.count) {
                let value = UnsafeRawPointer(strings + (Int(segment.held) + k * (2 + Int(segment.capacity))))
                let length = Int(value.load(UInt16.self))
                if lengths {
                    (out + at).copy(value, 2 + length)
                    at += 2 + length
                } else {
                    (out + at).copy(value + 2, length)
                    at += length
                }
            }
        }
        return at
    }
}

/// How a table's string columns get into a row: a pointer to a function, so that runs, which have none of them, do not
/// carry its code.
struct TextColumns {
    enum Mode: UInt8 {
        /// Every string, each behind its length. The flags of a ZoH row are set already.
        case all
        /// Those that changed, and their flags.
        case changes
        /// All lengths, then all strings.
        case flat
    }

    let count: Int
    let context: UnsafeMutableRawPointer
    let function:
        @convention(c) (UnsafeMutableRawPointer, UInt8, UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> UnsafeMutableRawPointer

    /// Appends them at `end`, and returns the row's new end.
    @inline(__always)
    func encode(_ mode: Mode, header: UnsafeMutableRawPointer, end: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        function(context, mode.rawValue, header, end)
    }
}

/// A ZoH row while it grows: flags in the header, changed values behind it (spec BCSV, section 7.2).
///
/// Segments come in the order of their bits. The first one in a header byte stores it, the others add to it.
struct ZoHRow {
    let header: UnsafeMutablePointer<UInt8>
    var end: UnsafeMutableRawPointer
    var changed = false

    /// Compares `count` values with the held ones, and appends and holds those that differ.
    @inline(__always)
    mutating func put<Word: RowWord>(
        _: Word.Type, _ source: UnsafeRawPointer, held: UnsafeMutableRawPointer, _ count: Int, _ bit: Int
    ) {
        let width = MemoryLayout<Word>.size
        let before = end
        // Up to the next byte of the header.
        let lead = min(-bit & 7, count)
        if lead > 0 { putSome(Word.self, source, held, lead, bit) }
        let eights = (count &- lead) >> 3
        if eights > 0 {
            end = ZoHRow.putEights(
                Word.self, source + lead &* width, held + lead &* width, eights, header + ((bit &+ lead) >> 3), end)
        }
        let done = lead &+ eights &* 8
        if done < count {
            putSome(Word.self, source + done &* width, held + done &* width, count &- done, bit &+ done)
        }
        if end != before { changed = true }
    }

    /// Eight values for each header byte. Returns the row's new end.
    ///
    /// A function of its own, so that everything stays in registers; a change is marked as the rare case, so that the
    /// compiler branches around its three instructions instead of predicating them: four instructions for a value that
    /// did not change.
    @inline(never)
    @_optimize(speed)
    private static func putEights<Word: RowWord>(
        _: Word.Type, _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer, _ eights: Int,
        _ flags: UnsafeMutablePointer<UInt8>, _ end: UnsafeMutableRawPointer
    ) -> UnsafeMutableRawPointer {
        let width = MemoryLayout<Word>.size
        var source = source
        var held = held
        var flags = UnsafeMutableRawPointer(flags)
        var end = end
        let last = flags + eights
        #if !arch(arm)
        // Wide machines look at 64 bytes at once.
        let blockFlags = 8 / width
        while last - flags >= blockFlags {
            if source.isSame64(held) {
                flags.zero(blockFlags)
            } else {
                var i = 0
                while i < blockFlags {
                    flags.store(putVector(Word.self, source + i &* 8 &* width, held + i &* 8 &* width, &end), at: i)
                    i &+= 1
                }
            }
            flags += blockFlags
            source += 64
            held += 64
        }
        while flags != last {
            flags.store(putVector(Word.self, source, held, &end))
            flags += 1
            source += 8 &* width
            held += 8 &* width
        }
        #else
        if eights & 1 != 0 {
            flags.store(UInt8(truncatingIfNeeded: putFlags(Word.self, source, held, first: 0, &end)))
            flags += 1
            source += 8 &* width
            held += 8 &* width
        }
        while flags != last {
            let bits = putFlags(Word.self, source, held, first: 0, &end) | putFlags(Word.self, source, held, first: 8, &end)
            flags.store(UInt16(truncatingIfNeeded: bits))
            flags += 2
            source += 16 &* width
            held += 16 &* width
        }
        #endif
        return end
    }

    #if !arch(arm)
    /// The flags of eight values, which are compared at once. What is mostly so is fast: none changed, or all.
    @inline(__always)
    private static func putVector<Word: RowWord>(
        _: Word.Type, _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer, _ end: inout UnsafeMutableRawPointer
    ) -> UInt8 {
        let width = MemoryLayout<Word>.size
        let bits = Word.differences(source, held)
        if bits == 0 { return 0 }
        held.copy(source, 8 &* width)
        if bits == 0xFF {
            end.copy(source, 8 &* width)
            end += 8 &* width
            return bits
        }
        // Without branches: which ones changed is what no processor can foretell. What the last store spoils is put back.
        let last = end + bits.nonzeroBitCount &* width
        let behind = UnsafeRawPointer(last).load(Word.self)
        var rest = Int(bits)
        var i = 0
        while i < 8 {
            end.store(source.load(Word.self, at: i &* width))
            end += (rest & 1) &* width
            rest &>>= 1
            i &+= 1
        }
        end.store(behind)
        return bits
    }
    #endif

    /// The flags of eight values, from the `first`.
    @inline(__always)
    private static func putFlags<Word: RowWord>(
        _: Word.Type, _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer, first: Int,
        _ end: inout UnsafeMutableRawPointer
    ) -> UInt32 {
        let width = MemoryLayout<Word>.size
        var bits: UInt32 = 0
        var i = 0
        while i < 8 {
            let at = (first &+ i) &* width
            let value = source.load(Word.self, at: at)
            if _slowPath(value != UnsafeRawPointer(held).load(Word.self, at: at)) {
                held.store(value, at: at)
                end.store(value)
                end += width
                bits |= 1 << UInt32(truncatingIfNeeded: first &+ i)
            }
            i &+= 1
        }
        return bits
    }

    @inline(never)
    private mutating func putSome<Word: RowWord>(
        _: Word.Type, _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer, _ count: Int, _ bit: Int
    ) {
        let width = MemoryLayout<Word>.size
        if bit & 7 == 0 { header[bit >> 3] = 0 }
        var i = 0
        while i < count {
            let value = source.load(Word.self, at: i &* width)
            if value != UnsafeRawPointer(held).load(Word.self, at: i &* width) {
                held.store(value, at: i &* width)
                end.store(value)
                end += width
                header[(bit &+ i) >> 3] |= 1 << UInt8(truncatingIfNeeded: (bit &+ i) & 7)
            }
            i &+= 1
        }
    }
}
