import TickLog
import TickLogHost

func validateCommand() -> Command {
    Command(
        name: "validate", summary: "checks every checksum and structure",
        help: """
            Usage: ticklog validate PATH... [--json]

            Reads BCSV, DLF or .dat files, BMS logs, or runs (directories or archives of them), whole: every checksum, length and row.
            Lists what is damaged, with offsets and the rows that are missing. DLF has no checksums: its headers, lengths
            and tick_span must agree.

              --json     one JSON object for each PATH, a line each
              --help, --version

            Exit code 0: all are sound. A file that was never closed is sound if it ends with a whole packet, or sample of
            DLF ("closed": false). 1: bytes are torn or damaged, or a run of DLF without LOCK ends elsewhere than its
            tick_span says.

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
    /// DLF: whole samples, without those of declared losses.
    private(set) var samples: UInt64?
    private(set) var dlf: [DLFSurvey] = []
    /// What is no damage that a survey has.
    private(set) var faults: [Fault] = []
    /// What is peculiar, and no damage.
    private(set) var notes: [Fault] = []

    init(_ path: String) {
        self.path = path
        do throws(Fault) {
            let input: Input
            if path != "-", TickLogHost.kind(of: path) == .directory {
                input = try Input(path)
            } else {
                let file: MappedFile
                do { file = try MappedFile(path, wanted: Input.isPossible) } catch { throw Fault(error) }
                if let survey = DLFSurvey(alone: file) {
                    kind = "dlf"
                    add(survey)
                    return
                }
                input = try Input(file)
            }
            switch input {
            case .bcsv(let file):
                kind = "bcsv"
                add(try BCSVSurvey(file))
                isClosed = surveys[0].isClosed
            case .dlf(let file):
                kind = "dlf"
                add(DLFSurvey(file.file, as: file.header.isEvents ? .event : .polled))
            case .frames(let file):
                kind = "frames"
                let summary = FrameSummary(file)
                rows = summary.frames
                faults += summary.faults
                isClosed = !summary.isTorn
            case .bms(let file):
                kind = "bms-log"
                let summary = BMSSummary(file)
                rows = summary.words
                packets = Int(clamping: summary.packets + summary.others)
                faults += summary.faults
                isClosed = !summary.isTorn
            case .dlfMeta:
                kind = "dlf-meta"
                isClosed = true
            case .run(let directory):
                kind = "run"
                try add(directory)
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

    private mutating func add(_ survey: DLFSurvey) {
        dlf = [survey]
        samples = survey.samples
        notes = survey.notes
        if let fault = survey.fault { faults.append(fault) }
        let isLocked = path != "-" && TickLogHost.kind(of: path.directory.file("LOCK")) == .file
        guard faults.isEmpty, let stored = survey.tickSpan else { return }
        let span = survey.spanAlone(isLocked: isLocked)
        isClosed = stored == span && !isLocked
        if stored != span {
            notes.append(Fault(.torn, path, at: 3, "found tick_span \(stored), expected \(span): the file was not closed"))
        }
    }

    private mutating func add(_ directory: RunDirectory) throws(Fault) {
        if directory.format == .dlf {
            let survey = try DLFRunSurvey(directory)
            dlf = survey.files
            samples = survey.samples
            faults = survey.faults
            notes = survey.notes
            isClosed = survey.isClosed
            return
        }
        isClosed = !directory.isLocked
        let summary = try RunSummary(directory)
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
            line += "sound, " + (samples.map { "\($0) samples" } ?? "\(rows) rows")
            line += (packets > 0 ? " in \(packets) packets" : "") + (isClosed ? "" : ", not closed")
        } else {
            line += kind == "unknown" ? "not readable" : "damaged or torn, "
            if kind != "unknown" { line += samples.map { "\($0) samples are whole" } ?? "\(rows) rows verify" }
            if unverified > 0 { line += ", \(unverified) whole rows of a torn packet are not covered by a checksum" }
        }
        output.line(line)
        for survey in surveys { for fault in survey.faults { output.line("  " + fault.message) } }
        for fault in faults { output.line("  " + fault.message) }
        for note in notes { output.line("  note: " + note.message) }
    }

    func json(_ writer: JSONWriter) {
        var writer = writer
        writer.begin("{")
        writer.field("path", path)
        writer.field("kind", kind)
        writer.field("sound", code == Exit.ok)
        writer.field("closed", isClosed)
        if let samples {
            writer.field("samples", samples)
            files(&writer)
        } else {
            writer.field("rows", rows)
            writer.field("unverified_rows", unverified)
            writer.field("packets", packets)
        }
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
        if samples != nil { writer.faults("notes", notes) }
        writer.end("}")
        writer.output.byte(0x0A)
    }

    private func files(_ writer: inout JSONWriter) {
        writer.key("files")
        writer.begin("[")
        for file in dlf {
            writer.begin("{")
            writer.field("path", file.path)
            writer.field("bytes", file.size)
            writer.field("streams", file.streamCount)
            writer.field("data_offset", file.dataOffset)
            writer.field("samples", file.samples)
            for (name, value) in [("last_tick", file.lastTick), ("whole_ticks", file.wholeTicks), ("tick_span", file.tickSpan)] {
                writer.key(name)
                if let value { writer.number(value) } else { writer.null() }
            }
            writer.field("tail_offset", file.end)
            writer.field("tail_bytes", file.tailBytes)
            writer.end("}")
        }
        writer.end("]")
    }
}
