import TickLog

/// One kind of message: a JSON object of some columns of a table, and its JSON Schema. Floats that are not finite have no key:
/// JSON has no such numbers, and a text or null in a column of numbers is what viewers stumble over.
final class MCAPChannel {
    struct Member {
        let name: String
        let unit: String
        let type: ValueType
        let column: Int
    }

    private struct Key {
        let start: UnsafeMutableRawPointer
        let count: Int
        let type: ValueType
        let column: Int
    }

    let schema: [UInt8]
    /// Strings that were no UTF-8: U+FFFD stands for what was wrong in them.
    @exclusivity(unchecked) private(set) var repairedStrings: UInt64 = 0
    private let keys: UnsafeMutableBufferPointer<Key>
    private let memory: UnsafeMutableRawPointer
    /// For all but the texts.
    private let room: Int
    private let floats = FloatWriter()

    /// `isOpaque`: the one member is "hex", bytes in base 16.
    init(title: String, notes: String, _ members: [Member], isOpaque: Bool = false) {
        var schema: [UInt8] = []
        var texts: [[UInt8]] = []
        func add(_ text: StaticString) { schema += UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount) }
        add("{\"title\":")
        jsonQuoted(title) { schema.append($0) }
        if !notes.isEmpty {
            add(",\"description\":")
            jsonQuoted(notes) { schema.append($0) }
        }
        add(",\"type\":\"object\",\"properties\":{")
        if isOpaque { add("\"hex\":{\"type\":\"string\",\"contentEncoding\":\"base16\"}") }
        // An object has each key once.
        var names = DistinctNames()
        for member in isOpaque ? [] : members {
            let name = names.add(member.name)
            var text: [UInt8] = [0x2C]
            jsonQuoted(name) { text.append($0) }
            text.append(0x3A)
            if !texts.isEmpty { add(",") }
            schema += text.dropFirst()
            texts.append(text)
            switch member.type {
            case .bool: add("{\"type\":\"boolean\"")
            case .f32, .f64: add("{\"type\":\"number\"")
            case .string: add("{\"type\":\"string\"")
            default: add("{\"type\":\"integer\"")
            }
            add(",\"description\":")
            jsonQuoted(member.unit.isEmpty ? staticText(member.type.name) : member.unit + " (" + staticText(member.type.name) + ")") {
                schema.append($0)
            }
            add("}")
        }
        add("}}")
        self.schema = schema

        var bytes = 0
        for text in texts { bytes += text.count }
        memory = .allocate(byteCount: max(bytes, 1), alignment: 16)
        keys = .allocate(capacity: texts.count)
        var at = memory
        for i in 0..<texts.count {
            for (k, byte) in texts[i].enumerated() { at.storeBytes(of: byte, toByteOffset: k, as: UInt8.self) }
            (keys.baseAddress! + i).initialize(
                to: Key(start: at, count: texts[i].count, type: members[i].type, column: members[i].column))
            at += texts[i].count
        }
        room = bytes + 40 * texts.count + 8
    }

    deinit {
        keys.deallocate()
        memory.deallocate()
    }

    /// The table's current row. `asksKnown`: a column may have no value yet, and then has no key.
    func write(_ table: Table, _ id: Int, time: UInt64, asksKnown: Bool, to writer: MCAPWriter) throws(Fault) {
        var at = writer.begin(id, time: time, room: room)
        var left = room
        for key in keys {
            if asksKnown, !table.isKnown(key.column) { continue }
            let isText = key.type == .string
            let bits = isText ? 0 : table.bits(key.column)
            switch key.type {
            case .f32: if bits & 0x7F80_0000 == 0x7F80_0000 { continue }
            case .f64: if bits & 0x7FF0_0000_0000_0000 == 0x7FF0_0000_0000_0000 { continue }
            default: break
            }
            at.copyMemory(from: key.start, byteCount: key.count)
            at += key.count
            left &-= key.count &+ 40
            if isText {
                at = text(table.text(key.column), at, left, writer)
                continue
            }
            switch key.type {
            case .bool:
                let isTrue = bits & 0xFF != 0
                // "true" and "fals"; an e behind.
                at.storeBytes(of: (isTrue ? 0x6575_7274 as UInt32 : 0x736C_6166).littleEndian, as: UInt32.self)
                if !isTrue { at.storeBytes(of: 0x65, toByteOffset: 4, as: UInt8.self) }
                at += isTrue ? 4 : 5
            case .i8: at = integer(Int64(Int8(truncatingIfNeeded: bits)), at)
            case .i16: at = integer(Int64(Int16(truncatingIfNeeded: bits)), at)
            case .i32: at = integer(Int64(Int32(truncatingIfNeeded: bits)), at)
            case .i64: at = integer(Int64(bitPattern: bits), at)
            case .f32: at += floats.write(Float(bitPattern: UInt32(truncatingIfNeeded: bits)), at: at)
            case .f64: at += floats.write(Double(bitPattern: bits), at: at)
            default: at += storeDigits(bits, at: at)
            }
        }
        try finish(at, writer)
    }

    /// Bytes of an opaque stream.
    func write(hex bytes: FileBytes?, _ id: Int, time: UInt64, to writer: MCAPWriter) throws(Fault) {
        let count = bytes?.count ?? 0
        var at = writer.begin(id, time: time, room: 2 * count + 16)
        for byte in [0x2C, 0x22, 0x68, 0x65, 0x78, 0x22, 0x3A, 0x22] as [UInt8] {
            at.storeBytes(of: byte, as: UInt8.self)
            at += 1
        }
        for i in 0..<count {
            let byte = bytes![i]
            at.storeBytes(of: hexDigit(byte >> 4), as: UInt8.self)
            at.storeBytes(of: hexDigit(byte & 15), toByteOffset: 1, as: UInt8.self)
            at += 2
        }
        at.storeBytes(of: 0x22, as: UInt8.self)
        try finish(at + 1, writer)
    }

    /// The brace before the first key has the place of a comma.
    private func finish(_ end: UnsafeMutableRawPointer, _ writer: MCAPWriter) throws(Fault) {
        var end = end
        let data = writer.messageData
        if data == end { end += 1 }
        data.storeBytes(of: 0x7B, as: UInt8.self)
        end.storeBytes(of: 0x7D, as: UInt8.self)
        try writer.end(end + 1)
    }

    @inline(__always)
    private func integer(_ value: Int64, _ at: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        guard value < 0 else { return at + storeDigits(UInt64(value), at: at) }
        at.storeBytes(of: 0x2D, as: UInt8.self)
        return at + 1 + storeDigits(value.magnitude, at: at + 1)
    }

    /// Answers where the next goes; `left` bytes have room there again.
    private func text(
        _ text: UnsafeRawBufferPointer, _ at: UnsafeMutableRawPointer, _ left: Int, _ writer: MCAPWriter
    ) -> UnsafeMutableRawPointer {
        var isPlain = true
        for byte in text where byte < 0x20 || byte >= 0x7F || byte == 0x22 || byte == 0x5C { isPlain = false }
        var at = writer.more(at, (isPlain ? text.count : 6 * text.count) + 8 + left)
        if isPlain {
            at.storeBytes(of: 0x22, as: UInt8.self)
            if let start = text.baseAddress { (at + 1).copyMemory(from: start, byteCount: text.count) }
            at.storeBytes(of: 0x22, toByteOffset: text.count + 1, as: UInt8.self)
            return at + text.count + 2
        }
        if !isUTF8(text) { repairedStrings += 1 }
        jsonQuoted(String(decoding: text, as: UTF8.self)) {
            at.storeBytes(of: $0, as: UInt8.self)
            at += 1
        }
        return at
    }
}
