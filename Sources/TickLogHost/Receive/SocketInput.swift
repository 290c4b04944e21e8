import CPosix
import TickLog

/// The receive thread of a channel: takes what comes over connections and as datagrams (spec: FRAMES, 5).
///
/// Both go into the one ring. A connection's unfinished frame lies at its end; when another one's bytes, or a datagram,
/// come between, it is put aside, and brought back when the connection goes on.
final class SocketInput {
    private let channel: Channel
    private let options: ReceiverOptions
    private let state: ReceiverState
    private let listener: Int32
    private let datagrams: DatagramInput?
    @exclusivity(unchecked) private var connections: [Connection] = []
    /// Whose unfinished frame lies in the ring.
    @exclusivity(unchecked) private var owner: Connection?
    private let polls: UnsafeMutablePointer<pollfd>

    /// What is read at once is looked at while the processor still has it at hand.
    private static var readLimit: Int { 1 << 18 }

    init(_ channel: Channel, tcp: Int32, udp: Int32, _ options: ReceiverOptions, _ state: ReceiverState) {
        self.channel = channel
        self.options = options
        self.state = state
        listener = tcp
        datagrams = udp >= 0 ? DatagramInput(channel, udp) : nil
        polls = .allocate(capacity: options.connections + 2)
    }

    deinit { polls.deallocate() }

    /// What was sent before the receiver was told to stop may still be on its way through the kernels. It is read, as long
    /// as something comes: so much time may pass without, and so much in all.
    private static var quietNs: UInt64 { 50_000_000 }
    private static var lastNs: UInt64 { 1_000_000_000 }

    func run() {
        var checkedIdle = monotonicNs()
        var taken = channel.position
        var takenNs = checkedIdle
        while true {
            let stopped = state.stoppedNs
            if let stopped {
                let now = monotonicNs()
                if state.hasFailed || now &- stopped >= SocketInput.lastNs || now &- max(stopped, takenNs) >= SocketInput.quietNs { break }
            }
            // Back pressure: what is not read stays with the sender.
            if channel.isPaused { pause(milliseconds: 1) }
            wait(milliseconds: stopped == nil ? 100 : 10)
            if polls[0].revents != 0, let datagrams, setAside() {
                for _ in 0..<8 { if !datagrams.read() { break } }
            }
            for i in 0..<connections.count where polls[2 + i].revents != 0 { read(connections[i]) }
            if polls[1].revents != 0 { accept() }
            removeClosed()
            let now = monotonicNs()
            if channel.position != taken {
                taken = channel.position
                takenNs = now
            }
            if now &- checkedIdle >= 500_000_000 {
                closeIdle(now)
                checkedIdle = now
            }
        }
        for connection in connections { close(connection) }
        if listener >= 0 { _ = CPosix.close(listener) }
        datagrams?.close()
        channel.finish()
    }

    private func wait(milliseconds: Int32) {
        polls[0] = pollfd(fd: datagrams?.socket ?? -1, events: Int16(POLLIN), revents: 0)
        polls[1] = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        for i in 0..<connections.count { polls[2 + i] = pollfd(fd: connections[i].socket, events: Int16(POLLIN), revents: 0) }
        if poll(polls, nfds_t(2 + connections.count), milliseconds) < 0 {
            for i in 0..<(2 + connections.count) { polls[i].revents = 0 }
        }
    }

    private func accept() {
        // Not all at once: the others wait.
        for _ in 0..<64 {
            let socket = cposix_accept(listener)
            guard socket >= 0 else {
                let error = cposix_errno()
                // The connection stays in the queue, and `poll` would tell of it at once.
                if error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM { pause(milliseconds: 10) }
                return
            }
            guard connections.count < options.connections else {
                _ = CPosix.close(socket)
                channel.counts.refused.add(1)
                continue
            }
            channel.counts.connections.add(1)
            connections.append(Connection(socket, monotonicNs()))
        }
    }

    /// Reads what a connection has, but not so much that the others would wait long.
    private func read(_ connection: Connection) {
        guard makeOwner(connection) else { return }
        for _ in 0..<4 {
            // Connections wait, datagrams do not: half of the ring is theirs. An unfinished frame never takes the other half.
            guard let room = channel.room(datagrams == nil ? min(65536, channel.ringBytes / 8) : channel.ringBytes / 2) else { return }
            let wanted = min(room.count, SocketInput.readLimit)
            let count = recv(connection.socket, room.baseAddress, wanted, Int32(MSG_DONTWAIT))
            if count > 0 {
                connection.activeNs = 0
                channel.took(count)
                if count < wanted { return }
                continue
            }
            let error = cposix_errno()
            if count < 0, error == EAGAIN || error == EINTR { return }
            return close(connection)
        }
    }

    private func makeOwner(_ connection: Connection) -> Bool {
        if owner === connection { return true }
        guard channel.room(connection.aside.count + 1) != nil, setAside() else { return false }
        channel.bringBack(UnsafeRawBufferPointer(connection.aside))
        connection.forgetAside()
        owner = connection
        return true
    }

    /// Takes the unfinished frame out of the ring. False: there is more behind it that was not looked at.
    private func setAside() -> Bool {
        guard channel.canSwitch else { return false }
        guard let owner else { return true }
        owner.keepAside(channel.unfinished)
        channel.takeBackUnfinished()
        self.owner = nil
        return true
    }

    private func close(_ connection: Connection) {
        guard connection.socket >= 0 else { return }
        _ = CPosix.close(connection.socket)
        connection.socket = -1
        if owner === connection {
            channel.ended()
            owner = nil
        } else {
            channel.endedElsewhere(unfinished: connection.aside.count)
        }
        connection.forgetAside()
    }

    private func removeClosed() {
        for connection in connections where connection.socket < 0 {
            connections.removeAll { $0.socket < 0 }
            return
        }
    }

    private func closeIdle(_ now: UInt64) {
        guard options.idleSeconds > 0 else { return }
        for connection in connections {
            if connection.activeNs == 0 { connection.activeNs = now }
            if now &- connection.activeNs > options.idleSeconds &* 1_000_000_000 {
                // What it has sent may not have been read yet, for want of room.
                var byte: UInt8 = 0
                if recv(connection.socket, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK)) > 0 { continue }
                channel.counts.idleClosed.add(1)
                close(connection)
            }
        }
        removeClosed()
    }
}

/// A connection, and its unfinished frame while others' bytes come.
private final class Connection {
    @exclusivity(unchecked) var socket: Int32
    /// When it was last seen to have sent something; 0: since it was last looked at.
    @exclusivity(unchecked) var activeNs: UInt64
    @exclusivity(unchecked) private(set) var aside = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    init(_ socket: Int32, _ now: UInt64) {
        self.socket = socket
        activeNs = now
    }

    deinit { forgetAside() }

    func keepAside(_ bytes: UnsafeRawBufferPointer) {
        forgetAside()
        guard bytes.count > 0 else { return }
        aside = .allocate(byteCount: bytes.count, alignment: 8)
        aside.copyMemory(from: bytes)
    }

    func forgetAside() {
        aside.deallocate()
        aside = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
}
