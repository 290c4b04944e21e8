import TickLogHost

func repairCommand() -> Command {
    Command(
        name: "repair", summary: "makes a sound file of what verifies",
        help: """
            Usage: ticklog repair PATH [-o OUT | --in-place] [--keep-unverified] [--json]

            Keeps all packets of a BCSV file that verify, writes a new footer, reads the result, and only then says ok.
            Rows behind missing ones move up: their numbers are new. Keeps all whole samples of a DLF file, and computes
            its tick_span from them. What is sound and closed is left as it is.
            Of a .dat file, the good frames, or RNO-G packets, and of a BMS log the good records are kept as they are; what was
            compressed is so again.
            A run's directory: each of its files; LOCK goes last, when all are sound, on the medium and verified.

              --out OUT           where the result goes; PATH.repaired unless given. -o is the same
              --in-place          the result takes the place of PATH, which stays as PATH.orig
              --keep-unverified   of a torn last packet, keeps the whole rows, which no checksum covers (not in batches)
              --json              one JSON object
              --help, --version

            Exit code 0: the result is sound, or there was nothing to repair. 1: it cannot be repaired; nothing was
            written. The file header has no checksum and nothing to rebuild it from: a file with a damaged one stays as
            it is, and so does a run without a whole meta file. Archives are not repaired: unpack them first.

            Examples:
              ticklog repair torn.bcsv
              ticklog repair --in-place runs/2f1c...

            """,
        options: [
            Option("out", takesValue: true), Option("in-place"), Option("keep-unverified"), Option("json"),
        ],
        run: { (arguments) throws(Failure) in try repair(arguments) })
}

private func repair(_ arguments: Arguments) throws(Failure) -> Int32 {
    var path = try arguments.operand("a BCSV or DLF file, or a run's directory")
    if arguments.has("in-place"), arguments.has("out") {
        throw .usage("found both --in-place and --out, expected one of them")
    }
    if path == "-" { throw .usage("found -, expected the path of a file") }
    let report: RepairReport?
    do throws(Fault) {
        let input = try Repairable(path, inPlace: arguments.has("in-place"))
        while path.utf8.count > 1, path.utf8.last == 0x2F { path = String(decoding: path.utf8.dropLast(), as: UTF8.self) }
        var options = RepairOptions()
        options.keepsUnverified = arguments.has("keep-unverified")
        options.copiesSound = arguments.has("out")
        if !arguments.has("in-place") { options.out = arguments.value("out") ?? path + ".repaired" }
        // Nil: no such rows are there to be kept.
        report = options.keepsUnverified && !input.hasUnverified ? nil : try RepairReport(path, input, options)
    } catch {
        throw Failure(error)
    }
    guard let report else { throw .usage("found --keep-unverified, which needs a BCSV file") }
    let output = Output(descriptor: 1)
    if arguments.has("json") { report.json(output) } else { for line in report.lines { output.line(line) } }
    try output.finish()
    return Exit.ok
}
