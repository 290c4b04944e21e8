import Synchronization
import TickLog

/// What all threads of a server know.
final class ServerState: Sendable {
    private let stopping = Published64()
    private let failed = Atomic<Bool>(false)
    let say: @Sendable (String) -> Void

    init(say: @escaping @Sendable (String) -> Void) { self.say = say }

    /// When it was told to stop; nil: it was not.
    var stoppedNs: UInt64? {
        let ns = stopping.load()
        return ns == 0 ? nil : ns
    }

    var hasFailed: Bool { failed.load(ordering: .relaxed) }

    func stop() { if stopping.load() == 0 { stopping.store(monotonicNs()) } }

    /// Something was lost, or may be.
    func fail(_ text: String) {
        failed.store(true, ordering: .relaxed)
        say(text)
    }
}

/// What a log's writer has counted.
final class LogCounts: Sendable {
    /// On the medium since the server started.
    let bytes = Published64()
    let files = Published64()
    let syncs = Published64()
    /// How often the medium began to refuse.
    let refusals = Published64()
    let lostBytes = Published64()
}
