import CTickLog
import TickLog

/// What the writers of both formats share.
enum RunWriting {
    /// Damage ends it, unless it is to be passed over. What is torn is normal.
    static func check(_ table: Table, _ source: RunSource) throws(Fault) {
        for fault in table.faults where fault.kind != .torn && (fault.kind == .system || !source.bearsDamage) { throw fault }
    }

    /// The last sample of each stream is kept.
    static func checkSizes(_ outline: RunOutline) throws(Fault) {
        var bytes = 0
        for stream in outline.polled + outline.events {
            guard stream.size <= RunOutline.largestSample else {
                throw Fault(
                    .unreadable, "", at: nil,
                    "found the stream '\(shown(stream.name))' with samples of \(stream.size) bytes, expected at most \(RunOutline.largestSample)")
            }
            bytes += stream.size
            // Here, as the sum may be more than an Int of 32 bits holds.
            guard bytes <= 1 << 28 else {
                throw Fault(.unreadable, "", at: nil, "found samples of more than 268435456 bytes in all streams together, expected at most as many")
            }
        }
    }

    static func unordered(_ rows: RunRows) -> Fault {
        Fault(.damaged, "", at: nil, "row \(rows.table.row): found the tick \(rows.tick), expected ticks that rise, below 2^64 - 1")
    }

    static func text(of losses: [DeclaredLoss]) -> String {
        var samples: UInt64 = 0
        for loss in losses { samples += UInt64(loss.samples) }
        return "\(samples) samples that are missing are declared lost"
    }
}

extension RunSource {
    /// Adds to `losses` the samples of a polled stream in [start, end) that no declaration covers.
    func undeclared(_ stream: Int, from start: UInt64, to end: UInt64, _ losses: inout [DeclaredLoss]) {
        var at = start
        let ranges = declaredRanges[stream]
        for range in ranges[declaredRange(of: stream, from: start)...] {
            if range.first >= end { break }
            if range.first > at { declare(stream, from: at, to: range.first, &losses) }
            at = range.last == UInt64.max ? end : max(at, range.last + 1)
            if at >= end { return }
        }
        declare(stream, from: at, to: end, &losses)
    }

    private func declare(_ stream: Int, from start: UInt64, to end: UInt64, _ losses: inout [DeclaredLoss]) {
        let schedule = schedules[stream]
        let count = schedule.count(from: start, to: end)
        guard count > 0 else { return }
        let first = schedule.next(from: start)
        let last = first + (count - 1) * schedule.interval
        losses.append(
            DeclaredLoss(
                tick: last, stream: stream, reason: missingReason, firstTick: first, lastTick: last, samples: UInt32(clamping: count)))
    }
}
