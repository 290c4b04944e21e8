import TickLog

extension BMSServer {
    /// What was counted, as one JSON object on one line.
    public func writeReport(to output: Output) {
        var writer = JSONWriter(output)
        writer.begin("{")
        for (name, value) in numbers { writer.field(name, value) }
        writer.end("}")
        output.byte(0x0A)
    }

    /// The names are the command's contract.
    private var numbers: [(String, UInt64)] {
        [
            ("clients", counts.clients.load()), ("connections", counts.connections.load()), ("refused", counts.refused.load()),
            ("diffs", counts.diffs.load()), ("fulls", counts.fulls.load()), ("words", counts.words.load()),
            ("bytes", counts.takenBytes.load()), ("queries", counts.queries.load()), ("syncs", counts.syncs.load()),
            ("acks", counts.acks.load()), ("subscriptions", counts.subscriptions.load()), ("told", counts.told.load()),
            ("malformed", counts.malformed.load()), ("forbidden", counts.forbidden.load()),
            ("wrong_logins", counts.wrongLogins.load()), ("dropped", counts.dropped.load()), ("timed_out", counts.timedOut.load()),
            ("other_racks", counts.otherRacks.load()), ("waits", counts.waits.load()), ("sources", images.allocated.load()),
            ("image_saves", imageSaves), ("replayed", replayed), ("cut_bytes", cutBytes),
            ("log_bytes", logCounts.bytes.load()), ("log_files", logCounts.files.load()), ("log_syncs", logCounts.syncs.load()),
            ("log_refusals", logCounts.refusals.load()), ("log_lost_bytes", logCounts.lostBytes.load()),
            ("archive_bytes", archiveCounts.bytes.load()), ("parquet_files", parquetCounts.files.load()),
            ("parquet_rows", parquetCounts.rows.load()), ("parquet_lost_packets", parquetCounts.lostPackets.load()), ("ring_fill", log?.fillNow ?? 0),
        ]
    }

    /// The same for a person.
    public var summary: String {
        var text = "\(counts.connections.load()) connections, \(counts.diffs.load() + counts.fulls.load()) packets, "
            + "\(counts.queries.load()) queries"
        if log != nil { text += ", " + bytesText(logCounts.bytes.load()) + " logged" }
        for (name, value) in [
            ("refused", counts.refused.load()), ("malformed", counts.malformed.load()), ("forbidden", counts.forbidden.load()),
            ("wrong logins", counts.wrongLogins.load()), ("dropped", counts.dropped.load()), ("timed out", counts.timedOut.load()),
            ("bytes lost", logCounts.lostBytes.load()), ("packets not in Parquet", parquetCounts.lostPackets.load()),
        ] as [(String, UInt64)] where value > 0 {
            text += ", \(name) \(value)"
        }
        return text
    }

    /// What was counted, for Prometheus.
    public func metrics() -> String {
        var text = PrometheusText()
        func counter(_ name: String, _ help: String, _ value: UInt64) {
            text.metric("ticklog_serve_" + name + "_total", "counter", help, value)
        }
        func gauge(_ name: String, _ help: String, _ value: UInt64) { text.metric("ticklog_serve_" + name, "gauge", help, value) }
        gauge("clients", "Connections now.", counts.clients.load())
        counter("connections", "Connections that were accepted.", counts.connections.load())
        counter("refused_connections", "Connections that were one too many.", counts.refused.load())
        counter("taken_bytes", "Bytes that came.", counts.takenBytes.load())
        counter("diffs", "DIFFs, or legacy packets.", counts.diffs.load())
        counter("fulls", "FULLs.", counts.fulls.load())
        counter("words", "Words that were applied.", counts.words.load())
        counter("queries", "QUERYs that were answered.", counts.queries.load())
        counter("syncs", "SYNCs.", counts.syncs.load())
        counter("acks", "ACKs.", counts.acks.load())
        gauge("subscriptions", "Subscriptions now.", counts.subscriptions.load())
        counter("told_diffs", "DIFFs to subscribers.", counts.told.load())
        counter("malformed", "Connections closed since what came is no message.", counts.malformed.load())
        counter("forbidden", "Connections closed since they may not send what they sent.", counts.forbidden.load())
        counter("wrong_logins", "LOGINs with a wrong answer.", counts.wrongLogins.load())
        counter("dropped", "Connections closed since they did not read.", counts.dropped.load())
        counter("timed_out", "Connections closed since they did not go on.", counts.timedOut.load())
        counter("other_racks", "Legacy packets of racks without an image.", counts.otherRacks.load())
        counter("waits", "Times that a client had to wait for room in the log.", counts.waits.load())
        gauge("sources", "Sources with an image.", images.allocated.load())
        counter("image_saves", "Times that the images were saved.", imageSaves)
        counter("log_bytes", "Bytes of the log that are on the medium.", logCounts.bytes.load())
        counter("log_files", "Files of the log that were opened.", logCounts.files.load())
        counter("log_syncs", "Syncs of the log.", logCounts.syncs.load())
        counter("log_refusals", "Times that the medium began to refuse.", logCounts.refusals.load())
        gauge("log_refused", "Whether the medium refuses now.", log?.isRefused.load() ?? 0)
        counter("archive_bytes", "Bytes of the archive that are on the medium.", archiveCounts.bytes.load())
        counter("parquet_files", "Parquet files that are whole.", parquetCounts.files.load())
        counter("parquet_rows", "Rows in them.", parquetCounts.rows.load())
        counter("parquet_lost_packets", "Packets that are in no Parquet file, since it could not be written.", parquetCounts.lostPackets.load())
        gauge("ring_bytes", "Memory for what is not on the medium.", log.map { UInt64($0.ring.capacity) } ?? 0)
        gauge("ring_fill_bytes", "How much of it is in use.", log?.fillNow ?? 0)
        return text.text
    }
}
