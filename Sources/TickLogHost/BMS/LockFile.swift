import CPosix

/// A file that one process at a time has. It stays there when nobody has it: who would remove it could remove the next one's.
final class LockFile {
    private let descriptor: Int32

    /// - Throws: EWOULDBLOCK if another process has it.
    init(_ path: String, by whom: String) throws(FileError) {
        descriptor = cposix_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError(path, "open", cposix_errno()) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw FileError(path, "lock (another \(whom) has it)", cposix_errno())
        }
    }

    deinit { _ = close(descriptor) }
}
