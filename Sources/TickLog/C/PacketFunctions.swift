import CTickLog

// ticklog.h, section "BMS packets".

extension PacketWords {
    /// Nil for a pointer that is missing, or too many.
    fileprivate init?(_ control: UnsafeRawPointer?, _ data: UnsafeRawPointer?, _ count: UInt32) {
        guard count <= UInt32(PacketWords.most) else { return nil }
        if count == 0 {
            self.init()
            return
        }
        guard let control, let data else { return nil }
        self.init(control: control, data: data, count: Int(count))
    }
}

/// TICKLOG_OK if a packet's words are there.
private func wordStatus(_ control: UnsafeRawPointer?, _ data: UnsafeRawPointer?, _ count: UInt32) -> ticklog_status {
    if count > UInt32(PacketWords.most) { return TICKLOG_BAD_ARGUMENT }
    return count > 0 && (control == nil || data == nil) ? TICKLOG_NULL : TICKLOG_OK
}

extension DataPacket {
    /// A packet whose words are there.
    fileprivate init?(_ packet: ticklog_packet) {
        guard let words = PacketWords(packet.control, packet.data, packet.count) else { return nil }
        self.init(packet.timestamp_us, packet.source, packet.command, packet.type, packet.sequence, words)
    }

    fileprivate var forC: ticklog_packet {
        ticklog_packet(
            timestamp_us: timestamp, control: words.control, data: words.data, count: UInt32(truncatingIfNeeded: words.count),
            source: source, command: command, type: type, sequence: sequence)
    }

    /// A packet that may be sent, or why not.
    fileprivate static func sent(_ packet: UnsafePointer<ticklog_packet>, _ status: inout ticklog_status) -> DataPacket? {
        status = wordStatus(packet.pointee.control, packet.pointee.data, packet.pointee.count)
        guard status == TICKLOG_OK, let sent = DataPacket(packet.pointee) else { return nil }
        guard sent.knownCommand != nil, sent.knownType != nil else {
            status = TICKLOG_BAD_ARGUMENT
            return nil
        }
        return sent
    }
}

/// Tells a fault, if someone asks for it.
private func damaged(_ error: FormatError, _ damage: UnsafeMutablePointer<ticklog_damage>?) -> ticklog_status {
    let status = ReaderObject.status(error)
    if let damage {
        var number: UInt64 = 0
        if case .number(let value) = error.found { number = value }
        damage.fill(
            ticklog_damage(
                size: 0, status: status, offset: UInt64(error.offset), skipped_from: UInt64(error.offset), skipped_bytes: 0,
                first_row: 0, rows: 0, expected: Builtin.text(error.expected), found: nil, found_number: number))
    }
    return status
}

private func isSized(_ damage: UnsafeMutablePointer<ticklog_damage>?) -> Bool {
    damage?.hasKnownSize ?? true
}

@c @implementation
public func ticklog_packet_build(
    _ packet: UnsafePointer<ticklog_packet>!, _ out: UnsafeMutableRawPointer!, _ room: Int, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard let packet, let out, let bytes else { return TICKLOG_NULL }
    var status = TICKLOG_OK
    guard let sent = DataPacket.sent(packet, &status) else { return status }
    bytes.pointee = sent.messageBytes
    guard room >= sent.messageBytes else { return TICKLOG_NO_MEMORY }
    sent.store(to: out)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_packet_header(
    _ packet: UnsafePointer<ticklog_packet>!, _ out: UnsafeMutableRawPointer!
) -> ticklog_status {
    guard let packet, let out else { return TICKLOG_NULL }
    var status = TICKLOG_OK
    guard let sent = DataPacket.sent(packet, &status) else { return status }
    out.store(UInt32(truncatingIfNeeded: sent.bodyBytes))
    sent.store(header: out + DataPacket.lengthBytes)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_packet_read(
    _ bytes: UnsafeRawPointer!, _ count: Int, _ consumed: UnsafeMutablePointer<Int>!, _ needed: UnsafeMutablePointer<Int>!,
    _ packet: UnsafeMutablePointer<ticklog_packet>!, _ damage: UnsafeMutablePointer<ticklog_damage>!
) -> ticklog_status {
    guard let bytes, let consumed, let needed, let packet else { return TICKLOG_NULL }
    guard isSized(damage) else { return TICKLOG_BAD_SIZE }
    consumed.pointee = 0
    do throws(FormatError) {
        return told(try DataPacket.step(FileBytes(start: bytes, count: max(count, 0))), consumed, needed, packet)
    } catch { return damaged(error, damage) }
}

private func told(
    _ step: DataPacket.Step, _ consumed: UnsafeMutablePointer<Int>, _ needed: UnsafeMutablePointer<Int>,
    _ packet: UnsafeMutablePointer<ticklog_packet>
) -> ticklog_status {
    switch step {
    case .needs(let least):
        needed.pointee = least
        return TICKLOG_END
    case .packet(let found, let whole):
        packet.pointee = found.forC
        consumed.pointee = whole
        return TICKLOG_OK
    }
}

@c @implementation
public func ticklog_packet_build_v0(
    _ packet: UnsafePointer<ticklog_packet>!, _ out: UnsafeMutableRawPointer!, _ room: Int, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard let packet, let out, let bytes else { return TICKLOG_NULL }
    var status = TICKLOG_OK
    guard let sent = DataPacket.sent(packet, &status) else { return status }
    bytes.pointee = sent.oldMessageBytes
    guard room >= sent.oldMessageBytes else { return TICKLOG_NO_MEMORY }
    sent.storeOld(to: out)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_packet_read_v0(
    _ bytes: UnsafeRawPointer!, _ count: Int, _ consumed: UnsafeMutablePointer<Int>!, _ needed: UnsafeMutablePointer<Int>!,
    _ packet: UnsafeMutablePointer<ticklog_packet>!, _ damage: UnsafeMutablePointer<ticklog_damage>!
) -> ticklog_status {
    guard let bytes, let consumed, let needed, let packet else { return TICKLOG_NULL }
    guard isSized(damage) else { return TICKLOG_BAD_SIZE }
    consumed.pointee = 0
    do throws(FormatError) {
        return told(try DataPacket.oldStep(FileBytes(start: bytes, count: max(count, 0))), consumed, needed, packet)
    } catch { return damaged(error, damage) }
}

// MARK: Legacy

@c @implementation
public func ticklog_legacy_build(
    _ packet: UnsafePointer<ticklog_legacy_packet>!, _ out: UnsafeMutableRawPointer!, _ room: Int,
    _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard let packet, let out, let bytes else { return TICKLOG_NULL }
    let p = packet.pointee
    let status = wordStatus(p.control, p.data, p.count)
    guard status == TICKLOG_OK, let words = PacketWords(p.control, p.data, p.count) else { return status }
    let sent = LegacyPacket(time: p.time, rack: p.rack, words: words)
    bytes.pointee = sent.bytes
    guard room >= sent.bytes else { return TICKLOG_NO_MEMORY }
    sent.store(to: out)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_legacy_read(
    _ bytes: UnsafeRawPointer!, _ count: Int, _ consumed: UnsafeMutablePointer<Int>!, _ needed: UnsafeMutablePointer<Int>!,
    _ packet: UnsafeMutablePointer<ticklog_legacy_packet>!, _ damage: UnsafeMutablePointer<ticklog_damage>!
) -> ticklog_status {
    guard let bytes, let consumed, let needed, let packet else { return TICKLOG_NULL }
    guard isSized(damage) else { return TICKLOG_BAD_SIZE }
    consumed.pointee = 0
    do throws(FormatError) {
        switch try LegacyPacket.step(FileBytes(start: bytes, count: max(count, 0))) {
        case .needs(let least):
            needed.pointee = least
            return TICKLOG_END
        case .packet(let found, let whole):
            packet.pointee = ticklog_legacy_packet(
                time: found.time, control: found.words.control, data: found.words.data, rack: found.rack,
                count: UInt32(truncatingIfNeeded: found.words.count))
            consumed.pointee = whole
            return TICKLOG_OK
        }
    } catch { return damaged(error, damage) }
}

// MARK: Images

extension PacketImage {
    /// An image that is only looked at, too.
    fileprivate init?(_ words: UnsafePointer<UInt16>, _ count: UInt32) {
        guard count > 0, count <= UInt32(PacketImage.mostWords) else { return nil }
        self.init(UnsafeMutablePointer(mutating: words), count: Int(count))
    }
}

@c @implementation
public func ticklog_image_apply(
    _ words: UnsafeMutablePointer<UInt16>!, _ wordCount: UInt32, _ packet: UnsafePointer<ticklog_packet>!
) -> ticklog_status {
    guard let words, let packet else { return TICKLOG_NULL }
    guard let image = PacketImage(words, wordCount) else { return TICKLOG_BAD_ARGUMENT }
    let status = wordStatus(packet.pointee.control, packet.pointee.data, packet.pointee.count)
    guard status == TICKLOG_OK, let new = DataPacket(packet.pointee) else { return status }
    guard new.command <= DataPacket.Command.full.rawValue else { return TICKLOG_UNSUPPORTED }
    return image.apply(new) ? TICKLOG_OK : TICKLOG_NOT_FOUND
}

@c @implementation
public func ticklog_image_apply_legacy(
    _ words: UnsafeMutablePointer<UInt16>!, _ wordCount: UInt32, _ packet: UnsafePointer<ticklog_legacy_packet>!
) -> ticklog_status {
    guard let words, let packet else { return TICKLOG_NULL }
    let p = packet.pointee
    guard let image = PacketImage(words, wordCount) else { return TICKLOG_BAD_ARGUMENT }
    let status = wordStatus(p.control, p.data, p.count)
    guard status == TICKLOG_OK, let new = PacketWords(p.control, p.data, p.count) else { return status }
    return image.apply(new) ? TICKLOG_OK : TICKLOG_NOT_FOUND
}

@c @implementation
public func ticklog_image_values(
    _ words: UnsafePointer<UInt16>!, _ wordCount: UInt32, _ control: UnsafeRawPointer!, _ count: UInt32,
    _ data: UnsafeMutableRawPointer!
) -> ticklog_status {
    guard let words else { return TICKLOG_NULL }
    guard let image = PacketImage(words, wordCount) else { return TICKLOG_BAD_ARGUMENT }
    let status = wordStatus(control, data, count)
    guard status == TICKLOG_OK, let offsets = PacketWords(control, data, count) else { return status }
    guard count > 0, let data else { return TICKLOG_OK }
    return image.copy(offsets, to: data) ? TICKLOG_OK : TICKLOG_NOT_FOUND
}

@c @implementation
public func ticklog_image_diff(
    _ sent: UnsafePointer<UInt16>!, _ now: UnsafePointer<UInt16>!, _ wordCount: UInt32, _ from: UnsafeMutablePointer<UInt32>!,
    _ control: UnsafeMutablePointer<UInt16>!, _ data: UnsafeMutablePointer<UInt16>!, _ most: UInt32,
    _ count: UnsafeMutablePointer<UInt32>!
) -> ticklog_status {
    guard let sent, let now, let from, let control, let data, let count else { return TICKLOG_NULL }
    guard let image = PacketImage(sent, wordCount), from.pointee <= wordCount, most > 0 else { return TICKLOG_BAD_ARGUMENT }
    let found = image.differences(
        now, from: Int(from.pointee), most: Int(min(most, TICKLOG_PACKET_WORDS)), control: control, data: data)
    from.pointee = UInt32(truncatingIfNeeded: found.next)
    count.pointee = UInt32(truncatingIfNeeded: found.listed)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_image_changes(
    _ sent: UnsafePointer<UInt16>!, _ wordCount: UInt32, _ control: UnsafeMutablePointer<UInt16>!,
    _ data: UnsafeMutablePointer<UInt16>!, _ count: UInt32, _ changed: UnsafeMutablePointer<UInt32>!
) -> ticklog_status {
    guard let sent, let changed else { return TICKLOG_NULL }
    guard let image = PacketImage(sent, wordCount) else { return TICKLOG_BAD_ARGUMENT }
    let status = wordStatus(control, data, count)
    guard status == TICKLOG_OK, let new = PacketWords(control, data, count) else { return status }
    guard count > 0, let control, let data else {
        changed.pointee = 0
        return TICKLOG_OK
    }
    guard let listed = image.changes(new, control: control, data: data) else { return TICKLOG_NOT_FOUND }
    changed.pointee = UInt32(truncatingIfNeeded: listed)
    return TICKLOG_OK
}
