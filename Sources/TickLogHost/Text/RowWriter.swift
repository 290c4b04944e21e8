import TickLog

/// Writes the rows of a table as CSV (RFC 4180 quoting, lines end with LF) or as JSON Lines.
public final class RowWriter {
    public enum Format { case csv, jsonl }

    public let output: Output
    let table: Table
    let columns: [Int]
    let format: Format
    let delimiter: UInt8
    private let types: [ValueType]
    /// JSON: `{"name":` or `,"name":` of each column.
    private var keys: [[UInt8]] = []
    /// NaNs other than the one that `nan` is read as.
    public var oddNaNs: UInt64 { oddNaNsInRows + (rows?.oddNaNs ?? 0) }
    private var oddNaNsInRows: UInt64 = 0
    /// Rows whose values lie in memory, for anything but a terminal.
    private let rows: CSVRowText?
    /// The first string that JSON cannot hold: its row and column.
    public private(set) var notText: (row: UInt64, column: Int)?

    public init(output: Output, table: Table, columns: [Int], format: Format, delimiter: UInt8 = 0x2C) {
        self.output = output
        self.table = table
        self.columns = columns
        self.format = format
        self.delimiter = delimiter
        types = columns.map { table.columns[$0].type }
        rows = format == .csv && !output.isTerminal
            ? CSVRowText(output, columns.map { (index: $0, type: table.columns[$0].type) }, delimiter: delimiter) : nil
        if format == .jsonl {
            var names: [String: Int] = [:]
            for i in 0..<columns.count {
                var key: [UInt8] = [i == 0 ? 0x7B : 0x2C]
                // An object has each key once.
                var name = table.columns[columns[i]].name
                let base = name
                while let number = names[name] {
                    names[base] = max(number + 1, names[base]!)
                    name = base + "~\(names[base]!)"
                }
                names[name] = 1
                jsonQuoted(name) { key.append($0) }
                key.append(0x3A)
                keys.append(key)
            }
        }
    }

    public func header() {
        guard format == .csv else { return }
        for i in 0..<columns.count {
            if i > 0 { output.byte(delimiter) }
            var name = table.columns[columns[i]].name
            name.withUTF8 { cell(UnsafeRawBufferPointer($0)) }
        }
        output.byte(0x0A)
    }

    public func row() {
        if let rows, let parts = table.parts { return rows.write(parts) }
        if format == .csv { csvRow() } else { jsonRow() }
        output.byte(0x0A)
    }

    private func csvRow() {
        for i in 0..<columns.count {
            if i > 0 { output.byte(delimiter) }
            let column = columns[i]
            guard table.isKnown(column) else { continue }
            let type = types[i]
            if type == .string {
                cell(table.text(column))
            } else {
                let bits = table.bits(column)
                look(bits, type)
                output.value(bits, type)
            }
        }
    }

    private func jsonRow() {
        if columns.isEmpty { output.byte(0x7B) }
        for i in 0..<columns.count {
            keys[i].withUnsafeBytes { output.bytes($0) }
            let column = columns[i]
            let type = types[i]
            if !table.isKnown(column) {
                output.text("null" as StaticString)
            } else if type == .string {
                let text = table.text(column)
                if notText == nil, !isUTF8(text) { notText = (table.row, column) }
                output.json(text)
            } else {
                let bits = table.bits(column)
                look(bits, type)
                output.json(bits, type)
            }
        }
        output.byte(0x7D)
    }

    @inline(__always)
    private func look(_ bits: UInt64, _ type: ValueType) {
        if type == .f32 {
            if bits & 0x7FFF_FFFF > 0x7F80_0000, bits != 0x7FC0_0000 { oddNaNsInRows += 1 }
        } else if type == .f64 {
            if bits & 0x7FFF_FFFF_FFFF_FFFF > 0x7FF0_0000_0000_0000, bits != 0x7FF8_0000_0000_0000 { oddNaNsInRows += 1 }
        }
    }

    private func cell(_ bytes: UnsafeRawBufferPointer) {
        if output.isTerminal {
            var text = terminalText(String(decoding: bytes, as: UTF8.self))
            text.withUTF8 { quoted(UnsafeRawBufferPointer($0)) }
        } else {
            quoted(bytes)
        }
    }

    private func quoted(_ bytes: UnsafeRawBufferPointer) {
        // An empty line would be no row: the one cell of a row is quoted when it is empty. A byte order mark at the
        // start of the file would not count as text.
        var needsQuotes = bytes.count == 0 ? columns.count == 1 : bytes[0] == 0xEF
        for byte in bytes where byte == delimiter || byte == 0x22 || byte == 0x0A || byte == 0x0D { needsQuotes = true }
        guard needsQuotes else { return output.bytes(bytes) }
        output.byte(0x22)
        for byte in bytes {
            if byte == 0x22 { output.byte(0x22) }
            output.byte(byte)
        }
        output.byte(0x22)
    }
}
