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
