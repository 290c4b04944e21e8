import CPosix
import Synchronization
import TickLog

/// The thread that writes a log (spec: PACKETS, 5): what the stream has, in long pieces, and syncs it every now and then, or
/// when somebody waits for it.
///
/// Room in the stream is given back when it is on the medium, not when it is written. So if a sync fails, after which nobody
/// knows what is there, everything since the last good one is written again.
final class BMSLogWriter {
    private let stream: PacketStream
    private let path: String
    private let syncNs: UInt64
    private let counts: LogCounts
    private let state: ServerState
    /// Told when something is on the medium.
    private let told: EventFlag
    /// The loop has appended its last record.
    let inputEnded = Atomic<Bool>(false)

    private var descriptor: Int32 = -1
    @exclusivity(unchecked) private var number: UInt64
    /// Where in the stream the file would begin, if all of it were there; it wraps for a file that was continued.
    @exclusivity(unchecked) private var fileStart: UInt64
    /// The file is an earlier server's.
    @exclusivity(unchecked) private var isContinued: Bool
    @exclusivity(unchecked) private var written: UInt64 = 0
    @exclusivity(unchecked) private var synced: UInt64 = 0
    @exclusivity(unchecked) private var syncedAt: UInt64 = 0
    @exclusivity(unchecked) private var nextRoll: UInt64?
    @exclusivity(unchecked) private var refusedSince: UInt64?

    private static var pieceBytes: UInt64 { 1 << 20 }
    /// How long the medium may refuse after the server was told to stop.
    private static var patienceNs: UInt64 { 900_000_000 }

    /// - Parameter earlier: where in the log the stream begins.
    init(
        _ stream: PacketStream, _ path: String, from earlier: LogPosition, syncMilliseconds: UInt64, _ counts: LogCounts,
        _ state: ServerState, told: EventFlag
    ) {
        self.stream = stream
        self.path = path
        syncNs = syncMilliseconds &* 1_000_000
        self.counts = counts
        self.state = state
        self.told = told
        number = earlier.number
        fileStart = 0 &- earlier.offset
        isContinued = earlier.offset > 0
    }

    deinit { if descriptor >= 0 { _ = close(descriptor) } }

    /// Opens the file, so that what cannot work is known at once.
    func open() throws(FileError) {
        let isNew = !isContinued
        if isNew, kind(of: path, following: false) != .missing { throw FileError(path, "create", EEXIST) }
        let opened = cposix_open(path, O_WRONLY | O_CLOEXEC | (isNew ? O_CREAT | O_EXCL : 0), 0o666)
        guard opened >= 0 else { throw FileError(path, "open", cposix_errno()) }
        // Its name shall be there when its bytes are.
        if isNew { syncDirectory(path.directory) }
        descriptor = opened
        counts.files.add(1)
    }

    /// The thread, until the input has ended and everything is on the medium.
    func run() {
        syncedAt = monotonicNs()
        while true {
            let isLast = inputEnded.load(ordering: .acquiring)
            let isDone = step(isLast)
            if isLast, isDone { break }
            if isLast, let since = refusedSince, monotonicNs() &- max(since, state.stoppedNs ?? since) > BMSLogWriter.patienceNs {
                counts.lostBytes.store(stream.published.load() &- synced)
                state.fail(terminalText(path) + ": what was not written is lost: \(stream.published.load() &- synced) bytes")
                break
            }
            stream.wake.wait(milliseconds: pauseMilliseconds())
        }
        if descriptor >= 0 { _ = close(descriptor) }
        descriptor = -1
        told.signal()
    }

    func wakeUp() { stream.wake.signal() }

    private func pauseMilliseconds() -> Int {
        if refusedSince != nil { return 50 }
        let isIdle = synced == stream.published.load()
        return min(isIdle ? 100 : 20, max(1, Int(syncNs / 1_000_000)))
    }

    /// Writes and syncs what is due. Whether everything is on the medium.
    private func step(_ isLast: Bool) -> Bool {
        do throws(FileError) {
            while true {
                let end = stream.published.load()
                if nextRoll == nil {
                    nextRoll = stream.rolls.take()
                    stream.rolls.release()
                }
                let upTo = min(end, nextRoll ?? end)
                try write(upTo)
                let isRolling = nextRoll == upTo
                if synced < written, isRolling || isLast || isDue { try sync() }
                guard isRolling else { break }
                try roll()
            }
            if refusedSince != nil { wrote() }
            return synced == stream.published.load()
        } catch {
            refused(error)
            return false
        }
    }

    /// Whether it is time for a sync: of much that was written too, since its room is wanted.
    private var isDue: Bool {
        let wanted = stream.wanted.load()
        return (wanted > synced && wanted <= written) || monotonicNs() &- syncedAt >= syncNs
            || written &- synced > UInt64(stream.ring.capacity) / 4
    }

    private func write(_ end: UInt64) throws(FileError) {
        guard written < end else { return }
        if descriptor < 0 { try open() }
        while written < end {
            let count = Int(min(end &- written, BMSLogWriter.pieceBytes))
            let put = pwrite(descriptor, stream.ring.at(written), count, off_t(written &- fileStart))
            if put > 0 {
                written &+= UInt64(put)
                continue
            }
            let error = put == 0 ? ENOSPC : cposix_errno()
            if error != EINTR { throw FileError(path, "write", error) }
        }
    }

    private func sync() throws(FileError) {
        guard fdatasync(descriptor) == 0 else {
            let error = cposix_errno()
            // The system has forgotten what it could not write, and would say the next time that all is well.
            written = synced
            throw FileError(path, "sync", error)
        }
        synced = written
        syncedAt = monotonicNs()
        counts.syncs.add(1)
        counts.bytes.store(synced)
        stream.released.store(synced)
        told.signal()
    }

    /// The file is whole, and on the medium: it gets its number.
    private func roll() throws(FileError) {
        let name = LogFile.path(path, number: number)
        if descriptor >= 0 {
            // Nothing is ever replaced.
            guard kind(of: name, following: false) == .missing else { throw FileError(name, "rename to it", EEXIST) }
            guard rename(path, name) == 0 else { throw FileError(name, "rename to it", cposix_errno()) }
            syncDirectory(path.directory)
            _ = close(descriptor)
            descriptor = -1
        }
        number += 1
        isContinued = false
        fileStart = synced
        nextRoll = nil
        try open()
    }

    private func refused(_ error: FileError) {
        guard refusedSince == nil else { return }
        refusedSince = monotonicNs()
        counts.refusals.add(1)
        stream.isRefused.store(1)
        state.say(Fault(error).message + "; it is tried again, and nobody's packets are read when memory is full")
    }

    private func wrote() {
        guard let since = refusedSince else { return }
        refusedSince = nil
        stream.isRefused.store(0)
        state.say(terminalText(path) + ": writing again after \((monotonicNs() &- since) / 1_000_000) ms")
    }
}
