import CPosix
import TickLog
import TickLogHost

func tailCommand() -> Command {
    Command(
        name: "tail", summary: "prints the last rows of a file or run, and follows it",
        help: """
            Usage: ticklog tail PATH [OPTION]...

            Prints the last rows of a file or run, and with --follow those that are added to it: BCSV, DLF, frames and BMS logs
            as they are written, CSV and JSON Lines. Packets are seen when they are whole: an end that is still torn is not
            damage.

              --lines N, -n N     so many rows, 10 by default; 0 with --follow: only those that come
              --follow, -f        goes on until SIGINT or SIGTERM, or until the run is closed
              --format csv|jsonl  CSV with a header line (the default), or one JSON object a row; of a text that is followed
                                  always its own
              --columns a,b       these columns only, in this order
              --no-header         CSV without its header line
              --events            of a run: its event file
              --stream NAME       of a run: one stream
              --salvage           goes on behind damage
              --help, --version

            Exit code 1: it is damaged, or became shorter.

            Examples:
              ticklog tail runs/2f1c... -n 3
              ticklog tail runs/2f1c... -f --columns tick,load

            """,
        options: [
            Option("lines", takesValue: true), Option("follow"), Option("format", takesValue: true),
            Option("columns", takesValue: true), Option("no-header"), Option("events"), Option("stream", takesValue: true),
            Option("salvage"),
        ],
        run: { (arguments) throws(Failure) in try tail(arguments) })
}

private func tail(_ arguments: Arguments) throws(Failure) -> Int32 {
    let path = try arguments.operand("a file or a run's directory")
    let most = try arguments.unsigned("lines") ?? 10
    let format: RowWriter.Format = try arguments.choice("format", ["csv", "jsonl"], or: "csv") == "csv" ? .csv : .jsonl
    let follows = arguments.has("follow")
    let output = Output(descriptor: 1)
    guard path != "-" else { throw .usage("found -, expected a file or a run: cat reads standard input") }
    if follows {
        cposix_ignore(SIGPIPE)
        Interruption.begin()
        FileGuard.begin()
        if let isCSV = try textKind(path) {
            for option in ["columns", "events", "stream", "salvage"] where arguments.has(option) {
                throw .usage("found --\(option) and --follow of a text, expected one of them")
            }
            guard !arguments.has("format") || (format == .csv) == isCSV else { throw .usage("--format: found another format than the text's, expected its own") }
            return try followText(path, isCSV, most, output, header: !arguments.has("no-header"))
        }
    }
    let source = TailSource(path, events: arguments.has("events"), stream: arguments.value("stream"), salvage: arguments.has("salvage"))
    var columns: [String]?
    if let list = arguments.value("columns") {
        columns = list.utf8.split(separator: 0x2C, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
    let header = !arguments.has("no-header")
    // From before the first look: nothing that comes behind it is missed.
    let changes = follows ? FileChanges(path) : nil
    // A run that is being made has no header yet.
    var isBegun = false
    var badSince: UInt64?
    var code = Exit.ok
    while true {
        // What is written until LOCK goes away is read.
        let isOpen = !source.isRun || source.isOpenRun
        var retries = false
        if !isBegun || source.hasGrown() || badSince != nil {
            do throws(PlotRefusal) {
                if isBegun {
                    try source.write(to: output, format, columns: columns, header: header)
                } else {
                    try source.writeLast(most, to: output, format, columns: columns, header: header)
                    isBegun = true
                }
            } catch {
                switch error {
                case .usage(let text): throw .usage(text)
                case .fault(let fault):
                    guard follows, fault.kind == .torn, isOpen else { throw Failure(fault) }
                    retries = true
                }
            }
            if follows { do throws(FileError) { try output.flush() } catch {} }
        }
        guard follows, output.isOpen, !Interruption.isWanted else { break }
        if source.isShorter { throw Failure(Exit.damaged, terminalText(path) + ": found a file that became shorter, expected one that grows") }
        // Bytes that are written at this moment may look like damage.
        if source.isDamaged, !arguments.has("salvage") {
            let now = monotonicNs()
            if let since = badSince { if now - since > 2_000_000_000 { break } } else { badSince = now }
        } else {
            badSince = nil
        }
        if !isOpen, !retries {
            Console.error("ticklog: note: \(terminalText(path)): the run is closed\n")
            break
        }
        changes?.wait(soon: retries || badSince != nil)
    }
    if !follows || badSince != nil { code = Console.report(source.faults) }
    if output.isOpen || !follows { try output.finish() }
    return code
}

/// Whether a file is CSV or JSON Lines; nil: neither.
private func textKind(_ path: String) throws(Failure) -> Bool? {
    guard kind(of: path) == .file else { return nil }
    let name = path.fileExtension
    if name == "csv" || name == "tsv" { return true }
    if name == "jsonl" || name == "ndjson" { return false }
    do throws(Fault) {
        _ = try Input(path)
        return nil
    } catch {
        guard error.kind == .unreadable else { return nil }
        let file: MappedFile
        do throws(FileError) { file = try MappedFile(path) } catch { throw Failure(error) }
        var first: UInt8?
        for byte in file.bytes.buffer.prefix(4096) {
            if byte == 0 { return nil }
            if first == nil, byte > 0x20 { first = byte }
        }
        return first != 0x7B
    }
}

private func followText(_ path: String, _ isCSV: Bool, _ most: UInt64, _ output: Output, header: Bool) throws(Failure) -> Int32 {
    var isShorter = false
    do throws(FileError) {
        let text = try TailText(path, isCSV: isCSV)
        let changes = FileChanges(path)
        try text.writeLast(most, to: output, header: header)
        while !isShorter {
            do throws(FileError) { try output.flush() } catch {}
            guard output.isOpen, !Interruption.isWanted else { return Exit.ok }
            changes.wait()
            try text.write(to: output)
            isShorter = text.isShorter
        }
    } catch {
        throw Failure(error)
    }
    throw Failure(Exit.damaged, terminalText(path) + ": found a file that became shorter, expected one that grows")
}
