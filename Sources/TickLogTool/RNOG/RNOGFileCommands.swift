import TickLog
import TickLogHost

// What info and repair do with files of RNO-G packets.

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

extension JSONWriter {
    mutating func rnog(_ summary: RNOGSummary) {
        begin("{")
        field("path", summary.path)
        field("kind", "rnog")
        field("size", summary.size)
        field("compressed", summary.isCompressed)
        field("unpacked_bytes", summary.unpackedBytes)
        field("packets", summary.packets)
        field("packet_bytes", summary.packetBytes)
        key("types")
        begin("[")
        for group in summary.groups {
            begin("{")
            field("type", staticText(group.kind.name))
            field("version", Int(group.version))
            field("packets", group.packets)
            field("bytes", group.bytes)
            if let events = group.events {
                field("first_event", UInt64(events.lowerBound))
                field("last_event", UInt64(events.upperBound))
            }
            end("}")
        }
        end("]")
        field("damaged_bytes", summary.damagedBytes)
        field("damaged_places", summary.damageCount)
        rnogDamage(summary)
        end("}")
    }

    private mutating func rnogDamage(_ summary: RNOGSummary) {
        key("damage")
        begin("[")
        for damage in summary.damages {
            begin("{")
            field("offset", damage.range.lowerBound)
            field("torn", damage.isTorn)
            field("skipped_bytes", damage.range.count)
            field("text", damage.text)
            end("}")
        }
        if let fault = summary.streamFault {
            begin("{")
            field("offset", fault.offset ?? 0)
            field("torn", fault.kind == .torn)
            field("text", fault.text)
            end("}")
        }
        end("]")
    }

    fileprivate mutating func repaired(_ path: String, out: String?, _ summary: RNOGSummary) {
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
        field("packet_bytes", summary.packetBytes)
        field("damaged_bytes", summary.damagedBytes)
        rnogDamage(summary)
        end("}")
        end("]")
        end("}")
    }
}

/// Keeps the good packets of a file, each as it was.
func repairRNOG(_ file: RNOGFile, _ path: String, _ arguments: Arguments) throws(Failure) -> Int32 {
    guard !arguments.has("keep-unverified") else { throw .usage("found --keep-unverified, which needs a BCSV file") }
    var out: String?
    let summary: RNOGSummary
    do throws(Fault) {
        summary = try RNOGSummary(file)
        guard summary.damageCount == 0 || summary.packets > 0 else {
            throw Fault(.damaged, path, at: nil, "found no whole packet, expected one: nothing was written")
        }
        // A sound file is copied if somebody asked for OUT.
        if summary.damageCount > 0 || arguments.has("out") {
            let inPlace = arguments.has("in-place")
            let made = try newFile(inPlace ? path : arguments.value("out") ?? path + ".repaired", replacing: inPlace)
            let output = try PacketOutput(Output(descriptor: made.descriptor, path: made.path), gzip: file.isCompressed ? 6 : nil)
            _ = try file.copy(to: output, upgraded: false)
            try verify(made.temporaryPath, summary)
            if inPlace { try keepOriginal(made.path) }
            do throws(FileError) { try made.commit() } catch { throw Fault(error) }
            out = made.path
        }
    } catch {
        throw Failure(error)
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

/// Reads what was written.
private func verify(_ path: String, _ summary: RNOGSummary) throws(Fault) {
    let file: RNOGFile
    do { file = try RNOGFile(path) } catch { throw Fault(error) }
    let again = try RNOGSummary(file)
    if let fault = again.faults.first { throw fault }
    guard again.packets == summary.packets, again.packetBytes == summary.packetBytes else {
        throw Fault(.damaged, path, at: nil, "found \(again.packets) packets in the repaired file, expected \(summary.packets)")
    }
}
