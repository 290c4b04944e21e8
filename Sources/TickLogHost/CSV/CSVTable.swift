import CPosix
import TickLog

/// The rows of a CSV file, with values of the types that its columns have.
public final class CSVTable: Table {
    private let csv: CSVFile
    private var records: CSVRecords
    private let types: UnsafeMutablePointer<ValueType>
    private let slots: UnsafeMutablePointer<UInt64>
    private let cells: UnsafeMutablePointer<UnsafeRawBufferPointer>
    private let width: Int
    /// Texts of the current row whose quotes were doubled.
    private var unquoted: UnsafeMutableRawPointer?
    private var unquotedSize = 0
    private var unquotedUsed = 0
    private var count: UInt64 = 0
    private var ended = false
    /// Of columns whose types are only known from a sample: what they turn out to be.
    private let guesses: UnsafeMutablePointer<ColumnGuess>?
    private let isGuessed: [Bool]

    public init(_ csv: CSVFile) {
        self.csv = csv
        records = csv.records()
        width = csv.columns.count
        types = UnsafeMutablePointer<ValueType>.allocate(capacity: width)
        slots = UnsafeMutablePointer<UInt64>.allocate(capacity: width)
        cells = UnsafeMutablePointer<UnsafeRawBufferPointer>.allocate(capacity: width)
        for i in 0..<width {
            types[i] = csv.columns[i].type
            slots[i] = 0
            cells[i] = UnsafeRawBufferPointer(start: nil, count: 0)
        }
        isGuessed = csv.guesses.map { $0 != nil }
        guesses = csv.isSampled ? UnsafeMutablePointer<ColumnGuess>.allocate(capacity: width) : nil
        if let guesses { for i in 0..<width { (guesses + i).initialize(to: csv.guesses[i] ?? ColumnGuess()) } }
        super.init(columns: csv.columns)
    }

    deinit {
        types.deallocate()
        slots.deallocate()
        guesses?.deallocate()
        cells.deallocate()
        free(unquoted)
    }

    public override func next() -> Bool {
        if ended { return false }
        do throws(CSVError) {
            while try records.next() {
                if records.isBlank, width > 1 { continue }
                if records.count != width {
                    if csv.options.ragged == .skipped { continue }
                    guard csv.options.ragged == .padded, records.count < width else { throw records.ragged(width) }
                }
                if guesses != nil {
                    guard try readGuessing() else {
                        hasOtherTypes = true
                        break
                    }
                } else {
                    try read()
                }
                row = count
                count += 1
                return true
            }
        } catch {
            faults.append(csv.fault(error))
        }
        if let guesses, faults.isEmpty {
            for i in 0..<width where isGuessed[i] && guesses[i].type(emptyIsNaN: csv.options.emptyIsNaN) != types[i] { hasOtherTypes = true }
        }
        ended = true
        return false
    }

    /// As `read`, and goes on inferring; false if a value does not fit the type that the first rows had.
    private func readGuessing() throws(CSVError) -> Bool {
        let values = csv.values
        let mark = values.mark
        let guesses = guesses!
        unquotedUsed = 0
        for i in 0..<width {
            let cell = records[i]
            let type = types[i]
            if type == .string {
                cells[i] = cell.hasQuotes ? try unquote(cell) : cell.text
                if isGuessed[i], !guesses[i].isString {
                    if cell.hasQuotes { guesses[i].addText() } else { guesses[i].add(cell.text, mark: mark, values.floats) }
                }
                continue
            }
            if isGuessed[i] {
                if !cell.hasQuotes, let decimal = Decimal(cell.start, cell.start + cell.count, mark: mark),
                    let bits = values.number(decimal, cell.text, type)
                {
                    guesses[i].add(decimal, cell.text, mark: mark, values.floats)
                    slots[i] = bits
                    continue
                }
                if cell.hasQuotes { return false }
                guesses[i].add(cell.text, mark: mark, values.floats)
                guard guesses[i].type(emptyIsNaN: csv.options.emptyIsNaN) == type else { return false }
            }
            if !cell.hasQuotes, let bits = values.bits(cell.text, type) {
                slots[i] = bits
            } else {
                slots[i] = try empty(i, cell)
            }
        }
        return true
    }

    private func read() throws(CSVError) {
        let values = csv.values
        unquotedUsed = 0
        let filled = records.count
        for i in 0..<filled {
            let cell = records[i]
            let type = types[i]
            if type == .string {
                cells[i] = cell.hasQuotes ? try unquote(cell) : cell.text
            } else if !cell.hasQuotes, let bits = values.bits(cell.text, type) {
                slots[i] = bits
            } else {
                slots[i] = try empty(i, cell)
            }
        }
        for i in filled..<width {
            cells[i] = UnsafeRawBufferPointer(start: nil, count: 0)
            if types[i] != .string { slots[i] = try empty(i, nil) }
        }
    }

    /// The value of an empty cell; nothing else comes here that has one.
    @inline(never)
    private func empty(_ column: Int, _ cell: CSVCell?) throws(CSVError) -> UInt64 {
        if csv.options.emptyIsNaN, cell == nil || cell!.count == 0 {
            if types[column] == .f32 { return 0x7FC0_0000 }
            if types[column] == .f64 { return 0x7FF8_0000_0000_0000 }
        }
        var found = "an empty cell"
        if let cell, cell.count > 0 {
            let text = UnsafeRawBufferPointer(rebasing: cell.text[..<min(cell.count, 40)])
            found = "'" + String(decoding: text, as: UTF8.self) + (cell.count > 40 ? "...'" : "'")
        }
        throw CSVError(
            line: records.line, offset: cell == nil ? records.start : cell!.start - csv.file.bytes.start,
            text: "column '\(columns[column].name)': found \(found), expected a value of type \(staticText(types[column].name))")
    }

    private func unquote(_ cell: CSVCell) throws(CSVError) -> UnsafeRawBufferPointer {
        // All cells of a record together are not longer than the record. Once it has room, nothing moves.
        let record = records.offset - records.start
        if unquotedSize < record {
            let larger = malloc(record)
            guard let larger else {
                throw CSVError(line: records.line, offset: records.start, text: "found a record of \(record) bytes, expected one that fits into memory")
            }
            free(unquoted)
            unquoted = larger
            unquotedSize = record
        }
        let out = unquoted! + unquotedUsed
        var length = 0
        var at = 0
        while at < cell.count {
            let byte = cell.start.load(fromByteOffset: at, as: UInt8.self)
            out.storeBytes(of: byte, toByteOffset: length, as: UInt8.self)
            length += 1
            at += byte == 0x22 ? 2 : 1
        }
        unquotedUsed += length
        return UnsafeRawBufferPointer(start: UnsafeRawPointer(out), count: length)
    }

    public override func bits(_ column: Int) -> UInt64 { slots[column] }
    public override func text(_ column: Int) -> UnsafeRawBufferPointer { cells[column] }
}
