import TickLog

/// What `meta.bcsv` or `meta.dlf` says of a run.
public struct RunMeta {
    /// One of the user's own values.
    public struct Value {
        public let name: String
        public let type: ValueType
        public let bits: UInt64
        public let text: String
    }

    /// The newest `run_format` that is read; older ones are too.
    public static let newestFormat: UInt64 = 1

    public internal(set) var format = ""
    public internal(set) var runFormat: UInt64 = 0
    public internal(set) var runID = ""
    public internal(set) var version = ""
    /// Unix time of tick 0; 0: unknown.
    public internal(set) var epochNs: Int64 = 0
    public internal(set) var tickNs: UInt64 = 0
    public internal(set) var polledHash: UInt64?
    public internal(set) var eventHash: UInt64?
    public internal(set) var user: [Value] = []
    /// DLF metadata without a known meaning, in base 16.
    public internal(set) var opaque: String?

    /// Of a run of DLF whose metadata cannot be read.
    init(unknown run: RunDirectory) {
        format = "dlf"
        runID = run.name
    }

    public init(_ run: RunDirectory) throws(Fault) {
        if run.format == .bcsv { try readBCSV(run) } else { try readDLF(run) }
    }

    private mutating func readBCSV(_ run: RunDirectory) throws(Fault) {
        let path = run.metaPath
        let table = BCSVTable([try run.bcsv(path)])
        guard table.next() else {
            if table.faults.isEmpty { throw Fault(.damaged, path, at: nil, "found no row, expected one") }
            throw table.faults[0]
        }
        for i in 0..<table.columns.count {
            let column = table.columns[i]
            let isText = column.type == .string
            let text = isText ? String(decoding: table.text(i), as: UTF8.self) : ""
            let bits = isText ? 0 : table.bits(i)
            switch column.name {
            case "format": format = text
            case "run_format": runFormat = bits
            case "run_id": runID = text
            case "ticklog_version": version = text
            case "epoch_ns": epochNs = Int64(bitPattern: bits)
            case "tick_ns": tickNs = bits
            case "polled_header_xxh64": polledHash = bits
            case "event_header_xxh64": eventHash = bits
            default:
                var name = column.name
                if name.utf8.starts(with: "user.".utf8) { name = String(name.dropFirst(5)) }
                user.append(Value(name: name, type: column.type, bits: bits, text: text))
            }
        }
        guard runFormat <= RunMeta.newestFormat else {
            throw Fault(
                .unreadable, path, at: nil,
                "found run_format \(runFormat), expected at most \(RunMeta.newestFormat): a newer version of TickLog wrote this run")
        }
    }

    private mutating func readDLF(_ run: RunDirectory) throws(Fault) {
        format = "dlf"
        runID = run.name
        let file: MappedFile
        do { file = try run.open(run.metaPath) } catch { throw Fault(error) }
        defer { withExtendedLifetime(file) {} }
        do {
            let meta = try DLFMeta(file.bytes)
            epochNs = Int64(meta.epochSeconds) * 1_000_000_000
            tickNs = UInt64(meta.tickMicroseconds) * 1000
            let (fields, isOpaque) = try DLFFile.fields(meta.type, size: meta.data.count, at: meta.typeOffset)
            for field in fields {
                let bits = meta.data.unsigned(at: field.offset, size: field.type.size)
                user.append(Value(name: field.name.isEmpty ? "meta" : field.name, type: field.type, bits: bits, text: ""))
            }
            if isOpaque { opaque = hexText(of: meta.data) }
        } catch {
            throw Fault(unclosed: error, run.metaPath)
        }
    }
}

/// Bytes in base 16.
public func hexText(of bytes: FileBytes) -> String {
    var digits: [UInt8] = []
    for byte in bytes.buffer {
        digits.append(hexDigit(byte >> 4))
        digits.append(hexDigit(byte & 15))
    }
    return String(decoding: digits, as: UTF8.self)
}
