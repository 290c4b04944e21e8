import CPosix
import TickLog

/// The files of a run, in a directory or in an archive. Names are the long ones (`meta.bcsv`) or the 8.3 ones of FAT
/// (`META.BCS`). The path of a file in an archive is that of the archive, a slash and its name: `open` knows it.
public final class RunDirectory {
    public enum Format: Sendable { case bcsv, dlf }

    public let path: String
    /// Nil if the path is a directory.
    public let archive: RunArchive?
    public let format: Format
    public let metaPath: String
    public let streamsPath: String?
    /// The file and those that continue it, in order.
    public let polledPaths: [String]
    public let eventPaths: [String]
    /// DLF: the declared losses. BCSV has them among the events.
    public let lossPath: String?
    /// LOCK is there: the run is still open, or ended without being closed.
    public let isLocked: Bool
    /// What is wrong with the set of files: one is missing, or one that continues it has no predecessor.
    public let faults: [Fault]
    /// All bytes of all files.
    public let size: UInt64
    /// Every name in the directory.
    public let names: [String]
    /// Of the run: that of its directory.
    public let name: String

    /// Nil if the directory holds no run.
    public convenience init?(_ path: String) throws(FileError) {
        let names = try TickLogHost.names(in: path)
        var size: UInt64 = 0
        for name in names { size += TickLogHost.size(of: path.file(name)) }
        var name = path.lastComponent
        if name == "." || name == "..", let real = realpath(path, nil) {
            name = String(cString: real).lastComponent
            free(real)
        }
        self.init(path, nil, name, names, size)
    }

    /// Nil if the archive holds no run.
    public convenience init?(_ archive: RunArchive) {
        var size: UInt64 = 0
        for member in archive.members { size += UInt64(member.count) }
        var name = archive.directoryName
        if name.isEmpty {
            name = archive.path.lastComponent
            if archive.path.fileExtension == "tar" { name = String(decoding: name.utf8.dropLast(4), as: UTF8.self) }
        }
        self.init(archive.path, archive, name, archive.members.map { $0.name }, size)
    }

    private init?(_ path: String, _ archive: RunArchive?, _ name: String, _ names: [String], _ size: UInt64) {
        self.path = path
        self.archive = archive
        self.name = name
        self.names = names
        self.size = size
        let all = Set(names)
        func find(_ long: String, _ short: String) -> String? {
            for name in [long, short, RunDirectory.lower(short)] where all.contains(name) { return path.file(name) }
            return nil
        }
        func files(_ long: String, _ short: String) -> [String] {
            guard let first = find(long + ".bcsv", short + ".BCS") else { return [] }
            var paths = [first]
            while let next = find(long + ".\(paths.count).bcsv", short + "\(paths.count).BCS") { paths.append(next) }
            return paths
        }
        if let meta = find("meta.bcsv", "META.BCS") {
            format = .bcsv
            metaPath = meta
            streamsPath = find("streams.bcsv", "STREAMS.BCS")
            polledPaths = files("polled", "POLLED")
            eventPaths = files("event", "EVENT")
            lossPath = nil
        } else if let meta = find("meta.dlf", "META.DLF") {
            format = .dlf
            metaPath = meta
            streamsPath = nil
            polledPaths = RunDirectory.list(find("polled.dlf", "POLLED.DLF"))
            eventPaths = RunDirectory.list(find("event.dlf", "EVENT.DLF"))
            lossPath = find("loss.dlf", "LOSS.DLF")
        } else {
            return nil
        }
        isLocked = find("LOCK", "LOCK") != nil
        let isDLF = format == .dlf
        var faults = archive?.faults ?? []
        for (name, paths) in [("polled", polledPaths), ("event", eventPaths)] {
            let file = name + (isDLF ? ".dlf" : ".bcsv")
            if paths.isEmpty { faults.append(Fault(.damaged, path, at: nil, "found no \(file), expected one")) }
            guard !isDLF else { continue }
            let known = Set(paths.map { $0.lastComponent })
            for other in names where !known.contains(other) && RunDirectory.continues(RunDirectory.lower(other), name) {
                guard faults.count < 64 else { break }
                faults.append(
                    Fault(.damaged, path, at: nil, "found \(other), expected \(name).\(max(known.count, 1)).bcsv before it"))
            }
        }
        self.faults = faults
    }

    /// One of its files, by the path that it has here.
    public func open(_ path: String) throws(FileError) -> MappedFile {
        guard let archive else { return try MappedFile(path) }
        return try archive.open(path.lastComponent)
    }

    public func bcsv(_ path: String) throws(Fault) -> BCSVFile {
        let file: MappedFile
        do { file = try open(path) } catch { throw Fault(error) }
        return try BCSVFile(file)
    }

    public func dlf(_ path: String) throws(Fault) -> DLFFile {
        let file: MappedFile
        do { file = try open(path) } catch { throw Fault(error) }
        return try DLFFile(file)
    }

    /// Whether a name is that of a file that continues `polled` or `event`: polled.3.bcsv, polled3.bcs.
    private static func continues(_ name: String, _ base: String) -> Bool {
        let name = Array(name.utf8)
        guard name.starts(with: base.utf8) else { return false }
        var at = base.utf8.count
        if at < name.count, name[at] == 0x2E { at += 1 }
        let digits = at
        while at < name.count, name[at] >= 0x30, name[at] <= 0x39 { at += 1 }
        guard at > digits else { return false }
        return name[at...].elementsEqual(".bcsv".utf8) || name[at...].elementsEqual(".bcs".utf8)
    }

    private static func list(_ path: String?) -> [String] {
        if let path { return [path] }
        return []
    }

    private static func lower(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 32 : $0 }, as: UTF8.self)
    }
}

extension RunDirectory {
    /// The names of the run's own files, in the order in which they are made: LOCK, meta, streams, polled, event, loss,
    /// and last those that continue a file that there is not.
    public var ownNames: [String] {
        var own: [String] = []
        for name in ["LOCK", "lock"] where isLocked && own.isEmpty && names.contains(name) { own.append(name) }
        for path in [metaPath] + RunDirectory.list(streamsPath) + polledPaths + eventPaths + RunDirectory.list(lossPath) {
            own.append(path.lastComponent)
        }
        guard format == .bcsv else { return own }
        // Of a run that was one of DLF (spec 3.5).
        if names.contains("dlf.bcsv") { own.append("dlf.bcsv") }
        let known = Set(own)
        for name in names where !known.contains(name) {
            let lower = RunDirectory.lower(name)
            if RunDirectory.continues(lower, "polled") || RunDirectory.continues(lower, "event") { own.append(name) }
        }
        return own
    }

    /// A name in the directory that is no regular file, or none of those that a run, its repair or its upload leaves.
    public var stranger: String? {
        for name in names {
            guard kind(of: path.file(name), following: false) == .file else { return name }
            var base = Array(name.utf8)
            for ending in [".repaired", ".orig"] where name.utf8.count > ending.utf8.count {
                if base.suffix(ending.utf8.count).elementsEqual(ending.utf8) { base.removeLast(ending.utf8.count) }
            }
            let plain = RunDirectory.lower(String(decoding: base, as: UTF8.self))
            let isKnown = plain == "uploaded" || plain == "lock" || RunDirectory.hasEnding(plain, ".bcsv")
                || RunDirectory.hasEnding(plain, ".bcs") || RunDirectory.hasEnding(plain, ".dlf")
            if !isKnown { return name }
        }
        return nil
    }

    private static func hasEnding(_ name: String, _ ending: String) -> Bool {
        name.utf8.count > ending.utf8.count && name.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8)
    }
}
