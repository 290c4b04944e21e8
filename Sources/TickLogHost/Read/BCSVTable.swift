import CTickLog
import TickLog

/// The rows of one BCSV file, or of several that continue each other and have the same schema.
public final class BCSVTable: Table {
    private let files: [BCSVFile]
    private let salvage: Bool
    private let unverified: Bool
    private var index = -1
    @exclusivity(unchecked) private var reader: BCSVReader?
    @exclusivity(unchecked) private var rowsBefore: UInt64 = 0
    private var missing: [Fault]
    /// Rows read so far that no checksum covers.
    public private(set) var unverifiedRows: UInt64 = 0

    /// `missing`: what is wrong with files of the table that are not among these; it is told at the end.
    public init(_ files: [BCSVFile], salvage: Bool = false, unverified: Bool = false, missing: [Fault] = []) {
        self.files = files
        self.salvage = salvage
        self.unverified = unverified
        self.missing = missing
        super.init(columns: files[0].columns)
    }

    public override func next() -> Bool {
        while true {
            if let reader {
                if reader.next() {
                    row = rowsBefore &+ reader.rows.row
                    let (scalars, others, places) = reader.rows.parts
                    parts = RowParts(scalars: scalars, others: others, places: places)
                    if !reader.rows.isVerified { unverifiedRows += 1 }
                    return true
                }
                guard leave(reader) else { return false }
            }
            guard openNext() else { return false }
        }
    }

    public override var hasColumns: Bool {
        for column in columns where column.type == .string { return false }
        return !unverified
    }

    public override func next(to writer: ParquetWriter) throws(Fault) -> Int {
        while true {
            if let reader {
                let most = min(try writer.room(), 4096)
                let arrays = try writer.places(for: most)
                let count = reader.nextColumns(UnsafeBufferPointer(arrays), most)
                if count > 0 {
                    try writer.took(count)
                    return count
                }
                guard leave(reader) else { return 0 }
            }
            guard openNext() else { return 0 }
        }
    }

    /// Up to `most` of the next rows, by columns, which continue each other; 0 at the end. `row` is the last one's index.
    func nextColumns(_ arrays: UnsafeBufferPointer<ticklog_column_array>, _ most: Int) -> Int {
        while true {
            if let reader {
                let count = reader.nextColumns(arrays, most)
                if count > 0 {
                    row = rowsBefore &+ reader.rows.row
                    return count
                }
                guard leave(reader) else { return 0 }
            }
            guard openNext() else { return 0 }
        }
    }

    /// Goes to a row, before the first is read, so that it is the next one; false if there are not so many.
    func seek(to target: UInt64) -> Bool {
        while true {
            if reader == nil { guard openNext() else { return false } }
            guard let reader else { return false }
            let own = target - rowsBefore
            if let footer = reader.rows.footer, own >= footer.rowCount {
                rowsBefore = rowsBefore &+ footer.rowCount
                self.reader = nil
                if rowsBefore > target { return false }
                continue
            }
            if reader.seek(to: own) { return true }
            guard leave(reader), rowsBefore <= target else { return false }
        }
    }

    /// Goes to the first row whose value in `column`, of u64, is not less than `value`, or a little before it. The column's
    /// values must never go back. Only before the first row is read.
    func seek(toAtLeast value: UInt64, in column: Int) {
        if index >= 0 {
            // Opened to see how many rows it has.
            if files.count == 1 { reader?.seek(toAtLeast: value, in: column) }
            return
        }
        // The last file whose first row has less.
        var last = 0
        var low = 1
        var high = files.count
        while low < high {
            let middle = low + (high - low) / 2
            if let first = firstBits(files[middle], column), first < value {
                last = middle
                low = middle + 1
            } else {
                high = middle
            }
        }
        while openNext(), let reader {
            guard index < last, let rows = reader.rows.footer?.rowCount ?? reader.countRows() else {
                return reader.seek(toAtLeast: value, in: column)
            }
            rowsBefore = rowsBefore &+ rows
            self.reader = nil
        }
    }

    private func firstBits(_ file: BCSVFile, _ column: Int) -> UInt64? {
        guard sameColumns(file), let reader = try? BCSVReader(file), reader.next() else { return nil }
        return reader.rows.bits(column)
    }

    /// How many rows there are, if it is one file and says so.
    var knownRowCount: UInt64? {
        guard files.count == 1 else { return nil }
        if index < 0 { _ = openNext() }
        return reader?.rows.footer?.rowCount
    }

    /// About how many bytes of the file a row has; nil if the first file does not say.
    var bytesPerRow: Int? {
        guard let reader = try? BCSVReader(files[0]), let footer = reader.rows.footer, footer.rowCount > 0 else { return nil }
        return files[0].file.bytes.count / Int(clamping: footer.rowCount)
    }

    // MARK: Parts of a file, which several tables of it read

    /// A row with which a packet begins, and where it stands in the file.
    struct PacketStart {
        var row: UInt64
        var offset: Int
    }

    /// The one file of the table, if it is closed.
    var closedFile: BCSVFile? { knownRowCount == nil ? nil : files[0] }

    /// Where packets of the closed file begin, as its index says, and behind them its end; nil if it has no index to speak of.
    func packetStarts() -> [PacketStart]? {
        guard let reader, let footer = reader.rows.footer, footer.entryCount > 1, footer.entryCount <= 1 << 20 else { return nil }
        var starts: [PacketStart] = []
        starts.reserveCapacity(footer.entryCount + 1)
        for i in 0...footer.entryCount {
            var start = PacketStart(row: footer.rowCount, offset: footer.offset)
            if i < footer.entryCount {
                guard let entry = try? reader.place.pointee.indexEntry(i) else { return nil }
                start = PacketStart(row: entry.firstRow, offset: Int(clamping: entry.offset))
            }
            if let last = starts.last { guard start.row > last.row, start.offset > last.offset else { return nil } }
            starts.append(start)
        }
        return starts
    }

    /// Nothing was wrong so far, and the packets that were read end at `packetEnd`, if that is told.
    func isSound(packetEnd: Int?) -> Bool {
        guard faults.isEmpty, let reader, reader.faults.isEmpty, reader.rows.damageCount == 0 else { return false }
        return packetEnd == nil || reader.rows.packetEnd == packetEnd
    }

    /// How many rows all of its files have, as far as they tell.
    func countRows() -> UInt64 {
        var count: UInt64 = 0
        for file in files {
            guard let reader = try? BCSVReader(file, salvage: salvage), let rows = reader.countRows() else { break }
            count &+= rows
        }
        return count
    }

    var mappedFiles: [MappedFile] { files.map { $0.file } }

    /// Behind the last row of a file; false if it ends here.
    private func leave(_ reader: BCSVReader) -> Bool {
        faults += reader.faults
        if reader.isDamaged, !salvage { return stop() }
        rowsBefore = rowsBefore &+ reader.rows.position
        self.reader = nil
        return true
    }

    private func openNext() -> Bool {
        index += 1
        guard index < files.count else {
            faults += missing
            missing = []
            return stop()
        }
        return open(files[index]) ? true : stop()
    }

    private func stop() -> Bool {
        index = files.count
        reader = nil
        return false
    }

    private func open(_ file: BCSVFile) -> Bool {
        guard sameColumns(file) else {
            faults.append(Fault(.damaged, file.path, at: nil, "found other columns, expected those of \(files[0].path)"))
            return false
        }
        do {
            reader = try BCSVReader(file, salvage: salvage, unverified: unverified)
        } catch {
            faults.append(error)
            return false
        }
        return true
    }

    private func sameColumns(_ file: BCSVFile) -> Bool {
        guard file.columns.count == columns.count else { return false }
        for i in 0..<columns.count
        where file.columns[i].name != columns[i].name || file.columns[i].type != columns[i].type { return false }
        return true
    }

    public override func bits(_ column: Int) -> UInt64 { reader!.place.pointee.bits(column) }
    public override func text(_ column: Int) -> UnsafeRawBufferPointer { reader!.place.pointee.text(column).buffer }
}
