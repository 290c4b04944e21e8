import TickLog

/// What the frames of one stream in a file are.
public final class StreamSummary {
    public let stream: UInt8
    public internal(set) var frames: UInt64 = 0
    /// Whole frames, headers included.
    public internal(set) var bytes: UInt64 = 0
    public internal(set) var sequences: ClosedRange<UInt64> = 0...0
    public internal(set) var timestamps: ClosedRange<UInt64> = 0...0
    /// Frames whose payload is no chunk, or one that contradicts its periodic.
    public internal(set) var unassembled: UInt64 = 0

    private let ranges: UnsafeMutableBufferPointer<MissingRange>
    private let slots: UnsafeMutableBufferPointer<OpenPeriodic>
    private let bits: UnsafeMutablePointer<UInt64>
    private var tracker: SequenceTracker
    private var assembler: PeriodicAssembler

    static var openPeriodics: Int { 64 }
    static var maxChunks: UInt32 { 8192 }

    init(_ stream: UInt8) {
        self.stream = stream
        ranges = .allocate(capacity: 1024)
        slots = .allocate(capacity: StreamSummary.openPeriodics)
        slots.initialize(repeating: OpenPeriodic())
        let words = PeriodicAssembler.words(slots: slots.count, maxChunks: StreamSummary.maxChunks)
        bits = .allocate(capacity: words)
        bits.initialize(repeating: 0, count: words)
        tracker = SequenceTracker(ranges: ranges)
        assembler = PeriodicAssembler(slots: slots, bits: bits, maxChunks: StreamSummary.maxChunks)
    }

    deinit {
        ranges.deallocate()
        slots.deallocate()
        bits.deallocate()
    }

    /// Gaps, frames that are missing, late ones, duplicates and restarts, in the order of the file.
    public var order: SequenceTracker.Counts { tracker.counts }
    public var periodics: PeriodicAssembler.Counts { assembler.counts }

    func add(_ header: FrameHeader, _ payload: FileBytes) {
        let isFirst = frames == 0
        frames += 1
        bytes += UInt64(FrameHeader.bytes + payload.count)
        sequences = isFirst ? header.sequence...header.sequence
            : min(sequences.lowerBound, header.sequence)...max(sequences.upperBound, header.sequence)
        timestamps = isFirst ? header.timestamp...header.timestamp
            : min(timestamps.lowerBound, header.timestamp)...max(timestamps.upperBound, header.timestamp)
        let verdict = tracker.judge(sequence: header.sequence, timestamp: header.timestamp, flags: header.flags)
        switch verdict {
        // A producer that began anew counts its periodics anew.
        case .restart: assembler.end { _, _ in }
        case .duplicate: return
        case .next, .gap, .late: break
        }
        guard let chunk = ChunkHeader(payload: payload.start, bytes: header.payloadBytes, flags: header.flags) else {
            unassembled += 1
            return
        }
        switch assembler.add(chunk, sequence: header.sequence, timestamp: header.timestamp, evicted: { _, _ in }) {
        case .inconsistent, .tooMany: unassembled += 1
        case .open, .complete: break
        }
    }

    func end() { assembler.end { _, _ in } }
}

/// What a file of frames is, from a walk through all of it.
public struct FrameSummary {
    public let path: String
    public let size: UInt64
    public private(set) var frames: UInt64 = 0
    public private(set) var frameBytes: UInt64 = 0
    /// By their numbers.
    public private(set) var streams: [StreamSummary] = []
    /// The first thousand of what is wrong.
    public private(set) var damages: [FrameDamage] = []
    public private(set) var damageCount: UInt64 = 0
    /// Bytes that are no good frame.
    public private(set) var damagedBytes: UInt64 = 0
    public private(set) var isTorn = false

    public static var mostDamages: Int { 1000 }

    public init(_ file: FrameFile) {
        path = file.path
        size = UInt64(file.file.bytes.count)
        var byNumber = [StreamSummary?](repeating: nil, count: 256)
        var walk = FrameWalk(file.file.bytes)
        while let piece = walk.next() {
            switch piece {
            case .frame(let header, _, let payload):
                frames += 1
                frameBytes += UInt64(FrameHeader.bytes + payload.count)
                let stream = byNumber[Int(header.stream)] ?? StreamSummary(header.stream)
                byNumber[Int(header.stream)] = stream
                stream.add(header, payload)
            case .damage(let damage):
                damageCount += 1
                damagedBytes += UInt64(damage.range.count)
                if damage.isTorn { isTorn = true }
                if damages.count < FrameSummary.mostDamages { damages.append(damage) }
            }
        }
        for case let stream? in byNumber {
            stream.end()
            streams.append(stream)
        }
        withExtendedLifetime(file) {}
    }

    /// What is wrong, as sentences; the last one counts what is not in the list.
    public var faults: [Fault] {
        var faults = damages.map { $0.fault(path) }
        if damageCount > UInt64(damages.count) { faults.append(moreDamages(path, damageCount - UInt64(damages.count))) }
        return faults
    }
}

func moreDamages(_ path: String, _ count: UInt64) -> Fault {
    Fault(.damaged, path, at: nil, "found \(count) more places like these, expected frames")
}
