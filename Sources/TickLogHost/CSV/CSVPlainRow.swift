import CTickLog
import TickLog

/// Reads records that have nothing special about them in one pass over their bytes: each cell is read as what its column
/// is, and has to end where a delimiter or the line's end stands.
///
/// It decides nothing by itself. What is not as usual - a number in another spelling, one that would make its column
/// another type - is given to the table cell by cell; and a record with doubled quotes, with another number of cells or
/// near the end of the file is left to it as a whole.
struct CSVPlainRow {
    struct Column {
        let type: ValueType
        var place: UInt32
        /// The type is a guess, which every value has to confirm.
        var isGuessed: Bool
    }

    /// A cell begins at least as many bytes before the end of the file: the longest number that is read here, and the
    /// eight bytes that are loaded at a time.
    private static var margin: Int { 72 }

    let columns: UnsafeMutablePointer<Column>
    let width: Int
    let delimiter: UInt8
    let mark: UInt8
    private let pattern: UInt64
    private let floats = FloatReader()
    private let writer = FloatWriter()
    private let powers = PowersOfTen.shared
    let isPossible: Bool

    init(_ columns: UnsafeMutablePointer<Column>, _ width: Int, _ dialect: CSVDialect, trims: Bool) {
        self.columns = columns
        self.width = width
        delimiter = dialect.delimiter
        mark = dialect.mark
        pattern = everyByte(dialect.delimiter)
        // Numbers end at the delimiter: it is none of their characters.
        var isUsual = false
        for usual in CSVDialect.delimiters where usual == dialect.delimiter { isUsual = true }
        isPossible = isUsual && mark != delimiter && !trims
    }

    /// Reads the record at `start` into `row`; answers where the next one begins. Nil: this one is for the table.
    @_optimize(speed)
    func read(
        _ start: UnsafeRawPointer, _ end: UnsafeRawPointer, into row: UnsafeMutableRawPointer, _ table: CSVTable
    ) -> UnsafeRawPointer? {
        var at = start
        var i = 0
        while true {
            guard end - at >= CSVPlainRow.margin else { return nil }
            let column = columns[i]
            let out = row + Int(column.place)
            let cell = at
            var isRead = true
            switch column.type {
            case .string:
                let text: UnsafeRawPointer
                let count: Int
                if at.load(as: UInt8.self) == 0x22 {
                    text = at + 1
                    guard let quote = find(text, end, everyByte(0x22)), quote.load(as: UInt8.self) == 0x22 else { return nil }
                    count = quote - text
                    at = quote + 1
                } else {
                    text = at
                    guard let stop = find(at, end, pattern) else { return nil }
                    count = stop - at
                    at = stop
                }
                let view = ticklog_text(bytes: UnsafePointer(text.assumingMemoryBound(to: CChar.self)), count: count)
                out.storeBytes(of: view, as: ticklog_text.self)
                if column.isGuessed, !table.confirms(i, UnsafeRawBufferPointer(start: text, count: count)) { return nil }
            case .bool:
                let word = UInt64(littleEndian: at.loadUnaligned(as: UInt64.self))
                if word & 0xFFFF_FFFF == 0x6575_7274 {
                    out.storeBytes(of: 1, as: UInt8.self)
                    at += 4
                } else if word & 0xFF_FFFF_FFFF == 0x65_736C_6166 {
                    out.storeBytes(of: 0, as: UInt8.self)
                    at += 5
                } else {
                    isRead = false
                }
            case .f32: isRead = float(&at, column.isGuessed, out)
            case .f64: isRead = double(&at, column.isGuessed, out)
            case .u8: isRead = unsigned(&at, UInt8.self, out)
            case .u16: isRead = unsigned(&at, UInt16.self, out)
            case .u32: isRead = unsigned(&at, UInt32.self, out)
            case .u64: isRead = unsigned(&at, UInt64.self, out)
            case .i8: isRead = signed(&at, Int8.self, out)
            case .i16: isRead = signed(&at, Int16.self, out)
            case .i32: isRead = signed(&at, Int32.self, out)
            case .i64: isRead = signed(&at, Int64.self, out)
            }
            i &+= 1
            if isRead {
                let byte = at.load(as: UInt8.self)
                if byte == delimiter, i < width {
                    at += 1
                    continue
                }
                if i == width, let next = lineEnd(at) { return next }
            }
            if column.type == .string { return nil }
            // Another spelling of a value, or none.
            guard let stop = find(cell, end, pattern),
                table.reads(i &- 1, UnsafeRawBufferPointer(start: cell, count: stop - cell))
            else { return nil }
            if i == width { return lineEnd(stop) }
            guard stop.load(as: UInt8.self) == delimiter else { return nil }
            at = stop + 1
        }
    }

    /// Where the next record begins, if this one ends here. There is a byte behind.
    @inline(__always)
    private func lineEnd(_ at: UnsafeRawPointer) -> UnsafeRawPointer? {
        let byte = at.load(as: UInt8.self)
        if byte == 0x0A { return at + 1 }
        guard byte == 0x0D else { return nil }
        return at.load(fromByteOffset: 1, as: UInt8.self) == 0x0A ? at + 2 : at + 1
    }

    /// The first byte of the pattern or line end; nil near the end of the file, or if it is none of them for sure.
    @inline(__always)
    private func find(_ start: UnsafeRawPointer, _ end: UnsafeRawPointer, _ pattern: UInt64) -> UnsafeRawPointer? {
        var at = start
        while end - at > 16 {
            let word = UInt64(littleEndian: at.loadUnaligned(as: UInt64.self))
            let found = zeroBytes(word ^ pattern) | zeroBytes(word ^ everyByte(0x0A)) | zeroBytes(word ^ everyByte(0x0D))
            if found != 0 { return at + found.trailingZeroBitCount >> 3 }
            at += 8
        }
        return nil
    }

    // MARK: Numbers

    /// Digits at `at`, as many as there are up to eight, as they come and their number.
    @inline(__always)
    private func digits(_ at: UnsafeRawPointer, _ offset: Int = 0) -> (word: UInt64, count: Int) {
        let word = UInt64(littleEndian: at.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ zeroDigits
        // Digits are 0 to 9 now; the lowest byte that is none is found for sure.
        let others = (word | (word &+ 0x0606_0606_0606_0606)) & 0xF0F0_F0F0_F0F0_F0F0
        return (word, others.trailingZeroBitCount >> 3)
    }

    /// The number that the first `count` of eight digits are.
    @inline(__always)
    private func value(_ word: UInt64, _ count: Int) -> UInt64 {
        // Zeros come in front.
        count == 0 ? 0 : eightDigitValue(word &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count))
    }

    /// All digits at `at`, which moves behind them; false if there are none or more than 19, or a zero stands in front.
    @inline(__always)
    private func whole(_ at: inout UnsafeRawPointer, _ value: inout UInt64) -> Bool {
        let (word, count) = digits(at)
        // One branch for both, which is hardly ever taken.
        if count == 0 || (word & 0xFF == 0 ? 1 : 0) & (count > 1 ? 1 : 0) != 0 { return false }
        value = self.value(word, count)
        at += count
        if count == 8 {
            var (word, count) = digits(at)
            value = value &* powers.whole[count] &+ self.value(word, count)
            at += count
            if count == 8 {
                (word, count) = digits(at)
                if count > 3 { return false }
                value = value &* powers.whole[count] &+ self.value(word, count)
                at += count
            }
        }
        return true
    }

    @inline(__always)
    private func unsigned<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ at: inout UnsafeRawPointer, _: Value.Type, _ out: UnsafeMutableRawPointer
    ) -> Bool {
        var value: UInt64 = 0
        guard whole(&at, &value), value <= UInt64(Value.max) else { return false }
        out.storeBytes(of: Value(truncatingIfNeeded: value), as: Value.self)
        return true
    }

    @inline(__always)
    private func signed<Value: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
        _ at: inout UnsafeRawPointer, _: Value.Type, _ out: UnsafeMutableRawPointer
    ) -> Bool {
        let isNegative = at.load(as: UInt8.self) == 0x2D
        at += isNegative ? 1 : 0
        var value: UInt64 = 0
        guard whole(&at, &value) else { return false }
        // -0 is no whole number; of the others, one more is negative.
        let sign: UInt64 = isNegative ? 1 : 0
        guard value &- sign <= UInt64(truncatingIfNeeded: Value.max) else { return false }
        out.storeBytes(of: Value(truncatingIfNeeded: (value ^ (0 &- sign)) &+ sign), as: Value.self)
        return true
    }

    private struct Number {
        var digits: UInt64 = 0
        /// Digits behind the decimal mark.
        var places = 0
        var isNegative = false
    }

    /// A number without an exponent; false for what is left to others.
    @inline(__always)
    private func number(_ at: inout UnsafeRawPointer, _ number: inout Number) -> Bool {
        number.isNegative = at.load(as: UInt8.self) == 0x2D
        at += number.isNegative ? 1 : 0
        let start = at
        guard whole(&at, &number.digits) else { return false }
        guard at.load(as: UInt8.self) == mark else { return true }
        let length = number.digits == 0 ? 0 : at - start
        at += 1
        // Sixteen at once: whether there are more than eight is hard to foretell.
        let (first, count) = digits(at)
        if count == 0 { return false }
        let (second, more) = digits(at, 8)
        let rest = count == 8 ? more : 0
        var sum = value(first, count) &* powers.whole[rest] &+ value(second, rest)
        var places = count &+ rest
        at += places
        if places == 16 {
            let (third, last) = digits(at)
            if last > 3 { return false }
            sum = sum &* powers.whole[last] &+ value(third, last)
            places &+= last
            at += last
        }
        // So many fit into 64 bits.
        if length &+ places > 19 { return false }
        number.digits = number.digits &* powers.whole[places] &+ sum
        number.places = places
        return true
    }

    @inline(__always)
    private func float(_ at: inout UnsafeRawPointer, _ isGuessed: Bool, _ out: UnsafeMutableRawPointer) -> Bool {
        var read = Number()
        guard number(&at, &read) else { return false }
        let digits = read.digits
        let sign: UInt32 = read.isNegative ? 1 << 31 : 0
        var bits: UInt32 = 0
        if digits <= 1 << 53 {
            // Rounded to float64 first and then to float32, it is the nearest: only the middle of two float32 could be
            // rounded to the wrong side, and a float64 that is no such middle has the same one of them as the number.
            let value = Double(digits) / powers.exact[read.places]
            if value.bitPattern & 0x1FFF_FFFF == 0x1000_0000 { return false }
            bits = Float(value).bitPattern
        } else {
            guard let normal = floats.normal(digits, -read.places, fraction: 23, bias: 127) else { return false }
            bits = UInt32(truncatingIfNeeded: normal)
        }
        out.storeBytes(of: bits | sign, as: UInt32.self)
        // Six digits are always kept.
        return !isGuessed || digits < 1_000_000 || isShortest(read, bits)
    }

    /// What the float is written as is the same number. False also for what is left to others.
    @inline(__always)
    private func isShortest(_ read: Number, _ bits: UInt32) -> Bool {
        // A whole number above 2^24 is none that a float32 stands for.
        if read.places == 0 { return read.digits <= 1 << 24 }
        // Sure without the shortest itself, in units of the last place: no multiple of ten is as near to the float as
        // half its distance to the next one, and no other number of as many places is nearer.
        if read.digits < 100_000_000_000 {
            let power = powers.exact[read.places]
            let scaled = Double(Float(bitPattern: bits)) * power
            let half = Double(bitPattern: UInt64(bits >> 23 &+ (1023 - 127 - 24)) << 52) * power
            let tens = Double(Int64(scaled * 0.1 + 0.5)) * 10
            // Far more than what was rounded.
            if (scaled - Double(read.digits)).magnitude < 0.499, (scaled - tens).magnitude > half * 1.001 + 0.001 { return true }
        }
        let (shortest, exponent) = writer.shortest(bits)
        let shift = exponent &+ read.places
        if shift >= 0 { return shift <= 10 && shortest &* powers.whole[shift] == read.digits }
        return shift >= -9 && read.digits <= 10_000_000_000 && read.digits &* powers.whole[0 &- shift] == shortest
    }

    @inline(__always)
    private func double(_ at: inout UnsafeRawPointer, _ isGuessed: Bool, _ out: UnsafeMutableRawPointer) -> Bool {
        var read = Number()
        guard number(&at, &read) else { return false }
        let digits = read.digits
        let sign: UInt64 = read.isNegative ? 1 << 63 : 0
        let bits: UInt64
        if digits <= 1 << 53 {
            // Both exact as float64: at most 19 places.
            bits = (Double(digits) / powers.exact[read.places]).bitPattern
            out.storeBytes(of: bits | sign, as: UInt64.self)
            // 15 digits are always kept.
            if !isGuessed || digits < 1_000_000_000_000_000 { return true }
        } else {
            guard let normal = floats.normal(digits, -read.places, fraction: 52, bias: 1023) else { return false }
            bits = normal
            out.storeBytes(of: bits | sign, as: UInt64.self)
            if !isGuessed { return true }
        }
        var places = read.places
        var kept = digits
        while kept % 10 == 0 {
            kept /= 10
            places &-= 1
        }
        return floats.keeps(kept, -places, double: bits) == true
    }
}
