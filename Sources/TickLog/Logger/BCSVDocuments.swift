import CTickLog

/// The parts of BCSV files that are not rows: file header, footer, and the two small tables of a run.
struct BCSVDocuments {
    let logger: Logger.Pointer
    /// TICKLOG_BCSV_1_3 or TICKLOG_BCSV_1_5.
    let version: UInt8
    let epoch: Int64

    // MARK: Header (spec BCSV, section 2)

    private func putFixedHeader(
        _ out: inout Emitter, columns: Int, flags: UInt16, level: UInt8, packetBytes: UInt32
    ) {
        BCSVFormat.putFixedHeader(
            &out, version: version, creationTime: epoch > 0 ? UInt64(epoch) / 1_000_000_000 : 0, columns: columns, flags: flags,
            level: level, packetBytes: packetBytes)
    }

    /// The header of `polled.bcsv` or `event.bcsv`.
    func putHeader(
        _ out: inout Emitter, _ kind: FileKind, tickColumn: Bool, columns: Int, rowCodec: BCSVRowCodec,
        fileCodec: BCSVFileCodec, level: UInt8, packetBytes: UInt32
    ) {
        putFixedHeader(
            &out, columns: columns, flags: rowCodec.flags | fileCodec.flags, level: fileCodec.level(level),
            packetBytes: packetBytes)
        var cursor = FieldCursor(logger, kind, tickColumn: tickColumn)
        while let slot = cursor.next() {
            for _ in 0..<slot.count { out.put(slot.type.rawValue) }
        }
        cursor = FieldCursor(logger, kind, tickColumn: tickColumn)
        while let slot = cursor.next() {
            let length = nameLength(slot)
            for i in 0..<slot.count {
                out.put(UInt16(length + (slot.isArray ? 2 + decimalDigits(UInt64(i)) : 0)))
            }
        }
        cursor = FieldCursor(logger, kind, tickColumn: tickColumn)
        while let slot = cursor.next() {
            for i in 0..<slot.count { putName(&out, slot, element: i) }
        }
    }

    /// Length of a column's name without [i].
    private func nameLength(_ slot: FieldSlot) -> Int {
        guard let stream = slot.stream else { return slot.type == .string ? 6 : 4 }
        let length = stream.pointee.config.name.length(Stream.maxNameLength)
        guard let field = slot.field else { return length }
        return length + 1 + field.pointee.name.length(Stream.maxNameLength)
    }

    private func putName(_ out: inout Emitter, _ slot: FieldSlot, element: Int) {
        guard let stream = slot.stream else {
            if slot.type == .string { out.put("stream") } else { out.put("tick") }
            return
        }
        out.put(stream.pointee.config.name, limit: Stream.maxNameLength)
        if let field = slot.field {
            out.put(".")
            out.put(field.pointee.name, limit: Stream.maxNameLength)
            if slot.isArray { putElement(&out, element) }
        }
    }

    private func putElement(_ out: inout Emitter, _ element: Int) {
        out.put("[")
        out.put(decimal: UInt64(element))
        out.put("]")
    }

    // MARK: Small tables: flat rows in one packet

    private func beginPacket(_ out: inout Emitter) -> Int {
        let offset = out.position
        // The first packet's header, with the XXH32 of its first 12 bytes, is a constant.
        out.put(BCSVFormat.packetMagic)
        out.put(UInt64(0))
        out.put(UInt32(0xB8BF_28A4))
        out.beginHash()
        return offset
    }

    private func endTable(_ out: inout Emitter, packet: Int, rows: UInt64) {
        out.put(BCSVFormat.terminator.0)
        out.put(BCSVFormat.terminator.1)
        out.put(out.hashed())
        out.beginHash()
        out.put(BCSVFormat.footerMagic)
        out.put(UInt64(packet))
        out.put(UInt64(0))
        out.put(BCSVFormat.footerEndMagic)
        out.put(UInt32(BCSVFormat.footerBytes + BCSVFormat.indexEntryBytes))
        out.put(rows)
        out.put(out.hashed())
    }

    private func putRowLength(_ out: inout Emitter, _ length: Int) {
        var bytes: UInt32 = 0
        let width = BLE.width(length)
        withUnsafeMutableBytes(of: &bytes) { BLE.store(length, width: width, at: $0.baseAddress!) }
        withUnsafeBytes(of: &bytes) { out.put($0.baseAddress!, width) }
    }

    private static let packetLimit: UInt32 = 8_388_608

    /// `streams.bcsv`: a row for each data column of the run, in the files' column order, polled before events.
    func putStreams(_ out: inout Emitter, tickNanoseconds: UInt64) {
        let types: [9 of UInt8] = [2, 11, 11, 11, 11, 11, 11, 4, 4]
        putFixedHeader(&out, columns: types.count, flags: 0, level: 0, packetBytes: Self.packetLimit)
        for i in 0..<types.count { out.put(types[i]) }
        let lengths: [9 of UInt16] = [12, 6, 5, 4, 4, 4, 5, 8, 5]
        for i in 0..<lengths.count { out.put(lengths[i]) }
        out.put("stream_indexstreamfieldkindtypeunitnotesintervalphase")
        let packet = beginPacket(&out)
        var rows: UInt64 = 0
        for kind in 0..<2 {
            var cursor = FieldCursor(logger, kind == 0 ? .polled : .event, tickColumn: false)
            while let slot = cursor.next() {
                guard let stream = slot.stream else { continue }
                for i in 0..<slot.count {
                    putStreamRow(&out, slot, stream, element: i, tickNanoseconds)
                    rows += 1
                }
            }
        }
        endTable(&out, packet: packet, rows: rows)
    }

    private func putStreamRow(
        _ out: inout Emitter, _ slot: FieldSlot, _ stream: Stream.Pointer, element: Int, _ tickNanoseconds: UInt64
    ) {
        let config = stream.pointee.config
        let index =
            stream.pointee.isBuiltin ? logger.pointee.streamCount + stream.pointee.index : stream.pointee.index
        let kind: StaticString =
            stream.pointee.isBuiltin ? "builtin" : stream.pointee.isPolled ? "poll" : stream.pointee.isWatched ? "watch" : "emit"
        let type = slot.type.name
        let unit = slot.field?.pointee.unit ?? config.unit
        var interval: UInt64 = 0
        var phase: UInt64 = 0
        if stream.pointee.isPolled {
            let schedule = RunPlan.schedule(config, tickNanoseconds: tickNanoseconds)
            (interval, phase) = (schedule.interval, schedule.phase)
        }
        let name = config.name.length(Stream.maxNameLength)
        let field = slot.field.map { $0.pointee.name.length(Stream.maxNameLength) } ?? 0
        let suffix = slot.isArray ? 2 + decimalDigits(UInt64(element)) : 0
        let unitLength = unit?.length(Stream.maxUnitLength) ?? 0
        let notes = config.notes?.length(Stream.maxNotesLength) ?? 0
        let texts = name + field + suffix + kind.utf8CodeUnitCount + type.utf8CodeUnitCount + unitLength + notes
        putRowLength(&out, 2 + 8 + 8 + 6 * 2 + texts)
        out.put(index)
        out.put(interval)
        out.put(phase)
        out.put(UInt16(name))
        out.put(UInt16(field + suffix))
        out.put(UInt16(kind.utf8CodeUnitCount))
        out.put(UInt16(type.utf8CodeUnitCount))
        out.put(UInt16(unitLength))
        out.put(UInt16(notes))
        out.put(config.name, limit: Stream.maxNameLength)
        if let field = slot.field {
            out.put(field.pointee.name, limit: Stream.maxNameLength)
            if slot.isArray { putElement(&out, element) }
        }
        out.put(kind)
        out.put(type)
        out.put(unit, limit: Stream.maxUnitLength)
        out.put(config.notes, limit: Stream.maxNotesLength)
    }

    /// Columns of `meta.bcsv` that every run has, and the most bytes that they take in its row, flags of bools included.
    static let metaColumns: UInt64 = 8
    static let metaBytes: UInt64 = 8192 + 256

    /// `meta.bcsv`: one row.
    func putMeta(
        _ out: inout Emitter, runName: UnsafePointer<CChar>, tickNanoseconds: UInt64, polledHash: UInt64,
        eventHash: UInt64, user config: UnsafePointer<ticklog_run_config>
    ) {
        let fields = UnsafeBufferPointer(
            start: config.pointee.metadata_fields, count: Int(config.pointee.metadata_field_count))
        let fixed: [8 of UInt8] = [2, 11, 11, 11, 8, 4, 4, 4]
        let lengths: [8 of UInt16] = [10, 6, 6, 15, 8, 7, 19, 18]
        var columns = fixed.count
        for field in fields { columns += Int(max(field.count, 1)) }
        putFixedHeader(&out, columns: columns, flags: 0, level: 0, packetBytes: Self.packetLimit)
        for i in 0..<fixed.count { out.put(fixed[i]) }
        for field in fields {
            for _ in 0..<max(field.count, 1) { out.put(UInt8(field.type)) }
        }
        for i in 0..<lengths.count { out.put(lengths[i]) }
        for field in fields {
            for i in 0..<Int(max(field.count, 1)) {
                let suffix = field.count > 1 ? 2 + decimalDigits(UInt64(i)) : 0
                out.put(UInt16(5 + field.name.length(Stream.maxNameLength) + suffix))
            }
        }
        out.put("run_formatrun_idformatticklog_versionepoch_nstick_nspolled_header_xxh64event_header_xxh64")
        for field in fields {
            for i in 0..<Int(max(field.count, 1)) {
                out.put("user.")
                out.put(field.name, limit: Stream.maxNameLength)
                if field.count > 1 { putElement(&out, i) }
            }
        }
        let packet = beginPacket(&out)

        // Flat: bools, scalars, string lengths, strings, each in column order (spec BCSV, section 7.1).
        let source = config.pointee.metadata ?? UnsafeRawPointer(config)
        let idLength = runName.length(RunName.maxLength)
        var bools = 0
        var scalars = 2 + 8 + 8 + 8 + 8
        var texts = 3 * 2 + idLength + 4 + versionText.utf8CodeUnitCount
        for field in fields {
            let count = Int(max(field.count, 1))
            if field.type == TICKLOG_BOOL {
                bools += count
            } else if field.type == TICKLOG_STRING {
                for i in 0..<count {
                    texts += 2 + (source + Int(field.offset) + i * Int(field.size)).stringLength(Int(field.size))
                }
            } else {
                scalars += count * ValueType(code: field.type).size
            }
        }
        putRowLength(&out, (bools + 7) / 8 + scalars + texts)
        var bits: UInt8 = 0
        var bit: UInt8 = 0
        for field in fields where field.type == TICKLOG_BOOL {
            for i in 0..<Int(max(field.count, 1)) {
                if source.load(UInt8.self, at: Int(field.offset) + i) != 0 { bits |= 1 << bit }
                bit += 1
                if bit == 8 {
                    out.put(bits)
                    (bits, bit) = (0, 0)
                }
            }
        }
        if bit > 0 { out.put(bits) }
        out.put(UInt16(1))  // run_format
        out.put(epoch)
        out.put(tickNanoseconds)
        out.put(polledHash)
        out.put(eventHash)
        for field in fields where field.type != TICKLOG_BOOL && field.type != TICKLOG_STRING {
            out.put(source + Int(field.offset), Int(max(field.count, 1)) * ValueType(code: field.type).size)
        }
        out.put(UInt16(idLength))
        out.put(UInt16(4))
        out.put(UInt16(versionText.utf8CodeUnitCount))
        forEachUserString(fields, source) { text, length in out.put(UInt16(length)) }
        out.put(runName, limit: RunName.maxLength)
        out.put("bcsv")
        out.put(versionText)
        forEachUserString(fields, source) { text, length in out.put(text, length) }
        endTable(&out, packet: packet, rows: 1)
    }

    private func forEachUserString(
        _ fields: UnsafeBufferPointer<ticklog_field>, _ source: UnsafeRawPointer,
        _ body: (UnsafeRawPointer, Int) -> Void
    ) {
        for field in fields where field.type == TICKLOG_STRING {
            for i in 0..<Int(max(field.count, 1)) {
                let text = source + Int(field.offset) + i * Int(field.size)
                body(text, text.stringLength(Int(field.size)))
            }
        }
    }
}
