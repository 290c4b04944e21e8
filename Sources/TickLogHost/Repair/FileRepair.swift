import CPosix

/// The repair of one file: it writes the repaired one, and then reads what was written.
protocol FileRepair {
    /// The file that is repaired.
    var path: String { get }
    /// Writes all of the repaired file, and flushes `output`.
    mutating func write(to output: Output) throws(Fault)
    /// Reads what was written.
    /// - Throws: if it is not sound, or holds anything else than was to be written.
    func verify(_ path: String) throws(Fault)
}

extension FileRepair {
    /// Makes the repaired file at `out` or, nil, in the place of the old one, which stays as `PATH.orig`. It is written beside
    /// its place, put on the medium and read, and only then gets its name. Answers where it is.
    mutating func replace(_ out: String?) throws(Fault) -> String {
        let new = try newFile(out ?? path, replacing: out == nil)
        try fill(new)
        if out == nil { try keepOriginal(new.path) }
        do throws(FileError) { try new.commit() } catch { throw Fault(error) }
        return new.path
    }

    /// Without giving it its name.
    mutating func fill(_ new: NewFile) throws(Fault) {
        try write(to: Output(descriptor: new.descriptor, path: new.path))
        guard fsync(new.descriptor) == 0 else { throw Fault(FileError(new.path, "sync", cposix_errno())) }
        try verify(new.temporaryPath)
        guard !FileGuard.hasFoundShorter else { throw FileGuard.fault(path) }
    }
}

func newFile(_ path: String, replacing: Bool) throws(Fault) -> NewFile {
    do throws(FileError) { return try NewFile(path, replacing: replacing) } catch { throw Fault(error) }
}
