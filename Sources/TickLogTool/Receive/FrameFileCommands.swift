import TickLog
import TickLogHost

// What info and repair do with .dat files.

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

extension JSONWriter {
    mutating func frames(_ summary: FrameSummary) {
        begin("{")
        field("path", summary.path)
        field("kind", "frames")
        field("size", summary.size)
        field("frames", summary.frames)
        field("frame_bytes", summary.frameBytes)
        key("streams")
        begin("[")
        for stream in summary.streams {
            begin("{")
            field("stream", UInt64(stream.stream))
            field("frames", stream.frames)
            field("bytes", stream.bytes)
            field("first_sequence", stream.sequences.lowerBound)
            field("last_sequence", stream.sequences.upperBound)
            field("first_timestamp_ns", stream.timestamps.lowerBound)
            field("last_timestamp_ns", stream.timestamps.upperBound)
            field("gaps", stream.order.gaps)
            field("missing", stream.order.missing)
            field("late", stream.order.late)
            field("duplicates", stream.order.duplicates)
            field("restarts", stream.order.restarts)
            field("unassembled", stream.unassembled)
            key("periodics")
            begin("{")
            field("complete", stream.periodics.complete)
            field("incomplete", stream.periodics.incomplete)
            field("missing_chunks", stream.periodics.missingChunks)
            end("}")
            end("}")
        }
        end("]")
        field("damaged_bytes", summary.damagedBytes)
        field("damaged_places", summary.damageCount)
        damage(summary.damages)
        end("}")
    }

    private mutating func damage(_ damages: [FrameDamage]) {
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

    fileprivate mutating func repaired(_ path: String, out: String?, _ summary: FrameSummary) {
        begin("{")
        field("path", path)
        key("files")
        begin("[")
        begin("{")
        field("path", summary.path)
        key("out")
        if let out { string(out) } else { null() }
        field("repaired", out != nil && summary.damageCount > 0)
        field("frames", summary.frames)
        field("frame_bytes", summary.frameBytes)
        field("damaged_bytes", summary.damagedBytes)
        damage(summary.damages)
        end("}")
        end("]")
        end("}")
    }
}

/// Keeps the good frames of a .dat file.
func repairFrames(_ file: FrameFile, _ path: String, _ arguments: Arguments) throws(Failure) -> Int32 {
    guard !arguments.has("keep-unverified") else { throw .usage("found --keep-unverified, which needs a BCSV file") }
    let repair = FrameRepair(file)
    let summary = repair.summary
    guard summary.damageCount == 0 || summary.frames > 0 else {
        throw Failure(Exit.damaged, "\(terminalText(path)): found no whole frame, expected one: nothing was written")
    }
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
            line += "repaired, \(summary.frames) frames kept, \(summary.damagedBytes) bytes left out"
        }
        if let out { line += ", in " + terminalText(out) }
        output.line(line)
        for fault in summary.faults { output.line("  " + fault.message) }
    }
    try output.finish()
    return Exit.ok
}
