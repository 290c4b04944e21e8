import TickLog

/// Makes a sound file of the good records of another one, each as it was.
public struct BMSRepair {
    public let summary: BMSSummary

    public init(_ file: BMSFile) { summary = BMSSummary(file) }

    /// A log whose first record is lost has no number; then it gets this one, which says that it is not known.
    static var unknownNumber: UInt64 { 0 }

    public func write(_ file: BMSFile, to output: Output) throws(Fault) {
        if case .log(let kind) = file.form {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
            defer { memory.deallocate() }
            LogFileHeader(kind).store(to: memory)
            var bytes = LogFileHeader.bytes
            if summary.number == nil {
                let body = memory + 48
                DataPacket(.sync, timestamp: BMSRepair.unknownNumber, type: 0, source: 0).store(body: body)
                let record = LogRecord(timestamp: 0, payload: UnsafeRawPointer(body), size: DataPacket.headerBytes, CRC32C())
                record.store(to: memory + LogFileHeader.bytes, payload: UnsafeRawPointer(body))
                bytes += LogRecord.bytes(payload: DataPacket.headerBytes)
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

    /// Reads what was written.
    /// - Throws: if it is not sound, or has other packets than were found.
    public func verify(_ path: String) throws(Fault) {
        let file: MappedFile
        do { file = try MappedFile(path) } catch { throw Fault(error) }
        let again = BMSSummary(summary.form.isBare ? BMSFile(file, summary.form) : try BMSFile(log: file))
        if let fault = again.faults.first { throw fault }
        guard again.packets == summary.packets, again.words == summary.words, again.others == summary.others else {
            throw Fault(.damaged, path, at: nil, "found \(again.packets) packets in the repaired file, expected \(summary.packets)")
        }
    }
}
