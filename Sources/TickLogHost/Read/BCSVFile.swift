import CPosix
import TickLog

/// A BCSV file, mapped, with its header read.
public final class BCSVFile {
    public let file: MappedFile
    public let header: BCSVHeader
    public let columns: [Column]
    public var path: String { file.path }

    public convenience init(_ path: String) throws(Fault) {
        let file: MappedFile
        do { file = try MappedFile(path) } catch { throw Fault(error) }
        try self.init(file)
    }

    public init(_ file: MappedFile) throws(Fault) {
        self.file = file
        do { header = try BCSVHeader(file.bytes) } catch { throw Fault(error, file.path) }
        var columns: [Column] = []
        columns.reserveCapacity(header.columnCount)
        var at = header.namesOffset
        for i in 0..<header.columnCount {
            let length = header.nameLength(of: i)
            let name = file.bytes.slice(at: at, count: length)
            columns.append(
                Column(length == 0 ? "Column_\(i)" : String(decoding: name.buffer, as: UTF8.self), header.type(of: i)))
            at += length
        }
        self.columns = columns
    }

    public static func recognises(_ bytes: FileBytes) -> Bool {
        BCSVHeader.recognises(bytes)
    }
}
