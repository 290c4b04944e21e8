import TickLog
import TickLogHost

func mcapOptionHelp() -> String {
    """
      --chunk-bytes N     of messages, 1024 to 268435456; 1048576 unless given

    """
}

/// Whether OUT is to be MCAP.
func isMCAP(_ arguments: Arguments, _ out: String) -> Bool {
    if let to = arguments.value("to") { return to == "mcap" }
    return !arguments.has("format") && out.fileExtension == "mcap"
}

/// `convert` with MCAP as OUT: of a run all streams, of anything else one channel.
func convertMCAP(_ arguments: Arguments, _ out: String) throws(Failure) -> Int32 {
    for option in parquetOptionList() where option.name != "compression" && arguments.has(option.name) {
        throw .usage("found --\(option.name) with MCAP as OUT, expected it with Parquet")
    }
    if arguments.has("events") { throw .usage("found --events with MCAP as OUT, expected it without: it has all streams of a run") }
    if arguments.has("format") { throw .usage("found --format with --to mcap, expected one of them") }
    var options = MCAPOptions()
    options.compression = try arguments.choice("compression", ["lz4", "none"], or: "lz4") == "lz4" ? .lz4 : .none
    options.chunkBytes = Int(try arguments.number("chunk-bytes", 1024...1 << 28, or: UInt64(options.chunkBytes)))
    var time = MCAPTime()
    (time.tickNs, time.epochNs) = try tableTime(arguments)
    let path = arguments.operands[0]
    let input = try TableInput(path, arguments)
    input.printNotes()
    if case .run(let run) = input.source {
        for option in ["tick-ns", "epoch-ns"] where arguments.has(option) {
            throw .usage("found --\(option) with a run as IN, which has its own")
        }
        if run.directory.isLocked { Console.error("ticklog: note: \(terminalText(path)): the run was never closed\n") }
    }

    let file = out == "-" ? nil : try NewFile(opening: out, replacing: arguments.has("force"))
    let output = Output(descriptor: file?.descriptor ?? 1, path: out == "-" ? "standard output" : out)
    let report: TableReport
    do throws(Fault) {
        if case .run(let run) = input.source {
            report = try run.writeMCAP(to: output, options, salvage: input.salvage)
        } else {
            report = try input.open().writeMCAP(
                of: path, topic: topic(of: path), to: output, options, time: time, salvage: input.salvage)
        }
    } catch { throw Failure(error) }
    if let file { do throws(FileError) { try file.commit() } catch { throw Failure(error) } }
    for note in report.notes { Console.error("ticklog: note: \(terminalText(path)): \(terminalText(note))\n") }
    if case .run = input.source { return Console.report(report.faults) }
    return Console.report(input.faults + report.faults)
}

/// The file's name without its extension.
private func topic(of path: String) -> String {
    guard path != "-" else { return "table" }
    let name = Array(path.lastComponent.utf8)
    guard let dot = name.lastIndex(of: 0x2E), dot > 0 else { return path.lastComponent }
    return String(decoding: name[..<dot], as: UTF8.self)
}
