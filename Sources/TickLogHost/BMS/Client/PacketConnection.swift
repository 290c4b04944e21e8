import CPosix
import TickLog

/// A TCP connection of a client, with time limits. What goes and what comes lies in memory of a fixed size: a larger message
/// than the largest is refused before its bytes are waited for.
public final class PacketConnection {
    /// HOST:PORT
    public let name: String
    private let socket: Int32
    private let limitNs: UInt64
    private let input: UnsafeMutableRawPointer
    private var start = 0
    private var end = 0
    private let output: UnsafeMutableRawPointer
    private var used = 0
    /// The other side has ended its stream.
    private var isEnded = false

    static var inputRoom: Int { 1 << 20 }
    static var outputRoom: Int { 1 << 19 }

    public init(_ endpoint: Endpoint, milliseconds: UInt64) throws(ClientError) {
        name = endpoint.name(0)
        limitNs = milliseconds * 1_000_000
        do throws(FileError) {
            socket = try endpoint.connect(channel: 0, datagrams: false, milliseconds: Int32(clamping: milliseconds))
        } catch {
            throw error.code == ETIMEDOUT ? ClientError(.timedOut, endpoint.name(0) + ": connect: " + error.reason) : ClientError(error)
        }
        cposix_send_at_once(socket)
        input = .allocate(byteCount: PacketConnection.inputRoom, alignment: 16)
        output = .allocate(byteCount: PacketConnection.outputRoom, alignment: 16)
    }

    deinit {
        _ = close(socket)
        input.deallocate()
        output.deallocate()
    }

    /// When the time that a call may wait is over.
    var deadline: UInt64 { MonotonicClock.now() + limitNs }

    // MARK: Sending

    /// Puts `bytes` bytes, at most the largest message, behind those that wait to be sent.
    @inline(__always)
    func put(_ bytes: Int, _ fill: (UnsafeMutableRawPointer) -> Void) throws(ClientError) {
        if used + bytes > PacketConnection.outputRoom { try flush() }
        fill(output + used)
        used += bytes
    }

    public func put(_ packet: DataPacket) throws(ClientError) {
        try put(packet.messageBytes) { packet.store(to: $0) }
    }

    public func put(_ packet: LegacyPacket) throws(ClientError) {
        try put(packet.bytes) { packet.store(to: $0) }
    }

    /// Sends what waits. Meanwhile it takes what comes, as far as there is room: a server that has much to tell would not
    /// read on before.
    public func flush() throws(ClientError) {
        var done = 0
        var deadline = self.deadline
        while done < used {
            let sent = cposix_send(socket, output + done, used - done)
            if sent > 0 {
                done += sent
                deadline = self.deadline
                continue
            }
            let code = cposix_errno()
            if code == EINTR { continue }
            guard code == EAGAIN else {
                used = 0
                throw code == EPIPE || code == ECONNRESET ? disconnected() : ClientError(FileError(name, "send", code))
            }
            makeRoom()
            let mayRead = !isEnded && end < PacketConnection.inputRoom
            var ready = pollfd(fd: socket, events: Int16(mayRead ? POLLOUT | POLLIN : POLLOUT), revents: 0)
            let count = poll(&ready, 1, milliseconds(until: deadline))
            if count == 0 {
                used = 0
                throw ClientError(.timedOut, name + ": found no room for what is sent within \(limitNs / 1_000_000) ms")
            }
            if mayRead, ready.revents & Int16(POLLIN) != 0 { _ = try take() }
        }
        used = 0
    }

    // MARK: Receiving

    /// The next message, whose words lie here until the next call; nil if it has not come in time.
    func next(deadline: UInt64) throws(ClientError) -> DataPacket? {
        while true {
            do throws(FormatError) {
                switch try DataPacket.step(FileBytes(start: UnsafeRawPointer(input + start), count: end - start)) {
                case .packet(let packet, let bytes):
                    start += bytes
                    return packet
                case .needs: break
                }
            } catch {
                throw ClientError(.protocolError, Fault(error, name).message)
            }
            guard !isEnded else { throw disconnected() }
            makeRoom()
            guard try wait(until: deadline) else { return nil }
            _ = try take()
        }
    }

    /// Moves what was not read yet to the front.
    private func makeRoom() {
        guard start > 0 else { return }
        if end > start { memmove(input, input + start, end - start) }
        end -= start
        start = 0
    }

    private func wait(until deadline: UInt64) throws(ClientError) -> Bool {
        while true {
            var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let count = poll(&ready, 1, milliseconds(until: deadline))
            if count > 0 { return true }
            // A signal ends the waiting: who has a handler wants to look.
            if count == 0 || cposix_errno() == EINTR { return false }
            throw ClientError(FileError(name, "poll", cposix_errno()))
        }
    }

    /// What there is, without waiting. False: nothing.
    private func take() throws(ClientError) -> Bool {
        while true {
            let count = recv(socket, input + end, PacketConnection.inputRoom - end, Int32(MSG_DONTWAIT))
            if count > 0 {
                end += count
                return true
            }
            if count == 0 {
                isEnded = true
                return true
            }
            switch cposix_errno() {
            case EINTR: break
            case EAGAIN: return false
            case ECONNRESET: throw disconnected()
            case let code: throw ClientError(FileError(name, "receive", code))
            }
        }
    }

    /// Says that nothing more comes, and waits until the server has read all and closes.
    /// - Parameter each: gets what the server still sends.
    public func end(_ each: (DataPacket) throws(ClientError) -> Void) throws(ClientError) {
        try flush()
        cposix_end_sending(socket)
        let deadline = self.deadline
        while true {
            let packet: DataPacket?
            do throws(ClientError) { packet = try next(deadline: deadline) } catch {
                if error.kind == .disconnected, isEnded, start == end { return }
                throw error
            }
            guard let packet else { throw ClientError(.timedOut, name + ": found no end of the connection within \(limitNs / 1_000_000) ms") }
            try each(packet)
        }
    }

    private func milliseconds(until deadline: UInt64) -> Int32 {
        let now = MonotonicClock.now()
        return now >= deadline ? 0 : Int32(clamping: (deadline - now + 999_999) / 1_000_000)
    }

    private func disconnected() -> ClientError {
        ClientError(
            .disconnected,
            name + (end > start ? ": found the end of the connection within a message" : ": the server closed the connection"))
    }
}
