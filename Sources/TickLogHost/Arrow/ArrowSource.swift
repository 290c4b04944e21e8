import CPosix
import CTickLog
import TickLog

/// What of a file becomes record batches.
struct ArrowChoice {
    var salvage = false
    var events = false
    var dictionary = true
    var binary = false
    var stream: String?
    /// Nil: all.
    var columns: [String]?
    var batchRows = 65536
    /// That decode at once.
    var threads = 1
    var rows: Range<UInt64> = 0..<UInt64.max
    var ticks = ChosenRows.allTicks
}

/// Why a stream cannot be made.
enum ArrowRefusal: Error {
    case fault(Fault)
    case status(ticklog_status, String)
}

/// The rows of any table as record batches, for `ArrowArrayStream`.
final class ArrowSource {
    private let path: String
    /// Keeps the files.
    private let input: TableInput
    private let choice: ArrowChoice
    /// What is read, and the table that its rows are seen as.
    private let base: Table
    private let table: Table
    /// Rows come one by one, or by columns.
    private let chosen: ChosenRows?
    private let blocks: ArrowBlocks?
    private let files: [MappedFile]
    private let columns: UnsafeMutableBufferPointer<ArrowColumn>
    private var fields: [ArrowField] = []
    private var metadata: [(key: String, value: String)] = []
    /// Whether it has been chosen which columns have dictionaries.
    private var isPrepared = false
    /// Rows of the batch that is being made.
    @exclusivity(unchecked) private var rows = 0
    @exclusivity(unchecked) private var capacity = 0
    /// Where the values of that batch are.
    private var large: LargeMemory?
    /// The current row is the next batch's first.
    private var isHeld = false
    private var ended = false
    private var failure: (code: Int32, text: String)?
    private var failureText: UnsafeMutablePointer<CChar>?

    init(_ path: String, _ choice: ArrowChoice) throws(ArrowRefusal) {
        var options = TableInput.Options()
        options.salvage = choice.salvage
        options.events = choice.events
        let input: TableInput
        do throws(Fault) { input = try TableInput(path, options) } catch { throw .fault(error) }
        self.path = path
        self.input = input
        self.choice = choice
        var recording: Recording?
        var clock: RunClock?
        switch input.source {
        case .run(let run):
            do throws(Fault) { recording = try run.recording(events: choice.events, stream: choice.stream, salvage: choice.salvage) } catch {
                throw .fault(error)
            }
            guard recording != nil else {
                throw .status(TICKLOG_NOT_FOUND, terminalText(path) + ": found no \(choice.events ? "event" : "polled") file in the run, expected one")
            }
            if run.hasMeta {
                clock = RunClock(run.meta)
                metadata = [("run_id", run.meta.runID), ("tick_ns", "\(run.meta.tickNs)"), ("epoch_ns", "\(run.meta.epochNs)")]
            }
        case .dlf(let file): recording = Recording(dlf: DLFTable(file))
        default: break
        }
        metadata.insert(("format", input.formatName), at: 0)
        var stream: Int?
        if let name = choice.stream {
            guard let recording else {
                throw .status(TICKLOG_BAD_ARGUMENT, terminalText(path) + ": found a stream's name, expected none: the file is no run's")
            }
            guard let index = recording.stream(named: name) else {
                var names = ""
                for stream in recording.streams { names += (names.isEmpty ? "" : ", ") + stream.name }
                throw .status(TICKLOG_NOT_FOUND, terminalText(path + ": found the stream '\(name)', expected one of: \(names)"))
            }
            stream = index
        }
        if choice.events, recording?.isEvents != true {
            throw .status(TICKLOG_BAD_ARGUMENT, terminalText(path) + ": found TICKLOG_ARROW_EVENTS, expected none: the file is no run's")
        }
        var table: Table
        if let recording {
            table = recording.table
        } else {
            do throws(Fault) { table = try input.open() } catch { throw .fault(error) }
        }
        base = table
        files = input.mappedFiles(table)
        var tick: Int?
        if recording == nil || (table is BCSVTable && stream == nil), choice.ticks != ChosenRows.allTicks {
            if let column = table.column(named: "tick"), table.columns[column].type == .u64 { tick = column }
            guard tick != nil || recording != nil else {
                throw .status(TICKLOG_BAD_ARGUMENT, terminalText(path) + ": found a window of ticks, expected none: there is no column 'tick' of u64")
            }
        }
        // By columns, unless a row's stream or the schedule says what belongs there.
        if let bcsv = table as? BCSVTable, stream == nil, tick != nil || choice.ticks == ChosenRows.allTicks {
            chosen = nil
            // The polled rows of a run are in order.
            let isOrdered = recording != nil && recording?.isEvents == false
            blocks = ArrowBlocks(bcsv, tick: tick, ticks: choice.ticks, rows: choice.rows, ordered: isOrdered)
        } else {
            if let recording {
                chosen = ChosenRows(recording, stream: stream, clock, ticks: choice.ticks, rows: choice.rows)
            } else {
                chosen = ChosenRows(table, tick: tick, ticks: choice.ticks, rows: choice.rows)
            }
            blocks = nil
            table = chosen!.table
        }
        self.table = table

        var sources: [Int] = []
        if let names = choice.columns {
            for name in names {
                guard let column = table.column(named: name) else {
                    var names = ""
                    for column in table.columns where names.utf8.count < 4096 { names += (names.isEmpty ? "" : ", ") + column.name }
                    throw .status(TICKLOG_NOT_FOUND, terminalText(path + ": found the column '\(name)', expected among: \(names)"))
                }
                for source in sources where source == column {
                    throw .status(TICKLOG_BAD_ARGUMENT, terminalText(path + ": found the column '\(name)' twice, expected it once"))
                }
                sources.append(column)
            }
        } else {
            sources = Array(0..<table.columns.count)
        }
        columns = .allocate(capacity: sources.count)
        for i in 0..<sources.count {
            let column = table.columns[sources[i]]
            (columns.baseAddress! + i).initialize(to: ArrowColumn(column.type, source: sources[i], binary: choice.binary))
            var field = ArrowField(name: column.name, format: column.type.arrowFormat(binary: choice.binary))
            field.isNullable = blocks == nil
            fields.append(field)
        }
        if let recording { describe(recording, stream, sources) }
    }

    deinit {
        for i in 0..<columns.count { columns[i].free() }
        columns.deallocate()
        large?.free()
        free(failureText)
    }

    /// What the run says of its columns.
    private func describe(_ recording: Recording, _ only: Int?, _ sources: [Int]) {
        var ofColumn: [Int: Int] = [:]
        for i in 0..<sources.count { ofColumn[sources[i]] = i }
        for k in 0..<recording.streams.count where only == nil || only == k {
            let stream = recording.streams[k]
            // In the table of a stream its columns stand behind those of the time.
            let own = recording.columns(of: k)
            let base = table.columns.count - own.count
            for (place, column) in own.enumerated() {
                guard let i = ofColumn[only == nil ? column : base + place] else { continue }
                var unit = ""
                for field in stream.fields where field.column == column { unit = field.unit }
                fields[i].metadata = [("stream", stream.name)]
                if !unit.isEmpty { fields[i].metadata.append(("unit", unit)) }
                if !stream.notes.isEmpty { fields[i].metadata.append(("notes", stream.notes)) }
                if stream.isPolled {
                    fields[i].metadata.append(("interval", "\(stream.interval)"))
                    fields[i].metadata.append(("phase", "\(stream.phase)"))
                }
            }
        }
    }

    // MARK: Rows

    /// Makes a batch, as far as there are rows.
    private func fill() {
        guard !ended, failure == nil else { return }
        do throws(Fault) {
            if let blocks { try fill(blocks) } else { try fill(chosen!) }
        } catch {
            fail(error)
        }
        if ended, failure == nil, let fault = whatIsWrong { fail(fault) }
        if isShorter {
            // What was read last may be zeros of nobody.
            rows = 0
            failure = nil
            fail(Fault(.damaged, path, at: nil, "found a file that became shorter while it was read, expected the bytes that it had"))
        }
    }

    /// Of a table that has ended.
    private var whatIsWrong: Fault? {
        for fault in input.faults where fault.kind == .system || (fault.kind != .torn && !choice.salvage) { return fault }
        for fault in base.faults where base.isFatal(fault, salvage: choice.salvage) { return fault }
        return nil
    }

    private var isShorter: Bool {
        for file in files where file.isShorter || (failure != nil && file.isCut) { return true }
        return false
    }

    private func fail(_ fault: Fault) {
        ended = true
        guard failure == nil else { return }
        failure = (fault.code == ENOMEM ? ENOMEM : fault.code == EINVAL ? EINVAL : EIO, fault.message)
    }

    private func reserve(_ wanted: Int) throws(Fault) {
        capacity = min(max(wanted, 1), choice.batchRows)
        for i in 0..<columns.count { try columns[i].reserve(capacity) }
    }

    /// Room for so many rows at once, which a closed file says that it has: one piece of memory. False: it is too much to be had,
    /// or to be believed of a file of `fileBytes`; of large pages, a few rows of each column touch as much as all.
    private func lend(_ rows: Int, fileBytes: Int) -> Bool {
        let most = min(1 << 30, max(1 << 26, 64 * min(fileBytes, 1 << 24)))
        guard rows < most / 16 else { return false }
        var bytes = 0
        for i in 0..<columns.count {
            bytes += roundUp(columns[i].valueBytes(rows), 64)
            guard bytes <= most else { return false }
        }
        guard bytes > 0 else { return true }
        guard let memory = LargeMemory(bytes) else { return false }
        large = memory
        var place = memory.start
        for i in 0..<columns.count where columns[i].valueBytes(rows) > 0 {
            let part = roundUp(columns[i].valueBytes(rows), 64)
            columns[i].lend(place, part)
            place += part
        }
        return true
    }

    private func notText(_ row: UInt64, _ column: Int) -> Fault {
        Fault(
            .damaged, path, at: nil,
            "row \(row), column '\(fields[column].name)': found bytes that are no UTF-8, expected text; TICKLOG_ARROW_BINARY takes them as they are",
            code: EINVAL)
    }

    private func fill(_ blocks: ArrowBlocks) throws(Fault) {
        if capacity == 0 {
            // What is known fits at once; with one more the end is met without growing.
            let left = Int(clamping: min(blocks.rowsLeft, UInt64(choice.batchRows - 1))) + 1
            let isWhole = blocks.countedBytes.map { lend(left, fileBytes: $0) } ?? false
            try reserve(isWhole ? left : min(left, 65536))
        }
        // For less a thread is not worth its while.
        if rows == 0, let large, large.bytes >= LargeMemory.least { rows = blocks.nextParts(columns, most: capacity, threads: choice.threads) }
        while rows < choice.batchRows {
            if rows == capacity { try reserve(2 * capacity) }
            guard let count = try blocks.next(columns, rows, most: capacity - rows) else { return }
            if count == 0 {
                ended = true
                return
            }
            rows += blocks.kept
            if let (row, column) = blocks.notText { throw notText(row, column) }
        }
    }

    private func fill(_ chosen: ChosenRows) throws(Fault) {
        if capacity == 0 { try reserve(4096) }
        let table = chosen.table
        let columns = columns
        while rows < choice.batchRows {
            if !isHeld, !chosen.next() {
                ended = true
                return
            }
            isHeld = false
            if rows == capacity { try reserve(2 * capacity) }
            for i in 0..<columns.count where columns[i].isString {
                if !columns[i].holds(table.text(columns[i].source).count) {
                    guard rows > 0 else {
                        throw Fault(
                            .damaged, path, at: nil,
                            "row \(table.row), column '\(fields[i].name)': found a string of \(table.text(columns[i].source).count) bytes, expected less than 2^31")
                    }
                    isHeld = true
                    return
                }
            }
            let row = rows
            for i in 0..<columns.count {
                let source = columns[i].source
                if !table.isKnown(source) {
                    try columns[i].setNull(row)
                } else if columns[i].isString {
                    if try !columns[i].set(row, text: table.text(source)) {
                        for k in 0..<columns.count { columns[k].cut(to: row) }
                        throw notText(table.row, i)
                    }
                } else {
                    columns[i].set(row, bits: table.bits(source))
                }
            }
            rows += 1
        }
    }

    // MARK: The stream

    /// Reads the first batch, which tells where dictionaries pay.
    private func prepare() {
        guard !isPrepared else { return }
        isPrepared = true
        guard choice.dictionary else { return }
        var hasStrings = false
        for i in 0..<columns.count where columns[i].isString { hasStrings = true }
        guard hasStrings else { return }
        fill()
        do throws(Fault) {
            for i in 0..<columns.count where columns[i].isString {
                try columns[i].chooseDictionary(rows)
                fields[i].hasDictionary = columns[i].hasDictionary
            }
        } catch {
            fail(error)
        }
    }

    func schema(to out: UnsafeMutablePointer<ArrowSchema>) -> Int32 {
        prepare()
        _ = ArrowSchemaText(fields, metadata, to: out)
        return 0
    }

    func next(to out: UnsafeMutablePointer<ArrowArray>) -> Int32 {
        out.initialize(to: ArrowArray())
        prepare()
        if rows == 0 { fill() }
        guard rows > 0 else {
            guard let failure else { return 0 }
            say(failure.text)
            return failure.code
        }
        do throws(Fault) {
            let batch = ArrowBatch(columns: columns.count, large)
            large = nil
            for i in 0..<columns.count { try columns[i].export(rows, to: batch, i) }
            batch.export(rows: rows, to: out)
        } catch {
            rows = 0
            fail(error)
            say(failure!.text)
            return failure!.code
        }
        rows = 0
        capacity = 0
        return 0
    }

    private func say(_ text: String) {
        free(failureText)
        failureText = strdup(text)
    }

    var lastError: UnsafePointer<CChar>? { UnsafePointer(failureText) }

    /// Makes the stream, which keeps the source until it is released.
    func export(to stream: UnsafeMutablePointer<ArrowArrayStream>) {
        var made = ArrowArrayStream()
        made.private_data = Unmanaged.passRetained(self).toOpaque()
        made.get_schema = { stream, out in
            guard let source = ArrowSource.of(stream), let out else { return EINVAL }
            return source.schema(to: out)
        }
        made.get_next = { stream, out in
            guard let source = ArrowSource.of(stream), let out else { return EINVAL }
            return source.next(to: out)
        }
        made.get_last_error = { stream in
            guard let source = ArrowSource.of(stream) else { return nil }
            return source.lastError
        }
        made.release = { stream in
            guard let stream, let owner = stream.pointee.private_data else { return }
            stream.pointee.release = nil
            stream.pointee.private_data = nil
            Unmanaged<ArrowSource>.fromOpaque(owner).release()
        }
        stream.initialize(to: made)
    }

    private static func of(_ stream: UnsafeMutablePointer<ArrowArrayStream>?) -> ArrowSource? {
        guard let stream, let owner = stream.pointee.private_data else { return nil }
        return Unmanaged<ArrowSource>.fromOpaque(owner).takeUnretainedValue()
    }
}

extension TableInput {
    /// Those that `table`, one of its own, is read from.
    func mappedFiles(_ table: Table) -> [MappedFile] {
        switch source {
        case .bcsv(let file): [file.file]
        case .dlf(let file): [file.file]
        case .frames(let file): [file.file]
        case .bms(let file): [file.file]
        case .rnog(let file): [file.file]
        case .row(let file, _): [file]
        case .csv(let file): [file.file]
        case .jsonl(let file): [file.file]
        case .run: (table as? BCSVTable)?.mappedFiles ?? (table as? DLFTable).map { [$0.file.file] } ?? []
        }
    }

    /// Of its files.
    var formatName: String {
        switch source {
        case .bcsv: "bcsv"
        case .dlf, .row: "dlf"
        case .frames: "frames"
        case .bms: "bms"
        case .rnog: "rnog"
        case .csv: "csv"
        case .jsonl: "jsonl"
        case .run(let run): run.directory.format == .dlf ? "dlf" : "bcsv"
        }
    }
}
