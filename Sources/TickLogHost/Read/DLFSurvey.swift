import CPosix
import TickLog

/// What a polled, event or loss file of DLF is, as far as its own bytes tell: its header, its whole samples, what stands
/// behind them, and whether `tick_span` agrees with them (spec: 4.2 to 4.5; DLF.md, sections 2 to 6).
public final class DLFSurvey {
    public enum Role: Sendable {
        case polled, event, loss

        public var name: StaticString {
            switch self {
            case .polled: "polled.dlf"
            case .event: "event.dlf"
            case .loss: "loss.dlf"
            }
        }
        /// Byte 2 of the header.
        var streamType: UInt8 { self == .polled ? 0 : 1 }
    }

    public enum Header: Sendable {
        case whole
        /// The file ends within it: there are no data.
        case cut
        /// It is no header, or contradicts itself: nothing behind it can be trusted.
        case bad
    }

    public struct Stream {
        public let name: String
        /// The type as it stands in the file.
        public let type: String
        /// Bytes of each sample, with padding.
        public let sampleBytes: Int
        public fileprivate(set) var samples: UInt64 = 0
    }

    public let file: MappedFile
    public let role: Role
    public private(set) var header = Header.whole
    /// Those whose descriptions are whole.
    public private(set) var streams: [Stream] = []
    public var streamCount: Int { streams.count }
    /// Where the data begin; of a header that is cut, where its whole descriptions end.
    public private(set) var dataOffset = 0
    /// Whole samples; of an event file, those before the first record that cannot be read.
    public private(set) var samples: UInt64 = 0
    /// Of a polled file ticks with a sample, of an event file records; nil: too many schedules to tell.
    public private(set) var rows: UInt64? = 0
    /// That of the first of the whole samples.
    public private(set) var firstTick: UInt64?
    /// The latest tick of the whole samples.
    public private(set) var lastTick: UInt64?
    /// Ticks of which all samples are there, from tick 0; polled files only.
    public var wholeTicks: UInt64? { extent?.wholeTicks }
    /// Where the whole samples end, from the start of the file.
    public private(set) var end = 0
    /// As it stands there; nil if the header is cut before its end.
    public private(set) var tickSpan: UInt64?
    /// Where a polled stream's interval is 0, from the start of the file, with the stream's name.
    public private(set) var zeroIntervals: [(offset: Int, stream: String)] = []
    /// Events that are earlier than the one before them, and where the first is.
    public private(set) var backwards: (count: UInt64, offset: Int)?
    /// What is torn or damaged. Behind it, nothing is read.
    public private(set) var fault: Fault?

    private var extent: PolledSchedule.Extent?
    private var schedule: [PolledSchedule.Stream] = []
    private var described: [DLFStream] = []
    /// Why samples are taken for bytes without a meaning.
    private var oddities: [Fault] = []

    public var path: String { file.path }
    public var size: UInt64 { UInt64(file.bytes.count) }
    /// Bytes behind the whole samples.
    public var tailBytes: Int { file.bytes.count - end }

    public init(_ file: MappedFile, as role: Role) {
        self.file = file
        self.role = role
        readHeader()
        guard header == .whole else {
            end = header == .cut ? dataOffset : 0
            return
        }
        if role == .polled { measure() } else { walk() }
    }

    /// A file without its run. Its name tells what it is or, under another name, its header. Nil if it is no such file.
    public convenience init?(alone file: MappedFile) {
        let name = file.path.lastComponent
        let bytes = file.bytes
        for role in [Role.polled, .event, .loss] where DLFSurvey.isName(name, of: role) {
            // What it has of a magic, which may be a big-endian one.
            let start = [UInt8](bytes.slice(at: 0, count: min(2, bytes.count)).buffer)
            guard [0x14, 0x84].starts(with: start) || start == [0x84, 0x14] else { return nil }
            self.init(file, as: role)
            return
        }
        if bytes.holds(3, at: 0), bytes[0] == 0x84, bytes[1] == 0x14 {
            self.init(file, as: bytes[2] == 0 ? .polled : .event)
            return
        }
        guard let opened = try? DLFFile(file) else { return nil }
        self.init(file, as: opened.header.isEvents ? .event : .polled)
    }

    /// In upper or lower case, and with what a repair puts behind it.
    private static func isName(_ name: String, of role: Role) -> Bool {
        var bytes = name.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 32 : $0 }
        for ending in [".repaired", ".orig"] where bytes.count > ending.utf8.count {
            if bytes.suffix(ending.utf8.count).elementsEqual(ending.utf8) { bytes.removeLast(ending.utf8.count) }
        }
        return bytes.elementsEqual(staticText(role.name).utf8)
    }

    // MARK: The header

    private func readHeader() {
        guard let own = prefixFault() else {
            readStreams()
            return
        }
        header = .bad
        fault = own
    }

    /// Why the bytes up to the stream type, as far as they are there, are not those of such a file.
    private func prefixFault() -> Fault? {
        let bytes = file.bytes
        if bytes.holds(2, at: 0), bytes[0] == 0x84, bytes[1] == 0x14 {
            return Fault(
                .unreadable, path, at: 0,
                "found the bytes 84 14, the magic of a big-endian file, expected 14 84: big-endian files are not read")
        }
        for (i, expected) in [0x14, 0x84, role.streamType].enumerated() where i < bytes.count && bytes[i] != expected {
            if i == 2 {
                return Fault(
                    .damaged, path, at: 2,
                    "found stream type \(bytes[2]), expected \(expected) as in every \(staticText(role.name))")
            }
            let found = hexText(of: bytes.slice(at: 0, count: min(2, bytes.count)))
            return Fault(.unreadable, path, at: 0, "found the bytes \(found), expected the magic 1484 of a DLF file")
        }
        return nil
    }

    private func readStreams() {
        let bytes = file.bytes
        if bytes.holds(8, at: 3) { tickSpan = bytes.u64(at: 3) }
        do throws(FormatError) {
            var reader = try DLFHeaderReader(bytes)
            dataOffset = reader.offset
            hasGaps = reader.hasGaps
            while let stream = try reader.nextStream() {
                let (_, oddity) = try DLFFile.members(stream.type, size: stream.size, at: stream.typeOffset)
                if let oddity { oddities.append(Fault(oddity, path, kind: .torn, and: "; its samples are taken for bytes without a meaning")) }
                dataOffset = reader.offset
                streams.append(
                    Stream(
                        name: String(decoding: stream.id.buffer, as: UTF8.self), type: String(decoding: stream.type.buffer, as: UTF8.self),
                        sampleBytes: stream.size))
                if !isPlausible(stream) { implausible = implausible ?? stream.typeOffset }
                described.append(stream)
                guard role == .polled else { continue }
                schedule.append(PolledSchedule.Stream(stream))
                if bytes.u64(at: dataOffset - 16) == 0 {
                    zeroIntervals.append((dataOffset - 16, streams[streams.count - 1].name))
                }
            }
        } catch {
            cut(error)
        }
    }

    /// A header that does not end within the file is cut, if it was one so far.
    private func cut(_ error: FormatError) {
        header = .bad
        guard error.kind == .torn || file.bytes.count < 2 else {
            fault = Fault(error, path)
            return
        }
        if let at = implausible ?? strange(from: dataOffset) {
            fault = Fault(
                .damaged, path, at: at,
                "found no description of a stream and no end of the header in the file, expected both: the header is not merely cut")
            return
        }
        header = .cut
        fault = Fault(
            .torn, path, at: file.bytes.count,
            "found the end of the file within its header, behind \(streamCount) whole descriptions of streams, expected a whole header: there are no data")
    }

    private var implausible: Int?
    /// Notes that are not there have not even their NUL (DLF.md, section 2).
    private var hasGaps = false

    /// Whether texts are as writers make them (DLF.md, section 2). Asked only where the header seems to have no end: its
    /// number of streams may be wrong, and these be data.
    private func isPlausible(_ stream: DLFStream) -> Bool {
        guard stream.type.count > 0, stream.id.count <= 31, stream.notes.count <= 127 else { return false }
        for byte in stream.type.buffer where byte < 0x20 { return false }
        for byte in stream.id.buffer where byte < 0x20 { return false }
        return true
    }

    /// Where a part of a description begins that can be none.
    private func strange(from start: Int) -> Int? {
        let bytes = file.bytes
        guard start >= 13, start < bytes.count else { return nil }
        guard bytes[start] >= 0x20 else { return start }
        var at = start
        while at < bytes.count, bytes[at] != 0 {
            if bytes[at] < 0x20 { return start }
            at += 1
        }
        var limits = [31, 127]
        if role == .polled { limits.append(19) } else { limits.append(3) }
        // Behind the type its name, its notes and numbers, of which not all may be there.
        for (i, limit) in limits.enumerated() {
            at += 1
            if i == 2 { return bytes.count - at > limit ? start : nil }
            let begin = at
            while at < bytes.count, bytes[at] != 0 { at += 1 }
            if at - begin > limit { return start }
            if at >= bytes.count { return nil }
        }
        return nil
    }

    // MARK: The data

    private func measure() {
        let length = UInt64(file.bytes.count - dataOffset)
        let extent = schedule.withUnsafeBufferPointer { streams in
            let polled = PolledSchedule(streams)
            let extent = polled.extent(of: length)
            if let last = extent.lastTick {
                firstTick = polled.next(from: 0)
                rows = DueTicks(streams)?.count(before: last &+ 1)
            }
            return extent
        }
        self.extent = extent
        samples = extent.samples
        lastTick = extent.lastTick
        end = dataOffset + Int(extent.bytes)
        for i in 0..<schedule.count {
            streams[i].samples = schedule[i].count(before: extent.nextTick)
            if extent.nextTick != PolledSchedule.never, i < extent.nextStream, schedule[i].isDue(at: extent.nextTick) { streams[i].samples += 1 }
        }
        guard tailBytes > 0 else { return }
        guard !schedule.isEmpty else {
            // Nobody writes data without streams: their number is wrong.
            header = .bad
            fault = Fault(.damaged, path, at: end, "found \(tailBytes) bytes behind the header, expected the end of a file of 0 streams")
            return
        }
        guard extent.nextTick != PolledSchedule.never else {
            fault = Fault(.damaged, path, at: end, "found \(tailBytes) bytes, expected the end of the file: no stream has a sample there")
            return
        }
        let stream = streams[extent.nextStream]
        fault = Fault(
            .torn, path, at: end,
            "found \(tailBytes) bytes and the end of the file, expected a sample of \(stream.sampleBytes) bytes, of stream \(stream.name) at tick \(extent.nextTick)")
    }

    private func walk() {
        let bytes = file.bytes
        var counts = [UInt64](repeating: 0, count: streamCount)
        described.withUnsafeBufferPointer { described in
            var events = DLFEvents(bytes, dataOffset: dataOffset, streams: described)
            var previous: UInt64 = 0
            do throws(FormatError) {
                while let event = try events.next() {
                    if samples > 0, event.tick < previous {
                        backwards = ((backwards?.count ?? 0) + 1, backwards?.offset ?? event.offset)
                    }
                    previous = event.tick
                    counts[event.stream] += 1
                    if firstTick == nil { firstTick = event.tick }
                    lastTick = max(lastTick ?? 0, event.tick)
                    samples += 1
                }
            } catch {
                let left = bytes.count - events.offset
                if error.kind == .torn {
                    fault = Fault(.torn, path, at: events.offset, "found \(left) bytes and the end of the file, expected a whole event record")
                } else {
                    fault = Fault(error, path, and: " (\(streamCount) streams); \(left) bytes from here on cannot be read")
                }
            }
            end = events.offset
        }
        rows = samples
        for i in 0..<counts.count { streams[i].samples = counts[i] }
    }

    // MARK: tick_span

    /// Whether the whole samples can be all that a run up to and with tick `span` has left in this file. A last tick may
    /// lack samples: it was begun. Of a file without data 0 always agrees; of events, what is not before the last one.
    public func agrees(with span: UInt64) -> Bool {
        guard role == .polled else { return span >= lastTick ?? 0 }
        guard streamCount > 0 else { return true }
        guard let extent else { return span == 0 }
        guard let lastTick else { return span == 0 || span < extent.nextTick }
        return span == lastTick || (span > lastTick && span < extent.nextTick)
    }

    /// Of the value that is stored.
    public var spanAgrees: Bool { tickSpan.map { agrees(with: $0) } ?? false }

    /// Bytes of data that a run up to and with `tick_span` has; polled files only.
    public var expectedBytes: UInt64? {
        guard role == .polled, header == .whole, let tickSpan else { return nil }
        return schedule.withUnsafeBufferPointer { PolledSchedule($0).length(through: tickSpan) }
    }

    /// The last tick has samples of some of its streams only.
    public var hasPartOfTick: Bool {
        guard let extent, let lastTick else { return false }
        return extent.nextTick == lastTick
    }

    /// What is peculiar about the file alone, its tick_span too.
    public var remarks: [Fault] {
        guard header == .whole, let tickSpan, !spanAgrees else { return notes }
        let expected = lastTick.map { "\($0), the last tick that has a sample" } ?? "0, as there are no samples"
        return notes + [Fault(.torn, path, at: 3, "found the tick span \(tickSpan), expected " + expected)]
    }

    /// What is peculiar, and no damage.
    public var notes: [Fault] {
        var notes = oddities
        if hasGaps {
            notes.append(Fault(.torn, path, at: 13, "found headers of streams without notes, expected an empty text at least; it is read so"))
        }
        for zero in zeroIntervals {
            notes.append(
                Fault(.torn, path, at: zero.offset, "found the interval 0 of stream \(zero.stream), expected at least 1: it means every tick"))
        }
        if let backwards {
            notes.append(
                Fault(
                    .torn, path, at: backwards.offset,
                    "found an event that is earlier than the one before it, \(backwards.count) times in the file: events of several sources may be out of order"))
        }
        if header == .whole, hasPartOfTick, let lastTick {
            notes.append(
                Fault(.torn, path, at: end, "found the end of tick \(lastTick) before all of its samples, expected a whole tick: those that are there count"))
        }
        return notes
    }
}
