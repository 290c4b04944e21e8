import TickLog

/// How a BCSV file is to be written: as it is told, or with the row codec that makes the first rows smallest.
public struct Encoding {
    /// Its row codec is that of `logged`, if the codec is to be found out.
    public var base = BCSVOptions()
    /// The row codec is found out.
    public var isAuto = true
    /// The level is as in `base` also of what was logged.
    public var isLevelGiven = false

    /// As `convert` does without options.
    public init() {
        base.rowCodec = .delta
        base.fileCodec = .batch
        base.level = 6
    }

    public static var probeRows: UInt64 { 4096 }

    /// Of a table that is large and changes little, without a probe.
    public var logged: BCSVOptions { base(logged: true) }

    /// What was logged is mostly large, and level 1 ten times as fast as level 6.
    private func base(logged: Bool) -> BCSVOptions {
        var base = base
        if logged, !isLevelGiven, base.level > 0 { base.level = 1 }
        return base
    }

    /// With `isAuto`, writes the first rows with each row codec to `path`, where nothing is kept, and takes the smallest.
    /// `table` makes the rows anew, from the first; `source`: where they come from.
    public func options(
        _ path: String, of source: String, logged: Bool, _ table: () throws(Fault) -> Table
    ) throws(Fault) -> BCSVOptions {
        let base = base(logged: logged)
        var best = base
        guard isAuto else { return best }
        var smallest: UInt64?
        for codec in [BCSVRowCodec.delta, .zoh, .flat] {
            if codec == .delta, base.version == .v1_3 { continue }
            var options = base
            options.rowCodec = codec
            options.isSynced = false
            let table = try table()
            let writer = try BCSVWriter(path, columns: table.columns, options: options)
            let rows: UInt64
            do throws(Fault) {
                rows = try table.copyRows(to: writer, of: source, most: Encoding.probeRows).rows
            } catch {
                writer.abandon()
                removeFile(path)
                throw error
            }
            try writer.close()
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
    public func runOptions(_ source: RunSource, _ path: String) throws(Fault) -> BCSVOptions {
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
