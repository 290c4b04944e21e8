import CTickLog
import TickLog

extension Run {
    /// Writes all streams as channels of an MCAP file, and their samples in the order of their ticks. Without `salvage`, a
    /// damaged run is an error.
    public func writeMCAP(to output: Output, _ options: MCAPOptions = MCAPOptions(), salvage: Bool = false) throws(Fault) -> TableReport {
        for fault in faults where fault.kind != .torn && (fault.kind == .system || !salvage) { throw fault }
        let export = MCAPRun(self, MCAPWriter(to: output, options: options), salvage: salvage)
        try export.write()
        return export.report
    }
}

/// A run on its way into an MCAP file.
private final class MCAPRun {
    /// A file of the run, and what its streams are in the other.
    private struct Source {
        let recording: Recording
        var channels: [(id: Int, channel: MCAPChannel)] = []
        var isOpen = true
    }

    private let run: Run
    private let writer: MCAPWriter
    private let salvage: Bool
    private let timeline: RunTimeline
    private var sources: [Source] = []
    private var topics = DistinctNames()
    private(set) var report: TableReport

    init(_ run: Run, _ writer: MCAPWriter, salvage: Bool) {
        self.run = run
        self.writer = writer
        self.salvage = salvage
        timeline = RunTimeline(run, salvage: salvage)
        report = TableReport(faults: run.faults)
    }

    func write() throws(Fault) {
        let run = run
        let salvage = salvage
        try add { () throws(Fault) in try run.polled(salvage: salvage) }
        try add { () throws(Fault) in try run.events(salvage: salvage) }
        if run.directory.format == .dlf { try add { () throws(Fault) in try run.lossRecording() } }
        try writer.addMetadata("ticklog", metadata())
        let losses = lossTexts()
        if !losses.isEmpty { try writer.addMetadata("ticklog.loss", losses) }
        try writeMessages()
        var repaired: UInt64 = 0
        for source in sources {
            try source.recording.table.check(salvage: salvage)
            report.faults += source.recording.table.faults
            for (_, channel) in source.channels { repaired += channel.repairedStrings }
        }
        if repaired > 0 { report.notes.append("\(repaired) strings are no UTF-8, and have U+FFFD where they are not") }
        if !timeline.hasEvents, RunClock(run.meta) == nil {
            report.notes.append("the length of a tick is not known: times are ticks")
        }
        try writer.close()
    }

    /// A file that was cut in its header has nothing to tell, if the run ended there.
    private func add(_ open: () throws(Fault) -> Recording?) throws(Fault) {
        var found: Recording?
        do throws(Fault) { found = try open() } catch {
            guard error.kind != .system, salvage || (error.kind == .torn && run.directory.isLocked) else { throw error }
            report.faults.append(error)
        }
        guard let recording = found else { return }
        var source = Source(recording: recording)
        for stream in recording.streams { source.channels.append(try add(stream)) }
        source.isOpen = recording.next()
        sources.append(source)
    }

    private func add(_ stream: RunStream) throws(Fault) -> (id: Int, channel: MCAPChannel) {
        // As `cat --stream` calls the second of a name.
        let topic = topics.add(stream.name)
        let isSingle = stream.fields.count == 1 && stream.fields[0].name.isEmpty
        var members: [MCAPChannel.Member] = []
        for field in stream.fields {
            guard let column = field.column else { continue }
            members.append(
                MCAPChannel.Member(name: isSingle ? "value" : field.name, unit: field.unit, type: field.type, column: column))
        }
        let channel = MCAPChannel(title: topic, notes: stream.notes, members, isOpaque: stream.isOpaque)
        var about: [(key: String, value: String)] = [("kind", stream.kind)]
        if stream.isPolled {
            about.append(("interval", "\(stream.interval)"))
            about.append(("phase", "\(stream.phase)"))
        }
        if !stream.notes.isEmpty { about.append(("notes", stream.notes)) }
        return (try writer.addChannel(topic: topic, schemaName: topic, schema: channel.schema, metadata: about), channel)
    }

    private func writeMessages() throws(Fault) {
        var lastTick: UInt64?
        var time: UInt64 = 0
        while writer.isOpen {
            var next: Int?
            for i in 0..<sources.count where sources[i].isOpen {
                if let known = next, sources[known].recording.tick <= sources[i].recording.tick { continue }
                next = i
            }
            guard let next else { return }
            let recording = sources[next].recording
            if recording.tick != lastTick {
                lastTick = recording.tick
                time = timeline.time(of: recording.tick)
            }
            for index in recording.sampled {
                let (id, channel) = sources[next].channels[index]
                if recording.streams[index].isOpaque {
                    try channel.write(hex: recording.bytes(of: index), id, time: time, to: writer)
                } else {
                    try channel.write(recording.table, id, time: time, asksKnown: false, to: writer)
                }
            }
            sources[next].isOpen = recording.next()
        }
    }

    private func metadata() -> [(key: String, value: String)] {
        let meta = run.meta
        var entries: [(key: String, value: String)] = [
            ("run_id", meta.runID), ("format", meta.format), ("tick_ns", "\(meta.tickNs)"), ("epoch_ns", "\(meta.epochNs)"),
            ("time", timeline.hasEvents ? "ticklog.clock" : meta.epochNs != 0 ? "epoch_ns" : "unknown"),
            ("closed", run.directory.isLocked ? "false" : "true"), ("converter", "ticklog " + String(cString: ticklog_version())),
        ]
        if meta.format != "dlf" {
            entries.append(("run_format", "\(meta.runFormat)"))
            entries.append(("ticklog_version", meta.version))
        }
        for value in meta.user {
            entries.append(("user." + value.name, value.type == .string ? value.text : value.type.text(value.bits)))
        }
        if let opaque = meta.opaque { entries.append(("user.hex", opaque)) }
        return entries
    }

    private func lossTexts() -> [(key: String, value: String)] {
        guard let losses = try? run.losses(), !losses.isEmpty else { return [] }
        let streams = run.allStreams
        var entries: [(key: String, value: String)] = []
        for total in LossTotal.all(losses) {
            entries.append((
                key: run.streamName(total.stream, of: streams) + ": " + Loss.text(of: total.reason),
                value: "\(total.samples) samples in \(total.ranges) ranges within ticks \(total.firstTick) to \(total.lastTick)"
            ))
        }
        return entries
    }
}
