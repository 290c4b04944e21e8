import CPosix

public enum FileKind: Sendable {
    case file, directory, other, missing

    init(_ status: stat) {
        // S_IFMT and its like come into Swift as signed numbers.
        switch UInt32(status.st_mode) & 0o170000 {
        case 0o100000: self = .file
        case 0o040000: self = .directory
        default: self = .other
        }
    }
}

/// What a path is. `following` false: a symbolic link is `.other`, whatever it points to.
public func kind(of path: String, following: Bool = true) -> FileKind {
    var status = stat()
    guard (following ? stat(path, &status) : lstat(path, &status)) == 0 else { return .missing }
    return FileKind(status)
}

/// Bytes of a regular file; 0 if there is none.
public func size(of path: String) -> UInt64 {
    var status = stat()
    guard lstat(path, &status) == 0, FileKind(status) == .file else { return 0 }
    return UInt64(clamping: status.st_size)
}

/// The names in a directory, sorted, without `.` and `..`.
public func names(in directory: String) throws(FileError) -> [String] {
    guard let stream = opendir(directory) else { throw FileError(directory, "open", cposix_errno()) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = String(cString: cposix_name(entry))
        if name != "." && name != ".." { names.append(name) }
    }
    names.sort()
    return names
}

extension String {
    /// The path of `name` in this directory.
    public func file(_ name: String) -> String {
        utf8.last == 0x2F ? self + name : self + "/" + name
    }

    /// What stands behind the last slash; slashes at the end do not count.
    public var lastComponent: String {
        var bytes = Array(utf8)
        while bytes.count > 1, bytes.last == 0x2F { bytes.removeLast() }
        var start = bytes.count
        while start > 0, bytes[start - 1] != 0x2F { start -= 1 }
        return String(decoding: bytes[start...], as: UTF8.self)
    }
}
