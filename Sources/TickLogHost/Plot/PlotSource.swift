import CTickLog
import TickLog

/// Reads what is plotted, once, in memory that does not depend on how much it is.
public final class PlotSource {
    public let path: String
    let choice: PlotChoice
    private let input: TableInput
    private let table: Table
    private let files: [MappedFile]
    private let recording: Recording?
    private let run: Run?
    let grid: PlotGrid
    private(set) var series: [PlotSeries] = []
    private(set) var xName = ""
    private(set) var kind = PlotAxisKind.count
    /// Names of columns that would have been plotted, were there fewer.
    public private(set) var leftOut: [String] = []
    /// What there is to say of the file.
    public private(set) var faults: [Fault] = []
    /// Declared lost, by stream.
    private(set) var losses: [Int: PlotLosses] = [:]
    private var xColumn: Int?
    private var ticks = ChosenRows.allTicks
    private var groups: [PlotGroup] = []
    private static var blockRows: Int { 4096 }

    public init(_ path: String, _ choice: PlotChoice) throws(PlotRefusal) {
        self.path = path
        self.choice = choice
        var options = TableInput.Options()
        options.salvage = choice.salvage
        options.events = choice.events
        do throws(Fault) { input = try TableInput(path, options) } catch { throw .fault(error) }
        var recording: Recording?
        var run: Run?
        var clock: RunClock?
        do throws(Fault) {
            switch input.source {
            case .run(let opened):
                run = opened
                recording = try opened.recording(events: choice.events, stream: choice.stream, salvage: choice.salvage)
                if recording == nil {
                    throw Fault(.damaged, path, at: nil, "found no \(choice.events ? "event" : "polled") file in the run, expected one")
                }
                if opened.hasMeta { clock = RunClock(opened.meta) }
            case .dlf(let file): recording = Recording(dlf: DLFTable(file))
            default: break
            }
            if let recording { table = recording.table } else { table = try input.open() }
        } catch {
            throw .fault(error)
        }
        self.recording = recording
        self.run = run
        files = input.mappedFiles(table)
        grid = PlotGrid(width: choice.width)
        guard recording != nil || (choice.stream == nil && !choice.events) else {
            throw .usage("found --stream or --events, which needs a run")
        }
        try chooseX(clock)
        try chooseColumns()
        if let run {
            do throws(Fault) {
                let all = try run.losses()
                for stream in recording!.streams where losses[stream.index] == nil { losses[stream.index] = PlotLosses(all, of: stream.index) }
            } catch {
                faults.append(error)
            }
        }
    }

    deinit { for one in series { one.free() } }

    var streams: [RunStream]? { recording?.streams }

    // MARK: What is plotted

    private func chooseX(_ clock: RunClock?) throws(PlotRefusal) {
        if let name = choice.x {
            guard choice.from == nil, choice.to == nil else { throw .usage("found --x and --from or --to, expected one of them") }
            let column = try find(name, "--x")
            guard table.columns[column].type != .string else { throw .usage("--x: found text in '\(terminalText(name))', expected numbers") }
            setX(column)
            return
        }
        if recording != nil {
            xName = "tick"
            if let clock {
                xName = clock.epochNs == 0 ? "seconds since the start" : "time (UTC)"
                kind = clock.epochNs == 0 ? .seconds(keyNs: clock.tickNs) : .time(epochNs: clock.epochNs, keyNs: clock.tickNs)
            }
            try chooseTicks(clock)
            return
        }
        xName = "row"
        if case .bms = input.source, let column = table.column(named: "time") {
            setX(column)
            xName = "time (UTC)"
            kind = .unixSeconds
        } else if let column = table.column(named: "time_ns"), table.columns[column].type == .i64 {
            setX(column)
        } else if let column = table.column(named: "tick"), table.columns[column].type == .u64 || !input.isTyped, isInteger(column) {
            setX(column)
        }
        try chooseTicks(nil)
    }

    private func isInteger(_ column: Int) -> Bool {
        switch table.columns[column].type {
        case .bool, .f32, .f64, .string: false
        default: true
        }
    }

    private func setX(_ column: Int) {
        xColumn = column
        xName = table.columns[column].name
        kind = .number
        guard isInteger(column) else { return }
        kind = xName == "time_ns" ? .time(epochNs: 0, keyNs: 1) : .count
        if xName == "time_ns" { xName = "time (UTC)" }
    }

    /// The window, in ticks or rows.
    private func chooseTicks(_ clock: RunClock?) throws(PlotRefusal) {
        guard choice.from != nil || choice.to != nil else { return }
        if recording == nil, case .count = kind {} else if recording == nil {
            throw .usage("found --from or --to, which needs a run, or a table with ticks or rows")
        }
        let from = try tick(choice.from, clock, "--from", up: true) ?? 0
        let to = try tick(choice.to, clock, "--to", up: true) ?? UInt64.max
        guard from < to else { throw .usage("--to: found no later moment than --from's, expected one") }
        ticks = from..<to
    }

    private func tick(_ moment: PlotMoment?, _ clock: RunClock?, _ option: String, up: Bool) throws(PlotRefusal) -> UInt64? {
        guard let moment else { return nil }
        var ns: UInt64
        switch moment {
        case .tick(let tick): return tick
        case .sinceStart(let time): ns = time
        case .unix(let time):
            guard let clock, clock.epochNs > 0 else { throw .usage("\(option): found a time, expected a tick: nobody knows when the run began") }
            let (scaled, overflow) = time.multipliedReportingOverflow(by: 1000)
            ns = overflow ? UInt64.max : scaled
            ns = ns > UInt64(clock.epochNs) ? ns - UInt64(clock.epochNs) : 0
        }
        guard let clock else { throw .usage("\(option): found seconds, expected a tick: nobody knows how long a tick is") }
        return ns / clock.tickNs + (ns % clock.tickNs == 0 ? 0 : 1)
    }

    private func find(_ name: String, _ option: String) throws(PlotRefusal) -> Int {
        if let column = table.column(named: name) { return column }
        var names = ""
        for column in table.columns where names.utf8.count < 1000 { names += (names.isEmpty ? "" : ", ") + column.name }
        throw .usage("\(option): found '\(terminalText(name))', expected among: \(terminalText(names))")
    }

    private func chooseColumns() throws(PlotRefusal) {
        var units: [Int: String] = [:]
        var streamOf: [Int: Int] = [:]
        var only: [Int]?
        if let recording {
            for k in 0..<recording.streams.count {
                for field in recording.streams[k].fields {
                    guard let column = field.column else { continue }
                    streamOf[column] = k
                    if !field.unit.isEmpty { units[column] = field.unit }
                }
            }
            if let name = choice.stream {
                guard let index = recording.stream(named: name) else {
                    var names = ""
                    for stream in recording.streams where names.utf8.count < 1000 { names += (names.isEmpty ? "" : ", ") + stream.name }
                    throw .usage("--stream: found '\(terminalText(name))', expected one of: \(terminalText(names))")
                }
                only = recording.columns(of: index)
            }
        }
        var columns: [Int] = []
        if let names = choice.columns {
            for name in names {
                let column: Int
                if let full = table.column(named: name) {
                    column = full
                } else if let own = only?.first(where: { table.columns[$0].name == choice.stream! + "." + name }) {
                    column = own
                } else {
                    column = try find(name, "--columns")
                }
                guard table.columns[column].type != .string else {
                    throw .usage("--columns: found text in '\(terminalText(name))', expected numbers")
                }
                if !columns.contains(column) { columns.append(column) }
            }
            guard columns.count <= PlotChoice.mostChosenColumns else {
                throw .usage("--columns: found \(columns.count) columns, expected at most \(PlotChoice.mostChosenColumns)")
            }
        } else {
            for column in only ?? Array(0..<table.columns.count) where table.columns[column].type != .string && column != xColumn {
                let name = table.columns[column].name
                if name == "time_ns" || (name == "tick" && streamOf[column] == nil) { continue }
                if columns.count < PlotChoice.mostColumns { columns.append(column) } else { leftOut.append(name) }
            }
        }
        guard !columns.isEmpty else {
            throw .fault(Fault(.unreadable, path, at: nil, "found no column of numbers, expected one that can be plotted"))
        }
        for column in columns {
            series.append(
                PlotSeries(
                    grid, table.columns[column].name, unit: units[column] ?? "", column: column, table.columns[column].type,
                    stream: streamOf[column]))
        }
        for one in series {
            if let group = groups.first(where: { $0.stream == one.stream }) {
                group.series.append(one)
            } else {
                let group = PlotGroup(one.stream)
                group.series.append(one)
                groups.append(group)
            }
        }
    }

    // MARK: Reading

    /// Rows since the files' memory was given back.
    private var rowsInMemory = 0
    private var mostRowsInMemory = 32768
    /// What the files' memory may be: little, but more than a packet or two, since the one that is read comes again.
    private static var mostBytesInMemory: Int { 32 << 20 }

    private func passed(_ rows: Int) {
        rowsInMemory += rows
        guard rowsInMemory >= mostRowsInMemory else { return }
        rowsInMemory = 0
        for file in files { file.leavePages() }
    }

    /// Reads all of it. What is wrong with the file is in `faults` then.
    public func read() {
        if let bcsv = table as? BCSVTable, recording == nil || recording?.isEvents == false {
            readBlocks(bcsv)
        } else {
            readRows()
        }
        faults += input.faults + table.faults
    }

    /// Row by row: every other format, and events, of which each is of one stream.
    private func readRows() {
        // Texts are read as a whole before, to find out their types.
        for file in files { file.leavePages() }
        if let recording {
            _ = recording.begin(at: ticks.lowerBound, skipping: 0, of: .rows)
            var cut = losses
            while recording.next() {
                passed(1)
                let tick = recording.tick
                if tick < ticks.lowerBound { continue }
                if tick >= ticks.upperBound, ticks.upperBound != UInt64.max {
                    if recording.isEvents { continue }
                    return
                }
                let key = Int64(clamping: tick)
                var bucket = -1
                for group in groups {
                    guard let stream = group.stream else { continue }
                    guard recording.sampled.contains(stream) else { continue }
                    if bucket < 0 {
                        if let xColumn {
                            guard let place = xBucket(xColumn) else { break }
                            bucket = place
                        } else {
                            grid.cover(key, key)
                            bucket = grid.bucket(key)
                        }
                    }
                    let described = recording.streams[stream]
                    if described.isPolled, group.isBegun, tick > group.nextTick { group.cut() }
                    group.isBegun = true
                    group.nextTick = described.isPolled ? described.due(from: tick &+ 1) : UInt64.max
                    // What stands in the place of a lost sample is none.
                    if described.isPolled, let isLost = cut[described.index]?.holds(tick), isLost {
                        group.cut()
                        continue
                    }
                    for one in group.series { take(one, bucket) }
                }
            }
            return
        }
        var next: UInt64 = 0
        var isFirst = true
        while table.next() {
            passed(1)
            let row = table.row
            if xColumn == nil, row < ticks.lowerBound { continue }
            if !isFirst, row != next { for one in series { one.cut() } }
            isFirst = false
            next = row &+ 1
            let bucket: Int
            if let xColumn {
                if case .count = kind, table.columns[xColumn].type == .u64, ticks != ChosenRows.allTicks, !ticks.contains(table.bits(xColumn)) { continue }
                guard let place = xBucket(xColumn) else {
                    for one in series { one.cut() }
                    continue
                }
                bucket = place
            } else {
                if row >= ticks.upperBound { return }
                let key = Int64(clamping: row)
                grid.cover(key, key)
                bucket = grid.bucket(key)
            }
            for one in series { take(one, bucket) }
        }
    }

    private func xBucket(_ column: Int) -> Int? {
        guard table.isKnown(column) else { return nil }
        let type = table.columns[column].type
        let bits = table.bits(column)
        if type == .f32 || type == .f64 || type == .bool { return numberBucket(plottedNumber(bits, type)) }
        let key = integerKey(bits, type)
        grid.cover(key, key)
        return grid.bucket(key)
    }

    private func numberBucket(_ number: Double) -> Int? {
        guard number - number == 0 else { return nil }
        return grid.bucket(grid.key(of: number))
    }

    private func take(_ one: PlotSeries, _ bucket: Int) {
        guard table.isKnown(one.column) else { return one.cut() }
        one.add(plottedNumber(table.bits(one.column), one.type), bucket)
    }

    /// By columns.
    private func readBlocks(_ bcsv: BCSVTable) {
        let most = PlotSource.blockRows
        if let bytes = bcsv.bytesPerRow { mostRowsInMemory = max(mostRowsInMemory, Self.mostBytesInMemory / max(bytes, 1)) }
        if let recording, xColumn == nil { _ = recording.begin(at: ticks.lowerBound, skipping: 0, of: .rows) }
        let clock = recording.map { PlotTicks($0, bcsv) }
        let keyColumn = xColumn ?? clock?.column
        let count = series.count + (keyColumn == nil ? 0 : 1)
        let arrays = UnsafeMutableBufferPointer<ticklog_column_array>.allocate(capacity: count)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: count * most * 8, alignment: 64)
        let keys = UnsafeMutablePointer<Int64>.allocate(capacity: most)
        let places = UnsafeMutablePointer<Int32>.allocate(capacity: most)
        defer {
            arrays.deallocate()
            memory.deallocate()
            keys.deallocate()
            places.deallocate()
        }
        for i in 0..<count {
            let column = i < series.count ? series[i].column : keyColumn!
            arrays[i] = ticklog_column_array(
                column: UInt32(column), reserved: 0, values: memory + i * most * 8, text: nil, text_bytes: 0)
        }
        if recording == nil, xColumn == nil, ticks.lowerBound > 0 { guard bcsv.seek(to: ticks.lowerBound) else { return } }
        var nextRow: UInt64 = 0
        var isFirst = true
        while true {
            let number = bcsv.nextColumns(UnsafeBufferPointer(arrays), most)
            guard number > 0 else { return }
            passed(number)
            let firstRow = bcsv.row &+ 1 &- UInt64(number)
            let isJump = !isFirst && firstRow != nextRow
            nextRow = bcsv.row &+ 1
            isFirst = false
            let values = keyColumn == nil ? nil : UnsafeRawPointer(memory + series.count * most * 8)
            if xColumn == nil, recording != nil {
                // Ticks, in order.
                let ended = clock!.fill(keys, values, firstRow, number, ticks)
                takeTicks(keys, places, number, memory, most, isJump: isJump)
                if ended { return }
            } else if xColumn != nil {
                takeX(values!, keys, places, number, memory, most, isJump: isJump)
            } else {
                var wanted = number
                if ticks.upperBound != UInt64.max {
                    if firstRow >= ticks.upperBound { return }
                    wanted = Int(min(UInt64(number), ticks.upperBound - firstRow))
                }
                var from = 0
                if firstRow < ticks.lowerBound { from = Int(min(UInt64(wanted), ticks.lowerBound - firstRow)) }
                guard from < wanted else { continue }
                if isJump { for one in series { one.cut() } }
                let first = Int64(clamping: firstRow &+ UInt64(from))
                let (last, overflow) = first.addingReportingOverflow(Int64(wanted - from - 1))
                guard !overflow else { return }
                grid.cover(first, last)
                var at = from
                while at < wanted {
                    // As far as the bucket goes.
                    let key = first + Int64(at - from)
                    let inBucket = (1 << Int64(grid.shift)) - (key & ((1 << Int64(grid.shift)) - 1))
                    let length = Int(min(Int64(wanted - at), inBucket))
                    let bucket = grid.bucket(key)
                    for i in 0..<series.count { series[i].add(memory + i * most * 8, from: at, length, bucket) }
                    at += length
                }
            }
        }
    }

    /// Rows of ticks that are in order, -1: not wanted; each column has samples where its stream is due. `rows` has room for
    /// as many.
    private func takeTicks(
        _ keys: UnsafeMutablePointer<Int64>, _ rows: UnsafeMutablePointer<Int32>, _ number: Int, _ memory: UnsafeMutableRawPointer,
        _ most: Int, isJump: Bool
    ) {
        var from = 0
        while from < number, keys[from] < 0 { from += 1 }
        var to = number
        while to > from, keys[to - 1] < 0 { to -= 1 }
        guard from < to else { return }
        var low = keys[from]
        var high = low
        for i in from..<to where keys[i] >= 0 {
            low = min(low, keys[i])
            high = max(high, keys[i])
        }
        grid.cover(low, high)
        for group in groups {
            let described = group.stream.map { recording!.streams[$0] }
            let interval = Int64(clamping: described.map { max($0.interval, 1) } ?? 1)
            var lost = described.flatMap { losses[$0.index] }
            let touched = lost?.touches(UInt64(low), UInt64(high)) ?? false
            if isJump { group.cut() }
            // Every sample of the block, one behind the other.
            if !touched, isSteady(keys, from, to, interval), described == nil || described!.isDue(at: UInt64(low)) {
                if described != nil, group.isBegun, group.nextTick != UInt64(low) { group.cut() }
                var at = from
                while at < to {
                    let inBucket = (1 << Int64(grid.shift)) - (keys[at] & ((1 << Int64(grid.shift)) - 1))
                    let length = Int(min(Int64(to - at), (inBucket - 1) / interval + 1))
                    let bucket = grid.bucket(keys[at])
                    for one in group.series { one.add(memory + one.place * most * 8, from: at, length, bucket) }
                    at += length
                }
                group.isBegun = true
                group.nextTick = described?.due(from: UInt64(high) + 1) ?? UInt64(high) + 1
                group.lastTick = UInt64(high)
                continue
            }
            // The rows that have a sample, those of a bucket together.
            var bucket = -1
            var count = 0
            for i in from..<to where keys[i] >= 0 {
                let tick = UInt64(keys[i])
                var isCut = false
                var isSample = true
                if let described {
                    if group.isBegun, tick < group.nextTick, tick >= group.lastTick { continue }
                    isSample = described.isDue(at: tick)
                    isCut = group.isBegun && (isSample ? tick != group.nextTick : tick > group.nextTick)
                    if isSample { group.nextTick = described.due(from: tick + 1) }
                } else {
                    group.nextTick = tick + 1
                }
                if isSample {
                    group.isBegun = true
                    group.lastTick = tick
                    // What stands in the place of a lost sample is an older one.
                    if touched, lost!.holds(tick) {
                        isSample = false
                        isCut = true
                    }
                }
                let own = isSample ? grid.bucket(keys[i]) : bucket
                if isCut || own != bucket {
                    group.add(memory, most, rows, count, bucket)
                    count = 0
                    bucket = own
                    if isCut { group.cut() }
                }
                guard isSample else { continue }
                rows[count] = Int32(i)
                count += 1
            }
            group.add(memory, most, rows, count, bucket)
        }
    }

    /// Whether each is the one before and `step`.
    private func isSteady(_ keys: UnsafeMutablePointer<Int64>, _ from: Int, _ to: Int, _ step: Int64) -> Bool {
        var differences: Int64 = 0
        var i = from
        while i + 1 < to {
            differences |= (keys[i] &+ step) ^ keys[i + 1]
            i += 1
        }
        return differences == 0
    }

    private static var noPlace: Int32 { -1 }
    private static var unwanted: Int32 { -2 }

    /// x is a column: rows in any order. `keys` and `places` have room for as many.
    private func takeX(
        _ values: UnsafeRawPointer, _ keys: UnsafeMutablePointer<Int64>, _ places: UnsafeMutablePointer<Int32>, _ number: Int,
        _ memory: UnsafeMutableRawPointer, _ most: Int, isJump: Bool
    ) {
        if isJump { for one in series { one.cut() } }
        let type = table.columns[xColumn!].type
        if type == .f32 || type == .f64 || type == .bool {
            // Room for all of them is made before any has its place.
            for i in 0..<number { _ = numberBucket(plottedNumber(loadBits(values, i, type), type)) }
            for i in 0..<number {
                places[i] = numberBucket(plottedNumber(loadBits(values, i, type), type)).map { Int32($0) } ?? Self.noPlace
            }
        } else {
            var low = Int64.max
            var high = Int64.min
            if type == .u64, ticks != ChosenRows.allTicks {
                for i in 0..<number {
                    let tick = values.load(fromByteOffset: 8 * i, as: UInt64.self)
                    let isWanted = ticks.contains(tick)
                    keys[i] = isWanted ? Int64(clamping: tick) : -1
                    low = isWanted ? min(low, keys[i]) : low
                    high = isWanted ? max(high, keys[i]) : high
                }
                if low <= high { grid.cover(low, high) }
                for i in 0..<number { places[i] = keys[i] < 0 ? Self.unwanted : Int32(truncatingIfNeeded: grid.bucket(keys[i])) }
            } else {
                fillKeys(keys, values, number, type)
                for i in 0..<number {
                    low = min(low, keys[i])
                    high = max(high, keys[i])
                }
                grid.cover(low, high)
                for i in 0..<number { places[i] = Int32(truncatingIfNeeded: grid.bucket(keys[i])) }
            }
        }
        var i = 0
        while i < number {
            let place = places[i]
            var end = i + 1
            while end < number, places[end] == place { end += 1 }
            if place >= 0 {
                for k in 0..<series.count { series[k].add(memory + k * most * 8, from: i, end - i, Int(place)) }
            } else if place == Self.noPlace {
                for one in series { one.cut() }
            }
            i = end
        }
    }
}

/// Columns of the same stream, whose samples come and are lost together.
final class PlotGroup {
    let stream: Int?
    var series: [PlotSeries] = []
    var isBegun = false
    /// The next sample is due then.
    var nextTick: UInt64 = 0
    var lastTick: UInt64 = 0

    init(_ stream: Int?) { self.stream = stream }

    func cut() { for one in series { one.cut() } }

    /// Rows of one bucket, by their numbers in the block.
    func add(_ memory: UnsafeMutableRawPointer, _ most: Int, _ rows: UnsafePointer<Int32>, _ count: Int, _ bucket: Int) {
        guard count > 0 else { return }
        for one in series { one.add(memory + one.place * most * 8, rows: rows, count, bucket) }
    }
}

/// The ticks of the rows of a polled file.
private final class PlotTicks {
    /// Nil: row i is the i-th tick at which a stream is due.
    let column: Int?
    private let polled: [RunStream]
    private var nextRow: UInt64 = 0
    private var nextTick: UInt64 = 0
    private var tick: UInt64 = 0

    init(_ recording: Recording, _ table: BCSVTable) {
        if let column = table.column(named: "tick"), table.columns[column].type == .u64 { self.column = column } else { column = nil }
        polled = recording.streams.filter { $0.isPolled }
        nextRow = recording.nextRow
        nextTick = recording.nextTick
    }

    /// -1: outside the window. Answers whether nothing of it can come any more.
    func fill(
        _ keys: UnsafeMutablePointer<Int64>, _ values: UnsafeRawPointer?, _ firstRow: UInt64, _ number: Int, _ ticks: Range<UInt64>
    ) -> Bool {
        var ended = false
        for i in 0..<number {
            if let values {
                tick = values.load(fromByteOffset: 8 * i, as: UInt64.self)
            } else {
                let row = firstRow &+ UInt64(i)
                while nextRow <= row {
                    var nearest = UInt64.max
                    for stream in polled { nearest = min(nearest, stream.due(from: nextTick)) }
                    tick = polled.isEmpty ? nextTick : nearest
                    nextTick = tick &+ 1
                    nextRow += 1
                }
            }
            let isWanted = tick >= ticks.lowerBound && (tick < ticks.upperBound || ticks.upperBound == UInt64.max)
            if tick >= ticks.upperBound, ticks.upperBound != UInt64.max { ended = true }
            keys[i] = isWanted ? min(Int64(clamping: tick), Int64.max - 1) : -1
        }
        return ended
    }
}

private func integerKey(_ bits: UInt64, _ type: ValueType) -> Int64 {
    switch type {
    case .i8: Int64(Int8(truncatingIfNeeded: bits))
    case .i16: Int64(Int16(truncatingIfNeeded: bits))
    case .i32: Int64(Int32(truncatingIfNeeded: bits))
    case .i64: Int64(bitPattern: bits)
    default: Int64(clamping: bits)
    }
}

private func fillKeys(_ keys: UnsafeMutablePointer<Int64>, _ values: UnsafeRawPointer, _ number: Int, _ type: ValueType) {
    switch type {
    case .u8: fillKeys(keys, values.assumingMemoryBound(to: UInt8.self), number)
    case .u16: fillKeys(keys, values.assumingMemoryBound(to: UInt16.self), number)
    case .u32: fillKeys(keys, values.assumingMemoryBound(to: UInt32.self), number)
    case .i8: fillKeys(keys, values.assumingMemoryBound(to: Int8.self), number)
    case .i16: fillKeys(keys, values.assumingMemoryBound(to: Int16.self), number)
    case .i32: fillKeys(keys, values.assumingMemoryBound(to: Int32.self), number)
    case .i64: fillKeys(keys, values.assumingMemoryBound(to: Int64.self), number)
    default: fillKeys(keys, values.assumingMemoryBound(to: UInt64.self), number)
    }
}

@inline(__always)
private func fillKeys<T: FixedWidthInteger>(_ keys: UnsafeMutablePointer<Int64>, _ values: UnsafePointer<T>, _ number: Int) {
    for i in 0..<number { keys[i] = Int64(clamping: values[i]) }
}

private func loadBits(_ values: UnsafeRawPointer, _ index: Int, _ type: ValueType) -> UInt64 {
    switch type.size {
    case 1: UInt64(values.load(fromByteOffset: index, as: UInt8.self))
    case 2: UInt64(values.load(fromByteOffset: 2 * index, as: UInt16.self))
    case 4: UInt64(values.load(fromByteOffset: 4 * index, as: UInt32.self))
    default: values.load(fromByteOffset: 8 * index, as: UInt64.self)
    }
}
