import CPosix
import TickLog

/// A place in a log: which of its files, and the byte there. As one number it grows with the log.
public struct LogPosition: Comparable, Sendable {
    public var number: UInt64
    public var offset: UInt64

    public init(number: UInt64, offset: UInt64) {
        self.number = number
        self.offset = offset
    }

    /// As it stands in an image file.
    public init(bits: UInt64) { self.init(number: bits >> 40, offset: bits & (1 << 40 - 1)) }
    public var bits: UInt64 { number << 40 | offset }

    public static func < (a: LogPosition, b: LogPosition) -> Bool { a.bits < b.bits }
    public static func == (a: LogPosition, b: LogPosition) -> Bool { a.bits == b.bits }
}

/// The files of a log and their heads: FILE is the one that is written, FILE.000001 and so on are whole.
enum LogFile {
    /// A file's header, and the record that tells its number.
    static var headBytes: Int { LogFileHeader.bytes + LogRecord.headerBytes + DataPacket.headerBytes }
    /// What a position has room for.
    static var mostNumber: UInt64 { 1 << 24 - 1 }
    static var mostBytes: UInt64 { 1 << 40 - 1 }

    static func path(_ path: String, number: UInt64) -> String {
        let digits = "\(number)"
        return path + "." + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    /// The numbers of the files that are whole, in order.
    /// - Throws: behind `first` one is missing.
    static func numbers(of path: String, from first: UInt64) throws(Fault) -> [UInt64] {
        let prefix = Array(path.lastComponent.utf8) + [0x2E]
        var found: [UInt64] = []
        do throws(FileError) {
            for name in try names(in: path.directory) {
                let bytes = Array(name.utf8)
                guard bytes.count >= prefix.count + 6, bytes.count <= prefix.count + 8, Array(bytes[..<prefix.count]) == prefix,
                    let number = UInt64(String(decoding: bytes[prefix.count...], as: UTF8.self)), number > 0, number <= mostNumber,
                    // One number has one name.
                    self.path(path, number: number).lastComponent == name
                else { continue }
                found.append(number)
            }
            found.sort()
            for i in 0..<found.count where i > 0 && found[i - 1] >= first && found[i] != found[i - 1] + 1 {
                throw FileError(self.path(path, number: found[i - 1] + 1), "open", ENOENT)
            }
        } catch { throw Fault(error) }
        return found
    }

    /// Stores `headBytes`: in front of the records, one that no reader applies tells the file's number.
    static func storeHead(
        kind: LogFileHeader.Kind, number: UInt64, timestamp: UInt64, at out: UnsafeMutableRawPointer, _ crc: CRC32C
    ) {
        LogFileHeader(kind).store(to: out)
        let record = out + LogFileHeader.bytes
        let payload = record + LogRecord.headerBytes
        DataPacket(.sync, timestamp: number, type: 0, source: 0).store(body: payload)
        LogRecord(timestamp: timestamp, payload: payload, size: DataPacket.headerBytes, crc).store(to: record, payload: payload)
    }
}
