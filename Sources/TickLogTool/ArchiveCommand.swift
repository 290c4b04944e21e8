import TickLog
import TickLogHost

func archiveCommand() -> Command {
    Command(
        name: "archive", summary: "puts a run into one file, which the other commands read",
        help: """
            Usage: ticklog archive RUN [-o OUT] [--force] [--json]

            Writes the files of a run's directory into an uncompressed tar, which info, cat, convert, diff and validate
            read as it is. The same run gives the same bytes. The archive is read again before it gets its name. RUN may
            be an archive as well, or - for one from standard input.

              -o, --out OUT  the archive, RUN.tar unless told; - for standard output, where it cannot be read again
              --force        replaces OUT if it exists
              --json         one JSON object
              --help, --version

            A run with LOCK is archived as it is now, with its LOCK. Files that are none of the run's are left out, and
            told. Exit code 1: it is no run, or one of its files is missing.

            Examples:
              ticklog archive runs/2f1c... -o run.tar
              ticklog archive runs/2f1c... -o - | ssh host 'ticklog info -'

            """,
        options: [Option("out", takesValue: true), Option("force"), Option("json")],
        run: { (arguments) throws(Failure) in try archive(arguments) })
}

private func archive(_ arguments: Arguments) throws(Failure) -> Int32 {
    let path = try arguments.operand("a run's directory")
    let run: RunDirectory
    let writer: RunArchiveWriter
    do throws(Fault) {
        guard case .run(let directory) = try Input(path) else {
            throw Fault(.unreadable, path, at: nil, "found a file, expected a run's directory")
        }
        run = directory
        writer = try RunArchiveWriter(run)
    } catch {
        throw Failure(error)
    }
    if run.isLocked {
        Console.error("ticklog: note: \(terminalText(path)): found LOCK: the run is open or was never closed, and is archived as it is now\n")
    }
    let own = Set(run.ownNames)
    for name in run.names where !own.contains(name) {
        Console.error("ticklog: note: \(terminalText(path)): \(terminalText(name)) is no file of the run, and is left out\n")
    }
    let out: String
    if let name = arguments.value("out") { out = name } else { out = try standardName(path, run) }
    if out == "-" {
        let output = Output(descriptor: 1)
        if output.isTerminal { throw .usage("found a terminal as standard output, expected a file or a pipe") }
        do { try writer.write(to: output) } catch { throw Failure(error) }
        try output.finish()
        return Console.report(run.faults)
    }
    let file = try NewFile(opening: out, replacing: arguments.has("force"))
    let output = Output(descriptor: file.descriptor, path: out)
    do throws(Fault) {
        try writer.write(to: output)
        do { try output.flush() } catch { throw Fault(error) }
        try writer.verify(file.temporaryPath)
        do { try file.commit() } catch { throw Fault(error) }
    } catch {
        throw Failure(error)
    }
    report(writer, out, arguments.has("json"))
    return Console.report(run.faults)
}

/// Beside the run.
private func standardName(_ path: String, _ run: RunDirectory) throws(Failure) -> String {
    guard path != "-" else { throw .usage("found no -o, expected one with standard input") }
    let last = path.lastComponent
    if last == "." || last == ".." { return path.file("..").file(run.name + ".tar") }
    var path = path
    while path.utf8.count > 1, path.utf8.last == 0x2F { path = String(decoding: path.utf8.dropLast(), as: UTF8.self) }
    return path + ".tar"
}

private func report(_ writer: RunArchiveWriter, _ out: String, _ json: Bool) {
    let output = Output(descriptor: 1)
    if json {
        var object = JSONWriter(output)
        object.begin("{")
        object.field("path", out)
        object.field("run", writer.run.name)
        object.field("size", writer.size)
        object.field("closed", !writer.run.isLocked)
        object.key("files")
        object.begin("[")
        for entry in writer.entries {
            object.begin("{")
            object.field("name", entry.name)
            object.field("size", entry.size)
            object.end("}")
        }
        object.end("]")
        object.end("}")
        output.byte(0x0A)
    } else {
        output.line("\(terminalText(out)): \(writer.entries.count) files, \(writer.size) bytes")
    }
    try? output.flush()
}
