import TickLog
import TickLogHost

// What info prints of BMS logs.

extension Output {
    func bms(_ summary: BMSSummary) {
        var line = terminalText(summary.path) + ": BMS log, " + (summary.form.isLegacy ? "legacy Packets" : "DataPackets")
        if let number = summary.number { line += ", file \(number)" }
        self.line(line)
        let state = summary.damageCount == 0 ? "whole" : summary.damageCount == 1 && summary.isTorn ? "torn" : "damaged"
        self.line("  size     \(summary.size) bytes")
        self.line("  packets  \(summary.packets), \(summary.words) words, " + state)
        if summary.others > 0 { self.line("  others   \(summary.others) that are neither DIFF nor FULL") }
        if summary.damagedBytes > 0 { self.line("  damage   \(summary.damagedBytes) bytes in \(summary.damageCount) places") }
        if let times = summary.times {
            self.line("  logged   \(microsecondsText(times.lowerBound)) to \(microsecondsText(times.upperBound))")
        }
        for source in summary.sources {
            self.line(
                "  " + pad(source.text, 11) + "\(source.packets) packets, \(source.words) words"
                    + (source.fulls > 0 ? ", \(source.fulls) FULL" : ""))
        }
        if summary.unlistedSources { self.line("  ... and more sources") }
        for fault in summary.faults { self.line("  " + (fault.kind == .torn ? "note: " : "damage: ") + fault.message) }
    }

    private func microsecondsText(_ time: UInt64) -> String {
        timeText(epochNs: Int64(clamping: time.multipliedReportingOverflow(by: 1000).overflow ? UInt64(Int64.max) : time * 1000))
    }
}
