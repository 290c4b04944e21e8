extension Receiver {
    /// What all channels have counted, for Prometheus.
    public func metrics() -> String {
        let reports = channels.map { ChannelReport($0) }
        var text = PrometheusText()
        func counter(_ name: String, _ help: String, _ value: (ChannelReport) -> UInt64) {
            text.metric("ticklog_receive_" + name + "_total", "counter", help, label: "channel", reports.count) { value(reports[$0]) }
        }
        func gauge(_ name: String, _ help: String, _ value: (ChannelReport) -> UInt64) {
            text.metric("ticklog_receive_" + name, "gauge", help, label: "channel", reports.count) { value(reports[$0]) }
        }
        counter("taken_bytes", "Bytes that came.") { $0.taken }
        counter("frames", "Frames that were kept.") { $0.frames }
        counter("frame_bytes", "Bytes of the frames that were kept.") { $0.bytes }
        counter("gaps", "Gaps in the sequence numbers.") { $0.gaps }
        gauge("missing_frames", "Frames that are missing; late ones take themselves off.") { $0.missing }
        counter("duplicates", "Frames that came twice, or too late to tell.") { $0.duplicates }
        counter("late", "Frames that came late and were kept.") { $0.late }
        counter("restarts", "Times that the producer began anew.") { $0.restarts }
        counter("header_crc_errors", "Frame headers with a wrong checksum.") { $0.headerCRC }
        counter("payload_crc_errors", "Frames left out, since their payload's checksum is wrong.") { $0.payloadCRC }
        counter("length_errors", "Frame headers with a length out of bounds.") { $0.lengths }
        counter("version_errors", "Frame headers of another version.") { $0.versions }
        counter("skipped_bytes", "Bytes that belong to no frame.") { $0.skippedBytes }
        counter("truncated_bytes", "Bytes of frames that never became whole.") { $0.truncated }
        counter("kernel_drops", "Datagrams that the kernel dropped.") { $0.kernelDrops }
        counter("unassembled", "Frames that are no chunk of a periodic.") { $0.unassembled }
        counter("wrong_stream", "Frames of another channel.") { $0.wrongStream }
        counter("connections", "Connections that were accepted.") { $0.connections }
        counter("refused_connections", "Connections that were refused.") { $0.refused }
        counter("idle_connections", "Connections that were closed, since they sent nothing.") { $0.idleClosed }
        counter("periodics", "Periodics that are complete.") { $0.complete }
        counter("incomplete_periodics", "Periodics that were given up.") { $0.incomplete }
        counter("missing_chunks", "Chunks that are missing in those.") { $0.missingChunks }
        counter("files", "Files that were begun.") { $0.files }
        counter("read_pauses", "Times that nothing was read, since the ring was full.") { $0.pauses }
        counter("medium_refusals", "Times that the medium refused what was to be written.") { $0.refusals }
        counter("unwritten_frames", "Frames that were given up at the end, since the medium refused them.") { $0.unwrittenFrames }
        gauge("ring_bytes", "Memory for what was not written yet.") { UInt64($0.ringBytes) }
        gauge("ring_fill_bytes", "How much of it is in use.") { UInt64($0.ringFill) }
        return text.text
    }
}
