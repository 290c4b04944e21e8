/// Delta rows (spec BCSV, section 7.3).
///
/// A scalar's state is its value in the row before and its gradient, what it changed by then. At a packet's start both
/// are zero; the held values, from which columns that are not due take theirs, stay.
extension RowEncoder {
    /// How far a packet has got. Predictions begin with its third row.
    enum DeltaStart {
        case first, second, later
    }

    /// The new samples as a delta row, which is never empty.
    mutating func encodeDelta(to out: UnsafeMutableRawPointer, _ start: DeltaStart) -> Int {
        if start == .first {
            hold()
            return encodeDeltaHeld(to: out, isFirst: true)
        }
        for i in 0..<segments.count where segments.pointer(i).pointee.width == Segment.boolWidth {
            if let sample = samples[Int(segments.pointer(i).pointee.owner)] { hold(segments.pointer(i), sample) }
        }
        var row = DeltaRow(self, out, isFirst: false, predicts: start == .later)
        for i in 0..<segments.count {
            let segment = segments.pointer(i)
            guard segment.pointee.width != Segment.boolWidth else { continue }
            guard let sample = samples[Int(segment.pointee.owner)] else {
                keep(segment, &row)
                continue
            }
            let source = sample + Int(segment.pointee.source)
            guard segment.pointee.width != Segment.stringWidth else {
                putStrings(segment.pointee, source, &row)
                continue
            }
            put(segment, source, &row)
        }
        return finish(out, &row, texts: .changes)
    }

    /// The held values as a delta row. Looks at no sample.
    mutating func encodeDeltaHeld(to out: UnsafeMutableRawPointer, isFirst: Bool) -> Int {
        var row = DeltaRow(self, out, isFirst: isFirst, predicts: false)
        if isFirst { gradients.zero(scalarBytes) }
        for i in 0..<segments.count {
            let segment = segments.pointer(i)
            switch segment.pointee.width {
            case Segment.boolWidth: continue
            case Segment.stringWidth where isFirst: row.putBits(UInt64.max, Int(segment.pointee.count))
            case Segment.stringWidth: row.putBits(0, Int(segment.pointee.count))
            default:
                if isFirst {
                    put(segment, scalars + Int(segment.pointee.held), &row)
                } else {
                    keep(segment, &row)
                }
            }
        }
        if isFirst { row.end += copyStrings(to: row.end, lengths: true) }
        return finish(out, &row, texts: isFirst ? .all : nil)
    }

    private mutating func finish(_ out: UnsafeMutableRawPointer, _ row: inout DeltaRow, texts mode: TextColumns.Mode?) -> Int {
        let textBit = row.finish(out)
        guard let texts, let mode else { return row.end - out }
        if mode == .all {
            // Their flags, which a ZoH row has got from its header.
            for bit in textBit..<textBit + texts.count {
                if bit & 7 == 0 { out.store(UInt8(0), at: bit >> 3) }
                out.store(UnsafeRawPointer(out).load(UInt8.self, at: bit >> 3) | 1 << UInt8(bit & 7), at: bit >> 3)
            }
        }
        return texts.encode(mode, header: out, end: row.end) - out
    }

    /// A segment whose values stay.
    private mutating func keep(_ segment: UnsafeMutablePointer<Segment>, _ row: inout DeltaRow) {
        let width = Int(segment.pointee.width)
        let count = Int(segment.pointee.count)
        if width == Int(Segment.stringWidth) {
            row.putBits(0, count)
        } else {
            (gradients + Int(segment.pointee.held)).zero(count * width)
            row.putBits(0, count * DeltaRow.codeBits(width))
        }
    }

    @inline(never)
    private mutating func put(_ segment: UnsafeMutablePointer<Segment>, _ source: UnsafeRawPointer, _ row: inout DeltaRow) {
        let held = scalars + Int(segment.pointee.held)
        let gradient = gradients + Int(segment.pointee.held)
        let count = Int(segment.pointee.count)
        #if BARE_METAL
        row.put(width: Int(segment.pointee.width), isFloat: segment.pointee.isFloat, source, held, gradient, count)
        #else
        switch segment.pointee.width {
        case 4 where segment.pointee.isFloat: row.put(DeltaF32.self, source, held, gradient, count)
        case 4: row.put(DeltaU32.self, source, held, gradient, count)
        case 8 where segment.pointee.isFloat: row.put(DeltaF64.self, source, held, gradient, count)
        case 8: row.put(DeltaInteger<UInt64>.self, source, held, gradient, count)
        case 2: row.put(DeltaInteger<UInt16>.self, source, held, gradient, count)
        default: row.put(DeltaInteger<UInt8>.self, source, held, gradient, count)
        }
        #endif
    }

    private mutating func putStrings(_ segment: Segment, _ source: UnsafeRawPointer, _ row: inout DeltaRow) {
        let capacity = Int(segment.capacity)
        for i in 0..<Int(segment.count) {
            let isChanged = holdString(source + i * capacity, segment, i)
            row.putBits(isChanged ? 1 : 0, 1)
            guard isChanged else { continue }
            let value = UnsafeRawPointer(strings + (Int(segment.held) + i * (2 + capacity)))
            let bytes = 2 + Int(value.load(UInt16.self))
            row.end.copy(value, bytes)
            row.end += bytes
        }
    }
}

/// How values of a type differ.
protocol DeltaValue {
    associatedtype Word: RowWord
    /// prev + grad, as the reader computes it.
    static func sum(_ a: Word, _ b: Word) -> Word
    /// new - prev: the gradient.
    static func difference(_ a: Word, _ b: Word) -> Word
    /// What is stored of the change: small where the values are near each other.
    static func delta(_ new: Word, _ old: Word) -> Word
    /// NaN, which is never predicted: its bits depend on who computes it.
    static func isNaN(_ a: Word) -> Bool
    #if !arch(arm)
    /// Eight values at once: appends their changes at `end`, and returns their codes. Nil: there are no vectors for it.
    static func putVector(
        _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer, _ gradients: UnsafeMutableRawPointer, predicts: Bool,
        _ end: inout UnsafeMutableRawPointer
    ) -> UInt64?
    #endif
}

enum DeltaInteger<Word: RowWord>: DeltaValue {
    @inline(__always) static func sum(_ a: Word, _ b: Word) -> Word { a &+ b }
    @inline(__always) static func difference(_ a: Word, _ b: Word) -> Word { a &- b }
    @inline(__always) static func delta(_ new: Word, _ old: Word) -> Word {
        // Zigzag, of the difference as a signed number.
        let change = new &- old
        return change &<< 1 ^ (0 &- change &>> Word(truncatingIfNeeded: Word.bitWidth &- 1))
    }
    @inline(__always) static func isNaN(_ a: Word) -> Bool { false }
}

/// Integers of four bytes, which have vectors.
enum DeltaU32: DeltaValue {
    @inline(__always) static func sum(_ a: UInt32, _ b: UInt32) -> UInt32 { a &+ b }
    @inline(__always) static func difference(_ a: UInt32, _ b: UInt32) -> UInt32 { a &- b }
    @inline(__always) static func delta(_ new: UInt32, _ old: UInt32) -> UInt32 { DeltaInteger<UInt32>.delta(new, old) }
    @inline(__always) static func isNaN(_ a: UInt32) -> Bool { false }
}

enum DeltaF32: DeltaValue {
    @inline(__always) static func sum(_ a: UInt32, _ b: UInt32) -> UInt32 {
        (Float(bitPattern: a) + Float(bitPattern: b)).bitPattern
    }
    @inline(__always) static func difference(_ a: UInt32, _ b: UInt32) -> UInt32 {
        (Float(bitPattern: a) - Float(bitPattern: b)).bitPattern
    }
    @inline(__always) static func delta(_ new: UInt32, _ old: UInt32) -> UInt32 { new ^ old }
    @inline(__always) static func isNaN(_ a: UInt32) -> Bool { a & 0x7FFF_FFFF > 0x7F80_0000 }
}

enum DeltaF64: DeltaValue {
    @inline(__always) static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
        (Double(bitPattern: a) + Double(bitPattern: b)).bitPattern
    }
    @inline(__always) static func difference(_ a: UInt64, _ b: UInt64) -> UInt64 {
        (Double(bitPattern: a) - Double(bitPattern: b)).bitPattern
    }
    @inline(__always) static func delta(_ new: UInt64, _ old: UInt64) -> UInt64 { new ^ old }
    @inline(__always) static func isNaN(_ a: UInt64) -> Bool { a & 0x7FFF_FFFF_FFFF_FFFF > 0x7FF0_0000_0000_0000 }
}

/// A delta row while it grows: codes in the header, changes behind it.
struct DeltaRow {
    private var header: UnsafeMutableRawPointer
    var end: UnsafeMutableRawPointer
    /// Bits behind `header` that are not stored yet, fewer than 32.
    private var bits: UInt64
    private var bitCount: Int
    private let isFirst: Bool
    private let predicts: Bool
    private let spoils: Bool

    init(_ rows: borrowing RowEncoder, _ out: UnsafeMutableRawPointer, isFirst: Bool, predicts: Bool) {
        let whole = rows.bools >> 3
        out.copy(rows.held, whole)
        header = out + whole
        bitCount = rows.bools & 7
        bits = bitCount == 0 ? 0 : UInt64(UnsafeRawPointer(rows.held).load(UInt8.self, at: whole))
        end = out + rows.headerBytes
        self.isFirst = isFirst
        self.predicts = predicts
        spoils = rows.spoils
    }

    /// Appends `count` bits: `value`, or, where they are more than 32, all 0 or all 1.
    mutating func putBits(_ value: UInt64, _ count: Int) {
        var rest = count
        repeat {
            let some = min(rest, 32)
            push(value & (1 &<< UInt64(some) &- 1), some)
            rest -= some
        } while rest > 0
    }

    /// `value` has no bits above the lowest `count`, which are 32 at most.
    @inline(__always)
    private mutating func push(_ value: UInt64, _ count: Int) {
        bits |= value &<< UInt64(truncatingIfNeeded: bitCount)
        bitCount &+= count
        if bitCount >= 32 {
            header.store(UInt32(truncatingIfNeeded: bits))
            header += 4
            bits &>>= 32
            bitCount &-= 32
        }
    }

    /// Stores the last bits; returns how many there are.
    mutating func finish(_ out: UnsafeMutableRawPointer) -> Int {
        let count = 8 * (header - out) + bitCount
        while bitCount > 0 {
            header.store(UInt8(truncatingIfNeeded: bits))
            header += 1
            bits &>>= 8
            bitCount -= 8
        }
        return count
    }

    @inline(__always)
    static func codeBits(_ width: Int) -> Int { width == 8 ? 4 : width == 4 ? 3 : 2 }

    #if BARE_METAL
    /// One loop for all types, and no vectors: flash is what counts here.
    @inline(never)
    mutating func put(
        width: Int, isFloat: Bool, _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer,
        _ gradients: UnsafeMutableRawPointer, _ count: Int
    ) {
        let codeBits = DeltaRow.codeBits(width)
        let top = UInt64(8 * width - 1)
        let mask = UInt64.max >> (63 - top)
        var at = 0
        while at < count * width {
            let new = DeltaRow.load(source + at, width)
            let old = isFirst ? 0 : DeltaRow.load(held + at, width)
            DeltaRow.store(new, held + at, width)
            guard new != old else {
                DeltaRow.store(0, gradients + at, width)
                push(0, codeBits)
                at += width
                continue
            }
            let gradient = DeltaRow.load(gradients + at, width)
            var delta = new ^ old
            var isHit = false
            var next = (new &- old) & mask
            if !isFloat {
                isHit = (old &+ gradient) & mask == new
                delta = (next << 1) & mask ^ (next >> top == 0 ? 0 : mask)
            } else if width == 4 {
                let (new, old) = (UInt32(truncatingIfNeeded: new), UInt32(truncatingIfNeeded: old))
                isHit = DeltaF32.sum(old, UInt32(truncatingIfNeeded: gradient)) == new && !DeltaF32.isNaN(new)
                next = UInt64(DeltaF32.difference(new, old))
            } else {
                isHit = DeltaF64.sum(old, gradient) == new && !DeltaF64.isNaN(new)
                next = DeltaF64.difference(new, old)
            }
            var code: UInt64 = 1
            if !(predicts && isHit) {
                DeltaRow.store(next, gradients + at, width)
                while delta != 0 {
                    end.store(UInt8(truncatingIfNeeded: delta))
                    end += 1
                    delta >>= 8
                    code += 1
                }
            }
            push(code, codeBits)
            at += width
        }
    }

    private static func load(_ at: UnsafeRawPointer, _ width: Int) -> UInt64 {
        var value: UInt64 = 0
        withUnsafeMutableBytes(of: &value) { $0.baseAddress!.copy(at, width) }
        return value
    }

    private static func store(_ value: UInt64, _ at: UnsafeMutableRawPointer, _ width: Int) {
        withUnsafeBytes(of: value) { at.copy($0.baseAddress!, width) }
    }
    #else
    @_optimize(speed)
    mutating func put<Value: DeltaValue>(
        _: Value.Type, _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer, _ gradients: UnsafeMutableRawPointer,
        _ count: Int
    ) {
        let width = MemoryLayout<Value.Word>.size
        var at = 0
        #if !arch(arm)
        if !isFirst {
            // Wide machines look at 64 bytes at once, and, where there are vectors for the type, compute eight values.
            while count &* width &- at >= 64 {
                if (source + at).isSame64(held + at), UnsafeRawPointer(gradients + at).isZero64 {
                    putBits(0, 64 / width &* DeltaRow.codeBits(width))
                } else {
                    var i = at
                    while i < at &+ 64 {
                        if let codes = Value.putVector(source + i, held + i, gradients + i, predicts: predicts, &end) {
                            push(codes, 8 &* DeltaRow.codeBits(width))
                        } else {
                            putSome(Value.self, source + i, held + i, gradients + i, 8)
                        }
                        i &+= 8 &* width
                    }
                }
                at &+= 64
            }
        }
        #endif
        while at < count &* width {
            let some = min(8, (count &* width &- at) / width)
            putSome(Value.self, source + at, held + at, gradients + at, some)
            at &+= some &* width
        }
    }

    /// At most eight values.
    @inline(__always)
    private mutating func putSome<Value: DeltaValue>(
        _: Value.Type, _ source: UnsafeRawPointer, _ held: UnsafeMutableRawPointer, _ gradients: UnsafeMutableRawPointer,
        _ count: Int
    ) {
        typealias Word = Value.Word
        let width = MemoryLayout<Word>.size
        let codeBits = DeltaRow.codeBits(width)
        var codes: UInt64 = 0
        var end = end
        var i = 0
        while i < count {
            let at = i &* width
            let new = source.load(Word.self, at: at)
            let old = isFirst ? 0 : UnsafeRawPointer(held).load(Word.self, at: at)
            let gradient = UnsafeRawPointer(gradients).load(Word.self, at: at)
            let delta = Value.delta(new, old)
            let isSame = new == old
            let isHit = predicts && Value.sum(old, gradient) == new && !Value.isNaN(new)
            let bytes = (Word.bitWidth &+ 7 &- delta.leadingZeroBitCount) &>> 3
            let code = isSame ? 0 : isHit ? 1 : bytes &+ 1
            let length = isSame || isHit ? 0 : bytes
            if spoils {
                end.store(delta)
                end += length
            } else {
                let behind = UnsafeRawPointer(end + length).load(Word.self)
                end.store(delta)
                end += length
                end.store(behind)
            }
            gradients.store(isSame ? 0 : isHit ? gradient : Value.difference(new, old), at: at)
            held.store(new, at: at)
            codes |= UInt64(truncatingIfNeeded: code) &<< UInt64(truncatingIfNeeded: i &* codeBits)
            i &+= 1
        }
        self.end = end
        push(codes, count &* codeBits)
    }    #endif
}
