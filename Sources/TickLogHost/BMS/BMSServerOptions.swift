import TickLog

/// What a server is told.
public struct BMSServerOptions {
    /// 0: the system chooses.
    public var port: UInt16 = 9000
    /// An address of this machine.
    public var bind = "127.0.0.1"
    /// Nil: packets are applied, and not kept.
    public var log: String?
    /// Where FULLs go too, as a log of its own.
    public var archive: String?
    /// Nil: images live as long as the server.
    public var image: String?
    /// How often they are saved; 0: only at the end.
    public var imageSeconds: UInt64 = 10
    /// Where values go as Parquet files too.
    public var parquet: String?
    /// A log's file is not made larger, and a Parquet file is not given more input.
    public var rollBytes: UInt64 = 50 << 20
    /// Connections at a time; more are refused.
    public var maxClients = 64
    /// Clients send the 16 + 4 x count bytes of the older Packet, and nothing else.
    public var legacy = false
    /// How often the log is synced; 0: as often as it can be.
    public var syncMilliseconds: UInt64 = 200
    /// Memory for what is not on the medium, rounded up to a power of two.
    public var ringBytes = 32 << 20
    /// What may wait for a client to read it.
    public var queueBytes = 1 << 20
    /// A client that has something waiting and reads nothing of it for so long is dropped.
    public var stallSeconds: UInt64 = 10
    /// A message that was begun, and does not go on for so long, ends the connection; 0: never.
    public var partialSeconds: UInt64 = 30
    /// What clients must know: to do anything, and only to look.
    public var token: Token?
    public var readToken: Token?
    /// A sentence for the operator, from any thread.
    public var say: @Sendable (String) -> Void = { _ in }

    public init() {}
}
