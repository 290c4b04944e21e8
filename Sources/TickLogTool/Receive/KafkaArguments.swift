import TickLogHost

/// What `--kafka`, `--topic`, `--group` and `--kafka-config` say; nil without the first.
func kafkaSettings(_ arguments: Arguments) throws(Failure) -> KafkaSettings? {
    guard let brokers = arguments.value("kafka") else {
        for name in ["topic", "group", "kafka-config"] where arguments.has(name) { throw .usage("found --\(name) without --kafka") }
        return nil
    }
    guard !brokers.isEmpty else { throw .usage("--kafka: found nothing, expected HOST:PORT,...") }
    var settings = KafkaSettings(brokers: brokers)
    settings.topic = arguments.value("topic") ?? settings.topic
    guard !settings.topic.isEmpty else { throw .usage("--topic: found nothing, expected a topic's name") }
    settings.group = arguments.value("group") ?? settings.group
    guard !settings.group.isEmpty else { throw .usage("--group: found nothing, expected a group's name") }
    if let path = arguments.value("kafka-config") {
        let file: MappedFile
        do throws(FileError) { file = try MappedFile(path) } catch { throw Failure(error) }
        do throws(KafkaError) {
            settings.properties = try KafkaSettings.properties(file.bytes, named: path)
        } catch { throw .usage(error.message) }
    }
    return settings
}
