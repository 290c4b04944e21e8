import CPosix

/// Tells systemd how the service is (sd_notify(3), Type=notify). Without systemd, nothing happens.
public struct ServiceManager {
    private let socket: String?
    /// How often systemd wants to hear that all is well, in nanoseconds; nil: it does not.
    public let watchdogNs: UInt64?

    /// From the environment that systemd gives a service.
    public init() {
        guard let path = getenv("NOTIFY_SOCKET"), path[0] != 0 else {
            socket = nil
            watchdogNs = nil
            return
        }
        socket = String(cString: path)
        var wanted: UInt64?
        if let text = getenv("WATCHDOG_USEC") { wanted = UInt64(String(cString: text)) }
        // Set for another process, it is not meant for this one.
        if let owner = getenv("WATCHDOG_PID"), String(cString: owner) != "\(getpid())" { wanted = nil }
        // Twice as often as needed, as sd_watchdog_enabled(3) recommends.
        watchdogNs = wanted.map { $0 < UInt64.max / 1000 ? max($0 * 1000 / 2, 1) : UInt64.max }
    }

    public func ready() { tell("READY=1") }
    public func stopping() { tell("STOPPING=1") }
    public func alive() { tell("WATCHDOG=1") }
    public func status(_ text: String) { tell("STATUS=" + text) }

    private func tell(_ text: String) {
        guard let socket else { return }
        var text = text
        text.withUTF8 { _ = cposix_notify(socket, $0.baseAddress, $0.count) }
    }
}
