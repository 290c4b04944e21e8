import CKafka
import CPosix

/// librdkafka, found when it is first needed: a machine without it runs everything else.
final class KafkaLibrary {
    let functions: ckafka

    init() throws(KafkaError) {
        var functions = ckafka()
        let reason = UnsafeMutablePointer<CChar>.allocate(capacity: KafkaLibrary.textRoom)
        defer { reason.deallocate() }
        guard ckafka_load(&functions, "librdkafka.so.1", reason, KafkaLibrary.textRoom) == 0 else {
            throw KafkaError(
                "Kafka needs the library librdkafka.so.1: install it (apt install librdkafka1). The loader says: "
                    + String(cString: reason))
        }
        self.functions = functions
    }

    /// Makes a producer or a consumer. `configure` sets callbacks and the like.
    func client(
        _ kind: Int32, _ settings: KafkaSettings, _ properties: [KafkaProperty], _ configure: (OpaquePointer) -> Void
    ) throws(KafkaError) -> OpaquePointer {
        guard let configuration = functions.conf_new() else { throw KafkaError("Kafka: no memory") }
        let reason = UnsafeMutablePointer<CChar>.allocate(capacity: KafkaLibrary.textRoom)
        defer { reason.deallocate() }
        // The user's come last: they win.
        for property in [KafkaProperty("bootstrap.servers", settings.brokers)] + properties + settings.properties {
            guard functions.conf_set(configuration, property.name, property.value, reason, KafkaLibrary.textRoom) == 0 else {
                functions.conf_destroy(configuration)
                throw KafkaError("Kafka: " + terminalText(property.name) + ": " + terminalText(String(cString: reason)))
            }
        }
        // It would write to standard error what the error callback tells as well.
        functions.conf_set_log_cb(configuration) { _, _, _, _ in }
        configure(configuration)
        guard let client = functions.new(kind, configuration, reason, KafkaLibrary.textRoom) else {
            functions.conf_destroy(configuration)
            throw KafkaError("Kafka: " + terminalText(String(cString: reason)))
        }
        return client
    }

    func text(of error: Int32) -> String { String(cString: functions.err2str(error)!) }

    /// What has gone wrong for good, if anything has.
    func fatalError(of client: OpaquePointer?) -> String? {
        let text = UnsafeMutablePointer<CChar>.allocate(capacity: KafkaLibrary.textRoom)
        defer { text.deallocate() }
        return functions.fatal_error(client, text, KafkaLibrary.textRoom) == 0 ? nil : String(cString: text)
    }

    private static var textRoom: Int { 512 }
}
