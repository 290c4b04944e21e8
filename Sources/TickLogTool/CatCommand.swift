import TickLog
import TickLogHost

func catCommand() -> Command {
    Command(
        name: "cat", summary: "prints the values of a file or run",
        help: """
            Usage: ticklog cat PATH [OPTION]...

            Prints the values of a BCSV or DLF file, or of a run's directory, where they are those of its polled file; of a
            .dat file the headers of its frames, or the RNO-G packets without their samples; of a BMS log the words of its
            packets.
            PATH may be an archive of a run, or - for standard input.

              --format csv|jsonl  CSV with a header line (the default), or one JSON object a row
              --rows A:B          rows A to B - 1, from 0; either may be left out
              --columns a,b       these columns only, in this order
              --no-header         CSV without its header line
              --salvage           goes on behind damage, and reports what was skipped
              --unverified        of a torn last packet, its whole rows as well, which no checksum covers
              --events            of a run: its event file
              --meta              of a run: its metadata
              --stream NAME       of a run: one stream, with only the ticks at which it was sampled, and their times: Unix
                                  time in ns or, if the run's start is not known, ns since then. NAME~2 is the second of
                                  that name
              --samples           of a run: every sample in file order, one JSON object each
              --payload hex       of frames: a last column with the payload
              --from T, --to T    ticks T and later, and ticks before T; rows are counted from the first of them on
              --help, --version

            A file that was never closed is normal: its whole packets are printed. Exit code 1: it is damaged, and what
            stands before the damage was printed.

            Examples:
              ticklog cat runs/2f1c... --stream cpu --rows 0:10
              ticklog cat polled.bcsv --columns tick,load --format jsonl

            """,
        options: [
            Option("format", takesValue: true), Option("rows", takesValue: true), Option("columns", takesValue: true),
            Option("no-header"), Option("salvage"), Option("unverified"), Option("events"), Option("meta"),
            Option("stream", takesValue: true), Option("samples"), Option("payload", takesValue: true), Option("from", takesValue: true),
            Option("to", takesValue: true),
        ],
        run: { (arguments) throws(Failure) in try cat(arguments) })
}

private func cat(_ arguments: Arguments) throws(Failure) -> Int32 {
    let path = try arguments.operand("a file or a run's directory")
    let format = try arguments.choice("format", ["csv", "jsonl"], or: "csv")
    let rows = try rowRange(arguments)
    let ticks = try tickRange(arguments)
    let output = Output(descriptor: 1)
    if arguments.has("events"), arguments.has("meta") { throw .usage("found both --events and --meta, expected one of them") }
    let input: Input
    do { input = try Input(path) } catch { throw Failure(error) }
    defer { withExtendedLifetime(input) {} }

    let source: CatSource
    switch input {
    case .bcsv(let file):
        try refuse(arguments, ["events", "meta", "stream", "samples"], "a run's directory")
        source = CatSource(
            table: BCSVTable([file], salvage: arguments.has("salvage"), unverified: arguments.has("unverified")))
    case .dlf(let file):
        try refuse(arguments, ["events", "meta"], "a run's directory")
        try refuse(arguments, ["unverified"], "a BCSV file")
        source = CatSource(recording: Recording(dlf: DLFTable(file)))
    case .frames(let file):
        try refuse(arguments, ["events", "meta", "stream", "samples", "from", "to"], "a run's directory")
        try refuse(arguments, ["unverified"], "a BCSV file")
        let payload = try arguments.choice("payload", ["hex"], or: "") == "hex"
        source = CatSource(table: FrameTable(file, salvage: arguments.has("salvage"), payload: payload))
    case .bms(let file):
        try refuse(arguments, ["events", "meta", "stream", "samples", "from", "to"], "a run's directory")
        try refuse(arguments, ["unverified"], "a BCSV file")
        source = CatSource(table: BMSTable(file, salvage: arguments.has("salvage")))
    case .rnog(let file):
        try refuse(arguments, ["events", "meta", "stream", "samples", "from", "to"], "a run's directory; ticklog rnog cat has more")
        try refuse(arguments, ["unverified"], "a BCSV file")
        source = CatSource(table: try rnogTable(file, .packets, nil, salvage: arguments.has("salvage")))
    case .dlfMeta(let file, let meta):
        // What the metadata refer to.
        defer { withExtendedLifetime(file) {} }
        try refuse(arguments, ["events", "meta", "stream", "samples", "from", "to"], "a run's directory")
        source = CatSource(table: OneRow(meta))
    case .run(let directory):
        try refuse(arguments, ["unverified"], "a BCSV file")
        if arguments.has("meta") {
            try refuse(arguments, ["stream", "samples", "from", "to"], "the polled or event file")
            do throws(Fault) {
                source = CatSource(
                    table: directory.format == .dlf ? try OneRow(directory) : BCSVTable([try directory.bcsv(directory.metaPath)]))
            } catch {
                throw Failure(error)
            }
            break
        }
        let run: Run
        do { run = try Run(directory) } catch { throw Failure(error) }
        do throws(Fault) {
            guard let recording = try run.recording(
                events: arguments.has("events"), stream: arguments.value("stream"), salvage: arguments.has("salvage")) else {
                if Console.report(run.faults) == Exit.ok, !run.faults.isEmpty, directory.isLocked { return Exit.ok }
                throw Fault(.damaged, path, at: nil, "found no such file in the run, expected one")
            }
            source = CatSource(recording: recording, clock: run.hasMeta ? RunClock(run.meta) : nil, faults: run.faults)
        } catch {
            // A run that ended while its first file was made.
            guard error.kind == .torn, directory.isLocked else { throw Failure(error) }
            return Console.report(run.faults + [error])
        }
    }

    var table = source.table
    if !(table is FrameTable) { try refuse(arguments, ["payload"], "frames") }
    var only: Int?
    if let recording = source.recording, let name = arguments.value("stream") {
        let index = try streamIndex(recording, name)
        only = index
        table = StreamTable(recording, stream: index, clock: source.clock)
    }
    var columns: [Int] = []
    if let list = arguments.value("columns") {
        columns = try columnList(list, table)
    } else {
        for i in 0..<table.columns.count { columns.append(i) }
    }
    let writer = RowWriter(output: output, table: table, columns: columns, format: format == "csv" ? .csv : .jsonl)
    let samples = arguments.has("samples")
    if !samples, !arguments.has("no-header") { writer.header() }
    if let recording = source.recording {
        printRows(recording, only: only, samples: samples, ticks, rows, writer)
    } else {
        var tick: Int?
        if ticks != CatSource.allTicks {
            guard let column = table.column(named: "tick"), table.columns[column].type == .u64 else {
                throw .usage("found --from or --to, which needs ticks: a run, a DLF file, or a column 'tick' of u64")
            }
            tick = column
        }
        printRows(table, tick, ticks, rows, writer)
    }
    try output.finish()
    if let torn = (source.table as? BCSVTable)?.unverifiedRows, torn > 0 {
        Console.error("ticklog: note: \(terminalText(path)): the last \(torn) rows read are those of a torn packet, which no checksum covers\n")
    }
    return Console.report(source.faults + source.table.faults)
}

/// What is printed.
private struct CatSource {
    let table: Table
    var recording: Recording?
    var clock: RunClock?
    var faults: [Fault] = []

    static var allTicks: Range<UInt64> { 0..<UInt64.max }

    init(table: Table) { self.table = table }

    init(recording: Recording, clock: RunClock? = nil, faults: [Fault] = []) {
        table = recording.table
        self.recording = recording
        self.clock = clock
        self.faults = faults
    }
}

private func streamIndex(_ recording: Recording, _ name: String) throws(Failure) -> Int {
    guard let index = recording.stream(named: name) else {
        var names = ""
        for stream in recording.streams { names += (names.isEmpty ? "" : ", ") + stream.name }
        throw .usage("--stream: found '\(terminalText(name))', expected one of: \(terminalText(names))")
    }
    var number = 0
    for stream in recording.streams where stream.name == name { number += 1 }
    if number > 1 {
        Console.error("ticklog: note: \(number) streams are called \(terminalText(name)), this is the first; --stream '\(terminalText(name))~2' is the next\n")
    }
    return index
}

/// Rows, or with `only` the rows of that stream, or with `samples` JSON lines. `rows` counts what is printed, and what the
/// window of ticks leaves.
private func printRows(
    _ recording: Recording, only: Int?, samples: Bool, _ ticks: Range<UInt64>, _ rows: Range<UInt64>, _ writer: RowWriter
) {
    let output = writer.output
    let isTable = !samples && only == nil
    // Of a table that is printed from its start, rows that were lost count.
    let countsLost = isTable && ticks == CatSource.allTicks
    var line = recording.begin(at: ticks.lowerBound, skipping: rows.lowerBound, of: samples || only != nil ? .samples(only) : .rows)
    while output.isOpen, recording.next() {
        if recording.tick < ticks.lowerBound { continue }
        if recording.tick >= ticks.upperBound, ticks.upperBound != UInt64.max {
            // Events of several sources need not be in order.
            if recording.isEvents { continue }
            return
        }
        if isTable {
            if countsLost { line = recording.table.row }
            if line >= rows.upperBound { return }
            if line >= rows.lowerBound { writer.row() }
            line += 1
            continue
        }
        for stream in recording.sampled where only == nil || only == stream {
            if line >= rows.upperBound { return }
            if line >= rows.lowerBound {
                if samples { sample(recording, stream, output) } else { writer.row() }
            }
            line += 1
        }
    }
}

/// A file that is no run's: with a window, `tick` is its column.
private func printRows(_ table: Table, _ tick: Int?, _ ticks: Range<UInt64>, _ rows: Range<UInt64>, _ writer: RowWriter) {
    var line: UInt64 = 0
    while writer.output.isOpen, table.next() {
        if let tick {
            guard ticks.contains(table.bits(tick)) else { continue }
        } else {
            line = table.row
        }
        if line >= rows.upperBound { return }
        if line >= rows.lowerBound { writer.row() }
        line += 1
    }
}

/// One sample as a JSON line.
private func sample(_ recording: Recording, _ index: Int, _ output: Output) {
    let stream = recording.streams[index]
    let table = recording.table
    output.text("{\"stream\":" as StaticString)
    output.json(stream.name)
    output.text(",\"tick\":" as StaticString)
    output.number(recording.tick)
    if stream.isOpaque {
        output.text(",\"hex\":\"" as StaticString)
        if let bytes = recording.bytes(of: index) { output.hex(bytes) }
        output.text("\"}\n" as StaticString)
        return
    }
    output.text(",\"value\":" as StaticString)
    let isSingle = stream.fields.count == 1 && stream.fields[0].name.isEmpty
    if !isSingle { output.byte(0x7B) }
    for k in 0..<stream.fields.count {
        if k > 0 { output.byte(0x2C) }
        let field = stream.fields[k]
        if !isSingle {
            output.json(field.name)
            output.byte(0x3A)
        }
        guard let column = field.column else {
            output.text("null" as StaticString)
            continue
        }
        let type = table.columns[column].type
        if type == .string { output.json(table.text(column)) } else { output.json(table.bits(column), type) }
    }
    if !isSingle { output.byte(0x7D) }
    output.text("}\n" as StaticString)
}

private func refuse(_ arguments: Arguments, _ options: [String], _ what: String) throws(Failure) {
    for option in options where arguments.has(option) { throw .usage("found --\(option), which needs \(what)") }
}

private func rowRange(_ arguments: Arguments) throws(Failure) -> Range<UInt64> {
    guard let text = arguments.value("rows") else { return 0..<UInt64.max }
    let parts = text.utf8.split(separator: 0x3A, omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw .usage("--rows: found '\(terminalText(text))', expected A:B") }
    let lower = parts[0].isEmpty ? 0 : UInt64(String(decoding: parts[0], as: UTF8.self))
    let upper = parts[1].isEmpty ? UInt64.max : UInt64(String(decoding: parts[1], as: UTF8.self))
    guard let lower, let upper else { throw .usage("--rows: found '\(terminalText(text))', expected A:B") }
    return lower..<max(lower, upper)
}

/// Without an end if the last is the largest number.
private func tickRange(_ arguments: Arguments) throws(Failure) -> Range<UInt64> {
    let from = try arguments.unsigned("from") ?? 0
    return from..<max(from, try arguments.unsigned("to") ?? UInt64.max)
}

private func columnList(_ list: String, _ table: Table) throws(Failure) -> [Int] {
    var columns: [Int] = []
    for part in list.utf8.split(separator: 0x2C, omittingEmptySubsequences: false) {
        let name = String(decoding: part, as: UTF8.self)
        guard let column = table.column(named: name) else {
            var names = ""
            for column in table.columns { names += (names.isEmpty ? "" : ", ") + column.name }
            throw .usage("--columns: found '\(terminalText(name))', expected among: \(terminalText(names))")
        }
        columns.append(column)
    }
    return columns
}
