import TickLog
import TickLogHost

func infoCommand() -> Command {
    Command(
        name: "info", summary: "tells what a file or run is",
        help: """
            Usage: ticklog info PATH... [--json]

            Tells what a BCSV, DLF or .dat file, a BMS log, or a run's directory, is: format, version, codecs, columns and types, rows,
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
                    code = max(code, try info(path, arguments.has("json"), output))
                } catch {
                    Console.report(error)
                    code = max(code, Failure(error).code)
                }
            }
            try output.finish()
            return code
        })
}

private func info(_ path: String, _ json: Bool, _ output: Output) throws(Fault) -> Int32 {
    var writer = JSONWriter(output)
    let code: Int32
    switch try Input(path) {
    case .run(let directory):
        let summary = try RunSummary(directory)
        if json { writer.run(summary) } else { output.run(summary) }
        code = exitCode(summary.faults)
    case .bcsv(let file):
        let summary = FileSummary(file)
        if json { writer.bcsv(file, summary) } else { output.bcsv(file, summary) }
        code = exitCode(summary.faults)
    case .dlf(let file):
        let summary = FileSummary(file)
        if json { writer.dlf(file, summary) } else { output.dlf(file, summary) }
        code = exitCode(summary.faults)
    case .frames(let file):
        let summary = FrameSummary(file)
        if json { writer.frames(summary) } else { output.frames(summary) }
        code = exitCode(summary.faults)
    case .bms(let file):
        let summary = BMSSummary(file)
        if json { writer.bms(summary) } else { output.bms(summary) }
        code = exitCode(summary.faults)
    case .dlfMeta(let file, let meta):
        if json {
            writer.begin("{")
            writer.field("path", path)
            writer.field("kind", "dlf-meta")
            writer.field("epoch_ns", Int64(meta.epochSeconds) * 1_000_000_000)
            writer.field("tick_ns", UInt64(meta.tickMicroseconds) * 1000)
            writer.field("type", String(decoding: meta.type.buffer, as: UTF8.self))
            writer.field("metadata_bytes", meta.data.count)
            writer.end("}")
        } else {
            output.line(terminalText(path) + ": DLF metadata")
            output.line("  start " + timeText(epochNs: Int64(meta.epochSeconds) * 1_000_000_000))
            output.line("  tick  \(meta.tickMicroseconds) us")
            output.line("  type  " + terminalText(String(decoding: meta.type.buffer, as: UTF8.self)) + ", \(meta.data.count) bytes")
        }
        withExtendedLifetime(file) {}
        code = Exit.ok
    }
    if json { output.byte(0x0A) }
    return code
}

private func exitCode(_ faults: [Fault]) -> Int32 {
    var code = Exit.ok
    for fault in faults where fault.kind != .torn { code = max(code, fault.kind == .system ? Exit.system : Exit.damaged) }
    return code
}

private func endingText(_ ending: Ending) -> String {
    switch ending {
    case .closed: "closed"
    case .open: "not closed"
    case .torn: "not closed, torn"
    case .damaged: "damaged"
    }
}

private func versionText(_ header: BCSVHeader) -> String { "\(header.major).\(header.minor).\(header.patch)" }

private func rowCodecText(_ codec: BCSVRowCodec) -> String {
    switch codec {
    case .flat: "flat"
    case .zoh: "zoh"
    case .delta: "delta"
    }
}

private func fileCodecText(_ codec: BCSVFileCodec) -> String {
    switch codec {
    case .packet: "packet"
    case .packetLZ4: "packet-lz4"
    case .batch: "batch"
    case .stream: "stream"
    case .streamLZ4: "stream-lz4"
    }
}

extension Output {
    fileprivate func bcsv(_ file: BCSVFile, _ summary: FileSummary) {
        let header = file.header
        line(
            terminalText(file.path) + ": BCSV \(versionText(header)), \(rowCodecText(header.rowCodec)), "
                + fileCodecText(header.fileCodec) + (header.level > 0 ? " level \(header.level)" : ""))
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
        streams(described(file.streams, [summary]), tickNs: 0)
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
        let all = allStreams(run)
        streams(described(all, summary.polled + summary.events), tickNs: run.meta.tickNs)
        line("  losses   \(summary.lostSamples) samples declared lost in \(summary.losses.count) ranges")
        for total in LossTotal.all(summary.losses) {
            line(
                "    " + terminalText(streamName(run, total.stream, all)) + ": \(total.samples) samples, " + Loss.text(of: total.reason)
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

/// The streams of a DLF run's files with what the files have of them; of other runs without.
private func described(_ streams: [RunStream], _ files: [FileSummary]) -> [(stream: RunStream, survey: DLFSurvey.Stream?)] {
    var surveyed: [DLFSurvey.Stream] = []
    for file in files { if let survey = file.survey { surveyed += survey.streams } }
    let areKnown = surveyed.count == streams.count
    var described: [(stream: RunStream, survey: DLFSurvey.Stream?)] = []
    for i in 0..<streams.count { described.append((streams[i], areKnown ? surveyed[i] : nil)) }
    return described
}

/// The losses of one stream for one reason.
struct LossTotal {
    let stream: Int
    let reason: UInt8
    var samples: UInt64 = 0
    var ranges = 0
    var firstTick = UInt64.max
    var lastTick: UInt64 = 0

    static func all(_ losses: [Loss]) -> [LossTotal] {
        var totals: [LossTotal] = []
        var places: [Int: Int] = [:]
        for loss in losses {
            let key = Int(loss.stream) << 8 | Int(loss.reason)
            let place = places[key] ?? totals.count
            if place == totals.count {
                places[key] = place
                totals.append(LossTotal(stream: Int(loss.stream), reason: loss.reason))
            }
            totals[place].samples &+= UInt64(loss.samples)
            totals[place].ranges += 1
            totals[place].firstTick = min(totals[place].firstTick, loss.firstTick)
            totals[place].lastTick = max(totals[place].lastTick, loss.lastTick)
        }
        totals.sort { $0.stream != $1.stream ? $0.stream < $1.stream : $0.reason < $1.reason }
        return totals
    }
}

func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.utf8.count))
}

/// The streams of a run, of its polled and its event file.
func allStreams(_ run: Run) -> [RunStream] {
    if run.directory.format == .bcsv { return run.streams }
    var streams: [RunStream] = []
    if let polled = try? run.polled() { streams += polled.streams }
    if let events = try? run.events() { streams += events.streams }
    return streams
}

/// The name of the stream that a loss is of. In a DLF run it counts the polled file's streams, then the event file's.
func streamName(_ run: Run, _ index: Int, _ streams: [RunStream]? = nil) -> String {
    let streams = streams ?? allStreams(run)
    if run.directory.format == .bcsv {
        for stream in streams where stream.index == index { return stream.name }
    } else if index < streams.count {
        return streams[index].name
    }
    return "stream \(index)"
}

extension JSONWriter {
    fileprivate mutating func bcsv(_ file: BCSVFile, _ summary: FileSummary) {
        let header = file.header
        begin("{")
        field("path", file.path)
        field("kind", "bcsv")
        field("version", versionText(header))
        field("row_codec", rowCodecText(header.rowCodec))
        field("file_codec", fileCodecText(header.fileCodec))
        field("level", UInt64(header.level))
        field("packet_limit", UInt64(header.packetLimit))
        field("created", header.creationTime)
        key("columns")
        begin("[")
        for column in file.columns {
            begin("{")
            field("name", column.name)
            field("type", staticText(column.type.name))
            end("}")
        }
        end("]")
        self.summary(summary)
        field("value_bytes", summary.valueBytes)
        field("ratio", Double(summary.valueBytes) / Double(max(summary.size, 1)))
        key("index_entries")
        if let entries = summary.indexEntries { number(UInt64(entries)) } else { null() }
        faults("damage", summary.faults)
        end("}")
    }

    fileprivate mutating func dlf(_ file: DLFFile, _ summary: FileSummary) {
        begin("{")
        field("path", file.path)
        field("kind", file.header.isEvents ? "dlf-event" : "dlf-polled")
        streams(described(file.streams, [summary]), tickNs: 0)
        self.summary(summary)
        notes([summary])
        faults("damage", summary.faults)
        end("}")
    }

    fileprivate mutating func run(_ summary: RunSummary) {
        let run = summary.run
        begin("{")
        field("path", run.directory.path)
        field("kind", "run")
        field("format", run.meta.format)
        field("run_format", run.meta.runFormat)
        field("run_id", run.meta.runID)
        field("ticklog_version", run.meta.version)
        field("epoch_ns", run.meta.epochNs)
        field("start", timeText(epochNs: run.meta.epochNs))
        field("tick_ns", run.meta.tickNs)
        field("ticks", summary.ticks)
        field("duration_s", summary.seconds)
        field("size", run.directory.size)
        field("closed", summary.isClosed)
        key("user")
        begin("{")
        for value in run.meta.user {
            key(value.name)
            if value.type == .string { string(value.text) } else { self.value(value.bits, value.type) }
        }
        end("}")
        if let hex = run.meta.opaque { field("metadata_hex", hex) }
        let all = allStreams(run)
        streams(described(all, summary.polled + summary.events), tickNs: run.meta.tickNs)
        key("files")
        begin("[")
        for file in summary.polled + summary.events {
            begin("{")
            field("path", file.path)
            self.summary(file)
            end("}")
        }
        end("]")
        field("lost_samples", summary.lostSamples)
        key("losses")
        begin("[")
        for loss in summary.losses {
            begin("{")
            field("stream", UInt64(loss.stream))
            field("name", streamName(run, Int(loss.stream), all))
            field("reason", UInt64(loss.reason))
            field("reason_text", Loss.text(of: loss.reason))
            field("first_tick", loss.firstTick)
            field("last_tick", loss.lastTick)
            field("samples", UInt64(loss.samples))
            end("}")
        }
        end("]")
        notes(summary.polled + summary.events)
        faults("damage", summary.faults)
        end("}")
    }

    private mutating func notes(_ files: [FileSummary]) {
        key("notes")
        begin("[")
        for file in files {
            for note in file.survey?.remarks ?? [] { string(note.message) }
        }
        end("]")
    }

    private mutating func summary(_ summary: FileSummary) {
        if let survey = summary.survey {
            key("rows")
            if let rows = survey.rows { number(rows) } else { null() }
            field("samples", survey.samples)
            field("tick_span", survey.tickSpan ?? 0)
            field("tick_span_agrees", survey.spanAgrees)
            field("tail_offset", survey.end)
            field("tail_bytes", survey.tailBytes)
        } else {
            field("rows", summary.rows)
        }
        field("packets", summary.packets)
        field("size", summary.size)
        field("closed", summary.ending == .closed)
        key("first_tick")
        if let tick = summary.firstTick { number(tick) } else { null() }
        key("last_tick")
        if let tick = summary.lastTick { number(tick) } else { null() }
    }

    private mutating func streams(_ streams: [(stream: RunStream, survey: DLFSurvey.Stream?)], tickNs: UInt64) {
        key("streams")
        begin("[")
        for (stream, survey) in streams {
            begin("{")
            field("index", stream.index)
            field("name", stream.name)
            field("kind", stream.kind)
            field("notes", stream.notes)
            field("interval", stream.interval)
            field("phase", stream.phase)
            field("opaque", stream.isOpaque)
            if let survey {
                if stream.isPolled, tickNs > 0 {
                    field("interval_s", Double(stream.interval) * Double(tickNs) / 1e9)
                    field("phase_s", Double(stream.phase) * Double(tickNs) / 1e9)
                }
                field("type", survey.type)
                field("sample_bytes", survey.sampleBytes)
                field("samples", survey.samples)
            }
            key("fields")
            begin("[")
            for item in stream.fields {
                begin("{")
                field("name", item.name)
                field("type", staticText(item.type.name))
                field("unit", item.unit)
                end("}")
            }
            end("]")
            end("}")
        }
        end("]")
    }
}

extension Int64 {
    fileprivate func multipliedClamped(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? (self < 0 ? .min : .max) : product
    }
}
