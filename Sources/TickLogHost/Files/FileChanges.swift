import CPosix

/// Waits until a file, or a file of a directory, may have changed. The system tells (inotify); where it cannot, as of changes
/// that come over a network or through a mapping, time does.
public final class FileChanges {
    private let descriptor: Int32

    public init(_ path: String) { descriptor = cposix_watch(path) }

    deinit { if descriptor >= 0 { _ = close(descriptor) } }

    /// Ends when something changed, after a second, or with a signal. `soon`: after a tenth of a second.
    public func wait(soon: Bool = false) {
        guard descriptor >= 0 else {
            _ = poll(nil, 0, 100)
            return
        }
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, soon ? 100 : 1000) > 0 else { return }
        // What is written at one go is read at one go.
        _ = poll(nil, 0, 20)
        var events = [UInt8](repeating: 0, count: 4096)
        while events.withUnsafeMutableBytes({ read(descriptor, $0.baseAddress, $0.count) }) > 0 {}
    }
}
