import TickLog

/// One setting of librdkafka, by the name that its documentation has.
public struct KafkaProperty {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Where the frames are in Kafka (docs: SCALING).
public struct KafkaSettings {
    /// HOST:PORT, or several with commas between.
    public var brokers: String
    /// One topic for all channels; or, with `%d` in it, one for each, its number in that place.
    public var topic: String
    /// Receivers of one group share the partitions.
    public var group: String
    /// How often offsets are committed; before each commit, what was received is synced.
    public var commitMilliseconds: UInt64 = 1000
    /// What else librdkafka is to be told. They win over what is set here by itself.
    public var properties: [KafkaProperty]

    public init(brokers: String, topic: String = "ticklog", group: String = "ticklog", properties: [KafkaProperty] = []) {
        self.brokers = brokers
        self.topic = topic
        self.group = group
        self.properties = properties
    }

    public var hasTopicPerChannel: Bool { channelPlace != nil }

    /// The topic of a channel.
    public func topic(of channel: Int) -> String {
        guard let at = channelPlace else { return topic }
        let bytes = Array(topic.utf8)
        return String(decoding: bytes[..<at] + Array(String(channel).utf8) + bytes[(at + 2)...], as: UTF8.self)
    }

    /// Reads librdkafka's settings as Kafka's own tools have them in a file: lines of `name=value`, `#` begins a comment.
    /// - Throws: what stands in a line that is none.
    public static func properties(_ text: FileBytes, named path: String) throws(KafkaError) -> [KafkaProperty] {
        var properties: [KafkaProperty] = []
        var line = 0
        for part in text.buffer.split(separator: 0x0A, omittingEmptySubsequences: false) {
            line += 1
            let bytes = trimmed(part)
            guard let first = bytes.first, first != 0x23 else { continue }
            guard let equals = bytes.firstIndex(of: 0x3D), equals > bytes.startIndex, !bytes.contains(0) else {
                throw KafkaError(
                    terminalText(path) + ": line \(line): found '" + terminalText(String(decoding: bytes, as: UTF8.self))
                        + "', expected NAME=VALUE")
            }
            properties.append(
                KafkaProperty(
                    String(decoding: trimmed(bytes[..<equals]), as: UTF8.self),
                    String(decoding: trimmed(bytes[(equals + 1)...]), as: UTF8.self)))
        }
        return properties
    }

    private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 || last == 0x0D { bytes.removeLast() }
        return bytes
    }

    /// Where `%d` stands in the topic's name.
    private var channelPlace: Int? {
        let bytes = Array(topic.utf8)
        for i in bytes.indices.dropLast() where bytes[i] == 0x25 && bytes[i + 1] == 0x64 { return i }
        return nil
    }
}
