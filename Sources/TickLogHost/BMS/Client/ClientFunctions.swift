import CPosix
import CTickLog
import TickLog

// ticklog.h, section "BMS clients".

/// What a `ticklog_client` points to.
private struct ClientObject {
    static let alive: UInt32 = 0x434C_4B54  // "TKLC"
    var magic: UInt32
    var client: Unmanaged<PacketClient>
    /// The last failure's sentence.
    var error: UnsafeMutablePointer<CChar>?

    static func from(_ handle: OpaquePointer?) -> UnsafeMutablePointer<ClientObject>? {
        guard let handle, UInt(bitPattern: handle) % UInt(MemoryLayout<ClientObject>.alignment) == 0 else { return nil }
        let object = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: ClientObject.self)
        return object.pointee.magic == alive ? object : nil
    }
}

extension ClientError {
    fileprivate var status: ticklog_status {
        switch kind {
        case .system(let code):
            switch code {
            case ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EPIPE, ECONNRESET: TICKLOG_DISCONNECTED
            case ETIMEDOUT: TICKLOG_TIMED_OUT
            default: posixStatus(code)
            }
        case .timedOut: TICKLOG_TIMED_OUT
        case .disconnected: TICKLOG_DISCONNECTED
        case .denied: TICKLOG_DENIED
        case .protocolError: TICKLOG_DAMAGED
        case .argument: TICKLOG_BAD_ARGUMENT
        }
    }
}

@c @implementation
public func ticklog_client_open(
    _ config: UnsafePointer<ticklog_client_config>!, _ client: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard let config, let client else { return TICKLOG_NULL }
    // Through token_file.
    let least = 8 + 2 * MemoryLayout<UnsafeRawPointer>.size
    guard
        let size = knownSize(
            config, least: least, most: MemoryLayout<ticklog_client_config>.size,
            alignment: MemoryLayout<ticklog_client_config>.alignment)
    else { return TICKLOG_BAD_SIZE }
    var own = ticklog_client_config()
    memcpy(&own, config, size)
    guard own.reserved == 0 else { return TICKLOG_BAD_ARGUMENT }
    let port = own.port == 0 ? 9000 : own.port
    let host = own.host.map { String(cString: $0) } ?? "127.0.0.1"
    guard let endpoint = Endpoint(host: host, port: Int(port)) else { return TICKLOG_BAD_ARGUMENT }
    var token: Token?
    if let path = own.token_file {
        do throws(SecurityError) { token = try Token(file: String(cString: path)) } catch { return TICKLOG_DENIED }
    }
    let milliseconds = own.timeout_ms == 0 ? 5000 : UInt64(own.timeout_ms)
    do throws(ClientError) {
        let made = try PacketClient(endpoint, milliseconds: milliseconds, token: token)
        guard let memory = malloc(MemoryLayout<ClientObject>.size) else { return TICKLOG_NO_MEMORY }
        memory.initializeMemory(
            as: ClientObject.self, to: ClientObject(magic: ClientObject.alive, client: Unmanaged.passRetained(made), error: nil))
        client.pointee = OpaquePointer(memory)
        return TICKLOG_OK
    } catch { return error.status }
}

/// Calls `body`, and keeps what it says of a failure.
private func withClient(
    _ handle: OpaquePointer?, _ body: (PacketClient) throws(ClientError) -> ticklog_status
) -> ticklog_status {
    guard handle != nil else { return TICKLOG_NULL }
    guard let object = ClientObject.from(handle) else { return TICKLOG_BAD_HANDLE }
    free(object.pointee.error)
    object.pointee.error = nil
    do throws(ClientError) { return try body(object.pointee.client.takeUnretainedValue()) } catch {
        object.pointee.error = strdup(error.message)
        return error.status
    }
}

@c @implementation
public func ticklog_client_send(_ client: OpaquePointer!, _ packet: UnsafePointer<ticklog_packet>!) -> ticklog_status {
    guard let packet else { return TICKLOG_NULL }
    return withClient(client) { (client) throws(ClientError) in
        let packet = packet.pointee
        guard packet.count <= UInt32(PacketWords.most) else { return TICKLOG_BAD_ARGUMENT }
        guard let command = DataPacket.Command(rawValue: packet.command), command == .diff || command == .full else {
            return TICKLOG_UNSUPPORTED
        }
        var words = PacketWords()
        if packet.count > 0 {
            guard let control = packet.control, let data = packet.data else { return TICKLOG_NULL }
            words = PacketWords(control: control, data: data, count: Int(packet.count))
        }
        try client.put(
            command, PacketSource(type: packet.type, id: packet.source), words,
            timestamp: packet.timestamp_us == 0 ? nil : packet.timestamp_us)
        try client.flush()
        return TICKLOG_OK
    }
}

@c @implementation
public func ticklog_client_sync(_ client: OpaquePointer!) -> ticklog_status {
    withClient(client) { (client) throws(ClientError) in
        try client.sync()
        return TICKLOG_OK
    }
}

@c @implementation
public func ticklog_client_query(
    _ client: OpaquePointer!, _ type: UInt8, _ source: UInt8, _ offsets: UnsafePointer<UInt16>!,
    _ values: UnsafeMutablePointer<UInt16>!, _ count: UInt32
) -> ticklog_status {
    withClient(client) { (client) throws(ClientError) in
        guard count <= UInt32(PacketWords.most) else { return TICKLOG_BAD_ARGUMENT }
        var none: UInt16 = 0
        if count == 0 {
            try withUnsafeMutablePointer(to: &none) { (none) throws(ClientError) in
                try client.query(PacketSource(type: type, id: source), UnsafeBufferPointer(start: none, count: 0), none)
            }
            return TICKLOG_OK
        }
        guard let offsets, let values else { return TICKLOG_NULL }
        try client.query(
            PacketSource(type: type, id: source), UnsafeBufferPointer(start: offsets, count: Int(count)), values)
        return TICKLOG_OK
    }
}

@c @implementation
public func ticklog_client_subscribe(
    _ client: OpaquePointer!, _ type: UInt8, _ source: UInt8, _ ranges: UnsafePointer<UInt16>!, _ count: UInt32, _ rate: UInt16
) -> ticklog_status {
    withClient(client) { (client) throws(ClientError) in
        guard count <= UInt32(PacketClient.mostRanges) else { return TICKLOG_BAD_ARGUMENT }
        var chosen: [ClosedRange<UInt16>] = []
        if count > 0 {
            guard let ranges else { return TICKLOG_NULL }
            for i in 0..<Int(count) {
                guard ranges[2 * i] <= ranges[2 * i + 1] else { return TICKLOG_BAD_ARGUMENT }
                chosen.append(ranges[2 * i]...ranges[2 * i + 1])
            }
        }
        try client.subscribe(PacketSource(type: type, id: source), chosen, rate: rate)
        return TICKLOG_OK
    }
}

@c @implementation
public func ticklog_client_next(
    _ client: OpaquePointer!, _ milliseconds: UInt32, _ packet: UnsafeMutablePointer<ticklog_packet>!
) -> ticklog_status {
    guard let packet else { return TICKLOG_NULL }
    return withClient(client) { (client) throws(ClientError) in
        guard let found = try client.next(milliseconds: UInt64(milliseconds)) else { return TICKLOG_TIMED_OUT }
        packet.pointee = ticklog_packet(
            timestamp_us: found.timestamp, control: found.words.control, data: found.words.data,
            count: UInt32(found.words.count), source: found.source, command: found.command, type: found.type,
            sequence: found.sequence)
        return TICKLOG_OK
    }
}

@c @implementation
public func ticklog_client_error(_ client: OpaquePointer!) -> UnsafePointer<CChar>! {
    guard let object = ClientObject.from(client) else { return nil }
    guard let error = object.pointee.error else { return UnsafePointer(noError) }
    return UnsafePointer(error)
}

/// For ever, and never changed.
private nonisolated(unsafe) let noError: UnsafeMutablePointer<CChar> = {
    let text = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    text.pointee = 0
    return text
}()

@c @implementation
public func ticklog_client_close(_ client: OpaquePointer!) -> ticklog_status {
    guard client != nil else { return TICKLOG_NULL }
    guard let object = ClientObject.from(client) else { return TICKLOG_BAD_HANDLE }
    object.pointee.magic = 0
    object.pointee.client.release()
    free(object.pointee.error)
    free(object)
    return TICKLOG_OK
}
