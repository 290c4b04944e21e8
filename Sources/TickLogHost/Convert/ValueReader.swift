import TickLog

/// Text to the bits of a value.
struct ValueReader {
    let floats: FloatReader
    let mark: UInt8

    /// Nil if the text is no value of the type. Floats are rounded to the nearest; one that would become zero or
    /// infinite is none. Strings have no bits.
    @inline(__always)
    func bits(_ text: UnsafeRawBufferPointer, _ type: ValueType) -> UInt64? {
        guard let start = text.baseAddress, text.count > 0 else { return nil }
        if let decimal = Decimal(start, start + text.count, mark: mark) { return number(decimal, text, type) }
        return word(text, type)
    }

    @inline(__always)
    func number(_ decimal: Decimal, _ text: UnsafeRawBufferPointer, _ type: ValueType) -> UInt64? {
        switch type {
        case .f32:
            guard let bits = floats.float(decimal, text, mark: mark) else { return nil }
            return bits & 0x7FFF_FFFF == 0 && decimal.digits != 0 ? nil : bits
        case .f64:
            guard let bits = floats.double(decimal, text, mark: mark) else { return nil }
            return bits << 1 == 0 && decimal.digits != 0 ? nil : bits
        case .bool:
            return decimal.isWhole && !decimal.isNegative && decimal.digits <= 1 ? decimal.digits : nil
        case .string: return nil
        default: return whole(decimal, text, type)
        }
    }

    @inline(__always)
    private func whole(_ decimal: Decimal, _ text: UnsafeRawBufferPointer, _ type: ValueType) -> UInt64? {
        guard decimal.isWhole else { return nil }
        var digits = decimal.digits
        if decimal.count > 19 {
            guard type == .u64, let whole = wholeNumber(text) else { return nil }
            digits = whole
        }
        let places = UInt64(type.size) &* 8
        if type.rawValue >= ValueType.i8.rawValue {
            if decimal.isNegative {
                // -0 is no whole number: its sign would be lost.
                guard digits &- 1 < 1 << (places &- 1) else { return nil }
                return (0 &- digits) & (UInt64.max >> (64 &- places))
            }
            return digits < 1 << (places &- 1) ? digits : nil
        }
        guard !decimal.isNegative else { return nil }
        return digits <= UInt64.max >> (64 &- places) ? digits : nil
    }

    @inline(never)
    private func word(_ text: UnsafeRawBufferPointer, _ type: ValueType) -> UInt64? {
        switch textWord(text) {
        case .truth(let truth): if type == .bool { return truth ? 1 : 0 }
        case .float(let value, _):
            if type == .f32 { return UInt64(Float(value).bitPattern) }
            if type == .f64 { return value.bitPattern }
        case .none: break
        }
        if type == .bool {
            if isWord(text, "true", anyCase: true) { return 1 }
            if isWord(text, "false", anyCase: true) { return 0 }
        }
        return loose(text, type)
    }

    /// Who names a type wants 007 as 7, and +5 as 5. Blanks around a number mean nothing either.
    private func loose(_ text: UnsafeRawBufferPointer, _ type: ValueType) -> UInt64? {
        guard type != .bool, type != .string else { return nil }
        var bytes = [UInt8](text)
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        var at = 0
        while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x09 { at += 1 }
        var sign: [UInt8] = []
        if at < bytes.count, bytes[at] == 0x2B || bytes[at] == 0x2D {
            if bytes[at] == 0x2D { sign = [0x2D] }
            at += 1
        }
        while at + 1 < bytes.count, bytes[at] == 0x30, bytes[at + 1] >= 0x30, bytes[at + 1] <= 0x39 { at += 1 }
        let plain = sign + bytes[at...]
        return plain.withUnsafeBytes { plain in
            guard let start = plain.baseAddress, plain.count > 0 else { return nil }
            if let decimal = Decimal(start, start + plain.count, mark: mark) { return number(decimal, plain, type) }
            if case .float(let value, _) = textWord(plain) {
                return type == .f32 ? UInt64(Float(value).bitPattern) : type == .f64 ? value.bitPattern : nil
            }
            return nil
        }
    }
}
