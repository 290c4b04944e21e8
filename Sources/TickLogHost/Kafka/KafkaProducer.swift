import CKafka
import CPosix
import Synchronization

/// Sends frames to Kafka, one a message: the key is the channel's number in decimal digits.
///
/// Partition `channel mod partitions`: the frames of a channel stay in their order, and neighbours spread evenly. The
/// brokers acknowledge every message once all replicas in sync have it, and drop what a retry sent twice.
///
/// Any thread may send; the frames of one channel come from one thread.
final class KafkaProducer {
    /// Acknowledged by the brokers; given up.
    let delivered = Atomic<UInt>(0)
    let failed = Atomic<UInt>(0)
    /// Why the first message that failed did; 0: none has.
    private let failure = Atomic<Int32>(0)
    private let library: KafkaLibrary
    private let settings: KafkaSettings
    @exclusivity(unchecked) private var client: OpaquePointer?
    /// Of each channel; with one topic for all, one.
    @exclusivity(unchecked) private var topics: [OpaquePointer] = []

    /// - Parameter maxFrame: bytes of the longest frame.
    init(_ settings: KafkaSettings, channels: Int, maxFrame: Int) throws(KafkaError) {
        library = try KafkaLibrary()
        self.settings = settings
        let properties = [
            KafkaProperty("enable.idempotence", "true"),
            // Kafka's own overhead of a batch is well below this.
            KafkaProperty("message.max.bytes", String(max(1_000_000, min(maxFrame, 999_000_000) + 65536))),
            KafkaProperty("queue.buffering.max.kbytes", "65536"),
            KafkaProperty("linger.ms", "5"),
        ]
        let opaque = Unmanaged.passUnretained(self).toOpaque()
        let functions = library.functions
        client = try library.client(CKAFKA_PRODUCER, settings, properties) { configuration in
            functions.conf_set_opaque(configuration, opaque)
            functions.conf_set_dr_msg_cb(configuration) { _, message, opaque in
                Unmanaged<KafkaProducer>.fromOpaque(opaque!).takeUnretainedValue().reported(message!.pointee.error)
            }
        }
        for channel in 0..<(settings.hasTopicPerChannel ? channels : 1) { topics.append(try topic(of: channel)) }
    }

    deinit {
        for topic in topics { library.functions.topic_destroy(topic) }
        if let client { library.functions.destroy(client) }
    }

    /// Takes a copy of a frame. Waits while the queue is full: brokers that are slow, or away, hold up the producer.
    func send(channel: Int, frame: UnsafeRawBufferPointer, isStopped: () -> Bool) throws(KafkaError) {
        let topic = topics[settings.hasTopicPerChannel ? channel : 0]
        // Decimal digits, at most 20.
        var key: (UInt64, UInt64, UInt64) = (0, 0, 0)
        let functions = library.functions
        let error = withUnsafeMutableBytes(of: &key) { key in
            var at = key.count
            var rest = UInt(bitPattern: channel)
            repeat {
                at -= 1
                key[at] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
                rest /= 10
            } while rest > 0
            while functions.produce(
                topic, CKAFKA_ANY_PARTITION, CKAFKA_COPY, UnsafeMutableRawPointer(mutating: frame.baseAddress),
                frame.count, key.baseAddress! + at, key.count - at, nil) != 0
            {
                let error = functions.last_error()
                guard error == CKAFKA_QUEUE_FULL, !isStopped() else { return error }
                _ = functions.poll(client, 100)
            }
            return 0
        }
        _ = functions.poll(client, 0)
        let reported = failure.load(ordering: .relaxed)
        if error != 0 || reported != 0 { throw failed(reported != 0 ? reported : error) }
    }

    /// Waits until every frame was acknowledged or given up (`delivery.timeout.ms`, 5 minutes unless told otherwise).
    /// - Throws: how many were not taken, and why.
    func finish(isStopped: () -> Bool) throws(KafkaError) {
        while library.functions.outq_len(client) > 0, !isStopped() { _ = library.functions.flush(client, 100) }
        let reported = failure.load(ordering: .relaxed)
        if reported != 0 || library.functions.outq_len(client) > 0 { throw failed(reported) }
    }

    private func failed(_ error: Int32) -> KafkaError {
        var reason = error == 0 ? "stopped" : library.text(of: error)
        if error == CKAFKA_FATAL, let fatal = library.fatalError(of: client) { reason = fatal }
        return KafkaError(
            "Kafka: " + terminalText(settings.brokers) + ": " + terminalText(reason)
                + ": \(delivered.load(ordering: .relaxed)) messages delivered, \(failed.load(ordering: .relaxed)) failed, "
                + "\(library.functions.outq_len(client)) still waiting")
    }

    private func topic(of channel: Int) throws(KafkaError) -> OpaquePointer {
        // With what the settings say of topics.
        let configuration = library.functions.default_topic_conf_dup(client)
        library.functions.topic_conf_set_partitioner_cb(configuration) { _, key, bytes, partitions, _, _ in
            guard let channel = channelOfKey(UnsafeRawBufferPointer(start: key, count: bytes)), partitions > 0 else { return 0 }
            return Int32(truncatingIfNeeded: channel % Int(partitions))
        }
        let name = settings.topic(of: channel)
        guard let topic = library.functions.topic_new(client, name, configuration) else {
            throw KafkaError("Kafka: topic " + terminalText(name) + ": " + library.text(of: library.functions.last_error()))
        }
        return topic
    }

    private func reported(_ error: Int32) {
        if error == 0 {
            delivered.wrappingAdd(1, ordering: .relaxed)
        } else {
            failed.wrappingAdd(1, ordering: .relaxed)
            _ = failure.compareExchange(expected: 0, desired: error, ordering: .relaxed)
        }
    }
}

/// The channel that a message's key names, in decimal digits without a leading zero; nil if it names none.
func channelOfKey(_ key: UnsafeRawBufferPointer) -> Int? {
    guard key.count >= 1, key.count <= 9, key.count == 1 || key[0] != 0x30 else { return nil }
    var channel = 0
    for byte in key {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        channel = channel * 10 + Int(byte - 0x30)
    }
    return channel
}
