import TickLog

/// A CSV file, whole in memory or mapped, whose dialect, columns and types are known: it was read once.
public final class CSVFile {
    public let file: MappedFile
    public private(set) var columns: [Column] = []
    /// What was decided without being asked, and may have been meant otherwise.
    public private(set) var notes: [String] = []
    let options: TextOptions
    let dialect: CSVDialect
    public var hasHeader: Bool { dialect.hasHeader }
    let values: ValueReader
    /// Where the first record with values is, and its line.
    private(set) var dataOffset = 0
    private(set) var dataLine: UInt64 = 1
    public private(set) var rowCount: UInt64 = 0
    public private(set) var skippedCount: UInt64 = 0
    /// The types are those of the first rows; `guesses` is what they were inferred from. Nil: of a column whose type was
    /// given.
    private(set) var isSampled = false
    private(set) var guesses: [ColumnGuess?] = []
    public var path: String { file.path }

    /// Finds out dialect and types, reading all of the file.
    /// - Throws: what is no CSV: ragged rows, a quote that is not closed, no line at all; with line and offset.
    public init(_ file: MappedFile, _ options: TextOptions) throws(Fault) {
        self.file = file
        self.options = options
        let bytes = file.bytes
        var start = 0
        if bytes.holds(3, at: 0), bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { start = 3 }
        if bytes.holds(2, at: 0), bytes.u16(at: 0) == 0xFEFF || bytes.u16(at: 0) == 0xFFFE {
            throw Fault(.unreadable, file.path, at: 0, "found text in UTF-16, expected UTF-8")
        }
        dialect = CSVDialect(bytes, from: start, options)
        values = ValueReader(floats: FloatReader(), mark: dialect.mark)
        if options.decimalComma == nil, dialect.decimalComma {
            notes.append("numbers are taken to have decimal commas; --decimal-point says that they have none")
        }
        var records = CSVRecords(bytes, from: start, delimiter: dialect.delimiter, trims: options.trims)
        do throws(CSVError) {
            try readColumns(&records)
        } catch {
            throw fault(error)
        }
    }

    private func readColumns(_ records: inout CSVRecords) throws(CSVError) {
        var names: [String] = []
        var isFirst = true
        while isFirst {
            guard try records.next() else {
                throw CSVError(line: 1, offset: 0, text: "found the end of the file, expected a line of column names or values")
            }
            isFirst = records.isBlank
        }
        let width = records.count
        let firstOffset = records.start
        let firstLine = records.line
        if dialect.hasHeader {
            for i in 0..<width {
                let cell = records[i]
                var name = String(decoding: cell.text, as: UTF8.self)
                if cell.hasQuotes { name = CSVFile.unquoted(name) }
                names.append(name.isEmpty ? "Column_\(i)" : name)
            }
            dataOffset = records.offset
            dataLine = records.nextLine
        } else {
            if options.header == nil {
                notes.append("the first line is taken for values; --header says that it has the names of the columns")
            }
            for i in 0..<width { names.append("Column_\(i)") }
            records.goBack(to: firstOffset, line: firstLine)
            dataOffset = firstOffset
            dataLine = firstLine
        }

        var given = [ValueType?](repeating: nil, count: width)
        // Types of all columns are those of the table that these rows will join: by name if there are names.
        if let all = options.allTypes, !dialect.hasHeader {
            guard all.count == width else {
                throw CSVError(line: firstLine, offset: firstOffset, text: "found \(width) cells, expected \(all.count) columns")
            }
            for i in 0..<width { columns.append(Column(names[i], all[i])) }
            return
        }
        for (name, type) in options.types {
            var isKnown = false
            for i in 0..<width where names[i] == name {
                given[i] = type
                isKnown = true
            }
            if !isKnown {
                throw CSVError(line: firstLine, offset: firstOffset, text: "found no column '\(name)', expected one for its type")
            }
        }
        let guesses = try infer(&records, &names, given)
        for i in 0..<names.count { self.guesses.append(i < width && given[i] != nil ? nil : guesses[i]) }
        for i in 0..<names.count {
            let type = (i < width ? given[i] : nil) ?? guesses[i].type(options.empty)
            columns.append(Column(names[i], type))
        }
    }

    /// Reads all records; `names` grows with long ones that are padded.
    private func infer(
        _ records: inout CSVRecords, _ names: inout [String], _ given: [ValueType?]
    ) throws(CSVError) -> [ColumnGuess] {
        var guesses = [ColumnGuess](repeating: ColumnGuess(), count: names.count)
        for i in 0..<given.count where given[i] != nil { guesses[i].addText() }
        let reader = values.floats
        let mark = dialect.mark
        var width = names.count
        while try records.next() {
            if records.isBlank, width > 1 { continue }
            if records.count != width {
                if options.ragged == .skipped {
                    skippedCount += 1
                    continue
                }
                guard options.ragged == .padded else { throw records.ragged(width) }
                for i in 0..<width where i >= records.count { guesses[i].addEmpty() }
                while width < records.count {
                    // The rows before have no such cell.
                    guesses.append(ColumnGuess())
                    names.append("Column_\(width)")
                    if rowCount > 0 { guesses[width].addEmpty() }
                    width += 1
                }
            }
            if options.samples, options.ragged == .refused, rowCount == options.sampledRows {
                isSampled = true
                break
            }
            rowCount += 1
            guesses.withUnsafeMutableBufferPointer { guesses in
                for i in 0..<records.count {
                    if guesses[i].isString { continue }
                    let cell = records[i]
                    // No number has a quote in it.
                    if cell.hasQuotes { guesses[i].addText() } else { guesses[i].add(cell.text, mark: mark, reader) }
                }
            }
        }
        return guesses
    }

    func records() -> CSVRecords {
        var records = CSVRecords(file.bytes, from: dataOffset, delimiter: dialect.delimiter, trims: options.trims)
        records.goBack(to: dataOffset, line: dataLine)
        return records
    }

    func fault(_ error: CSVError) -> Fault {
        Fault(.damaged, path, at: error.offset, "line \(error.line): " + error.text)
    }

    private static func unquoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        var wasQuote = false
        for byte in text.utf8 {
            if byte == 0x22, wasQuote {
                wasQuote = false
            } else {
                bytes.append(byte)
                wasQuote = byte == 0x22
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension CSVRecords {
    func ragged(_ width: Int) -> CSVError {
        CSVError(
            line: line, offset: start,
            text: "found \(count) cells, expected \(width) as in the first line; --pad-rows or --skip-rows go on")
    }
}
