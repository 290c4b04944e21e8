import TickLog

// JSON (RFC 8259). Text that is not UTF-8 is repaired with U+FFFD, as every decoder of JSON would.

extension Output {
    public func json(_ text: UnsafeRawBufferPointer) {
        json(String(decoding: text, as: UTF8.self))
    }

    public func json(_ string: String) {
        byte(0x22)
        for byte in string.utf8 {
            switch byte {
            case 0x22, 0x5C:
                self.byte(0x5C)
                self.byte(byte)
            case 0x0A: text("\\n" as StaticString)
            case 0x0D: text("\\r" as StaticString)
            case 0x09: text("\\t" as StaticString)
            // DEL is legal in JSON, but not on a terminal.
            case 0..<0x20, 0x7F:
                text("\\u00" as StaticString)
                self.byte(hexDigit(byte >> 4))
                self.byte(hexDigit(byte & 15))
            default: self.byte(byte)
            }
        }
        byte(0x22)
    }

    /// A value of a column that is no string: numbers as they are, non-finite floats as strings.
    public func json(_ bits: UInt64, _ type: ValueType) {
        let isFinite: Bool
        switch type {
        case .f32: isFinite = Float(bitPattern: UInt32(truncatingIfNeeded: bits)).isFinite
        case .f64: isFinite = Double(bitPattern: bits).isFinite
        default: isFinite = true
        }
        if !isFinite { byte(0x22) }
        value(bits, type)
        if !isFinite { byte(0x22) }
    }
}

/// Writes JSON objects and arrays, with the commas where they belong.
public struct JSONWriter {
    public let output: Output
    private var first = true

    public init(_ output: Output) { self.output = output }

    private mutating func separate() {
        if !first { output.byte(0x2C) }
        first = false
    }

    public mutating func key(_ name: String) {
        separate()
        output.json(name)
        output.byte(0x3A)
        first = true
    }

    public mutating func begin(_ bracket: StaticString) {
        separate()
        output.text(bracket)
        first = true
    }

    public mutating func end(_ bracket: StaticString) {
        output.text(bracket)
        first = false
    }

    public mutating func string(_ value: String) {
        separate()
        output.json(value)
    }

    public mutating func number(_ value: UInt64) {
        separate()
        output.number(value)
    }

    public mutating func number(_ value: Int64) {
        separate()
        output.number(value)
    }

    public mutating func number(_ value: Double) {
        separate()
        output.json(value.bitPattern, .f64)
    }

    public mutating func bool(_ value: Bool) {
        separate()
        output.text(value ? "true" as StaticString : "false")
    }

    public mutating func null() {
        separate()
        output.text("null" as StaticString)
    }

    public mutating func value(_ bits: UInt64, _ type: ValueType) {
        separate()
        output.json(bits, type)
    }

    public mutating func text(_ bytes: UnsafeRawBufferPointer) {
        separate()
        output.json(bytes)
    }

    public mutating func field(_ name: String, _ value: String) { key(name); string(value) }
    public mutating func field(_ name: String, _ value: UInt64) { key(name); number(value) }
    public mutating func field(_ name: String, _ value: Int64) { key(name); number(value) }
    public mutating func field(_ name: String, _ value: Int) { key(name); number(Int64(value)) }
    public mutating func field(_ name: String, _ value: Double) { key(name); number(value) }
    public mutating func field(_ name: String, _ value: Bool) { key(name); bool(value) }
}
