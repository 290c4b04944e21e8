import CPosix
import TickLog

/// A run's directory that appears whole or not at all: it is made beside its place, under a name of its own, and takes
/// its name when all files are in it and on the medium. If it is given up, or the process gets SIGINT, SIGTERM or
/// SIGHUP, nothing is left.
public final class NewRun {
    /// Where it will be.
    public let path: String
    /// Where it is until then.
    public let temporaryPath: String
    private let replaces: Bool
    private var slots: [Int] = []
    private var files: [String] = []
    private var isDone = false

    /// - Throws: EEXIST if there is something and it is not to be replaced, or is no run.
    public init(_ path: String, replacing: Bool) throws(FileError) {
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == 0x2F { bytes.removeLast() }
        let path = String(decoding: bytes, as: UTF8.self)
        self.path = path
        replaces = TickLogHost.kind(of: path, following: false) != .missing
        if replaces {
            guard replacing, TickLogHost.kind(of: path, following: false) == .directory, let run = try RunDirectory(path),
                run.stranger == nil
            else { throw FileError(path, "write", EEXIST) }
        }
        var number = 0
        while true {
            let candidate = path.directory.file(".ticklog-\(getpid())-\(number)")
            let slot = Leftovers.add(candidate)
            if mkdir(candidate, 0o777) == 0 {
                temporaryPath = candidate
                slots = [slot]
                return
            }
            let error = cposix_errno()
            Leftovers.forget(slot)
            guard error == EEXIST, number < 1000 else { throw FileError(path, "create a directory beside it", error) }
            number += 1
        }
    }

    deinit { discard() }

    /// The path of a file of the run, until it has its place.
    public func file(_ name: String) -> String {
        let file = temporaryPath.file(name)
        if !files.contains(file) {
            files.append(file)
            slots.append(Leftovers.add(file))
        }
        return file
    }

    /// Puts the directory in its place. Its files are on the medium already.
    public func commit() throws(FileError) {
        syncDirectory(temporaryPath)
        guard replaces else {
            // A rename replaces an empty directory without a word.
            guard TickLogHost.kind(of: path, following: false) == .missing else { throw FileError(path, "write", EEXIST) }
            guard rename(temporaryPath, path) == 0 else { throw FileError(path, "rename to it", cposix_errno()) }
            return finish()
        }
        var number = 0
        var old = temporaryPath + ".old"
        while TickLogHost.kind(of: old, following: false) != .missing {
            number += 1
            old = temporaryPath + ".old\(number)"
        }
        guard rename(path, old) == 0 else { throw FileError(path, "rename it", cposix_errno()) }
        guard rename(temporaryPath, path) == 0 else {
            let error = cposix_errno()
            _ = rename(old, path)
            throw FileError(path, "rename to it", error)
        }
        finish()
        // It held a run's files and nothing else.
        if let names = try? names(in: old) { for name in names { _ = unlink(old.file(name)) } }
        _ = rmdir(old)
    }

    private func finish() {
        isDone = true
        for slot in slots { Leftovers.forget(slot) }
        syncDirectory(path.directory)
    }

    public func discard() {
        guard !isDone else { return }
        isDone = true
        for file in files { _ = unlink(file) }
        _ = rmdir(temporaryPath)
        for slot in slots { Leftovers.forget(slot) }
    }
}
