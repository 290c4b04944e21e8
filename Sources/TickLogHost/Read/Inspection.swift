import CPosix
import TickLog

/// What one file of data is: BCSV and events from a full walk through them, polled DLF by arithmetic.
public struct FileSummary {
    public let path: String
    public let size: UInt64
    public internal(set) var rows: UInt64 = 0
    /// BCSV: packets that are whole. DLF: 0.
    public internal(set) var packets = 0
    public internal(set) var indexEntries: Int?
    public internal(set) var ending = Ending.open
    /// Ticks of the first and the last row, if the file has a column of them.
    public internal(set) var firstTick: UInt64?
    public internal(set) var lastTick: UInt64?
    public internal(set) var faults: [Fault] = []
    /// BCSV: what all values take without any encoding, a string its bytes.
    public internal(set) var valueBytes: UInt64 = 0
    /// DLF.
    public internal(set) var survey: DLFSurvey?

    public init(_ file: BCSVFile) {
        path = file.path
        size = UInt64(file.file.bytes.count)
        let reader: BCSVReader
        do { reader = try BCSVReader(file, salvage: true) } catch {
            faults = [error]
            ending = .damaged
            return
        }
        let hasTicks = file.columns[0].name == "tick" && file.columns[0].type == .u64
        var rowBytes: UInt64 = 0
        var strings: [Int] = []
        for i in 0..<file.columns.count {
            rowBytes += UInt64(file.columns[i].type.size)
            if file.columns[i].type == .string { strings.append(i) }
        }
        while reader.next() {
            valueBytes &+= rowBytes
            for i in strings { valueBytes &+= UInt64(reader.rows.text(i).count) }
            guard hasTicks else { continue }
            let tick = reader.rows.bits(0)
            if firstTick == nil { firstTick = tick }
            // Events of several sources need not be in order: the last is the latest.
            lastTick = max(lastTick ?? 0, tick)
        }
        rows = reader.rows.goodRowCount
        packets = reader.rows.packetCount
        indexEntries = reader.rows.footer?.entryCount
        ending = reader.ending ?? .damaged
        faults += reader.faults
    }

    /// A file that was being made when the run ended.
    init(begun fault: Fault, size: Int) {
        path = fault.path
        self.size = UInt64(size)
        ending = .torn
        faults = [fault]
    }

    public init(_ file: DLFFile) {
        self.init(DLFSurvey(file.file, as: file.header.isEvents ? .event : .polled))
    }

    init(_ survey: DLFSurvey) {
        path = survey.path
        size = survey.size
        self.survey = survey
        firstTick = survey.firstTick
        lastTick = survey.lastTick
        rows = survey.rows ?? lastTick.map { $0 &+ 1 } ?? 0
        ending = survey.spanAgrees ? .closed : .open
        if let fault = survey.fault {
            faults = [fault]
            ending = fault.kind == .torn ? .torn : .damaged
        }
    }

    public var isDamaged: Bool {
        for fault in faults where fault.kind != .torn { return true }
        return false
    }
}

/// What a run is: its files, its time, its losses.
public final class RunSummary {
    public let run: Run
    public let polled: [FileSummary]
    public let events: [FileSummary]
    public let losses: [Loss]
    public let faults: [Fault]
    /// The tick behind the last one that has a row.
    public let ticks: UInt64

    public init(_ directory: RunDirectory) throws(Fault) {
        let run = try Run(directory)
        self.run = run
        var faults = run.faults
        polled = RunSummary.files(run, directory.polledPaths, &faults)
        events = RunSummary.files(run, directory.eventPaths, &faults)
        var ticks: UInt64 = 0
        for file in polled + events { if let last = file.lastTick { ticks = max(ticks, last &+ 1) } }
        if let span = RunSummary.span(run, polled, events) { ticks = max(ticks, span &+ 1) }
        do {
            if let recording = try run.polled(salvage: true), recording.table.column(named: "tick") == nil {
                while recording.next() { ticks = max(ticks, recording.tick &+ 1) }
            }
        } catch {
            faults.append(error)
        }
        // The checksum of the header is in the metadata; opening the file compares them.
        do { _ = try run.polled() } catch { faults.append(error) }
        do { _ = try run.events() } catch { faults.append(error) }
        self.ticks = ticks
        do { losses = try run.losses() } catch {
            losses = []
            faults.append(error)
        }
        self.faults = RunSummary.unique(faults)
    }

    /// The last tick of a DLF run, which need not have a sample, if its files agree with it.
    private static func span(_ run: Run, _ polled: [FileSummary], _ events: [FileSummary]) -> UInt64? {
        guard !run.directory.isLocked, let polled = polled.first?.survey, let events = events.first?.survey,
            let span = polled.tickSpan,
            span == events.tickSpan, polled.spanAgrees, events.spanAgrees
        else { return nil }
        // 0 of a run without samples also means that it has no tick.
        return span == 0 && polled.samples == 0 && events.samples == 0 ? nil : span
    }

    public var isClosed: Bool { !run.directory.isLocked }
    public var seconds: Double { Double(ticks) * Double(run.meta.tickNs) / 1e9 }

    public var lostSamples: UInt64 {
        var sum: UInt64 = 0
        for loss in losses { sum = sum &+ UInt64(loss.samples) }
        return sum
    }

    private static func unique(_ faults: [Fault]) -> [Fault] {
        var result: [Fault] = []
        for fault in faults {
            var isNew = true
            for other in result where other.message == fault.message { isNew = false }
            if isNew { result.append(fault) }
        }
        return result
    }

    private static func files(_ run: Run, _ paths: [String], _ faults: inout [Fault]) -> [FileSummary] {
        var files: [FileSummary] = []
        if run.directory.format == .dlf {
            for path in paths {
                do { files.append(FileSummary(try run.directory.dlf(path))) } catch { faults.append(error) }
            }
        } else {
            for file in run.files(paths) {
                switch file {
                case .readable(let file): files.append(FileSummary(file))
                case .begun(let fault, let size): files.append(FileSummary(begun: fault, size: size))
                case .bad(let fault): faults.append(fault)
                }
            }
        }
        for file in files { faults += file.faults }
        return files
    }
}
