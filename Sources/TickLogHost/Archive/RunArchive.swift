import CPosix
import TickLog

/// The files of one run in an uncompressed tar archive. Nothing is extracted: a file is a part of the archive's bytes.
/// They lie in a directory of the archive, or at its top; whatever else is in it does not count.
public final class RunArchive {
    public struct Member {
        /// Without the directory.
        public let name: String
        /// Where its bytes are, from the start of the archive; those that the archive has.
        public let offset: Int
        public let count: Int
    }

    public let file: MappedFile
    /// Of the directory in it; empty if the files lie at its top.
    public let directoryName: String
    /// Sorted by name.
    public let members: [Member]
    private let places: [String: Int]
    /// What is wrong with the archive.
    public let faults: [Fault]
    public var path: String { file.path }

    public static func recognises(_ bytes: FileBytes) -> Bool { TarScan.recognises(bytes) }

    /// - Throws: if there are no files of a run in it, or those of several.
    public init(_ file: MappedFile) throws(Fault) {
        self.file = file
        var faults: [Fault] = []
        var found: [(directory: [UInt8], member: Member, header: Int)] = []
        func add(_ entry: TarScan.Entry) {
            guard let (directory, name) = RunArchive.split(entry.path) else { return }
            let member = Member(name: String(decoding: name, as: UTF8.self), offset: entry.offset, count: entry.count)
            found.append((directory, member, entry.headerOffset))
        }
        var scan = TarScan(file.bytes)
        var end = 0
        do throws(FormatError) {
            while let entry = try scan.next() {
                add(entry)
                end = entry.offset + entry.count
            }
            // Zeros follow the last file; an archive of which a part is missing may end with a file.
            if file.bytes.count - end < 1024 {
                faults.append(Fault(.torn, file.path, at: file.bytes.count, "found the end of the file, expected the end of the archive, 1024 zeros"))
            }
        } catch {
            if let cut = scan.cut { add(cut) }
            let isEnd = error.kind == .torn && scan.cut == nil && RunArchive.isZero(file.bytes, from: error.offset)
            faults.append(Fault(error, file.path, kind: isEnd ? .torn : .damaged))
        }
        var directory: [UInt8]?
        for item in found where RunArchive.isMeta(item.member.name) {
            guard let first = directory else {
                directory = item.directory
                continue
            }
            guard first == item.directory else {
                throw Fault(
                    .unreadable, file.path, at: item.header,
                    "found a second run, \(String(decoding: item.directory, as: UTF8.self)), expected an archive of one run")
            }
        }
        guard let directory else {
            throw Fault(.unreadable, file.path, at: nil, "found an archive without meta.bcsv and meta.dlf, expected that of a run")
        }
        var members: [Member] = []
        var places: [String: Int] = [:]
        var twice: Fault?
        for item in found where item.directory == directory {
            if places[item.member.name] != nil {
                twice = twice ?? Fault(.damaged, file.path, at: item.header, "found \(item.member.name) again, expected every file once; the first one counts")
            } else {
                places[item.member.name] = members.count
                members.append(item.member)
            }
        }
        if let twice { faults.append(twice) }
        self.faults = faults
        members.sort { $0.name < $1.name }
        for i in 0..<members.count { places[members[i].name] = i }
        self.members = members
        self.places = places
        var start = directory.count
        while start > 0, directory[start - 1] != 0x2F { start -= 1 }
        directoryName = String(decoding: directory[start...], as: UTF8.self)
    }

    public func member(_ name: String) -> Member? {
        if let place = places[name] { return members[place] }
        return nil
    }

    /// The bytes of a file; they keep the archive's mapping.
    public func open(_ name: String) throws(FileError) -> MappedFile {
        guard let member = member(name) else { throw FileError(path.file(name), "open", ENOENT) }
        return MappedFile(part: member.offset..<(member.offset + member.count), of: file, named: path.file(name))
    }

    private static func isZero(_ bytes: FileBytes, from start: Int) -> Bool {
        for i in start..<bytes.count where bytes[i] != 0 { return false }
        return true
    }

    private static func isMeta(_ name: String) -> Bool {
        name == "meta.bcsv" || name == "meta.dlf" || name == "META.BCS" || name == "meta.bcs" || name == "META.DLF"
    }

    /// The directory of an entry, without `./` and slashes before it, and its name. Nil for names that nobody gives to a
    /// file of a run, such as those with `..`.
    private static func split(_ path: TarPath) -> (directory: [UInt8], name: [UInt8])? {
        var parts: [[UInt8]] = []
        var part: [UInt8] = []
        func end() {
            if !part.isEmpty, part != [0x2E] { parts.append(part) }
            part = []
        }
        for i in 0..<path.count { if path[i] == 0x2F { end() } else { part.append(path[i]) } }
        // A name that ends with a slash is that of a directory.
        guard !part.isEmpty, part != [0x2E] else { return nil }
        end()
        var directory: [UInt8] = []
        for i in 0..<parts.count {
            if parts[i] == [0x2E, 0x2E] { return nil }
            guard i < parts.count - 1 else { break }
            if i > 0 { directory.append(0x2F) }
            directory += parts[i]
        }
        return (directory, parts[parts.count - 1])
    }
}
