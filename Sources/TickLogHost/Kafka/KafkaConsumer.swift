import CKafka
import CPosix
import Synchronization

/// A member of a consumer group: gets messages of the partitions that the group gives it, and says up to where it has them
/// for good. All of it in one thread.
final class KafkaConsumer {
    /// What becomes of the partitions: called from within `poll` and `close`.
    struct Events {
        /// These are ours from now on: with the group's committed offsets, and the text that was committed with them.
        let assigned: (UnsafeMutableBufferPointer<ckafka_partition>) -> Void
        /// These are no longer. `isLost`: they are someone else's already, nothing can be committed.
        let revoked: (UnsafeMutableBufferPointer<ckafka_partition>, _ isLost: Bool) -> Void
        /// A commit that nobody waited for has come to its end: the partitions have their offsets, and errors.
        let committed: (UnsafeMutableBufferPointer<ckafka_partition>, _ error: Int32) -> Void
    }

    private let library: KafkaLibrary
    @exclusivity(unchecked) private var client: OpaquePointer?
    @exclusivity(unchecked) private var events: Events?
    /// The request to join the group, which every rebalance begins with, is on its way. The brokers answer it before what
    /// comes behind it; a commit would have an old generation then, and the library takes that for the loss of all
    /// partitions. Set in a thread of the library.
    private let isJoining = Atomic<Bool>(false)
    /// The library joins right behind some calls of `rebalanced`.
    @exclusivity(unchecked) private var rebalancedNs: UInt64 = 0
    /// What librdkafka has to say that nobody asked for, not yet told.
    @exclusivity(unchecked) private(set) var notes: [String] = []

    /// - Parameter maxFrame: bytes of the longest message that is of interest.
    init(_ settings: KafkaSettings, maxFrame: Int) throws(KafkaError) {
        library = try KafkaLibrary()
        let properties = [
            KafkaProperty("group.id", settings.group),
            KafkaProperty("enable.auto.commit", "false"),
            KafkaProperty("enable.auto.offset.store", "false"),
            KafkaProperty("auto.offset.reset", "earliest"),
            // Partitions that stay where they are go on during a rebalance.
            KafkaProperty("partition.assignment.strategy", "cooperative-sticky"),
            KafkaProperty("fetch.message.max.bytes", String(max(1_048_576, min(maxFrame, 999_000_000) + 65536))),
            // What lies in the library's queue for all partitions together: the rings are the buffer.
            KafkaProperty("queued.max.messages.kbytes", "16384"),
            KafkaProperty("fetch.wait.max.ms", "100"),
        ]
        let opaque = Unmanaged.passUnretained(self).toOpaque()
        let functions = library.functions
        client = try library.client(CKAFKA_CONSUMER, settings, properties) { configuration in
            functions.conf_set_opaque(configuration, opaque)
            functions.conf_set_error_cb(configuration) { _, error, reason, opaque in
                let text = reason == nil ? "" : String(cString: reason!)
                Unmanaged<KafkaConsumer>.fromOpaque(opaque!).takeUnretainedValue().note(error, text)
            }
            functions.conf_set_rebalance_cb(configuration) { _, error, partitions, opaque in
                Unmanaged<KafkaConsumer>.fromOpaque(opaque!).takeUnretainedValue().rebalanced(error, partitions!)
            }
            _ = functions.conf_interceptor_add_on_new(configuration, "ticklog", { client, _, opaque, _, _ in
                let consumer = Unmanaged<KafkaConsumer>.fromOpaque(opaque!).takeUnretainedValue()
                return consumer.library.functions.interceptor_add_on_request_sent(client, "ticklog", { _, _, _, _, key, _, _, _, opaque in
                    guard key == CKAFKA_JOIN_GROUP else { return 0 }
                    Unmanaged<KafkaConsumer>.fromOpaque(opaque!).takeUnretainedValue().isJoining.store(true, ordering: .relaxed)
                    return 0
                }, opaque)
            }, opaque)
            functions.conf_set_offset_commit_cb(configuration) { _, error, partitions, opaque in
                guard let list = partitions?.pointee else { return }
                let consumer = Unmanaged<KafkaConsumer>.fromOpaque(opaque!).takeUnretainedValue()
                consumer.events?.committed(UnsafeMutableBufferPointer(start: list.elements, count: Int(list.count)), error)
            }
        }
        // All events, callbacks too, come by `poll`.
        _ = functions.poll_set_consumer(client)
    }

    deinit { if let client { library.functions.destroy(client) } }

    func subscribe(_ topics: [String], _ events: Events) throws(KafkaError) {
        self.events = events
        let list = library.functions.topic_partition_list_new(Int32(truncatingIfNeeded: topics.count))
        defer { library.functions.topic_partition_list_destroy(list) }
        for topic in topics { _ = library.functions.topic_partition_list_add(list, topic, CKAFKA_ANY_PARTITION) }
        let error = library.functions.subscribe(client, list)
        guard error == 0 else { throw KafkaError("Kafka: subscribe: " + library.text(of: error)) }
    }

    /// The next message, which is the caller's to `discard`; nil if none comes so soon, or if there was something else.
    func poll(milliseconds: Int32) -> UnsafeMutablePointer<ckafka_message>? {
        guard let message = library.functions.consumer_poll(client, milliseconds) else { return nil }
        guard message.pointee.error == 0 else {
            note(message.pointee.error, text(of: message.pointee))
            discard(message)
            return nil
        }
        return message
    }

    func discard(_ message: UnsafeMutablePointer<ckafka_message>) { library.functions.message_destroy(message) }

    func topic(of message: ckafka_message) -> UnsafePointer<CChar> { library.functions.topic_name(message.topic)! }

    /// Fetches nothing of a partition until it is to go on. The group sees no difference.
    func hold(_ topic: String, _ partition: Int32, _ isPaused: Bool) {
        let list = library.functions.topic_partition_list_new(1)
        defer { library.functions.topic_partition_list_destroy(list) }
        _ = library.functions.topic_partition_list_add(list, topic, partition)
        _ = isPaused ? library.functions.pause_partitions(client, list) : library.functions.resume_partitions(client, list)
    }

    /// One partition's progress: everything before `offset` is ours for good.
    struct Progress {
        let topic: String
        let partition: Int32
        let offset: Int64
        let text: String
    }

    /// Whether it is a good moment to commit: no rebalance is known to be under way.
    func canCommit(_ now: UInt64) -> Bool {
        !isJoining.load(ordering: .relaxed) && now &- rebalancedNs >= 100_000_000
    }

    /// - Parameter waits: until the group has it; else soon, and `committed` tells.
    /// - Returns: false if it is known already that the group does not have it.
    func commit(_ progress: [Progress], waits: Bool) -> Bool {
        guard !progress.isEmpty else { return true }
        let list = library.functions.topic_partition_list_new(Int32(truncatingIfNeeded: progress.count))
        defer { library.functions.topic_partition_list_destroy(list) }
        for entry in progress {
            guard let added = library.functions.topic_partition_list_add(list, entry.topic, entry.partition) else { continue }
            added.pointee.offset = entry.offset
            if let text = strdup(entry.text) {
                added.pointee.metadata = UnsafeMutableRawPointer(text)
                added.pointee.metadata_bytes = strlen(text)
            }
        }
        var error = library.functions.commit(client, list, waits ? 0 : 1)
        // Other members have not finished the rebalance yet. It may be a matter of moments.
        var tries = 20
        while waits, error == CKAFKA_REBALANCE_IN_PROGRESS, tries > 0 {
            pause(milliseconds: 50)
            tries -= 1
            error = library.functions.commit(client, list, 0)
        }
        if error != 0 { note(error, "commit: " + library.text(of: error) + ": what was not committed comes again") }
        return error == 0
    }

    /// Leaves the group: `revoked` is called for what is still ours.
    func close() {
        let error = library.functions.consumer_close(client)
        if error != 0 { note(error, "close: " + library.text(of: error)) }
    }

    /// What cannot be mended: the consumer gets nothing more.
    var fatalError: String? { library.fatalError(of: client) }

    func takeNotes() -> [String] {
        let taken = notes
        notes.removeAll()
        return taken
    }

    private func rebalanced(_ error: Int32, _ list: UnsafeMutablePointer<ckafka_partitions>) {
        isJoining.store(false, ordering: .relaxed)
        let functions = library.functions
        let partitions = UnsafeMutableBufferPointer(start: list.pointee.elements, count: Int(list.pointee.count))
        let isCooperative = functions.rebalance_protocol(client).map { strcmp($0, "COOPERATIVE") == 0 } ?? false
        if error == CKAFKA_ASSIGN_PARTITIONS {
            // With its texts. If the group cannot be asked, the library asks again for the offsets, and only those.
            _ = functions.committed(client, list, 5000)
            events?.assigned(partitions)
            for i in partitions.indices { partitions[i].offset = CKAFKA_OFFSET_INVALID }
            check(isCooperative ? functions.incremental_assign(client, list) : nil, isCooperative ? 0 : functions.assign(client, list))
        } else {
            events?.revoked(partitions, functions.assignment_lost(client) != 0)
            check(isCooperative ? functions.incremental_unassign(client, list) : nil, isCooperative ? 0 : functions.assign(client, nil))
        }
        rebalancedNs = monotonicNs()
    }

    private func check(_ failure: OpaquePointer?, _ error: Int32) {
        var error = error
        if let failure {
            error = library.functions.error_code(failure)
            library.functions.error_destroy(failure)
        }
        if error != 0 { note(error, "rebalance: " + library.text(of: error)) }
    }

    private func text(of message: ckafka_message) -> String {
        var text = library.text(of: message.error)
        if let name = message.topic { text = String(cString: library.functions.topic_name(name)!) + ": " + text }
        return text
    }

    /// A few are kept: nobody reads hundreds of the same.
    private func note(_ error: Int32, _ text: String) {
        let text = "Kafka: " + terminalText(text.isEmpty ? library.text(of: error) : text)
        if notes.count < 16, notes.last != text { notes.append(text) }
    }
}
