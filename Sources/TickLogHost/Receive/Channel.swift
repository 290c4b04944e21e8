import CPosix
import TickLog

/// One stream of frames on its way from an input to files (spec: FRAMES, 5): the ring that its bytes lie in, and what is
/// known of them.
///
/// Two threads share it, without locks. The receive thread puts bytes into the ring (`room`, `took`), which are scanned
/// there at once; frames that are to be kept, and what was lost between them, go to the write thread as entries of a queue.
/// The write thread gives the room back when it has written them. Functions are for the receive thread, unless they say
/// otherwise.
public final class Channel {
    public let number: Int
    public let counts = ChannelCounts()
    let ring: MirroredRing
    let queue: SPSCQueue<ChannelEntry>
    private let ranges: UnsafeMutableBufferPointer<MissingRange>
    @exclusivity(unchecked) private var scanner: FrameScanner
    @exclusivity(unchecked) private var tracker: SequenceTracker
    private let stream: UInt8

    // Positions in the stream of what was taken: up to `released` written, up to `scanned` looked at, up to `head` taken.
    @exclusivity(unchecked) private var head: UInt64 = 0
    @exclusivity(unchecked) private var scanned: UInt64 = 0
    @exclusivity(unchecked) private var knownReleased: UInt64 = 0
    /// The queue is full: what lies behind `scanned` was not looked at yet.
    @exclusivity(unchecked) private var isStalled = false
    /// There was no room, and nothing was taken since.
    @exclusivity(unchecked) private(set) var isPaused = false
    @exclusivity(unchecked) private var told: FrameScanner.Counts
    @exclusivity(unchecked) private var wrongStream: UInt64 = 0
    @exclusivity(unchecked) private var frames: UInt64 = 0
    @exclusivity(unchecked) private var bytes: UInt64 = 0
    @exclusivity(unchecked) private var takenBytes: UInt64 = 0
    @exclusivity(unchecked) private var kernelDrops: UInt64 = 0
    @exclusivity(unchecked) private var toldDrops: UInt64 = 0

    private let publishedHead = Published64()
    let publishedScanned = Published64()
    let publishedReleased = Published64()
    let publishedSynced = Published64()
    /// Up to which position the receive thread wants everything on the medium soon.
    let publishedWantedSync = Published64()

    /// Ranges of missing frames that are kept in mind.
    static var rangeLimit: Int { 8192 }

    /// - Parameters:
    ///   - ringBytes: at least twice the largest frame, else that.
    ///   - lateLimit: how far behind the newest frame one may come; `UInt64.max`: however far, if it is known to be missing.
    public init(number: Int, ringBytes: Int, maxPayload: UInt32, lateLimit: UInt64) throws(FileError) {
        self.number = number
        stream = UInt8(truncatingIfNeeded: number)
        ring = try MirroredRing(least: max(ringBytes, 2 * (Int(maxPayload) + FrameHeader.bytes)))
        queue = SPSCQueue(least: max(1024, ring.capacity / 256))
        ranges = .allocate(capacity: Channel.rangeLimit)
        scanner = FrameScanner(maxPayload: maxPayload)
        told = scanner.counts
        tracker = SequenceTracker(ranges: ranges, lateLimit: lateLimit)
    }

    deinit { ranges.deallocate() }

    /// The largest frame, in bytes.
    public var maxFrame: Int { FrameHeader.bytes + Int(scanner.maxPayload) }

    // MARK: What was taken

    /// How far the input has come: the position behind all that was taken.
    public var position: UInt64 { head }

    /// Up to which position everything is on the medium: what was to be kept, and what was not. Any thread.
    public var synced: UInt64 { publishedSynced.load() }

    /// How much of the ring is in use, in bytes. Any thread.
    public var ringFill: Int {
        let released = publishedReleased.load()
        return Int(clamping: publishedHead.load().subtractingReportingOverflow(released).partialValue)
    }
    public var ringBytes: Int { ring.capacity }

    /// Room for what comes next, all that there is, in one piece. Nil: there are not so many bytes, so do not read, and ask
    /// again in a while.
    public func room(_ least: Int) -> UnsafeMutableRawBufferPointer? {
        if isStalled {
            scan()
            publish()
        }
        var room = ring.capacity - Int(truncatingIfNeeded: head &- knownReleased)
        if room < least {
            knownReleased = publishedReleased.load()
            room = ring.capacity - Int(truncatingIfNeeded: head &- knownReleased)
        }
        guard !isStalled, room >= least, room > 0 else {
            if !isPaused { counts.pauses.add(1) }
            isPaused = true
            return nil
        }
        return UnsafeMutableRawBufferPointer(start: ring.at(head), count: room)
    }

    /// So many bytes of a stream were put where `room` said.
    public func took(_ count: Int) {
        isPaused = false
        head &+= UInt64(count)
        takenBytes &+= UInt64(count)
        scan()
        publish()
    }

    /// One message of so many bytes was put where `room` said: a frame, or several. What is no whole frame is counted and
    /// left out.
    public func took(datagram count: Int) {
        take(datagram: count, slot: count)
        publish()
    }

    /// The stream has ended: an unfinished frame at its end is counted. Waits for the write thread if the queue is full.
    public func ended() {
        waitForQueue()
        scanner.end(Int(truncatingIfNeeded: head &- scanned))
        scanned = head
        publish()
    }

    /// A copy of a message from elsewhere, as `took(datagram:)`. False: there is no room, ask again in a while.
    public func take(message: UnsafeRawBufferPointer) -> Bool {
        guard let start = message.baseAddress, message.count > 0 else { return true }
        // No frame is so long, so it must not be waited for room for it.
        guard message.count <= ring.capacity / 2 else {
            scanner.endMessage(message.count)
            takenBytes &+= UInt64(message.count)
            publish()
            return true
        }
        guard let room = room(message.count) else { return false }
        room.baseAddress!.copyMemory(from: start, byteCount: message.count)
        took(datagram: message.count)
        return true
    }

    /// Asks the write thread to put all that was taken so far on the medium, soon: `synced` tells when.
    public func requestSync() { publishedWantedSync.store(head) }

    /// A message of which it is not known whose it is.
    public func stray() {
        wrongStream &+= 1
        publish()
    }

    /// The kernel has dropped so many messages since this was last told.
    public func dropped(_ count: UInt64) { kernelDrops &+= count }

    // MARK: For inputs that know the ring

    /// A message at the head; the next one begins `slot` bytes further. Needs `publish`.
    func take(datagram count: Int, slot: Int) {
        isPaused = false
        takenBytes &+= UInt64(count)
        head &+= UInt64(count)
        waitForQueue()
        scanner.endMessage(Int(truncatingIfNeeded: head &- scanned))
        head &+= UInt64(slot - count)
        scanned = head
    }

    /// Bytes that are taken but not yet consumed: of a frame that is not whole.
    var unfinished: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: ring.at(scanned), count: Int(truncatingIfNeeded: head &- scanned))
    }

    /// Whether `unfinished` is really an unfinished frame, and not what was not looked at for want of room.
    var canSwitch: Bool {
        if isStalled {
            scan()
            publish()
        }
        if isStalled { isPaused = true }
        return !isStalled
    }

    /// Another stream's bytes come next. The unfinished ones are the caller's: he brings them back when theirs go on.
    func takeBackUnfinished() {
        head = scanned
        scanner.interrupt()
    }

    /// Brings back what was unfinished. There is room.
    func bringBack(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        ring.at(head).copyMemory(from: start, byteCount: bytes.count)
        head &+= UInt64(bytes.count)
    }

    /// A stream ended whose unfinished bytes were not in the ring.
    func endedElsewhere(unfinished: Int) {
        scanner.end(unfinished)
        publish()
    }

    /// The input is at its end: tells what is left to tell.
    func finish() {
        waitForQueue()
        while true {
            publish()
            if toldDrops == kernelDrops, !hasUntoldDamage(scanner.counts) { return }
            pause(milliseconds: 1)
        }
    }

    // MARK: Frames that an earlier receiver kept

    /// A frame that is in the files already.
    func kept(_ header: FrameHeader) {
        _ = tracker.judge(sequence: header.sequence, timestamp: header.timestamp, flags: header.flags)
    }

    /// Frames before the first that was kept may be in files that were not looked at.
    func forgetMissing() { tracker.forgetMissing() }
    func countAnew() { tracker.countAnew() }
    var expected: UInt64? { tracker.expected }
    var lateLimit: UInt64 { tracker.lateLimit }
    func withTracker<Result>(_ body: (inout SequenceTracker) -> Result) -> Result { body(&tracker) }

    // MARK: Scanning

    private func waitForQueue() {
        scan()
        while isStalled {
            publish()
            pause(milliseconds: 1)
            scan()
        }
    }

    private func scan() {
        isStalled = false
        var consumed = 0
        scanning: while scanned != head {
            // A gap, the frame, and what `publish` may add.
            guard queue.hasRoom(4) else {
                isStalled = true
                return
            }
            let left = FileBytes(start: ring.at(scanned), count: Int(truncatingIfNeeded: head &- scanned))
            switch scanner.step(left, &consumed) {
            case .frame(let header): accept(header, consumed)
            case .passed: break
            case .needs: break scanning
            }
            scanned &+= UInt64(consumed)
        }
    }

    @inline(__always)
    private func accept(_ header: FrameHeader, _ count: Int) {
        guard header.stream == stream else {
            wrongStream &+= 1
            return
        }
        let expected = tracker.expected
        let kind: ChannelEntry.Kind
        switch tracker.judge(sequence: header.sequence, timestamp: header.timestamp, flags: header.flags) {
        case .next: kind = .frame
        case .duplicate: return
        case .late: kind = .late
        case .restart: kind = .restart
        case .gap:
            kind = .frame
            queue.add(ChannelEntry(position: scanned, a: expected ?? 0, b: header.sequence &- 1, bytes: 0, flags: 0, kind: .gap))
        }
        frames &+= 1
        bytes &+= UInt64(count)
        queue.add(ChannelEntry(
            position: scanned, a: header.sequence, b: header.timestamp, bytes: UInt32(truncatingIfNeeded: count), flags: header.flags, kind: kind))
    }

    private func hasUntoldDamage(_ now: FrameScanner.Counts) -> Bool {
        now.skippedBytes != told.skippedBytes || now.payloadCRC != told.payloadCRC || now.headerCRC != told.headerCRC
            || now.lengths != told.lengths || now.versions != told.versions
    }

    /// Shows the other thread what there is.
    func publish() {
        let now = scanner.counts
        if hasUntoldDamage(now), queue.hasRoom(2) {
            queue.add(ChannelEntry(
                position: now.skippedBytes &- told.skippedBytes,
                a: (now.headerCRC &- told.headerCRC) << 32 | (now.lengths &- told.lengths),
                b: (now.payloadCRC &- told.payloadCRC) << 32 | (now.versions &- told.versions), bytes: 0, flags: 0, kind: .damage))
            told = now
            counts.headerCRC.store(now.headerCRC)
            counts.versions.store(now.versions)
            counts.lengths.store(now.lengths)
            counts.payloadCRC.store(now.payloadCRC)
            counts.skippedBytes.store(now.skippedBytes)
        }
        if kernelDrops != toldDrops, queue.hasRoom(1) {
            queue.add(ChannelEntry(position: head, a: kernelDrops &- toldDrops, b: 0, bytes: 0, flags: 0, kind: .kernelDrops))
            toldDrops = kernelDrops
            counts.kernelDrops.store(kernelDrops)
        }
        queue.publish()
        // Behind the queue: who sees this position sees all entries before it.
        publishedScanned.store(scanned)
        publishedHead.store(head)
        let sequence = tracker.counts
        counts.taken.store(takenBytes)
        counts.frames.store(frames)
        counts.bytes.store(bytes)
        counts.gaps.store(sequence.gaps)
        counts.missing.store(sequence.missing)
        counts.late.store(sequence.late)
        counts.duplicates.store(sequence.duplicates)
        counts.restarts.store(sequence.restarts)
        counts.truncated.store(now.truncatedBytes)
        counts.wrongStream.store(wrongStream)
    }
}

/// Sleeps.
public func pause(milliseconds: Int) {
    var time = timespec()
    time.tv_sec = .init(milliseconds / 1000)
    time.tv_nsec = .init(milliseconds % 1000 * 1_000_000)
    _ = nanosleep(&time, nil)
}

/// Nanoseconds of a clock that only goes forward.
public func monotonicNs() -> UInt64 {
    var time = timespec()
    _ = clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
