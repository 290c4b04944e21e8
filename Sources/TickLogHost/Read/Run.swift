import CTickLog
import TickLog

/// A range of samples of one stream that the run declared lost.
public struct Loss {
    public let stream: UInt16
    public let reason: UInt8
    public let firstTick: UInt64
    public let lastTick: UInt64
    public let samples: UInt32

    public static func text(of reason: UInt8) -> String {
        switch UInt32(reason) {
        case TICKLOG_LOSS_RING_FULL: "ring full"
        case TICKLOG_LOSS_LATE: "late"
        case TICKLOG_LOSS_BUSY: "busy"
        case TICKLOG_LOSS_STORAGE: "storage"
        default: "reason \(reason)"
        }
    }
}

/// A run, opened for reading: its metadata, its streams, its files.
public final class Run {
    public let directory: RunDirectory
    public let meta: RunMeta
    public private(set) var streams: [RunStream] = []
    public private(set) var faults: [Fault] = []
    /// Whether `meta` is known. A run of DLF can be read without: it then has no time but ticks.
    public let hasMeta: Bool

    public init(_ directory: RunDirectory) throws(Fault) {
        self.directory = directory
        faults = directory.faults
        do {
            meta = try RunMeta(directory)
            hasMeta = true
        } catch {
            guard directory.format == .dlf, error.kind != .system else { throw error }
            meta = RunMeta(unknown: directory)
            hasMeta = false
            faults.append(Fault(.damaged, error.path, at: error.offset, error.text))
        }
        guard directory.format == .bcsv else { return }
        readStreams()
        if diedInStart { faults = faults.map { $0.kind == .damaged ? Fault(.torn, $0.path, at: $0.offset, $0.text) : $0 } }
    }

    /// LOCK is there, and no file has more than its header: the run ended before its first row, and files that are
    /// missing or cut were not made yet (spec: 1, order).
    private var diedInStart: Bool {
        guard directory.isLocked else { return false }
        for file in RunFile.open(directory.polledPaths, of: directory) + RunFile.open(directory.eventPaths, of: directory) {
            switch file {
            case .readable(let file): if file.file.bytes.count > file.header.dataOffset { return false }
            case .begun: break
            case .bad: return false
            }
        }
        return true
    }

    func files(_ paths: [String]) -> [RunFile] {
        let files = RunFile.open(paths, of: directory)
        // A first file that is cut although the run went on was whole once.
        if case .begun(let fault, _)? = files.first, !diedInStart {
            return [.bad(Fault(.damaged, fault.path, at: fault.offset, "found the end of the file, expected a whole file header"))]
        }
        return files
    }

    /// Nil if the run has no such file.
    public func polled(salvage: Bool = false) throws(Fault) -> Recording? {
        try open(directory.polledPaths, isEvents: false, salvage)
    }

    public func events(salvage: Bool = false) throws(Fault) -> Recording? {
        try open(directory.eventPaths, isEvents: true, salvage)
    }

    /// The file that is asked for: the event file, or the polled one; of a stream the one that has it. Nil if the run has
    /// no such file.
    public func recording(events: Bool, stream name: String? = nil, salvage: Bool = false) throws(Fault) -> Recording? {
        if events { return try self.events(salvage: salvage) }
        guard let name else { return try polled(salvage: salvage) }
        var recording: Recording?
        var fault: Fault?
        do { recording = try polled(salvage: salvage) } catch { fault = error }
        if recording?.stream(named: name) == nil, let events = try? self.events(salvage: salvage), events.stream(named: name) != nil {
            return events
        }
        if let fault { throw fault }
        return recording
    }

    private func open(_ paths: [String], isEvents: Bool, _ salvage: Bool) throws(Fault) -> Recording? {
        guard !paths.isEmpty else { return nil }
        if directory.format == .dlf { return Recording(dlf: DLFTable(try directory.dlf(paths[0]))) }
        var files: [BCSVFile] = []
        var missing: [Fault] = []
        var isWhole = true
        for file in self.files(paths) where isWhole || salvage {
            switch file {
            case .readable(let file): files.append(file)
            case .begun(let fault, _): missing.append(fault)
            case .bad(let fault):
                missing.append(fault)
                isWhole = false
            }
            // Without the first file's columns there is nothing to continue.
            if files.isEmpty { throw missing[0] }
        }
        if !salvage, let hash = isEvents ? meta.eventHash : meta.polledHash, files[0].header.hash != hash {
            throw Fault(
                .damaged, paths[0], at: 0,
                "found a header with the XXH64 \(hexText(files[0].header.hash)), expected \(hexText(hash)) as the run's metadata say")
        }
        return Recording(bcsv: BCSVTable(files, salvage: salvage, missing: missing), streams: streams, isEvents: isEvents)
    }

    /// What was declared lost, in the order of the file.
    public func losses() throws(Fault) -> [Loss] {
        let recording: Recording?
        if directory.format == .dlf {
            guard let path = directory.lossPath else { return [] }
            recording = Recording(dlf: DLFTable(try directory.dlf(path)))
        } else {
            recording = try events()
        }
        guard let recording, let index = recording.stream(named: "ticklog.loss") ?? (directory.format == .dlf ? 0 : nil),
            index < recording.streams.count
        else { return [] }
        var columns = [Int?](repeating: nil, count: 5)
        let names = ["stream", "reason", "first_tick", "last_tick", "samples"]
        for field in recording.streams[index].fields {
            for i in 0..<names.count where names[i] == field.name { columns[i] = field.column }
        }
        for column in columns where column == nil { return [] }
        var losses: [Loss] = []
        while recording.next() {
            guard recording.sampled.contains(index) else { continue }
            func bits(_ i: Int) -> UInt64 { recording.table.bits(columns[i]!) }
            losses.append(
                Loss(
                    stream: UInt16(truncatingIfNeeded: bits(0)), reason: UInt8(truncatingIfNeeded: bits(1)),
                    firstTick: bits(2), lastTick: bits(3), samples: UInt32(truncatingIfNeeded: bits(4))))
        }
        return losses
    }

    private func readStreams() {
        guard let path = directory.streamsPath else {
            faults.append(Fault(.damaged, directory.path, at: nil, "found no streams.bcsv, expected one"))
            return
        }
        let table: BCSVTable
        do { table = BCSVTable([try directory.bcsv(path)]) } catch {
            faults.append(error)
            return
        }
        let names = ["stream_index", "stream", "field", "kind", "type", "unit", "notes", "interval", "phase"]
        var columns: [Int] = []
        for i in 0..<names.count {
            guard let column = table.column(named: names[i]), (table.columns[column].type == .string) == (i >= 1 && i <= 6)
            else {
                faults.append(Fault(.damaged, path, at: nil, "found no column \(names[i]) of the right type, expected one"))
                return
            }
            columns.append(column)
        }
        while table.next() {
            func text(_ i: Int) -> String { String(decoding: table.text(columns[i]), as: UTF8.self) }
            let index = Int(truncatingIfNeeded: table.bits(columns[0]))
            if streams.isEmpty || streams[streams.count - 1].name != text(1) {
                streams.append(
                    RunStream(
                        index: index, name: text(1), kind: text(3), notes: text(6), interval: table.bits(columns[7]),
                        phase: table.bits(columns[8])))
            }
            guard let type = ValueType(name: text(4)) else {
                faults.append(Fault(.damaged, path, at: nil, "found the type \(text(4)), expected one of bool to string"))
                continue
            }
            streams[streams.count - 1].fields.append(RunStream.Field(name: text(2), type: type, unit: text(5)))
        }
        faults += table.faults
    }
}

extension ValueType {
    /// The type of that name in `streams.bcsv`.
    public init?(name: String) {
        for code in 0...ValueType.string.rawValue {
            if let type = ValueType(rawValue: code), staticText(type.name) == name {
                self = type
                return
            }
        }
        return nil
    }
}
