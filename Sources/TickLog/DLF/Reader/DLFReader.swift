import CTickLog

/// Reads a polled or event file of DLF, mapped or through a window, in the caller's memory.
///
/// Corresponds to `ticklog_dlf`.
public struct DLFReader {
    /// Where the parts of a reader lie in its memory.
    struct Plan {
        let start: DLFHeaderStart
        let dataOffset: Int
        let headerBytes: Int
        let windowBytes: Int
        let streams: Int, schedule: Int, slots: Int, header: Int, window: Int
        let bytes: Int

        /// `from`: the first byte of the memory that the reader may use. `windowBytes` 0: as many as fit the file.
        init(_ window: SourceWindow, windowBytes wanted: Int, isMapped: Bool, from: Int) throws(FormatError) {
            var header = HeaderBytes(window)
            start = try DLFHeaderStart(&header)
            guard let dataOffset = start.dataOffset else { throw Plan.fault(&header, start) }
            self.dataOffset = dataOffset
            let record = UInt64(start.largest) + (start.isEvents ? 10 : 0)
            let most = UInt64(window.length)
            if wanted > 0, !isMapped, UInt64(wanted) < min(record, most) {
                throw FormatError(.tooLarge, at: 13, expected: "samples that fit the window", found: .number(record))
            }
            headerBytes = isMapped ? 0 : dataOffset
            windowBytes = isMapped ? 0 : wanted > 0 ? wanted : Int(min(max(record, 4096), max(most, 64)))
            var cursor = MemoryCursor()
            _ = cursor.take(from)
            let count = start.streamCount
            streams = cursor.take(MemoryLayout<Part>.stride * count)
            schedule = cursor.take(MemoryLayout<PolledSchedule.Stream>.stride * (start.isEvents ? 0 : count))
            let slot = max(MemoryLayout<PolledWalk.Slot>.stride, MemoryLayout<PolledSteps.Slot>.stride)
            slots = cursor.take(slot * (start.isEvents ? 0 : count))
            self.header = cursor.take(headerBytes)
            self.window = cursor.take(windowBytes)
            bytes = cursor.end
        }

        /// What is wrong with the streams' headers.
        private static func fault(_ header: inout HeaderBytes, _ start: DLFHeaderStart) -> FormatError {
            var at = 13
            do throws(FormatError) {
                for _ in 0..<start.streamCount { at = try StreamHeader(&header, at: at, isEvents: start.isEvents).end }
            } catch { return error }
            return FormatError(.header, at: at, expected: "a header", found: .text("another thing"))
        }
    }

    /// What is kept of a stream.
    struct Part {
        let type: FileBytes
        let name: FileBytes
        let notes: FileBytes
        let size: Int
        let interval: UInt64
        let phase: UInt64
    }

    public let isEvents: Bool
    public let tickSpan: UInt64
    public let dataOffset: Int
    let parts: Table<Part>
    let schedule: PolledSchedule
    private var window: SourceWindow
    private let slots: UnsafeMutableRawPointer
    private(set) var walk: PolledWalk
    private var steps: PolledSteps?
    /// One stream is chosen.
    private(set) var chosen: Int?
    private var from: UInt64 = 0
    private var to = PolledSchedule.never
    /// Events: where the next record is expected.
    private var nextRecord: Int
    /// Polled: the walk stands at a sample that could not be read yet.
    private var isPending = false
    /// Polled, mapped and all streams chosen: where the data lie, so that the walk alone tells the next sample.
    private(set) var plain: UnsafeRawPointer?
    private let mapped: UnsafeRawPointer?

    init(_ window: SourceWindow, _ plan: Plan, memory: UnsafeMutableRawPointer) throws(FormatError) {
        var window = window
        let bytes = try window.bytes(at: 0, atLeast: plan.dataOffset)
        var header = DLFHeaderReader(bytes, plan.start)
        isEvents = header.isEvents
        tickSpan = header.tickSpan
        dataOffset = plan.dataOffset
        parts = Table(memory + plan.streams, header.streamCount)
        let count = isEvents ? 0 : header.streamCount
        let streams = (memory + plan.schedule).bindMemory(to: PolledSchedule.Stream.self, capacity: count)
        var i = 0
        while let stream = try header.nextStream() {
            parts.pointer(i).initialize(
                to: Part(
                    type: stream.type, name: stream.id, notes: stream.ownNotes, size: stream.size,
                    interval: stream.interval, phase: stream.phase))
            if !isEvents { (streams + i).initialize(to: PolledSchedule.Stream(stream)) }
            i += 1
        }
        schedule = PolledSchedule(UnsafeBufferPointer(start: streams, count: count))
        slots = memory + plan.slots
        self.window = window
        nextRecord = plan.dataOffset
        mapped = !isEvents && window.isMapped ? bytes.start + plan.dataOffset : nil
        plain = mapped
        walk = PolledWalk(
            schedule, slots.bindMemory(to: PolledWalk.Slot.self, capacity: count),
            length: UInt64(window.length - plan.dataOffset))
    }

    /// Reads the data from here on through another window.
    mutating func use(_ window: SourceWindow) { self.window = window }

    /// Bytes behind the header.
    var length: Int { window.length - dataOffset }

    // MARK: One after the other

    /// What is told from now on: the samples of a stream, or of all, with from <= tick < to. Without an end if `to` is
    /// `never`. Time: polled O(streams); events O(1).
    mutating func choose(_ stream: Int?, from: UInt64, to: UInt64) {
        chosen = stream
        self.from = from
        self.to = to
        nextRecord = dataOffset
        isPending = false
        plain = stream == nil ? mapped : nil
        guard !isEvents else { return }
        if let stream {
            steps = PolledSteps(
                schedule, stream, from: from, to: to,
                slots.bindMemory(to: PolledSteps.Slot.self, capacity: parts.count), length: UInt64(length))
        } else {
            steps = nil
            // The steps had the same memory.
            walk = PolledWalk(
                schedule, slots.bindMemory(to: PolledWalk.Slot.self, capacity: parts.count), length: UInt64(length))
            walk.begin(from: from, to: to)
        }
    }

    /// Where `plain` is: whether the walk stands at a next sample now.
    @inline(__always)
    mutating func advance() -> Bool { walk.advance() }

    /// The next sample of those that were chosen; nil at the end. After an error the next call tries the same again.
    @inline(__always)
    mutating func next() throws(FormatError) -> DLFSample? {
        if isEvents { return try nextEvent() }
        if steps != nil { return try nextStep() }
        if !isPending {
            guard walk.advance() else { return nil }
            isPending = true
        }
        let sample = try polled(walk.stream, walk.tick, walk.offset, walk.size)
        isPending = false
        return sample
    }

    private mutating func nextStep() throws(FormatError) -> DLFSample? {
        guard steps!.isThere else { return nil }
        let sample = try polled(chosen!, steps!.tick, steps!.offset, steps!.size)
        steps!.advance()
        return sample
    }

    /// The sample at `offset` behind the header, where it lies whole.
    @inline(__always)
    private mutating func polled(
        _ stream: Int, _ tick: UInt64, _ offset: UInt64, _ size: Int
    ) throws(FormatError) -> DLFSample {
        let at = dataOffset &+ Int(truncatingIfNeeded: offset)
        let bytes = try window.bytes(at: at, atLeast: size).slice(at: 0, count: size)
        return DLFSample(stream: stream, tick: tick, bytes: bytes, offset: at)
    }

    private mutating func nextEvent() throws(FormatError) -> DLFSample? {
        while let event = try record(at: nextRecord) {
            let size = parts.base[event.stream].size
            let isWanted = event.tick >= from && (event.tick < to || to == PolledSchedule.never)
                && (chosen == nil || chosen == event.stream)
            let bytes = isWanted
                ? try window.bytes(at: nextRecord + 10, atLeast: size).slice(at: 0, count: size)
                : FileBytes(UnsafeRawBufferPointer(start: nil, count: 0))
            let at = nextRecord
            nextRecord += 10 + size
            if isWanted { return DLFSample(stream: event.stream, tick: event.tick, bytes: bytes, offset: at) }
        }
        return nil
    }

    /// The stream and the tick of the record at `offset`; nil if no whole one is there.
    private mutating func record(at offset: Int) throws(FormatError) -> (stream: Int, tick: UInt64)? {
        guard window.length - offset >= 10 else { return nil }
        let bytes = try window.bytes(at: offset, atLeast: 10)
        let stream = Int(bytes.u16(at: 0))
        guard stream < parts.count else {
            throw FormatError(.event, at: offset, expected: "the index of a stream in the header", found: .number(UInt64(stream)))
        }
        guard parts[stream].size <= window.length - offset - 10 else { return nil }
        return (stream, bytes.u64(at: 2))
    }

    // MARK: At a tick

    enum AtTick {
        case sample(DLFSample)
        /// No sample yet at that tick.
        case none
        /// The file ends before.
        case end
    }

    /// What a stream has at a tick: its sample of it, or its latest before it. Time: polled O(streams); events: the
    /// file.
    mutating func sample(of stream: Int, at tick: UInt64) throws(FormatError) -> AtTick {
        if isEvents { return try event(of: stream, at: tick) }
        guard let due = schedule.streams[stream].last(through: min(tick, PolledSchedule.never - 1)) else { return .none }
        let offset = schedule.offset(of: stream, at: due)
        let size = parts[stream].size
        guard offset <= UInt64(length), size <= length - Int(offset) else { return .end }
        return .sample(try polled(stream, due, offset, size))
    }

    private mutating func event(of stream: Int, at tick: UInt64) throws(FormatError) -> AtTick {
        var offset = dataOffset
        var found: (tick: UInt64, offset: Int)?
        var isPast = false
        do throws(FormatError) {
            while let record = try record(at: offset) {
                // Events of several sources need not be in order.
                if record.tick > tick {
                    isPast = true
                } else if record.stream == stream, found == nil || record.tick >= found!.tick {
                    found = (record.tick, offset)
                }
                offset += 10 + parts[record.stream].size
            }
        } catch {
            // Behind later ticks, damage does not matter.
            guard error.kind == .event, isPast else { throw error }
        }
        guard let found else { return .none }
        let size = parts[stream].size
        let bytes = try window.bytes(at: found.offset + 10, atLeast: size).slice(at: 0, count: size)
        return .sample(DLFSample(stream: stream, tick: found.tick, bytes: bytes, offset: found.offset))
    }

    // MARK: All of it

    struct Extent {
        var samples: UInt64 = 0
        var firstTick: UInt64 = 0
        var lastTick: UInt64 = 0
        /// From the start of the file.
        var tail = 0
        var tailBytes = 0
        /// An event of a stream that there is not.
        var damage: FormatError?
    }

    /// How much data there is. Time: polled O(streams × log ticks); events: the file.
    mutating func measure() throws(FormatError) -> Extent {
        var extent = Extent()
        if isEvents {
            var offset = dataOffset
            do throws(FormatError) {
                while let record = try record(at: offset) {
                    if extent.samples == 0 { extent.firstTick = record.tick }
                    extent.lastTick = max(extent.lastTick, record.tick)
                    extent.samples += 1
                    offset += 10 + parts[record.stream].size
                }
            } catch {
                guard error.kind == .event else { throw error }
                extent.damage = error
            }
            extent.tail = offset
        } else {
            let found = schedule.extent(of: UInt64(length))
            extent.samples = found.samples
            extent.firstTick = found.samples > 0 ? schedule.next(from: 0) : 0
            extent.lastTick = found.lastTick ?? 0
            extent.tail = dataOffset + Int(found.bytes)
        }
        extent.tailBytes = window.length - extent.tail
        return extent
    }

    /// What stands behind the last whole sample, once all have been told: nil if the file ends there.
    var torn: FormatError? {
        var offset = nextRecord
        if !isEvents { offset = dataOffset + Int(schedule.extent(of: UInt64(length)).bytes) }
        guard offset < window.length else { return nil }
        return FormatError(
            .torn, at: offset, expected: isEvents ? "a whole event record" : "a whole sample", found: .end)
    }
}
