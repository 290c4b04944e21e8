import CTickLog
import TickLog

/// A declaration of lost samples, with the tick of its event. Streams are numbered as in `RunOutline`.
public struct DeclaredLoss {
    public let tick: UInt64
    public let stream: Int
    public let reason: UInt8
    public let firstTick: UInt64
    public let lastTick: UInt64
    public let samples: UInt32
}

/// What a run is made of.
public class RunSource {
    public internal(set) var outline: RunOutline
    /// In the order in which they were declared.
    public internal(set) var losses: [DeclaredLoss] = []
    /// Events of BCSV's built-in streams stand among the others.
    let hasBuiltins: Bool
    /// The run was closed: what is not there was lost.
    let isClosed: Bool
    let padding: SamplePadding
    /// What was left out, for the user to know.
    public internal(set) var notes: [String] = []
    /// What is wrong with it, whatever is read.
    public internal(set) var faults: [Fault] = []

    init(_ outline: RunOutline, hasBuiltins: Bool, isClosed: Bool, padding: SamplePadding) {
        self.outline = outline
        self.hasBuiltins = hasBuiltins
        self.isClosed = isClosed
        self.padding = padding
    }

    /// Damage is passed over.
    var bearsDamage: Bool { false }
    /// Ticks at which a stream is due need not have a row.
    var mayLackRows: Bool { true }
    /// Why a sample is lost that is missing and not declared.
    var missingReason: UInt8 { UInt8(TICKLOG_LOSS_STORAGE) }

    /// Ranges in which a stream's losses are declared, in order and apart from each other.
    private(set) lazy var declaredRanges: [[(first: UInt64, last: UInt64)]] = {
        var ranges = [[(first: UInt64, last: UInt64)]](repeating: [], count: outline.streamCount)
        for loss in losses where loss.stream >= 0 && loss.stream < outline.streamCount && loss.firstTick <= loss.lastTick {
            ranges[loss.stream].append((loss.firstTick, loss.lastTick))
        }
        for i in 0..<ranges.count {
            ranges[i].sort { $0.first < $1.first }
            var apart: [(first: UInt64, last: UInt64)] = []
            for range in ranges[i] {
                if let last = apart.last, range.first <= last.last {
                    apart[apart.count - 1].last = max(last.last, range.last)
                } else {
                    apart.append(range)
                }
            }
            ranges[i] = apart
        }
        return ranges
    }()

    private(set) lazy var schedules: [PolledSchedule.Stream] = outline.polled.map { $0.schedule }

    /// The first of a stream's ranges that ends at or behind a tick.
    func declaredRange(of stream: Int, from tick: UInt64) -> Int {
        let ranges = declaredRanges[stream]
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].last < tick { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The last tick that the run's data are complete to; nil: none. `lastPolled`: behind the last row.
    func tickSpan(lastPolled next: UInt64) throws(Fault) -> UInt64? {
        if let span = outline.tickSpan { return span }
        // A run of DLF without samples: none was missed.
        if outline.image != nil, next == 0, !outline.polled.isEmpty { return nil }
        var last: UInt64? = next > 0 ? next - 1 : nil
        // What a run that was not closed has no row for may never have been sampled.
        guard isClosed || outline.polled.isEmpty else { return last }
        for loss in losses where loss.stream >= 0 && loss.stream < outline.streamCount {
            last = max(last ?? 0, loss.lastTick)
        }
        if let rows = try events() {
            // A clock event may be about any tick.
            while rows.next() {
                for i in rows.sampled where i < outline.events.count { last = max(last ?? 0, rows.tick) }
            }
        }
        return last == UInt64.max ? nil : last
    }

    /// Nil: there is no such file.
    public func polled() throws(Fault) -> RunRows? { nil }
    public func events() throws(Fault) -> RunRows? { nil }

    /// Of the last tick of a file that is torn, some streams have no sample any more. `rows`: read to the end.
    func cut(_ rows: RunRows) -> [DeclaredLoss] {
        var losses: [DeclaredLoss] = []
        guard !rows.isEvents, rows.sampled.count < outline.polled.count, !rows.sampled.isEmpty else { return [] }
        for i in 0..<outline.polled.count where schedules[i].isDue(at: rows.tick) && !rows.sampled.contains(i) {
            undeclared(i, from: rows.tick, to: rows.tick &+ 1, &losses)
        }
        return losses
    }

    /// What samples have besides their values, of each stream in order.
    func eachPadding(_ body: (Int, SamplePadding.Change) throws(Fault) -> Void) throws(Fault) {
        for stream in 0..<padding.changes.count {
            for change in padding.changes[stream] { try body(stream, change) }
        }
    }
}
