import CPosix
import CTickLog

/// The storage table of POSIX files: complete writes, `fsync`, and `fsync` of the directory after every name that
/// appears or goes. Constant, without context, and usable from any number of runs at once.
///
/// Corresponds to `ticklog_posix_storage`.
@c @implementation
public func ticklog_posix_storage() -> UnsafePointer<ticklog_storage>! {
    withUnsafePointer(to: &posixStorage) { $0 }
}

// A variable only because a constant has no address of its own; nothing writes to it. It is initialised statically.
nonisolated(unsafe) private var posixStorage = ticklog_storage(
    size: UInt32(MemoryLayout<ticklog_storage>.size),
    flags: 0,
    block_size: 4096,
    block_alignment: 32,
    context: nil,
    make_directory: posixMakeDirectory,
    open: posixOpen,
    write: posixWrite,
    sync: posixSync,
    close: posixClose,
    remove: posixRemove,
    free_bytes: posixFreeBytes)

private func posixFreeBytes(
    _: UnsafeMutableRawPointer?, _ path: UnsafePointer<CChar>?, _ bytes: UnsafeMutablePointer<UInt64>?
) -> ticklog_status {
    guard let path, let bytes else { return TICKLOG_NULL }
    var volume = statvfs()
    guard statvfs(path, &volume) == 0 else { return posixStatus(cposix_errno()) }
    // Unprivileged space; a volume too large for the product is large enough.
    let (free, overflow) = UInt64(volume.f_bavail).multipliedReportingOverflow(by: UInt64(volume.f_frsize))
    bytes.pointee = overflow ? .max : free
    return TICKLOG_OK
}

private func posixMakeDirectory(_: UnsafeMutableRawPointer?, _ path: UnsafePointer<CChar>?) -> ticklog_status {
    guard let path else { return TICKLOG_NULL }
    guard mkdir(path, 0o777) == 0 else { return posixStatus(cposix_errno()) }
    return posixSyncDirectory(of: path)
}

private func posixOpen(
    _: UnsafeMutableRawPointer?, _ path: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<ticklog_file?>?
) -> ticklog_status {
    guard let path, let file else { return TICKLOG_NULL }
    while true {
        let descriptor = cposix_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if descriptor >= 0 {
            let status = posixSyncDirectory(of: path)
            guard status == TICKLOG_OK else {
                _ = close(descriptor)
                _ = unlink(path)
                return status
            }
            file.pointee = posixFile(descriptor)
            return TICKLOG_OK
        }
        let error = cposix_errno()
        if error != EINTR { return posixStatus(error) }
    }
}

private func posixWrite(
    _: UnsafeMutableRawPointer?, _ file: ticklog_file?, _ offset: UInt64, _ bytes: UnsafeRawPointer?, _ count: UInt32,
    _ accepted: UnsafeMutablePointer<UInt32>?
) -> ticklog_status {
    guard let file, let accepted else { return TICKLOG_NULL }
    accepted.pointee = 0
    if count == 0 { return TICKLOG_OK }
    guard let bytes else { return TICKLOG_NULL }
    guard let start = off_t(exactly: offset), start <= off_t.max - off_t(exactly: count)! else {
        return TICKLOG_BAD_ARGUMENT
    }
    var done = 0
    while done < Int(count) {
        let written = pwrite(posixDescriptor(file), bytes + done, Int(count) - done, start + off_t(done))
        if written > 0 {
            done += written
            continue
        }
        let error = written == 0 ? EIO : cposix_errno()
        if error == EINTR { continue }
        // What was taken before the failure counts; the failure is met again by the next write.
        if done > 0 { break }
        return posixStatus(error)
    }
    accepted.pointee = UInt32(done)
    return TICKLOG_OK
}

private func posixSync(_: UnsafeMutableRawPointer?, _ file: ticklog_file?) -> ticklog_status {
    guard let file else { return TICKLOG_NULL }
    return posixSync(descriptor: posixDescriptor(file))
}

private func posixClose(_: UnsafeMutableRawPointer?, _ file: ticklog_file?) -> ticklog_status {
    guard let file else { return TICKLOG_NULL }
    // After EINTR, Linux has closed the descriptor: a second close could hit another thread's file.
    if close(posixDescriptor(file)) == 0 { return TICKLOG_OK }
    let error = cposix_errno()
    return error == EINTR ? TICKLOG_OK : posixStatus(error)
}

private func posixRemove(_: UnsafeMutableRawPointer?, _ path: UnsafePointer<CChar>?) -> ticklog_status {
    guard let path else { return TICKLOG_NULL }
    if unlink(path) != 0 {
        let error = cposix_errno()
        // A directory: Linux says EISDIR, POSIX allows EPERM.
        guard error == EISDIR || error == EPERM, rmdir(path) == 0 else {
            return posixStatus(error == EISDIR ? cposix_errno() : error)
        }
    }
    return posixSyncDirectory(of: path)
}

/// The handle of an open descriptor. 0 is a file too, but NULL is no handle.
func posixFile(_ descriptor: Int32) -> ticklog_file? { ticklog_file(bitPattern: UInt(descriptor) + 1) }

private func posixDescriptor(_ file: ticklog_file) -> Int32 {
    Int32(truncatingIfNeeded: UInt(bitPattern: file) &- 1)
}

private func posixSync(descriptor: Int32) -> ticklog_status {
    while fsync(descriptor) != 0 {
        let error = cposix_errno()
        if error == EINTR { continue }
        // What cannot be synced (a pipe, some network directories) needs no sync.
        return error == EINVAL ? TICKLOG_OK : posixStatus(error)
    }
    return TICKLOG_OK
}

/// Makes the entry of `path` in its directory survive a power cut.
private func posixSyncDirectory(of path: UnsafePointer<CChar>) -> ticklog_status {
    var length = strlen(path)
    while length > 0, path[length - 1] != slash { length -= 1 }
    // "name" lies in ".", "/name" in "/", "a/b" in "a".
    while length > 1, path[length - 1] == slash { length -= 1 }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: length + 2) { directory in
        directory[0] = dot
        for i in 0..<length { directory[i] = path[i] }
        directory[max(length, 1)] = 0
        while true {
            let descriptor = cposix_open(directory.baseAddress, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
            if descriptor >= 0 {
                let status = posixSync(descriptor: descriptor)
                _ = close(descriptor)
                return status
            }
            let error = cposix_errno()
            if error != EINTR { return posixStatus(error) }
        }
    }
}

private var slash: CChar { 0x2F }
private var dot: CChar { 0x2E }

/// The status of an `errno`; the one place where the two meet.
func posixStatus(_ error: Int32) -> ticklog_status {
    switch error {
    case EEXIST: TICKLOG_EXISTS
    case ENOSPC, EDQUOT: TICKLOG_NO_SPACE
    case ENOENT: TICKLOG_NOT_FOUND
    case EACCES, EPERM, EROFS: TICKLOG_DENIED
    case EAGAIN: TICKLOG_BUSY
    default: TICKLOG_IO
    }
}
