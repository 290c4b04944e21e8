import CPosix
import TickLog
import TickLogHost

/// Converts a file of packets; `kind`: these alone. OUT's extension, or --to, says to what.
func convertRNOG(_ file: RNOGFile, _ out: String, _ only: RNOGKind?, _ arguments: Arguments) throws(Failure) -> Int32 {
    if arguments.has("format") { throw .usage("found --format with RNO-G packets as IN, expected a file or directory of tables as OUT") }
    if out.utf8.last == 0x2F { return try convertAll(file, out, only, arguments) }
    let format = try outputFormat(out, arguments)
    // Encoding knows gzip's levels as well, but not its files.
    let salvage = arguments.has("salvage")
    if format == "dat" || format == "gz" { return try convertPackets(file, out, only, gzip: format == "gz", arguments) }
    let made = try NewFile(opening: out == "-" ? temporaryPath() : out, replacing: arguments.has("force"))
    var faults: [Fault] = []
    if format == "jsonl" {
        faults = try writeLines(file, only, Output(descriptor: out == "-" ? 1 : made.descriptor, path: out), salvage: salvage)
    } else if format == "csv" {
        let table = try rnogTable(file, .packets, only, salvage: salvage)
        faults = try writeText(
            table, of: file.path, out == "-" ? Output(descriptor: 1) : Output(descriptor: made.descriptor, path: out), "csv",
            salvage: salvage)
    } else if format == "parquet" {
        let table = try rnogTable(file, .samples, only, salvage: salvage)
        faults = try writeParquet(
            table, of: file.path, out == "-" ? Output(descriptor: 1) : Output(descriptor: made.descriptor, path: out),
            ParquetOptions(), salvage: salvage)
    } else {
        faults = try writeTable(file, only, made, arguments)
        if out == "-" { try copyToOutput(made.temporaryPath) }
    }
    if out == "-" {
        made.discard()
    } else {
        do { try made.commit() } catch { throw Failure(error) }
    }
    return Console.report(faults)
}

private func outputFormat(_ out: String, _ arguments: Arguments) throws(Failure) -> String {
    let to = try arguments.choice("to", ["bcsv", "csv", "jsonl", "parquet", "dat", "gz"], or: "")
    if !to.isEmpty { return to }
    switch out.fileExtension {
    case "bcsv", "bcs": return "bcsv"
    case "csv": return "csv"
    case "jsonl", "ndjson": return "jsonl"
    case "parquet": return "parquet"
    case "dat": return "dat"
    case "gz": return "gz"
    default:
        throw .usage("found OUT '\(terminalText(out))', expected a name that ends with .bcsv, .csv, .jsonl, .parquet, .dat, .gz or /, or --to")
    }
}

/// A BCSV file, made beside its place; its name is not taken yet.
private func writeTable(_ file: RNOGFile, _ only: RNOGKind?, _ made: NewFile, _ arguments: Arguments) throws(Failure) -> [Fault] {
    let salvage = arguments.has("salvage")
    made.freeName()
    let encoding = try Encoding(arguments)
    let table = try rnogTable(file, .samples, only, salvage: salvage)
    return try writeBCSV(table, of: file.path, nil, made.temporaryPath, encoding.logged, salvage: salvage)
}

/// A directory with a table of each kind. The files get their names together.
private func convertAll(_ file: RNOGFile, _ out: String, _ only: RNOGKind?, _ arguments: Arguments) throws(Failure) -> Int32 {
    let to = try arguments.choice("to", ["bcsv", "csv"], or: "bcsv")
    var kinds: [RNOGKind]
    do throws(Fault) { kinds = try file.kinds() } catch { throw Failure(error) }
    if let only { kinds = kinds.filter { $0 == only } }
    if mkdir(out, 0o777) != 0, cposix_errno() != EEXIST { throw Failure(FileError(out, "make", cposix_errno())) }
    let salvage = arguments.has("salvage")
    var files: [NewFile] = []
    var faults: [Fault] = []
    for kind in kinds {
        let path = out.file(staticText(kind.name) + "." + to)
        let made = try NewFile(opening: path, replacing: arguments.has("force"))
        files.append(made)
        if to == "bcsv" {
            faults = try writeTable(file, kind, made, arguments)
        } else {
            let table = try rnogTable(file, .packets, kind, salvage: salvage)
            faults = try writeText(table, of: file.path, Output(descriptor: made.descriptor, path: path), "csv", salvage: salvage)
        }
    }
    for made in files { do { try made.commit() } catch { throw Failure(error) } }
    return Console.report(faults)
}

private func convertPackets(
    _ file: RNOGFile, _ out: String, _ only: RNOGKind?, gzip: Bool, _ arguments: Arguments
) throws(Failure) -> Int32 {
    let level = try arguments.unsigned("level") ?? 6
    guard !gzip || (1...9).contains(level) else { throw .usage("--level: found \(level), expected 1 to 9") }
    let made = try NewFile(opening: out == "-" ? temporaryPath() : out, replacing: arguments.has("force"))
    let output = out == "-" ? Output(descriptor: 1) : Output(descriptor: made.descriptor, path: out)
    var faults: [Fault]
    do throws(Fault) {
        let summary = try RNOGSummary(file)
        faults = summary.faults
        for fault in faults where fault.kind != .torn && !arguments.has("salvage") { throw fault }
        _ = try file.copy(to: try PacketOutput(output, gzip: gzip ? Int(level) : nil), upgraded: true, only: only)
    } catch {
        throw Failure(error)
    }
    if out == "-" {
        made.discard()
    } else {
        do { try made.commit() } catch { throw Failure(error) }
    }
    return Console.report(faults)
}

private func writeLines(_ file: RNOGFile, _ only: RNOGKind?, _ output: Output, salvage: Bool) throws(Failure) -> [Fault] {
    let printer = RNOGPrinter(output, samples: true, only: only)
    let walk: RNOGWalk
    do { walk = try RNOGWalk(file) } catch { throw Failure(error) }
    var faults: [Fault] = []
    while output.isOpen, let piece = walk.next() {
        switch piece {
        case .packet(let packet): printer.print(packet)
        case .damage(let damage): if faults.count < FrameSummary.mostDamages { faults.append(damage.fault(file.path)) }
        }
    }
    if let fault = walk.fault { faults.append(fault) }
    try output.finish()
    for fault in faults where fault.kind != .torn && !salvage { throw Failure(fault) }
    return faults
}
