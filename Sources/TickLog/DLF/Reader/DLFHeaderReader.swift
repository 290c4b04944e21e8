/// What `meta.dlf` says (spec: DLF.md, section 1).
public struct DLFMeta {
    public let epochSeconds: UInt32
    public let tickMicroseconds: UInt32
    public let type: FileBytes
    public let typeOffset: Int
    public let data: FileBytes

    public init(_ bytes: FileBytes) throws(FormatError) {
        try checkMagic(bytes)
        guard bytes.holds(10, at: 0) else {
            throw FormatError(.torn, at: bytes.count, expected: "a header of 10 bytes", found: .end)
        }
        epochSeconds = bytes.u32(at: 2)
        tickMicroseconds = bytes.u32(at: 6)
        typeOffset = 10
        var at = 10
        type = try text(bytes, &at)
        guard bytes.holds(4, at: at) else {
            throw FormatError(.torn, at: bytes.count, expected: "the size of the metadata", found: .end)
        }
        let size = Int(clamping: bytes.u32(at: at))
        guard bytes.holds(size, at: at + 4) else {
            throw FormatError(.torn, at: at, expected: "metadata that lies within the file", found: .number(UInt64(size)))
        }
        data = bytes.slice(at: at + 4, count: size)
    }
}

/// One stream of a polled or event file.
public struct DLFStream {
    public let type: FileBytes
    public let typeOffset: Int
    public let id: FileBytes
    public let notes: FileBytes
    /// Bytes of one sample.
    public let size: Int
    /// Ticks; 0 in event files. A stored 0 means every tick and is 1 here.
    public let interval: UInt64
    /// Ticks, less than the interval.
    public let phase: UInt64

    /// Whether a polled stream is due at a tick (spec: DLF.md, section 3).
    public func isDue(at tick: UInt64) -> Bool {
        interval <= 1 || (tick % interval + phase) % interval == 0
    }

    /// The first tick at or behind `tick` at which a polled stream is due; nil beyond the last tick that there is.
    public func due(from tick: UInt64) -> UInt64? {
        guard interval > 1 else { return tick }
        let past = (tick % interval + phase) % interval
        guard past > 0 else { return tick }
        let (sum, overflow) = tick.addingReportingOverflow(interval - past)
        return overflow ? nil : sum
    }
}

/// The header of `polled.dlf`, `event.dlf` or `loss.dlf` (spec: DLF.md, section 2). Its streams are read one by one.
public struct DLFHeaderReader {
    public let isEvents: Bool
    /// Index of the last tick sampled; 0 also if it was never written.
    public let tickSpan: UInt64
    public let streamCount: Int

    private let bytes: FileBytes
    private var streamsRead = 0
    /// Where the next stream header begins; behind the last one, where the data begin.
    public private(set) var offset = 13

    public init(_ bytes: FileBytes) throws(FormatError) {
        try checkMagic(bytes)
        guard bytes.holds(13, at: 0) else {
            throw FormatError(.torn, at: bytes.count, expected: "a header of 13 bytes", found: .end)
        }
        guard bytes[2] <= 1 else {
            throw FormatError(.header, at: 2, expected: "stream type 0 (polled) or 1 (event)", found: .number(UInt64(bytes[2])))
        }
        isEvents = bytes[2] == 1
        tickSpan = bytes.u64(at: 3)
        streamCount = Int(bytes.u16(at: 11))
        self.bytes = bytes
    }

    /// The next stream; nil behind the last.
    public mutating func nextStream() throws(FormatError) -> DLFStream? {
        guard streamsRead < streamCount else { return nil }
        var at = offset
        let typeOffset = at
        let type = try text(bytes, &at)
        let id = try text(bytes, &at)
        let notes = try text(bytes, &at)
        guard bytes.holds(isEvents ? 4 : 20, at: at) else {
            throw FormatError(.torn, at: at, expected: "the size and schedule of a stream", found: .end)
        }
        let size = bytes.u32(at: at)
        guard size <= UInt32(Int32.max) else {
            throw FormatError(.header, at: at, expected: "a sample of less than 2^31 bytes", found: .number(UInt64(size)))
        }
        // Samples of no bytes would never reach the end of the file.
        guard isEvents || size > 0 else {
            throw FormatError(.header, at: at, expected: "polled samples of at least one byte", found: .number(0))
        }
        let interval = isEvents ? 0 : max(bytes.u64(at: at + 4), 1)
        let phase = isEvents ? 0 : bytes.u64(at: at + 12)
        guard interval <= UInt64(Int64.max) else {
            throw FormatError(.header, at: at + 4, expected: "an interval below 2^63", found: .number(interval))
        }
        offset = at + (isEvents ? 4 : 20)
        streamsRead += 1
        return DLFStream(
            type: type, typeOffset: typeOffset, id: id, notes: notes, size: Int(size), interval: interval,
            phase: interval > 0 ? phase % interval : 0)
    }
}

/// The bytes up to the next NUL; `at` moves behind it.
private func text(_ bytes: FileBytes, _ at: inout Int) throws(FormatError) -> FileBytes {
    guard let end = bytes.firstZero(from: at, limit: bytes.count) else {
        throw FormatError(.torn, at: at, expected: "a text that ends with NUL", found: .end)
    }
    let text = bytes.slice(at: at, count: end - at)
    at = end + 1
    return text
}

private func checkMagic(_ bytes: FileBytes) throws(FormatError) {
    guard bytes.holds(2, at: 0) else { throw FormatError(.wrongFormat, at: 0, expected: "the bytes 14 84", found: .end) }
    guard bytes.u16(at: 0) == 0x8414 else {
        throw FormatError(.wrongFormat, at: 0, expected: "0x8414", found: .hex(UInt64(bytes.u16(at: 0))))
    }
}
