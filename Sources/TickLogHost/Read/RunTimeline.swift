import TickLog

/// When the ticks of a run were, its clock events taken into account (spec: 6): between two of them a straight line, before the
/// first and behind the last one the length of a tick.
struct RunTimeline {
    private struct Point {
        let tick: UInt64
        let ns: Int64
        /// In the file.
        let number: Int
    }

    private var points: [Point] = []
    private let clock: RunClock?
    /// The points are those of clock events.
    var hasEvents: Bool { !points.isEmpty }

    /// Above that, half of the points are left out.
    private static var most: Int { 1 << 20 }

    init(_ run: Run, salvage: Bool) {
        clock = RunClock(run.meta)
        guard let found = try? run.events(salvage: salvage), let index = found.stream(named: BuiltinColumns.names[0]) else { return }
        var column: Int?
        for field in found.streams[index].fields where field.name == "epoch_ns" && field.type == .i64 { column = field.column }
        guard let column else { return }
        var number = 0
        var step = 1
        while found.next() {
            guard found.sampled.contains(index) else { continue }
            let ns = Int64(bitPattern: found.table.bits(column))
            number += 1
            // Like the run's epoch, 0 is no time.
            guard ns > 0, number % step == 0 else { continue }
            points.append(Point(tick: found.tick, ns: ns, number: number))
            if points.count == RunTimeline.most {
                step *= 2
                points.removeAll { $0.number % step != 0 }
            }
        }
        points.sort { $0.tick != $1.tick ? $0.tick < $1.tick : $0.number < $1.number }
        // Of one tick, what was said last counts.
        var own: [Point] = []
        for point in points {
            if let last = own.last, last.tick == point.tick { own.removeLast() }
            own.append(point)
        }
        points = own
    }

    /// ns since 1970, or since the start of the run if nobody knows when that was; if not even the length of a tick is known,
    /// the tick. What does not fit is the nearest that does, from 0 on.
    func time(of tick: UInt64) -> UInt64 {
        guard let first = points.first, let last = points.last else {
            guard let clock else { return min(tick, UInt64(Int64.max)) }
            return UInt64(max(clock.time(of: tick), 0))
        }
        if tick <= first.tick {
            let (before, overflow) = (first.tick - tick).multipliedReportingOverflow(by: clock?.tickNs ?? 1)
            return overflow || before > UInt64(first.ns) ? 0 : UInt64(first.ns) - before
        }
        if tick >= last.tick {
            let (behind, overflow) = (tick - last.tick).multipliedReportingOverflow(by: clock?.tickNs ?? 1)
            return overflow || behind > UInt64(Int64.max - last.ns) ? UInt64(Int64.max) : UInt64(last.ns) + behind
        }
        // The last point at or before the tick; there is one behind it.
        var (low, high) = (0, points.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if points[middle].tick <= tick { low = middle } else { high = middle }
        }
        let (from, to) = (points[low], points[low + 1])
        let (ticks, done) = (to.tick - from.tick, tick - from.tick)
        let rises = to.ns >= from.ns
        let span = UInt64(rises ? to.ns - from.ns : from.ns - to.ns)
        let (whole, rest) = span.quotientAndRemainder(dividingBy: ticks)
        let part = ticks >> 32 == 0 ? rest * done / ticks : UInt64(Double(rest) * Double(done) / Double(ticks))
        return rises ? UInt64(from.ns) + min(whole * done + part, span) : UInt64(from.ns) - min(whole * done + part, span)
    }
}
