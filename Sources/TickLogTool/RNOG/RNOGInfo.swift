import TickLog
import TickLogHost

// What info prints of files of RNO-G packets.

extension Output {
    func rnog(_ summary: RNOGSummary) {
        line(terminalText(summary.path) + ": RNO-G packets" + (summary.isCompressed ? ", gzip" : ""))
        line("  size     \(summary.size) bytes" + (summary.isCompressed ? ", \(summary.unpackedBytes) unpacked" : ""))
        line("  packets  \(summary.packets), " + (summary.damageCount == 0 ? "whole" : summary.damageCount == 1 && summary.isTorn ? "torn" : "damaged"))
        if summary.damagedBytes > 0 { line("  damage   \(summary.damagedBytes) bytes in \(summary.damages.count) places") }
        for group in summary.groups {
            var text = "  " + pad(staticText(group.kind.name), 9) + "version \(group.version): \(group.packets) packets, \(group.bytes) bytes"
            if let events = group.events { text += ", events \(events.lowerBound) to \(events.upperBound)" }
            line(text)
        }
        for fault in summary.faults { line("  " + (fault.kind == .torn ? "note: " : "damage: ") + fault.message) }
    }
}
