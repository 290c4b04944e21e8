import TickLog
import TickLogHost

func validateCommand() -> Command {
    Command(
        name: "validate", summary: "checks every checksum and structure",
        help: """
            Usage: ticklog validate PATH... [--json]

            Reads BCSV or DLF files, or runs' directories, whole: every checksum, length and row. Lists what is damaged,
            with offsets and the rows that are missing.

              --json     one JSON object for each PATH, a line each
              --help, --version

            Exit code 0: all are sound. A file that was never closed is sound if it ends with a whole packet ("closed":
            false). 1: bytes are torn or damaged.

            Examples:
              ticklog validate runs/*
              ticklog validate --json polled.bcsv

            """,
        options: [Option("json")],
        run: { (arguments) throws(Failure) in
            guard !arguments.operands.isEmpty else { throw .usage("found no operand, expected files or directories of runs") }
            let output = Output(descriptor: 1)
            var code = Exit.ok
            for path in arguments.operands {
                let report = Validation(path)
                if arguments.has("json") { report.json(JSONWriter(output)) } else { report.text(output) }
                code = max(code, report.code)
            }
            try output.finish()
            return code
        })
}

/// What validate found in one path.
struct Validation {
    let path: String
    private(set) var kind = "unknown"
    private(set) var isClosed = false
    private(set) var rows: UInt64 = 0
    private(set) var unverified: UInt64 = 0
    private(set) var packets = 0
    private(set) var surveys: [BCSVSurvey] = []
    /// What is no damage that a survey has.
    private(set) var faults: [Fault] = []
    private(set) var notes: [Fault] = []

    init(_ path: String) {
        self.path = path
        do throws(Fault) {
            switch try Input(path) {
            case .bcsv(let file):
                kind = "bcsv"
                add(try BCSVSurvey(file))
                isClosed = surveys[0].isClosed
            case .dlf(let file):
                kind = "dlf"
                add(FileSummary(file))
                isClosed = faults.isEmpty
            case .dlfMeta:
                kind = "dlf-meta"
                isClosed = true
            case .run(let directory):
                kind = "run"
                try add(directory)
                isClosed = !directory.isLocked
            }
        } catch {
            faults.append(error)
        }
    }

    private mutating func add(_ survey: BCSVSurvey) {
        surveys.append(survey)
        rows += survey.rows
        unverified += survey.unverifiedRows
        packets += survey.packets
    }

    private mutating func add(_ summary: FileSummary) {
        rows += summary.rows
        faults += summary.faults
    }

    private mutating func add(_ directory: RunDirectory) throws(Fault) {
        let summary = try RunSummary(directory)
        guard directory.format == .bcsv else {
            for file in summary.polled + summary.events { rows += file.rows }
            faults += summary.faults
            return
        }
        var paths = [directory.metaPath]
        if let streams = directory.streamsPath { paths.append(streams) }
        for path in paths + directory.polledPaths + directory.eventPaths {
            do throws(Fault) { add(try BCSVSurvey(directory.bcsv(path))) } catch { faults.append(error) }
        }
        // What the files say of each other. What one of them says of itself is there already.
        for fault in summary.faults {
            var isKnown = false
            for survey in surveys where survey.path == fault.path && !survey.faults.isEmpty { isKnown = true }
            for other in faults where other.message == fault.message { isKnown = true }
            for survey in surveys where survey.path == fault.path && survey.isSound && fault.kind == .torn { isKnown = true }
            if !isKnown { faults.append(fault) }
        }
    }

    var code: Int32 {
        var code = Exit.ok
        for survey in surveys where !survey.isSound { code = Exit.damaged }
        for fault in faults { code = max(code, fault.kind == .system ? Exit.system : Exit.damaged) }
        return code
    }

    func text(_ output: Output) {
        var line = terminalText(path) + ": "
        if code == Exit.ok {
            line += "sound, \(rows) rows" + (packets > 0 ? " in \(packets) packets" : "") + (isClosed ? "" : ", not closed")
        } else {
            line += kind == "unknown" ? "not readable" : "damaged or torn, \(rows) rows verify"
            if unverified > 0 { line += ", \(unverified) whole rows of a torn packet are not covered by a checksum" }
        }
        output.line(line)
        for survey in surveys { for fault in survey.faults { output.line("  " + fault.message) } }
        for fault in faults { output.line("  " + fault.message) }
    }

    func json(_ writer: JSONWriter) {
        var writer = writer
        writer.begin("{")
        writer.field("path", path)
        writer.field("kind", kind)
        writer.field("sound", code == Exit.ok)
        writer.field("closed", isClosed)
        writer.field("rows", rows)
        writer.field("unverified_rows", unverified)
        writer.field("packets", packets)
        writer.key("damage")
        writer.begin("[")
        for survey in surveys {
            for i in 0..<survey.damages.count {
                let damage = survey.damages[i]
                writer.begin("{")
                writer.field("path", survey.path)
                writer.field("offset", damage.error.offset)
                writer.field("torn", damage.isTorn)
                writer.field("skipped_from", damage.skipped.lowerBound)
                writer.field("skipped_bytes", damage.skipped.count)
                writer.field("first_row", damage.firstRow)
                writer.key("rows")
                if let rows = damage.rows { writer.number(rows) } else { writer.null() }
                writer.field("text", survey.faults[i].text)
                writer.end("}")
            }
        }
        for fault in faults {
            writer.begin("{")
            writer.field("path", fault.path)
            writer.key("offset")
            if let offset = fault.offset { writer.number(Int64(offset)) } else { writer.null() }
            writer.field("torn", fault.kind == .torn)
            writer.field("text", fault.text)
            writer.end("}")
        }
        writer.end("]")
        writer.end("}")
        writer.output.byte(0x0A)
    }
}
