/// The header of `polled.dlf`, `event.dlf` or `loss.dlf` (spec: 4.2, 4.6; DLF.md, section 2). Its streams are read one by one.
///
/// An intermediate revision of dlflib wrote nothing at all for notes that are not there. Such a header contradicts
/// itself if it is read as usual: sizes do not match types. Then it is read again, and of each stream the notes are left
/// out where only that fits.
public struct DLFHeaderReader {
    public let isEvents: Bool
    /// Index of the last tick sampled; 0 also if it was never written. Other writers' files may have any bytes here.
    public let tickSpan: UInt64
    public let streamCount: Int
    /// Notes are missing, NUL and all.
    public let hasGaps: Bool

    private let bytes: FileBytes
    private var streamsRead = 0
    /// Where the next stream header begins; behind the last one, where the data begin.
    public private(set) var offset = 13

    public init(_ bytes: FileBytes) throws(FormatError) {
        var header = HeaderBytes(SourceWindow(bytes))
        self.init(bytes, try DLFHeaderStart(&header))
    }

    /// `bytes` are at least the whole header, from the start of the file.
    init(_ bytes: FileBytes, _ start: DLFHeaderStart) {
        isEvents = start.isEvents
        tickSpan = start.tickSpan
        streamCount = start.streamCount
        hasGaps = start.hasGaps
        self.bytes = bytes
    }

    /// The next stream; nil behind the last.
    public mutating func nextStream() throws(FormatError) -> DLFStream? {
        guard streamsRead < streamCount else { return nil }
        var header = HeaderBytes(SourceWindow(bytes))
        let isLast = streamsRead == streamCount - 1
        let found = hasGaps
            ? try StreamHeader.fitting(&header, at: offset, isEvents: isEvents, isLast: isLast)
            : try StreamHeader(&header, at: offset, isEvents: isEvents)
        streamsRead += 1
        let stream = DLFStream(
            type: bytes.slice(at: offset, count: found.typeCount), typeOffset: offset,
            id: bytes.slice(at: found.idOffset, count: found.idCount),
            notes: bytes.slice(at: found.notesOffset, count: found.notesCount), size: Int(found.size),
            interval: isEvents ? 0 : max(found.interval, 1),
            phase: isEvents ? 0 : found.phase % max(found.interval, 1))
        offset = found.end
        return stream
    }
}

/// The first 13 bytes of a header, and how the rest is to be read.
struct DLFHeaderStart {
    let isEvents: Bool
    let tickSpan: UInt64
    let streamCount: Int
    private(set) var hasGaps = false
    /// Where the data begin; nil if the streams' headers are torn or contradict themselves: reading them tells why.
    private(set) var dataOffset: Int?
    /// Of the largest sample; 0 without `dataOffset`.
    private(set) var largest: UInt32 = 0

    init(_ header: inout HeaderBytes) throws(FormatError) {
        var at = 0
        guard header.length >= 2 else { throw FormatError(.wrongFormat, at: 0, expected: "the bytes 14 84", found: .end) }
        try checkMagic(UInt16(try header.integer(2, at: &at, "the bytes 14 84")))
        let kind = try header.integer(1, at: &at, "a header of 13 bytes")
        guard kind <= 1 else {
            throw FormatError(.header, at: 2, expected: "stream type 0 (polled) or 1 (event)", found: .number(kind))
        }
        isEvents = kind == 1
        tickSpan = try header.integer(8, at: &at, "a header of 13 bytes")
        streamCount = Int(try header.integer(2, at: &at, "a header of 13 bytes"))
        try measure(&header)
    }

    private mutating func measure(_ header: inout HeaderBytes) throws(FormatError) {
        let (usual, isPlausible) = try pass(&header, fits: false)
        if usual != nil, isPlausible {
            (dataOffset, largest) = usual!
            return
        }
        let (fitting, _) = try pass(&header, fits: true)
        if fitting != nil {
            hasGaps = true
            (dataOffset, largest) = fitting!
        } else if usual != nil {
            (dataOffset, largest) = usual!
        }
    }

    /// Where the streams' headers end, and the largest sample; nil if they do not fit. Only the source throws.
    private func pass(
        _ header: inout HeaderBytes, fits: Bool
    ) throws(FormatError) -> (found: (Int, UInt32)?, isPlausible: Bool) {
        var at = 13
        var largest: UInt32 = 0
        var isPlausible = true
        for i in 0..<streamCount {
            do throws(FormatError) {
                let isLast = i == streamCount - 1
                let stream = fits
                    ? try StreamHeader.fitting(&header, at: at, isEvents: isEvents, isLast: isLast)
                    : try StreamHeader(&header, at: at, isEvents: isEvents)
                at = stream.end
                largest = max(largest, stream.size)
                if !stream.isPlausible { isPlausible = false }
            } catch {
                if error.kind == .source { throw error }
                return (nil, false)
            }
        }
        return ((at, largest), isPlausible)
    }
}

/// Where the parts of one stream's header lie.
struct StreamHeader {
    let typeCount: Int
    let idOffset: Int
    let idCount: Int
    let notesOffset: Int
    /// 0 if they are missing.
    let notesCount: Int
    let size: UInt32
    /// 0 in event files, and where 0 is stored.
    let interval: UInt64
    let phase: UInt64
    /// Where the next header begins.
    let end: Int
    /// Nothing speaks against that it was read as it was written.
    let isPlausible: Bool

    /// `hasNotes`: false for a header in which even their NUL is missing.
    init(
        _ header: inout HeaderBytes, at start: Int, isEvents: Bool, hasNotes: Bool = true, isLast: Bool = true
    ) throws(FormatError) {
        var at = start
        typeCount = try header.text(at: &at)
        idOffset = at
        idCount = try header.text(at: &at)
        notesOffset = at
        notesCount = hasNotes ? try header.text(at: &at) : 0
        let schedule = at
        let expected: StaticString = "the size and schedule of a stream"
        let size = try header.integer(4, at: &at, expected)
        guard size <= UInt64(Int32.max) else {
            throw FormatError(.header, at: schedule, expected: "a sample of less than 2^31 bytes", found: .number(size))
        }
        // Samples of no bytes would never reach the end of the file.
        guard isEvents || size > 0 else {
            throw FormatError(.header, at: schedule, expected: "polled samples of at least one byte", found: .number(0))
        }
        interval = isEvents ? 0 : try header.integer(8, at: &at, expected)
        phase = isEvents ? 0 : try header.integer(8, at: &at, expected)
        self.size = UInt32(size)
        end = at

        var type = TypeScan(size: Int(size), fileOffset: start)
        for i in 0..<typeCount { _ = try type.take(header.byte(at: start + i, expected)) }
        _ = try type.end()

        // What a header is like that is read with a shift of a few bytes.
        var isPlausible = interval >> 48 == 0 && phase >> 48 == 0 && typeCount > 0
        for i in 0..<min(notesCount, 128) where try header.byte(at: notesOffset + i, expected) < 0x20 { isPlausible = false }
        if !hasNotes {
            // Notes would be taken for a size. No sample of that writer is larger than its buffer of 8192 bytes.
            if size >= 1 << 16 { isPlausible = false }
            // The NUL of empty ones would be taken for the lowest byte of the size, and so on. Of events, only where no other
            // stream has to follow: otherwise that tells.
            let isShifted = isEvents ? isLast : interval & 0xFF == 0 && phase & 0xFF == 0
            if size & 0xFF == 0, isShifted { isPlausible = false }
        } else if case .opaque = type.kind {
            // A size would be taken for notes, and its upper half, which is 0, for the lower half of a size.
            if size >= 1 << 24 || size >= 1 << 16 && size & 0xFF == 0 && notesCount <= 2 { isPlausible = false }
        }
        self.isPlausible = isPlausible
    }

    /// The longest that notes can be (spec: DLF.md, section 2), which bounds the search for their end.
    private static var maxNotes: Int { 127 }

    /// With notes or without, whichever fits; with them if both do.
    static func fitting(
        _ header: inout HeaderBytes, at start: Int, isEvents: Bool, isLast: Bool
    ) throws(FormatError) -> StreamHeader {
        var at = start
        _ = try header.text(at: &at)
        _ = try header.text(at: &at)
        let notes = at
        var usual: FormatError?
        if try hasShortNotes(&header, at: notes) {
            do throws(FormatError) {
                let stream = try StreamHeader(&header, at: start, isEvents: isEvents)
                let goesOn = isLast ? true : try isType(&header, at: stream.end)
                if stream.isPlausible, goesOn { return stream }
            } catch {
                if error.kind == .source { throw error }
                usual = error
            }
        }
        let stream = try StreamHeader(&header, at: start, isEvents: isEvents, hasNotes: false, isLast: isLast)
        let goesOn = isLast ? true : try isType(&header, at: stream.end)
        guard stream.isPlausible, goesOn else {
            throw usual ?? FormatError(.header, at: notes, expected: "notes, or the size of the samples", found: .text("neither"))
        }
        return stream
    }

    private static func hasShortNotes(_ header: inout HeaderBytes, at start: Int) throws(FormatError) -> Bool {
        var at = start
        while at < header.length, at - start <= maxNotes {
            if try header.byte(at: at, "notes") == 0 { return true }
            at += 1
        }
        return false
    }

    /// Whether the next stream's type may begin here: with a letter or what begins names and opaque types.
    private static func isType(_ header: inout HeaderBytes, at start: Int) throws(FormatError) -> Bool {
        guard start < header.length else { return false }
        let byte = try header.byte(at: start, "a type")
        return byte == 0x21 || byte == 0x5F || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
    }
}
