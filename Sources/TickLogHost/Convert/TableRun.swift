import CTickLog
import TickLog

/// A table with ticks as what a run is made of. With a column `stream` as well, as the event file of a run is printed, its
/// rows are events; otherwise every row has a sample of every stream.
public final class TableRun: RunSource {
    private let open: () throws(Fault) -> Table
    private let path: String
    private var streamNames: [String] = []
    /// By stream, and the built-in ones behind: columns of the table.
    private var columns: [[Int]] = []
    private let tickColumn: Int
    private let streamColumn: Int?

    /// `open` gives the table anew, from its first row. Ticks must be whole numbers; polled ones must rise.
    public init(
        _ path: String, tickNs: UInt64, epochNs: Int64, open: @escaping () throws(Fault) -> Table
    ) throws(Fault) {
        self.open = open
        self.path = path
        let table = try open()
        guard let tick = table.column(named: "tick") else {
            throw Fault(.unreadable, path, at: nil, "found no column 'tick', expected one: a row of a run has a tick")
        }
        // Of a table without rows, no type is known.
        let isEmpty = try !open().next()
        guard table.columns[tick].type.isWhole || isEmpty else {
            throw Fault(
                .unreadable, path, at: nil,
                "found the type \(staticText(table.columns[tick].type.name)) of column 'tick', expected whole numbers")
        }
        tickColumn = tick
        var stream: Int?
        if let column = table.column(named: "stream"), table.columns[column].type == .string { stream = column }
        streamColumn = stream
        let outline = RunOutline(name: path.lastComponent, epochNs: epochNs, tickNs: tickNs)
        super.init(outline, hasBuiltins: stream != nil, isClosed: true, padding: SamplePadding(streams: 0))
        if stream == nil { try readPolled(table) } else { try readEvents(table) }
        self.outline.nameColumns()
        padding.grow(to: self.outline.streamCount)
    }

    /// Nobody knows why; a tick that was skipped has no row.
    override var missingReason: UInt8 { UInt8(TICKLOG_LOSS_LATE) }

    public override func polled() throws(Fault) -> RunRows? {
        guard streamColumn == nil else { return nil }
        return RunRows(try open(), polled: outline.polled, columns: columns, tick: tickColumn)
    }

    public override func events() throws(Fault) -> RunRows? {
        guard let streamColumn else { return nil }
        return RunRows(try open(), events: streamNames, columns: columns, tick: tickColumn, stream: streamColumn)
    }

    private func group(_ table: Table, _ known: [String: Bool], isEvents: Bool) -> [RunOutline.Stream] {
        var streams: [RunOutline.Stream] = []
        var byName: [String: Int] = [:]
        var isColumn: [String: Bool] = [:]
        for column in table.columns { isColumn[column.name] = true }
        columns = []
        for i in 0..<table.columns.count where i != tickColumn && i != streamColumn {
            let name = Array(table.columns[i].name.utf8)
            // The longest name of a stream that the rows tell.
            var split: Int?
            for at in 0...name.count where at == name.count || name[at] == 0x2E {
                if known[shown(Array(name[..<at]))] != nil { split = at }
            }
            // Or what stands before the first dot, if there is something on both sides, and no column has that name.
            if split == nil, let dot = name.firstIndex(of: 0x2E), dot > 0, dot + 1 < name.count,
                isColumn[shown(Array(name[..<dot]))] == nil
            {
                split = dot
            }
            let end = split ?? name.count
            let own = Array(name[..<end])
            let field = end == name.count ? [] : Array(name[(end + 1)...])
            var at = byName[shown(own)]
            if at == nil {
                at = streams.count
                byName[shown(own)] = at
                streams.append(RunOutline.Stream(name: own, kind: isEvents ? .watch : .poll, index: streams.count))
                columns.append([])
            }
            streams[at!].fields.append(RunOutline.Field(field, table.columns[i].type))
            columns[at!].append(i)
        }
        return streams
    }

    private func readPolled(_ table: Table) throws(Fault) {
        outline.polled = group(table, [:], isEvents: false)
        var first: UInt64?
        var last: UInt64 = 0
        var interval: UInt64 = 0
        while table.next() {
            let tick = table.bits(tickColumn)
            try check(tick, table)
            if first == nil {
                first = tick
            } else {
                guard tick > last else {
                    throw Fault(.unreadable, path, at: nil, "row \(table.row): found the tick \(tick), expected more than \(last), as ticks rise")
                }
                interval = divisor(tick - last, interval)
            }
            last = tick
        }
        try RunWriting.check(table, self)
        // One row alone is the first due tick of its schedule.
        if interval == 0 { interval = (first ?? 0) + 1 }
        let past = (first ?? 0) % interval
        for i in 0..<outline.polled.count {
            outline.polled[i].interval = interval
            outline.polled[i].phase = past == 0 ? 0 : interval - past
        }
    }

    private func check(_ tick: UInt64, _ table: Table) throws(Fault) {
        let isSigned = table.columns[tickColumn].type.rawValue >= ValueType.i8.rawValue
        let size = UInt64(table.columns[tickColumn].type.size) * 8
        guard !isSigned || tick >> (size - 1) & 1 == 0, tick < UInt64.max else {
            throw Fault(.unreadable, path, at: nil, "row \(table.row): found a tick that is negative or 2^64 - 1, expected one from 0")
        }
    }

    private func divisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }

    private func readEvents(_ table: Table) throws(Fault) {
        var order: [String] = []
        var lossCount: UInt64 = 0
        var isThere: [String: Bool] = [:]
        for name in BuiltinColumns.names { isThere[name] = true }
        while table.next() {
            try check(table.bits(tickColumn), table)
            let name = String(decoding: table.text(streamColumn!), as: UTF8.self)
            if name == BuiltinColumns.names[2] { lossCount += 1 }
            if isThere[name] == nil {
                isThere[name] = true
                order.append(name)
            }
        }
        try RunWriting.check(table, self)
        guard order.count <= 65533 else {
            throw Fault(.unreadable, path, at: nil, "found \(order.count) streams in column 'stream', expected at most 65533")
        }
        let all = group(table, isThere, isEvents: true)
        let allColumns = columns
        var builtins: [[Int]] = [[], [], []]
        columns = []
        for (i, stream) in all.enumerated() {
            let name = shown(stream.name)
            if let k = BuiltinColumns.names.firstIndex(of: name) {
                builtins[k] = try builtin(k, stream, allColumns[i], table)
                continue
            }
            var own = stream
            own.index = outline.events.count
            outline.events.append(own)
            columns.append(allColumns[i])
            streamNames.append(name)
        }
        var known: [String: Bool] = [:]
        for name in streamNames + BuiltinColumns.names { known[name] = true }
        for name in order where known[name] == nil {
            throw Fault(.unreadable, path, at: nil, "found events of '\(name)', expected columns '\(name)' or '\(name).' and a field for them")
        }
        streamNames += BuiltinColumns.names[..<2]
        columns += builtins[..<2]
        // They count the streams of the run that the table came from.
        if lossCount > 0 { notes.append("\(lossCount) declared losses are left out: a table does not tell which streams they mean") }
    }

    /// The columns of a built-in stream, in its own order.
    private func builtin(_ k: Int, _ stream: RunOutline.Stream, _ columns: [Int], _ table: Table) throws(Fault) -> [Int] {
        var own: [Int] = []
        for expected in BuiltinColumns.all[k] {
            for (i, field) in stream.fields.enumerated() where shown(field.name) == expected.name {
                if (field.type == .string) == (expected.type == .string) { own.append(columns[i]) }
            }
        }
        guard own.count == BuiltinColumns.all[k].count, stream.fields.count == own.count else {
            throw Fault(
                .unreadable, path, at: nil,
                "found other columns of \(BuiltinColumns.names[k]), expected those that every run has; --types gives their types")
        }
        return own
    }
}

extension ValueType {
    fileprivate var isWhole: Bool { rawValue >= ValueType.u8.rawValue && rawValue <= ValueType.i64.rawValue }
}
