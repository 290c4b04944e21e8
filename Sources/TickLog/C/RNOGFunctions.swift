import CTickLog

// ticklog_rnog.h.

@c @implementation
public func ticklog_rnog_name(_ magic: UInt16) -> UnsafePointer<CChar>! {
    RNOGKind(rawValue: magic).map { Builtin.text($0.name) }
}

@c @implementation
public func ticklog_rnog_size(_ magic: UInt16) -> Int { RNOGKind(rawValue: magic)?.structureBytes ?? 0 }

@c @implementation
public func ticklog_rnog_next(
    _ bytes: UnsafeRawPointer!, _ count: Int, _ needed: UnsafeMutablePointer<Int>!, _ packet: UnsafeMutablePointer<ticklog_record>!
) -> ticklog_status {
    guard let bytes, let needed, let packet else { return TICKLOG_NULL }
    guard count >= 0 else { return TICKLOG_BAD_SIZE }
    return RNOGKinds().next(FileBytes(start: bytes, count: count), needed, packet)
}

@c @implementation
public func ticklog_rnog_find(
    _ bytes: UnsafeRawPointer!, _ count: Int, _ skipped: UnsafeMutablePointer<Int>!, _ needed: UnsafeMutablePointer<Int>!,
    _ packet: UnsafeMutablePointer<ticklog_record>!
) -> ticklog_status {
    guard let bytes, let skipped, let needed, let packet else { return TICKLOG_NULL }
    guard count >= 0 else { return TICKLOG_BAD_SIZE }
    return RNOGKinds().find(FileBytes(start: bytes, count: count), skipped, needed, packet)
}

@c @implementation
public func ticklog_rnog_read(
    _ packet: UnsafePointer<ticklog_record>!, _ out: UnsafeMutableRawPointer!, _ room: Int
) -> ticklog_status {
    guard let packet, let out, let payload = packet.pointee.payload else { return TICKLOG_NULL }
    guard let kind = RNOGKind(rawValue: packet.pointee.magic) else { return TICKLOG_WRONG_FORMAT }
    guard room >= kind.structureBytes else { return TICKLOG_NO_MEMORY }
    guard let count = Int(exactly: packet.pointee.payload_bytes),
        kind.load(version: packet.pointee.version, FileBytes(start: payload, count: count), into: out)
    else { return TICKLOG_BAD_SIZE }
    return TICKLOG_OK
}

private func read(
    _ packet: UnsafePointer<ticklog_record>?, _ kind: RNOGKind, _ out: UnsafeMutableRawPointer?
) -> ticklog_status {
    guard let packet, let out else { return TICKLOG_NULL }
    guard packet.pointee.magic == kind.rawValue else { return TICKLOG_BAD_ARGUMENT }
    return ticklog_rnog_read(packet, out, kind.structureBytes)
}

@c @implementation
public func ticklog_rnog_read_header(
    _ packet: UnsafePointer<ticklog_record>!, _ header: UnsafeMutablePointer<ticklog_rnog_header>!
) -> ticklog_status { read(packet, .header, header) }

@c @implementation
public func ticklog_rnog_read_waveform(
    _ packet: UnsafePointer<ticklog_record>!, _ waveform: UnsafeMutablePointer<ticklog_rnog_waveform>!
) -> ticklog_status { read(packet, .waveform, waveform) }

@c @implementation
public func ticklog_rnog_read_pedestal(
    _ packet: UnsafePointer<ticklog_record>!, _ pedestal: UnsafeMutablePointer<ticklog_rnog_pedestal>!
) -> ticklog_status { read(packet, .pedestal, pedestal) }

@c @implementation
public func ticklog_rnog_read_daqstatus(
    _ packet: UnsafePointer<ticklog_record>!, _ daqstatus: UnsafeMutablePointer<ticklog_rnog_daqstatus>!
) -> ticklog_status { read(packet, .daqStatus, daqstatus) }

@c @implementation
public func ticklog_rnog_write(
    _ magic: UInt16, _ record: UnsafeRawPointer!, _ out: UnsafeMutableRawPointer!, _ room: Int, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard let record, let out, let bytes else { return TICKLOG_NULL }
    bytes.pointee = 0
    guard let kind = RNOGKind(rawValue: magic) else { return TICKLOG_WRONG_FORMAT }
    guard let count = kind.payloadBytes(of: record) else { return TICKLOG_BAD_ARGUMENT }
    bytes.pointee = count + Record.framingBytes
    guard room >= bytes.pointee else { return TICKLOG_NO_MEMORY }
    _ = kind.write(record, to: out)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_rnog_write_header(
    _ header: UnsafePointer<ticklog_rnog_header>!, _ out: UnsafeMutableRawPointer!, _ room: Int, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status { ticklog_rnog_write(RNOGKind.header.rawValue, header, out, room, bytes) }

@c @implementation
public func ticklog_rnog_write_waveform(
    _ waveform: UnsafePointer<ticklog_rnog_waveform>!, _ out: UnsafeMutableRawPointer!, _ room: Int, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status { ticklog_rnog_write(RNOGKind.waveform.rawValue, waveform, out, room, bytes) }

@c @implementation
public func ticklog_rnog_write_pedestal(
    _ pedestal: UnsafePointer<ticklog_rnog_pedestal>!, _ out: UnsafeMutableRawPointer!, _ room: Int, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status { ticklog_rnog_write(RNOGKind.pedestal.rawValue, pedestal, out, room, bytes) }

@c @implementation
public func ticklog_rnog_write_daqstatus(
    _ daqstatus: UnsafePointer<ticklog_rnog_daqstatus>!, _ out: UnsafeMutableRawPointer!, _ room: Int, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status { ticklog_rnog_write(RNOGKind.daqStatus.rawValue, daqstatus, out, room, bytes) }
