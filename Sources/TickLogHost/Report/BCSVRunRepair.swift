import CPosix
import TickLog

/// Repairs a run in the format BCSV: each of its files in place, or all of them as a new directory. LOCK goes last, when all
/// are sound, on the medium and verified.
struct BCSVRunRepair {
    private let directory: RunDirectory
    private let options: RepairOptions
    private var files: [BCSVFile] = []
    /// A last file of which only a part of the header is there holds no row.
    private var begun: [String] = []

    /// - Throws: if the run cannot be repaired; then nothing is written.
    init(_ directory: RunDirectory, _ options: RepairOptions) throws(Fault) {
        self.directory = directory
        self.options = options
        // The set of files must be whole: what is missing cannot be made.
        let run = try Run(directory)
        for fault in run.faults where fault.kind != .torn { throw fault }
        files = [try BCSVFile(directory.metaPath)]
        if let streams = directory.streamsPath { files.append(try BCSVFile(streams)) }
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
        try refuseHoles()
    }

    func replace() throws(Fault) -> [RepairedFile] {
        if let out = options.out { return try copy(to: out) }
        var results: [RepairedFile] = []
        for path in begun {
            guard rename(path, path + ".orig") == 0 else { throw Fault(FileError(path, "rename", cposix_errno())) }
            results.append(RepairedFile(begun: path, isLeftOut: false))
        }
        // All of them once more, from the medium.
        for path in try paths() { results.append(try RepairedFile(BCSVFile(path), options)) }
        try BCSVRunRepair.verify(directory.path)
        if directory.isLocked {
            let lock = directory.path.file("LOCK")
            syncDirectory(directory.path)
            guard unlink(lock) == 0 else { throw Fault(FileError(lock, "remove", cposix_errno())) }
            syncDirectory(directory.path)
        }
        return results
    }

    private func paths() throws(Fault) -> [String] {
        let now: RunDirectory?
        do throws(FileError) { now = try RunDirectory(directory.path) } catch { throw Fault(error) }
        guard let now else { throw Fault(.damaged, directory.path, at: nil, "found no run any more, expected one") }
        return [now.metaPath] + (now.streamsPath.map { [$0] } ?? []) + now.polledPaths + now.eventPaths
    }

    /// Every file is sound and closed, and the run says the same of them.
    private static func verify(_ path: String) throws(Fault) {
        let validation = Validation(path)
        for survey in validation.surveys where !survey.isClosed {
            throw Fault(
                .damaged, survey.path, at: nil,
                "found a file that is not sound after the repair, expected a sound one; LOCK stays")
        }
        for fault in validation.faults where fault.kind != .torn { throw fault }
    }

    /// Without a column of ticks, a row's number is its time: rows must not move up.
    private func refuseHoles() throws(Fault) {
        for file in files where directory.polledPaths.contains(file.path) {
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
    private func copy(to out: String) throws(Fault) -> [RepairedFile] {
        guard kind(of: out, following: false) == .missing else { throw Fault(FileError(out, "write", EEXIST)) }
        let temporary = out + ".part"
        guard mkdir(temporary, 0o777) == 0 else { throw Fault(FileError(temporary, "make", cposix_errno())) }
        var results: [RepairedFile] = []
        do throws(Fault) {
            for file in files {
                var each = options
                each.out = temporary.file(file.path.lastComponent)
                each.copiesSound = true
                var result = try RepairedFile(file, each)
                result.out = out.file(file.path.lastComponent)
                results.append(result)
            }
            for path in begun { results.append(RepairedFile(begun: path, isLeftOut: true)) }
            try BCSVRunRepair.verify(temporary)
            guard rename(temporary, out) == 0 else { throw Fault(FileError(out, "rename to it", cposix_errno())) }
            syncDirectory(out.directory)
        } catch {
            if let names = try? names(in: temporary) { for name in names { removeFile(temporary.file(name)) } }
            _ = rmdir(temporary)
            throw error
        }
        return results
    }
}
