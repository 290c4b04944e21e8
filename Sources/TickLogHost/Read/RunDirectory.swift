import TickLog

/// The files of a run. Names are the long ones (`meta.bcsv`) or the 8.3 ones of FAT (`META.BCS`).
public final class RunDirectory {
    public enum Format: Sendable { case bcsv, dlf }

    public let path: String
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
    /// All bytes of all files.
    public let size: UInt64
    /// Every name in the directory.
    public let names: [String]

    public var name: String { path.lastComponent }

    /// Nil if the directory holds no run.
    public init?(_ path: String) throws(FileError) {
        self.path = path
        let names = try TickLogHost.names(in: path)
        self.names = names
        func find(_ long: String, _ short: String) -> String? {
            for name in names where name == long || name == short || name == RunDirectory.lower(short) {
                return path.file(name)
            }
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
        var size: UInt64 = 0
        for name in names { size += TickLogHost.size(of: path.file(name)) }
        self.size = size
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
