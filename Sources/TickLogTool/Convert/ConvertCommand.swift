import CPosix
import TickLog
import TickLogHost

func convertCommand() -> Command {
    Command(
        name: "convert", summary: "converts between BCSV, CSV, JSON Lines and runs, and to Parquet and MCAP",
        help: """
            Usage: ticklog convert IN OUT [OPTION]...

            IN is a BCSV, CSV, JSON Lines or DLF file, one of RNO-G packets (see ticklog rnog --help), a BMS log, or a run's
            directory or archive (its polled file), found out from the content; - is standard input. OUT is what its extension
            says: .bcsv, .csv, .jsonl, .parquet or .mcap; - is standard output; with / at its end, or with --format, it is
            the directory of a run. OUT is written beside its place and gets its name when it is whole: after a failure there
            is no part of it.

            A run becomes a run of the other format, or a copy, with all that it has. A table becomes a run if it has a
            column tick: columns a.x and a.y are a stream a, others a stream of one value. With a column stream as well,
            as cat --events prints it, it becomes the run's event file.

              --format bcsv|dlf   of a run as OUT; bcsv unless given
              --tick-ns N         of a table that becomes a run, or MCAP: nanoseconds of a tick; 1000000 unless given
              --epoch-ns N        of a table that becomes a run, or MCAP: Unix time of tick 0; 0, unknown, unless given
              --events            of a run as IN: its event file, instead of the polled one
              --force             replaces OUT if it is there; as a run, only a run
              --salvage           goes on behind damage of IN, and reports what was skipped; exit code 1
              --to FORMAT         bcsv, csv, jsonl, parquet or mcap, instead of what OUT's extension says
              --row-codec C       flat, zoh, delta or auto (the default): what makes the first rows smallest
              --file-codec C      packet, packet-lz4, batch (the default), stream, stream-lz4
              --level N           of the file codecs with LZ4, 1 to 9; 6 unless given, of runs 1
              --packet-size N     bytes of a packet, 512 to 1073741824; 8388608 unless given
              --bcsv-version V    1.5 (the default) or 1.3, which has no delta rows and no batches

            For Parquet as OUT, which is written and not read:
            \(parquetOptionHelp())
            For MCAP as OUT, which Foxglove and PlotJuggler open. A run becomes a channel for each stream, events as well;
            anything else with a column time_ns, timestamp_ns, tick or time (seconds) becomes one channel. Chunks are LZ4
            frames unless --compression none is given:
            \(mcapOptionHelp())
            For CSV and JSON Lines as IN. A type is the narrowest that keeps every value of its column:
            \(textOptionHelp())
            Examples:
              ticklog convert runs/2f1c... polled.parquet
              ticklog convert runs/2f1c... copy/2f1c/ --format dlf

            """,
        options: textOptionList() + parquetOptionList() + [
            Option("chunk-bytes", takesValue: true),
            Option("to", takesValue: true), Option("force"), Option("salvage"), Option("row-codec", takesValue: true),
            Option("file-codec", takesValue: true), Option("level", takesValue: true),
            Option("packet-size", takesValue: true), Option("bcsv-version", takesValue: true), Option("format", takesValue: true),
            Option("tick-ns", takesValue: true), Option("epoch-ns", takesValue: true), Option("events"),
        ],
        run: { (arguments) throws(Failure) in try convert(arguments) })
}

private func convert(_ arguments: Arguments) throws(Failure) -> Int32 {
    guard arguments.operands.count == 2 else {
        throw .usage("found \(arguments.operands.count) operands, expected two: IN and OUT")
    }
    let out = arguments.operands[1]
    if isMCAP(arguments, out) { return try convertMCAP(arguments, out) }
    if arguments.has("chunk-bytes") { throw .usage("found --chunk-bytes without MCAP as OUT, expected it with a name that ends with .mcap, or --to mcap") }
    if let file = rnogInput(arguments.operands[0]) { return try convertRNOG(file, out, nil, arguments) }
    if arguments.has("format") || out.utf8.last == 0x2F { return try convertRun(arguments, out) }
    let format = try outputFormat(arguments, out)
    let encoding = try Encoding(arguments)
    let parquet = try parquetOptions(arguments, format)
    // Standard input is there only once, and so is standard output; what is BCSV goes there when it is whole.
    let isTwice = arguments.operands[0] != "-" && (format == "bcsv" || (format == "parquet" && out != "-"))
    var input = try TableInput(arguments.operands[0], arguments, samples: isTwice)
    input.printNotes()
    var table = try input.table()
    try refuseDoubles(table, format)

    var file = try NewFile(opening: out == "-" ? temporaryPath() : out, replacing: arguments.has("force"))
    var faults: [Fault]
    if format == "parquet" {
        if out == "-" { file.discard() }
        func output() -> Output { out == "-" ? Output(descriptor: 1) : Output(descriptor: file.descriptor, path: out) }
        faults = try writeParquet(table, of: input.path, output(), parquet, salvage: input.salvage)
        if table.hasOtherTypes {
            file.discard()
            file = try NewFile(opening: out, replacing: arguments.has("force"))
            input = try TableInput(arguments.operands[0], arguments)
            faults = try writeParquet(try input.table(), of: input.path, output(), parquet, salvage: input.salvage)
        }
    } else if format == "bcsv" {
        file.freeName()
        var options = try encoding.options(input, file.temporaryPath)
        faults = try writeBCSV(table, of: input.path, input.names, file.temporaryPath, options, salvage: input.salvage)
        if table.hasOtherTypes {
            input = try TableInput(arguments.operands[0], arguments)
            table = try input.table()
            options = try encoding.options(input, file.temporaryPath)
            faults = try writeBCSV(table, of: input.path, input.names, file.temporaryPath, options, salvage: input.salvage)
        }
    } else if out == "-" {
        file.discard()
        faults = try writeText(table, of: input.path, Output(descriptor: 1), format, salvage: input.salvage)
    } else {
        faults = try writeText(
            table, of: input.path, Output(descriptor: file.descriptor, path: out), format, isTabbed: out.fileExtension == "tsv", salvage: input.salvage)
    }
    if out != "-" {
        do { try file.commit() } catch { throw Failure(error) }
    } else if format == "bcsv" {
        try copyToOutput(file.temporaryPath)
        file.discard()
    }
    faults = input.faults + faults
    return Console.report(faults)
}

extension NewFile {
    convenience init(opening path: String, replacing: Bool) throws(Failure) {
        do { try self.init(path, replacing: replacing) } catch {
            guard error.code == EEXIST else { throw Failure(error) }
            throw .usage("\(terminalText(path)): found a file, expected none; --force replaces it")
        }
    }
}

/// - Parameter option: the one that names the format instead of the extension.
func outputFormat(_ arguments: Arguments, _ out: String, option: String = "to") throws(Failure) -> String {
    // MCAP is dealt with before.
    let more = option == "to" ? ["parquet", "mcap"] : ["parquet"]
    let to = try arguments.choice(option, ["bcsv", "csv", "jsonl"] + more, or: "")
    if !to.isEmpty { return to }
    if out == "-" {
        throw .usage("found - as OUT without --\(option), expected --\(option) bcsv, csv, jsonl\(option == "to" ? ", parquet or mcap" : " or parquet")")
    }
    guard let format = tableFormat(of: out) else {
        throw .usage("found OUT '\(terminalText(out))', expected a name that ends with .bcsv, .csv, .jsonl\(option == "to" ? ", .parquet or .mcap" : " or .parquet"), or --\(option)")
    }
    return format
}

/// Two keys of one name in an object are one to most readers.
private func refuseDoubles(_ table: Table, _ format: String) throws(Failure) {
    guard format == "jsonl" || format == "parquet" else { return }
    let why = format == "jsonl" ? "a JSON object holds each once" : "readers of Parquet find columns by name"
    var names: [String: Int] = [:]
    for column in table.columns {
        guard names[column.name] == nil else {
            throw Failure(Exit.damaged, "found two columns '\(terminalText(column.name))', expected different names: \(why)")
        }
        names[column.name] = 1
    }
}

func temporaryPath() -> String {
    var directory = "/tmp"
    if let given = getenv("TMPDIR"), given[0] != 0 { directory = String(cString: given) }
    return directory.file("ticklog-convert-\(getpid()).bcsv")
}

func copyToOutput(_ path: String) throws(Failure) {
    do {
        let file = try MappedFile(path)
        let output = Output(descriptor: 1)
        output.bytes(file.bytes.buffer)
        try output.flush()
        withExtendedLifetime(file) {}
    } catch {
        throw Failure(error)
    }
}

func writeText(
    _ table: Table, of path: String, _ output: Output, _ format: String, isTabbed: Bool = false, salvage: Bool
) throws(Failure) -> [Fault] {
    do throws(Fault) {
        return noted(
            try table.writeText(
                of: path, to: output, format == "csv" ? .csv : .jsonl, delimiter: isTabbed ? 0x09 : 0x2C, salvage: salvage))
    } catch { throw Failure(error) }
}

func writeBCSV(
    _ table: Table, of source: String, _ names: [[UInt8]]?, _ path: String, _ options: BCSVOptions, salvage: Bool
) throws(Failure) -> [Fault] {
    do throws(Fault) {
        return noted(try table.writeBCSV(of: source, names, to: path, options, salvage: salvage))
    } catch { throw Failure(error) }
}

/// Prints the notes; answers the faults.
func noted(_ report: TableReport) -> [Fault] {
    for note in report.notes { Console.error("ticklog: note: " + note + "\n") }
    return report.faults
}
