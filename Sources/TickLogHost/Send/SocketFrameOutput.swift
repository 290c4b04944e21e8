import CPosix
import Synchronization

/// Frames over TCP. They are put together to 64 KiB, unless there is a pause.
public final class TCPFrameOutput: FrameOutput {
    private let endpoint: Endpoint
    /// Seconds for which a connection that is refused, or breaks, is tried anew.
    private let retry: UInt64
    private let sockets: UnsafeMutableBufferPointer<Int32>
    private let batches: UnsafeMutableBufferPointer<FrameBatch>
    /// Connections that were made again. Frames that had been sent may then come twice, or not at all.
    public let reconnects = Atomic<Int>(0)

    public init(_ endpoint: Endpoint, channels: Int, retry: UInt64) {
        self.endpoint = endpoint
        self.retry = retry
        sockets = .allocate(capacity: channels)
        sockets.initialize(repeating: -1)
        batches = .allocate(capacity: channels)
        for i in 0..<channels { (batches.baseAddress! + i).initialize(to: FrameBatch()) }
    }

    deinit {
        for socket in sockets where socket >= 0 { _ = close(socket) }
        for batch in batches { batch.deallocate() }
        sockets.deallocate()
        batches.deallocate()
    }

    public override func begin(channel: Int) throws(FileError) {
        let deadline = MonotonicClock.now() + retry * 1_000_000_000
        while true {
            do throws(FileError) {
                sockets[channel] = try endpoint.connect(channel: channel, datagrams: false)
                return
            } catch {
                guard MonotonicClock.now() < deadline, !isStopped.load(ordering: .relaxed) else { throw error }
            }
            MonotonicClock.sleep(until: MonotonicClock.now() + 50_000_000)
        }
    }

    public override func send(channel: Int, frame: UnsafeRawBufferPointer) throws(FileError) {
        if batches[channel].add(frame) { return }
        try flush(channel: channel)
        if !batches[channel].add(frame) { try put(channel, frame) }
    }

    public override func flush(channel: Int) throws(FileError) {
        try put(channel, batches[channel].bytes)
        batches[channel].clear()
    }

    public override func end(channel: Int) throws(FileError) {
        try flush(channel: channel)
        cposix_end_sending(sockets[channel])
        _ = close(sockets[channel])
        sockets[channel] = -1
    }

    /// Whole frames; all of them again on a new connection, if the old one breaks.
    private func put(_ channel: Int, _ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let sent = cposix_send(sockets[channel], bytes.baseAddress! + done, bytes.count - done)
            if sent >= 0 {
                done += sent
                continue
            }
            let code = cposix_errno()
            if code == EAGAIN {
                try waitForRoom(sockets[channel], isStopped, endpoint.name(channel))
            } else if code == EPIPE || code == ECONNRESET, retry > 0 {
                _ = close(sockets[channel])
                sockets[channel] = -1
                reconnects.wrappingAdd(1, ordering: .relaxed)
                try begin(channel: channel)
                done = 0
            } else if code != EINTR {
                throw FileError(endpoint.name(channel), "send", code)
            }
        }
    }
}

/// Frames over UDP, one a datagram.
public final class UDPFrameOutput: FrameOutput {
    /// The largest payload of a frame: that of a datagram without the header.
    public static var maxPayload: Int { 65507 - 40 }

    private let endpoint: Endpoint
    private let sockets: UnsafeMutableBufferPointer<Int32>
    /// Datagrams of which the other machine said that nobody listens.
    public let refused = Atomic<Int>(0)

    public init(_ endpoint: Endpoint, channels: Int) {
        self.endpoint = endpoint
        sockets = .allocate(capacity: channels)
        sockets.initialize(repeating: -1)
    }

    deinit {
        for socket in sockets where socket >= 0 { _ = close(socket) }
        sockets.deallocate()
    }

    public override func begin(channel: Int) throws(FileError) {
        sockets[channel] = try endpoint.connect(channel: channel, datagrams: true)
    }

    public override func send(channel: Int, frame: UnsafeRawBufferPointer) throws(FileError) {
        while cposix_send(sockets[channel], frame.baseAddress!, frame.count) < 0 {
            switch cposix_errno() {
            case EINTR: break
            // Said of a datagram before this one.
            case ECONNREFUSED: refused.wrappingAdd(1, ordering: .relaxed)
            case EAGAIN: try waitForRoom(sockets[channel], isStopped, endpoint.name(channel))
            case ENOBUFS:
                if isStopped.load(ordering: .relaxed) { throw FileError(endpoint.name(channel), "send", EINTR) }
                MonotonicClock.sleep(until: MonotonicClock.now() + 1_000_000)
            case let code: throw FileError(endpoint.name(channel), "send", code)
            }
        }
    }
}

private func waitForRoom(_ socket: Int32, _ isStopped: borrowing Atomic<Bool>, _ name: String) throws(FileError) {
    var ready = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
    while poll(&ready, 1, 100) == 0 {
        if isStopped.load(ordering: .relaxed) { throw FileError(name, "send", EINTR) }
    }
}
