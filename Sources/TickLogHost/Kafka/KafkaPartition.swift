import CKafka
import CPosix

/// A partition that the group has given to this receiver: how far it was taken, and how far of that is on the medium.
final class KafkaPartition {
    let topic: String
    let number: Int32
    /// Whose frames all of it are; nil: the keys tell.
    let channel: Channel?
    /// The offset behind the last message that was taken; -1: none was.
    var next: Int64 = -1
    /// Messages that came but have no room yet, in order.
    var held: [UnsafeMutablePointer<ckafka_message>] = []
    var isPaused = false
    /// Up to where the group has been asked to take it as done, and has.
    private var requested: Int64 = -1
    private var committed: Int64 = -1
    /// Channels that have, or had with an earlier receiver, messages in it.
    private var touched: [Int] = []
    private var latestTouched = -1
    private var checkpoint: Checkpoint?
    private var markedNs: UInt64 = 0

    /// Everything before `offset` is on the medium when each channel's `synced` has come to its position.
    private struct Checkpoint {
        let offset: Int64
        var positions: [(channel: Int, position: UInt64)]
        let text: String
    }

    init(_ topic: String, _ number: Int32, channel: Channel?) {
        self.topic = topic
        self.number = number
        self.channel = channel
    }

    func isThat(_ topic: UnsafePointer<CChar>, _ number: Int32) -> Bool {
        number == self.number && self.topic.withCString { strcmp($0, topic) == 0 }
    }

    func touched(_ channel: Channel) {
        guard channel.number != latestTouched else { return }
        latestTouched = channel.number
        if !touched.contains(channel.number) { touched.append(channel.number) }
    }

    func discardHeld(_ consumer: KafkaConsumer) {
        for message in held { consumer.discard(message) }
        held.removeAll()
    }

    /// Nothing was taken that the group was not told of.
    var isRequested: Bool { next <= requested }

    /// What was marked is not on the medium yet.
    var isWaiting: Bool { checkpoint != nil }

    func committed(_ offset: Int64) { committed = max(committed, offset) }

    /// The group is told again.
    func commitFailed() { requested = committed }

    func isDue(_ now: UInt64, _ milliseconds: UInt64) -> Bool {
        checkpoint == nil && !isRequested && now &- markedNs >= milliseconds &* 1_000_000
    }

    /// Begins to wait for what was taken so far to be on the medium. Memory is bounded: there is one such at a time.
    func mark(_ channels: [Channel], _ now: UInt64) {
        guard next > committed else { return }
        var positions: [(channel: Int, position: UInt64)] = []
        var states: [HandOver] = []
        for number in touched {
            let channel = channels[number]
            positions.append((number, channel.position))
            if let state = channel.handOver { states.append(state) }
            channel.requestSync()
        }
        checkpoint = Checkpoint(offset: next, positions: positions, text: HandOver.text(states))
        markedNs = now
    }

    /// What can be committed, once: all that was taken when it was last marked, if that is on the medium now.
    func synced(_ channels: [Channel]) -> KafkaConsumer.Progress? {
        guard let checkpoint else { return nil }
        for entry in checkpoint.positions where channels[entry.channel].synced < entry.position { return nil }
        self.checkpoint = nil
        requested = checkpoint.offset
        return KafkaConsumer.Progress(topic: topic, partition: number, offset: checkpoint.offset, text: checkpoint.text)
    }
}
