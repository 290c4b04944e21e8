import CPosix
import TickLog

/// The one thread that talks with all clients (spec: BMS, 2): takes what they send, applies and logs it, and answers. It
/// never waits for anything but events.
final class ServerLoop {
    let options: BMSServerOptions
    let images: SourceImages
    let log: PacketStream?
    let archive: PacketStream?
    let parquet: PacketStream?
    let saver: ImageSaver?
    let counts: ServerCounts
    let state: ServerState
    let listener: Int32
    /// The other threads have something for the loop.
    let wake: EventFlag

    /// Of everything; and of those clients that have sent no packets, who are served first.
    let epoll: Int32
    let askers: Int32
    private let tags: UnsafeMutablePointer<UInt64>
    private let events: UnsafeMutablePointer<UInt32>
    private let askerTags: UnsafeMutablePointer<UInt64>
    private let askerEvents: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) private var askedNs: UInt64 = 0

    private static var readable: UInt32 { UInt32(cposix_readable) }
    private static var writable: UInt32 { UInt32(cposix_writable) }
    private static var broken: UInt32 { UInt32(cposix_broken) }

    /// What one client has sent: a small part of a message, and behind it what is read.
    let buffer: UnsafeMutableRawPointer
    /// Offsets and values of a message to a subscriber.
    let changed: UnsafeMutableRawPointer
    let values: UnsafeMutableRawPointer
    static var smallBytes: Int { 4096 }
    /// What is taken of a client at a time.
    static var readBytes: Int { 65536 }
    /// The most words of a message to a subscriber.
    static var messageWords: Int { 4096 }
    static var mostSyncs: Int { 1024 }
    /// How long a client may take to log in, and how long one is kept that failed.
    static var loginNs: UInt64 { 10_000_000_000 }
    static var wrongLoginNs: UInt64 { 1_000_000_000 }

    @exclusivity(unchecked) var clients: [ServerClient?]
    @exclusivity(unchecked) private var freeSlots: [Int] = []
    @exclusivity(unchecked) private var serial: UInt32 = 0
    @exclusivity(unchecked) private var spare: Int32
    /// Behind an obstacle: for want of room in the log, and those who had a long turn.
    @exclusivity(unchecked) var waiting: [ServerClient] = []
    @exclusivity(unchecked) var turns: [ServerClient] = []
    @exclusivity(unchecked) var acks = PendingSyncs()
    @exclusivity(unchecked) var watches: [SourceWatch] = []
    @exclusivity(unchecked) var pending: [Subscription] = []
    @exclusivity(unchecked) var notices: Notices

    // What was counted since it was published.
    @exclusivity(unchecked) var tally = Tally()
    /// The time of day in microseconds, and the time that only goes forward, as of the client that is served.
    @exclusivity(unchecked) var timestamp: UInt64 = 0
    @exclusivity(unchecked) var now: UInt64 = 0
    @exclusivity(unchecked) private var checkedNs: UInt64 = 0
    /// When it last came round.
    let passedNs = Published64()
    /// When the next subscriber is to be told; nil: none waits.
    @exclusivity(unchecked) var dueNs: UInt64?

    struct Tally {
        var diffs: UInt64 = 0
        var fulls: UInt64 = 0
        var words: UInt64 = 0
        var queries: UInt64 = 0
        var takenBytes: UInt64 = 0
    }

    init(
        _ options: BMSServerOptions, listener: Int32, wake: EventFlag, _ images: SourceImages, log: PacketStream?,
        archive: PacketStream?, parquet: PacketStream?, saver: ImageSaver?, _ counts: ServerCounts, _ state: ServerState
    ) throws(FileError) {
        self.options = options
        self.listener = listener
        self.wake = wake
        self.images = images
        self.log = log
        self.archive = archive
        self.parquet = parquet
        self.saver = saver
        self.counts = counts
        self.state = state
        notices = Notices(options.say)
        clients = [ServerClient?](repeating: nil, count: options.maxClients)
        for slot in 0..<options.maxClients { freeSlots.append(options.maxClients - 1 - slot) }
        let most = Int(cposix_epoll_most)
        tags = .allocate(capacity: most)
        events = .allocate(capacity: most)
        askerTags = .allocate(capacity: most)
        askerEvents = .allocate(capacity: most)
        buffer = .allocate(byteCount: ServerLoop.smallBytes + ServerLoop.readBytes, alignment: 64)
        changed = .allocate(byteCount: 2 * ServerLoop.messageWords, alignment: 64)
        values = .allocate(byteCount: 2 * ServerLoop.messageWords, alignment: 64)
        epoll = cposix_epoll()
        askers = cposix_epoll()
        spare = cposix_open("/dev/null", O_RDONLY | O_CLOEXEC, 0)
        guard epoll >= 0, askers >= 0, cposix_epoll_set(epoll, 1, listener, ServerLoop.readable, 0) == 0,
            cposix_epoll_set(epoll, 1, wake.descriptor, ServerLoop.readable, 1) == 0,
            cposix_epoll_set(epoll, 1, askers, ServerLoop.readable, 2) == 0
        else { throw FileError("events", "wait for them", cposix_errno()) }
    }

    deinit {
        for descriptor in [epoll, askers, spare, listener] where descriptor >= 0 { _ = CPosix.close(descriptor) }
        tags.deallocate()
        events.deallocate()
        askerTags.deallocate()
        askerEvents.deallocate()
        buffer.deallocate()
        changed.deallocate()
        values.deallocate()
    }

    // MARK: The loop

    /// The thread, until the server is told to stop. Then what was logged is on the medium, or is not going to be.
    func run() {
        look()
        passedNs.store(now)
        checkedNs = now
        while state.stoppedNs == nil {
            let count = Int(cposix_epoll_wait(epoll, tags, events, timeout()))
            look()
            passedNs.store(now)
            serveAskers()
            for i in 0..<max(0, count) {
                switch tags[i] {
                case 0: accept()
                case 1: wake.clear()
                case 2: break
                default:
                    serve(tags[i], events[i])
                    // Who only asks does not wait for all those who send.
                    if now &- askedNs > 100_000 { serveAskers() }
                }
            }
            takeTurns()
            endPass()
            if now &- checkedNs >= 50_000_000 { check() }
        }
        finish()
    }

    private func timeout() -> Int32 {
        if !turns.isEmpty { return 0 }
        guard let dueNs else { return 100 }
        return dueNs <= now ? 0 : Int32(min(100, (dueNs - now) / 1_000_000 + 1))
    }

    /// What time it is.
    @inline(__always)
    func look() {
        now = monotonicNs()
        timestamp = ServerLoop.microseconds()
    }

    static func microseconds() -> UInt64 {
        var time = timespec()
        _ = clock_gettime(CLOCK_REALTIME, &time)
        guard time.tv_sec >= 0 else { return 0 }
        return UInt64(time.tv_sec) &* 1_000_000 &+ UInt64(time.tv_nsec) / 1000
    }

    private func serveAskers() {
        askedNs = now
        let count = Int(cposix_epoll_wait(askers, askerTags, askerEvents, 0))
        guard count > 0 else { return }
        for i in 0..<count { serve(askerTags[i], askerEvents[i]) }
    }

    private func serve(_ tag: UInt64, _ events: UInt32) {
        // It may have been closed since, and another one may be in its place.
        guard let client = clients[Int(tag & 0xFFFF_FFFF)], client.tag == tag else { return }
        look()
        if events & ServerLoop.writable != 0 { send(client) }
        guard client.isOpen else { return }
        switch client.obstacle {
        case .none:
            if events & (ServerLoop.readable | ServerLoop.broken) != 0 {
                if client.inputEnded || client.closesNs > 0 {
                    if events & ServerLoop.broken != 0 { close(client) }
                } else {
                    read(client)
                }
            }
        case .turn: break
        case .log, .queue, .syncs:
            guard events & ServerLoop.broken != 0 else { return }
            // What came before is still to be logged. Nothing more is heard of it until then.
            if client.obstacle == .queue { return close(client) }
            client.isBroken = true
            setEvents(client)
        }
    }

    private func takeTurns() {
        guard !turns.isEmpty else { return }
        let now = turns
        turns = []
        for client in now where client.isOpen {
            look()
            resume(client)
        }
    }

    /// What is done once for all that has come.
    private func endPass() {
        publish()
        if let log {
            answerSyncs(log.released.load())
            if options.syncMilliseconds == 0 { log.wantSync() }
            if log.fill > UInt64(log.ring.capacity) / 4 { log.wake.signal() }
        }
        if !waiting.isEmpty { resumeWaiting() }
        tellSubscribers()
        saver?.serve()
    }

    func publish() {
        log?.publish()
        archive?.publish()
        parquet?.publish()
        if tally.takenBytes > 0 {
            counts.takenBytes.add(tally.takenBytes)
            counts.diffs.add(tally.diffs)
            counts.fulls.add(tally.fulls)
            counts.words.add(tally.words)
            counts.queries.add(tally.queries)
            if tally.diffs + tally.fulls > 0 { images.applied.add(tally.diffs + tally.fulls) }
            tally = Tally()
        }
    }

    /// Those for whom there may be room in the log again. Not for each record that has become free.
    private func resumeWaiting() {
        let most = LogRecord.mostPayloadBytes
        guard log == nil || log!.hasRoom(payload: most), archive == nil || archive!.hasRoom(payload: most),
            parquet == nil || parquet!.hasRoom(payload: most)
        else {
            archive?.wake.signal()
            parquet?.wake.signal()
            return
        }
        let now = waiting
        waiting = []
        for client in now where client.isOpen {
            look()
            resume(client)
        }
    }

    // MARK: Connections

    private func accept() {
        // Not all at once: the others wait.
        for _ in 0..<64 {
            var text = [CChar](repeating: 0, count: 64)
            let socket = text.withUnsafeMutableBufferPointer { cposix_accept_from(listener, $0.baseAddress, $0.count) }
            guard socket >= 0 else {
                // The connection would stay in the queue, and be told of again and again.
                if socket == -EMFILE || socket == -ENFILE { refuseOne() }
                return
            }
            let name = text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            guard let slot = freeSlots.popLast() else {
                counts.refused.add(1)
                notices.say("client \(name): refused, since there are \(options.maxClients) (--max-clients)", now)
                _ = CPosix.close(socket)
                continue
            }
            serial = serial == .max ? 1 : serial + 1
            let client = ServerClient(socket, slot: slot, serial: serial, name, now)
            clients[slot] = client
            counts.connections.add(1)
            counts.clients.add(1)
            setEvents(client)
            if client.isOpen, options.token != nil || options.readToken != nil { challenge(client) }
        }
    }

    /// There is no descriptor left but the spare one.
    private func refuseOne() {
        counts.refused.add(1)
        notices.say("a client was refused, since the process may open no more files", now)
        _ = CPosix.close(spare)
        let socket = cposix_accept(listener)
        if socket >= 0 { _ = CPosix.close(socket) }
        spare = cposix_open("/dev/null", O_RDONLY | O_CLOEXEC, 0)
    }

    /// Waits for what is of use.
    func setEvents(_ client: ServerClient) {
        guard client.isOpen else { return }
        var wanted: UInt32? = client.queue.count > 0 ? ServerLoop.writable : 0
        if !client.inputEnded, client.closesNs == 0, client.obstacle == .none || client.obstacle == .turn { wanted! |= ServerLoop.readable }
        if client.isBroken { wanted = nil }
        let place = client.isSender ? epoll : askers
        if wanted == client.events, client.epoll == place { return }
        if client.events != nil, wanted == nil || client.epoll != place {
            _ = cposix_epoll_set(client.epoll, 0, client.socket, 0, 0)
            client.events = nil
        }
        if let wanted {
            guard cposix_epoll_set(place, client.events == nil ? 1 : 2, client.socket, wanted, client.tag) == 0 else {
                return close(client, because: "its events cannot be waited for: " + String(cString: strerror(cposix_errno())))
            }
        }
        client.events = wanted
        client.epoll = place
    }

    func close(_ client: ServerClient, because reason: String? = nil) {
        guard client.isOpen else { return }
        if let reason { notices.say("client \(client.name): \(reason); closed", now) }
        _ = CPosix.close(client.socket)
        client.socket = -1
        client.held.clear()
        client.queue.clear()
        for subscription in client.subscriptions { end(subscription) }
        client.subscriptions = []
        if client.pendingSyncs > 0 { acks.forget(client) }
        clients[client.slot] = nil
        freeSlots.append(client.slot)
        counts.clients.store(UInt64(clients.count - freeSlots.count))
    }

    /// Time limits.
    private func check() {
        checkedNs = now
        let partial = options.partialSeconds &* 1_000_000_000
        let stall = options.stallSeconds &* 1_000_000_000
        for client in clients {
            guard let client else { continue }
            if client.closesNs > 0 {
                if now >= client.closesNs { close(client) }
            } else if client.access == .stranger, now &- client.activeNs > ServerLoop.loginNs {
                counts.timedOut.add(1)
                close(client, because: "found no LOGIN within \(ServerLoop.loginNs / 1_000_000_000) s")
            } else if client.queue.count > 0, now &- client.stalledNs > stall {
                counts.dropped.add(1)
                close(client, because: "it has read nothing for \(options.stallSeconds) s, and \(client.queue.count) bytes wait for it")
            } else if partial > 0, client.held.count > 0, client.obstacle == .none, now &- client.activeNs > partial {
                counts.timedOut.add(1)
                close(client, because: "a message of which \(client.held.count) bytes have come did not go on for \(options.partialSeconds) s")
            }
        }
        notices.tell(now)
    }

    // MARK: The end

    /// Nothing more is read. What was logged is synced, and who waits for that is told.
    private func finish() {
        publish()
        log?.wantSync()
        for client in clients {
            guard let client else { continue }
            client.inputEnded = true
            setEvents(client)
        }
        let deadline = now &+ 900_000_000
        while let log, log.released.load() < log.appended, now < deadline, log.isRefused.load() == 0 {
            _ = cposix_epoll_wait(epoll, tags, events, 10)
            wake.clear()
            look()
            answerSyncs(log.released.load())
        }
        if let log { answerSyncs(log.released.load()) }
        // What waits for them fits into their sockets, or they had their time.
        let last = now &+ 50_000_000
        while now < last {
            var waits = false
            for client in clients {
                guard let client, client.queue.count > 0 else { continue }
                send(client)
                if client.isOpen, client.queue.count > 0 { waits = true }
            }
            guard waits else { break }
            pause(milliseconds: 5)
            look()
        }
        for client in clients { if let client { close(client) } }
        notices.tell(.max)
    }
}
