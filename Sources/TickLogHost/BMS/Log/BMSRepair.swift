import TickLog

/// Makes a sound file of the good records of another one, each as it was.
public struct BMSRepair: FileRepair {
    public let summary: BMSSummary
    private let file: BMSFile

    /// What a repair would find, without doing it.
    public init(_ file: BMSFile) {
        self.file = file
        summary = BMSSummary(file)
    }

    var path: String { file.path }

    /// The number of a log's file whose first record is lost: that of its name, or the one behind those that are there.
    static func number(of path: String) -> UInt64 {
        let digits = path.fileExtension
        if digits.utf8.count >= 6, let number = UInt64(digits), number > 0, number <= LogFile.mostNumber { return number }
        guard let numbers = try? LogFile.numbers(of: path, from: .max), let last = numbers.last else { return 1 }
        return min(last + 1, LogFile.mostNumber)
    }

    func write(to output: Output) throws(Fault) {
        if case .log(let kind) = file.form {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
            defer { memory.deallocate() }
            var bytes = LogFileHeader.bytes
            if summary.number == nil {
                LogFile.storeHead(kind: kind, number: BMSRepair.number(of: summary.path), timestamp: 0, at: memory, CRC32C())
                bytes = LogFile.headBytes
            } else {
                LogFileHeader(kind).store(to: memory)
            }
            output.bytes(UnsafeRawBufferPointer(start: memory, count: bytes))
        }
        var walk = BMSWalk(file)
        while let piece = walk.next() {
            guard case .packet(_, let range, _) = piece else { continue }
            output.bytes(file.file.bytes.slice(at: range.lowerBound, count: range.count).buffer)
        }
        do { try output.flush() } catch { throw Fault(error) }
    }

    func verify(_ path: String) throws(Fault) {
        let file: MappedFile
        do { file = try MappedFile(path) } catch { throw Fault(error) }
        let again = BMSSummary(summary.form.isBare ? BMSFile(file, summary.form) : try BMSFile(log: file))
        if let fault = again.faults.first { throw fault }
        guard again.packets == summary.packets, again.words == summary.words, again.others == summary.others else {
            throw Fault(.damaged, path, at: nil, "found \(again.packets) packets in the repaired file, expected \(summary.packets)")
        }
    }
}
