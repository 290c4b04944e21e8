import CPosix
import TickLog

/// Writes a run of DLF (spec 4). Ticks that have no row are filled and declared lost.
public final class DLFRunWriter {
    private let source: RunSource
    private let outline: RunOutline
    private let run: NewRun
    /// What was left out or made up, for the user to know.
    public private(set) var notes: [String] = []
    public private(set) var faults: [Fault] = []
    /// The last tick that the run's data are complete to.
    private var span: UInt64 = 0
    /// The same or, of events that are later, the last one's tick.
    private var eventSpan: UInt64 = 0
    private var hasClock: Bool
    private var images: [SampleImage] = []
    private var added: [DeclaredLoss] = []

    /// Throws what keeps a run from becoming one of DLF.
    public init(_ source: RunSource, _ run: NewRun) throws(Fault) {
        self.source = source
        self.run = run
        var outline = source.outline
        var units = 0
        for i in 0..<outline.polled.count {
            try outline.polled[i].layOut()
            for field in outline.polled[i].fields where !field.unit.isEmpty && !outline.polled[i].isOpaque { units += 1 }
        }
        for i in 0..<outline.events.count {
            try outline.events[i].layOut()
            for field in outline.events[i].fields where !field.unit.isEmpty && !outline.events[i].isOpaque { units += 1 }
        }
        try RunWriting.checkSizes(outline)
        if units > 0 { notes.append("the units of \(units) values are left out: DLF has none") }
        guard outline.tickNs % 1000 == 0, outline.tickNs / 1000 <= UInt64(UInt32.max) else {
            throw Fault(
                .unreadable, "", at: nil,
                "found a tick of \(outline.tickNs) ns, expected whole microseconds, at most 4294967295: DLF has no other")
        }
        for (streams, file) in [(outline.polled.count, "polled"), (outline.events.count + 1, "event")] where streams > 65535 {
            throw Fault(.unreadable, "", at: nil, "found \(streams) \(file) streams, expected at most 65535")
        }
        self.outline = outline
        hasClock = outline.hasClock
    }

    public func write() throws(Fault) {
        try writeMeta()
        if !hasClock, source.hasBuiltins { try findClock() }
        try writePolled()
        try writeEvents()
        try writeLosses()
    }

    // MARK: meta.dlf (spec 4.1)

    private func writeMeta() throws(Fault) {
        let file = try NewDLFFile(run.file("meta.dlf"))
        file.put(UInt16(0x8414))
        let seconds = outline.epochNs / 1_000_000_000
        if outline.epochNs > 0, seconds > Int64(UInt32.max) {
            notes.append("the epoch, \(outline.epochNs) ns, is left out: DLF's ends in 2106")
            file.put(UInt32(0))
        } else {
            if outline.epochNs > 0, outline.epochNs % 1_000_000_000 != 0 {
                notes.append("the epoch is cut by \(outline.epochNs % 1_000_000_000) ns: DLF has whole seconds")
            } else if outline.epochNs < 0 {
                notes.append("the epoch, \(outline.epochNs) ns, is left out: DLF has none before 1970")
            }
            file.put(UInt32(clamping: seconds))
        }
        file.put(UInt32(outline.tickNs / 1000))
        let image = outline.image ?? makeImage()
        file.put(image.type)
        file.put(UInt8(0))
        file.put(UInt32(clamping: image.bytes.count))
        file.put(image.bytes)
        try file.close()
    }

    /// The user's values as a structure. Strings are left out.
    private func makeImage() -> RunOutline.Image {
        var type = Array("meta".utf8)
        var bytes: [UInt8] = []
        for value in outline.user {
            guard value.type != .string, !value.name.contains(0x3B), !value.name.contains(0), !value.name.isEmpty else {
                let what = value.type == .string ? "it is a string" : "its name has a ';', a NUL or no character"
                notes.append("the metadata '\(shown(value.name))' is left out: \(what), which DLF has no place for")
                continue
            }
            type += [0x3B] + value.name + Array(":\(staticText(value.type.nameInC)):\(bytes.count)".utf8)
            for i in 0..<value.type.size { bytes.append(UInt8(truncatingIfNeeded: value.bits >> UInt64(8 * i))) }
        }
        return RunOutline.Image(type: type, bytes: bytes)
    }

    private func findClock() throws(Fault) {
        guard let rows = try source.events() else { return }
        while !hasClock, rows.next() { hasClock = rows.sampled.contains(outline.events.count) }
    }

    // MARK: polled.dlf (spec 4.3)

    /// Bytes that are made up for ticks without a row, at most, between two rows.
    private static var mostFilled: UInt64 { 1 << 32 }

    private func writePolled() throws(Fault) {
        let file = try NewDLFFile(run.file("polled.dlf"))
        putHeader(file, isEvents: false, outline.polled)
        span = 0
        var next: UInt64 = 0
        if let rows = try source.polled() {
            for i in 0..<outline.polled.count {
                images.append(SampleImage(outline.polled[i], columns: rows.columns[i], changes: source.padding.changes[i]))
            }
            // When each stream is due next.
            var due = source.schedules.map { $0.first }
            let all = due.count
            var isSampled = [Bool](repeating: false, count: all)
            while file.isOpen, rows.next() {
                let tick = rows.tick
                guard tick >= next, tick < UInt64.max else { throw RunWriting.unordered(rows) }
                var isMissing = false
                for i in 0..<all where due[i] < tick { isMissing = true }
                if isMissing {
                    try fill(file, from: next, to: tick)
                    for i in 0..<all { due[i] = source.schedules[i].next(from: tick) }
                }
                let isWhole = rows.sampled.count == all
                if !isWhole {
                    for i in 0..<all { isSampled[i] = false }
                    for i in rows.sampled { isSampled[i] = true }
                }
                for i in 0..<all where due[i] == tick {
                    if isWhole || isSampled[i] {
                        if let bytes = rows.bytes(of: i) { images[i].take(bytes) } else { images[i].take(rows.table) }
                    } else {
                        images[i].skip()
                        source.undeclared(i, from: tick, to: tick + 1, &added)
                    }
                    file.put(images[i].bytes)
                    let (following, overflow) = tick.addingReportingOverflow(source.schedules[i].interval)
                    due[i] = overflow ? PolledSchedule.never : following
                }
                next = tick + 1
            }
            faults += rows.table.faults
            try RunWriting.check(rows.table, source)
        }
        let end = try source.tickSpan(lastPolled: next)
        if let end, end >= next { try fill(file, from: next, to: end + 1) }
        span = end ?? (next > 0 ? next - 1 : 0)
        try file.close(span: span)
    }

    /// Repeats the last samples at each due tick in [start, end), which has no row.
    private func fill(_ file: NewDLFFile, from start: UInt64, to end: UInt64) throws(Fault) {
        var bytes: UInt64 = 0
        var isTooMuch = false
        for (i, schedule) in source.schedules.enumerated() {
            let count = schedule.count(from: start, to: end)
            let (product, overflow) = count.multipliedReportingOverflow(by: UInt64(outline.polled[i].size))
            let (sum, carry) = bytes.addingReportingOverflow(product)
            isTooMuch = isTooMuch || overflow || carry
            bytes = sum
        }
        guard !isTooMuch, bytes <= DLFRunWriter.mostFilled else {
            throw Fault(
                .unreadable, "", at: nil,
                "found no row between ticks \(start) and \(end), expected fewer missing samples than \(DLFRunWriter.mostFilled) bytes: DLF has to fill them")
        }
        for i in 0..<source.schedules.count { source.undeclared(i, from: start, to: end, &added) }
        var due = source.schedules.map { $0.next(from: start) }
        while file.isOpen {
            var nearest = PolledSchedule.never
            for tick in due { nearest = min(nearest, tick) }
            guard nearest < end else { return }
            for i in 0..<due.count where due[i] == nearest {
                images[i].skip()
                file.put(images[i].bytes)
                due[i] = source.schedules[i].next(from: nearest + 1)
            }
        }
    }

    // MARK: event.dlf and loss.dlf (spec 4.4, 4.5)

    private func writeEvents() throws(Fault) {
        var streams = outline.events
        if hasClock {
            var clock = RunOutline.Stream(name: Array(BuiltinColumns.names[0].utf8), kind: .emit, index: 0)
            clock.type = BuiltinColumns.clockType
            clock.size = BuiltinColumns.clockSize
            clock.fields = BuiltinColumns.clock.map { RunOutline.Field(Array($0.name.utf8), $0.type, offset: $0.offset) }
            streams.append(clock)
        }
        let file = try NewDLFFile(run.file("event.dlf"))
        putHeader(file, isEvents: true, streams)
        var notesLeft: UInt64 = 0
        // A run that is torn may have events of later ticks than its polled file.
        var last = span
        if let rows = try source.events() {
            var images: [SampleImage] = []
            for i in 0..<streams.count {
                let number = outline.polled.count + i
                images.append(
                    SampleImage(
                        streams[i], columns: rows.columns[i],
                        changes: number < outline.streamCount ? source.padding.changes[number] : []))
            }
            while file.isOpen, rows.next() {
                for i in rows.sampled {
                    guard i < streams.count else {
                        if i == outline.events.count + 1 { notesLeft += 1 }
                        continue
                    }
                    file.put(UInt16(i))
                    file.put(rows.tick)
                    last = max(last, rows.tick)
                    if let bytes = rows.bytes(of: i) { images[i].take(bytes) } else { images[i].take(rows.table) }
                    file.put(images[i].bytes)
                }
            }
            faults += rows.table.faults
            try RunWriting.check(rows.table, source)
        }
        if notesLeft > 0 { notes.append("\(notesLeft) notes are left out: DLF has no strings") }
        try file.close(span: last)
        eventSpan = last
    }

    private func writeLosses() throws(Fault) {
        let file = try NewDLFFile(run.file("loss.dlf"))
        var stream = RunOutline.Stream(name: Array(BuiltinColumns.names[2].utf8), kind: .emit, index: 0)
        stream.type = Array(BuiltinColumns.lossType.utf8)
        stream.size = BuiltinColumns.lossSize
        putHeader(file, isEvents: true, [stream])
        var unknown: UInt64 = 0
        var last: UInt64 = 0
        let most = outline.streamCount + (hasClock ? 1 : 0)
        for loss in source.losses {
            guard loss.stream >= 0, loss.stream < most else {
                unknown += 1
                continue
            }
            put(loss, tick: loss.tick, file)
            last = max(last, loss.tick)
        }
        for loss in added {
            last = max(last, loss.lastTick)
            put(loss, tick: last, file)
        }
        if unknown > 0 { notes.append("\(unknown) losses of streams that the run does not have in DLF are left out") }
        if !added.isEmpty { notes.append(RunWriting.text(of: added)) }
        try file.close(span: max(eventSpan, last))
    }

    private func put(_ loss: DeclaredLoss, tick: UInt64, _ file: NewDLFFile) {
        file.put(UInt16(0))
        file.put(tick)
        file.put(UInt16(loss.stream))
        file.put(UInt16(loss.reason))
        file.put(loss.firstTick)
        file.put(loss.lastTick)
        file.put(loss.samples)
    }

    private func putHeader(_ file: NewDLFFile, isEvents: Bool, _ streams: [RunOutline.Stream]) {
        file.put(UInt16(0x8414))
        file.put(UInt8(isEvents ? 1 : 0))
        file.put(UInt64(0))
        file.put(UInt16(streams.count))
        for stream in streams {
            for text in [stream.type ?? [], stream.name, stream.notes] {
                file.put(text)
                file.put(UInt8(0))
            }
            file.put(UInt32(stream.size))
            if !isEvents {
                file.put(stream.interval)
                file.put(stream.phase)
            }
        }
    }
}

/// A file of DLF that is being made.
private final class NewDLFFile {
    private let path: String
    private let descriptor: Int32
    private let output: Output
    private var isClosed = false

    init(_ path: String) throws(Fault) {
        self.path = path
        descriptor = cposix_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Fault(FileError(path, "create", cposix_errno())) }
        output = Output(descriptor: descriptor, path: path)
    }

    deinit { if !isClosed { _ = CPosix.close(descriptor) } }

    var isOpen: Bool { output.isOpen }

    func put(_ bytes: [UInt8]) { bytes.withUnsafeBytes { output.bytes($0) } }
    func put(_ bytes: UnsafeRawBufferPointer) { output.bytes(bytes) }
    func put<N: FixedWidthInteger>(_ number: N) { withUnsafeBytes(of: number.littleEndian) { output.bytes($0) } }

    /// Puts tick_span at its place, syncs and closes.
    func close(span: UInt64? = nil) throws(Fault) {
        do throws(FileError) {
            try output.flush()
            if let span {
                let written = withUnsafeBytes(of: span.littleEndian) { pwrite(descriptor, $0.baseAddress, 8, 3) }
                guard written == 8 else { throw FileError(path, "write", written < 0 ? cposix_errno() : ENOSPC) }
            }
            guard fsync(descriptor) == 0 else { throw FileError(path, "sync", cposix_errno()) }
        } catch {
            throw Fault(error)
        }
        isClosed = true
        guard CPosix.close(descriptor) == 0 else { throw Fault(FileError(path, "close", cposix_errno())) }
    }
}
