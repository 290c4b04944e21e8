import TickLog
import TickLogHost

func infoCommand() -> Command {
    Command(
        name: "info", summary: "tells what a file or run is",
        help: """
            Usage: ticklog info PATH... [--json]

            Tells what a BCSV, DLF or .dat file (frames or RNO-G packets), a BMS log, or a run's directory, is: format, version,
            codecs, columns and types, rows,
            packets, time span, sizes, closed or not, damage. PATH may be an archive of a run, or - for standard input.
            Of DLF it also tells how many samples each stream has, a torn tail, and whether the tick span that is stored
            is that of the data; a polled file is measured by arithmetic, whatever its size.

              --json     one JSON object for each PATH, a line each
              --help, --version

            Exit code 1: something is damaged. A torn end of what was never closed is a note.

            Examples:
              ticklog info runs/2f1c...
              ticklog info --json polled.bcsv

            """,
        options: [Option("json")],
        run: { (arguments) throws(Failure) in
            guard !arguments.operands.isEmpty else { throw .usage("found no operand, expected files or directories of runs") }
            let output = Output(descriptor: 1)
            var code = Exit.ok
            for path in arguments.operands {
                do throws(Fault) {
                    let info = try Info(path)
                    if arguments.has("json") { info.json(output) } else { output.info(info) }
                    code = max(code, Exit.code(of: info.fault))
                } catch {
                    Console.report(error)
                    code = max(code, Failure(error).code)
                }
            }
            try output.finish()
            return code
        })
}

extension Output {
    fileprivate func info(_ info: Info) {
        switch info {
        case .run(let summary): run(summary)
        case .bcsv(let file, let summary): bcsv(file, summary)
        case .dlf(let file, let summary): dlf(file, summary)
        case .frames(let summary): frames(summary)
        case .bms(let summary): bms(summary)
        case .rnog(let summary): rnog(summary)
        case .dlfMeta(let path, let file, let meta):
            line(terminalText(path) + ": DLF metadata")
            line("  start " + timeText(epochNs: Int64(meta.epochSeconds) * 1_000_000_000))
            line("  tick  \(meta.tickMicroseconds) us")
            line("  type  " + terminalText(String(decoding: meta.type.buffer, as: UTF8.self)) + ", \(meta.data.count) bytes")
            withExtendedLifetime(file) {}
        }
    }
}

private func endingText(_ ending: Ending) -> String {
    switch ending {
    case .closed: "closed"
    case .open: "not closed"
    case .torn: "not closed, torn"
    case .damaged: "damaged"
    }
}

extension Output {
    fileprivate func bcsv(_ file: BCSVFile, _ summary: FileSummary) {
        let header = file.header
        line(
            terminalText(file.path) + ": BCSV \(header.versionText), \(staticText(header.rowCodec.text)), "
                + staticText(header.fileCodec.text) + (header.level > 0 ? " level \(header.level)" : ""))
        line("  size     \(summary.size) bytes, packet limit \(header.packetLimit)")
        line("  rows     \(summary.rows) in \(summary.packets) packets, " + endingText(summary.ending))
        if summary.rows > 0 {
            line("  values   \(summary.valueBytes) bytes as plain values, \(fixed(Double(summary.valueBytes) / Double(max(summary.size, 1)), 2)) times the file")
        }
        if let first = summary.firstTick, let last = summary.lastTick { line("  ticks    \(first) to \(last)") }
        if header.creationTime > 0 {
            line("  created  " + timeText(epochNs: Int64(clamping: header.creationTime).multipliedClamped(by: 1_000_000_000)))
        }
        line("  columns  \(file.columns.count)")
        for column in file.columns { line("    " + pad(staticText(column.type.name), 8) + terminalText(column.name)) }
        faults(summary.faults)
    }

    fileprivate func dlf(_ file: DLFFile, _ summary: FileSummary) {
        line(terminalText(file.path) + ": DLF, " + (file.header.isEvents ? "events" : "polled"))
        line("  size     \(summary.size) bytes, " + dlfText(summary, isEvents: file.header.isEvents))
        if let first = summary.firstTick, let last = summary.lastTick { line("  ticks    \(first) to \(last)") }
        streams(FileSummary.described(file.streams, by: [summary]), tickNs: 0)
        notes(summary)
        faults(summary.faults)
    }

    fileprivate func run(_ summary: RunSummary) {
        let run = summary.run
        line(terminalText(run.directory.path) + ": run, " + terminalText(run.meta.format) + ", " + (summary.isClosed ? "closed" : "not closed (LOCK)"))
        line("  id       " + terminalText(run.meta.runID))
        if !run.meta.version.isEmpty { line("  ticklog  " + terminalText(run.meta.version)) }
        if run.hasMeta {
            line("  start    " + timeText(epochNs: run.meta.epochNs))
            line("  duration " + secondsText(summary.seconds) + ", \(summary.ticks) ticks of \(run.meta.tickNs) ns")
        } else {
            line("  duration \(summary.ticks) ticks: their length and the start are unknown")
        }
        line("  size     " + bytesText(run.directory.size))
        for file in summary.polled + summary.events {
            var text = "  " + pad(terminalText(file.path.lastComponent), 16)
            if file.survey == nil {
                text += "\(file.rows) rows in \(file.packets) packets, " + endingText(file.ending)
            } else {
                text += dlfText(file, isEvents: summary.events.contains { $0.path == file.path })
            }
            line(text + ", \(file.size) bytes")
        }
        for value in run.meta.user {
            text("  user." + terminalText(value.name) + " = ")
            if value.type == .string { text(terminalText(value.text)) } else { self.value(value.bits, value.type) }
            byte(0x0A)
        }
        if let hex = run.meta.opaque, !hex.isEmpty { line("  metadata " + hex) }
        let all = run.allStreams
        streams(FileSummary.described(all, by: summary.polled + summary.events), tickNs: run.meta.tickNs)
        line("  losses   \(summary.lostSamples) samples declared lost in \(summary.losses.count) ranges")
        for total in LossTotal.all(summary.losses) {
            line(
                "    " + terminalText(run.streamName(total.stream, of: all)) + ": \(total.samples) samples, " + Loss.text(of: total.reason)
                    + ", \(total.ranges) ranges within ticks \(total.firstTick) to \(total.lastTick)")
        }
        for file in summary.polled + summary.events { notes(file) }
        faults(summary.faults)
    }

    private func notes(_ summary: FileSummary) {
        for note in summary.survey?.remarks ?? [] { line("  note: " + note.message) }
    }

    private func streams(_ streams: [(stream: RunStream, survey: DLFSurvey.Stream?)], tickNs: UInt64) {
        line("  streams  \(streams.count)")
        for (stream, survey) in streams {
            func seconds(_ ticks: UInt64) -> String {
                tickNs == 0 || survey == nil ? "" : " (" + shortText(Double(ticks) * Double(tickNs) / 1e9) + " s)"
            }
            var text = "    " + pad(stream.kind, 8) + terminalText(stream.name)
            if stream.isPolled { text += ", every \(max(stream.interval, 1)) ticks" + seconds(max(stream.interval, 1)) }
            if stream.isPolled, stream.phase > 0 { text += ", phase \(stream.phase)" + seconds(stream.phase) }
            if stream.isOpaque { text += ", opaque" }
            if let survey { text += ", \(survey.samples) samples of \(survey.sampleBytes) bytes, " + terminalText(survey.type) }
            line(text)
            if survey != nil, !stream.notes.isEmpty, stream.notes != "N/A" { line("      " + terminalText(stream.notes)) }
            for field in stream.fields {
                var text = "      " + pad(staticText(field.type.name), 8) + (field.name.isEmpty ? "value" : terminalText(field.name))
                if !field.unit.isEmpty { text += " [" + terminalText(field.unit) + "]" }
                line(text)
            }
        }
    }

    private func faults(_ faults: [Fault]) {
        for fault in faults { line("  " + (fault.kind == .torn ? "note: " : "damage: ") + fault.message) }
    }
}

/// "18 samples in 10 rows, tick span 9".
private func dlfText(_ summary: FileSummary, isEvents: Bool) -> String {
    guard let survey = summary.survey else { return "" }
    var text = "\(survey.samples) " + (isEvents ? "records" : "samples")
    if !isEvents, let rows = survey.rows { text += " in \(rows) rows" }
    if survey.tailBytes > 0 { text += ", \(survey.tailBytes) bytes behind the last whole one" }
    return text + ", tick span \(survey.tickSpan ?? 0)"
}

/// A number with as many decimals as it needs.
private func shortText(_ value: Double) -> String {
    let output = value.description
    return output.utf8.suffix(2).elementsEqual(".0".utf8) ? String(decoding: output.utf8.dropLast(2), as: UTF8.self) : output
}

func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.utf8.count))
}

extension Int64 {
    fileprivate func multipliedClamped(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? (self < 0 ? .min : .max) : product
    }
}
