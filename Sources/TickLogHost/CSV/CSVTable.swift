import CPosix
import CTickLog
import TickLog

/// The rows of a CSV file, with values of the types that its columns have.
public final class CSVTable: Table {
    private let csv: CSVFile
    @exclusivity(unchecked) private var records: CSVRecords
    private let width: Int
    private let cells: UnsafeMutablePointer<CSVPlainRow.Column>
    private let places: UnsafeMutablePointer<UInt32>
    private let plain: CSVPlainRow
    /// The current row: its own memory, or that of a writer.
    @exclusivity(unchecked) private var values: UnsafeMutableRawPointer
    private var writer: BCSVWriter?
    /// Texts of the current row whose quotes were doubled.
    private var unquoted: UnsafeMutableRawPointer?
    private var unquotedSize = 0
    @exclusivity(unchecked) private var unquotedUsed = 0
    @exclusivity(unchecked) private var count: UInt64 = 0
    @exclusivity(unchecked) private var ended = false
    /// Of columns whose types are only known from a sample: what they turn out to be.
    private let guesses: UnsafeMutablePointer<ColumnGuess>?
    private let isGuessed: [Bool]

    public init(_ csv: CSVFile) {
        self.csv = csv
        records = csv.records()
        width = csv.columns.count
        cells = .allocate(capacity: width)
        places = .allocate(capacity: width)
        isGuessed = csv.guesses.map { $0 != nil }
        guesses = csv.isSampled ? UnsafeMutablePointer<ColumnGuess>.allocate(capacity: width) : nil
        // Any value has room in 16 bytes.
        values = .allocate(byteCount: 16 * width, alignment: 16)
        values.initializeMemory(as: UInt8.self, repeating: 0, count: 16 * width)
        for i in 0..<width {
            let guess = csv.isSampled ? csv.guesses[i] : nil
            if let guesses { (guesses + i).initialize(to: guess ?? ColumnGuess()) }
            places[i] = UInt32(16 * i)
            let type = csv.columns[i].type
            // A column that is text already stays it.
            (cells + i).initialize(
                to: CSVPlainRow.Column(
                    type: type, place: UInt32(16 * i), isGuessed: guess != nil && !(type == .string && guess!.isString)))
        }
        plain = CSVPlainRow(cells, width, csv.dialect, trims: csv.options.trims)
        super.init(columns: csv.columns)
        place(values)
    }

    deinit {
        if writer == nil { values.deallocate() }
        cells.deallocate()
        places.deallocate()
        guesses?.deallocate()
        free(unquoted)
    }

    /// The row's values are those of a writer from now on, which has the same columns.
    public override func fill(_ writer: BCSVWriter) -> Bool {
        guard self.writer == nil, writer.columns.count == width else { return false }
        for i in 0..<width where writer.columns[i].type != cells[i].type { return false }
        values.deallocate()
        self.writer = writer
        for i in 0..<width {
            places[i] = UInt32(writer.offsets[i])
            cells[i].place = places[i]
        }
        place(writer.row)
        return true
    }

    private func place(_ memory: UnsafeMutableRawPointer) {
        values = memory
        parts = RowParts(scalars: memory, others: memory, places: places)
    }

    public override func next() -> Bool {
        if ended { return false }
        if plain.isPossible, csv.options.isOnePass {
            let start = csv.file.bytes.start
            if let end = plain.read(start + records.offset, start + csv.file.bytes.count, into: values, self) {
                records.goBack(to: end - start, line: records.nextLine + 1)
                row = count
                count += 1
                return true
            }
        }
        do throws(CSVError) {
            while try records.next() {
                if records.isBlank, width > 1 { continue }
                if records.count != width {
                    if csv.options.ragged == .skipped { continue }
                    guard csv.options.ragged == .padded, records.count < width else { throw records.ragged(width) }
                }
                guard try read() else {
                    hasOtherTypes = true
                    break
                }
                row = count
                count += 1
                return true
            }
        } catch {
            faults.append(csv.fault(error))
        }
        if let guesses, faults.isEmpty {
            for i in 0..<width where isGuessed[i] && guesses[i].type(csv.options.empty) != cells[i].type {
                hasOtherTypes = true
            }
        }
        ended = true
        return false
    }

    /// Takes the values of a record; false if one makes its column another type than the first rows had.
    private func read() throws(CSVError) -> Bool {
        unquotedUsed = 0
        let filled = records.count
        for i in 0..<filled {
            let cell = records[i]
            if cells[i].type == .string {
                store(cell.hasQuotes ? try unquote(cell) : cell.text, i)
                if cells[i].isGuessed {
                    if cell.hasQuotes { guesses![i].addText() } else { _ = confirms(i, cell.text) }
                }
                continue
            }
            if !cell.hasQuotes, reads(i, cell.text) { continue }
            if cells[i].isGuessed {
                // `reads` has told the guess what it is.
                guard !cell.hasQuotes, guesses![i].type(csv.options.empty) == cells[i].type else { return false }
            }
            store(try empty(i, cell), i)
        }
        for i in filled..<width {
            if cells[i].type == .string {
                store(UnsafeRawBufferPointer(start: nil, count: 0), i)
            } else {
                store(try empty(i, nil), i)
            }
        }
        return true
    }

    /// Takes the text of a cell that is no string as its value; false if it is none, or none of a column of the type that
    /// the first rows had.
    @inline(never)
    func reads(_ column: Int, _ text: UnsafeRawBufferPointer) -> Bool {
        let type = cells[column].type
        if let guesses, cells[column].isGuessed {
            guesses[column].add(text, mark: csv.values.mark, csv.values.floats)
            guard guesses[column].type(csv.options.empty) == type else { return false }
        }
        guard let bits = csv.values.bits(text, type) else { return false }
        store(bits, column)
        return true
    }

    /// Takes note of a text in a column of strings, whose type is a guess; false if strings it is not.
    func confirms(_ column: Int, _ text: UnsafeRawBufferPointer) -> Bool {
        guesses![column].add(text, mark: csv.values.mark, csv.values.floats)
        if guesses![column].isString { cells[column].isGuessed = false }
        return true
    }

    private func store(_ bits: UInt64, _ column: Int) {
        let at = values + Int(places[column])
        switch cells[column].type.size {
        case 1: at.storeBytes(of: UInt8(truncatingIfNeeded: bits), as: UInt8.self)
        case 2: at.storeBytes(of: UInt16(truncatingIfNeeded: bits), as: UInt16.self)
        case 4: at.storeBytes(of: UInt32(truncatingIfNeeded: bits), as: UInt32.self)
        default: at.storeBytes(of: bits, as: UInt64.self)
        }
    }

    private func store(_ text: UnsafeRawBufferPointer, _ column: Int) {
        let bytes = text.baseAddress.map { UnsafePointer($0.assumingMemoryBound(to: CChar.self)) }
        (values + Int(places[column])).storeBytes(of: ticklog_text(bytes: bytes, count: text.count), as: ticklog_text.self)
    }

    /// The value of an empty cell; nothing else comes here that has one.
    @inline(never)
    private func empty(_ column: Int, _ cell: CSVCell?) throws(CSVError) -> UInt64 {
        if csv.options.empty == .nothing, cell == nil || cell!.count == 0, !(cell?.hasQuotes ?? false) { return bits(column) }
        if csv.options.empty == .nan, cell == nil || cell!.count == 0 {
            if cells[column].type == .f32 { return 0x7FC0_0000 }
            if cells[column].type == .f64 { return 0x7FF8_0000_0000_0000 }
        }
        var found = "an empty cell"
        if let cell, cell.count > 0 {
            let text = UnsafeRawBufferPointer(rebasing: cell.text[..<min(cell.count, 40)])
            found = "'" + String(decoding: text, as: UTF8.self) + (cell.count > 40 ? "...'" : "'")
        }
        throw CSVError(
            line: records.line, offset: cell == nil ? records.start : cell!.start - csv.file.bytes.start,
            text: "column '\(columns[column].name)': found \(found), expected a value of type \(staticText(cells[column].type.name))")
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

    public override func bits(_ column: Int) -> UInt64 {
        let at = values + Int(places[column])
        switch cells[column].type.size {
        case 1: return UInt64(at.load(as: UInt8.self))
        case 2: return UInt64(at.loadUnaligned(as: UInt16.self))
        case 4: return UInt64(at.loadUnaligned(as: UInt32.self))
        default: return at.loadUnaligned(as: UInt64.self)
        }
    }

    public override func text(_ column: Int) -> UnsafeRawBufferPointer {
        let text = (values + Int(places[column])).loadUnaligned(as: ticklog_text.self)
        return UnsafeRawBufferPointer(start: text.bytes, count: text.count)
    }
}
