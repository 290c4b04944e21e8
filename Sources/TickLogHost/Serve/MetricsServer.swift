import CPosix
import Synchronization

/// Answers `GET /metrics` over HTTP with a text in Prometheus' exposition format, on loopback alone.
///
/// One request at a time, each within a second: who asks slowly is sent away.
public final class MetricsServer {
    public let port: UInt16
    private let listener: Int32
    private let text: () -> String
    private let isStopping = Atomic<Bool>(false)
    private var thread: WorkThread?

    /// Port 0: the system chooses. `text` is called by the server's thread.
    public init(port: UInt16, text: @escaping () -> String) throws(FileError) {
        var chosen = UInt32(port)
        listener = cposix_bound_socket("127.0.0.1", &chosen, 1)
        guard listener >= 0 else { throw FileError("metrics 127.0.0.1:\(port)", "listen", -listener) }
        self.port = UInt16(chosen)
        self.text = text
    }

    deinit { _ = close(listener) }

    public func start() throws(FileError) { thread = try WorkThread { [unowned self] in self.run() } }

    /// Returns when its thread has ended.
    public func stop() {
        isStopping.store(true, ordering: .relaxed)
        thread?.join()
        thread = nil
    }

    private func run() {
        while !isStopping.load(ordering: .relaxed) {
            guard wait(listener, Int16(POLLIN), milliseconds: 100) else { continue }
            let socket = cposix_accept(listener)
            guard socket >= 0 else {
                pause(milliseconds: 10)
                continue
            }
            let deadline = monotonicNs() + 1_000_000_000
            if let request = read(socket, until: deadline) { write(socket, answer(request), until: deadline) }
            _ = close(socket)
        }
    }

    private func answer(_ request: [UInt8]) -> String {
        let line = request.prefix { $0 != 0x0D && $0 != 0x0A }
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        var status = "200 OK"
        var body = ""
        if parts.count != 3 || !parts[2].starts(with: "HTTP/1.".utf8) {
            status = "400 Bad Request"
        } else if !parts[0].elementsEqual("GET".utf8) {
            status = "405 Method Not Allowed"
        } else if !parts[1].elementsEqual("/metrics".utf8) {
            status = "404 Not Found"
        } else {
            body = text()
        }
        return "HTTP/1.1 \(status)\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n" + body
    }

    /// The head of a request; nil if it does not come, or is longer than 4096 bytes.
    private func read(_ socket: Int32, until deadline: UInt64) -> [UInt8]? {
        var request = [UInt8](repeating: 0, count: 4096)
        var count = 0
        while count < request.count {
            guard wait(socket, Int16(POLLIN), until: deadline) else { return nil }
            let got = request.withUnsafeMutableBytes { CPosix.read(socket, $0.baseAddress! + count, $0.count - count) }
            if got < 0, cposix_errno() == EAGAIN || cposix_errno() == EINTR { continue }
            guard got > 0 else { return nil }
            count += got
            if MetricsServer.isWhole(request[..<count]) { return Array(request[..<count]) }
        }
        return nil
    }

    /// An empty line ends the head.
    private static func isWhole(_ request: ArraySlice<UInt8>) -> Bool {
        var newlines = 0
        for byte in request {
            if byte == 0x0A { newlines += 1 } else if byte != 0x0D { newlines = 0 }
            if newlines == 2 { return true }
        }
        return false
    }

    private func write(_ socket: Int32, _ text: String, until deadline: UInt64) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let sent = bytes.withUnsafeBytes { cposix_send(socket, $0.baseAddress! + done, $0.count - done) }
            if sent > 0 {
                done += sent
            } else {
                guard sent < 0, cposix_errno() == EAGAIN || cposix_errno() == EINTR, wait(socket, Int16(POLLOUT), until: deadline)
                else { return }
            }
        }
        // Otherwise what the client has sent and nobody read would cut the answer off.
        _ = shutdown(socket, Int32(SHUT_WR))
    }

    private func wait(_ socket: Int32, _ events: Int16, until deadline: UInt64) -> Bool {
        let now = monotonicNs()
        return now < deadline && wait(socket, events, milliseconds: Int32((deadline - now) / 1_000_000) + 1)
    }

    private func wait(_ socket: Int32, _ events: Int16, milliseconds: Int32) -> Bool {
        var ready = pollfd(fd: socket, events: events, revents: 0)
        return poll(&ready, 1, milliseconds) > 0
    }
}
