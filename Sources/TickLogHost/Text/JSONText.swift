import TickLog

// JSON (RFC 8259). Text that is not UTF-8 is repaired with U+FFFD, as every decoder of JSON would.

extension Output {
    public func json(_ text: UnsafeRawBufferPointer) {
        // Mostly there is nothing to escape.
        for byte in text where byte < 0x20 || byte >= 0x7F || byte == 0x22 || byte == 0x5C {
            return json(String(decoding: text, as: UTF8.self))
        }
        byte(0x22)
        bytes(text)
        byte(0x22)
    }

    public func json(_ string: String) {
        jsonQuoted(string) { byte($0) }
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

/// A string of JSON, with its quotes.
public func jsonQuoted(_ string: String, _ put: (UInt8) -> Void) {
    func escape(_ letter: UInt8) {
        put(0x5C)
        put(letter)
    }
    put(0x22)
    for byte in string.utf8 {
        switch byte {
        case 0x22, 0x5C: escape(byte)
        case 0x0A: escape(0x6E)
        case 0x0D: escape(0x72)
        case 0x09: escape(0x74)
        // DEL is legal in JSON, but not on a terminal.
        case 0..<0x20, 0x7F:
            escape(0x75)
            put(0x30)
            put(0x30)
            put(hexDigit(byte >> 4))
            put(hexDigit(byte & 15))
        default: put(byte)
        }
    }
    put(0x22)
}

/// Whether bytes are well-formed UTF-8 (RFC 3629).
public func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var at = 0
    func follows(_ offset: Int, _ least: UInt8 = 0x80, _ most: UInt8 = 0xBF) -> Bool {
        at + offset < bytes.count && bytes[at + offset] >= least && bytes[at + offset] <= most
    }
    while at < bytes.count {
        // Mostly it is ASCII.
        if at + 8 <= bytes.count {
            let others = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & everyByte(0x80)
            at += others.littleEndian.trailingZeroBitCount / 8
            if others == 0 { continue }
        }
        switch bytes[at] {
        case 0..<0x80: at += 1
        case 0xC2...0xDF where follows(1): at += 2
        case 0xE0 where follows(1, 0xA0) && follows(2): at += 3
        case 0xED where follows(1, 0x80, 0x9F) && follows(2): at += 3
        case 0xE1...0xEC where follows(1) && follows(2), 0xEE...0xEF where follows(1) && follows(2): at += 3
        case 0xF0 where follows(1, 0x90) && follows(2) && follows(3): at += 4
        case 0xF1...0xF3 where follows(1) && follows(2) && follows(3): at += 4
        case 0xF4 where follows(1, 0x80, 0x8F) && follows(2) && follows(3): at += 4
        default: return false
        }
    }
    return true
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
