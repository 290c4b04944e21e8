import CPosix
import TickLog

extension ServerLoop {
    // MARK: What waits for a client

    /// Sends as much as the client's socket takes.
    func send(_ client: ServerClient) {
        while client.queue.count > 0 {
            let sent = cposix_send(client.socket, client.queue.start, client.queue.count)
            guard sent > 0 else {
                let error = cposix_errno()
                if error == EINTR { continue }
                guard error == EAGAIN else { return close(client) }
                break
            }
            client.queue.remove(sent)
            client.stalledNs = now
        }
        let hasRoom = client.queue.count <= options.queueBytes / 2
        if client.obstacle == .queue, hasRoom { queueUp(client) }
        if client.queue.count == 0, client.inputEnded, client.obstacle == .none { return leave(client) }
        setEvents(client)
    }

    /// It goes on in the next round: here it could come back to where it is, again and again.
    private func queueUp(_ client: ServerClient) {
        client.obstacle = .turn
        turns.append(client)
    }

    /// Whether so many bytes may be added; a queue that is empty takes any message.
    @inline(__always)
    private func hasRoom(_ client: ServerClient, _ bytes: Int) -> Bool {
        client.queue.count == 0 || client.queue.count + bytes <= options.queueBytes
    }

    /// Room for a message. Nil: the client was closed, since there is no memory.
    private func room(_ client: ServerClient, _ bytes: Int) -> UnsafeMutableRawPointer? {
        if client.queue.count == 0 { client.stalledNs = now }
        guard let place = client.queue.room(bytes) else {
            close(client, because: "there is no memory for what it asked for")
            return nil
        }
        client.queue.add(bytes)
        return place
    }

    @discardableResult
    func put(_ client: ServerClient, _ packet: DataPacket) -> Bool {
        guard let place = room(client, packet.messageBytes) else { return false }
        packet.store(to: place)
        return true
    }

    func acknowledge(_ client: ServerClient, type: UInt8, source: UInt8, sequence: UInt8) {
        counts.acks.add(1)
        put(client, DataPacket(.acknowledge, timestamp: timestamp, type: type, source: source, sequence: sequence))
    }

    /// What is on the medium is told to who has asked.
    func answerSyncs(_ released: UInt64) {
        while let sync = acks.take(released) {
            guard sync.client.isOpen else { continue }
            sync.client.pendingSyncs -= 1
            acknowledge(sync.client, type: sync.type, source: sync.source, sequence: sync.sequence)
            if sync.client.obstacle == .syncs { queueUp(sync.client) }
            send(sync.client)
        }
    }

    // MARK: Queries

    /// A REPLY: the same words, with their newest values.
    func answer(_ client: ServerClient, _ query: DataPacket) -> Bool {
        guard hasRoom(client, query.messageBytes) else {
            client.obstacle = .queue
            return false
        }
        guard let place = room(client, query.messageBytes) else { return false }
        tally.queries &+= 1
        let image = images.image(SourceImages.index(type: query.type, id: query.source))
        let control = place + (DataPacket.lengthBytes + DataPacket.headerBytes)
        let data = control + 2 * query.words.count
        memcpy(control, query.words.control, 2 * query.words.count)
        _ = image.copy(query.words, to: data)
        // The words are in their place already.
        DataPacket(
            .reply, timestamp: timestamp, type: query.type, source: query.source, sequence: query.sequence,
            words: PacketWords(control: control, data: data, count: query.words.count)
        ).store(to: place)
        return true
    }

    // MARK: Subscriptions

    func subscribe(_ client: ServerClient, _ packet: DataPacket) -> Bool {
        let count = packet.words.count
        let index = SourceImages.index(type: packet.type, id: packet.source)
        guard count % 2 == 0, count <= 2 * Subscription.mostPairs, let ranges = Subscription.ranges(packet.words) else {
            counts.malformed.add(1)
            close(client, because: "found a SUBSCRIBE of \(count) words, expected up to \(Subscription.mostPairs) pairs of a first and a last offset")
            return false
        }
        var bytes = 0
        for range in ranges {
            let words = range.last - range.first + 1
            bytes += 4 * words + 20 * (words / ServerLoop.messageWords + 1)
        }
        guard hasRoom(client, bytes) else {
            client.obstacle = .queue
            return false
        }
        counts.subscribes.add(1)
        if let old = client.subscriptions.firstIndex(where: { $0.index == index }) {
            end(client.subscriptions.remove(at: old))
        }
        guard count > 0 else { return true }
        guard client.subscriptions.count < Subscription.most else {
            return forbid(client, "found a SUBSCRIBE to one more than \(Subscription.most) sources")
        }
        guard let watch = watch(index) else {
            close(client, because: "there is no memory for its SUBSCRIBE")
            return false
        }
        let subscription = Subscription(client, index, ranges, rate: packet.words.value(0), seen: watch.now, sequence: packet.sequence)
        watch.now &+= 1
        subscription.nextNs = now &+ subscription.intervalNs
        watch.subscriptions.append(subscription)
        client.subscriptions.append(subscription)
        counts.subscriptions.add(1)
        return tellAll(subscription, packet)
    }

    private func watch(_ index: Int) -> SourceWatch? {
        if let watch = images.sources[index].watch { return watch.takeUnretainedValue() }
        guard let watch = SourceWatch() else { return nil }
        images.sources[index].watch = Unmanaged.passRetained(watch)
        watches.append(watch)
        return watch
    }

    func end(_ subscription: Subscription) {
        guard !subscription.isEnded else { return }
        subscription.isEnded = true
        counts.subscriptions.store(counts.subscriptions.load() - 1)
        guard let watch = images.sources[subscription.index].watch?.takeUnretainedValue() else { return }
        watch.subscriptions.removeAll { $0 === subscription }
        guard watch.subscriptions.isEmpty else { return }
        watches.removeAll { $0 === watch }
        images.sources[subscription.index].watch?.release()
        images.sources[subscription.index].watch = nil
    }

    /// The REPLYs with the current values.
    private func tellAll(_ subscription: Subscription, _ packet: DataPacket) -> Bool {
        let image = images.image(subscription.index)
        for range in subscription.ranges {
            var first = range.first
            while first <= range.last {
                let count = min(range.last - first + 1, ServerLoop.messageWords)
                guard let place = room(subscription.client, DataPacket.lengthBytes + DataPacket.headerBytes + 4 * count) else { return false }
                let control = place + (DataPacket.lengthBytes + DataPacket.headerBytes)
                let data = control + 2 * count
                for i in 0..<count {
                    control.storeBytes(of: UInt16(truncatingIfNeeded: first + i).littleEndian, toByteOffset: 2 * i, as: UInt16.self)
                    data.storeBytes(of: image.words[first + i].littleEndian, toByteOffset: 2 * i, as: UInt16.self)
                }
                DataPacket(
                    .reply, timestamp: timestamp, type: packet.type, source: packet.source, sequence: packet.sequence,
                    words: PacketWords(control: control, data: data, count: count)
                ).store(to: place)
                first += count
            }
        }
        return true
    }

    /// Tells subscribers of what has changed, as far as it is time.
    func tellSubscribers() {
        for watch in watches where watch.isMarked {
            watch.isMarked = false
            for subscription in watch.subscriptions where !subscription.isPending {
                subscription.isPending = true
                pending.append(subscription)
            }
        }
        guard !pending.isEmpty else {
            dueNs = nil
            return
        }
        var due: UInt64?
        // Sending may close clients, and resume others, which may subscribe: `pending` may become longer meanwhile.
        var kept: [Subscription] = []
        let all = pending
        pending = []
        for subscription in all where !subscription.isEnded {
            if subscription.nextNs > now {
                due = min(due ?? .max, subscription.nextNs)
                kept.append(subscription)
                continue
            }
            let wasResumed = subscription.resumesAt != nil
            if tell(subscription) {
                subscription.nextNs = now &+ subscription.intervalNs
                subscription.isPending = false
                if wasResumed, !subscription.isEnded {
                    // Words that it had been told already may have changed again since it began.
                    subscription.isPending = true
                    due = min(due ?? .max, subscription.nextNs)
                    kept.append(subscription)
                }
            } else if !subscription.isEnded {
                // It is gone on with when something was read of its queue.
                kept.append(subscription)
            }
        }
        pending = kept + pending
        dueNs = due
    }

    /// DIFFs with the newest values of the words that have changed. False: the queue has no room, or the client was closed.
    private func tell(_ subscription: Subscription) -> Bool {
        let client = subscription.client
        guard let watch = images.sources[subscription.index].watch?.takeUnretainedValue() else { return true }
        if subscription.resumesAt == nil {
            subscription.begunAt = watch.now
            // What changes from here on is for the next time.
            watch.now &+= 1
        }
        let image = images.image(subscription.index)
        let most = DataPacket.lengthBytes + DataPacket.headerBytes + 4 * ServerLoop.messageWords
        var next = subscription.resumesAt ?? 0
        var isWhole = false
        while true {
            guard hasRoom(client, most) else {
                subscription.resumesAt = next
                break
            }
            var count = 0
            search: for range in subscription.ranges where range.last >= next {
                next = max(next, range.first)
                while let offset = watch.changed(from: next, through: range.last, after: subscription.seen) {
                    if count == ServerLoop.messageWords { break search }
                    changed.storeBytes(of: UInt16(truncatingIfNeeded: offset).littleEndian, toByteOffset: 2 * count, as: UInt16.self)
                    values.storeBytes(of: image.words[offset].littleEndian, toByteOffset: 2 * count, as: UInt16.self)
                    count += 1
                    next = offset + 1
                }
            }
            if count > 0 {
                counts.told.add(1)
                guard put(client, DataPacket(
                    .diff, timestamp: timestamp, type: UInt8(subscription.index >> 8), source: UInt8(subscription.index & 255),
                    sequence: subscription.sequence, words: PacketWords(control: changed, data: values, count: count)))
                else { return false }
            }
            guard count == ServerLoop.messageWords else {
                subscription.resumesAt = nil
                subscription.seen = subscription.begunAt
                isWhole = true
                break
            }
        }
        if client.queue.count > 0 { send(client) }
        return isWhole
    }
}
