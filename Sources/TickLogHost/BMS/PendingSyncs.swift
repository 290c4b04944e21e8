/// Who waits for an ACK, in the order of the log.
struct PendingSyncs {
    struct Sync {
        let client: ServerClient
        /// Everything before this must be on the medium.
        let position: UInt64
        let type: UInt8
        let source: UInt8
        let sequence: UInt8
    }

    private var syncs: [Sync] = []
    private var next = 0

    var isEmpty: Bool { next == syncs.count }

    mutating func add(_ sync: Sync) { syncs.append(sync) }

    /// The next one that can be answered.
    mutating func take(_ released: UInt64) -> Sync? {
        guard next < syncs.count, syncs[next].position <= released else { return nil }
        let sync = syncs[next]
        next += 1
        if next == syncs.count {
            syncs.removeAll(keepingCapacity: next <= 4096)
            next = 0
        } else if next >= 4096, next * 2 > syncs.count {
            syncs.removeFirst(next)
            next = 0
        }
        return sync
    }

    mutating func forget(_ client: ServerClient) {
        syncs.removeFirst(next)
        next = 0
        syncs.removeAll { $0.client === client }
    }
}
