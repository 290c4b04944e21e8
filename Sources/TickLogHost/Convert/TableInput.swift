import TickLog

/// A table of any format that is read, as often as needed.
public final class TableInput {
    public enum Source {
        case bcsv(BCSVFile)
        case dlf(DLFFile)
        case frames(FrameFile)
        case bms(BMSFile)
        case rnog(RNOGFile)
        case run(Run)
        case row(MappedFile, DLFMeta)
        case csv(CSVFile)
        case jsonl(JSONFile)
    }

    /// What is read, and how.
    public struct Options {
        /// Of CSV and JSON Lines.
        public var text = TextOptions()
        /// Goes on behind damage.
        public var salvage = false
        /// Of a run, the event file is the table.
        public var events = false
        /// Instead of what the content says: bcsv, csv, jsonl, bms-legacy, bms-packets or bms-v0; empty: the content.
        public var from = ""

        public init() {}
    }

    public let path: String
    public let source: Source
    public let salvage: Bool
    private let isEvents: Bool
    /// What is wrong with it whatever is read.
    public private(set) var faults: [Fault] = []
    public private(set) var notes: [String] = []

    /// By content; of text, `{` makes it JSON Lines, and everything else without NULs is CSV.
    public init(_ path: String, _ options: Options = Options()) throws(Fault) {
        self.path = path
        salvage = options.salvage
        isEvents = options.events
        source = try TableInput.open(path, options.from, options.text)
        switch source {
        case .csv(let file): note(file.notes, file.skippedCount)
        case .jsonl(let file): note(file.notes, file.skippedCount)
        case .run(let run): faults = run.faults
        default: break
        }
    }

    private func note(_ notes: [String], _ skipped: UInt64) {
        self.notes += notes
        if skipped > 0 { self.notes.append("\(skipped) rows with another number of values are left out") }
    }

    private static func open(_ path: String, _ from: String, _ options: TextOptions) throws(Fault) -> Source {
        if path != "-", kind(of: path) == .directory { return try binary(try Input(path)) }
        // What has no end is not text either: a device is read only as far as it looks like something.
        let file: MappedFile
        do {
            file = try MappedFile(path, wanted: { bytes in
                !from.isEmpty || Input.isPossible(bytes) || isText(bytes)
            })
        } catch {
            throw Fault(error)
        }
        switch from {
        case "bms-legacy": return .bms(BMSFile(file, .legacy))
        case "bms-packets": return .bms(BMSFile(file, .packets))
        case "bms-v0": return .bms(BMSFile(file, .oldPackets))
        default: break
        }
        if from.isEmpty { try Input.refuseParquet(file) }
        if from == "csv" { return .csv(try CSVFile(file, options)) }
        if from == "jsonl" { return .jsonl(try JSONFile(file, options)) }
        let name = path.fileExtension
        if from.isEmpty, BMSFile.recognises(file.bytes) { return .bms(try BMSFile(log: file)) }
        let isBinary = from == "bcsv" || name == "bcsv" || name == "bcs" || name == "dlf"
        if from.isEmpty, try RNOGFile.recognises(file) { return .rnog(RNOGFile(file)) }
        if from.isEmpty, FrameFile.recognises(file) { return .frames(FrameFile(file)) }
        if isBinary || RunArchive.recognises(file.bytes) || BCSVFile.recognises(file.bytes) || (DLFFile.recognises(file.bytes) && !isText(file.bytes)) {
            return try binary(try Input(file))
        }
        guard file.bytes.count > 0 else {
            throw Fault(.unreadable, path, at: 0, "found the end of the file, expected BCSV, DLF, CSV or JSON Lines")
        }
        let isNamedText = name == "csv" || name == "tsv" || name == "jsonl" || name == "ndjson"
        guard isNamedText || isText(file.bytes) else {
            throw Fault(
                .unreadable, path, at: 0,
                "found the bytes \(hexText(of: file.bytes.slice(at: 0, count: min(4, file.bytes.count)))), expected BCSV, DLF, CSV or JSON Lines")
        }
        var at = 0
        if file.bytes.holds(3, at: 0), file.bytes[0] == 0xEF { at = 3 }
        while at < file.bytes.count, file.bytes[at] <= 0x20 { at += 1 }
        let isJSON = name == "jsonl" || name == "ndjson" || (name != "csv" && name != "tsv" && at < file.bytes.count && file.bytes[at] == 0x7B)
        return isJSON ? .jsonl(try JSONFile(file, options)) : .csv(try CSVFile(file, options))
    }

    private static func binary(_ input: Input) throws(Fault) -> Source {
        switch input {
        case .bcsv(let file): .bcsv(file)
        case .dlf(let file): .dlf(file)
        case .frames(let file): .frames(file)
        case .bms(let file): .bms(file)
        case .rnog(let file): .rnog(file)
        case .dlfMeta(let file, let meta): .row(file, meta)
        case .run(let directory): .run(try Run(directory))
        }
    }

    /// No NUL among the first bytes.
    private static func isText(_ bytes: FileBytes) -> Bool {
        bytes.firstZero(from: 0, limit: 4096) == nil
    }

    /// A run's directory or archive, or a file of DLF: an empty cell of its table is no sample.
    public static func isRun(_ path: String) -> Bool {
        switch kind(of: path) {
        case .directory: return path != "-"
        case .file:
            guard path != "-", let file = try? MappedFile(path) else { return false }
            return withExtendedLifetime(file) {
                RunArchive.recognises(file.bytes) || (DLFFile.recognises(file.bytes) && !isText(file.bytes))
            }
        default: return false
        }
    }

    /// Its types are those of a format that has types, not inferred.
    public var isTyped: Bool {
        switch source {
        case .csv, .jsonl: false
        default: true
        }
    }

    /// It is a run, or a file of one.
    public var isLogged: Bool {
        switch source {
        case .dlf, .run: true
        default: false
        }
    }

    /// Its columns have names of their own.
    public var hasNames: Bool {
        if case .csv(let file) = source { return file.hasHeader }
        return true
    }

    /// The columns' names as they are, where they need not be UTF-8.
    public var names: [[UInt8]]? {
        guard case .bcsv(let file) = source else { return nil }
        return file.nameBytes
    }

    /// Its rows, from the first.
    public func open() throws(Fault) -> Table {
        switch source {
        case .bcsv(let file): return BCSVTable([file], salvage: salvage)
        case .dlf(let file): return DLFTable(file)
        case .frames(let file): return FrameTable(file, salvage: salvage)
        case .bms(let file): return BMSTable(file, salvage: salvage)
        case .rnog(let file): return RNOGTable(file, try file.onlyKind(), .packets, salvage: salvage)
        case .row(_, let meta): return OneRow(meta)
        case .csv(let file): return CSVTable(file)
        case .jsonl(let file): return JSONTable(file)
        case .run(let run):
            guard let recording = try isEvents ? run.events(salvage: salvage) : run.polled(salvage: salvage) else {
                throw Fault(.damaged, path, at: nil, "found no \(isEvents ? "event" : "polled") file in the run, expected one")
            }
            return recording.table
        }
    }
}
