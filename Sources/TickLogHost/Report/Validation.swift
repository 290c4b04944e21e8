import TickLog

/// What validate found in one path.
public struct Validation {
    public let path: String
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

    public init(_ path: String) {
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
            case .rnog(let file):
                kind = "rnog"
                let summary = try RNOGSummary(file)
                rows = summary.packets
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

    /// Why it is not sound: what the system has refused or, if there is none, the first damage. Nil: it is sound.
    public var fault: Fault? {
        for fault in faults where fault.kind == .system { return fault }
        for survey in surveys where !survey.isSound {
            return survey.faults.first ?? Fault(.damaged, survey.path, at: nil, "found no end that is read, expected a whole file")
        }
        return faults.first
    }

    /// For a terminal.
    public var lines: [String] {
        var line = terminalText(path) + ": "
        if fault == nil {
            line += "sound, " + (samples.map { "\($0) samples" } ?? "\(rows) rows")
            line += (packets > 0 ? " in \(packets) packets" : "") + (isClosed ? "" : ", not closed")
        } else {
            line += kind == "unknown" ? "not readable" : "damaged or torn, "
            if kind != "unknown" { line += samples.map { "\($0) samples are whole" } ?? "\(rows) rows verify" }
            if unverified > 0 { line += ", \(unverified) whole rows of a torn packet are not covered by a checksum" }
        }
        var lines = [line]
        for survey in surveys { for fault in survey.faults { lines.append("  " + fault.message) } }
        for fault in faults { lines.append("  " + fault.message) }
        for note in notes { lines.append("  note: " + note.message) }
        return lines
    }

    /// One object, and the end of its line.
    public func json(_ output: Output) {
        var writer = JSONWriter(output)
        writer.begin("{")
        writer.field("path", path)
        writer.field("kind", kind)
        writer.field("sound", fault == nil)
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
            for i in 0..<survey.damages.count { writer.damage(of: survey, at: i, withPath: true) }
        }
        for fault in faults { writer.fault(fault) }
        writer.end("]")
        if samples != nil { writer.faults("notes", notes) }
        writer.end("}")
        output.byte(0x0A)
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
                writer.field(name, value)
            }
            writer.field("tail_offset", file.end)
            writer.field("tail_bytes", file.tailBytes)
            writer.end("}")
        }
        writer.end("]")
    }
}
