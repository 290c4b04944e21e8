import TickLog

/// What a channel has counted, as it is reported: the names are the command's contract.
public struct ChannelReport {
    public let frames, bytes, gaps, missing, duplicates, headerCRC, payloadCRC, lengths, versions: UInt64
    public let skippedBytes, kernelDrops, restarts, late, unassembled, wrongStream, truncated: UInt64
    public let connections, refused, idleClosed, complete, incomplete, missingChunks, files: UInt64
    public let pauses, refusals, unwrittenFrames: UInt64
    /// Bytes that came, and how much of the ring they take now.
    public let taken: UInt64
    public let ringFill: Int
    public let ringBytes: Int

    public init(_ channel: Channel) {
        let counts = channel.counts
        frames = counts.frames.load()
        bytes = counts.bytes.load()
        gaps = counts.gaps.load()
        missing = counts.missing.load()
        duplicates = counts.duplicates.load()
        headerCRC = counts.headerCRC.load()
        payloadCRC = counts.payloadCRC.load()
        lengths = counts.lengths.load()
        versions = counts.versions.load()
        skippedBytes = counts.skippedBytes.load()
        kernelDrops = counts.kernelDrops.load()
        restarts = counts.restarts.load()
        late = counts.late.load()
        unassembled = counts.unassembled.load()
        wrongStream = counts.wrongStream.load()
        truncated = counts.truncated.load()
        connections = counts.connections.load()
        refused = counts.refused.load()
        idleClosed = counts.idleClosed.load()
        complete = counts.complete.load()
        incomplete = counts.incomplete.load()
        missingChunks = counts.missingChunks.load()
        files = counts.files.load()
        pauses = counts.pauses.load()
        refusals = counts.refusals.load()
        unwrittenFrames = counts.unwrittenFrames.load()
        taken = counts.taken.load()
        ringFill = channel.ringFill
        ringBytes = channel.ringBytes
    }

    public func write(to writer: inout JSONWriter, channel: Int) {
        writer.begin("{")
        writer.field("channel", channel)
        writer.field("frames", frames)
        writer.field("bytes", bytes)
        writer.field("gaps", gaps)
        writer.field("missing", missing)
        writer.field("duplicates", duplicates)
        writer.field("header_crc", headerCRC)
        writer.field("payload_crc", payloadCRC)
        writer.field("length_errors", lengths)
        writer.field("version_errors", versions)
        writer.field("skipped_bytes", skippedBytes)
        writer.field("kernel_drops", kernelDrops)
        writer.field("restarts", restarts)
        writer.field("late", late)
        writer.field("unassembled", unassembled)
        writer.field("wrong_stream", wrongStream)
        writer.field("truncated", truncated)
        writer.field("connections", connections)
        writer.field("refused", refused)
        writer.field("idle_closed", idleClosed)
        writer.key("periodics")
        writer.begin("{")
        writer.field("complete", complete)
        writer.field("incomplete", incomplete)
        writer.field("missing_chunks", missingChunks)
        writer.end("}")
        writer.field("files", files)
        writer.field("pauses", pauses)
        writer.field("refusals", refusals)
        writer.field("unwritten", unwrittenFrames)
        writer.field("ring_fill", ringFill)
        writer.field("ring_bytes", ringBytes)
        writer.end("}")
    }

    /// What was lost or damaged, in words; empty: nothing.
    public var losses: String {
        var text = ""
        for (name, value) in [
            ("missing", missing), ("duplicates", duplicates), ("late", late), ("header crc", headerCRC), ("payload crc", payloadCRC),
            ("lengths", lengths), ("versions", versions), ("bytes skipped", skippedBytes), ("bytes truncated", truncated),
            ("kernel drops", kernelDrops), ("restarts", restarts), ("wrong stream", wrongStream), ("periodics incomplete", incomplete),
            ("refused", refused), ("unwritten", unwrittenFrames),
        ] as [(String, UInt64)] where value > 0 {
            text += (text.isEmpty ? "" : ", ") + name + " \(value)"
        }
        return text
    }
}

extension Receiver {
    /// All channels, as one JSON object on one line.
    public func writeReport(to output: Output) {
        var writer = JSONWriter(output)
        writer.begin("{")
        writer.key("channels")
        writer.begin("[")
        for channel in channels { ChannelReport(channel).write(to: &writer, channel: channel.number) }
        writer.end("]")
        writer.end("}")
        output.byte(0x0A)
    }
}
