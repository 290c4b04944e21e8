import CPosix
import CTickLog
import TickLog

/// Writes a table as a Parquet file (docs/PARQUET.md): flat, all columns required. Rows are set value by value, given as
/// columns, or both in turn; their row group is written when it is full. Not for use by several threads at once.
///
///     let writer = try ParquetWriter("log_0.parquet", columns: [Column("time", .f64), Column("rack", .i32)])
///     writer.set(0, bits: time.bitPattern)
///     writer.set(1, bits: UInt64(bitPattern: Int64(rack)))
///     try writer.writeRow()
///     try writer.close()
public final class ParquetWriter {
    /// What errors name.
    public let path: String
    public let columns: [Column]
    /// Rows taken so far.
    public private(set) var rowCount: UInt64 = 0
    private let options: ParquetOptions
    private let output: CountedOutput
    /// If the writer makes the file itself.
    private let file: NewFile?
    private let chunks: ColumnChunkWriter
    private let held: UnsafeMutableBufferPointer<ParquetColumn>
    /// Indices of the columns that are no strings, by size of their values, and of those that are.
    private let sized: [(size: Int, columns: [Int])]
    private let texts: [Int]
    /// Values that are set, each in 8 bytes.
    private let row: UnsafeMutablePointer<UInt64>
    private let rowPlaces: UnsafeMutablePointer<UInt32>
    /// Some rows on their way to the columns, column by column: a row at a time would touch memory all over the row group.
    private let stage: UnsafeMutableRawPointer
    private let stagePlaces: UnsafeMutablePointer<Int>
    private let stageRows: Int
    /// Where the next values of each column belong.
    private let arrays: UnsafeMutableBufferPointer<ticklog_column_array>
    @exclusivity(unchecked) private var staged = 0
    /// Rows in the columns.
    @exclusivity(unchecked) private var rows = 0
    /// Most rows of a row group, as far as its scalars say.
    private let mostRows: Int
    private let scalarBytes: Int
    /// Bytes of the row group's strings.
    @exclusivity(unchecked) private var textBytes = 0
    /// Row groups for the footer.
    private var groups = ThriftCompact()
    private var groupCount = 0
    private var isOver = false
    /// After it the columns may have different numbers of rows, or the file a part of a row group.
    private var failure: Fault?

    /// A longer string is refused.
    public static var mostTextBytes: Int { 1 << 26 }

    /// A file at `path`, which appears there when the writer is closed. Throws what the system says, and for columns or
    /// options out of their range; without `replacing`, if there is something.
    public convenience init(
        _ path: String, columns: [Column], options: ParquetOptions = ParquetOptions(), replacing: Bool = false
    ) throws(Fault) {
        let file: NewFile
        do { file = try NewFile(path, replacing: replacing) } catch { throw Fault(error) }
        try self.init(Output(descriptor: file.descriptor, path: path), file, columns, options)
    }

    /// To an output that the caller has opened, and closes when the writer is closed: nothing is written twice, so it may be
    /// a pipe.
    public convenience init(to output: Output, columns: [Column], options: ParquetOptions = ParquetOptions()) throws(Fault) {
        try self.init(output, nil, columns, options)
    }

    private init(_ output: Output, _ file: NewFile?, _ columns: [Column], _ options: ParquetOptions) throws(Fault) {
        path = output.path
        guard !columns.isEmpty, columns.count <= 65535 else {
            throw Fault(.unreadable, path, at: nil, "found \(columns.count) columns, expected 1 to 65535 of a Parquet file")
        }
        guard options.rowGroupBytes >= 1 << 12, options.rowGroupBytes <= 1 << 30, options.rowGroupRows > 0,
            options.pageBytes >= 64, options.pageBytes <= 1 << 24, options.dictionaryBytes >= 0, options.dictionaryBytes <= 1 << 24
        else { throw Fault(.unreadable, path, at: nil, "found options out of their range, expected those of ParquetOptions") }
        self.columns = columns
        self.options = options
        self.file = file
        self.output = CountedOutput(output)
        chunks = ColumnChunkWriter(self.output, options)
        held = .allocate(capacity: columns.count)
        arrays = .allocate(capacity: columns.count)
        row = .allocate(capacity: columns.count)
        row.initialize(repeating: 0, count: columns.count)
        rowPlaces = .allocate(capacity: columns.count)
        stagePlaces = .allocate(capacity: columns.count)
        var scalarBytes = 0
        var heldBytes = 0
        var texts: [Int] = []
        for i in 0..<columns.count {
            (held.baseAddress! + i).initialize(to: ParquetColumn(columns[i]))
            rowPlaces[i] = UInt32(8 * i)
            (arrays.baseAddress! + i).initialize(
                to: ticklog_column_array(column: UInt32(i), reserved: 0, values: nil, text: nil, text_bytes: 0))
            heldBytes += columns[i].type.size
            // What a bool takes here.
            scalarBytes += columns[i].type == .bool ? 1 : columns[i].type.parquetBytes
            if columns[i].type == .string { texts.append(i) }
        }
        self.texts = texts
        self.scalarBytes = scalarBytes
        mostRows = min(max(options.rowGroupBytes / max(scalarBytes, 1), 1), options.rowGroupRows)
        stageRows = min(max((128 << 10) / max(heldBytes, 1), 16), 1024)
        var sized: [(size: Int, columns: [Int])] = []
        var place = 0
        for size in [8, 4, 2, 1] {
            var own: [Int] = []
            for i in 0..<columns.count where columns[i].type.size == size {
                own.append(i)
                stagePlaces[i] = place
                place += stageRows * size
            }
            if !own.isEmpty { sized.append((size, own)) }
        }
        self.sized = sized
        stage = .allocate(byteCount: max(place, 1), alignment: 16)
        self.output.bytes(Self.magic)
    }

    private static var magic: [UInt8] { [0x50, 0x41, 0x52, 0x31] }

    deinit {
        for i in 0..<held.count { held[i].release() }
        held.deallocate()
        arrays.deallocate()
        row.deallocate()
        rowPlaces.deallocate()
        stage.deallocate()
        stagePlaces.deallocate()
        file?.discard()
    }

    // MARK: Rows

    /// The next rows' value in a column that is no string, until another one is set: the lowest bits are taken; of a bool,
    /// any but 0 is true.
    public func set(_ column: Int, bits: UInt64) {
        row[column] = columns[column].type == .bool ? (bits == 0 ? 0 : 1) : bits
    }

    /// The next row's string, which is copied; of the rows behind it empty. Throws for what is no UTF-8, unless strings are
    /// binary, and for more than 2^26 bytes, and names row and column.
    public func set(_ column: Int, text: UnsafeRawBufferPointer) throws(Fault) {
        guard columns[column].type == .string else { return }
        if let wrong = wrong(text) { throw bad(column, wrong) }
        held[column].pending = 0
        try hold(column, text)
    }

    /// What is wrong with a string, if something is.
    @inline(__always)
    private func wrong(_ text: UnsafeRawBufferPointer) -> String? {
        if text.count > Self.mostTextBytes { return "found a string of \(text.count) bytes, expected at most \(Self.mostTextBytes)" }
        if options.hasBinaryStrings || isUTF8(text) { return nil }
        return "found bytes that are no UTF-8, expected text; as binary strings Parquet holds them"
    }

    /// Puts a string behind those of the whole rows.
    @inline(__always)
    private func hold(_ column: Int, _ text: UnsafeRawBufferPointer) throws(Fault) {
        guard held[column].reserve(4 + text.count, most: Int.max) else { throw noMemory }
        let to = held[column].memory! + held[column].used
        to.storeBytes(of: UInt32(text.count), as: UInt32.self)
        if text.count > 0 { (to + 4).copyMemory(from: text.baseAddress!, byteCount: text.count) }
        held[column].pending = 4 + text.count
    }

    /// Makes it one of a whole row.
    @inline(__always)
    private func takeText(_ column: Int) {
        held[column].used += held[column].pending
        textBytes += held[column].pending
        held[column].pending = 0
    }

    /// Whether a row group with as many bytes of strings and rows is full.
    @inline(__always)
    private func isFull(_ textBytes: Int, _ rows: Int) -> Bool {
        rows >= mostRows || (!texts.isEmpty && textBytes + rows * scalarBytes >= options.rowGroupBytes)
    }

    /// Takes a row of the values that are set.
    public func writeRow() throws(Fault) {
        takeScalars(UnsafeRawPointer(row), UnsafeRawPointer(row), rowPlaces)
        try takeTexts()
    }

    /// Takes the current row of a table with the same columns.
    public func write(_ table: Table) throws(Fault) {
        if let parts = table.parts { return try write(parts) }
        for i in 0..<columns.count {
            if columns[i].type == .string { try set(i, text: table.text(i)) } else { set(i, bits: table.bits(i)) }
        }
        try writeRow()
    }

    private func write(_ parts: RowParts) throws(Fault) {
        for column in texts {
            let text = (parts.others + Int(parts.places[column])).loadUnaligned(as: ticklog_text.self)
            try set(column, text: UnsafeRawBufferPointer(start: text.bytes, count: text.count))
        }
        takeScalars(parts.scalars, parts.others, parts.places)
        try takeTexts()
    }

    /// The next `count` rows; none may be half set. `columns` has an array of `count` values for each column: of scalars with the size of their
    /// type, bools as bytes of 0 and 1; of strings `ticklog_text`. All is copied. After an error that names a row, the rows
    /// before it are taken.
    public func append(_ count: Int, _ columns: UnsafeBufferPointer<UnsafeRawPointer>) throws(Fault) {
        precondition(columns.count == held.count)
        var done = 0
        while done < count {
            let (taken, found) = fitting(columns, from: done, min(try room(), count - done))
            guard reserve(taken) else { throw noMemory }
            for i in 0..<held.count where held[i].size > 0 {
                let size = held[i].size
                (held[i].memory! + held[i].used).copyMemory(from: columns[i] + done * size, byteCount: taken * size)
            }
            for i in texts {
                for row in done..<done + taken {
                    try hold(i, ParquetWriter.text(columns[i], row))
                    takeText(i)
                }
            }
            try took(taken)
            done += taken
            if let found { throw found }
        }
    }

    private static func text(_ column: UnsafeRawPointer, _ row: Int) -> UnsafeRawBufferPointer {
        let text = (column + row * MemoryLayout<ticklog_text>.stride).loadUnaligned(as: ticklog_text.self)
        return UnsafeRawBufferPointer(start: text.bytes, count: text.count)
    }

    /// How many of the next rows, at most `most`, are in order and belong in this row group; if one is not, what it has.
    private func fitting(
        _ columns: UnsafeBufferPointer<UnsafeRawPointer>, from first: Int, _ most: Int
    ) -> (count: Int, found: Fault?) {
        guard !texts.isEmpty else { return (most, nil) }
        var bytes = textBytes
        for i in 0..<most {
            for column in texts {
                let text = ParquetWriter.text(columns[column], first + i)
                if let wrong = wrong(text) { return (i, bad(column, wrong, ahead: i)) }
                bytes += 4 + text.count
            }
            if isFull(bytes, rows + i + 1) { return (i + 1, nil) }
        }
        return (most, nil)
    }

    /// Rows that have room in the row group. Only while no row is being set.
    func room() throws(Fault) -> Int {
        try unstage()
        return mostRows - rows
    }

    /// Room for more rows in each column that is no string.
    private func reserve(_ more: Int) -> Bool {
        for i in 0..<held.count where held[i].size > 0 {
            guard held[i].reserve(more * held[i].size, most: mostRows * held[i].size) else { return false }
        }
        return true
    }

    /// Where the next `most` rows belong, at most as many as have room, if no column is a string.
    func places(for most: Int) throws(Fault) -> UnsafeMutableBufferPointer<ticklog_column_array> {
        guard reserve(most) else { throw noMemory }
        for i in 0..<held.count { arrays[i].values = place(i) }
        return arrays
    }

    /// Where the next values of a column belong, for which there is room.
    private func place(_ column: Int) -> UnsafeMutableRawPointer { held[column].memory! + held[column].used }

    /// Rows that were put there.
    func took(_ count: Int) throws(Fault) {
        for i in 0..<held.count { held[i].used += count * held[i].size }
        rows += count
        rowCount += UInt64(count)
        if isFull(textBytes, rows) { try writeGroup() }
    }

    @inline(__always)
    private func takeScalars(_ scalars: UnsafeRawPointer, _ others: UnsafeRawPointer, _ places: UnsafePointer<UInt32>) {
        for (size, own) in sized {
            own.withUnsafeBufferPointer { own in
                switch size {
                case 8:
                    for i in own {
                        let value = (scalars + Int(places[i])).loadUnaligned(as: UInt64.self)
                        stage.storeBytes(of: value, toByteOffset: stagePlaces[i] &+ staged &* 8, as: UInt64.self)
                    }
                case 4:
                    for i in own {
                        let value = (scalars + Int(places[i])).loadUnaligned(as: UInt32.self)
                        stage.storeBytes(of: value, toByteOffset: stagePlaces[i] &+ staged &* 4, as: UInt32.self)
                    }
                case 2:
                    for i in own {
                        let value = (scalars + Int(places[i])).loadUnaligned(as: UInt16.self)
                        stage.storeBytes(of: value, toByteOffset: stagePlaces[i] &+ staged &* 2, as: UInt16.self)
                    }
                default:
                    for i in own {
                        let from = columns[i].type == .bool ? others : scalars
                        let value = (from + Int(places[i])).load(as: UInt8.self)
                        stage.storeBytes(of: value, toByteOffset: stagePlaces[i] &+ staged, as: UInt8.self)
                    }
                }
            }
        }
    }

    /// The row's strings; the row is whole then.
    @inline(__always)
    private func takeTexts() throws(Fault) {
        for column in texts {
            if held[column].pending == 0 { try hold(column, UnsafeRawBufferPointer(start: nil, count: 0)) }
            takeText(column)
        }
        staged &+= 1
        rowCount &+= 1
        if staged == stageRows || isFull(textBytes, rows &+ staged) { try unstage() }
    }

    private func unstage() throws(Fault) {
        guard staged > 0 else { return }
        guard reserve(staged) else { throw noMemory }
        for (size, own) in sized {
            for column in own {
                place(column).copyMemory(from: stage + stagePlaces[column], byteCount: staged * size)
                held[column].used += staged * size
            }
        }
        rows += staged
        staged = 0
        if isFull(textBytes, rows) { try writeGroup() }
    }

    // MARK: The file

    /// Writes the row group that is being filled.
    private func writeGroup() throws(Fault) {
        guard rows > 0 else { return }
        let start = output.offset
        var written: [ColumnChunk] = []
        written.reserveCapacity(held.count)
        var plainBytes: UInt64 = 0
        for i in 0..<held.count {
            do { written.append(try chunks.write(held[i], rows: rows)) } catch { throw noMemory }
            plainBytes += written[i].plainBytes
            try checkOutput()
        }
        let bytes = output.offset - start
        var index = ThriftCompact()
        for i in 0..<written.count {
            index.removeAll()
            guard written[i].encodeColumnIndex(&index) else { continue }
            written[i].columnIndex = (output.offset, index.bytes.count)
            output.bytes(index.bytes)
        }
        for i in 0..<written.count {
            index.removeAll()
            written[i].encodeOffsetIndex(&index)
            written[i].offsetIndex = (output.offset, index.bytes.count)
            output.bytes(index.bytes)
        }
        groups.begin()
        groups.list(1, .structure, written.count)
        for chunk in written { chunk.encode(&groups) }
        groups.i64(2, plainBytes)
        groups.i64(3, UInt64(rows))
        groups.i64(5, written[0].start)
        groups.i64(6, bytes)
        if groupCount <= Int(Int16.max) { groups.i16(7, groupCount) }
        groups.end()
        groupCount += 1
        guard groups.bytes.count <= 1 << 30 else {
            failure = Fault(.system, path, at: nil, "found \(groupCount) row groups, whose footer takes more than 2^30 bytes, expected fewer; larger row groups need fewer")
            throw failure!
        }
        for i in 0..<held.count { held[i].used = 0 }
        rows = 0
        textBytes = 0
        try checkOutput()
    }

    /// Writes what is left and the footer. A file that the writer made is on the medium then, and has its name. After an
    /// error there is none.
    public func close() throws(Fault) {
        guard !isOver else { return }
        do throws(Fault) {
            if let failure { throw failure }
            try unstage()
            try writeGroup()
            let footer = ParquetFooter.encode(
                columns, rows: rowCount, groups: groups.bytes, groupCount: groupCount, options)
            output.bytes(footer)
            var length: [UInt8] = []
            for i in 0..<4 { length.append(UInt8(truncatingIfNeeded: footer.count >> (8 * i))) }
            output.bytes(length)
            output.bytes(Self.magic)
            try checkOutput()
            do {
                try output.output.flush()
                try file?.commit()
            } catch { throw Fault(error) }
        } catch {
            abandon()
            throw error
        }
        isOver = true
    }

    /// Gives it up: of a file that the writer made nothing is left.
    public func abandon() {
        isOver = true
        file?.discard()
    }

    /// Bytes written so far, without the row group that is being filled.
    public var writtenBytes: UInt64 { output.offset }

    private func checkOutput() throws(Fault) {
        guard !output.output.isOpen else { return }
        do { try output.output.flush() } catch {
            failure = Fault(error)
            throw failure!
        }
    }

    private var noMemory: Fault {
        failure = Fault(.system, path, at: nil, "no memory for a row group of \(rows + staged) rows")
        return failure!
    }

    private func bad(_ column: Int, _ text: String, ahead: Int = 0) -> Fault {
        Fault(.damaged, path, at: nil, "row \(rowCount + UInt64(ahead)), column '\(columns[column].name)': \(text)")
    }
}
