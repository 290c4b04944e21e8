import CPosix
import TickLog

/// Repairs a run in the format DLF: in place, or as a new directory.
///
/// In place, the order is such that a crash at any moment leaves a run that a second repair brings to the same end: all
/// files are written beside their places, synced and read back; then each takes its name, the original staying under
/// another one; then all of the run is read once more; LOCK goes last.
public struct DLFRunRepair {
    public let survey: DLFRunSurvey

    /// - Throws: if the run cannot be repaired; then nothing is written.
    public init(_ survey: DLFRunSurvey) throws(Fault) {
        self.survey = survey
        guard survey.directory.archive == nil else {
            throw Fault(.unreadable, survey.path, at: nil, "found the archive of a run, expected its directory: archives are not repaired, unpack it first")
        }
        if let refusal = survey.refusal { throw refusal }
    }

    // MARK: In place

    public func replace() throws(Fault) {
        var made: [(new: NewFile, repair: DLFRepair)] = []
        for var repair in survey.repairs where repair.isNeeded {
            let new = try newFile(repair.path, replacing: repair.survey != nil)
            made.append((new, repair))
            try repair.fill(new)
        }
        try refuseGrowth(replaced: false)
        for (new, repair) in made {
            if repair.survey != nil { try keepOriginal(new.path) }
            do { try new.commit() } catch { throw Fault(error) }
        }
        // What was whole already may never have reached the medium: its writer has crashed.
        try sync(survey.directory.metaPath)
        for repair in survey.repairs where !repair.isNeeded { try sync(repair.path) }
        syncDirectory(survey.path)
        try DLFRunRepair.verify(survey.path, survey)
        guard let lock = survey.lockPath else { return }
        try refuseGrowth(replaced: true)
        guard unlink(lock) == 0 else { throw Fault(FileError(lock, "remove", cposix_errno())) }
        syncDirectory(survey.path)
    }

    /// A run that somebody still writes must not be repaired. `replaced`: those that are repaired have got their names.
    private func refuseGrowth(replaced: Bool) throws(Fault) {
        for repair in survey.repairs {
            guard let file = repair.survey, !(replaced && repair.isNeeded) else { continue }
            var status = stat()
            guard stat(file.path, &status) == 0 else { throw Fault(FileError(file.path, "stat", cposix_errno())) }
            let now = UInt64(clamping: status.st_size)
            guard now == file.size else {
                throw Fault(
                    .damaged, file.path, at: nil,
                    "found \(now) bytes now and \(file.size) before, expected a file that nobody writes: the run is not over")
            }
        }
    }

    // MARK: As a new directory

    /// A repaired copy of every file, and no LOCK, in a directory that is there as a whole or not at all.
    public func copy(to out: String) throws(Fault) {
        guard kind(of: out, following: false) == .missing else { throw Fault(FileError(out, "write", EEXIST)) }
        let part = out + ".part"
        try makePart(part)
        do throws(Fault) {
            let meta = try newFile(part.file(survey.directory.metaPath.lastComponent), replacing: false)
            let output = Output(descriptor: meta.descriptor, path: meta.path)
            do throws(FileError) {
                let file = try survey.directory.open(survey.directory.metaPath)
                withExtendedLifetime(file) { output.bytes(file.bytes.buffer) }
                try output.flush()
                try meta.commit()
            } catch {
                throw Fault(error)
            }
            for var repair in survey.repairs {
                let new = try newFile(part.file(repair.path.lastComponent), replacing: false)
                try repair.fill(new)
                do { try new.commit() } catch { throw Fault(error) }
            }
            try DLFRunRepair.verify(part, survey)
            guard rename(part, out) == 0 else { throw Fault(FileError(out, "rename to it", cposix_errno())) }
            syncDirectory(out.directory)
        } catch {
            removePart(part)
            throw error
        }
    }

    /// One that a repair has left which was killed is used again.
    private func makePart(_ path: String) throws(Fault) {
        if mkdir(path, 0o777) == 0 { return }
        let error = cposix_errno()
        if error == EEXIST, kind(of: path, following: false) == .directory {
            removePart(path)
            if mkdir(path, 0o777) == 0 { return }
        }
        throw Fault(FileError(path, "make", error))
    }

    /// Only what such a directory has.
    private func removePart(_ path: String) {
        var known = [survey.directory.metaPath.lastComponent]
        for repair in survey.repairs { known.append(repair.path.lastComponent) }
        guard let names = try? names(in: path) else { return }
        for name in names where known.contains(name) || name.utf8.starts(with: ".ticklog-".utf8) { removeFile(path.file(name)) }
        _ = rmdir(path)
    }

    // MARK: Both

    /// All of it is as planned, and but for LOCK nothing is left to do.
    private static func verify(_ path: String, _ before: DLFRunSurvey) throws(Fault) {
        let directory: RunDirectory?
        do { directory = try RunDirectory(path) } catch { throw Fault(error) }
        guard let directory else { throw Fault(.damaged, path, at: nil, "found no run any more, expected one") }
        let again = try DLFRunSurvey(directory)
        if let fault = again.faults.first { throw fault }
        for repair in again.repairs where repair.isNeeded {
            throw Fault(.damaged, repair.path, at: nil, "found a file that is not sound after the repair, expected a sound one; LOCK stays")
        }
        guard again.samples == before.samples else {
            throw Fault(.damaged, path, at: nil, "found \(again.samples) samples after the repair, expected \(before.samples); LOCK stays")
        }
    }
}

private func sync(_ path: String) throws(Fault) {
    let descriptor = cposix_open(path, O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { throw Fault(FileError(path, "open", cposix_errno())) }
    defer { _ = close(descriptor) }
    guard fsync(descriptor) == 0 else { throw Fault(FileError(path, "sync", cposix_errno())) }
}
