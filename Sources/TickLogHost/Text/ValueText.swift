import TickLog

// Numbers as text: integers in full, floats as the shortest text that reads back as the same bits.

extension Output {
    public func number(_ value: UInt64) {
        place { storeDigits(value, at: $0) }
    }

    public func number(_ value: Int64) {
        if value < 0 { byte(0x2D) }
        number(value.magnitude)
    }

    public func number(_ value: Float) {
        if value.isFinite { place { floats.write(value, at: $0) } } else { text(nonFinite(value.isNaN, value < 0)) }
    }

    public func number(_ value: Double) {
        if value.isFinite { place { floats.write(value, at: $0) } } else { text(nonFinite(value.isNaN, value < 0)) }
    }

    private func nonFinite(_ isNaN: Bool, _ isNegative: Bool) -> StaticString {
        isNaN ? "nan" : isNegative ? "-inf" : "inf"
    }

    /// A value of a column that is no string, from its bits.
    public func value(_ bits: UInt64, _ type: ValueType) {
        switch type {
        case .bool: text(bits & 0xFF != 0 ? "true" as StaticString : "false")
        case .u8, .u16, .u32, .u64: number(bits)
        case .i8: number(Int64(Int8(truncatingIfNeeded: bits)))
        case .i16: number(Int64(Int16(truncatingIfNeeded: bits)))
        case .i32: number(Int64(Int32(truncatingIfNeeded: bits)))
        case .i64: number(Int64(bitPattern: bits))
        case .f32: number(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case .f64: number(Double(bitPattern: bits))
        case .string: break
        }
    }

    public func hex(_ bytes: FileBytes) {
        for byte in bytes.buffer {
            self.byte(hexDigit(byte >> 4))
            self.byte(hexDigit(byte & 15))
        }
    }
}

func hexDigit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

/// A number in base 16 with `0x`.
public func hexText(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

extension ValueType {
    /// Whether one value is less than another, both as bits. Nothing is less than a NaN.
    public func isLess(_ a: UInt64, _ b: UInt64) -> Bool {
        switch self {
        case .i8: Int8(truncatingIfNeeded: a) < Int8(truncatingIfNeeded: b)
        case .i16: Int16(truncatingIfNeeded: a) < Int16(truncatingIfNeeded: b)
        case .i32: Int32(truncatingIfNeeded: a) < Int32(truncatingIfNeeded: b)
        case .i64: Int64(bitPattern: a) < Int64(bitPattern: b)
        case .f32: Float(bitPattern: UInt32(truncatingIfNeeded: a)) < Float(bitPattern: UInt32(truncatingIfNeeded: b))
        case .f64: Double(bitPattern: a) < Double(bitPattern: b)
        default: a < b
        }
    }

    /// A value as text, from its bits.
    public func text(_ bits: UInt64) -> String {
        switch self {
        case .bool: bits & 0xFF != 0 ? "true" : "false"
        case .u8, .u16, .u32, .u64: "\(bits)"
        case .i8: "\(Int8(truncatingIfNeeded: bits))"
        case .i16: "\(Int16(truncatingIfNeeded: bits))"
        case .i32: "\(Int32(truncatingIfNeeded: bits))"
        case .i64: "\(Int64(bitPattern: bits))"
        case .f32: Float(bitPattern: UInt32(truncatingIfNeeded: bits)).description
        case .f64: Double(bitPattern: bits).description
        case .string: ""
        }
    }
}
