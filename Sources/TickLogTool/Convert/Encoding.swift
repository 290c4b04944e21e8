import TickLog
import TickLogHost

/// How a BCSV file is to be written, as the options say.
struct Encoding {
    private var base = BCSVOptions()
    private let isAuto: Bool
    private let isLevelGiven: Bool

    init(_ arguments: Arguments) throws(Failure) {
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

    static var probeRows: UInt64 { 4096 }

    /// Of a table that is large and changes little, without a probe.
    var logged: BCSVOptions { base(logged: true) }

    /// What was logged is mostly large, and level 1 ten times as fast as level 6.
    private func base(logged: Bool) -> BCSVOptions {
        var base = base
        if logged, !isLevelGiven, base.level > 0 { base.level = 1 }
        return base
    }

    /// With `auto`, writes the first rows with each row codec to `path`, where nothing is kept, and takes the smallest.
    func options(_ input: TableInput, _ path: String) throws(Failure) -> BCSVOptions {
        let base = base(logged: input.isLogged)
        var best = base
        guard isAuto else { return best }
        var smallest: UInt64?
        for codec in [BCSVRowCodec.delta, .zoh, .flat] {
            if codec == .delta, base.version == .v1_3 { continue }
            var options = base
            options.rowCodec = codec
            options.isSynced = false
            let table = try input.table()
            let writer: BCSVWriter
            do throws(Fault) {
                writer = try BCSVWriter(path, columns: table.columns, options: options)
            } catch {
                throw Failure(error)
            }
            let rows: UInt64
            do throws(Failure) {
                rows = try copyRows(table, of: input.path, writer, most: Encoding.probeRows)
            } catch {
                writer.abandon()
                removeFile(path)
                throw error
            }
            do { try writer.close() } catch { throw Failure(error) }
            let bytes = size(of: path)
            removeFile(path)
            if smallest == nil || bytes < smallest! {
                smallest = bytes
                best.rowCodec = codec
            }
            if rows == 0 { break }
        }
        return best
    }

    /// Of the polled file of a run. Runs have no stream files.
    func runOptions(_ source: RunSource, _ path: String) throws(Fault) -> BCSVOptions {
        guard base.fileCodec != .stream, base.fileCodec != .streamLZ4 else {
            throw Fault(.unreadable, "", at: nil, "found --file-codec stream with a run as OUT, expected packet, packet-lz4 or batch")
        }
        let base = base(logged: true)
        var best = base
        guard isAuto else { return best }
        var smallest: UInt64?
        for codec in [BCSVRowCodec.delta, .zoh, .flat] where codec != .delta || base.version != .v1_3 {
            var options = base
            options.rowCodec = codec
            options.isSynced = false
            let bytes = try BCSVRunWriter.probe(source, options, path, rows: Encoding.probeRows)
            if smallest == nil || bytes < smallest! {
                smallest = bytes
                best.rowCodec = codec
            }
        }
        return best
    }
}
