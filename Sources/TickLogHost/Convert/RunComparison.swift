import TickLog

/// Two runs, of any formats: what they say of themselves, their streams, samples, events and losses. What a format has no
/// place for is no difference to a run of the other.
public final class RunComparison {
    public let a: StoredRun
    public let b: StoredRun
    private let tolerance: Double?
    /// Differences: of tick, epoch and the user's values; of the streams; of the declared losses.
    public private(set) var metadata: [String] = []
    public private(set) var streams: [String] = []
    public private(set) var losses: [String] = []
    /// Of bytes between the members of samples, where both are known.
    public private(set) var padding: [String] = []
    /// Nil if the streams differ too much.
    public private(set) var polled: TableComparison?
    public private(set) var events: TableComparison?
    private var hasPolled = (false, false)
    private var cut: ([DeclaredLoss], [DeclaredLoss]) = ([], [])

    public init(_ a: StoredRun, _ b: StoredRun, tolerance: Double?) {
        self.a = a
        self.b = b
        self.tolerance = tolerance
    }

    /// The parts that differ.
    public var parts: [String] {
        var parts: [String] = []
        if !metadata.isEmpty { parts.append("metadata") }
        if !streams.isEmpty { parts.append("streams") }
        if let polled, !polled.isEqual { parts.append("polled") }
        if let events, !events.isEqual { parts.append("events") }
        if !losses.isEmpty { parts.append("losses") }
        if !padding.isEmpty { parts.append("padding") }
        return parts
    }

    public var isEqual: Bool { parts.isEmpty }

    /// One of them is a run of DLF, or was one.
    private var hasDLF: Bool { a.outline.image != nil || b.outline.image != nil }

    public func run() throws(Fault) {
        compareMetadata()
        let samePolled = compareStreams(a.outline.polled, b.outline.polled, "polled")
        let sameEvents = compareStreams(a.outline.events, b.outline.events, "event")
        if samePolled { try comparePolled() }
        if sameEvents { try compareEvents() }
        if samePolled, sameEvents {
            compareLosses()
            if knowsPadding(a), knowsPadding(b), isPlainlyEqual { try comparePadding() }
        }
    }

    // MARK: Metadata

    private func compareMetadata() {
        let (x, y) = (a.outline, b.outline)
        if x.tickNs != y.tickNs { metadata.append("tick: \(x.tickNs) ns | \(y.tickNs) ns") }
        if epoch(x.epochNs) != epoch(y.epochNs) { metadata.append("epoch: \(x.epochNs) ns | \(y.epochNs) ns") }
        if let p = x.image, let q = y.image {
            // The rest of the bytes is padding, or has no meaning.
            if p.type != q.type { metadata.append("type of the metadata: '\(shown(p.type))' | '\(shown(q.type))'") }
            if p.bytes != q.bytes {
                metadata.append(
                    "bytes of the metadata: \(p.bytes.withUnsafeBytes { hexText(of: FileBytes($0)) }) | \(q.bytes.withUnsafeBytes { hexText(of: FileBytes($0)) })")
            }
        }
        let (own, other) = (values(x), values(y))
        if own.count != other.count { metadata.append("values of the user: \(own.count) | \(other.count)") }
        for i in 0..<min(own.count, other.count) {
            let (v, w) = (own[i], other[i])
            if v.name != w.name || v.type != w.type || v.bits != w.bits || v.text != w.text {
                metadata.append("user: \(text(v)) | \(text(w))")
            }
        }
    }

    /// DLF has whole seconds from 1970 to 2106.
    private func epoch(_ ns: Int64) -> Int64 {
        guard hasDLF else { return ns }
        let seconds = ns / 1_000_000_000
        return ns <= 0 || seconds > Int64(UInt32.max) ? 0 : seconds
    }

    /// What is comparable: a run of DLF keeps no strings, but for what it shows of bytes without a meaning.
    private func values(_ outline: RunOutline) -> [RunOutline.Value] {
        guard hasDLF, a.outline.image == nil || b.outline.image == nil else { return outline.user }
        return outline.user.filter {
            $0.type != .string && !$0.name.contains(0x3B) && !$0.name.contains(0) && !$0.name.isEmpty
        }
    }

    private func text(_ value: RunOutline.Value) -> String {
        shown(value.name) + " " + staticText(value.type.name) + " "
            + (value.type == .string ? "'" + shown(value.text) + "'" : value.type.text(value.bits))
    }

    // MARK: Streams

    /// False if their tables have other columns.
    private func compareStreams(_ x: [RunOutline.Stream], _ y: [RunOutline.Stream], _ kind: String) -> Bool {
        if x.count != y.count { streams.append("\(kind) streams: \(x.count) | \(y.count)") }
        var isSame = x.count == y.count
        for i in 0..<min(x.count, y.count) {
            let (p, q) = (x[i], y[i])
            func note(_ what: String, _ a: String, _ b: String) {
                if streams.count < 100 { streams.append("\(kind) stream \(i) '\(shown(p.name))': \(what) \(a) | \(b)") }
            }
            if p.name != q.name { note("name", "'\(shown(p.name))'", "'\(shown(q.name))'") }
            if !hasDLF, p.kind != q.kind { note("kind", name(p.kind), name(q.kind)) }
            if p.plainNotes != q.plainNotes { note("notes", "'\(shown(p.notes))'", "'\(shown(q.notes))'") }
            if p.schedule.interval != q.schedule.interval { note("interval", "\(p.interval)", "\(q.interval)") }
            if p.phase != q.phase { note("phase", "\(p.phase)", "\(q.phase)") }
            if p.isOpaque != q.isOpaque || p.fields.count != q.fields.count {
                note("fields", p.isOpaque ? "none" : "\(p.fields.count)", q.isOpaque ? "none" : "\(q.fields.count)")
                isSame = false
            } else {
                for k in 0..<p.fields.count {
                    let (f, g) = (p.fields[k], q.fields[k])
                    if f.name != g.name { note("field \(k)", "'\(shown(f.name))'", "'\(shown(g.name))'") }
                    if f.type != g.type { note("type of field \(k)", staticText(f.type.name), staticText(g.type.name)) }
                    if !hasDLF, f.unit != g.unit { note("unit of field \(k)", "'\(shown(f.unit))'", "'\(shown(g.unit))'") }
                }
            }
            if let s = p.type, let t = q.type, s != t || p.size != q.size {
                note("type", "'\(shown(s))' of \(p.size) bytes", "'\(shown(t))' of \(q.size) bytes")
            }
        }
        return isSame
    }

    private func name(_ kind: RunOutline.Kind) -> String { kind == .poll ? "poll" : kind == .watch ? "watch" : "emit" }

    // MARK: Samples

    private func comparePolled() throws(Fault) {
        guard let (x, y) = try both(a.polled(), b.polled(), "polled") else { return }
        let one = HeldRows(x, a.outline.polled, builtins: 0, skips: [])
        let other = HeldRows(y, b.outline.polled, builtins: 0, skips: [])
        let comparison = TableComparison(one, other, typed: true, tolerance: tolerance)
        comparison.compareSchema()
        let width = min(one.columns.count, other.columns.count)
        while one.nextTick != nil || other.nextTick != nil {
            let tick = min(one.nextTick ?? UInt64.max, other.nextTick ?? UInt64.max)
            let (inA, inB) = (one.nextTick == tick, other.nextTick == tick)
            if inA { one.take() } else { one.hold(tick) }
            if inB { other.take() } else { other.hold(tick) }
            if inA && inB || (inA ? b : a).hasLost(tick) {
                comparison.compare(1..<width, tick: tick, inA: inA, inB: inB)
            } else {
                comparison.leaveUnmatched(inA: inA)
            }
        }
        polled = comparison
        cut = (a.cut(x), b.cut(y))
    }

    private func compareEvents() throws(Fault) {
        guard let (x, y) = try both(a.events(), b.events(), "event") else { return }
        func side(_ rows: RunRows, _ run: StoredRun) -> HeldRows {
            HeldRows(
                rows, run.outline.events, builtins: min(rows.columns.count - run.outline.events.count, 2),
                skips: [false, hasDLF])
        }
        let (one, other) = (side(x, a), side(y, b))
        let comparison = TableComparison(one, other, typed: true, tolerance: tolerance)
        while let tick = one.nextTick, let tock = other.nextTick {
            one.take()
            other.take()
            // The stream, and the columns of its own.
            comparison.compare(0..<2, tick: tick, inA: true, inB: true)
            if tick == tock, one.sampled == other.sampled, let stream = one.sampled.first {
                comparison.compareMore(one.own[stream], tick: tick)
            }
        }
        while one.nextTick != nil {
            one.take()
            comparison.leaveUnmatched(inA: true)
        }
        while other.nextTick != nil {
            other.take()
            comparison.leaveUnmatched(inA: false)
        }
        events = comparison
    }

    private func both(_ x: RunRows?, _ y: RunRows?, _ kind: String) throws(Fault) -> (RunRows, RunRows)? {
        if let x, let y { return (x, y) }
        if (x == nil) != (y == nil) { streams.append("\(kind) file: \(x == nil ? "none" : "one") | \(y == nil ? "none" : "one")") }
        return nil
    }

    // MARK: Losses and padding

    private func compareLosses() {
        func counted(_ run: StoredRun, _ cut: [DeclaredLoss]) -> [DeclaredLoss] {
            let most = run.outline.streamCount
            return (run.losses + cut).filter { hasDLF ? $0.stream >= 0 && $0.stream <= most : true }
        }
        var (x, y) = (counted(a, cut.0), counted(b, cut.1))
        // Losses of clock events have no place in a run of DLF without clock events.
        if hasDLF, !hasClock(a) || !hasClock(b) {
            x.removeAll { $0.stream == a.outline.clock }
            y.removeAll { $0.stream == b.outline.clock }
        }
        if x.count != y.count { losses.append("declared losses: \(x.count) | \(y.count)") }
        for i in 0..<min(x.count, y.count) where losses.count < 10 {
            if x[i].stream != y[i].stream || x[i].reason != y[i].reason || x[i].firstTick != y[i].firstTick
                || x[i].lastTick != y[i].lastTick || x[i].samples != y[i].samples
            {
                losses.append("loss \(i): \(text(x[i], a)) | \(text(y[i], b))")
            }
        }
    }

    private func hasClock(_ run: StoredRun) -> Bool { run.hasBuiltins || run.outline.hasClock }

    private func text(_ loss: DeclaredLoss, _ run: StoredRun) -> String {
        var name = "stream \(loss.stream)"
        if loss.stream >= 0, loss.stream < run.outline.streamCount {
            let polled = run.outline.polled.count
            name = shown(loss.stream < polled ? run.outline.polled[loss.stream].name : run.outline.events[loss.stream - polled].name)
        }
        return "\(loss.samples) samples of \(name), ticks \(loss.firstTick) to \(loss.lastTick), \(Loss.text(of: loss.reason))"
    }

    private func knowsPadding(_ run: StoredRun) -> Bool { run.outline.image != nil }

    private var isPlainlyEqual: Bool { streams.isEmpty && polled?.isEqual != false && events?.isEqual != false }

    private func comparePadding() throws(Fault) {
        let changes = SamplePadding(streams: a.outline.streamCount)
        try a.eachPadding { (stream, change) throws(Fault) in changes.add(stream, change) }
        var next = [Int](repeating: 0, count: changes.changes.count)
        var different: (stream: Int, sample: UInt64)?
        try b.eachPadding { (stream, change) throws(Fault) in
            let own = changes.changes[stream]
            let at = next[stream]
            next[stream] += 1
            if at < own.count, own[at].sample == change.sample, own[at].bytes == change.bytes { return }
            if different == nil { different = (stream, change.sample) }
        }
        for stream in 0..<next.count where next[stream] < changes.changes[stream].count && different == nil {
            different = (stream, changes.changes[stream][next[stream]].sample)
        }
        if let different {
            padding.append("bytes between the members of samples differ, first in sample \(different.sample) of stream \(different.stream)")
        }
    }
}

extension StoredRun {
    /// All samples that are due at a tick without a row are declared lost.
    fileprivate func hasLost(_ tick: UInt64) -> Bool {
        for i in 0..<outline.polled.count where schedules[i].isDue(at: tick) {
            let range = declaredRange(of: i, from: tick)
            guard range < declaredRanges[i].count, declaredRanges[i][range].first <= tick else { return false }
        }
        return true
    }
}

extension RunOutline.Stream {
    /// Some encoders write N/A for no notes.
    fileprivate var plainNotes: [UInt8] { notes == Array("N/A".utf8) ? [] : notes }
}
