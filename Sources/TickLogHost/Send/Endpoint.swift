import CPosix

/// The far end of a connection: a host by name or address, and the port of channel 0; channel k has the port k above it.
public struct Endpoint: Sendable {
    public let host: String
    public let port: Int

    /// HOST:PORT; an IPv6 address stands in brackets. Nil if it is none, or if there is no such port for every channel.
    public init?(_ text: String, channels: Int) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.lastIndex(of: 0x3A), let port = Int(String(decoding: bytes[(colon + 1)...], as: UTF8.self)),
            port > 0, port <= 65536 - channels
        else { return nil }
        var host = bytes[..<colon]
        if host.first == 0x5B, host.last == 0x5D { host = host.dropFirst().dropLast() } else if host.contains(0x3A) { return nil }
        guard !host.isEmpty else { return nil }
        self.host = String(decoding: host, as: UTF8.self)
        self.port = port
    }

    /// A host without brackets.
    public init?(host: String, port: Int) {
        guard !host.isEmpty, port > 0, port <= 65535 else { return nil }
        self.host = host
        self.port = port
    }

    func name(_ channel: Int) -> String { host + ":\(port + channel)" }

    /// A connected, non-blocking socket. For datagrams, that says nothing about whether anybody listens.
    func connect(channel: Int, datagrams: Bool, milliseconds: Int32 = 10_000) throws(FileError) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = cposix_socket_type(datagrams ? 0 : 1)
        var found: UnsafeMutablePointer<addrinfo>?
        let failure = getaddrinfo(host, "\(port + channel)", &hints, &found)
        guard failure == 0 else {
            throw FileError(name(channel), "find the host", failure == EAI_SYSTEM ? cposix_errno() : ENOENT)
        }
        defer { freeaddrinfo(found) }
        var code = ENOENT
        var next = found
        while let address = next {
            next = address.pointee.ai_next
            let descriptor = cposix_socket_for(address)
            guard descriptor >= 0 else {
                code = cposix_errno()
                continue
            }
            if CPosix.connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 { return descriptor }
            code = cposix_errno()
            if code == EINPROGRESS {
                code = waitForConnection(descriptor, milliseconds)
                if code == 0 { return descriptor }
            }
            _ = close(descriptor)
        }
        throw FileError(name(channel), "connect", code)
    }

    private func waitForConnection(_ descriptor: Int32, _ milliseconds: Int32) -> Int32 {
        var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&ready, 1, milliseconds) == 1 else { return ETIMEDOUT }
        return cposix_connection_error(descriptor)
    }
}
