import CKafka
import CPosix
import TickLog

/// The receive thread of all channels that come from Kafka (docs: SCALING): messages of the partitions that the group gives
/// this receiver go to the channels that their keys name. An offset is committed when everything before it is on the
/// medium. A partition whose channel has no room is not fetched until there is.
public final class KafkaInput {
    private let settings: KafkaSettings
    private let channels: [Channel]
    private let consumer: KafkaConsumer
    private let note: (String) -> Void
    @exclusivity(unchecked) private var partitions: [KafkaPartition] = []
    /// Messages come in runs of one partition.
    @exclusivity(unchecked) private var latest: KafkaPartition?
    @exclusivity(unchecked) private var pausedCount = 0
    /// The group did not take a commit: it is rebalancing, and will soon ask us to join it anew.
    @exclusivity(unchecked) private var commitsAfterNs: UInt64 = 0

    /// How long a partition that is given up waits for the medium. What is not on it by then, its next receiver gets again.
    static var revokeSeconds: UInt64 { 30 }

    /// Until a commit is tried again.
    private static var rebalanceNs: UInt64 { 1_000_000_000 }

    /// - Parameters:
    ///   - channels: channel `k` at place `k`. Their write threads must run until `run` has returned.
    ///   - note: told what an operator should know, in the thread of `run`.
    /// - Throws: there is no librdkafka, or it does not take the settings.
    public init(_ settings: KafkaSettings, channels: [Channel], note: @escaping (String) -> Void) throws(KafkaError) {
        self.settings = settings
        self.channels = channels
        self.note = note
        var maxFrame = 0
        for channel in channels { maxFrame = max(maxFrame, channel.maxFrame) }
        consumer = try KafkaConsumer(settings, maxFrame: maxFrame)
    }

    /// Receives until it is stopped, then commits what is synced and leaves the group.
    /// - Throws: what ends the consumer for good.
    public func run(isStopped: () -> Bool) throws(KafkaError) {
        var topics: [String] = []
        for number in 0..<(settings.hasTopicPerChannel ? channels.count : 1) { topics.append(settings.topic(of: number)) }
        let input = Unmanaged.passUnretained(self)
        try consumer.subscribe(
            topics,
            KafkaConsumer.Events(
                assigned: { list in input.takeUnretainedValue().assigned(list) },
                revoked: { list, isLost in input.takeUnretainedValue().revoked(list, isLost) },
                committed: { list, error in input.takeUnretainedValue().committed(list, error) }))
        var fatal: String?
        var nextCheck: UInt64 = 0
        while !isStopped(), fatal == nil {
            if let message = consumer.poll(milliseconds: pausedCount > 0 ? 5 : 50) { take(message) }
            if pausedCount > 0 { goOn() }
            let now = monotonicNs()
            guard now >= nextCheck else { continue }
            nextCheck = now &+ 20_000_000
            commit(now)
            tellNotes()
            fatal = consumer.fatalError
        }
        consumer.close()
        tellNotes()
        // Without a group there was nobody to revoke them.
        for partition in partitions { partition.discardHeld(consumer) }
        partitions.removeAll()
        for channel in channels { channel.finish() }
        if let fatal { throw KafkaError("Kafka: " + terminalText(fatal)) }
    }

    private func tellNotes() { for text in consumer.takeNotes() { note(text) } }

    // MARK: Messages

    private func take(_ message: UnsafeMutablePointer<ckafka_message>) {
        guard let partition = partition(of: message.pointee) else {
            // It was given up a moment ago: its next receiver gets the message.
            return consumer.discard(message)
        }
        if partition.held.isEmpty, put(message.pointee, of: partition) {
            consumer.discard(message)
        } else {
            partition.held.append(message)
            if !partition.isPaused {
                partition.isPaused = true
                pausedCount += 1
                consumer.hold(partition.topic, partition.number, true)
            }
        }
    }

    /// False: the channel has no room.
    private func put(_ message: ckafka_message, of partition: KafkaPartition) -> Bool {
        let value = UnsafeRawBufferPointer(start: message.value, count: message.value == nil ? 0 : message.value_bytes)
        if let channel = partition.channel ?? channel(ofKey: message) {
            // `take` waits when the queue is full. The group must not wait.
            guard channel.queue.hasRoom(8), channel.take(message: value) else { return false }
            if value.count == 0 { channel.stray() }
            partition.touched(channel)
        } else {
            stray(value).stray()
        }
        partition.next = message.offset &+ 1
        return true
    }

    private func channel(ofKey message: ckafka_message) -> Channel? {
        guard let key = message.key, let number = channelOfKey(UnsafeRawBufferPointer(start: key, count: message.key_bytes)),
            number < channels.count
        else { return nil }
        return channels[number]
    }

    /// Where a message is counted whose key names no channel: with the channel that its frame says, or with the first.
    private func stray(_ value: UnsafeRawBufferPointer) -> Channel {
        let bytes = FileBytes(value)
        guard bytes.count >= FrameHeader.bytes, bytes.start.loadUnaligned(as: UInt64.self) == FrameHeader.magic.bigEndian,
            Int(bytes[9]) < channels.count
        else { return channels[0] }
        return channels[Int(bytes[9])]
    }

    /// Puts what was held back for want of room.
    private func goOn() {
        for partition in partitions where partition.isPaused {
            var done = 0
            while done < partition.held.count, put(partition.held[done].pointee, of: partition) {
                consumer.discard(partition.held[done])
                done += 1
            }
            partition.held.removeFirst(done)
            guard partition.held.isEmpty else { continue }
            partition.isPaused = false
            pausedCount -= 1
            consumer.hold(partition.topic, partition.number, false)
        }
    }

    private func partition(of message: ckafka_message) -> KafkaPartition? {
        let topic = consumer.topic(of: message)
        if let latest, latest.isThat(topic, message.partition) { return latest }
        for partition in partitions where partition.isThat(topic, message.partition) {
            latest = partition
            return partition
        }
        return nil
    }

    // MARK: Offsets

    /// Asks for what was taken to be synced, now and then, and commits what has been.
    private func commit(_ now: UInt64) {
        guard now >= commitsAfterNs, consumer.canCommit(now) else { return }
        var progress: [KafkaConsumer.Progress] = []
        for partition in partitions {
            if let done = partition.synced(channels) { progress.append(done) }
            if partition.isDue(now, settings.commitMilliseconds) { partition.mark(channels, now) }
        }
        guard !consumer.commit(progress, waits: false) else { return }
        for partition in partitions { partition.commitFailed() }
    }

    private func committed(_ list: UnsafeMutableBufferPointer<ckafka_partition>, _ error: Int32) {
        for entry in list {
            guard let name = entry.topic else { continue }
            if entry.error == CKAFKA_REBALANCE_IN_PROGRESS { commitsAfterNs = monotonicNs() &+ KafkaInput.rebalanceNs }
            for partition in partitions where partition.isThat(name, entry.partition) {
                if error == 0, entry.error == 0 { partition.committed(entry.offset) } else { partition.commitFailed() }
            }
        }
    }

    // MARK: Rebalances

    private func assigned(_ list: UnsafeMutableBufferPointer<ckafka_partition>) {
        for entry in list {
            guard let name = entry.topic else { continue }
            let topic = String(cString: name)
            let partition = KafkaPartition(topic, entry.partition, channel: channel(ofTopic: topic))
            partitions.append(partition)
            guard entry.error == 0, entry.offset >= 0, let text = entry.metadata else { continue }
            for state in HandOver.read(FileBytes(start: UnsafeRawPointer(text), count: entry.metadata_bytes)) where state.channel < channels.count {
                let channel = channels[state.channel]
                partition.touched(channel)
                channel.resume(state)
            }
        }
    }

    private func channel(ofTopic topic: String) -> Channel? {
        guard settings.hasTopicPerChannel else { return nil }
        for channel in channels where settings.topic(of: channel.number) == topic { return channel }
        return nil
    }

    private func revoked(_ list: UnsafeMutableBufferPointer<ckafka_partition>, _ isLost: Bool) {
        var leaving: [KafkaPartition] = []
        latest = nil
        for entry in list {
            guard let name = entry.topic, let at = partitions.firstIndex(where: { $0.isThat(name, entry.partition) }) else { continue }
            let partition = partitions.remove(at: at)
            if partition.isPaused { pausedCount -= 1 }
            partition.discardHeld(consumer)
            leaving.append(partition)
        }
        let now = monotonicNs()
        let deadline = now &+ KafkaInput.revokeSeconds &* 1_000_000_000
        // Even what cannot be committed any more is to be on the medium.
        for partition in leaving { partition.mark(channels, now) }
        guard !isLost else { return }
        var progress: [KafkaConsumer.Progress] = []
        while !leaving.isEmpty {
            leaving.removeAll { partition in
                if let done = partition.synced(channels) { progress.append(done) }
                return !partition.isWaiting
            }
            if leaving.isEmpty || monotonicNs() >= deadline { break }
            pause(milliseconds: 1)
        }
        for partition in leaving {
            note("Kafka: " + terminalText(partition.topic) + ", partition \(partition.number): given up before its frames were synced")
        }
        _ = consumer.commit(progress, waits: true)
    }
}

extension Channel {
    /// What its next receiver must know; nil before the first frame.
    var handOver: HandOver? {
        withTracker { tracker in
            guard let expected = tracker.expected else { return nil }
            var state = HandOver(channel: number, expected: expected, timestamp: tracker.newestTimestamp)
            var i = tracker.rangeCount
            while i > 0, state.missing.count < HandOver.textLimit / 4 {
                i -= 1
                state.missing.append(HandOver.Missing(first: tracker[i].first, last: tracker[i].last))
            }
            return state
        }
    }

    /// Goes on where another receiver has come to, unless this one has come as far: then it was this one, or has kept more
    /// than was committed.
    func resume(_ state: HandOver) {
        withTracker { tracker in
            if let expected = tracker.expected {
                guard state.timestamp > tracker.newestTimestamp
                    || (state.timestamp == tracker.newestTimestamp && state.expected > expected) else { return }
            }
            tracker.resume(expected: state.expected, timestamp: state.timestamp)
            for range in state.missing.reversed() { tracker.resume(missing: range.first, range.last) }
        }
    }
}
