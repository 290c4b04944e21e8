import CPosix
import TickLog
import TickLogHost

/// What became of one file.
struct Repaired {
    let path: String
    let repair: BCSVRepair?
    let out: String?
    let text: String
}

/// A BCSV file, or a run's directory with such files. `out` nil: in place.
func repairBCSV(_ input: RepairInput, out: String?, always: Bool, keepUnverified: Bool) throws(Failure) -> [Repaired] {
    switch input {
    case .bcsv(let file): [try repairFile(file, out: out, always: always, keepUnverified: keepUnverified)]
    case .bcsvRun(let directory): try repairRun(directory, out: out, keepUnverified: keepUnverified)
    default: []
    }
}

/// `out` nil: in place. `always`: a sound file is copied, since somebody asked for OUT.
private func repairFile(
    _ file: BCSVFile, out: String?, always: Bool, keepUnverified: Bool
) throws(Failure) -> Repaired {
    do throws(Fault) {
        var repair = try BCSVRepair(file)
        if repair.survey.isClosed {
            guard let out, always else {
                return Repaired(path: file.path, repair: repair, out: nil, text: "sound and closed, nothing to repair")
            }
            let copy = try newFile(out, replacing: false)
            let output = Output(descriptor: copy.descriptor, path: out)
            output.bytes(file.file.bytes.buffer)
            do throws(FileError) {
                try output.flush()
                try copy.commit()
            } catch {
                throw Fault(error)
            }
            return Repaired(path: file.path, repair: repair, out: out, text: "sound and closed, copied")
        }
        let made = try newFile(out ?? file.path, replacing: out == nil)
        try repair.write(file, to: Output(descriptor: made.descriptor, path: made.path), keepUnverified: keepUnverified)
        try repair.verify(made.temporaryPath)
        if out == nil { try keepOriginal(made.path) }
        do { try made.commit() } catch { throw Fault(error) }
        return Repaired(path: file.path, repair: repair, out: made.path, text: "repaired")
    } catch {
        throw Failure(error)
    }
}

func newFile(_ path: String, replacing: Bool) throws(Fault) -> NewFile {
    do { return try NewFile(path, replacing: replacing) } catch { throw Fault(error) }
}

private func repairRun(_ directory: RunDirectory, out: String?, keepUnverified: Bool) throws(Failure) -> [Repaired] {
    var results: [Repaired] = []
    do throws(Fault) {
        // The set of files must be whole: what is missing cannot be made.
        let run = try Run(directory)
        for fault in run.faults where fault.kind != .torn { throw fault }
        var files: [BCSVFile] = [try BCSVFile(directory.metaPath)]
        if let streams = directory.streamsPath { files.append(try BCSVFile(streams)) }
        // A last file of which only a part of the header is there holds no row.
        var begun: [String] = []
        for paths in [directory.polledPaths, directory.eventPaths] {
            for i in 0..<paths.count {
                do throws(Fault) {
                    files.append(try BCSVFile(paths[i]))
                } catch {
                    guard i > 0, i == paths.count - 1, directory.isLocked else { throw error }
                    begun.append(paths[i])
                }
            }
        }
        try refuseHoles(run, files)
        if let out { return try copyRun(directory, files, begun, to: out, keepUnverified) }
        for path in begun {
            guard rename(path, path + ".orig") == 0 else { throw Fault(FileError(path, "rename", cposix_errno())) }
            results.append(Repaired(path: path, repair: nil, out: nil, text: "begun and without a row; it is now .orig"))
        }
    } catch {
        throw Failure(error)
    }
    // All of them once more, from the medium.
    for path in try runPaths(directory) {
        do throws(Fault) {
            let file = try BCSVFile(path)
            do throws(Failure) {
                results.append(try repairFile(file, out: nil, always: false, keepUnverified: keepUnverified))
            } catch {
                throw Fault(.damaged, path, at: nil, error.message)
            }
        } catch {
            throw Failure(error)
        }
    }
    try verifyRun(directory.path)
    if directory.isLocked {
        syncDirectory(directory.path)
        guard unlink(directory.path.file("LOCK")) == 0 else {
            throw Failure(FileError(directory.path.file("LOCK"), "remove", cposix_errno()))
        }
        syncDirectory(directory.path)
    }
    return results
}

private func runPaths(_ directory: RunDirectory) throws(Failure) -> [String] {
    let now: RunDirectory?
    do { now = try RunDirectory(directory.path) } catch { throw Failure(error) }
    guard let now else { throw Failure(Exit.damaged, "\(terminalText(directory.path)): found no run any more, expected one") }
    return [now.metaPath] + (now.streamsPath.map { [$0] } ?? []) + now.polledPaths + now.eventPaths
}

/// Every file is sound and closed, and the run says the same of them.
private func verifyRun(_ path: String) throws(Failure) {
    let validation = Validation(path)
    for survey in validation.surveys where !survey.isClosed {
        throw Failure(Exit.damaged, "\(terminalText(survey.path)): found a file that is not sound after the repair, expected a sound one; LOCK stays")
    }
    for fault in validation.faults where fault.kind != .torn { throw Failure(fault) }
}

/// Without a column of ticks, a row's number is its time: rows must not move up.
private func refuseHoles(_ run: Run, _ files: [BCSVFile]) throws(Fault) {
    for file in files where run.directory.polledPaths.contains(file.path) {
        if file.columns[0].name == "tick", file.columns[0].type == .u64 { continue }
        let survey = try BCSVSurvey(file)
        for damage in survey.damages where !damage.isTorn && damage.rows != 0 {
            if damage.skipped.upperBound == file.file.bytes.count { continue }
            throw Fault(
                .damaged, file.path, at: damage.error.offset,
                "found missing rows in a polled file without a column of ticks, expected none: the rows behind them would get other times")
        }
    }
}

/// A directory with a repaired copy of every file, and no LOCK.
private func copyRun(
    _ directory: RunDirectory, _ files: [BCSVFile], _ begun: [String], to out: String, _ keepUnverified: Bool
) throws(Fault) -> [Repaired] {
    guard kind(of: out, following: false) == .missing else { throw Fault(FileError(out, "write", EEXIST)) }
    let temporary = out + ".part"
    guard mkdir(temporary, 0o777) == 0 else { throw Fault(FileError(temporary, "make", cposix_errno())) }
    var results: [Repaired] = []
    do throws(Failure) {
        for file in files {
            let result = try repairFile(
                file, out: temporary.file(file.path.lastComponent), always: true, keepUnverified: keepUnverified)
            results.append(Repaired(path: result.path, repair: result.repair, out: out.file(file.path.lastComponent), text: result.text))
        }
        for path in begun { results.append(Repaired(path: path, repair: nil, out: nil, text: "begun and without a row; it is left out")) }
        try verifyRun(temporary)
        guard rename(temporary, out) == 0 else { throw Failure(FileError(out, "rename to it", cposix_errno())) }
        syncDirectory(out.directory)
    } catch {
        if let names = try? names(in: temporary) { for name in names { removeFile(temporary.file(name)) } }
        _ = rmdir(temporary)
        throw Fault(error.code == Exit.system ? .system : .damaged, directory.path, at: nil, error.message)
    }
    return results
}

func text(_ result: Repaired, _ output: Output) {
    var line = terminalText(result.path) + ": " + result.text
    guard let repair = result.repair else { return output.line(line) }
    if repair.outcome == .repaired {
        line += ", \(repair.rows) rows kept"
        if repair.survey.unverifiedRows > 0 {
            line += repair.keptUnverified > 0
                ? ", \(repair.keptUnverified) of them from a torn packet, without a checksum"
                : ", \(repair.survey.unverifiedRows) whole rows of a torn packet left out (--keep-unverified keeps them)"
        }
        if let out = result.out { line += ", in " + terminalText(out) }
    }
    output.line(line)
    for fault in repair.survey.faults { output.line("  " + fault.message) }
}

func json(_ path: String, _ results: [Repaired], _ writer: JSONWriter) {
    var writer = writer
    writer.begin("{")
    writer.field("path", path)
    writer.key("files")
    writer.begin("[")
    for result in results {
        writer.begin("{")
        writer.field("path", result.path)
        writer.key("out")
        if let out = result.out { writer.string(out) } else { writer.null() }
        writer.field("repaired", result.repair?.outcome == .repaired)
        if let repair = result.repair {
            writer.field("rows", repair.rows)
            writer.field("unverified_rows", repair.survey.unverifiedRows)
            writer.field("unverified_kept", repair.keptUnverified)
            writer.key("damage")
            writer.begin("[")
            for i in 0..<repair.survey.damages.count {
                let damage = repair.survey.damages[i]
                writer.begin("{")
                writer.field("offset", damage.error.offset)
                writer.field("torn", damage.isTorn)
                writer.field("skipped_bytes", damage.skipped.count)
                writer.field("first_row", damage.firstRow)
                writer.key("rows")
                if let rows = damage.rows { writer.number(rows) } else { writer.null() }
                writer.field("text", repair.survey.faults[i].text)
                writer.end("}")
            }
            writer.end("]")
        }
        writer.end("}")
    }
    writer.end("]")
    writer.end("}")
    writer.output.byte(0x0A)
}
