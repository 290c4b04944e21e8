import TickLog

/// The records of one file of a BMS log, in order (spec: PACKETS, 5). Each is checked before it is told.
public struct LogWalk {
    public struct Record {
        public let position: LogPosition
        /// Microseconds since the Unix epoch, of the server.
        public let timestamp: UInt64
        /// A DataPacket's body, or a legacy Packet.
        public let payload: FileBytes
    }

    public let path: String
    public let bytes: FileBytes
    public let kind: LogFileHeader.Kind
    /// Which of the log's files it is.
    public let number: UInt64
    /// Where the next record is, or the end of the good ones.
    public private(set) var at: Int
    private let crc: CRC32C

    /// Reads the file's header and the record with its number.
    /// - Throws: `torn` if the file ends before those do.
    public init(_ bytes: FileBytes, _ path: String) throws(Fault) {
        self.path = path
        self.bytes = bytes
        crc = CRC32C()
        let header: LogFileHeader
        do throws(FormatError) { header = try LogFileHeader(bytes) } catch { throw Fault(unclosed: error, path) }
        kind = header.kind
        at = LogFileHeader.bytes
        guard let (record, payload) = LogWalk.record(bytes, at, crc), let first = try? DataPacket(body: payload),
            first.command == DataPacket.Command.sync.rawValue, first.words.count == 0, first.timestamp > 0,
            first.timestamp <= LogFile.mostNumber
        else {
            if bytes.count < LogFile.headBytes { throw Fault(.torn, path, at: at, "found the end of the file, expected the record of the file's number") }
            throw Fault(.damaged, path, at: at, "expected a record with the file's number")
        }
        number = first.timestamp
        firstTimestamp = record.timestamp
        at = LogFile.headBytes
    }

    public let firstTimestamp: UInt64

    /// The next record; nil at the end of the file.
    /// - Throws: `torn` if what is left is no record and there is none behind it either; `damaged` if there is one. `at` is
    ///   where it begins.
    public mutating func next() throws(Fault) -> Record? {
        guard at < bytes.count else { return nil }
        guard let (record, payload) = LogWalk.record(bytes, at, crc) else { throw fault() }
        let found = Record(
            position: LogPosition(number: number, offset: UInt64(at)), timestamp: record.timestamp, payload: payload)
        at += LogRecord.bytes(payload: payload.count)
        return found
    }

    private func fault() -> Fault {
        guard let behind = LogWalk.find(bytes, behind: at, crc) else {
            return Fault(.torn, path, at: at, "found \(bytes.count - at) bytes, expected a whole record")
        }
        return Fault(.damaged, path, at: at, "expected a record; the next good one is at offset \(behind)")
    }

    /// The record at an offset, if there is a good one.
    static func record(_ bytes: FileBytes, _ at: Int, _ crc: CRC32C) -> (record: LogRecord, payload: FileBytes)? {
        guard bytes.holds(LogRecord.headerBytes, at: at) else { return nil }
        let record = LogRecord(bytes.start + at)
        guard record.size <= UInt32(LogRecord.mostPayloadBytes) else { return nil }
        let size = Int(record.size)
        guard size >= 16, bytes.holds(LogRecord.bytes(payload: size), at: at) else { return nil }
        let payload = bytes.slice(at: at + LogRecord.headerBytes, count: size)
        guard record.isWhole(payload.start, crc) else { return nil }
        var pad = at + LogRecord.headerBytes + size
        while pad < at + LogRecord.bytes(payload: size) {
            if bytes[pad] != 0 { return nil }
            pad += 1
        }
        return (record, payload)
    }

    /// Where the next good record behind an offset is. What was made to look like many large ones is not looked through for
    /// ever: then the answer is where the search ended, as if there were one.
    public static func find(_ bytes: FileBytes, behind offset: Int, _ crc: CRC32C = CRC32C()) -> Int? {
        var at = roundUp8(offset + 1)
        var budget: Int = 1 << 30
        while bytes.holds(LogRecord.headerBytes + 16, at: at) {
            let size = bytes.u32(at: at + 8)
            // In both kinds, the payload's count says its size again.
            if size >= 16, size <= UInt32(LogRecord.mostPayloadBytes), size % 4 == 0, bytes.u32(at: at + 28) == (size - 16) / 4 {
                if record(bytes, at, crc) != nil { return at }
                budget -= Int(size)
                if budget < 0 { return at }
            }
            at += 8
        }
        return nil
    }

    private static func roundUp8(_ value: Int) -> Int { (value + 7) & ~7 }
}
