import TickLog

// info --json: one object for each path.

extension JSONWriter {
    mutating func bcsv(_ file: BCSVFile, _ summary: FileSummary) {
        begin("{")
        self.header(file)
        self.summary(summary)
        field("value_bytes", summary.valueBytes)
        field("ratio", Double(summary.valueBytes) / Double(max(summary.size, 1)))
        field("index_entries", summary.indexEntries.map { UInt64($0) })
        faults("damage", summary.faults)
        end("}")
    }

    mutating func header(_ file: BCSVFile) {
        let header = file.header
        field("path", file.path)
        field("kind", "bcsv")
        field("version", header.versionText)
        field("row_codec", staticText(header.rowCodec.text))
        field("file_codec", staticText(header.fileCodec.text))
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
    }

    mutating func dlf(_ file: DLFFile, _ summary: FileSummary) {
        begin("{")
        field("path", file.path)
        field("kind", file.header.isEvents ? "dlf-event" : "dlf-polled")
        streams(FileSummary.described(file.streams, by: [summary]), tickNs: 0)
        self.summary(summary)
        notes([summary])
        faults("damage", summary.faults)
        end("}")
    }

    mutating func run(_ summary: RunSummary) {
        let run = summary.run
        begin("{")
        identity(run)
        field("ticks", summary.ticks)
        field("duration_s", summary.seconds)
        files(run)
        let all = run.allStreams
        streams(FileSummary.described(all, by: summary.polled + summary.events), tickNs: run.meta.tickNs)
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
            field("name", run.streamName(Int(loss.stream), of: all))
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

    mutating func identity(_ run: Run) {
        field("path", run.directory.path)
        field("kind", "run")
        field("format", run.meta.format)
        field("run_format", run.meta.runFormat)
        field("run_id", run.meta.runID)
        field("ticklog_version", run.meta.version)
        field("epoch_ns", run.meta.epochNs)
        field("start", timeText(epochNs: run.meta.epochNs))
        field("tick_ns", run.meta.tickNs)
    }

    mutating func files(_ run: Run) {
        field("size", run.directory.size)
        field("closed", !run.directory.isLocked)
        key("user")
        begin("{")
        for value in run.meta.user {
            key(value.name)
            if value.type == .string { string(value.text) } else { self.value(value.bits, value.type) }
        }
        end("}")
        if let hex = run.meta.opaque { field("metadata_hex", hex) }
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
            field("rows", survey.rows)
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
        field("first_tick", summary.firstTick)
        field("last_tick", summary.lastTick)
    }

    private mutating func streams(_ streams: [(stream: RunStream, survey: DLFSurvey.Stream?)], tickNs: UInt64) {
        key("streams")
        begin("[")
        for (stream, survey) in streams {
            let dlf = survey.map { (type: $0.type, sampleBytes: $0.sampleBytes, samples: Optional($0.samples)) }
            self.stream(stream, dlf, tickNs: tickNs)
        }
        end("]")
    }

    /// `dlf`: what only DLF says of it. `samples`: nil if they were not counted.
    mutating func stream(_ stream: RunStream, _ dlf: (type: String, sampleBytes: Int, samples: UInt64?)?, tickNs: UInt64) {
        begin("{")
        field("index", stream.index)
        field("name", stream.name)
        field("kind", stream.kind)
        field("notes", stream.notes)
        field("interval", stream.interval)
        field("phase", stream.phase)
        field("opaque", stream.isOpaque)
        if let dlf {
            if stream.isPolled, tickNs > 0 {
                field("interval_s", Double(stream.interval) * Double(tickNs) / 1e9)
                field("phase_s", Double(stream.phase) * Double(tickNs) / 1e9)
            }
            field("type", dlf.type)
            field("sample_bytes", dlf.sampleBytes)
            if let samples = dlf.samples { field("samples", samples) }
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

    mutating func dlfMeta(_ path: String, _ meta: DLFMeta) {
        begin("{")
        described(path, meta)
        end("}")
    }

    mutating func described(_ path: String, _ meta: DLFMeta) {
        field("path", path)
        field("kind", "dlf-meta")
        field("epoch_ns", Int64(meta.epochSeconds) * 1_000_000_000)
        field("tick_ns", UInt64(meta.tickMicroseconds) * 1000)
        field("type", String(decoding: meta.type.buffer, as: UTF8.self))
        field("metadata_bytes", meta.data.count)
    }
}
