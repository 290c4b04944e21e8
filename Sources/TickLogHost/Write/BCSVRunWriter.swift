import CTickLog
import TickLog

/// Writes a run of BCSV (spec 3), as the logger would have written it, and beside it what only a run of DLF tells.
public final class BCSVRunWriter {
    private let source: RunSource
    private let outline: RunOutline
    private let run: NewRun
    private let options: BCSVOptions
    private var eventOptions: BCSVOptions
    public private(set) var notes: [String] = []
    public private(set) var faults: [Fault] = []
    private var added: [DeclaredLoss] = []

    /// `options`: of the polled file; events have the same file codec and are zero-order hold.
    public init(_ source: RunSource, _ run: NewRun, _ options: BCSVOptions) throws(Fault) {
        self.source = source
        self.run = run
        var options = options
        options.creationTime = source.outline.epochNs > 0 ? UInt64(source.outline.epochNs) / 1_000_000_000 : 0
        self.options = options
        eventOptions = options
        eventOptions.rowCodec = .zoh
        outline = source.outline
        for stream in outline.polled + outline.events {
            guard !stream.isOpaque || stream.size < 32768 else {
                throw Fault(
                    .unreadable, "", at: nil,
                    "found the stream '\(shown(stream.name))' with samples of \(stream.size) bytes without a meaning, expected at most 32767: a string of BCSV holds no more in base 16")
            }
        }
        try RunWriting.checkSizes(outline)
        guard outline.streamCount <= 65533 else {
            throw Fault(.unreadable, "", at: nil, "found \(outline.streamCount) streams, expected at most 65533")
        }
    }

    public func write() throws(Fault) {
        let polled = try writePolled()
        let events = try writeEvents()
        try writeMeta(polled, events)
        try writeStreams()
        try writeOrigin()
    }

    // MARK: polled.bcsv (spec 3.3)

    /// Answers the hash of the header.
    private func writePolled() throws(Fault) -> UInt64 {
        var columns = [Column("tick", .u64)]
        var names = [Array("tick".utf8)]
        for stream in outline.polled { stream.addColumns(&columns, &names) }
        let path = run.file("polled.bcsv")
        let writer = try BCSVWriter(path, columns: columns, names: names, options: options)
        if let rows = try source.polled() {
            do throws(Fault) { try copy(rows, writer) } catch {
                writer.abandon()
                throw error
            }
            faults += rows.table.faults
        }
        try writer.close()
        return try BCSVRunWriter.headerHash(path)
    }

    private static func headerHash(_ path: String) throws(Fault) -> UInt64 {
        let file = try BCSVFile(path)
        return withExtendedLifetime(file) { file.header.hash }
    }

    /// Bytes of a polled file of the first rows, which is written to `path` and removed.
    public static func probe(_ source: RunSource, _ options: BCSVOptions, _ path: String, rows most: UInt64) throws(Fault) -> UInt64 {
        var columns = [Column("tick", .u64)]
        var names = [Array("tick".utf8)]
        for stream in source.outline.polled { stream.addColumns(&columns, &names) }
        let writer = try BCSVWriter(path, columns: columns, names: names, options: options)
        defer { removeFile(path) }
        if let rows = try source.polled() {
            let copy = RowCopy(rows, writer)
            while writer.rowCount < most, rows.next() { try copy.row() }
        }
        try writer.close()
        return size(of: path)
    }

    private func copy(_ rows: RunRows, _ writer: BCSVWriter) throws(Fault) {
        let copy = RowCopy(rows, writer)
        var next: UInt64 = 0
        while rows.next() {
            if source.mayLackRows {
                guard rows.tick >= next, rows.tick < UInt64.max else { throw RunWriting.unordered(rows) }
                declareMissing(from: next, to: rows.tick)
                next = rows.tick + 1
            }
            try copy.row()
        }
        try RunWriting.check(rows.table, source)
        added += source.cut(rows)
        if source.mayLackRows, let end = try source.tickSpan(lastPolled: next) { declareMissing(from: next, to: end + 1) }
    }

    private func declareMissing(from start: UInt64, to end: UInt64) {
        guard end > start else { return }
        for i in 0..<outline.polled.count { source.undeclared(i, from: start, to: end, &added) }
    }

    // MARK: event.bcsv (spec 3.4)

    private func writeEvents() throws(Fault) -> UInt64 {
        var columns = [Column("tick", .u64), Column("stream", .string)]
        var names = [Array("tick".utf8), Array("stream".utf8)]
        // By stream, the built-in ones at the end: its first column.
        var first: [Int] = []
        for stream in outline.events {
            first.append(columns.count)
            stream.addColumns(&columns, &names)
        }
        for i in 0..<3 {
            first.append(columns.count)
            for column in BuiltinColumns.all[i] {
                let name = BuiltinColumns.names[i] + "." + column.name
                columns.append(Column(name, column.type))
                names.append(Array(name.utf8))
            }
        }
        let streamNames = outline.events.map { $0.ownName } + BuiltinColumns.names.map { Array($0.utf8) }
        let path = run.file("event.bcsv")
        let writer = try BCSVWriter(path, columns: columns, names: names, options: eventOptions)
        do throws(Fault) {
            try copyEvents(writer, first, streamNames)
        } catch {
            writer.abandon()
            throw error
        }
        try writer.close()
        return try BCSVRunWriter.headerHash(path)
    }

    private func copyEvents(_ writer: BCSVWriter, _ first: [Int], _ names: [[UInt8]]) throws(Fault) {
        let lossColumn = first[outline.events.count + 2]
        var lossTick: UInt64 = 0
        func put(_ loss: DeclaredLoss) throws(Fault) {
            lossTick = max(lossTick, loss.tick)
            writer.set(0, bits: lossTick)
            writer.set(1, text: names[outline.events.count + 2])
            let bits = [UInt64(outline.index(of: loss.stream)), UInt64(loss.reason), loss.firstTick, loss.lastTick, UInt64(loss.samples)]
            for i in 0..<5 { writer.set(lossColumn + i, bits: bits[i]) }
            try writer.writeRow()
        }
        // The losses of a DLF run stand in a file of their own.
        var losses: [DeclaredLoss] = []
        var unknown: UInt64 = 0
        if !source.hasBuiltins {
            for loss in source.losses { if loss.stream >= 0 { losses.append(loss) } else { unknown += 1 } }
        }
        if unknown > 0 { notes.append("\(unknown) losses of streams that the run does not have are left out") }
        var next = 0
        if let rows = try source.events() {
            while rows.next() {
                while next < losses.count, losses[next].tick < rows.tick {
                    try put(losses[next])
                    next += 1
                }
                for stream in rows.sampled where stream < names.count {
                    writer.set(0, bits: rows.tick)
                    writer.set(1, text: names[stream])
                    for (k, column) in rows.columns[stream].enumerated() {
                        let own = first[stream] + k
                        if writer.columns[own].type == .string {
                            try writer.set(own, within: rows.table.text(column))
                        } else {
                            writer.set(own, bits: rows.table.bits(column))
                        }
                    }
                    try writer.writeRow()
                    if stream == outline.events.count + 2 { lossTick = max(lossTick, rows.tick) }
                }
            }
            faults += rows.table.faults
            try RunWriting.check(rows.table, source)
        }
        while next < losses.count {
            try put(losses[next])
            next += 1
        }
        for loss in added { try put(loss) }
        if !added.isEmpty { notes.append(RunWriting.text(of: added)) }
    }

    // MARK: meta.bcsv, streams.bcsv (spec 3.1, 3.2) and dlf.bcsv (spec 3.5)

    /// Flat rows in a packet, not compressed.
    private var plain: BCSVOptions {
        var plain = options
        plain.rowCodec = .flat
        plain.fileCodec = .packet
        plain.level = 0
        plain.packetBytes = 8 << 20
        return plain
    }

    private func writeMeta(_ polledHash: UInt64, _ eventHash: UInt64) throws(Fault) {
        var columns = [
            Column("run_format", .u16), Column("run_id", .string), Column("format", .string), Column("ticklog_version", .string),
            Column("epoch_ns", .i64), Column("tick_ns", .u64), Column("polled_header_xxh64", .u64),
            Column("event_header_xxh64", .u64),
        ]
        var names = columns.map { Array($0.name.utf8) }
        for value in outline.user {
            names.append(Array("user.".utf8) + value.name)
            columns.append(Column(shown(names[names.count - 1]), value.type))
        }
        let writer = try BCSVWriter(run.file("meta.bcsv"), columns: columns, names: names, options: plain)
        writer.set(0, bits: 1)
        writer.set(1, text: Array(run.path.lastComponent.utf8))
        writer.set(2, text: Array("bcsv".utf8))
        writer.set(3, text: Array(String(cString: ticklog_version()).utf8))
        writer.set(4, bits: UInt64(bitPattern: outline.epochNs))
        writer.set(5, bits: outline.tickNs)
        writer.set(6, bits: polledHash)
        writer.set(7, bits: eventHash)
        for (i, value) in outline.user.enumerated() {
            if value.type == .string { writer.set(8 + i, text: value.text) } else { writer.set(8 + i, bits: value.bits) }
        }
        try writer.writeRow()
        try writer.close()
    }

    private func writeStreams() throws(Fault) {
        let columns = [
            Column("stream_index", .u16), Column("stream", .string), Column("field", .string), Column("kind", .string),
            Column("type", .string), Column("unit", .string), Column("notes", .string), Column("interval", .u64),
            Column("phase", .u64),
        ]
        let writer = try BCSVWriter(run.file("streams.bcsv"), columns: columns, options: plain)
        for stream in outline.polled + outline.events {
            writer.set(0, bits: UInt64(stream.index))
            writer.set(1, text: stream.ownName)
            writer.set(3, text: Array((stream.kind == .poll ? "poll" : stream.kind == .watch ? "watch" : "emit").utf8))
            guard stream.notes.count <= 65535 else {
                throw Fault(.unreadable, "", at: nil, "found notes of \(stream.notes.count) bytes, expected at most 65535, which a string of BCSV holds")
            }
            writer.set(6, text: stream.notes)
            writer.set(7, bits: stream.interval)
            writer.set(8, bits: stream.phase)
            for k in 0..<stream.fields.count {
                writer.set(2, text: stream.ownFields[k])
                writer.set(4, text: Array(staticText(stream.fields[k].type.name).utf8))
                writer.set(5, text: stream.fields[k].unit)
                try writer.writeRow()
            }
        }
        writer.set(3, text: Array("builtin".utf8))
        writer.set(6, text: [])
        writer.set(7, bits: 0)
        writer.set(8, bits: 0)
        for i in 0..<3 {
            writer.set(0, bits: UInt64(outline.streamCount + i))
            writer.set(1, text: Array(BuiltinColumns.names[i].utf8))
            for column in BuiltinColumns.all[i] {
                writer.set(2, text: Array(column.name.utf8))
                writer.set(4, text: Array(staticText(column.type.name).utf8))
                writer.set(5, text: Array(column.unit.utf8))
                try writer.writeRow()
            }
        }
        try writer.close()
    }

    private func writeOrigin() throws(Fault) {
        guard outline.image != nil else { return }
        let columns = RunOrigin.columns.map { Column($0.0, $0.1) }
        var own = plain
        own.rowCodec = .zoh
        let writer = try BCSVWriter(run.file("dlf.bcsv"), columns: columns, options: own)
        func put(_ file: String, _ stream: Int, _ key: String, _ number: UInt64 = 0, _ text: [UInt8] = []) throws(Fault) {
            guard text.count <= 65535 else {
                throw Fault(.unreadable, "", at: nil, "found a text of \(text.count) bytes in the description of a stream, expected at most 65535, which a string of BCSV holds")
            }
            writer.set(0, text: Array(file.utf8))
            writer.set(1, bits: UInt64(stream))
            writer.set(2, text: Array(key.utf8))
            writer.set(3, bits: number)
            writer.set(4, text: text)
            try writer.writeRow()
        }
        do throws(Fault) {
            if let span = outline.tickSpan { try put("run", 0, "tick_span", span) }
            if outline.hasClock { try put("run", 0, "clock") }
            if let image = outline.image {
                try put("run", 0, "type", 0, image.type)
                var at = 0
                while at < image.bytes.count {
                    let part = image.bytes[at..<min(at + 32000, image.bytes.count)]
                    try put("run", 0, "image", UInt64(at), Array(part.withUnsafeBytes { hexText(of: FileBytes($0)) }.utf8))
                    at += 32000
                }
            }
            for (file, streams) in [("polled", outline.polled), ("event", outline.events)] {
                for i in 0..<streams.count {
                    if streams[i].name != streams[i].ownName { try put(file, i, "name", 0, streams[i].name) }
                    if let type = streams[i].type { try put(file, i, "type", UInt64(streams[i].size), type) }
                }
            }
            try source.eachPadding { (number, change) throws(Fault) in
                guard change.bytes.count < 32768 else {
                    throw Fault(.unreadable, "", at: nil, "found a sample with more than 32767 bytes of padding, expected fewer, as a string of BCSV holds no more in base 16")
                }
                let isPolled = number < outline.polled.count
                try put(
                    isPolled ? "polled" : "event", isPolled ? number : number - outline.polled.count, "padding", change.sample,
                    Array(change.bytes.withUnsafeBytes { hexText(of: FileBytes($0)) }.utf8))
            }
        } catch {
            writer.abandon()
            throw error
        }
        try writer.close()
    }
}

/// Rows of a polled file on their way from a table to a writer.
private struct RowCopy {
    let rows: RunRows
    let writer: BCSVWriter
    /// The table puts its values into the writer's row itself.
    let isFilled: Bool
    let order: [Int]
    let types: [ValueType]

    init(_ rows: RunRows, _ writer: BCSVWriter) {
        self.rows = rows
        self.writer = writer
        isFilled = rows.isInOrder && rows.table.fill(writer)
        order = rows.columns.flatMap { $0 }
        types = writer.columns.map { $0.type }
    }

    func row() throws(Fault) {
        if !isFilled {
            writer.set(0, bits: rows.tick)
            for i in 0..<order.count {
                if types[i + 1] == .string {
                    try writer.set(i + 1, within: rows.table.text(order[i]))
                } else {
                    writer.set(i + 1, bits: rows.table.bits(order[i]))
                }
            }
        }
        try writer.writeRow()
    }
}

extension RunOutline.Stream {
    fileprivate func addColumns(_ columns: inout [Column], _ names: inout [[UInt8]]) {
        for k in 0..<fields.count {
            let name = columnName(ownFields[k], of: ownName)
            columns.append(Column(shown(name), fields[k].type))
            names.append(name)
        }
    }
}

extension BCSVWriter {
    func set(_ column: Int, text: [UInt8]) { text.withUnsafeBytes { set(column, text: $0) } }

    /// A text that may be too long for the file.
    fileprivate func set(_ column: Int, within text: UnsafeRawBufferPointer) throws(Fault) {
        guard text.count <= 65535 else {
            throw Fault(
                .unreadable, "", at: nil,
                "found a string of \(text.count) bytes in column '\(columns[column].name)', expected at most 65535, which BCSV holds")
        }
        set(column, text: text)
    }
}
