import CPosix
import TickLog
import TickLogHost

/// `convert` with a run as OUT.
func convertRun(_ arguments: Arguments, _ out: String) throws(Failure) -> Int32 {
    let isDLF = try arguments.choice("format", ["bcsv", "dlf"], or: "bcsv") == "dlf"
    if arguments.has("to") { throw .usage("found --to with a run as OUT, expected --format") }
    guard out != "-" else { throw .usage("found - as OUT with --format, expected a directory") }
    _ = try parquetOptions(arguments, "run")
    let encoding = try Encoding(arguments)
    let path = arguments.operands[0]
    let (tickNs, epochNs) = try tableTime(arguments)
    let input = try TableInput(path, arguments, isRun: true)
    for option in ["tick-ns", "epoch-ns"] where arguments.has(option) {
        if case .run = input.source { throw .usage("found --\(option) with a run as IN, which has its own") }
    }
    let source: RunSource
    do throws(Fault) { source = try runSource(input, tickNs, epochNs) } catch { throw Failure(named(error, path)) }
    input.printNotes()
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

/// Time of a table that becomes a run, or MCAP.
func tableTime(_ arguments: Arguments) throws(Failure) -> (tickNs: UInt64, epochNs: Int64) {
    let tickNs = try arguments.unsigned("tick-ns") ?? 1_000_000
    guard tickNs > 0 else { throw .usage("--tick-ns: found 0, expected nanoseconds of a tick") }
    let epoch = arguments.value("epoch-ns") ?? "0"
    guard let epochNs = Int64(epoch) else { throw .usage("--epoch-ns: found '\(terminalText(epoch))', expected a whole number") }
    return (tickNs, epochNs)
}

private func runSource(_ input: TableInput, _ tickNs: UInt64, _ epochNs: Int64) throws(Fault) -> RunSource {
    switch input.source {
    case .run(let run):
        if run.directory.isLocked { Console.error("ticklog: note: \(terminalText(input.path)): the run was never closed\n") }
        return try StoredRun(run, salvage: input.salvage)
    case .dlf, .row:
        throw Fault(.unreadable, input.path, at: nil, "found one file of a run, expected the run's directory or archive")
    default:
        return try TableRun(input.path, tickNs: tickNs, epochNs: epochNs) { () throws(Fault) in try input.open() }
    }
}
