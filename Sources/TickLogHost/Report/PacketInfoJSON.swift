import TickLog

// info --json of files of frames and packets.

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

    mutating func bms(_ summary: BMSSummary) {
        begin("{")
        field("path", summary.path)
        field("kind", "bms-log")
        field("packet_kind", summary.form.isLegacy ? "legacy" : "data")
        field("size", summary.size)
        key("number")
        if let number = summary.number { self.number(number) } else { null() }
        field("packets", summary.packets)
        field("words", summary.words)
        field("other_packets", summary.others)
        key("first_logged_us")
        if let times = summary.times { number(times.lowerBound) } else { null() }
        key("last_logged_us")
        if let times = summary.times { number(times.upperBound) } else { null() }
        key("first_time")
        if let sent = summary.sent { number(sent.lowerBound) } else { null() }
        key("last_time")
        if let sent = summary.sent { number(sent.upperBound) } else { null() }
        key("sources")
        begin("[")
        for source in summary.sources {
            begin("{")
            if let type = source.type {
                field("type", UInt64(type))
                field("id", Int64(source.number))
            } else {
                field("rack", Int64(source.number))
            }
            field("packets", source.packets)
            field("full", source.fulls)
            field("words", source.words)
            end("}")
        }
        end("]")
        field("damaged_bytes", summary.damagedBytes)
        field("damaged_places", summary.damageCount)
        damage(summary.damages)
        end("}")
    }

    public mutating func rnog(_ summary: RNOGSummary) {
        begin("{")
        field("path", summary.path)
        field("kind", "rnog")
        field("size", summary.size)
        field("compressed", summary.isCompressed)
        field("unpacked_bytes", summary.unpackedBytes)
        field("packets", summary.packets)
        field("packet_bytes", summary.packetBytes)
        key("types")
        begin("[")
        for group in summary.groups {
            begin("{")
            field("type", staticText(group.kind.name))
            field("version", Int(group.version))
            field("packets", group.packets)
            field("bytes", group.bytes)
            if let events = group.events {
                field("first_event", UInt64(events.lowerBound))
                field("last_event", UInt64(events.upperBound))
            }
            end("}")
        }
        end("]")
        field("damaged_bytes", summary.damagedBytes)
        field("damaged_places", summary.damageCount)
        damage(summary)
        end("}")
    }
}
