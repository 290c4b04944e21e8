import CPosix
import TickLog

extension ServerLoop {
    /// Reads what a client has, but not so much that the others would wait long.
    func read(_ client: ServerClient) {
        let held = client.held.count
        var count: Int
        if held < ServerLoop.smallBytes {
            count = recv(client.socket, buffer + held, ServerLoop.readBytes, Int32(MSG_DONTWAIT))
            guard came(client, count) else { return }
            if held > 0 {
                memcpy(buffer, client.held.start, held)
                client.held.remove(held)
                count += held
            }
            take(client, buffer, count)
        } else {
            // The rest of a large message goes where its beginning is, and what follows it does not.
            let missing = missingBytes(client)
            guard let place = client.held.room(missing) else { return close(client, because: "there is no memory for its message") }
            count = cposix_read_into(client.socket, place, missing, buffer, ServerLoop.readBytes)
            guard came(client, count) else { return }
            client.held.add(min(count, missing))
            if count >= missing { takeHeld(client) }
            if client.isOpen, count > missing {
                if client.obstacle == .none, client.held.count == 0 {
                    take(client, buffer, count - missing)
                } else {
                    hold(client, buffer, count - missing)
                }
            }
        }
        finishTurn(client)
    }

    /// Goes on with what was held.
    func resume(_ client: ServerClient) {
        client.obstacle = .none
        client.isBroken = false
        takeHeld(client)
        finishTurn(client)
    }

    private func finishTurn(_ client: ServerClient) {
        guard client.isOpen else { return }
        if client.queue.count > 0 { send(client) }
        guard client.isOpen else { return }
        if client.inputEnded, client.obstacle == .none { return leave(client) }
        setEvents(client)
    }

    /// Whether something was read; what is to be done otherwise is done.
    private func came(_ client: ServerClient, _ count: Int) -> Bool {
        if count > 0 {
            client.activeNs = now
            tally.takenBytes &+= UInt64(count)
            return true
        }
        if count < 0, cposix_errno() == EAGAIN || cposix_errno() == EINTR { return false }
        if count < 0 {
            close(client)
            return false
        }
        if client.held.count > 0 {
            counts.malformed.add(1)
            notices.say("client \(client.name): its last message ended after \(client.held.count) bytes", now)
            client.held.clear()
        }
        client.inputEnded = true
        leave(client)
        return false
    }

    /// It sends nothing more: it may go, when nothing is owed to it.
    func leave(_ client: ServerClient) {
        guard client.isOpen else { return }
        if client.queue.count == 0, client.pendingSyncs == 0 { return close(client) }
        setEvents(client)
    }

    /// How much is missing of the message whose beginning, at least `smallBytes`, is held.
    private func missingBytes(_ client: ServerClient) -> Int {
        let bytes = FileBytes(start: UnsafeRawPointer(client.held.start), count: client.held.count)
        // It was looked at before, and is good so far.
        let whole = options.legacy
            ? LegacyPacket.headerBytes + 4 * Int(min(bytes.u32(at: 12), UInt32(PacketWords.most)))
            : DataPacket.lengthBytes + Int(min(bytes.u32(at: 0), UInt32(DataPacket.mostBodyBytes)))
        return max(1, whole - bytes.count)
    }

    private func takeHeld(_ client: ServerClient) {
        let count = client.held.count
        guard count > 0 else { return }
        let done = handle(client, client.held.start, count)
        if client.isOpen { client.held.remove(done) }
    }

    private func take(_ client: ServerClient, _ bytes: UnsafeMutableRawPointer, _ count: Int) {
        let done = handle(client, bytes, count)
        if client.isOpen, done < count { hold(client, bytes + done, count - done) }
    }

    private func hold(_ client: ServerClient, _ bytes: UnsafeMutableRawPointer, _ count: Int) {
        if !client.held.add(bytes, count) { close(client, because: "there is no memory for its message") }
    }

    /// Handles all whole messages, or as many as may be now. How many bytes they have.
    private func handle(_ client: ServerClient, _ start: UnsafeMutableRawPointer, _ count: Int) -> Int {
        let bytes = FileBytes(start: UnsafeRawPointer(start), count: count)
        var at = 0
        // What the turn has cost, in about nanoseconds.
        var cost = 0
        do throws(FormatError) {
            while at < count {
                if options.legacy {
                    guard case .packet(let packet, let size) = try LegacyPacket.step(bytes, at: at) else { break }
                    guard handle(client, packet, start + at, size) else { break }
                    at += size
                    cost += 50 + 2 * packet.words.count
                } else {
                    guard case .packet(let packet, let size) = try DataPacket.step(bytes, at: at) else { break }
                    guard handle(client, packet, start + at + DataPacket.lengthBytes, size - DataPacket.lengthBytes, &cost) else { break }
                    at += size
                    cost += 50 + 2 * packet.words.count
                }
                if cost > 300_000, at < count {
                    client.obstacle = .turn
                    turns.append(client)
                    break
                }
            }
        } catch {
            counts.malformed.add(1)
            close(client, because: Fault(error, "").text)
        }
        return at
    }

    // MARK: Messages

    /// Handles a message. False: it stays where it is, or the client was closed.
    @inline(__always)
    private func handle(
        _ client: ServerClient, _ packet: DataPacket, _ body: UnsafeRawPointer, _ size: Int, _ cost: inout Int
    ) -> Bool {
        guard packet.type <= DataPacket.SourceType.rtos.rawValue else {
            counts.malformed.add(1)
            close(client, because: "found type \(packet.type), expected at most 3")
            return false
        }
        if packet.command <= DataPacket.Command.full.rawValue, client.access == .writer {
            return handlePacket(client, packet, body, size, &cost)
        }
        return handleRequest(client, packet)
    }

    @inline(__always)
    private func handlePacket(
        _ client: ServerClient, _ packet: DataPacket, _ body: UnsafeRawPointer, _ size: Int, _ cost: inout Int
    ) -> Bool {
        let isFull = packet.command == DataPacket.Command.full.rawValue
        guard hasRoom(size, archiving: isFull) else { return wait(client, .log) }
        let index = SourceImages.index(type: packet.type, id: packet.source)
        if isFull {
            // Subscribers get what has changed before this takes its time.
            if let watch = images.sources[index].watch, watch.takeUnretainedValue().isMarked { tellSubscribers() }
            cost += max(0, images.sources[index].high - images.sources[index].low) / 16
        }
        guard images.apply(index, packet.words, clearing: isFull) else {
            close(client, because: "there is no memory for the image of its source \(packet.type):\(packet.source)")
            return false
        }
        log?.append(timestamp: timestamp, payload: body, size: size)
        parquet?.append(timestamp: timestamp, payload: body, size: size)
        tally.words &+= UInt64(packet.words.count)
        if isFull {
            archive?.append(timestamp: timestamp, payload: body, size: size)
            tally.fulls &+= 1
        } else {
            tally.diffs &+= 1
        }
        if !client.isSender { client.isSender = true }
        return true
    }

    @inline(__always)
    private func hasRoom(_ size: Int, archiving: Bool) -> Bool {
        if let log, !log.hasRoom(payload: size) { return false }
        if let parquet, !parquet.hasRoom(payload: size) { return false }
        if archiving, let archive, !archive.hasRoom(payload: size) { return false }
        return true
    }

    /// The message is handled when the obstacle is gone.
    private func wait(_ client: ServerClient, _ obstacle: ServerClient.Obstacle) -> Bool {
        client.obstacle = obstacle
        if obstacle == .log {
            counts.waits.add(1)
            waiting.append(client)
            publish()
            log?.wake.signal()
            archive?.wake.signal()
            parquet?.wake.signal()
        }
        return false
    }

    @inline(__always)
    private func handle(_ client: ServerClient, _ packet: LegacyPacket, _ bytes: UnsafeRawPointer, _ size: Int) -> Bool {
        guard hasRoom(size, archiving: false) else { return wait(client, .log) }
        if packet.rack >= 0, packet.rack <= 255 {
            let index = SourceImages.index(type: DataPacket.SourceType.rack.rawValue, id: UInt8(packet.rack))
            guard images.apply(index, packet.words, clearing: false) else {
                close(client, because: "there is no memory for the image of its rack \(packet.rack)")
                return false
            }
        } else {
            counts.otherRacks.add(1)
        }
        log?.append(timestamp: timestamp, payload: bytes, size: size)
        parquet?.append(timestamp: timestamp, payload: bytes, size: size)
        tally.words &+= UInt64(packet.words.count)
        tally.diffs &+= 1
        if !client.isSender { client.isSender = true }
        return true
    }

    /// Everything but the packets of who may send them.
    @inline(never)
    private func handleRequest(_ client: ServerClient, _ packet: DataPacket) -> Bool {
        if client.access == .stranger { return logIn(client, packet) }
        switch packet.knownCommand {
        case .query: return answer(client, packet)
        case .subscribe: return subscribe(client, packet)
        case .sync where client.access == .writer: return sync(client, packet)
        case .diff, .full, .sync:
            return forbid(client, "found command \(packet.command), expected QUERY or SUBSCRIBE: it has logged in with the token for reading")
        case .reply, .acknowledge, .challenge: return forbid(client, "found command \(packet.command), which a server sends")
        case .login: return forbid(client, "found a LOGIN, which was not asked for")
        case nil:
            counts.malformed.add(1)
            close(client, because: "found command \(packet.command), expected at most 8")
            return false
        }
    }

    func forbid(_ client: ServerClient, _ reason: String) -> Bool {
        counts.forbidden.add(1)
        close(client, because: reason)
        return false
    }

    private func sync(_ client: ServerClient, _ packet: DataPacket) -> Bool {
        guard packet.words.count == 0 else {
            counts.malformed.add(1)
            close(client, because: "found a SYNC of \(packet.words.count) words, expected none")
            return false
        }
        guard let log else { return forbid(client, "found a SYNC, but nothing is kept: the server was started without --log") }
        guard client.pendingSyncs < ServerLoop.mostSyncs else { return wait(client, .syncs) }
        counts.syncs.add(1)
        client.pendingSyncs += 1
        acks.add(PendingSyncs.Sync(
            client: client, position: log.appended, type: packet.type, source: packet.source, sequence: packet.sequence))
        if log.released.load() < log.appended { log.wantSync() }
        return true
    }

    // MARK: Logging in

    func challenge(_ client: ServerClient) {
        do throws(SecurityError) { client.challenge = try randomBytes(Token.challengeBytes) } catch {
            return close(client, because: error.message)
        }
        client.access = .stranger
        let zeros = [UInt8](repeating: 0, count: Token.challengeBytes)
        _ = zeros.withUnsafeBytes { control in
            client.challenge.withUnsafeBytes { data in
                put(client, DataPacket(
                    .challenge, timestamp: timestamp, type: 0, source: 0,
                    words: PacketWords(control: control.baseAddress!, data: data.baseAddress!, count: Token.challengeBytes / 2)))
            }
        }
        send(client)
        setEvents(client)
    }

    private func logIn(_ client: ServerClient, _ packet: DataPacket) -> Bool {
        guard packet.knownCommand == .login, packet.words.count == HMAC.bytes / 2 else {
            return forbid(client, "found command \(packet.command) with \(packet.words.count) words, expected a LOGIN with \(HMAC.bytes / 2)")
        }
        var answer: [UInt8] = []
        for i in 0..<HMAC.bytes { answer.append(packet.words.data.load(fromByteOffset: i, as: UInt8.self)) }
        do throws(SecurityError) {
            // Both, whatever the first says: the time tells nothing.
            let mayWrite = try options.token?.accepts(answer, to: client.challenge) ?? false
            let mayRead = try options.readToken?.accepts(answer, to: client.challenge) ?? false
            client.challenge = []
            guard mayWrite || mayRead else {
                counts.wrongLogins.add(1)
                notices.say("client \(client.name): its LOGIN is wrong; closed", now)
                // Who tries many has to wait.
                client.closesNs = now &+ ServerLoop.wrongLoginNs
                client.held.clear()
                setEvents(client)
                return false
            }
            client.access = mayWrite ? .writer : .reader
            acknowledge(client, type: packet.type, source: packet.source, sequence: packet.sequence)
            return true
        } catch {
            close(client, because: error.message)
            return false
        }
    }
}
