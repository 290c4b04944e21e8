import CPosix
import Synchronization

/// Frames to Kafka, a message each (docs: SCALING).
public final class KafkaFrameOutput: FrameOutput {
    private let producer: KafkaProducer
    private let name: String
    /// What went wrong, in Kafka's words: a `FileError` has only a number. Set before one is thrown.
    private let reason = Atomic<UnsafeMutablePointer<CChar>?>(nil)

    public init(_ settings: KafkaSettings, channels: Int, maxFrame: Int) throws(KafkaError) {
        producer = try KafkaProducer(settings, channels: channels, maxFrame: maxFrame)
        name = settings.brokers
    }

    deinit { if let text = reason.load(ordering: .acquiring) { free(text) } }

    /// Messages that the brokers have acknowledged.
    public var delivered: UInt64 { UInt64(producer.delivered.load(ordering: .relaxed)) }

    public var failure: String? { reason.load(ordering: .acquiring).map { String(cString: $0) } }

    public override func send(channel: Int, frame: UnsafeRawBufferPointer) throws(FileError) {
        do throws(KafkaError) {
            try producer.send(channel: channel, frame: frame) { isStopped.load(ordering: .relaxed) }
        } catch { throw failed(error) }
    }

    /// Waits until all frames of all channels are acknowledged, unless it is stopped a second time.
    public override func end() throws(FileError) {
        do throws(KafkaError) { try producer.finish { false } } catch { throw failed(error) }
    }

    private func failed(_ error: KafkaError) -> FileError {
        let text = strdup(error.message)
        if let text, !reason.compareExchange(expected: nil, desired: text, ordering: .acquiringAndReleasing).exchanged { free(text) }
        return FileError(name, "send", EIO)
    }
}
