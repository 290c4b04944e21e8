import CPosix
import Synchronization

/// A file that appears whole or not at all: it is written beside its place, under a name of its own, and takes its name
/// when it is whole and on the medium. Until then, what was there before stays. If it is given up, and if `Leftovers` catch
/// signals that end the process, nothing is left. A file that it replaces leaves it its permissions and, as far as the system
/// lets us, its owner.
public final class NewFile {
    /// Where it will be.
    public let path: String
    /// Where it is until then.
    public let temporaryPath: String
    public let descriptor: Int32
    private let replaces: Bool
    private var slot: Int
    private var isDone = false
    private var isFreed = false
    /// Of the file that is replaced.
    private let old: stat?

    /// - Throws: EEXIST if there is something and it is not to be replaced; what is no file is never replaced.
    public init(_ path: String, replacing: Bool) throws(FileError) {
        var path = path
        switch TickLogHost.kind(of: path, following: false) {
        case .missing: break
        case .directory: throw FileError(path, "write", EISDIR)
        case .file: if !replacing { throw FileError(path, "write", EEXIST) }
        case .other:
            guard replacing else { throw FileError(path, "write", EEXIST) }
            // The file that a link leads to is replaced, not the link.
            guard TickLogHost.kind(of: path) == .file, let real = realpath(path, nil) else { throw FileError(path, "replace", EINVAL) }
            path = String(cString: real)
            free(real)
        }
        self.path = path
        replaces = replacing
        var status = stat()
        old = replacing && stat(path, &status) == 0 ? status : nil
        let directory = path.directory
        var tries = 0
        while true {
            // No name comes twice: one that was freed, for a writer to make the file, is not another thread's.
            let number = numbers.wrappingAdd(1, ordering: .relaxed).oldValue
            let candidate = directory.file(".ticklog-\(getpid())-\(number)")
            let slot = Leftovers.add(candidate)
            let descriptor = cposix_open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 {
                temporaryPath = candidate
                self.descriptor = descriptor
                self.slot = slot
                if let old { NewFile.adopt(old, descriptor) }
                return
            }
            let error = cposix_errno()
            Leftovers.forget(slot)
            guard error == EEXIST, tries < 1000 else { throw FileError(path, "create a file beside it", error) }
            tries += 1
        }
    }

    deinit { discard() }

    /// Before the first byte: who could not read the file before must not read this one.
    private static func adopt(_ old: stat, _ descriptor: Int32) {
        // Another owner takes bits away; so the owner comes first.
        _ = fchown(descriptor, old.st_uid, old.st_gid)
        _ = fchmod(descriptor, old.st_mode & 0o7777)
    }

    /// For a writer that makes its file itself: the temporary name is free, and still removed after a failure.
    public func freeName() {
        _ = unlink(temporaryPath)
        isFreed = true
    }

    /// Puts the file on the medium and in its place.
    public func commit() throws(FileError) {
        // Who made it himself has synced it.
        guard isFreed || fsync(descriptor) == 0 else { throw FileError(path, "sync", cposix_errno()) }
        if isFreed, let old {
            let made = cposix_open(temporaryPath, O_RDONLY | O_CLOEXEC, 0)
            if made >= 0 {
                NewFile.adopt(old, made)
                _ = close(made)
            }
        }
        if replaces {
            guard rename(temporaryPath, path) == 0 else { throw FileError(path, "rename to it", cposix_errno()) }
        } else {
            try renameNew(temporaryPath, path)
        }
        isDone = true
        Leftovers.forget(slot)
        _ = close(descriptor)
        syncDirectory(path.directory)
    }

    public func discard() {
        guard !isDone else { return }
        isDone = true
        _ = close(descriptor)
        _ = unlink(temporaryPath)
        Leftovers.forget(slot)
    }
}

/// Gives a file another name, where nothing is. Throws EEXIST if there is something, also if it has come meanwhile.
func renameNew(_ old: String, _ new: String) throws(FileError) {
    if cposix_rename_new(old, new) == 0 { return }
    let error = cposix_errno()
    guard error == EINVAL || error == ENOSYS else { throw FileError(new, error == EEXIST ? "write" : "rename to it", error) }
    guard kind(of: new, following: false) == .missing else { throw FileError(new, "write", EEXIST) }
    // Not every file system can do it in one step.
    guard rename(old, new) == 0 else { throw FileError(new, "rename to it", cposix_errno()) }
}

public func removeFile(_ path: String) { _ = unlink(path) }

/// Puts names in a directory on the medium. Not every file system can; then they come with its next sync.
public func syncDirectory(_ path: String) {
    let directory = cposix_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    guard directory >= 0 else { return }
    _ = fsync(directory)
    _ = close(directory)
}

/// Of temporary names.
private let numbers = Atomic<UInt32>(0)

/// Files, and the directories that they lie in, that a signal must remove.
public enum Leftovers {
    /// Whether SIGINT, SIGTERM and SIGHUP are caught to remove them, from the first one on, and SIGXFSZ is ignored. That is for
    /// the process to decide: a library must not take its signals. Set it before the first file is made.
    public nonisolated(unsafe) static var areRemovedBySignals = false

    /// Nil: no file. A signal handler reads them at any moment.
    nonisolated(unsafe) static let paths: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = {
        let paths = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: count)
        paths.initialize(repeating: nil, count: count)
        // A file beyond the process's limit is an error like a full disk.
        cposix_ignore(SIGXFSZ)
        // Used once before any signal can come: the handler must not be the first.
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            cposix_catch(signal) { signal in
                for i in 0..<Leftovers.count { if let path = Leftovers.paths[i] { _ = unlink(path) } }
                for i in 0..<Leftovers.count { if let path = Leftovers.paths[i] { _ = rmdir(path) } }
                cposix_die_of(signal)
            }
        }
        return paths
    }()
    static var count: Int { 16 }

    static func add(_ path: String) -> Int {
        guard areRemovedBySignals else { return -1 }
        for i in 0..<count where paths[i] == nil {
            paths[i] = strdup(path)
            return i
        }
        return -1
    }

    static func forget(_ slot: Int) {
        guard slot >= 0 else { return }
        let path = paths[slot]
        paths[slot] = nil
        free(path)
    }
}

extension String {
    /// What stands before the last component: "." if there is nothing.
    public var directory: String {
        var bytes = Array(utf8)
        while bytes.count > 1, bytes.last == 0x2F { bytes.removeLast() }
        while let last = bytes.last, last != 0x2F { bytes.removeLast() }
        while bytes.count > 1, bytes.last == 0x2F { bytes.removeLast() }
        return bytes.isEmpty ? "." : String(decoding: bytes, as: UTF8.self)
    }

    /// What stands behind the last dot of the last component, in lower case; empty if there is none.
    public var fileExtension: String {
        let name = Array(lastComponent.utf8)
        guard let dot = name.lastIndex(of: 0x2E), dot > 0 else { return "" }
        return String(decoding: name[(dot + 1)...].map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 32 : $0 }, as: UTF8.self)
    }
}
