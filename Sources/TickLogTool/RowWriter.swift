import TickLog
import TickLogHost

/// Writes the rows of a table as CSV (RFC 4180 quoting, lines end with LF) or as JSON Lines.
struct RowWriter {
    enum Format { case csv, jsonl }

    let output: Output
    let table: Table
    let columns: [Int]
    let format: Format

    func header() {
        guard format == .csv else { return }
        for i in 0..<columns.count {
            if i > 0 { output.byte(0x2C) }
            var name = table.columns[columns[i]].name
            name.withUTF8 { cell(UnsafeRawBufferPointer($0)) }
        }
        output.byte(0x0A)
    }

    func row() {
        if format == .csv { csvRow() } else { jsonRow() }
        output.byte(0x0A)
    }

    private func csvRow() {
        for i in 0..<columns.count {
            if i > 0 { output.byte(0x2C) }
            let column = columns[i]
            let type = table.columns[column].type
            guard table.isKnown(column) else { continue }
            if type == .string { cell(table.text(column)) } else { output.value(table.bits(column), type) }
        }
    }

    private func jsonRow() {
        output.byte(0x7B)
        for i in 0..<columns.count {
            if i > 0 { output.byte(0x2C) }
            let column = columns[i]
            output.json(table.columns[column].name)
            output.byte(0x3A)
            let type = table.columns[column].type
            if !table.isKnown(column) {
                output.text("null" as StaticString)
            } else if type == .string {
                output.json(table.text(column))
            } else {
                output.json(table.bits(column), type)
            }
        }
        output.byte(0x7D)
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
        // An empty line would be no row: the one cell of a row is quoted when it is empty.
        var needsQuotes = bytes.count == 0 && columns.count == 1
        for byte in bytes where byte == 0x2C || byte == 0x22 || byte == 0x0A || byte == 0x0D { needsQuotes = true }
        guard needsQuotes else { return output.bytes(bytes) }
        output.byte(0x22)
        for byte in bytes {
            if byte == 0x22 { output.byte(0x22) }
            output.byte(byte)
        }
        output.byte(0x22)
    }
}
