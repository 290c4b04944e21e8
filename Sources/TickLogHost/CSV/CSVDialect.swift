import TickLog

/// How a CSV file is written.
struct CSVDialect {
    var delimiter: UInt8
    var decimalComma = false
    var hasHeader = true

    var mark: UInt8 { decimalComma ? 0x2C : 0x2E }

    static var delimiters: [UInt8] { [0x2C, 0x3B, 0x09, 0x7C] }
    private static var sampleBytes: Int { 1 << 18 }
    private static var sampleRows: Int { 1000 }

    /// Finds out, from the first rows, what the options do not say.
    ///
    /// The delimiter is the one of `, ; tab |` with which most records have the same number of cells, more than one;
    /// of several, the one that makes most. Decimal commas: the delimiter is no comma, numbers have commas and none has
    /// a point, and they cannot all be thousands (a comma before each three digits). A header: a first line of which a
    /// cell is no number although all of its column below are; or one that is all text.
    init(_ bytes: FileBytes, from offset: Int, _ options: TextOptions) {
        let end = min(bytes.count, offset + CSVDialect.sampleBytes)
        let isWhole = end == bytes.count
        let sample = bytes.slice(at: 0, count: end)
        delimiter = options.delimiter ?? 0x2C
        if options.delimiter == nil {
            var best = (share: 0, cells: 1)
            for candidate in CSVDialect.delimiters {
                let (share, cells) = CSVDialect.consistency(sample, offset, candidate, options.trims, isWhole)
                if cells > 1, share > best.share || (share == best.share && cells > best.cells) {
                    best = (share, cells)
                    delimiter = candidate
                }
            }
        }
        decimalComma = options.decimalComma
            ?? (delimiter != 0x2C && CSVDialect.hasDecimalCommas(sample, offset, delimiter, options.trims))
        hasHeader = options.header ?? CSVDialect.hasHeader(sample, offset, delimiter, options.trims, mark: mark)
    }

    /// Of a thousand records, how many have the most frequent number of cells; and that number.
    private static func consistency(
        _ bytes: FileBytes, _ offset: Int, _ delimiter: UInt8, _ trims: Bool, _ isWhole: Bool
    ) -> (Int, Int) {
        var counts: [Int: Int] = [:]
        var rows = 0
        var records = CSVRecords(bytes, from: offset, delimiter: delimiter, trims: trims)
        while rows < sampleRows, (try? records.next()) == true {
            // The last of a sample is cut.
            if !isWhole, records.offset == bytes.count, rows > 0 { break }
            if records.isBlank { continue }
            counts[records.count, default: 0] += 1
            rows += 1
        }
        var most = (rows: 0, cells: 0)
        for (cells, times) in counts
        where times > most.rows || (times == most.rows && cells > most.cells) { most = (times, cells) }
        return rows == 0 ? (0, 0) : (most.rows * 1000 / rows, most.cells)
    }

    private static func hasDecimalCommas(_ bytes: FileBytes, _ offset: Int, _ delimiter: UInt8, _ trims: Bool) -> Bool {
        var rows = 0
        var commas = 0
        var thousands = 0
        var records = CSVRecords(bytes, from: offset, delimiter: delimiter, trims: trims)
        while rows < sampleRows, (try? records.next()) == true {
            rows += 1
            for i in 0..<records.count {
                let cell = records[i]
                let end = cell.start + cell.count
                if let decimal = Decimal(cell.start, end, mark: 0x2E) {
                    if !decimal.isWhole { return false }
                } else if Decimal(cell.start, end, mark: 0x2C) != nil {
                    commas += 1
                    // 1,234 is one thousand and something to half of the world.
                    let comma = cell.text.lastIndex(of: 0x2C) ?? 0
                    let first = cell.text[0] == 0x2D ? 1 : 0
                    if cell.count - comma == 4, comma > first, comma - first <= 3, cell.text[first] != 0x30 { thousands += 1 }
                }
            }
        }
        return commas > thousands
    }

    private static func hasHeader(
        _ bytes: FileBytes, _ offset: Int, _ delimiter: UInt8, _ trims: Bool, mark: UInt8
    ) -> Bool {
        func isNumber(_ cell: CSVCell) -> Bool {
            if Decimal(cell.start, cell.start + cell.count, mark: mark) != nil { return true }
            if case .none = textWord(cell.text) { return false }
            return true
        }
        var records = CSVRecords(bytes, from: offset, delimiter: delimiter, trims: trims)
        guard (try? records.next()) == true else { return true }
        var first: [Bool] = []
        var isAllText = true
        for i in 0..<records.count {
            let number = isNumber(records[i])
            first.append(number)
            if number || records[i].count == 0 { isAllText = false }
        }
        var numbers = [Bool](repeating: true, count: first.count)
        var rows = 0
        while rows < sampleRows, (try? records.next()) == true {
            if records.isBlank { continue }
            rows += 1
            for i in 0..<min(first.count, records.count) where numbers[i] {
                if records[i].count > 0, !isNumber(records[i]) { numbers[i] = false }
            }
        }
        if rows > 0 { for i in 0..<first.count where numbers[i] && !first[i] { return true } }
        return isAllText
    }
}
