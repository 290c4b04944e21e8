import CPosix
import Synchronization

/// Wakes a thread that waits for a descriptor. Signalled twice before it was cleared, it wakes once.
final class EventFlag {
    let descriptor: Int32
    private let isSet = Atomic<Bool>(false)

    init() throws(FileError) {
        descriptor = cposix_event_descriptor()
        guard descriptor >= 0 else { throw FileError("event", "create", cposix_errno()) }
    }

    deinit { _ = close(descriptor) }

    /// From any thread, and from signal handlers.
    func signal() {
        guard !isSet.exchange(true, ordering: .sequentiallyConsistent) else { return }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// By the thread that was woken, before it looks at what there is to do.
    func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        isSet.store(false, ordering: .sequentiallyConsistent)
    }

    /// Waits until it is signalled, and clears it.
    func wait(milliseconds: Int) {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&ready, 1, Int32(clamping: milliseconds)) > 0 { clear() }
    }
}
