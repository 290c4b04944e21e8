import TickLog
import TickLogHost

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

    /// One file. `out` nil: in place. `always`: a sound file is copied, since somebody asked for OUT.
    init(_ survey: DLFSurvey, out: String?, always: Bool) throws(Failure) {
        do throws(Fault) {
            let isLocked = kind(of: survey.path.directory.file("LOCK")) == .file
            let repair = try DLFRepair(alone: survey, isLocked: isLocked)
            if repair.isNeeded || (always && out != nil) { try repair.replace(out) }
            path = survey.path
            self.out = out
            files = [(repair, repair.isNeeded || always ? out : nil)]
            faults = survey.fault.map { [$0] } ?? []
            notes = survey.notes
            isRepaired = repair.isNeeded
            removedLock = false
            isRun = false
        } catch {
            throw Failure(error)
        }
    }

    /// A run. `out` nil: in place.
    init(_ survey: DLFRunSurvey, out: String?, always: Bool) throws(Failure) {
        do throws(Fault) {
            let repair = try DLFRunRepair(survey)
            let isCopied = out != nil && (!survey.isFinished || always)
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
        } catch {
            throw Failure(error)
        }
    }

    func text(_ output: Output) {
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
            output.line(line)
            for fault in faults where fault.path == repair.path { output.line("  " + fault.message) }
            for note in notes where note.path == repair.path { output.line("  note: " + note.message) }
        }
        for fault in faults where fault.path == path && isRun { output.line("  " + fault.message) }
        if removedLock { output.line(terminalText(path) + ": LOCK removed, the run is closed") }
    }

    func json(_ writer: JSONWriter) {
        var writer = writer
        writer.begin("{")
        writer.field("path", path)
        writer.key("out")
        if let out { writer.string(out) } else { writer.null() }
        writer.field("repaired", isRepaired)
        if isRun { writer.field("lock_removed", removedLock) }
        writer.key("files")
        writer.begin("[")
        for (repair, out) in files {
            writer.begin("{")
            writer.field("path", repair.path)
            writer.key("out")
            if let out { writer.string(out) } else { writer.null() }
            writer.field("repaired", repair.isNeeded)
            writer.field("samples", repair.samples)
            writer.key("tick_span_before")
            if let before = repair.survey?.tickSpan { writer.number(before) } else { writer.null() }
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
        writer.output.byte(0x0A)
    }
}

extension JSONWriter {
    mutating func faults(_ name: String, _ faults: [Fault]) {
        key(name)
        begin("[")
        for fault in faults {
            begin("{")
            field("path", fault.path)
            key("offset")
            if let offset = fault.offset { number(Int64(offset)) } else { null() }
            field("torn", fault.kind == .torn)
            field("text", fault.text)
            end("}")
        }
        end("]")
    }
}
