import CPosix
import CTickLog
import TickLog

// ticklog.h, section "Any file".

@c @implementation
public func ticklog_arrow_write(
    _ stream: UnsafeMutablePointer<ArrowArrayStream>!, _ path: UnsafePointer<CChar>!,
    _ config: UnsafePointer<ticklog_arrow_write_config>!
) -> ticklog_status {
    guard let stream, let path else { return TICKLOG_NULL }
    var given = ticklog_arrow_write_config()
    var message = MessageRoom(nil, 0)
    do throws(ArrowError) {
        // It releases the stream, whatever comes.
        let input = try ArrowInput(stream)
        if let config {
            guard let size = knownSize(of: config) else { return TICKLOG_BAD_SIZE }
            memcpy(&given, config, size)
            message = MessageRoom(given.message, given.message_bytes)
        }
        try ArrowWriting(input, String(cString: path), given).write()
        return TICKLOG_OK
    } catch {
        if let config, knownSize(of: config) != nil { message = MessageRoom(config.pointee.message, config.pointee.message_bytes) }
        return message.put(error.status, terminalText(error.text))
    }
}

/// All of it is of 1.0.0.
private func knownSize(of config: UnsafePointer<ticklog_arrow_write_config>) -> Int? {
    let whole = MemoryLayout<ticklog_arrow_write_config>.size
    return knownSize(config, least: whole, most: whole, alignment: MemoryLayout<ticklog_arrow_write_config>.alignment)
}

/// A stream on its way to a file.
private struct ArrowWriting {
    private let input: ArrowInput
    private let path: String
    private let format: String
    private let encoding: Encoding
    private var parquet = ParquetOptions()
    private let replaces: Bool

    init(_ input: ArrowInput, _ path: String, _ config: ticklog_arrow_write_config) throws(ArrowError) {
        self.input = input
        self.path = path
        guard config.flags & ~TICKLOG_ARROW_REPLACE == 0 else {
            throw ArrowError(TICKLOG_BAD_ARGUMENT, "flags: found \(config.flags), expected 0 or TICKLOG_ARROW_REPLACE")
        }
        replaces = config.flags != 0
        format = try Self.format(config.format.map { String(cString: $0) }, path)
        encoding = try Self.encoding(config, format)
        if format == "parquet", let codec = config.file_codec {
            switch String(cString: codec) {
            case "lz4": break
            case "none": parquet.compression = .none
            default: throw ArrowError(TICKLOG_BAD_ARGUMENT, "file_codec: found '\(String(cString: codec))', expected lz4 or none")
            }
        }
        var isText = true
        for column in input.columns where column.type.type == .string && !column.type.isText { isText = false }
        parquet.hasBinaryStrings = !isText
        for column in input.columns where !column.type.unit.isEmpty {
            parquet.metadata.append((key: "unit." + column.name, value: column.type.unit))
        }
    }

    private static func format(_ given: String?, _ path: String) throws(ArrowError) -> String {
        if let given {
            for format in ["bcsv", "csv", "jsonl", "parquet"] where format == given { return format }
            throw ArrowError(TICKLOG_BAD_ARGUMENT, "format: found '\(given)', expected bcsv, csv, jsonl or parquet")
        }
        guard let format = tableFormat(of: path) else {
            throw ArrowError(
                TICKLOG_BAD_ARGUMENT,
                "found the path '\(path)', expected a name that ends with .bcsv, .csv, .jsonl or .parquet, or a format")
        }
        return format
    }

    private static func encoding(_ config: ticklog_arrow_write_config, _ format: String) throws(ArrowError) -> Encoding {
        var encoding = Encoding()
        func refused(_ text: String) -> ArrowError { ArrowError(TICKLOG_BAD_ARGUMENT, text) }
        guard format == "bcsv" else {
            guard config.row_codec == nil, config.packet_bytes == 0, config.level == 0, config.file_codec == nil || format == "parquet" else {
                throw refused("found row_codec, file_codec, level or packet_bytes with \(format), expected none: they are BCSV's")
            }
            return encoding
        }
        switch config.row_codec.map({ String(cString: $0) }) ?? "auto" {
        case "auto": break
        case "flat": (encoding.base.rowCodec, encoding.isAuto) = (.flat, false)
        case "zoh": (encoding.base.rowCodec, encoding.isAuto) = (.zoh, false)
        case "delta": (encoding.base.rowCodec, encoding.isAuto) = (.delta, false)
        default: throw refused("row_codec: found '\(String(cString: config.row_codec))', expected flat, zoh, delta or auto")
        }
        var compresses = true
        switch config.file_codec.map({ String(cString: $0) }) ?? "batch" {
        case "batch": encoding.base.fileCodec = .batch
        case "packet": (encoding.base.fileCodec, compresses) = (.packet, false)
        case "packet-lz4": encoding.base.fileCodec = .packetLZ4
        case "stream": (encoding.base.fileCodec, compresses) = (.stream, false)
        case "stream-lz4": encoding.base.fileCodec = .streamLZ4
        default:
            throw refused(
                "file_codec: found '\(String(cString: config.file_codec))', expected packet, packet-lz4, batch, stream or stream-lz4")
        }
        guard config.level <= 9, compresses || config.level == 0 else {
            throw refused("level: found \(config.level), expected \(compresses ? "0 to 9" : "0: the codec does not compress")")
        }
        encoding.base.level = compresses ? (config.level == 0 ? 6 : Int(config.level)) : 0
        encoding.isLevelGiven = config.level > 0
        guard config.packet_bytes == 0 || (512...1 << 30).contains(config.packet_bytes) else {
            throw refused("packet_bytes: found \(config.packet_bytes), expected 512 to 1073741824")
        }
        if config.packet_bytes > 0 { encoding.base.packetBytes = Int(config.packet_bytes) }
        return encoding
    }

    func write() throws(ArrowError) {
        if format == "jsonl" || format == "parquet" {
            var names: [String: Int] = [:]
            for column in input.columns {
                guard names[column.name] == nil else {
                    throw ArrowError(TICKLOG_DUPLICATE_NAME, "found two columns '\(column.name)', expected different names")
                }
                names[column.name] = 1
            }
        }
        let file: NewFile
        do throws(FileError) {
            file = try NewFile(path, replacing: replaces)
        } catch { throw ArrowError(posixStatus(error.code), Fault(error).message) }
        let table = ArrowTable(input, allowsNulls: format == "csv" || format == "jsonl")
        do throws(Fault) {
            let output = Output(descriptor: file.descriptor, path: path)
            switch format {
            case "bcsv":
                file.freeName()
                let options = try encoding.options(file.temporaryPath, of: path, logged: false) { () throws(Fault) in
                    ArrowTable(input, allowsNulls: false)
                }
                input.isKeeping = false
                _ = try table.writeBCSV(of: path, to: file.temporaryPath, options)
            case "parquet":
                input.isKeeping = false
                _ = try table.writeParquet(of: path, to: output, parquet)
            default:
                input.isKeeping = false
                _ = try table.writeText(
                    of: path, to: output, format == "csv" ? .csv : .jsonl,
                    delimiter: path.fileExtension == "tsv" ? 0x09 : 0x2C)
            }
        } catch {
            file.discard()
            throw ArrowError(Self.status(error, table), table.failure?.text ?? error.message)
        }
        do throws(FileError) { try file.commit() } catch { throw ArrowError(posixStatus(error.code), Fault(error).message) }
    }

    private static func status(_ fault: Fault, _ table: ArrowTable) -> ticklog_status {
        if let failure = table.failure { return failure.status }
        if fault.code == EOVERFLOW { return TICKLOG_TOO_LARGE }
        return fault.status
    }
}
