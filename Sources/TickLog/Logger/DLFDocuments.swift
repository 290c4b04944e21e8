import CTickLog

/// The headers of DLF files (spec DLF, sections 1 and 2), byte-compatible with dlflib's.
struct DLFDocuments {
    static let magic: UInt16 = 0x8414
    /// Where `tick_span` stands in polled and event files.
    static let tickSpanOffset: UInt64 = 3
    /// A record in an event file: u16 stream, u64 tick, then the bytes.
    static let recordHeaderBytes = 10

    let logger: Logger.Pointer

    func putMeta(_ out: inout Emitter, tickNanoseconds: UInt64, user config: UnsafePointer<ticklog_run_config>) {
        out.put(Self.magic)
        let epoch = config.pointee.epoch_ns
        out.put(epoch > 0 ? UInt32(truncatingIfNeeded: epoch / 1_000_000_000) : 0)
        out.put(UInt32(truncatingIfNeeded: tickNanoseconds / 1000))
        if let metadata = config.pointee.metadata {
            let fields = UnsafeBufferPointer(
                start: config.pointee.metadata_fields, count: Int(config.pointee.metadata_field_count))
            if let name = config.pointee.metadata_type_name { out.put(name, limit: 127) } else { out.put("meta") }
            putMembers(&out, fields)
            out.put(UInt8(0))
            out.put(config.pointee.metadata_size)
            out.put(metadata, Int(config.pointee.metadata_size))
        } else {
            // dlflib's readers want a type; a structure without members has no bytes.
            out.put("meta")
            out.put(UInt8(0))
            out.put(UInt32(0))
        }
    }

    /// Header of `polled.dlf`, `event.dlf` or `loss.dlf`.
    func putHeader(_ out: inout Emitter, _ kind: FileKind, tickNanoseconds: UInt64) {
        let l = logger.pointee
        out.put(Self.magic)
        out.put(UInt8(kind == .polled ? 0 : 1))
        out.put(UInt64(0))
        switch kind {
        case .polled: out.put(l.polledCount)
        case .event: out.put(l.eventCount)
        case .loss: out.put(UInt16(1))
        }
        if kind == .loss {
            putStream(&out, l.builtins[Builtin.loss])
            return
        }
        for i in 0..<Int(l.streamCount) {
            let stream = l.streams[i]
            guard stream.isPolled == (kind == .polled) else { continue }
            putStream(&out, stream)
            if kind == .polled {
                let schedule = RunPlan.schedule(stream.config, tickNanoseconds: tickNanoseconds)
                out.put(schedule.interval)
                out.put(schedule.phase)
            }
        }
    }

    private func putStream(_ out: inout Emitter, _ stream: Stream) {
        let config = stream.config
        if stream.isSingle {
            if config.type == TICKLOG_OPAQUE {
                out.put("!")
                out.put(config.type_name ?? config.name, limit: 127)
            } else {
                out.put(ValueType(code: config.type).nameInC)
            }
        } else {
            out.put(config.type_name ?? config.name, limit: 127)
            putMembers(&out, UnsafeBufferPointer(start: config.fields, count: Int(config.field_count)))
        }
        out.put(UInt8(0))
        out.put(config.name, limit: Stream.maxNameLength)
        out.put(UInt8(0))
        out.put(config.notes, limit: Stream.maxNotesLength)
        out.put(UInt8(0))
        out.put(stream.sampleBytes)
    }

    /// `;member:type:offset` for each; elements of arrays as members of their own.
    private func putMembers(_ out: inout Emitter, _ fields: UnsafeBufferPointer<ticklog_field>) {
        for field in fields {
            let type = ValueType(code: field.type)
            for i in 0..<Int(max(field.count, 1)) {
                out.put(";")
                out.put(field.name, limit: Stream.maxNameLength)
                if field.count > 1 {
                    out.put("[")
                    out.put(decimal: UInt64(i))
                    out.put("]")
                }
                out.put(":")
                out.put(type.nameInC)
                out.put(":")
                out.put(decimal: UInt64(field.offset) + UInt64(i * type.size))
            }
        }
    }
}
