/// What a producer did with one channel, and what a receiver must make of it.
public struct SentChannel: Sendable {
    /// What was put out, and how often which harm was done.
    public struct Counts: Sendable {
        /// Sequence numbers that were used.
        public internal(set) var frames: UInt64 = 0
        /// Frames that were put out, every copy counted, and their bytes.
        public internal(set) var sent: UInt64 = 0
        public internal(set) var bytes: UInt64 = 0
        public internal(set) var dropped: UInt64 = 0
        public internal(set) var duplicated: UInt64 = 0
        public internal(set) var reordered: UInt64 = 0
        public internal(set) var corruptedHeader: UInt64 = 0
        public internal(set) var corruptedPayload: UInt64 = 0
    }

    public let channel: Int
    public let counts: Counts
    public let expected: ExpectedReport
    /// There were a live way and an archive: which of them brings a frame first is not known, and so neither are gaps,
    /// late frames and periodics.
    public let isTwoWays: Bool

    init(channel: Int, counts: Counts, live: ExpectedReport, archive: ExpectedReport?) {
        self.channel = channel
        self.counts = counts
        isTwoWays = archive != nil
        expected = archive.map { ExpectedReport(live: live, archive: $0) } ?? live
    }

    /// As JSON: `{"channel":0,...,"expect":{...}}`.
    public func json(_ writer: inout JSONWriter) {
        writer.begin("{")
        writer.field("channel", channel)
        writer.field("frames", counts.frames)
        writer.field("sent", counts.sent)
        writer.field("bytes", counts.bytes)
        writer.field("dropped", counts.dropped)
        writer.field("duplicated", counts.duplicated)
        writer.field("reordered", counts.reordered)
        writer.field("corrupted_header", counts.corruptedHeader)
        writer.field("corrupted_payload", counts.corruptedPayload)
        writer.key("expect")
        writer.begin("{")
        writer.field("frames", expected.frames)
        writer.field("bytes", expected.frameBytes)
        writer.field("missing", expected.missing)
        if !isTwoWays {
            writer.field("gaps", expected.gaps)
            writer.field("late", expected.late)
        }
        writer.field("duplicates", expected.duplicates)
        writer.field("header_crc", expected.headerCRC)
        writer.field("payload_crc", expected.payloadCRC)
        writer.field("skipped_bytes", expected.skippedBytes)
        writer.field("unassembled", expected.unassembled)
        if !isTwoWays {
            writer.field("periodics_complete", expected.complete)
            writer.field("periodics_incomplete", expected.incomplete)
            writer.field("missing_chunks", expected.missingChunks)
        }
        writer.end("}")
        writer.end("}")
    }
}
