import TickLog
import TickLogHost

// What info and repair do with BMS logs.

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

extension JSONWriter {
    mutating func bms(_ summary: BMSSummary) {
        begin("{")
        field("path", summary.path)
        field("kind", "bms-log")
        field("packet_kind", summary.form.isLegacy ? "legacy" : "data")
        field("size", summary.size)
        key("number")
        if let number = summary.number { self.number(number) } else { null() }
        field("packets", summary.packets)
        field("words", summary.words)
        field("other_packets", summary.others)
        key("first_logged_us")
        if let times = summary.times { number(times.lowerBound) } else { null() }
        key("last_logged_us")
        if let times = summary.times { number(times.upperBound) } else { null() }
        key("first_time")
        if let sent = summary.sent { number(sent.lowerBound) } else { null() }
        key("last_time")
        if let sent = summary.sent { number(sent.upperBound) } else { null() }
        key("sources")
        begin("[")
        for source in summary.sources {
            begin("{")
            if let type = source.type {
                field("type", UInt64(type))
                field("id", Int64(source.number))
            } else {
                field("rack", Int64(source.number))
            }
            field("packets", source.packets)
            field("full", source.fulls)
            field("words", source.words)
            end("}")
        }
        end("]")
        field("damaged_bytes", summary.damagedBytes)
        field("damaged_places", summary.damageCount)
        damage(summary.damages)
        end("}")
    }

    private mutating func damage(_ damages: [BMSDamage]) {
        key("damage")
        begin("[")
        for damage in damages {
            begin("{")
            field("offset", damage.range.lowerBound)
            field("torn", damage.isTorn)
            field("skipped_bytes", damage.range.count)
            field("text", damage.text)
            end("}")
        }
        end("]")
    }

    fileprivate mutating func repaired(_ path: String, out: String?, _ summary: BMSSummary) {
        begin("{")
        field("path", path)
        key("files")
        begin("[")
        begin("{")
        field("path", summary.path)
        key("out")
        if let out { string(out) } else { null() }
        field("repaired", out != nil && summary.damageCount > 0)
        field("packets", summary.packets)
        field("damaged_bytes", summary.damagedBytes)
        damage(summary.damages)
        end("}")
        end("]")
        end("}")
    }
}

/// Keeps the good records of a BMS log.
func repairBMS(_ file: BMSFile, _ path: String, _ arguments: Arguments) throws(Failure) -> Int32 {
    guard !arguments.has("keep-unverified") else { throw .usage("found --keep-unverified, which needs a BCSV file") }
    let repair = BMSRepair(file)
    let summary = repair.summary
    // A sound file is copied if somebody asked for OUT.
    var out: String?
    if summary.damageCount > 0 || arguments.has("out") {
        let inPlace = arguments.has("in-place")
        let target = inPlace ? path : arguments.value("out") ?? path + ".repaired"
        do throws(Fault) {
            let made = try newFile(target, replacing: inPlace)
            try repair.write(file, to: Output(descriptor: made.descriptor, path: made.path))
            try repair.verify(made.temporaryPath)
            if inPlace { try keepOriginal(made.path) }
            do throws(FileError) { try made.commit() } catch { throw Fault(error) }
            out = made.path
        } catch {
            throw Failure(error)
        }
    }
    let output = Output(descriptor: 1)
    if arguments.has("json") {
        var writer = JSONWriter(output)
        writer.repaired(path, out: out, summary)
        output.byte(0x0A)
    } else {
        var line = terminalText(path) + ": "
        if summary.damageCount == 0 { line += out == nil ? "sound, nothing to repair" : "sound, copied" } else {
            line += "repaired, \(summary.packets) packets kept, \(summary.damagedBytes) bytes left out"
        }
        if let out { line += ", in " + terminalText(out) }
        output.line(line)
        for fault in summary.faults { output.line("  " + fault.message) }
    }
    try output.finish()
    return Exit.ok
}
