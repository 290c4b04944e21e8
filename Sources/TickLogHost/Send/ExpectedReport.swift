import TickLog

/// What a receiver must report of one channel if the transport loses nothing (spec: FRAMES, 2 to 4). It is told of every
/// frame that is put out, in that order.
///
/// It knows what the receiver cannot know, which frames were put out whole, and so needs none of the receiver's code.
public struct ExpectedReport: Sendable {
    public private(set) var frames: UInt64 = 0
    public private(set) var frameBytes: UInt64 = 0
    public private(set) var missing: UInt64 = 0
    public private(set) var gaps: UInt64 = 0
    public private(set) var duplicates: UInt64 = 0
    public private(set) var late: UInt64 = 0
    public private(set) var headerCRC: UInt64 = 0
    public private(set) var payloadCRC: UInt64 = 0
    public private(set) var skippedBytes: UInt64 = 0
    public private(set) var unassembled: UInt64 = 0
    public private(set) var complete: UInt64 = 0
    public private(set) var incomplete: UInt64 = 0
    public private(set) var missingChunks: UInt64 = 0

    private let chunks: UInt64
    /// The first frame that comes whole, and the highest that came.
    private var baseline: UInt64?
    private var highest: UInt64 = 0
    /// Which of the last 4096 numbers came. None is held back so long.
    private var came = [UInt64](repeating: 0, count: 64)
    private var open: [(periodic: UInt64, chunks: UInt64)] = []

    init(chunks: UInt32) { self.chunks = UInt64(chunks) }

    /// A frame with a spoiled header. Nothing tells its length: all of its bytes are searched through.
    mutating func spoiledHeader(bytes: Int, inMagic: Bool) {
        if !inMagic { headerCRC += 1 }
        skippedBytes += UInt64(bytes)
    }

    mutating func spoiledPayload() { payloadCRC += 1 }

    mutating func whole(_ sequence: UInt64, bytes: Int) {
        guard let baseline else {
            self.baseline = sequence
            highest = sequence
            mark(sequence)
            return keep(sequence, bytes)
        }
        if sequence > highest {
            if sequence > highest + 1 {
                gaps += 1
                missing += sequence - highest - 1
            }
            if sequence - highest >= 4096 {
                for i in 0..<came.count { came[i] = 0 }
            } else {
                for number in (highest + 1)...sequence { came[Int(number / 64 % 64)] &= ~(1 << (number % 64)) }
            }
            highest = sequence
        } else if came[Int(sequence / 64 % 64)] >> (sequence % 64) & 1 == 1 {
            duplicates += 1
            return
        } else {
            late += 1
            if sequence > baseline { missing -= 1 }
        }
        mark(sequence)
        keep(sequence, bytes)
    }

    /// Nothing more is put out.
    mutating func end() { settle(before: UInt64.max) }

    /// What both of two ways amount to: a live one that loses, and an archive with every frame whole and in order.
    init(live: ExpectedReport, archive: ExpectedReport) {
        self = archive
        duplicates = live.frames + live.duplicates
        headerCRC = live.headerCRC
        payloadCRC = live.payloadCRC
        skippedBytes = live.skippedBytes
    }

    private mutating func mark(_ sequence: UInt64) { came[Int(sequence / 64 % 64)] |= 1 << (sequence % 64) }

    private mutating func keep(_ sequence: UInt64, _ bytes: Int) {
        frames += 1
        frameBytes += UInt64(bytes)
        guard chunks > 0 else {
            unassembled += 1
            return
        }
        let periodic = sequence / chunks
        // None is held back so long.
        if periodic > 64 { settle(before: periodic - 64) }
        var place = open.count
        for i in 0..<open.count where open[i].periodic == periodic { place = i }
        if place == open.count { open.append((periodic, 0)) }
        open[place].chunks += 1
        guard open[place].chunks == chunks else { return }
        complete += 1
        open.remove(at: place)
    }

    private mutating func settle(before limit: UInt64) {
        var i = 0
        while i < open.count {
            guard open[i].periodic < limit else {
                i += 1
                continue
            }
            incomplete += 1
            missingChunks += chunks - open[i].chunks
            open.remove(at: i)
        }
    }
}
