import TickLog

/// How much data a DLF file has: of a polled file by arithmetic alone, whatever its size; of an event file, record by
/// record.
public struct DLFExtent {
    public struct Stream {
        /// The type as it stands in the file.
        public let type: String
        /// Bytes of each sample, with padding.
        public let sampleBytes: Int
        public var samples: UInt64 = 0
    }

    public var streams: [Stream]
    /// Whole ones.
    public private(set) var samples: UInt64 = 0
    /// Of a polled file ticks with a sample, of an event file records; nil: too many schedules to tell.
    public private(set) var rows: UInt64?
    public private(set) var firstTick: UInt64?
    /// The latest.
    public private(set) var lastTick: UInt64?
    /// Where the whole samples end, and the bytes behind them.
    public private(set) var tailOffset: Int
    public var tailBytes: Int { fileBytes - tailOffset }
    /// As stored.
    public let tickSpan: UInt64
    /// Whether the data can end with the stored tick_span. Without samples, 0 is right.
    public private(set) var spanAgrees = true
    public private(set) var fault: Fault?
    private let fileBytes: Int
    private let remarks: [String]

    /// What is no damage and yet not as it should be.
    public var notes: [String] {
        var notes = remarks
        if spanAgrees { return notes }
        notes.append("found the tick span \(tickSpan), expected " + (lastTick.map { "\($0), the last tick that has a sample" } ?? "0, as there are no samples"))
        return notes
    }

    public init(_ file: DLFFile) {
        streams = file.described.map { Stream(type: String(decoding: $0.type.buffer, as: UTF8.self), sampleBytes: $0.size) }
        tickSpan = file.header.tickSpan
        tailOffset = file.dataOffset
        fileBytes = file.file.bytes.count
        remarks = file.remarks.map { "offset \($0.offset ?? 0): " + $0.text }
        if file.header.isEvents { readEvents(file) } else { measure(file) }
    }

    private mutating func measure(_ file: DLFFile) {
        let schedules = file.schedule.streams
        let extent = file.schedule.extent(of: UInt64(file.dataCount))
        samples = extent.samples
        tailOffset += Int(extent.bytes)
        lastTick = extent.lastTick
        if samples > 0 { firstTick = file.schedule.next(from: 0) }
        for i in 0..<schedules.count {
            streams[i].samples = schedules[i].count(before: extent.nextTick)
            if extent.nextTick != PolledSchedule.never, i < extent.nextStream, schedules[i].isDue(at: extent.nextTick) { streams[i].samples += 1 }
        }
        rows = 0
        if let lastTick { rows = DueTicks(schedules)?.count(before: lastTick &+ 1) }
        spanAgrees = extent.ends(with: tickSpan) || (samples == 0 && tickSpan == 0)
        guard extent.tailBytes > 0 else { return }
        guard extent.nextTick != PolledSchedule.never else {
            fault = Fault(.damaged, file.path, at: tailOffset, "found \(tailBytes) bytes, expected the end of the file, as no stream has a sample there")
            return
        }
        let stream = file.streams[extent.nextStream]
        fault = Fault(
            .torn, file.path, at: tailOffset,
            "found \(tailBytes) bytes at the end, expected a whole sample of \(streams[extent.nextStream].sampleBytes) bytes, of stream \(stream.name) at tick \(extent.nextTick)")
    }

    private mutating func readEvents(_ file: DLFFile) {
        let counts = file.described.withUnsafeBufferPointer { described in
            var counts = [UInt64](repeating: 0, count: described.count)
            var events = DLFEvents(file.file.bytes, dataOffset: file.dataOffset, streams: described)
            do throws(FormatError) {
                while let sample = try events.next() {
                    counts[sample.stream] += 1
                    samples += 1
                    if firstTick == nil { firstTick = sample.tick }
                    // Events of several sources need not be in order.
                    lastTick = max(lastTick ?? 0, sample.tick)
                }
            } catch {
                fault = Fault(unclosed: error, file.path)
            }
            tailOffset = events.offset
            return counts
        }
        for i in 0..<counts.count { streams[i].samples = counts[i] }
        rows = samples
        spanAgrees = lastTick ?? 0 <= tickSpan
    }
}
