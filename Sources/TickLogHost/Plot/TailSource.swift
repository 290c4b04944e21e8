import CPosix
import TickLog

/// The rows at the end of a table that may still grow. It is opened anew whenever it has grown: what was read of it stays
/// as it was, and the rows behind that are found by their number, of frames and BMS logs by where they begin.
public final class TailSource {
    public let path: String
    private let events: Bool
    private let stream: String?
    private let salvage: Bool
    /// The table's rows that were passed.
    private var passed: UInt64 = 0
    private var passedSamples: UInt64 = 0
    /// Where the rows that were passed end, in files that are not found into by a row's number.
    private var frames: FrameTable.Place?
    private var packets: BMSWalk.Place?
    public private(set) var faults: [Fault] = []
    /// A run's files, or the file, when they were last looked at.
    private var size: UInt64 = UInt64.max
    public private(set) var isShorter = false
    private var hasHeader = false

    public init(_ path: String, events: Bool, stream: String?, salvage: Bool) {
        self.path = path
        self.events = events
        self.stream = stream
        self.salvage = salvage
    }

    private struct Opened {
        let table: Table
        let input: TableInput
        var recording: Recording?
        var only: Int?
        var clock: RunClock?
        /// What is printed.
        var shown: Table

        func isShown() -> Bool {
            guard let recording, let only else { return true }
            return recording.sampled.contains(only)
        }

        func next() -> Bool { recording?.next() ?? table.next() }
    }

    private func open() throws(PlotRefusal) -> Opened {
        do throws(Fault) {
            var options = TableInput.Options()
            options.salvage = salvage
            options.events = events
            let input = try TableInput(path, options)
            var recording: Recording?
            var clock: RunClock?
            switch input.source {
            case .run(let run):
                recording = try run.recording(events: events, stream: stream, salvage: salvage)
                guard recording != nil else {
                    throw Fault(.damaged, path, at: nil, "found no \(events ? "event" : "polled") file in the run, expected one")
                }
                if run.hasMeta { clock = RunClock(run.meta) }
            case .dlf(let file): recording = Recording(dlf: DLFTable(file))
            default: break
            }
            let table: Table
            switch input.source {
            case .frames(let file):
                if let frames { table = FrameTable(file, salvage: salvage, from: frames) } else { table = try input.open() }
            case .bms(let file): table = BMSTable(file, salvage: salvage, from: packets)
            default: if let recording { table = recording.table } else { table = try input.open() }
            }
            var opened = Opened(table: table, input: input, recording: recording, only: nil, clock: clock, shown: table)
            if let stream {
                guard let recording else { throw Fault(.unreadable, path, at: nil, "found --stream, which needs a run") }
                guard let index = recording.stream(named: stream) else {
                    var names = ""
                    for stream in recording.streams where names.utf8.count < 1000 { names += (names.isEmpty ? "" : ", ") + stream.name }
                    throw Fault(.unreadable, path, at: nil, terminalText("found the stream '\(stream)', expected one of: \(names)"))
                }
                opened.only = index
                opened.shown = StreamTable(recording, stream: index, clock: clock)
            }
            return opened
        } catch {
            throw .fault(error)
        }
    }

    /// Writes the header, and the last rows that there are.
    public func writeLast(_ most: UInt64, to output: Output, _ format: RowWriter.Format, columns names: [String]?, header: Bool) throws(PlotRefusal) {
        _ = hasGrown()
        let opened = try open()
        var skipped: UInt64 = 0
        if let bcsv = opened.table as? BCSVTable, opened.only == nil {
            let count = bcsv.countRows()
            skipped = count > most ? count - most : 0
        } else if most < UInt64.max {
            var count: UInt64 = 0
            while opened.next() { if opened.isShown() { count += 1 } }
            skipped = count > most ? count - most : 0
        }
        if opened.only == nil { passed = skipped } else { passedSamples = skipped }
        try write(to: output, format, columns: names, header: header)
    }

    /// Whether there may be more.
    public func hasGrown() -> Bool {
        var now: UInt64 = 0
        if kind(of: path) == .directory {
            guard let run = try? RunDirectory(path) else { return false }
            let name = events ? run.eventPaths : stream == nil ? run.polledPaths : run.polledPaths + run.eventPaths
            for path in name { now &+= TickLogHost.size(of: path) }
        } else {
            now = TickLogHost.size(of: path)
        }
        guard now != size else { return false }
        if size != UInt64.max, now < size { isShorter = true }
        size = now
        return true
    }

    /// Of a run: LOCK is there.
    public var isOpenRun: Bool {
        guard kind(of: path) == .directory, let run = try? RunDirectory(path) else { return false }
        return run.isLocked
    }

    public var isRun: Bool { kind(of: path) == .directory }

    /// Writes the rows behind those that were written. What is wrong with them is in `faults`, anew.
    public func write(to output: Output, _ format: RowWriter.Format, columns names: [String]?, header: Bool) throws(PlotRefusal) {
        faults = []
        let opened = try open()
        var columns: [Int] = []
        if let names {
            for name in names {
                guard let column = opened.shown.column(named: name) else {
                    var all = ""
                    for column in opened.shown.columns where all.utf8.count < 1000 { all += (all.isEmpty ? "" : ", ") + column.name }
                    throw .usage("--columns: found '\(terminalText(name))', expected among: \(terminalText(all))")
                }
                columns.append(column)
            }
        } else {
            columns = Array(0..<opened.shown.columns.count)
        }
        let writer = RowWriter(output: output, table: opened.shown, columns: columns, format: format)
        if header, !hasHeader {
            writer.header()
            hasHeader = true
        }
        if let bcsv = opened.table as? BCSVTable {
            if passed > 0, !bcsv.seek(to: passed) {
                faults += opened.table.faults
                return
            }
            while output.isOpen, opened.next() {
                passed = bcsv.row &+ 1
                guard opened.isShown() else { continue }
                // Of one stream: before the last samples that were asked for.
                if passedSamples > 0 { passedSamples -= 1 } else { writer.row() }
            }
        } else {
            // Where it goes on, what was passed is not read again.
            var at = frames != nil || packets != nil ? passed : 0
            let wanted = opened.only == nil ? passed : passedSamples
            if let recording = opened.recording, opened.only == nil { at = recording.begin(at: 0, skipping: wanted, of: .rows) }
            while output.isOpen, opened.next() {
                guard opened.isShown() else { continue }
                at += 1
                if at > wanted { writer.row() }
            }
            if opened.only == nil { passed = max(passed, at) } else { passedSamples = max(passedSamples, at) }
            frames = (opened.table as? FrameTable)?.place
            packets = (opened.table as? BMSTable)?.place
        }
        faults += opened.input.faults + opened.table.faults
    }

    /// There is damage, not only an end that may still grow.
    public var isDamaged: Bool {
        for fault in faults where fault.kind != .torn { return true }
        return false
    }
}
