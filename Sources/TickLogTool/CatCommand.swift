import TickLog
import TickLogHost

func catCommand() -> Command {
    Command(
        name: "cat", summary: "prints the values of a file or run",
        help: """
            Usage: ticklog cat PATH [OPTION]...

            Prints the values of a BCSV or DLF file, or of a run's directory, where they are those of its polled file.
            PATH may be - for standard input.

              --format csv|jsonl  CSV with a header line (the default), or one JSON object a row
              --rows A:B          rows A to B - 1, from 0; either may be left out
              --columns a,b       these columns only, in this order
              --no-header         CSV without its header line
              --salvage           goes on behind damage, and reports what was skipped
              --unverified        of a torn last packet, its whole rows as well, which no checksum covers
              --events            of a run: its event file
              --meta              of a run: its metadata
              --stream NAME       of a run: one stream, with only the ticks at which it was sampled
              --samples           of a run: every sample in file order, one JSON object each
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
            Option("stream", takesValue: true), Option("samples"),
        ],
        run: { (arguments) throws(Failure) in try cat(arguments) })
}

private func cat(_ arguments: Arguments) throws(Failure) -> Int32 {
    let path = try arguments.operand("a file or a run's directory")
    let format = try arguments.choice("format", ["csv", "jsonl"], or: "csv")
    let rows = try rowRange(arguments)
    let salvage = arguments.has("salvage")
    let output = Output(descriptor: 1)

    let parts = (arguments.has("events") ? 1 : 0) + (arguments.has("meta") ? 1 : 0)
    if parts > 1 { throw .usage("found both --events and --meta, expected one of them") }
    let input: Input
    do { input = try Input(path) } catch { throw Failure(error) }
    defer { withExtendedLifetime(input) {} }

    let table: Table
    var columns: [Int]?
    var recording: Recording?
    var only: Int?
    var faults: [Fault] = []
    switch input {
    case .bcsv(let file):
        try refuse(arguments, ["events", "meta", "stream", "samples"], "a run's directory")
        table = BCSVTable([file], salvage: salvage, unverified: arguments.has("unverified"))
    case .dlf(let file):
        try refuse(arguments, ["events", "meta"], "a run's directory")
        try refuse(arguments, ["unverified"], "a BCSV file")
        let dlf = DLFTable(file)
        recording = Recording(dlf: dlf)
        table = dlf
    case .dlfMeta(_, let meta):
        try refuse(arguments, ["events", "meta", "stream", "samples"], "a run's directory")
        table = OneRow(meta)
    case .run(let directory):
        try refuse(arguments, ["unverified"], "a BCSV file")
        if arguments.has("meta") {
            try refuse(arguments, ["stream", "samples"], "the polled or event file")
            do { table = try metaTable(directory) } catch { throw Failure(error) }
            break
        }
        let run: Run
        do { run = try Run(directory) } catch { throw Failure(error) }
        faults = run.faults
        do throws(Fault) {
            recording = try arguments.has("events") ? run.events(salvage: salvage) : run.polled(salvage: salvage)
            // A stream that is not polled is in the event file.
            if let name = arguments.value("stream"), recording?.stream(named: name) == nil {
                if let events = try run.events(salvage: salvage), events.stream(named: name) != nil { recording = events }
            }
        } catch {
            // A run that ended while its first file was made.
            guard error.kind == .torn, directory.isLocked else { throw Failure(error) }
            return Console.report(faults + [error])
        }
        guard let recording else {
            if !faults.isEmpty, directory.isLocked, Console.report(faults) == Exit.ok { return Exit.ok }
            throw Failure(Exit.damaged, "\(terminalText(path)): found no such file in the run, expected one")
        }
        table = recording.table
    }

    if let recording, let name = arguments.value("stream") {
        guard let index = recording.stream(named: name) else {
            var names = ""
            for stream in recording.streams { names += (names.isEmpty ? "" : ", ") + stream.name }
            throw .usage("--stream: found '\(terminalText(name))', expected one of: \(terminalText(names))")
        }
        only = index
        var own: [Int] = []
        if let tick = table.column(named: "tick") { own.append(tick) }
        for field in recording.streams[index].fields { if let column = field.column { own.append(column) } }
        if recording.streams[index].isOpaque, let column = table.column(named: name) { own.append(column) }
        columns = own
    }
    if let list = arguments.value("columns") { columns = try columnList(list, table) }

    var all: [Int] = []
    for i in 0..<table.columns.count { all.append(i) }
    let writer = RowWriter(
        output: output, table: table, columns: columns ?? all, format: format == "csv" ? .csv : .jsonl)
    let samples = arguments.has("samples")
    if !samples, !arguments.has("no-header") { writer.header() }

    var line: UInt64 = 0
    reading: while output.isOpen {
        if let recording {
            guard recording.next() else { break }
            guard samples || only != nil else {
                if table.row >= rows.upperBound { break }
                if table.row >= rows.lowerBound { writer.row() }
                continue
            }
            for stream in recording.sampled where only == nil || only == stream {
                if line >= rows.upperBound { break reading }
                if line >= rows.lowerBound {
                    if samples { sample(recording, stream, output) } else { writer.row() }
                }
                line += 1
            }
        } else {
            guard table.next(), table.row < rows.upperBound else { break }
            if table.row >= rows.lowerBound { writer.row() }
        }
    }
    try output.finish()
    if let torn = (table as? BCSVTable)?.unverifiedRows, torn > 0 {
        Console.error("ticklog: note: \(terminalText(path)): the last \(torn) rows read are those of a torn packet, which no checksum covers\n")
    }
    return Console.report(faults + table.faults)
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

private func metaTable(_ directory: RunDirectory) throws(Fault) -> Table {
    if directory.format == .bcsv { return BCSVTable([try directory.bcsv(directory.metaPath)]) }
    let file: MappedFile
    do { file = try directory.open(directory.metaPath) } catch { throw Fault(error) }
    defer { withExtendedLifetime(file) {} }
    guard let meta = try? DLFMeta(file.bytes) else {
        throw Fault(.damaged, directory.metaPath, at: 0, "found no metadata of DLF, expected them")
    }
    return OneRow(meta)
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
