import CTickLog
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
    var isDelta = false
    /// PACKET or STREAM: LZ4 is for `Unpacked`.
    var fileCodec = TICKLOG_PACKET
    var level: UInt8 = 0

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
        out += [1, minor, 0, level]
        var flags: UInt16 = isDelta ? 16 : isFlat ? 0 : 1
        if fileCodec == TICKLOG_BATCH { flags |= 8 }
        if fileCodec == TICKLOG_STREAM || fileCodec == TICKLOG_STREAM_LZ4 { flags |= 4 }
        out += Self.little(flags) + Self.little(UInt16(columns.count)) + Self.little(UInt32(packetLimit))
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

    private static func signed(_ bits: UInt64, _ size: Int) -> Int64 { Int64(bitPattern: bits << UInt64(64 - 8 * size)) >> Int64(64 - 8 * size) }

    private static func number(_ cell: Cell) -> UInt64 { cell.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

    /// What a value changed by, as the bits of its type.
    private static func difference(_ type: UInt8, _ new: UInt64, _ old: UInt64) -> UInt64 {
        switch type {
        case 9: UInt64((Float(bitPattern: UInt32(new)) - Float(bitPattern: UInt32(old))).bitPattern)
        case 10: (Double(bitPattern: new) - Double(bitPattern: old)).bitPattern
        default: (new &- old) & (UInt64.max >> UInt64(64 - 8 * Column.widths[Int(type)]))
        }
    }

    private static func isPredicted(_ type: UInt8, _ new: UInt64, _ old: UInt64, _ gradient: UInt64) -> Bool {
        switch type {
        case 9:
            let sum = Float(bitPattern: UInt32(old)) + Float(bitPattern: UInt32(gradient))
            return !sum.isNaN && sum.bitPattern == UInt32(new)
        case 10:
            let sum = Double(bitPattern: old) + Double(bitPattern: gradient)
            return !sum.isNaN && sum.bitPattern == new
        default: return (old &+ gradient) & (UInt64.max >> UInt64(64 - 8 * Column.widths[Int(type)])) == new
        }
    }

    /// The last of a packet's rows, whose gradients all rows before it make.
    func deltaRow(_ rows: ArraySlice<[Cell]>) -> [UInt8] {
        var prev = columns.map { $0.isString ? 0 : UInt64(0) }
        var gradients = prev
        var out: [UInt8] = []
        for (seen, row) in rows.enumerated() {
            var flags: [Bool] = []
            var payload: [UInt8] = []
            for i in columns.indices where columns[i].isBool { flags.append(row[i][0] != 0) }
            for type in UInt8(1)..<Column.string {
                for i in columns.indices where columns[i].type == type {
                    let size = Column.widths[Int(type)]
                    let new = Self.number(row[i])
                    var code = 0
                    if new == prev[i] {
                        gradients[i] = 0
                    } else if seen >= 2, Self.isPredicted(type, new, prev[i], gradients[i]) {
                        code = 1
                    } else {
                        gradients[i] = Self.difference(type, new, prev[i])
                        var delta = new ^ prev[i]
                        if type < 9 {
                            let change = Self.signed(gradients[i], size)
                            delta = UInt64(bitPattern: change << 1 ^ change >> 63) & (UInt64.max >> UInt64(64 - 8 * size))
                        }
                        var bytes = Self.little(delta)
                        while bytes.count > 1, bytes.last == 0 { bytes.removeLast() }
                        code = bytes.count + 1
                        payload += bytes
                    }
                    for bit in 0..<(size == 8 ? 4 : size == 4 ? 3 : 2) { flags.append(code >> bit & 1 == 1) }
                    prev[i] = new
                }
            }
            let before = rows.index(rows.startIndex, offsetBy: seen - 1, limitedBy: rows.endIndex)
            for i in columns.indices where columns[i].isString {
                let isChanged = seen == 0 || rows[before!][i] != row[i]
                flags.append(isChanged)
                if isChanged { payload += Self.little(UInt16(row[i].count)) + row[i] }
            }
            out = Self.bits(flags) + payload
        }
        return out
    }

    /// Row `i` of `rows`, in a packet that begins with row `first`.
    func row(_ rows: [[Cell]], _ i: Int, packet first: Int) -> [UInt8] {
        if isDelta { return deltaRow(rows[first...i]) }
        return isFlat ? flatRow(rows[i]) : zeroOrderHoldRow(rows[i], before: i == first ? nil : rows[i - 1])
    }

    func stream(_ rows: [[Cell]]) -> [UInt8] {
        var out = header
        for i in rows.indices {
            let row = row(rows, i, packet: 0)
            out += Self.lengthInteger(row.count) + row
            if !row.isEmpty { out += Self.little(cxxhash32(row, row.count)) }
        }
        return out
    }

    func file(_ rows: [[Cell]]) -> [UInt8] {
        var out = header
        var first = 0
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
                first = i
                index.append((out.count, i))
                let head = Array("PKCT".utf8) + Self.little(UInt64(i))
                out += head + Self.little(cxxhash32(head, head.count))
            }
            let row = row(rows, i, packet: first)
            body += Self.lengthInteger(row.count) + row
        }
        if !rows.isEmpty { close() }
        var footer: [UInt8] = Array("BIDX".utf8)
        var step = 1
        while (index.count + step - 1) / step > indexLimit { step *= 2 }
        if isDelta, step > 1 { step = .max }
        index = step == .max ? [] : stride(from: 0, to: index.count, by: step).map { index[$0] }
        for entry in index { footer += Self.little(UInt64(entry.offset)) + Self.little(UInt64(entry.row)) }
        footer += Array("EIDX".utf8) + Self.little(UInt32(28 + 16 * index.count)) + Self.little(UInt64(rows.count))
        return out + footer + Self.little(cxxhash64(footer, footer.count))
    }
}
