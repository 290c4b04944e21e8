import CPosix

/// The file at `path` gets a second name, `PATH.orig`, so that it is there until the repaired one has the first. That it
/// has it already is no error: a repair was cut off between the two.
public func keepOriginal(_ path: String) throws(Fault) {
    let original = path + ".orig"
    if link(path, original) == 0 { return syncDirectory(path.directory) }
    let error = cposix_errno()
    if isSame(path, original) { return }
    guard error != EEXIST, kind(of: original, following: false) == .missing else {
        throw Fault(FileError(original, "keep the original as it", EEXIST))
    }
    // FAT has no links.
    guard rename(path, original) == 0 else { throw Fault(FileError(original, "keep the original as it", cposix_errno())) }
}

/// Where there are no links, a repair that was cut off has left an original without its first name: it gets it back.
public func restoreOriginal(_ path: String) throws(Fault) {
    let original = path + ".orig"
    guard kind(of: path, following: false) == .missing, kind(of: original, following: false) == .file else { return }
    guard rename(original, path) == 0 else { throw Fault(FileError(path, "restore", cposix_errno())) }
    syncDirectory(path.directory)
}

private func isSame(_ a: String, _ b: String) -> Bool {
    var first = stat()
    var second = stat()
    guard lstat(a, &first) == 0, lstat(b, &second) == 0 else { return false }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
}
