import TickLog

/// What became of a DLF file, or of a run of them.
struct DLFRepaired {
    private let path: String
    private let out: String?
    /// With where each is now; nil if it is where it was.
    private let files: [(repair: DLFRepair, out: String?)]
    private let faults: [Fault]
    private let notes: [Fault]
    /// Something was written, or LOCK removed.
    private let isRepaired: Bool
    private let removedLock: Bool
    private let isRun: Bool

    /// One file.
    init(_ survey: DLFSurvey, _ options: RepairOptions) throws(Fault) {
        let isLocked = kind(of: survey.path.directory.file("LOCK")) == .file
        var repair = try DLFRepair(alone: survey, isLocked: isLocked)
        if repair.isNeeded || (options.copiesSound && options.out != nil) { _ = try repair.replace(options.out) }
        path = survey.path
        out = options.out
        files = [(repair, repair.isNeeded || options.copiesSound ? out : nil)]
        faults = survey.fault.map { [$0] } ?? []
        notes = survey.notes
        isRepaired = repair.isNeeded
        removedLock = false
        isRun = false
    }

    init(_ survey: DLFRunSurvey, _ options: RepairOptions) throws(Fault) {
        let repair = try DLFRunRepair(survey)
        let out = options.out
        let isCopied = out != nil && (!survey.isFinished || options.copiesSound)
        if isCopied, let out {
            try repair.copy(to: out)
        } else if !survey.isFinished {
            try repair.replace()
        }
        path = survey.path
        self.out = isCopied ? out : nil
        files = survey.repairs.map { file in (file, isCopied ? out?.file(file.path.lastComponent) : nil) }
        faults = survey.faults
        notes = survey.notes
        isRepaired = !survey.isFinished
        removedLock = survey.isLocked && !isCopied
        isRun = true
    }

    var lines: [String] {
        var lines: [String] = []
        for (repair, out) in files {
            var line = terminalText(repair.path) + ": "
            if repair.isNeeded {
                line += "repaired, \(repair.samples) samples kept"
                for change in repair.changes { line += ", " + terminalText(change) }
            } else {
                line += isRepaired ? "sound, \(repair.samples) samples, left as it is" : "sound and closed, nothing to repair"
                if out != nil { line += ", copied" }
            }
            if let out { line += ", in " + terminalText(out) }
            lines.append(line)
            for fault in faults where fault.path == repair.path { lines.append("  " + fault.message) }
            for note in notes where note.path == repair.path { lines.append("  note: " + note.message) }
        }
        for fault in faults where fault.path == path && isRun { lines.append("  " + fault.message) }
        if removedLock { lines.append(terminalText(path) + ": LOCK removed, the run is closed") }
        return lines
    }

    func json(_ writer: inout JSONWriter) {
        writer.begin("{")
        writer.field("path", path)
        writer.field("out", out)
        writer.field("repaired", isRepaired)
        if isRun { writer.field("lock_removed", removedLock) }
        writer.key("files")
        writer.begin("[")
        for (repair, out) in files {
            writer.begin("{")
            writer.field("path", repair.path)
            writer.field("out", out)
            writer.field("repaired", repair.isNeeded)
            writer.field("samples", repair.samples)
            writer.field("tick_span_before", repair.survey?.tickSpan)
            writer.field("tick_span", repair.tickSpan)
            writer.field("bytes_cut", repair.bytesCut)
            writer.key("cut_at")
            if repair.bytesCut > 0, let survey = repair.survey { writer.number(Int64(survey.end)) } else { writer.null() }
            writer.key("changes")
            writer.begin("[")
            for change in repair.changes { writer.string(change) }
            writer.end("]")
            writer.end("}")
        }
        writer.end("]")
        writer.faults("damage", faults)
        writer.faults("notes", notes)
        writer.end("}")
    }
}
