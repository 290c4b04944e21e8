import TickLog

/// The polled or the event file of a run, row by row: which tick it is, and which streams have a sample in it.
public final class Recording {
    public let table: Table
    public let streams: [RunStream]
    public let isEvents: Bool
    public private(set) var tick: UInt64 = 0
    /// Indices into `streams`, in the order of the file.
    public private(set) var sampled: [Int] = []

    private let dlf: DLFTable?
    private let tickColumn: Int?
    private let streamColumn: Int?
    private var byName: [String: Int] = [:]
    private var polled: [Int] = []
    /// Without a tick column: the next row, and a tick behind that of the row before.
    private(set) var nextRow: UInt64 = 0
    private(set) var nextTick: UInt64 = 0

    public init(bcsv table: BCSVTable, streams described: [RunStream], isEvents: Bool) {
        self.table = table
        self.isEvents = isEvents
        dlf = nil
        var columns: [String: Int] = [:]
        for i in 0..<table.columns.count { columns[table.columns[i].name] = i }
        var streams: [RunStream] = []
        for var stream in described where stream.isPolled != isEvents {
            for k in 0..<stream.fields.count {
                let field = stream.fields[k].name
                // Of a stream without fields the column has the stream's name; of an array [i] behind it.
                stream.fields[k].column = field.isEmpty ? columns[stream.name]
                    : columns[stream.name + "." + field] ?? columns[stream.name + field] ?? columns[stream.name]
            }
            streams.append(stream)
        }
        self.streams = streams
        tickColumn = Recording.column(table, "tick", .u64)
        streamColumn = isEvents ? Recording.column(table, "stream", .string) : nil
        for i in 0..<streams.count {
            if byName[streams[i].name] == nil { byName[streams[i].name] = i }
            if streams[i].isPolled { polled.append(i) }
        }
    }

    public init(dlf table: DLFTable) {
        self.table = table
        dlf = table
        isEvents = table.file.header.isEvents
        streams = table.streams
        tickColumn = 0
        streamColumn = nil
        for i in 0..<streams.count where byName[streams[i].name] == nil { byName[streams[i].name] = i }
    }

    private static func column(_ table: Table, _ name: String, _ type: ValueType) -> Int? {
        if let column = table.column(named: name), table.columns[column].type == type { return column }
        return nil
    }

    /// The first stream of that name. `name~2` is the second, unless there is a stream that is called so.
    public func stream(named name: String) -> Int? {
        if let index = byName[name] { return index }
        let bytes = Array(name.utf8)
        guard let mark = bytes.lastIndex(of: 0x7E), var number = Int(String(decoding: bytes[(mark + 1)...], as: UTF8.self)), number > 1
        else { return nil }
        let base = String(decoding: bytes[..<mark], as: UTF8.self)
        for i in 0..<streams.count where streams[i].name == base {
            number -= 1
            if number == 0 { return i }
        }
        return nil
    }

    /// The columns of a stream in the table.
    func columns(of stream: Int) -> [Int] {
        if let dlf, streams[stream].isOpaque { return [dlf.textColumn(of: stream)] }
        var columns: [Int] = []
        for field in streams[stream].fields { if let column = field.column { columns.append(column) } }
        return columns
    }

    /// Bytes of a stream's sample in the current row; DLF only.
    public func bytes(of stream: Int) -> FileBytes? { dlf?.sample(of: stream) }

    /// What is counted: rows, or the samples of all streams or of one.
    public enum Counted: Sendable { case rows, samples(Int?) }

    /// Goes on behind the first `count` rows or samples of ticks from `tick` on, or a little before: where it can be told by
    /// arithmetic, or, of a tick alone, where the ticks are in order. Answers how many of them it has passed.
    public func begin(at tick: UInt64, skipping count: UInt64, of what: Counted) -> UInt64 {
        if let bcsv = table as? BCSVTable, !isEvents, tick > 0 {
            begin(bcsv, at: tick)
            return 0
        }
        // With very many streams, reading is faster than finding their last samples.
        guard let dlf, !isEvents, tick > 0 || count > 0, streams.count <= 4096 else { return 0 }
        let schedule = dlf.file.schedule
        let dueTicks = DueTicks(schedule.streams)
        func passed(_ tick: UInt64) -> UInt64? {
            switch what {
            case .rows: dueTicks?.count(before: tick)
            case .samples(nil): schedule.samples(before: tick)
            case .samples(let stream?): schedule.streams[stream].count(before: tick)
            }
        }
        var low = tick
        var before: UInt64 = 0
        if count > 0, let start = passed(tick) {
            // The last tick before which there are no more than that, and not behind the file's last.
            var high = max(tick, schedule.extent(of: UInt64(dlf.file.dataCount)).nextTick)
            while low < high {
                let middle = high - (high - low) / 2
                if let number = passed(middle), number - start <= count { low = middle } else { high = middle - 1 }
            }
            if let number = passed(low) { before = number - start } else { low = tick }
        }
        dlf.begin(at: low, row: before)
        return before
    }

    private func begin(_ bcsv: BCSVTable, at tick: UInt64) {
        if let tickColumn { return bcsv.seek(toAtLeast: tick, in: tickColumn) }
        var schedules: [PolledSchedule.Stream] = []
        for i in polled { schedules.append(streams[i].schedule) }
        guard !schedules.isEmpty, let row = schedules.withUnsafeBufferPointer({ DueTicks($0)?.count(before: tick) }) else { return }
        _ = bcsv.seek(to: row)
        nextRow = row
        nextTick = tick
    }

    public func next() -> Bool {
        guard table.next() else { return false }
        if let dlf {
            tick = dlf.tick
            sampled = dlf.sampled
            return true
        }
        sampled.removeAll(keepingCapacity: true)
        if let tickColumn {
            tick = table.bits(tickColumn)
        } else {
            advance(to: table.row)
        }
        if isEvents {
            if let streamColumn, let i = byName[String(decoding: table.text(streamColumn), as: UTF8.self)] {
                sampled.append(i)
            }
        } else {
            for i in polled where streams[i].isDue(at: tick) { sampled.append(i) }
        }
        return true
    }

    /// Without a tick column, row i is the i-th tick at which a stream is due.
    private func advance(to row: UInt64) {
        while nextRow <= row {
            tick = due(from: nextTick)
            nextTick = tick &+ 1
            nextRow += 1
        }
    }

    private func due(from tick: UInt64) -> UInt64 {
        var nearest: UInt64?
        for i in polled {
            let due = streams[i].due(from: tick)
            if nearest == nil || due < nearest! { nearest = due }
        }
        return nearest ?? tick
    }
}
