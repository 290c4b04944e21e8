import TickLog

/// A run of either format as what another one is made of.
public final class StoredRun: RunSource {
    public let run: Run
    private let salvage: Bool

    public init(_ run: Run, salvage: Bool = false) throws(Fault) {
        self.run = run
        self.salvage = salvage
        let isDLF = run.directory.format == .dlf
        var outline = RunOutline(name: run.directory.name, epochNs: run.meta.epochNs, tickNs: run.meta.tickNs)
        var padding: SamplePadding?
        if isDLF { try outline.readDLF(run) } else { padding = try outline.readBCSV(run) }
        super.init(
            outline, hasBuiltins: !isDLF, isClosed: !run.directory.isLocked,
            padding: padding ?? SamplePadding(streams: outline.streamCount))
        faults = run.faults
        losses = try declared()
        if isDLF { try readSpan() }
    }

    override var bearsDamage: Bool { salvage }

    public override func polled() throws(Fault) -> RunRows? {
        guard let recording = try run.polled(salvage: salvage) else { return nil }
        return try rows(recording, outline.polled, builtins: 0)
    }

    public override func events() throws(Fault) -> RunRows? {
        guard let recording = try run.events(salvage: salvage) else { return nil }
        return try rows(recording, outline.events, builtins: hasBuiltins ? 3 : outline.hasClock ? 1 : 0)
    }

    /// In DLF, the place of a sample is its tick.
    override var mayLackRows: Bool { hasBuiltins }

    override func eachPadding(_ body: (Int, SamplePadding.Change) throws(Fault) -> Void) throws(Fault) {
        guard !hasBuiltins else { return try super.eachPadding(body) }
        for (first, streams, isEvents) in [(0, outline.polled, false), (outline.polled.count, outline.events, true)] {
            var images: [SampleImage?] = []
            var isNeeded = false
            for stream in streams {
                images.append(stream.hasPadding ? SampleImage(stream, columns: []) : nil)
                isNeeded = isNeeded || stream.hasPadding
            }
            guard isNeeded, let rows = try isEvents ? events() : polled() else { continue }
            var last = [[UInt8]](repeating: [], count: streams.count)
            var counts = [UInt64](repeating: 0, count: streams.count)
            while rows.next() {
                for i in rows.sampled where i < streams.count {
                    guard let image = images[i], let bytes = rows.bytes(of: i) else { continue }
                    let padding = image.padding(of: bytes)
                    if padding != last[i] {
                        last[i] = padding
                        try body(first + i, SamplePadding.Change(sample: counts[i], bytes: padding))
                    }
                    counts[i] += 1
                }
            }
        }
    }

    private func rows(_ recording: Recording, _ streams: [RunOutline.Stream], builtins: Int) throws(Fault) -> RunRows {
        var counts = streams.map { $0.fields.count }
        for i in 0..<builtins { counts.append(BuiltinColumns.all[i].count) }
        var data = 0
        for count in counts { data += count }
        let table = recording.table
        let base = table.columns.count - data
        let most = recording.isEvents ? 2 : 1
        let hasTick = base > 0 && table.columns[0].name == "tick" && table.columns[0].type == .u64
        guard recording.streams.count == counts.count, base == most || !recording.isEvents && base == 0, hasTick == (base > 0)
        else {
            throw Fault(
                .damaged, run.directory.path, at: nil,
                "found \(table.columns.count) columns in the \(recording.isEvents ? "event" : "polled") file, expected tick and the \(data) that the run's streams have")
        }
        var columns: [[Int]] = []
        var at = base
        for (i, count) in counts.enumerated() {
            for k in 0..<count {
                let type = i < streams.count ? streams[i].fields[k].type : BuiltinColumns.all[i - streams.count][k].type
                guard table.columns[at + k].type == type else {
                    throw Fault(
                        .damaged, run.directory.path, at: nil,
                        "found the type \(staticText(table.columns[at + k].type.name)) of column \(table.columns[at + k].name), expected \(staticText(type.name)) as the run's streams say")
                }
            }
            columns.append(Array(at..<(at + count)))
            at += count
        }
        return RunRows(recording, columns: columns, base: base)
    }

    private func declared() throws(Fault) -> [DeclaredLoss] {
        var losses: [DeclaredLoss] = []
        var byIndex: [Int: Int] = [:]
        for i in 0..<outline.streamCount + 3 { byIndex[outline.index(of: i)] = i }
        func add(_ tick: UInt64, _ bits: [UInt64]) {
            let index = Int(truncatingIfNeeded: bits[0])
            losses.append(
                DeclaredLoss(
                    tick: tick, stream: hasBuiltins ? byIndex[index] ?? -1 : index <= outline.streamCount ? index : -1,
                    reason: UInt8(truncatingIfNeeded: bits[1]), firstTick: bits[2], lastTick: bits[3],
                    samples: UInt32(truncatingIfNeeded: bits[4])))
        }
        if hasBuiltins {
            guard let rows = try events() else { return [] }
            let columns = rows.columns[outline.events.count + 2]
            while rows.next() {
                if rows.sampled.contains(outline.events.count + 2) { add(rows.tick, columns.map { rows.table.bits($0) }) }
            }
        } else if let recording = try run.lossRecording(), recording.streams.count == 1 {
            var columns: [Int] = []
            for expected in BuiltinColumns.loss {
                for field in recording.streams[0].fields where field.name == expected.name {
                    if let column = field.column { columns.append(column) }
                }
            }
            guard columns.count == 5 else {
                faults.append(Fault(.damaged, run.directory.path, at: nil, "found another type in loss.dlf, expected that of losses"))
                return []
            }
            while recording.next() { add(recording.tick, columns.map { recording.table.bits($0) }) }
            faults += recording.table.faults
        }
        return losses
    }

    /// The header's tick_span counts if the run was closed and both files and the data agree in it (spec 4.6); otherwise
    /// the data do.
    private func readSpan() throws(Fault) {
        guard let polled = try run.dlfFile(isEvents: false), let events = try run.dlfFile(isEvents: true) else { return }
        let survey = DLFSurvey(polled.file, as: .polled)
        let span = polled.header.tickSpan
        if isClosed, span == events.header.tickSpan, span < UInt64.max, survey.spanAgrees || outline.polled.isEmpty {
            // A run without samples may have had no tick at all.
            if survey.samples > 0 || outline.polled.isEmpty || span > 0 { outline.tickSpan = span }
        } else if !outline.polled.isEmpty {
            outline.tickSpan = survey.lastTick
        } else {
            outline.tickSpan = DLFSurvey(events.file, as: .event).lastTick
        }
    }
}

extension Run {
    func dlfFile(isEvents: Bool) throws(Fault) -> DLFFile? {
        guard let path = (isEvents ? directory.eventPaths : directory.polledPaths).first else { return nil }
        return try directory.dlf(path)
    }

    func lossRecording() throws(Fault) -> Recording? {
        guard let path = directory.lossPath else { return nil }
        return Recording(dlf: DLFTable(try directory.dlf(path)))
    }

    func metaFile() throws(Fault) -> MappedFile {
        do { return try directory.open(directory.metaPath) } catch { throw Fault(error) }
    }

    func streamsTable() throws(Fault) -> BCSVTable? {
        guard let path = directory.streamsPath else { return nil }
        return BCSVTable([try directory.bcsv(path)])
    }

    /// What a run that was one of DLF still knows of it (spec 3.5).
    func originTable() throws(Fault) -> BCSVTable? {
        guard directory.names.contains("dlf.bcsv") else { return nil }
        return BCSVTable([try directory.bcsv(directory.path.file("dlf.bcsv"))])
    }
}

// MARK: DLF

extension RunOutline {
    fileprivate mutating func readDLF(_ run: Run) throws(Fault) {
        for isEvents in [false, true] {
            guard let file = try run.dlfFile(isEvents: isEvents) else {
                throw Fault(.damaged, run.directory.path, at: nil, "found no \(isEvents ? "event" : "polled").dlf, expected one")
            }
            defer { withExtendedLifetime(file) {} }
            var streams: [Stream] = []
            do throws(FormatError) {
                let bytes = file.file.bytes
                var header = try DLFHeaderReader(bytes)
                while let described = try header.nextStream() {
                    var stream = Stream(
                        name: Array(described.id.buffer), kind: isEvents ? .watch : .poll, index: polled.count + streams.count)
                    stream.notes = Array(described.notes.buffer)
                    if !isEvents {
                        stream.interval = described.interval
                        // As it stands there: what is read is less than the interval.
                        stream.phase = bytes.u64(at: header.offset - 8)
                    }
                    try stream.read(described.type, size: described.size, at: described.typeOffset)
                    streams.append(stream)
                }
            } catch {
                throw Fault(error, file.path)
            }
            if isEvents {
                events = streams
            } else {
                polled = streams
            }
        }
        if let last = events.last, shown(last.name) == BuiltinColumns.names[0], last.type == BuiltinColumns.clockType,
            last.size == BuiltinColumns.clockSize
        {
            events.removeLast()
            hasClock = true
        }
        let file = try run.metaFile()
        defer { withExtendedLifetime(file) {} }
        do throws(FormatError) {
            let meta = try DLFMeta(file.bytes)
            image = Image(type: Array(meta.type.buffer), bytes: Array(meta.data.buffer))
        } catch {
            throw Fault(unclosed: error, file.path)
        }
        try readImage(run.directory.metaPath)
        nameColumns()
    }

    /// The user's values in the image of the metadata.
    fileprivate mutating func readImage(_ path: String) throws(Fault) {
        guard let image else { return }
        user = []
        var stream = Stream(name: [], kind: .emit, index: 0)
        do throws(FormatError) { try stream.readBytes(image.type, size: image.bytes.count) } catch { throw Fault(error, path) }
        image.bytes.withUnsafeBytes { raw in
            let bytes = FileBytes(raw)
            if stream.isOpaque {
                if bytes.count > 0, bytes.count < 32768 {
                    user.append(Value(name: Array("meta".utf8), type: .string, bits: 0, text: Array(hexText(of: bytes).utf8)))
                }
                return
            }
            for field in stream.fields {
                let bits = bytes.unsigned(at: field.offset, size: field.type.size)
                user.append(
                    Value(
                        name: field.name.isEmpty ? Array("meta".utf8) : field.name, type: field.type,
                        bits: field.type == .bool && bits != 0 ? 1 : bits, text: []))
            }
        }
    }
}

extension RunOutline.Stream {
    /// Fields as DLF's type tells them.
    fileprivate mutating func read(_ text: FileBytes, size: Int, at offset: Int) throws(FormatError) {
        type = Array(text.buffer)
        self.size = size
        fields = []
        var members = try TypeString(text, size: size, fileOffset: offset)
        switch members.kind {
        case .opaque: isOpaque = true
        case .primitive(let type): fields = [RunOutline.Field([], type)]
        case .structure:
            while let member = try members.nextMember() {
                fields.append(RunOutline.Field(Array(member.name.buffer), member.type, offset: member.offset))
            }
            isOpaque = fields.isEmpty
        }
        if isOpaque { fields = [RunOutline.Field([], .string, unit: Array("base16".utf8))] }
    }

    fileprivate mutating func readBytes(_ text: [UInt8], size: Int) throws(FormatError) {
        var failure: FormatError?
        text.withUnsafeBytes { bytes in
            do throws(FormatError) { try read(FileBytes(bytes), size: size, at: 0) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

// MARK: BCSV

extension BCSVFile {
    /// The columns' names as they are: they need not be UTF-8.
    public var nameBytes: [[UInt8]] {
        var names: [[UInt8]] = []
        var at = header.namesOffset
        for i in 0..<columns.count {
            let length = header.nameLength(of: i)
            names.append([UInt8](file.bytes.slice(at: at, count: length).buffer))
            at += length
        }
        return names
    }
}

extension RunOutline {
    fileprivate mutating func readBCSV(_ run: Run) throws(Fault) -> SamplePadding {
        try readStreams(run)
        try readUser(run)
        return try readOrigin(run)
    }

    private mutating func readStreams(_ run: Run) throws(Fault) {
        let path = run.directory.path
        guard let table = try run.streamsTable() else {
            throw Fault(.damaged, path, at: nil, "found no streams.bcsv, expected one")
        }
        let names = ["stream_index", "stream", "field", "kind", "type", "unit", "notes", "interval", "phase"]
        var columns: [Int] = []
        for i in 0..<names.count {
            guard let column = table.column(named: names[i]), (table.columns[column].type == .string) == (i >= 1 && i <= 6)
            else { throw Fault(.damaged, path, at: nil, "found no column \(names[i]) in streams.bcsv, expected one") }
            columns.append(column)
        }
        var builtins: [String] = []
        var isLastBuiltin = false
        while table.next() {
            func text(_ i: Int) -> [UInt8] { [UInt8](table.text(columns[i])) }
            let kindText = shown(text(3))
            let index = Int(clamping: table.bits(columns[0]))
            guard let type = ValueType(name: shown(text(4))) else {
                throw Fault(.damaged, path, at: nil, "found the type \(shown(text(4))), expected one of bool to string")
            }
            if kindText == "builtin" {
                let name = shown(text(1)) + "." + shown(text(2))
                builtins.append(name + ":" + staticText(type.name))
                isLastBuiltin = true
                continue
            }
            let kind: Kind = kindText == "poll" ? .poll : kindText == "watch" ? .watch : .emit
            guard kind != .poll || events.isEmpty, !isLastBuiltin else {
                throw Fault(.damaged, path, at: nil, "found the stream \(shown(text(1))) behind events, expected polled streams, then events, then built-in ones")
            }
            let last = kind == .poll ? polled.last : events.last
            if let last, last.index == index, last.ownName == text(1) {
                if kind == .poll { polled[polled.count - 1].add(text(2), type, text(5)) } else { events[events.count - 1].add(text(2), type, text(5)) }
                continue
            }
            var stream = Stream(name: text(1), kind: kind, index: index)
            stream.ownName = stream.name
            stream.notes = text(6)
            stream.interval = kind == .poll ? max(table.bits(columns[7]), 1) : 0
            stream.phase = kind == .poll ? table.bits(columns[8]) : 0
            stream.add(text(2), type, text(5))
            if kind == .poll { polled.append(stream) } else { events.append(stream) }
        }
        if let fault = table.faults.first { throw fault }
        var expected: [String] = []
        for i in 0..<3 {
            for column in BuiltinColumns.all[i] {
                expected.append(BuiltinColumns.names[i] + "." + column.name + ":" + staticText(column.type.name))
            }
        }
        guard builtins == expected else {
            throw Fault(.damaged, path, at: nil, "found other built-in streams in streams.bcsv, expected ticklog.clock, ticklog.note and ticklog.loss")
        }
    }

    private mutating func readUser(_ run: Run) throws(Fault) {
        let file = try BCSVFile(try run.metaFile())
        defer { withExtendedLifetime(file) {} }
        let names = file.nameBytes
        let table = BCSVTable([file])
        guard table.next() else { return }
        let prefix = Array("user.".utf8)
        for i in 0..<names.count where names[i].starts(with: prefix) {
            let isText = table.columns[i].type == .string
            user.append(
                Value(
                    name: Array(names[i].dropFirst(prefix.count)), type: table.columns[i].type, bits: isText ? 0 : table.bits(i),
                    text: isText ? [UInt8](table.text(i)) : []))
        }
    }

    /// What dlf.bcsv says.
    private mutating func readOrigin(_ run: Run) throws(Fault) -> SamplePadding {
        let padding = SamplePadding(streams: streamCount)
        guard let table = try run.originTable() else { return padding }
        let path = run.directory.path.file("dlf.bcsv")
        func wrong(_ what: String) -> Fault {
            Fault(.damaged, path, at: nil, "row \(table.row): found \(what), expected what section 3.5 of the format's document says")
        }
        var columns: [Int] = []
        for (name, type) in RunOrigin.columns {
            guard let column = table.column(named: name), table.columns[column].type == type else { throw wrong("no column \(name)") }
            columns.append(column)
        }
        while table.next() {
            let number = table.bits(columns[1])
            let value = table.bits(columns[3])
            let text = [UInt8](table.text(columns[4]))
            let file = shown([UInt8](table.text(columns[0])))
            let key = shown([UInt8](table.text(columns[2])))
            if file == "run" {
                switch key {
                case "tick_span": tickSpan = value
                case "clock": hasClock = true
                case "type": image = Image(type: text, bytes: image?.bytes ?? [])
                case "image":
                    guard let bytes = text.withUnsafeBytes({ hexBytes($0) }) else { throw wrong("no text in base 16") }
                    image = Image(type: image?.type ?? [], bytes: (image?.bytes ?? []) + bytes)
                default: break
                }
                continue
            }
            guard file == "polled" || file == "event" else { continue }
            let count = file == "polled" ? polled.count : events.count
            guard number < UInt64(count) else { throw wrong("stream \(number)") }
            let i = Int(number)
            var stream = file == "polled" ? polled[i] : events[i]
            switch key {
            case "name": stream.name = text
            case "type":
                guard value <= UInt64(Int32.max) else { throw wrong("a size of \(value)") }
                let (own, units) = (stream.fields.map { $0.name }, stream.fields.map { $0.unit })
                let types = stream.fields.map { $0.type }
                do throws(FormatError) { try stream.readBytes(text, size: Int(value)) } catch { throw Fault(error, path) }
                guard stream.fields.map({ $0.type }) == types else { throw wrong("another type than that of the columns") }
                stream.ownFields = own
                for k in 0..<units.count { stream.fields[k].unit = units[k] }
            case "padding":
                guard let bytes = text.withUnsafeBytes({ hexBytes($0) }) else { throw wrong("no text in base 16") }
                padding.add(file == "polled" ? i : polled.count + i, SamplePadding.Change(sample: value, bytes: bytes))
            default: break
            }
            if file == "polled" { polled[i] = stream } else { events[i] = stream }
        }
        if let fault = table.faults.first { throw fault }
        try readImage(path)
        return padding
    }
}

/// The columns of dlf.bcsv.
enum RunOrigin {
    static var columns: [(String, ValueType)] {
        [("file", .string), ("stream", .u16), ("key", .string), ("number", .u64), ("text", .string)]
    }
}

extension RunOutline.Stream {
    fileprivate mutating func add(_ field: [UInt8], _ type: ValueType, _ unit: [UInt8]) {
        fields.append(RunOutline.Field(field, type, unit: unit))
        ownFields.append(field)
    }
}

extension RunOutline.Stream {
    /// Samples may have bytes that their values do not tell.
    fileprivate var hasPadding: Bool {
        if isOpaque { return false }
        var isCovered = [Bool](repeating: false, count: size)
        for field in fields {
            // One byte, 0 or 1.
            if field.type == .bool { return true }
            for i in field.offset..<field.offset + field.type.size { isCovered[i] = true }
        }
        return isCovered.contains(false)
    }
}
