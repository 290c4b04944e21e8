import TickLog

/// What a server's loop has counted. Read by anyone, at any time.
public final class ServerCounts: Sendable {
    public let connections = Published64()
    public let clients = Published64()
    /// One too many.
    public let refused = Published64()
    public let takenBytes = Published64()
    public let diffs = Published64()
    public let fulls = Published64()
    public let words = Published64()
    public let queries = Published64()
    public let syncs = Published64()
    public let acks = Published64()
    public let subscribes = Published64()
    public let subscriptions = Published64()
    /// DIFFs to subscribers.
    public let told = Published64()
    /// Connections that were closed: what they sent is no message; they may not send it; a secret was wrong; they did not
    /// read; they did not go on.
    public let malformed = Published64()
    public let forbidden = Published64()
    public let wrongLogins = Published64()
    public let dropped = Published64()
    public let timedOut = Published64()
    /// Legacy packets of racks that have no image.
    public let otherRacks = Published64()
    /// How often a client had to wait for room in the log.
    public let waits = Published64()
}
