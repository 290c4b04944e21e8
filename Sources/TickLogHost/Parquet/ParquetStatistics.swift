import CPosix
import TickLog

/// The least and the greatest of values of a column, in the order that Parquet defines for its type: a zero is -0 as the
/// least and +0 as the greatest. Of strings it refers to where they lie.
///
/// Where there is a NaN there are none. Parquet would have NaNs left out, but then readers that order them, as DuckDB does,
/// take rows with a NaN for ones between the least and the greatest, and filters give wrong rows.
struct ParquetStatistics {
    let type: ValueType
    /// False of no values.
    private(set) var isKnown = false
    private var hasNaN = false
    private var least: UInt64 = 0
    private var greatest: UInt64 = 0
    private var leastText = UnsafeRawBufferPointer(start: nil, count: 0)
    private var greatestText = UnsafeRawBufferPointer(start: nil, count: 0)

    /// The most bytes of a string that statistics hold.
    static var mostText: Int { 64 }

    init(_ type: ValueType) { self.type = type }

    /// `values`: as a column holds them; strings each behind their length.
    init(_ type: ValueType, _ values: UnsafeRawPointer, _ count: Int) {
        self.type = type
        guard count > 0 else { return }
        isKnown = true
        switch type {
        case .bool, .u8: set(span(values, count, UInt8.self))
        case .u16: set(span(values, count, UInt16.self))
        case .u32: set(span(values, count, UInt32.self))
        case .u64: set(span(values, count, UInt64.self))
        case .i8: set(span(values, count, Int8.self))
        case .i16: set(span(values, count, Int16.self))
        case .i32: set(span(values, count, Int32.self))
        case .i64: set(span(values, count, Int64.self))
        case .f32: setFloats(values.assumingMemoryBound(to: Float.self), count)
        case .f64: setDoubles(values.assumingMemoryBound(to: Double.self), count)
        case .string: setTexts(values, count)
        }
    }

    private mutating func set<Word: FixedWidthInteger>(_ span: (Word, Word)) {
        least = UInt64(truncatingIfNeeded: span.0)
        greatest = UInt64(truncatingIfNeeded: span.1)
    }

    @_optimize(speed)
    private mutating func setFloats(_ values: UnsafePointer<Float>, _ count: Int) {
        var low = SIMD8<Float>(repeating: .infinity)
        var high = SIMD8<Float>(repeating: -.infinity)
        var isNaN = SIMDMask<SIMD8<Int32>>(repeating: false)
        let start = UnsafeRawPointer(values)
        var i = 0
        while i &+ 8 <= count {
            let value = (start + 4 &* i).loadUnaligned(as: SIMD8<Float>.self)
            isNaN .|= value .!= value
            low.replace(with: value, where: value .< low)
            high.replace(with: value, where: value .> high)
            i &+= 8
        }
        var (least, greatest) = (Float.infinity, -Float.infinity)
        for k in 0..<8 {
            if low[k] < least { least = low[k] }
            if high[k] > greatest { greatest = high[k] }
        }
        while i < count {
            if values[i] < least { least = values[i] }
            if values[i] > greatest { greatest = values[i] }
            if values[i].isNaN { hasNaN = true }
            i &+= 1
        }
        if any(isNaN) { hasNaN = true }
        isKnown = !hasNaN
        self.least = UInt64((least == 0 ? -0.0 : least).bitPattern)
        self.greatest = UInt64((greatest == 0 ? 0.0 : greatest).bitPattern)
    }

    @_optimize(speed)
    private mutating func setDoubles(_ values: UnsafePointer<Double>, _ count: Int) {
        var low = SIMD4<Double>(repeating: .infinity)
        var high = SIMD4<Double>(repeating: -.infinity)
        var isNaN = SIMDMask<SIMD4<Int64>>(repeating: false)
        let start = UnsafeRawPointer(values)
        var i = 0
        while i &+ 4 <= count {
            let value = (start + 8 &* i).loadUnaligned(as: SIMD4<Double>.self)
            isNaN .|= value .!= value
            low.replace(with: value, where: value .< low)
            high.replace(with: value, where: value .> high)
            i &+= 4
        }
        var (least, greatest) = (Double.infinity, -Double.infinity)
        for k in 0..<4 {
            if low[k] < least { least = low[k] }
            if high[k] > greatest { greatest = high[k] }
        }
        while i < count {
            if values[i] < least { least = values[i] }
            if values[i] > greatest { greatest = values[i] }
            if values[i].isNaN { hasNaN = true }
            i &+= 1
        }
        if any(isNaN) { hasNaN = true }
        isKnown = !hasNaN
        self.least = (least == 0 ? -0.0 : least).bitPattern
        self.greatest = (greatest == 0 ? 0.0 : greatest).bitPattern
    }

    private mutating func setTexts(_ values: UnsafeRawPointer, _ count: Int) {
        var at = values
        for i in 0..<count {
            let length = Int(at.loadUnaligned(as: UInt32.self))
            let text = UnsafeRawBufferPointer(start: at + 4, count: length)
            if i == 0 {
                (leastText, greatestText) = (text, text)
            } else if order(text, leastText) < 0 {
                leastText = text
            } else if order(text, greatestText) > 0 {
                greatestText = text
            }
            at += 4 + length
        }
    }

    /// Takes in those of other values of the column.
    mutating func add(_ other: ParquetStatistics) {
        if hasNaN || other.hasNaN {
            hasNaN = true
            isKnown = false
            return
        }
        guard other.isKnown else { return }
        guard isKnown else {
            self = other
            return
        }
        if type == .string {
            if order(other.leastText, leastText) < 0 { leastText = other.leastText }
            if order(other.greatestText, greatestText) > 0 { greatestText = other.greatestText }
        } else {
            if type.isLess(other.least, least) { least = other.least }
            if type.isLess(greatest, other.greatest) { greatest = other.greatest }
        }
    }

    /// The least value in PLAIN encoding without a length; of a long string a prefix.
    var leastBytes: [UInt8] {
        guard type == .string else { return plain(least) }
        guard leastText.count > Self.mostText else { return [UInt8](leastText) }
        return [UInt8](leastText[..<wholeCharacters])
    }

    var isLeastExact: Bool { type != .string || leastText.count <= Self.mostText }
    var isGreatestExact: Bool { type != .string || greatestText.count <= Self.mostText }

    private var wholeCharacters: Int {
        var end = Self.mostText
        while end > Self.mostText - 4, leastText[end] & 0xC0 == 0x80 { end -= 1 }
        return end
    }

    /// The greatest value; of a long string, a shorter one that is greater. Nil if there is none.
    func greatestBytes(isBinary: Bool) -> [UInt8]? {
        guard type == .string else { return plain(greatest) }
        guard greatestText.count > Self.mostText else { return [UInt8](greatestText) }
        var bytes = [UInt8](greatestText[..<Self.mostText])
        // Text stays text: the last byte of a whole character grows, if it can and the character stays as long as it is.
        if !isBinary {
            while !bytes.isEmpty, greatestText[bytes.count] & 0xC0 == 0x80 { bytes.removeLast() }
        }
        while let last = bytes.last {
            if isBinary ? last < 0xFF : last < 0x7F || (last >= 0x80 && last < 0xBF) {
                bytes[bytes.count - 1] = last + 1
                return bytes
            }
            bytes.removeLast()
            if !isBinary, last >= 0x80 {
                while let next = bytes.last, next & 0xC0 == 0x80 { bytes.removeLast() }
                if !bytes.isEmpty { bytes.removeLast() }
            }
        }
        return nil
    }

    private func plain(_ bits: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        let count = type == .bool ? 1 : type.parquetBytes
        // Signed values have their sign in all 64 bits already.
        for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * i))) }
        return bytes
    }

    /// Whether these are not more, or not less, than others of the same type.
    func isOrdered(before other: ParquetStatistics) -> Bool {
        if type == .string { return order(leastText, other.leastText) <= 0 && order(greatestText, other.greatestText) <= 0 }
        return !type.isLess(other.least, least) && !type.isLess(other.greatest, greatest)
    }

    /// The Statistics of parquet.thrift.
    func encode(_ id: Int, isBinary: Bool, _ thrift: inout ThriftCompact) {
        thrift.begin(id)
        thrift.i64(3, 0)
        if isKnown {
            let greatest = greatestBytes(isBinary: isBinary)
            if let greatest { thrift.binary(5, greatest) }
            thrift.binary(6, leastBytes)
            if greatest != nil { thrift.bool(7, isGreatestExact) }
            thrift.bool(8, isLeastExact)
        }
        thrift.end()
    }
}

@inline(__always)
private func span<Word: FixedWidthInteger & BitwiseCopyable>(
    _ start: UnsafeRawPointer, _ count: Int, _: Word.Type
) -> (Word, Word) {
    let values = start.assumingMemoryBound(to: Word.self)
    var least = values[0]
    var greatest = values[0]
    var i = 1
    while i < count {
        let value = values[i]
        least = value < least ? value : least
        greatest = value > greatest ? value : greatest
        i &+= 1
    }
    return (least, greatest)
}

/// Bytes in the order of unsigned numbers, the shorter one first.
private func order(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let count = min(a.count, b.count)
    if count > 0 {
        let result = memcmp(a.baseAddress!, b.baseAddress!, count)
        if result != 0 { return Int(result) }
    }
    return a.count - b.count
}
