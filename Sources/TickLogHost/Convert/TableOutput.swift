import CPosix
import TickLog

/// What a name's extension says of how a table is written: bcsv, csv, jsonl or parquet; nil for another one.
public func tableFormat(of path: String) -> String? {
    switch path.fileExtension {
    case "bcsv", "bcs": "bcsv"
    case "csv", "tsv": "csv"
    case "jsonl", "ndjson": "jsonl"
    case "parquet", "parq", "pq": "parquet"
    default: nil
    }
}

/// What there is to say of a table that was written.
public struct TableReport {
    /// Of the table.
    public var faults: [Fault] = []
    /// What the format could not keep.
    public var notes: [String] = []

    public init(faults: [Fault] = []) { self.faults = faults }

    public mutating func noteUnknown(_ count: UInt64) {
        guard count > 0 else { return }
        notes.append("\(count) values before the first sample of their stream are written as 0 or empty")
    }
}

extension Table {
    /// Writes all rows as CSV or JSON Lines. `path`: where the table comes from. Without `salvage`, a damaged table is
    /// an error.
    public func writeText(
        of path: String, to output: Output, _ format: RowWriter.Format, delimiter: UInt8 = 0x2C, salvage: Bool = false
    ) throws(Fault) -> TableReport {
        var all: [Int] = []
        for i in 0..<columns.count { all.append(i) }
        let writer = RowWriter(output: output, table: self, columns: all, format: format, delimiter: delimiter)
        writer.header()
        while output.isOpen, next() {
            writer.row()
            if let (row, column) = writer.notText {
                throw Fault(
                    .damaged, path, at: nil,
                    "row \(row), column '\(columns[column].name)': found bytes that are no UTF-8, expected text, as JSON has nothing else; CSV and BCSV hold them")
            }
        }
        do { try output.flush() } catch { throw Fault(error) }
        try check(salvage: salvage)
        var report = TableReport(faults: faults)
        if writer.oddNaNs > 0 {
            report.notes.append("\(writer.oddNaNs) NaNs have other bits than the usual ones, which text does not keep")
        }
        return report
    }

    /// Writes all rows as a new BCSV file. `names`: the columns' names, where they need not be UTF-8. Nothing is left of
    /// the file after an error, nor if the table `hasOtherTypes`.
    public func writeBCSV(
        of source: String, _ names: [[UInt8]]? = nil, to path: String, _ options: BCSVOptions, salvage: Bool = false
    ) throws(Fault) -> TableReport {
        let writer = try BCSVWriter(path, columns: columns, names: names, options: options)
        let unknown: UInt64
        do throws(Fault) {
            unknown = try copyRows(to: writer, of: source).unknown
            try check(salvage: salvage)
        } catch {
            writer.abandon()
            throw error
        }
        if hasOtherTypes {
            writer.abandon()
            removeFile(path)
            return TableReport()
        }
        try writer.close()
        var report = TableReport(faults: faults)
        report.noteUnknown(unknown)
        return report
    }

    /// Writes all rows as a Parquet file.
    public func writeParquet(
        of path: String, to output: Output, _ options: ParquetOptions, salvage: Bool = false
    ) throws(Fault) -> TableReport {
        var report = TableReport()
        do throws(Fault) {
            let writer = try ParquetWriter(to: output, columns: columns, options: options)
            report.noteUnknown(try copyRows(to: writer))
            if !hasOtherTypes {
                try check(salvage: salvage)
                try writer.close()
            }
        } catch {
            // What is wrong with a value is the input's.
            throw error.kind == .damaged && error.path == output.path ? Fault(.damaged, path, at: nil, error.text) : error
        }
        report.faults = faults
        return report
    }

    /// Without `salvage`, a damaged table makes no output.
    public func check(salvage: Bool) throws(Fault) {
        for fault in faults where isFatal(fault, salvage: salvage) { throw fault }
    }

    func isFatal(_ fault: Fault, salvage: Bool) -> Bool {
        fault.kind != .torn && !(salvage && fault.kind != .system && isSalvaged)
    }

    private var isSalvaged: Bool { self is BCSVTable || self is FrameTable || self is PacketTable || self is RNOGTable }

    /// Gives up to `most` rows to a writer; answers how many, and how many of their values were not known. `order`: where
    /// each of the writer's columns is in the table, if not at the same place.
    public func copyRows(
        to writer: BCSVWriter, of path: String, most: UInt64 = UInt64.max, order: [Int]? = nil
    ) throws(Fault) -> (rows: UInt64, unknown: UInt64) {
        if order == nil, fill(writer) { return (try copyFilled(to: writer, of: path, most), unknownValues) }
        let types = writer.columns.map { $0.type }
        let order = order ?? Array(0..<types.count)
        var rows: UInt64 = 0
        var unknown: UInt64 = 0
        while rows < most, next() {
            for i in 0..<types.count {
                if types[i] == .string {
                    let text = text(order[i])
                    guard text.count <= 65535 else { throw tooLong(order[i], of: path) }
                    writer.set(i, text: text)
                } else {
                    writer.set(i, bits: bits(order[i]))
                }
                if !isKnown(order[i]) { unknown += 1 }
            }
            try writer.writeRow()
            rows += 1
        }
        return (rows, unknown)
    }

    /// The same, of a table that puts its values into the writer's row itself, and counts what is not known.
    private func copyFilled(to writer: BCSVWriter, of path: String, _ most: UInt64) throws(Fault) -> UInt64 {
        var rows: UInt64 = 0
        while rows < most, next() {
            do throws(Fault) { try writer.writeRow() } catch {
                for i in 0..<columns.count where columns[i].type == .string {
                    if text(i).count > 65535 { throw tooLong(i, of: path) }
                }
                throw error
            }
            rows += 1
        }
        return rows
    }

    private func tooLong(_ column: Int, of path: String) -> Fault {
        Fault(
            .damaged, path, at: nil,
            "row \(row), column '\(columns[column].name)': found a string of \(text(column).count) bytes, expected at most 65535, which BCSV holds", code: EOVERFLOW)
    }

    private func copyRows(to writer: ParquetWriter) throws(Fault) -> UInt64 {
        if hasColumns {
            while try next(to: writer) > 0 {}
            return 0
        }
        var unknown: UInt64 = 0
        while next() {
            try writer.write(self)
            if parts == nil { for i in 0..<columns.count where !isKnown(i) { unknown += 1 } }
        }
        return unknown
    }
}
