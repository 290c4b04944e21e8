/// Why Kafka cannot be used, or did not take everything: a sentence for the user.
public struct KafkaError: Error {
    public let message: String

    init(_ message: String) { self.message = message }
}
