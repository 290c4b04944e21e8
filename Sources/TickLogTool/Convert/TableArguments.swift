import TickLog
import TickLogHost

extension TableInput {
    /// `schema`: the columns of a table that the rows will join, whose types those of a text file have. `samples`: types
    /// may turn out wrong while the table is read, and then it must be opened again without. `isRun`: the table becomes a
    /// run, and an empty cell is no sample.
    convenience init(
        _ path: String, _ arguments: Arguments, schema: [Column]? = nil, samples: Bool = false, isRun: Bool = false
    ) throws(Failure) {
        var options = Options()
        options.salvage = arguments.has("salvage")
        options.events = arguments.has("events")
        options.text = try textOptions(arguments)
        if let schema {
            options.text.allTypes = schema.map { $0.type }
            for column in schema { options.text.types.append((column.name, column.type)) }
        }
        options.text.samples = samples
        if isRun, options.text.empty == .text { options.text.empty = .nothing }
        options.from = try arguments.choice("from", ["bcsv", "csv", "jsonl", "bms-legacy", "bms-packets", "bms-v0"], or: "")
        do throws(Fault) { try self.init(path, options) } catch { throw Failure(error) }
    }

    /// Its rows, from the first.
    func table() throws(Failure) -> Table {
        do throws(Fault) { return try open() } catch { throw Failure(error) }
    }

    func printNotes() {
        for note in notes { Console.error("ticklog: note: " + terminalText(path) + ": " + terminalText(note) + "\n") }
    }
}

extension Encoding {
    init(_ arguments: Arguments) throws(Failure) {
        self.init()
        let is13 = try arguments.choice("bcsv-version", ["1.3", "1.3.0", "1.5", "1.5.0"], or: "1.5").utf8.dropFirst(2).first == 0x33
        let row = try arguments.choice("row-codec", ["flat", "zoh", "delta", "auto"], or: "auto")
        let file = try arguments.choice(
            "file-codec", ["packet", "packet-lz4", "batch", "stream", "stream-lz4"], or: is13 ? "packet-lz4" : "batch")
        isAuto = row == "auto"
        base.rowCodec = row == "flat" ? .flat : row == "zoh" ? .zoh : row == "delta" ? .delta : is13 ? .zoh : .delta
        switch file {
        case "packet": base.fileCodec = .packet
        case "packet-lz4": base.fileCodec = .packetLZ4
        case "stream": base.fileCodec = .stream
        case "stream-lz4": base.fileCodec = .streamLZ4
        default: base.fileCodec = .batch
        }
        if is13, row == "delta" || file == "batch" {
            throw .usage("found --bcsv-version 1.3 with \(row == "delta" ? "delta rows" : "batches"), expected what that version has")
        }
        let compresses = file == "packet-lz4" || file == "batch" || file == "stream-lz4"
        let level = try arguments.unsigned("level") ?? (compresses ? 6 : 0)
        guard level <= 9, (level > 0) == compresses else {
            throw .usage("--level: found \(level), expected \(compresses ? "1 to 9" : "0, as \(file) does not compress")")
        }
        base.level = Int(level)
        isLevelGiven = arguments.has("level")
        let packet = try arguments.unsigned("packet-size") ?? 8 << 20
        guard packet >= 512, packet <= 1 << 30 else { throw .usage("--packet-size: found \(packet), expected 512 to 1073741824") }
        base.packetBytes = Int(packet)
        base.version = is13 ? .v1_3 : .v1_5
    }

    func options(_ input: TableInput, _ path: String) throws(Failure) -> BCSVOptions {
        do throws(Fault) {
            return try options(path, of: input.path, logged: input.isLogged) { () throws(Fault) in try input.open() }
        } catch { throw Failure(error) }
    }
}
