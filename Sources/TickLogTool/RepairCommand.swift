import CPosix
import TickLog
import TickLogHost

func repairCommand() -> Command {
    Command(
        name: "repair", summary: "makes a sound file of what verifies",
        help: """
            Usage: ticklog repair PATH [-o OUT | --in-place] [--keep-unverified] [--json]

            Keeps all packets of a BCSV file that verify, writes a new footer, reads the result, and only then says ok.
            Rows behind missing ones move up: their numbers are new. Keeps all whole samples of a DLF file, and computes
            its tick_span from them. What is sound and closed is left as it is.
            Of a .dat file the good frames, of a BMS log the good records are kept as they are.
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
    let input: RepairInput
    do { input = try RepairInput(path, inPlace: arguments.has("in-place")) } catch { throw Failure(error) }
    while path.utf8.count > 1, path.utf8.last == 0x2F { path = String(decoding: path.utf8.dropLast(), as: UTF8.self) }
    // Nil: in place.
    let out = arguments.has("in-place") ? nil : arguments.value("out") ?? path + ".repaired"
    let asked = arguments.has("out")
    let output = Output(descriptor: 1)
    switch input {
    case .bcsv, .bcsvRun:
        let results = try repairBCSV(input, out: out, always: asked, keepUnverified: arguments.has("keep-unverified"))
        if arguments.has("json") { json(path, results, JSONWriter(output)) } else { for result in results { text(result, output) } }
    case .frames(let file): return try repairFrames(file, path, arguments)
    case .bms(let file): return try repairBMS(file, path, arguments)
    case .dlf(let survey):
        let result = try DLFRepaired(survey, out: out, always: asked)
        if arguments.has("json") { result.json(JSONWriter(output)) } else { result.text(output) }
    case .dlfRun(let survey):
        let result = try DLFRepaired(survey, out: out, always: asked)
        if arguments.has("json") { result.json(JSONWriter(output)) } else { result.text(output) }
    }
    try output.finish()
    return Exit.ok
}

/// What can be repaired.
enum RepairInput {
    case bcsv(BCSVFile)
    case bcsvRun(RunDirectory)
    case dlf(DLFSurvey)
    case dlfRun(DLFRunSurvey)
    case frames(FrameFile)
    case bms(BMSFile)

    init(_ path: String, inPlace: Bool) throws(Fault) {
        if kind(of: path) == .directory {
            if inPlace {
                for name in ["polled.dlf", "event.dlf", "loss.dlf", "POLLED.DLF", "EVENT.DLF", "LOSS.DLF"] {
                    try restoreOriginal(path.file(name))
                }
            }
        } else {
            let file: MappedFile
            do { file = try MappedFile(path, wanted: Input.isPossible) } catch { throw Fault(error) }
            if let survey = DLFSurvey(alone: file) {
                self = .dlf(survey)
                return
            }
        }
        switch try Input(path) {
        case .bcsv(let file): self = .bcsv(file)
        case .frames(let file): self = .frames(file)
        case .bms(let file): self = .bms(file)
        case .dlf(let file): throw Fault(.unreadable, file.path, at: nil, "found a DLF file of no known kind, expected polled or event")
        case .dlfMeta(let file, _):
            throw Fault(.unreadable, file.path, at: nil, "found a meta file of DLF, expected another: it is read whole or not at all")
        case .run(let directory):
            guard directory.archive == nil else {
                throw Fault(
                    .unreadable, path, at: nil,
                    "found the archive of a run, expected its directory: archives are not repaired, unpack it first")
            }
            self = directory.format == .dlf ? .dlfRun(try DLFRunSurvey(directory)) : .bcsvRun(directory)
        }
    }
}
