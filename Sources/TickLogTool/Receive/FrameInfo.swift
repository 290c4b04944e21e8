import TickLog
import TickLogHost

// What info prints of .dat files.

extension Output {
    func frames(_ summary: FrameSummary) {
        line(terminalText(summary.path) + ": frames, \(summary.streams.count) streams")
        line("  size     \(summary.size) bytes")
        line("  frames   \(summary.frames), " + (summary.damageCount == 0 ? "whole" : summary.damageCount == 1 && summary.isTorn ? "torn" : "damaged"))
        if summary.damagedBytes > 0 { line("  damage   \(summary.damagedBytes) bytes in \(summary.damageCount) places") }
        for stream in summary.streams {
            let order = stream.order
            let periodics = stream.periodics
            line("  stream \(stream.stream)")
            line("    frames     \(stream.frames), \(stream.bytes) bytes")
            line("    sequence   \(stream.sequences.lowerBound) to \(stream.sequences.upperBound)")
            line("    time       \(timeText(epochNs: Int64(clamping: stream.timestamps.lowerBound))) to \(timeText(epochNs: Int64(clamping: stream.timestamps.upperBound)))")
            line("    order      \(order.missing) missing, \(order.gaps) gaps, \(order.late) late, \(order.duplicates) duplicates, \(order.restarts) restarts")
            line("    periodics  \(periodics.complete) complete, \(periodics.incomplete) incomplete (\(periodics.missingChunks) chunks missing), \(stream.unassembled) frames unassembled")
        }
        for fault in summary.faults { line("  " + (fault.kind == .torn ? "note: " : "damage: ") + fault.message) }
    }
}
