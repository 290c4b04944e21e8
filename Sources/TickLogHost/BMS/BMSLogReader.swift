import TickLog

/// The records of a whole log: FILE.000001 and so on, and FILE, in order, with their positions. A log that a server is
/// writing is read as far as it is when its last file is reached.
public final class BMSLogReader {
    public let path: String
    public let kind: LogFileHeader.Kind
    /// The last file ends within a record, and this is what is to be said of it. It is no damage: a server was writing.
    public private(set) var torn: Fault?
    /// Of the files in order; nil stands for the one that is being written.
    private let numbers: [UInt64?]
    private var index = 0
    private var file: MappedFile
    private var walk: LogWalk

    /// - Parameter from: files that lie wholly before it are left out. Of the first one that is read, all records are told.
    /// - Throws: there is no log at `path`, a file of it is missing, or its first one is none.
    public init(_ path: String, from: LogPosition = LogPosition(number: 0, offset: 0)) throws(Fault) {
        self.path = path
        var numbers: [UInt64?] = []
        for number in try LogFile.numbers(of: path, from: from.number) where number >= from.number { numbers.append(number) }
        if numbers.isEmpty || TickLogHost.kind(of: path) != .missing { numbers.append(nil) }
        self.numbers = numbers
        let name = numbers[0].map { LogFile.path(path, number: $0) } ?? path
        do throws(FileError) { file = try MappedFile(name) } catch { throw Fault(error) }
        walk = try LogWalk(file.bytes, name)
        kind = walk.kind
        try BMSLogReader.check(walk, numbers[0] ?? walk.number)
    }

    /// Where the next record is, or would be.
    public var position: LogPosition { LogPosition(number: walk.number, offset: UInt64(walk.at)) }

    /// The next record; nil at the end of the log. Its bytes stay until the next call.
    /// - Throws: damage, every time.
    public func next() throws(Fault) -> LogWalk.Record? {
        while torn == nil {
            do throws(Fault) {
                if let record = try walk.next() { return record }
            } catch {
                try end(torn: error)
                return nil
            }
            guard index + 1 < numbers.count else { return nil }
            try openNext()
        }
        return nil
    }

    /// Only the last file may end within a record.
    private func end(torn fault: Fault) throws(Fault) {
        guard fault.kind == .torn else { throw fault }
        guard index + 1 == numbers.count else { throw Fault(.damaged, fault.path, at: fault.offset, fault.text) }
        torn = fault
    }

    private func openNext() throws(Fault) {
        let expected = walk.number + 1
        // The one that is written gets its number while others are read.
        var name = LogFile.path(path, number: expected)
        if numbers[index + 1] == nil, TickLogHost.kind(of: name) == .missing { name = path }
        let following: MappedFile
        do throws(FileError) { following = try MappedFile(name) } catch { throw Fault(error) }
        index += 1
        do throws(Fault) {
            let next = try LogWalk(following.bytes, name)
            guard next.kind == kind else { throw Fault(.damaged, name, at: 12, "found records of another kind than in the files before") }
            try BMSLogReader.check(next, expected)
            walk = next
            file = following
        } catch { try end(torn: error) }
    }

    private static func check(_ walk: LogWalk, _ number: UInt64) throws(Fault) {
        guard walk.number == number else {
            throw Fault(.damaged, walk.path, at: LogFileHeader.bytes, "found file \(walk.number) of the log, expected \(number)")
        }
    }
}
