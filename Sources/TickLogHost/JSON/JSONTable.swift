import CPosix
import TickLog

/// The rows of a file of JSON Lines, with values of the types that its columns have.
public final class JSONTable: Table {
    private let json: JSONFile
    private var records: JSONRecords
    private var slots: [UInt64]
    private var texts: [UnsafeRawBufferPointer]
    private var isThere: [Bool]
    private var count: UInt64 = 0
    private var ended = false
    private var unescaped: UnsafeMutableRawPointer?
    private var unescapedSize = 0
    private var unescapedUsed = 0

    public init(_ json: JSONFile) {
        self.json = json
        records = JSONRecords(json.file.bytes, names: json.columns.map { $0.name })
        slots = [UInt64](repeating: 0, count: json.columns.count)
        texts = [UnsafeRawBufferPointer](
            repeating: UnsafeRawBufferPointer(start: nil, count: 0), count: json.columns.count)
        isThere = [Bool](repeating: false, count: json.columns.count)
        super.init(columns: json.columns)
    }

    deinit { free(unescaped) }

    public override func next() -> Bool {
        if ended { return false }
        do throws(JSONError) {
            while try records.next() {
                if json.options.ragged == .skipped, !records.hasExactly(columns.count) { continue }
                try read()
                row = count
                count += 1
                return true
            }
        } catch {
            faults.append(json.fault(error))
        }
        ended = true
        return false
    }

    private func read() throws(JSONError) {
        unescapedUsed = 0
        let isFull = records.leaves.count == columns.count
        if !isFull { for i in 0..<columns.count { isThere[i] = false } }
        for leaf in records.leaves {
            let column = leaf.column
            // A key that the first pass met in no row that counts.
            guard column < columns.count else { continue }
            if !isFull { isThere[column] = true }
            let type = columns[column].type
            if leaf.kind == .null {
                try empty(column, leaf.start - json.file.bytes.start, "null")
            } else if type == .string {
                texts[column] = leaf.hasEscapes ? try unescape(leaf) : leaf.text
            } else if leaf.kind != .string || JSONFile.isNonFinite(leaf.text), let bits = json.values.bits(leaf.text, type) {
                slots[column] = bits
            } else {
                let text = UnsafeRawBufferPointer(rebasing: leaf.text[..<min(leaf.count, 40)])
                throw JSONError(
                    line: records.line, offset: leaf.start - json.file.bytes.start,
                    text: "key '\(columns[column].name)': found \(leaf.kind == .string ? "the string " : "")'\(String(decoding: text, as: UTF8.self))', expected a value of type \(staticText(columns[column].type.name))")
            }
        }
        if !isFull { for i in 0..<columns.count where !isThere[i] { try empty(i, records.start, "no value") } }
    }

    private func empty(_ column: Int, _ offset: Int, _ found: String) throws(JSONError) {
        switch columns[column].type {
        case .string: texts[column] = UnsafeRawBufferPointer(start: nil, count: 0)
        case _ where json.options.empty == .nothing: break
        case .f32 where json.options.empty == .nan: slots[column] = 0x7FC0_0000
        case .f64 where json.options.empty == .nan: slots[column] = 0x7FF8_0000_0000_0000
        default:
            throw JSONError(
                line: records.line, offset: offset,
                text: "key '\(columns[column].name)': found \(found), expected a value of type \(staticText(columns[column].type.name))")
        }
    }

    private func unescape(_ leaf: JSONLeaf) throws(JSONError) -> UnsafeRawBufferPointer {
        // An escape is never shorter than what it stands for, so a record's strings fit into as much as the record.
        let record = records.offset - records.start
        if unescapedSize < record {
            free(unescaped)
            unescaped = malloc(record)
            unescapedSize = record
        }
        guard let unescaped else {
            throw JSONError(line: records.line, offset: records.start, text: "found a record of \(record) bytes, expected one that fits into memory")
        }
        let out = unescaped + unescapedUsed
        var length = 0
        let isRight = jsonUnescaped(leaf.text) { byte in
            out.storeBytes(of: byte, toByteOffset: length, as: UInt8.self)
            length += 1
        }
        guard isRight else {
            throw JSONError(
                line: records.line, offset: leaf.start - json.file.bytes.start,
                text: "key '\(columns[leaf.column].name)': found a wrong escape or half a surrogate pair, expected text")
        }
        unescapedUsed += length
        return UnsafeRawBufferPointer(start: UnsafeRawPointer(out), count: length)
    }

    public override func bits(_ column: Int) -> UInt64 { slots[column] }
    public override func text(_ column: Int) -> UnsafeRawBufferPointer { texts[column] }
}
