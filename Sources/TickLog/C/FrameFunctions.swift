import CTickLog

// ticklog.h, section "Frames".

extension FrameHeader {
    /// Nil if it cannot be a frame's.
    fileprivate init?(_ frame: ticklog_frame) {
        let known = FrameHeader.firstChunk | FrameHeader.lastChunk | FrameHeader.producerStarted | FrameHeader.isPTP
        guard frame.payload_bytes > 0, frame.reserved == 0, frame.flags & ~known == 0 else { return nil }
        self.init(
            stream: frame.stream, flags: frame.flags, sequence: frame.sequence, timestamp: frame.timestamp_ns,
            payloadBytes: frame.payload_bytes)
    }
}

@c @implementation
public func ticklog_frame_header(_ frame: UnsafePointer<ticklog_frame>!, _ out: UnsafeMutableRawPointer!) -> ticklog_status {
    guard let frame, let out, let payload = frame.pointee.payload else { return TICKLOG_NULL }
    guard let header = FrameHeader(frame.pointee), frame.pointee.payload_bytes <= Int32.max else { return TICKLOG_BAD_ARGUMENT }
    header.store(to: out, payload: payload, CRC32C())
    return TICKLOG_OK
}

@c @implementation
public func ticklog_frame_build(
    _ frame: UnsafePointer<ticklog_frame>!, _ out: UnsafeMutableRawPointer!, _ room: Int, _ bytes: UnsafeMutablePointer<Int>!
) -> ticklog_status {
    guard let frame, let out, let bytes, let payload = frame.pointee.payload else { return TICKLOG_NULL }
    guard let header = FrameHeader(frame.pointee), frame.pointee.payload_bytes <= Int32.max else { return TICKLOG_BAD_ARGUMENT }
    let count = Int(header.payloadBytes)
    guard room >= FrameHeader.bytes, room - FrameHeader.bytes >= count else { return TICKLOG_NO_MEMORY }
    if payload != UnsafeRawPointer(out + FrameHeader.bytes) { (out + FrameHeader.bytes).copyMemory(from: payload, byteCount: count) }
    header.store(to: out, payload: UnsafeRawPointer(out) + FrameHeader.bytes, CRC32C())
    bytes.pointee = FrameHeader.bytes + count
    return TICKLOG_OK
}

@c @implementation
public func ticklog_chunk_build(_ chunk: UnsafePointer<ticklog_chunk>!, _ out: UnsafeMutableRawPointer!) -> ticklog_status {
    guard let chunk, let out else { return TICKLOG_NULL }
    let c = chunk.pointee
    guard c.index < c.count, c.reserved == 0 else { return TICKLOG_BAD_ARGUMENT }
    ChunkHeader(periodic: c.periodic, index: c.index, count: c.count, chunkBytes: c.bytes).store(to: out)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_chunk_read(
    _ frame: UnsafePointer<ticklog_frame>!, _ chunk: UnsafeMutablePointer<ticklog_chunk>!
) -> ticklog_status {
    guard let frame, let chunk, let payload = frame.pointee.payload else { return TICKLOG_NULL }
    guard let header = ChunkHeader(payload: payload, bytes: frame.pointee.payload_bytes, flags: frame.pointee.flags) else {
        return TICKLOG_NOT_FOUND
    }
    chunk.pointee = ticklog_chunk(
        periodic: header.periodic, index: header.index, count: header.count, bytes: header.chunkBytes, reserved: 0)
    return TICKLOG_OK
}

/// A scanner in the caller's memory.
private struct ScannerObject {
    static let alive: UInt32 = 0x4353_4B54  // "TKSC"
    var magic = ScannerObject.alive
    var scanner: FrameScanner

    typealias Pointer = UnsafeMutablePointer<ScannerObject>

    static func from(_ handle: OpaquePointer?) -> Pointer? {
        guard let handle, UInt(bitPattern: handle) % 8 == 0 else { return nil }
        let object = Pointer(handle)
        return object.pointee.magic == alive ? object : nil
    }
}

@c @implementation
public func ticklog_scanner_size() -> Int { roundUp(MemoryLayout<ScannerObject>.size, 8) }

@c @implementation
public func ticklog_scanner_create(
    _ maxPayload: UInt32, _ memory: UnsafeMutableRawPointer!, _ bytes: Int, _ scanner: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard let memory, let scanner else { return TICKLOG_NULL }
    guard UInt(bitPattern: memory) % 8 == 0 else { return TICKLOG_MISALIGNED }
    guard bytes >= ticklog_scanner_size() else { return TICKLOG_NO_MEMORY }
    let most = maxPayload == 0 ? 1 << 20 : min(maxPayload, UInt32(Int32.max) - 64)
    memory.bindMemory(to: ScannerObject.self, capacity: 1).initialize(to: ScannerObject(scanner: FrameScanner(maxPayload: most)))
    scanner.pointee = OpaquePointer(memory)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_scan(
    _ scanner: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ count: Int, _ consumed: UnsafeMutablePointer<Int>!,
    _ needed: UnsafeMutablePointer<Int>!, _ frame: UnsafeMutablePointer<ticklog_frame>!
) -> ticklog_status {
    guard scanner != nil, let bytes, let consumed, let needed, let frame else { return TICKLOG_NULL }
    consumed.pointee = 0
    guard let object = ScannerObject.from(scanner) else { return TICKLOG_BAD_HANDLE }
    while true {
        let at = bytes + consumed.pointee
        var step = 0
        switch object.pointee.scanner.step(FileBytes(start: at, count: count - consumed.pointee), &step) {
        case .needs(let least):
            needed.pointee = least
            return TICKLOG_END
        case .passed: consumed.pointee += step
        case .frame(let header):
            consumed.pointee += step
            frame.pointee = ticklog_frame(
                sequence: header.sequence, timestamp_ns: header.timestamp, payload: at + FrameHeader.bytes,
                payload_bytes: header.payloadBytes, flags: header.flags, stream: header.stream, reserved: 0)
            return TICKLOG_OK
        }
    }
}

@c @implementation
public func ticklog_scanner_counts(
    _ scanner: OpaquePointer!, _ counts: UnsafeMutablePointer<ticklog_scan_counts>!
) -> ticklog_status {
    guard scanner != nil, let counts else { return TICKLOG_NULL }
    guard let object = ScannerObject.from(scanner) else { return TICKLOG_BAD_HANDLE }
    guard counts.hasKnownSize else { return TICKLOG_BAD_SIZE }
    let c = object.pointee.scanner.counts
    counts.fill(
        ticklog_scan_counts(
            size: 0, reserved: 0, frames: c.frames, frame_bytes: c.frameBytes, skipped_bytes: c.skippedBytes,
            header_crc: c.headerCRC, version_errors: c.versions, length_errors: c.lengths, payload_crc: c.payloadCRC))
    return TICKLOG_OK
}

@c @implementation
public func ticklog_crc32c(_ before: UInt32, _ bytes: UnsafeRawPointer!, _ count: Int) -> UInt32 {
    guard let bytes, count > 0 else { return before }
    return CRC32C().of(bytes, count, after: before)
}
