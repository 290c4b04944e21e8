import CPosix
import Synchronization
import TickLog

/// The write thread of a channel (spec: FRAMES, 5 and 6): puts chunks together to periodics, writes frames in batches that
/// end where periodics do, and tells what was lost.
final class ChannelWriter {
    let channel: Channel
    private let files: FrameWriter
    private let losses: LossLog
    private let options: ReceiverOptions
    private let state: ReceiverState
    /// The receive thread has put its last entry.
    let inputEnded = Atomic<Bool>(false)

    private let slots: UnsafeMutableBufferPointer<OpenPeriodic>
    private let bits: UnsafeMutablePointer<UInt64>
    @exclusivity(unchecked) private var assembler: PeriodicAssembler
    /// The same memory, to be looked at while the other one changes it.
    private let view: PeriodicAssembler
    @exclusivity(unchecked) private var unassembled: UInt64 = 0

    /// Up to where the entries are in files or in the batch.
    @exclusivity(unchecked) private var handled: UInt64 = 0
    @exclusivity(unchecked) private var batchSince: UInt64 = 0
    @exclusivity(unchecked) private var syncedAt: UInt64 = 0
    @exclusivity(unchecked) private var toldAt: UInt64 = 0
    /// The last frame ended a periodic, or belongs to none.
    @exclusivity(unchecked) private var isBoundary = true
    @exclusivity(unchecked) private var lateFirst: UInt64 = 0
    @exclusivity(unchecked) private var lateLast: UInt64?
    /// Damage that is not told yet: what comes at once is one line.
    @exclusivity(unchecked) private var damage: [UInt64] = [0, 0, 0, 0, 0]
    @exclusivity(unchecked) private var hasDamage = false
    @exclusivity(unchecked) private var hasGivenUp = false

    /// A batch is written at the end of a periodic when it has this many bytes, and anywhere when it has four times that.
    private let batchBytes: Int
    private static var holdNs: UInt64 { 10_000_000 }
    /// How long the medium may refuse after the receiver was told to stop.
    private static var patienceNs: UInt64 { 5_000_000_000 }
    static var maxChunks: UInt32 { 65536 }

    init(_ channel: Channel, _ files: FrameWriter, _ losses: LossLog, _ options: ReceiverOptions, _ state: ReceiverState) {
        self.channel = channel
        self.files = files
        self.losses = losses
        self.options = options
        self.state = state
        batchBytes = min(1 << 20, channel.ring.capacity / 16)
        slots = .allocate(capacity: options.openPeriodics)
        slots.initialize(repeating: OpenPeriodic())
        let words = PeriodicAssembler.words(slots: options.openPeriodics, maxChunks: ChannelWriter.maxChunks)
        bits = .allocate(capacity: words)
        bits.initialize(repeating: 0, count: words)
        assembler = PeriodicAssembler(slots: slots, bits: bits, maxChunks: ChannelWriter.maxChunks)
        view = assembler
    }

    deinit {
        slots.deallocate()
        bits.deallocate()
    }

    /// The thread, until the input has ended and everything is on the medium.
    func run() {
        syncedAt = monotonicNs()
        var idle = 0
        while true {
            let isLast = inputEnded.load(ordering: .acquiring)
            if drain() {
                idle = 0
            } else if !isLast {
                // A channel that is silent costs little; one that is not is looked at every millisecond.
                idle += 1
                pause(milliseconds: idle < 100 ? 1 : 10)
            }
            if isLast { break }
        }
        finish()
    }

    /// Takes all entries there are. Whether there were any.
    private func drain() -> Bool {
        let scanned = channel.publishedScanned.load()
        var count = 0
        while let entry = channel.queue.take() {
            handle(entry)
            count &+= 1
            if count & 255 == 0 { channel.queue.release() }
            if files.batchBytes >= (isBoundary ? batchBytes : 4 * batchBytes) { flush() }
        }
        channel.queue.release()
        if scanned > handled { handled = scanned }
        if files.batchBytes == 0 {
            release()
        } else if monotonicNs() &- batchSince >= ChannelWriter.holdNs || (isBoundary && files.batchBytes >= batchBytes / 4) {
            flush()
        }
        syncIfDue()
        tellIfDue()
        publish()
        return count > 0
    }

    private func handle(_ entry: ChannelEntry) {
        switch entry.kind {
        case .frame: break
        case .late:
            if let last = lateLast, entry.a == last &+ 1 {
                lateLast = entry.a
            } else {
                tellLate()
                lateFirst = entry.a
                lateLast = entry.a
            }
        case .restart:
            assembler.end { tell($0, $1) }
            losses.record("restart", [("sequence", entry.a), ("timestamp", entry.b)])
        case .gap:
            losses.record("gap", [("first", entry.a), ("last", entry.b), ("missing", entry.b &- entry.a &+ 1)])
        case .damage:
            damage[0] &+= entry.position
            damage[1] &+= entry.a >> 32
            damage[2] &+= entry.a & 0xFFFF_FFFF
            damage[3] &+= entry.b >> 32
            damage[4] &+= entry.b & 0xFFFF_FFFF
            hasDamage = true
        case .kernelDrops: losses.record("kernel_drops", [("datagrams", entry.a)])
        }
        if entry.bytes > 0 { add(entry) }
        if losses.isFull { _ = persist { () throws(FileError) in try losses.write() } }
    }

    private func add(_ entry: ChannelEntry) {
        let frame = channel.ring.at(entry.position)
        let bytes = Int(entry.bytes)
        if !files.hasRoom(bytes) {
            flush()
            if files.exceeds(bytes) {
                _ = persist { () throws(FileError) in try files.roll() }
                if !hasGivenUp { channel.publishedSynced.store(handled) }
            }
        }
        if files.batchBytes == 0 { batchSince = monotonicNs() }
        files.add(frame, bytes)
        handled = entry.position &+ UInt64(bytes)

        isBoundary = true
        let payload = UnsafeRawPointer(frame) + FrameHeader.bytes
        guard let chunk = ChunkHeader(payload: payload, bytes: entry.bytes - UInt32(FrameHeader.bytes), flags: entry.flags) else {
            unassembled &+= 1
            return
        }
        switch assembler.add(chunk, sequence: entry.a, timestamp: entry.b, evicted: { tell($0, $1) }) {
        case .complete: break
        case .open: isBoundary = false
        case .inconsistent, .tooMany: unassembled &+= 1
        }
    }

    // MARK: The medium

    private func flush() {
        guard files.batchBytes > 0 else { return }
        // A receiver that goes on behind these frames does not tell what is missing before them.
        tellDamage()
        if losses.hasLines { _ = persist { () throws(FileError) in try losses.write() } }
        if !persist({ () throws(FileError) in try files.write() }) {
            channel.counts.unwrittenFrames.add(files.batchFrames)
            channel.counts.unwrittenBytes.add(UInt64(files.batchBytes))
            files.giveUp()
        } else {
            publish()
        }
        release()
        syncIfDue()
    }

    /// Everything that was handled is in files: its room is free.
    private func release() {
        channel.publishedReleased.store(handled)
        if !files.needsSync, !hasGivenUp { channel.publishedSynced.store(handled) }
    }

    private func syncIfDue() {
        guard files.needsSync else { return }
        // What is in the batch is not in the file.
        let upTo = channel.publishedReleased.load()
        let wanted = channel.publishedWantedSync.load()
        let isDue = options.fsyncMilliseconds > 0 && monotonicNs() &- syncedAt >= options.fsyncMilliseconds &* 1_000_000
        guard isDue || (wanted > channel.synced && wanted <= upTo) else { return }
        if persist({ () throws(FileError) in try files.sync() }) { channel.publishedSynced.store(upTo) }
        syncedAt = monotonicNs()
    }

    /// Does it, again and again while the medium refuses. False: it was given up, since the receiver shall stop, or since a
    /// sync failed.
    private func persist(_ doing: () throws(FileError) -> Void) -> Bool {
        guard !hasGivenUp else { return false }
        var since: UInt64?
        while true {
            do throws(FileError) {
                try doing()
                if let since {
                    let milliseconds = (monotonicNs() &- since) / 1_000_000
                    state.say("channel \(channel.number): writing again after \(milliseconds) ms")
                    losses.record("medium_refused", [("milliseconds", milliseconds)])
                }
                return true
            } catch {
                if files.syncFailure != nil {
                    hasGivenUp = true
                    state.fail("channel \(channel.number): " + Fault(error).message + "; what was written since the last sync may be lost")
                    return false
                }
                if since == nil {
                    since = monotonicNs()
                    channel.counts.refusals.add(1)
                    state.say("channel \(channel.number): " + Fault(error).message + "; nothing is read until it can be written")
                }
                if let stopped = state.stoppedNs, monotonicNs() &- stopped > ChannelWriter.patienceNs {
                    hasGivenUp = true
                    state.fail("channel \(channel.number): " + Fault(error).message + "; what was not written is lost")
                    return false
                }
                pause(milliseconds: 100)
            }
        }
    }

    private func finish() {
        flush()
        assembler.end { tell($0, $1) }
        tellLate()
        tellDamage()
        if persist({ () throws(FileError) in try files.roll() }) { channel.publishedSynced.store(handled) }
        if files.number > 0 { losses.ends(nextFile: files.number) }
        // What is lost is told even if the medium has not taken the frames: there may be room for a line.
        if hasGivenUp {
            try? losses.write()
        } else if persist({ () throws(FileError) in try losses.write() }) {
            _ = persist { () throws(FileError) in try losses.sync() }
        }
        publish()
    }

    // MARK: What is told

    private func publish() {
        channel.counts.files.store(files.fileCount)
        channel.counts.complete.store(assembler.counts.complete)
        channel.counts.incomplete.store(assembler.counts.incomplete)
        channel.counts.missingChunks.store(assembler.counts.missingChunks)
        channel.counts.unassembled.store(unassembled)
    }

    /// Losses are in their file within a second or so.
    private func tellIfDue() {
        guard losses.hasLines || lateLast != nil || hasDamage, monotonicNs() &- toldAt >= 1_000_000_000 else { return }
        tellLate()
        tellDamage()
        _ = persist { () throws(FileError) in try losses.write() }
        toldAt = monotonicNs()
    }

    private func tellDamage() {
        guard hasDamage else { return }
        losses.record("damage", [
            ("skipped_bytes", damage[0]), ("header_crc", damage[1]), ("length_errors", damage[2]), ("payload_crc", damage[3]),
            ("version_errors", damage[4]),
        ])
        for i in 0..<damage.count { damage[i] = 0 }
        hasDamage = false
    }

    private func tellLate() {
        guard let last = lateLast else { return }
        losses.record("late", [("first", lateFirst), ("last", last)])
        lateLast = nil
    }

    /// A periodic was given up. Which chunks are missing is told as a bitmap, the lowest bit of the first byte first; of
    /// a periodic that claims very many chunks, as the first ranges of them.
    private func tell(_ open: OpenPeriodic, _ slot: Int) {
        var more = ""
        if open.chunks <= 1024 {
            var bytes: [UInt8] = []
            var chunk: UInt32 = 0
            while chunk < open.chunks {
                var byte: UInt8 = 0
                for bit in 0..<min(8, open.chunks - chunk) where view.isMissing(chunk + bit, of: slot) { byte |= 1 << UInt8(bit) }
                bytes.append(hexDigit(byte >> 4))
                bytes.append(hexDigit(byte & 15))
                chunk += 8
            }
            more = ",\"missing\":\"" + String(decoding: bytes, as: UTF8.self) + "\""
        } else {
            more = ",\"missing_ranges\":["
            var ranges = 0
            var chunk: UInt32 = 0
            while chunk < open.chunks, ranges < 32 {
                guard view.isMissing(chunk, of: slot) else {
                    chunk += 1
                    continue
                }
                let first = chunk
                while chunk < open.chunks, view.isMissing(chunk, of: slot) { chunk += 1 }
                more += (ranges > 0 ? ",[" : "[") + "\(first),\(chunk - 1)]"
                ranges += 1
            }
            more += "]"
        }
        losses.record(
            "periodic",
            [
                ("periodic", open.periodic), ("chunks", UInt64(open.chunks)), ("received", UInt64(open.received)),
                ("sequence", open.sequence), ("timestamp", open.timestamp),
            ], and: more)
    }
}
