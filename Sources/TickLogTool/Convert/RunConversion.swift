import CPosix
import TickLog
import TickLogHost

/// `convert` with a run as OUT.
func convertRun(_ arguments: Arguments, _ out: String) throws(Failure) -> Int32 {
    let isDLF = try arguments.choice("format", ["bcsv", "dlf"], or: "bcsv") == "dlf"
    if arguments.has("to") { throw .usage("found --to with a run as OUT, expected --format") }
    guard out != "-" else { throw .usage("found - as OUT with --format, expected a directory") }
    let encoding = try Encoding(arguments)
    let path = arguments.operands[0]
    let source: RunSource
    do throws(Fault) { source = try runSource(path, arguments) } catch { throw Failure(named(error, path)) }
    for fault in source.faults where fault.kind != .torn && (fault.kind == .system || !arguments.has("salvage")) {
        throw Failure(fault)
    }
    let run: NewRun
    do { run = try NewRun(out, replacing: arguments.has("force")) } catch {
        guard error.code == EEXIST else { throw Failure(error) }
        throw .usage(
            arguments.has("force")
                ? "\(terminalText(out)): found something that is no run, or more than a run, expected a run or nothing"
                : "\(terminalText(out)): found something, expected nothing; --force replaces a run")
    }
    let notes: [String]
    let faults: [Fault]
    do throws(Fault) {
        if isDLF {
            let writer = try DLFRunWriter(source, run)
            try writer.write()
            (notes, faults) = (writer.notes, writer.faults)
        } else {
            let writer = try BCSVRunWriter(source, run, try encoding.runOptions(source, run.file("probe.bcsv")))
            try writer.write()
            (notes, faults) = (writer.notes, writer.faults)
        }
    } catch {
        run.discard()
        throw Failure(named(error, path))
    }
    do { try run.commit() } catch { throw Failure(error) }
    for note in source.notes + notes { Console.error("ticklog: note: \(terminalText(path)): \(terminalText(note))\n") }
    return Console.report(source.faults + faults)
}

/// What is wrong with the input as a whole has no path of its own.
private func named(_ fault: Fault, _ path: String) -> Fault {
    fault.path.isEmpty ? Fault(fault.kind, path, at: fault.offset, fault.text, code: fault.code) : fault
}

private func runSource(_ path: String, _ arguments: Arguments) throws(Fault) -> RunSource {
    guard case .run(let directory) = try Input(path) else {
        throw Fault(.unreadable, path, at: nil, "found a file, expected a run")
    }
    let run = try Run(directory)
    if directory.isLocked { Console.error("ticklog: note: \(terminalText(path)): the run was never closed\n") }
    return try StoredRun(run, salvage: arguments.has("salvage"))
}
