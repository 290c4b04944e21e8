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

    public init(_ directory: RunDirectory) throws(Fault) {
        self.directory = directory
        meta = try RunMeta(directory)
        faults = directory.faults
        if directory.format == .bcsv { readStreams() }
    }

    /// Nil if the run has no such file.
    public func polled(salvage: Bool = false) throws(Fault) -> Recording? {
        try open(directory.polledPaths, isEvents: false, salvage)
    }

    public func events(salvage: Bool = false) throws(Fault) -> Recording? {
        try open(directory.eventPaths, isEvents: true, salvage)
    }

    private func open(_ paths: [String], isEvents: Bool, _ salvage: Bool) throws(Fault) -> Recording? {
        guard !paths.isEmpty else { return nil }
        if directory.format == .dlf { return Recording(dlf: DLFTable(try DLFFile(paths[0]))) }
        var files: [BCSVFile] = []
        for path in paths { files.append(try BCSVFile(path)) }
        if !salvage, let hash = isEvents ? meta.eventHash : meta.polledHash, files[0].header.hash != hash {
            throw Fault(
                .damaged, paths[0], at: 0,
                "found a header with the XXH64 \(hexText(files[0].header.hash)), expected \(hexText(hash)) as the run's metadata say")
        }
        return Recording(bcsv: BCSVTable(files, salvage: salvage), streams: streams, isEvents: isEvents)
    }

    /// What was declared lost, in the order of the file.
    public func losses() throws(Fault) -> [Loss] {
        let recording: Recording?
        if directory.format == .dlf {
            guard let path = directory.lossPath else { return [] }
            recording = Recording(dlf: DLFTable(try DLFFile(path)))
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
        do { table = BCSVTable([try BCSVFile(path)]) } catch {
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
            guard let type = ColumnType(name: text(4)) else {
                faults.append(Fault(.damaged, path, at: nil, "found the type \(text(4)), expected one of bool to string"))
                continue
            }
            streams[streams.count - 1].fields.append(RunStream.Field(name: text(2), type: type, unit: text(5)))
        }
        faults += table.faults
    }
}

extension ColumnType {
    /// The name in `streams.bcsv` and in what the command prints.
    public var name: String {
        switch self {
        case .bool: "bool"
        case .u8: "u8"
        case .u16: "u16"
        case .u32: "u32"
        case .u64: "u64"
        case .i8: "i8"
        case .i16: "i16"
        case .i32: "i32"
        case .i64: "i64"
        case .f32: "f32"
        case .f64: "f64"
        case .string: "string"
        }
    }

    public init?(name: String) {
        for code in 0...ColumnType.string.rawValue {
            if let type = ColumnType(rawValue: code), type.name == name {
                self = type
                return
            }
        }
        return nil
    }
}
