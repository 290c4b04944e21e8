import TickLog

/// Values in PLAIN encoding.
enum PlainPage {
    /// Whether a column's memory has its values as a page has them.
    static func isStored(_ type: ValueType) -> Bool { type == .string || (type != .bool && type.size == type.parquetBytes) }

    static func bytes(_ page: ParquetPage, _ type: ValueType) -> Int {
        switch type {
        case .string: page.bytes
        case .bool: (page.rows + 7) / 8
        default: page.rows * type.parquetBytes
        }
    }

    /// Stores values of a type that pages have in another size. `out` has room for them.
    static func encode(_ values: UnsafeRawPointer, _ count: Int, _ type: ValueType, to out: UnsafeMutableRawPointer) {
        switch type {
        case .bool: pack(values, count, out)
        case .u8: widen(values, count, UInt8.self, out)
        case .u16: widen(values, count, UInt16.self, out)
        case .i8: widen(values, count, Int8.self, out)
        case .i16: widen(values, count, Int16.self, out)
        default: break
        }
    }

    @inline(__always)
    private static func widen<Word: FixedWidthInteger & BitwiseCopyable>(
        _ values: UnsafeRawPointer, _ count: Int, _: Word.Type, _ out: UnsafeMutableRawPointer
    ) {
        let values = values.assumingMemoryBound(to: Word.self)
        let out = out.assumingMemoryBound(to: Int32.self)
        var i = 0
        while i < count {
            out[i] = Int32(truncatingIfNeeded: values[i])
            i &+= 1
        }
    }

    /// Bytes of 0 and 1 as bits, the first in the lowest.
    private static func pack(_ values: UnsafeRawPointer, _ count: Int, _ out: UnsafeMutableRawPointer) {
        var i = 0
        while i &+ 8 <= count {
            let eight = (values + i).loadUnaligned(as: UInt64.self)
            out.storeBytes(of: UInt8(truncatingIfNeeded: (eight &* 0x0102_0408_1020_4080) &>> 56), toByteOffset: i >> 3, as: UInt8.self)
            i &+= 8
        }
        guard i < count else { return }
        var last: UInt8 = 0
        for k in i..<count { last |= values.load(fromByteOffset: k, as: UInt8.self) << UInt8(k - i) }
        out.storeBytes(of: last, toByteOffset: i >> 3, as: UInt8.self)
    }
}
