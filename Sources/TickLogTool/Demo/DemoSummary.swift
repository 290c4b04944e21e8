import TickLog
import TickLogHost

/// Prints what was recorded, read back from the run's files, and how to look at it.
func summarise(_ path: String) throws(Failure) -> Int32 {
    let output = Output(descriptor: 1)
    let faults: [Fault]
    do throws(Fault) {
        let directory: RunDirectory?
        do throws(FileError) { directory = try RunDirectory(path) } catch { throw Fault(error) }
        guard let directory else {
            throw Fault(.damaged, path, at: nil, "found no run, expected the one just written")
        }
        let summary = try RunSummary(directory)
        let run = summary.run
        output.line("Run " + terminalText(run.meta.runID) + ", started " + timeText(epochNs: run.meta.epochNs) + ", " + secondsText(summary.seconds))
        output.line("")
        output.line(pad("STREAM", 22) + padLeft("SAMPLES", 8) + padLeft("RATE/s", 9) + padLeft("MIN", 16) + padLeft("MAX", 16) + padLeft("LAST", 16))
        if let polled = try run.polled() { print(Extent.all(polled), summary.seconds, output) }
        if let events = try run.events() { print(Extent.all(events), summary.seconds, output) }
        output.line("")
        output.line("Losses: \(summary.lostSamples) samples" + (summary.losses.isEmpty ? "" : ", declared in \(summary.losses.count) ranges"))
        let streams = run.allStreams
        for total in LossTotal.all(summary.losses) {
            output.line("  " + terminalText(run.streamName(total.stream, of: streams)) + ": \(total.samples), ticks \(total.firstTick) to \(total.lastTick), " + Loss.text(of: total.reason))
        }
        var files = "Files: "
        for name in directory.names { files += terminalText(name) + " " + bytesText(size(of: path.file(name))) + ", " }
        output.line(files + bytesText(directory.size) + " in all")
        output.line("Where: " + terminalText(path))
        if directory.format == .bcsv {
            output.line("Python: python3 -c \"import pybcsv; print(pybcsv.read_dataframe('" + terminalText(path.file("polled.bcsv")) + "'))\"")
        } else {
            output.line("Values: ticklog cat " + terminalText(path))
        }
        faults = summary.faults
    } catch {
        throw Failure(error)
    }
    try output.finish()
    return Console.report(faults)
}

/// How often a stream was sampled, and between which values.
private struct Extent {
    struct Values {
        let name: String
        let column: Int
        let type: ValueType
        var least: UInt64 = 0
        var greatest: UInt64 = 0
        var last: UInt64 = 0
    }

    let stream: RunStream
    var samples: UInt64 = 0
    var values: [Values] = []

    static func all(_ recording: Recording) -> [Extent] {
        var extents: [Extent] = []
        for stream in recording.streams {
            var extent = Extent(stream: stream)
            for field in stream.fields {
                guard let column = field.column, field.type != .string else { continue }
                extent.values.append(
                    Values(
                        name: field.name.isEmpty ? stream.name : stream.name + "." + field.name, column: column,
                        type: field.type))
            }
            extents.append(extent)
        }
        while recording.next() {
            for index in recording.sampled {
                let isFirst = extents[index].samples == 0
                extents[index].samples += 1
                for k in 0..<extents[index].values.count {
                    let type = extents[index].values[k].type
                    let bits = recording.table.bits(extents[index].values[k].column)
                    extents[index].values[k].last = bits
                    if isFirst || type.isLess(bits, extents[index].values[k].least) { extents[index].values[k].least = bits }
                    if isFirst || type.isLess(extents[index].values[k].greatest, bits) {
                        extents[index].values[k].greatest = bits
                    }
                }
            }
        }
        return extents
    }
}

private func print(_ extents: [Extent], _ seconds: Double, _ output: Output) {
    for extent in extents where extent.samples > 0 {
        let rate = seconds > 0 ? fixed(Double(extent.samples) / seconds, 1) : "-"
        let counts = padLeft("\(extent.samples)", 8) + padLeft(rate, 9)
        let isSingle = extent.values.count == 1 && extent.values[0].name == extent.stream.name
        if !isSingle { output.line(pad(terminalText(extent.stream.name), 22) + counts) }
        // The logger's own events are counted here; `cat --events` tells them all.
        for value in extent.values where extent.stream.kind != "builtin" {
            var line = isSingle ? pad(terminalText(value.name), 22) + counts
                : pad("  " + terminalText(value.name), 22) + String(repeating: " ", count: 17)
            for bits in [value.least, value.greatest, value.last] { line += padLeft(value.type.text(bits), 16) }
            output.line(line)
        }
    }
}

private func padLeft(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(1, width - text.utf8.count)) + text
}
