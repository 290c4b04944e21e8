import CPosix
import TickLog

/// What an earlier server left of a log, made ready to go on behind it.
struct EarlierLog {
    /// Where the next record will be; offset 0: its file is not there yet.
    private(set) var position = LogPosition(number: 1, offset: 0)
    /// The first file that is there, or that will be.
    private(set) var begins: UInt64 = 1
    /// Of the last record.
    private(set) var timestamp: UInt64 = 0
    private(set) var records: UInt64 = 0
    /// Bytes of an unfinished record that were cut from the end.
    private(set) var cutBytes: UInt64 = 0

    /// Reads the log's files from `first` on, and the one that was being written, and cuts the torn end of that.
    /// - Throws: damage that is no torn end, another kind of log, a file that is missing, or what the system refused.
    init(_ path: String, _ kind: LogFileHeader.Kind, from first: UInt64, _ each: (LogWalk.Record) throws(Fault) -> Void) throws(Fault) {
        let numbers = try LogFile.numbers(of: path, from: first)
        begins = numbers.first ?? 1
        for number in numbers {
            position = LogPosition(number: number + 1, offset: 0)
            if number >= first { try read(LogFile.path(path, number: number), kind, number, isLast: false, each) }
        }
        guard TickLogHost.kind(of: path) != .missing else { return }
        try read(path, kind, numbers.isEmpty ? nil : position.number, isLast: true, each)
        if numbers.isEmpty { begins = position.number }
    }

    private mutating func read(
        _ path: String, _ kind: LogFileHeader.Kind, _ number: UInt64?, isLast: Bool, _ each: (LogWalk.Record) throws(Fault) -> Void
    ) throws(Fault) {
        let file: MappedFile
        do throws(FileError) { file = try MappedFile(path) } catch { throw Fault(error) }
        defer { withExtendedLifetime(file) {} }
        var walk: LogWalk
        do throws(Fault) {
            walk = try LogWalk(file.bytes, path)
        } catch {
            guard isLast, error.kind == .torn, EarlierLog.isBegun(file.bytes) else { throw error.kind == .torn ? error.asDamage : error }
            // It was made, and nothing was on the medium.
            cutBytes = UInt64(file.bytes.count)
            removeFile(path)
            syncDirectory(path.directory)
            return
        }
        guard walk.kind == kind else {
            throw Fault(.damaged, path, at: 12, walk.kind == .legacyPackets
                ? "found a log of legacy packets, expected one of DataPackets: it was written with --legacy"
                : "found a log of DataPackets, expected one of legacy packets: it was written without --legacy")
        }
        guard number == nil || walk.number == number else {
            throw Fault(.damaged, path, at: LogFileHeader.bytes, "found file \(walk.number) of the log, expected \(number!)")
        }
        do throws(Fault) {
            timestamp = max(timestamp, walk.firstTimestamp)
            while let record = try walk.next() {
                records += 1
                timestamp = record.timestamp
                try each(record)
            }
        } catch {
            guard error.kind == .torn else { throw error }
            guard isLast else { throw error.asDamage }
            cutBytes = UInt64(file.bytes.count - walk.at)
            guard truncate(path, off_t(walk.at)) == 0 else { throw Fault(FileError(path, "cut the torn end", cposix_errno())) }
        }
        position = isLast
            ? LogPosition(number: walk.number, offset: UInt64(walk.at)) : LogPosition(number: walk.number + 1, offset: 0)
    }

    /// Whether bytes are the beginning of a log file that was never finished, and not something else.
    private static func isBegun(_ bytes: FileBytes) -> Bool {
        let magic = Array("TLBMSLOG".utf8)
        for i in 0..<min(bytes.count, magic.count) where bytes[i] != magic[i] { return false }
        return bytes.count < LogFile.headBytes
    }
}

extension Fault {
    /// What is torn where nothing may be.
    fileprivate var asDamage: Fault { Fault(.damaged, path, at: offset, text) }
}
