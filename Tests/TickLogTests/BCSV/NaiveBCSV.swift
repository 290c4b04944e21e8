import CXXHash

/// BCSV written the plain way, straight from the format's tables: no held state but the row before, no windows, no
/// segments. What the library writes must be these bytes.
struct NaiveBCSV {
    struct Column {
        var name: String
        var type: UInt8

        static let string: UInt8 = 11
        static let widths = [1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8]
        var isBool: Bool { type == 0 }
        var isString: Bool { type == Self.string }
    }

    /// The bytes of a value: little-endian scalars, a bool's 0 or 1, a string's characters.
    typealias Cell = [UInt8]

    var columns: [Column]
    var isFlat: Bool
    var packetLimit: Int
    /// 1.3 or 1.5.
    var minor: UInt8
    var epochSeconds: UInt64
    /// Entries in the footer's index: with more packets only every second, fourth, ... is in it.
    var indexLimit: Int

    static func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }

    static func lengthInteger(_ value: Int) -> [UInt8] {
        var n = 1
        while value >> (8 * n - 3) != 0 { n += 1 }
        return Array(little(UInt64(value) << 3 | UInt64(n - 1)).prefix(n))
    }

    private static func bits(_ values: [Bool]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (values.count + 7) / 8)
        for i in 0..<values.count where values[i] { bytes[i / 8] |= 1 << UInt8(i % 8) }
        return bytes
    }

    var header: [UInt8] {
        var out: [UInt8] = Array("BCSV".utf8)
        if minor == 5 { out += Self.little(epochSeconds) }
        out += [1, minor, 0, 0]
        out += Self.little(UInt16(isFlat ? 0 : 1)) + Self.little(UInt16(columns.count)) + Self.little(UInt32(packetLimit))
        for column in columns { out.append(column.type) }
        for column in columns { out += Self.little(UInt16(column.name.utf8.count)) }
        for column in columns { out += Array(column.name.utf8) }
        return out
    }

    func flatRow(_ row: [Cell]) -> [UInt8] {
        var out = Self.bits(columns.indices.filter { columns[$0].isBool }.map { row[$0][0] != 0 })
        for i in columns.indices where !columns[i].isBool && !columns[i].isString { out += row[i] }
        for i in columns.indices where columns[i].isString { out += Self.little(UInt16(row[i].count)) }
        for i in columns.indices where columns[i].isString { out += row[i] }
        return out
    }

    /// `before`: the packet's row before, nil for its first.
    func zeroOrderHoldRow(_ row: [Cell], before: [Cell]?) -> [UInt8] {
        if row == before { return [] }
        var flags: [Bool] = []
        var payload: [UInt8] = []
        for i in columns.indices where columns[i].isBool { flags.append(row[i][0] != 0) }
        for type in UInt8(1)...Column.string {
            for i in columns.indices where columns[i].type == type {
                let isChanged = before == nil || before![i] != row[i]
                flags.append(isChanged)
                if isChanged { payload += (type == Column.string ? Self.little(UInt16(row[i].count)) : []) + row[i] }
            }
        }
        return Self.bits(flags) + payload
    }

    func file(_ rows: [[Cell]]) -> [UInt8] {
        var out = header
        var index: [(offset: Int, row: Int)] = []
        var body: [UInt8] = []
        func close() {
            body += [0xFC, 0xFF, 0xFF, 0xFF, 0x01]
            out += body + Self.little(cxxhash64(body, body.count))
            body = []
        }
        for i in rows.indices {
            if i > 0, body.count >= packetLimit { close() }
            let isFirst = body.isEmpty
            if isFirst {
                index.append((out.count, i))
                let head = Array("PKCT".utf8) + Self.little(UInt64(i))
                out += head + Self.little(cxxhash32(head, head.count))
            }
            let row = isFlat ? flatRow(rows[i]) : zeroOrderHoldRow(rows[i], before: isFirst ? nil : rows[i - 1])
            body += Self.lengthInteger(row.count) + row
        }
        if !rows.isEmpty { close() }
        var footer: [UInt8] = Array("BIDX".utf8)
        var step = 1
        while (index.count + step - 1) / step > indexLimit { step *= 2 }
        index = stride(from: 0, to: index.count, by: step).map { index[$0] }
        for entry in index { footer += Self.little(UInt64(entry.offset)) + Self.little(UInt64(entry.row)) }
        footer += Array("EIDX".utf8) + Self.little(UInt32(28 + 16 * index.count)) + Self.little(UInt64(rows.count))
        return out + footer + Self.little(cxxhash64(footer, footer.count))
    }
}
