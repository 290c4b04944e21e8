/// One sample in a polled file or one record in an event file.
public struct DLFSample {
    public let stream: Int
    public let tick: UInt64
    public let bytes: FileBytes
    /// From the start of the file.
    public let offset: Int
}

/// The samples of a polled file, tick by tick and within a tick in the header's order: nothing but the schedule tells
/// them apart (spec: DLF.md, section 5).
public struct DLFPolledSamples {
    private let bytes: FileBytes
    private let streams: UnsafeBufferPointer<DLFStream>
    private var tick: UInt64
    private var stream = 0
    /// Where the next sample is expected.
    public private(set) var offset: Int

    public init(_ bytes: FileBytes, dataOffset: Int, streams: UnsafeBufferPointer<DLFStream>) {
        self.bytes = bytes
        self.streams = streams
        offset = dataOffset
        tick = DLFPolledSamples.nextTick(streams, from: 0) ?? 0
    }

    /// The next sample; nil at the end. A last sample that is torn throws; what stands before it is whole.
    public mutating func next() throws(FormatError) -> DLFSample? {
        guard offset < bytes.count, streams.count > 0 else { return nil }
        while true {
            while stream < streams.count, !streams[stream].isDue(at: tick) { stream += 1 }
            if stream < streams.count { break }
            stream = 0
            guard tick < UInt64.max, let following = DLFPolledSamples.nextTick(streams, from: tick + 1) else {
                throw FormatError(.torn, at: offset, expected: "the end, behind the last possible tick", found: .text("bytes"))
            }
            tick = following
        }
        let size = streams[stream].size
        guard bytes.holds(size, at: offset) else {
            throw FormatError(.torn, at: offset, expected: "a whole sample", found: .end)
        }
        let sample = DLFSample(stream: stream, tick: tick, bytes: bytes.slice(at: offset, count: size), offset: offset)
        offset += size
        stream += 1
        return sample
    }

    private static func nextTick(_ streams: UnsafeBufferPointer<DLFStream>, from tick: UInt64) -> UInt64? {
        var nearest: UInt64?
        var i = 0
        while i < streams.count {
            if let due = streams[i].due(from: tick), nearest == nil || due < nearest! { nearest = due }
            i += 1
        }
        return nearest
    }
}

/// The records of an event file (spec: DLF.md, section 6).
public struct DLFEvents {
    private let bytes: FileBytes
    private let streams: UnsafeBufferPointer<DLFStream>
    /// Where the next record is expected.
    public private(set) var offset: Int

    public init(_ bytes: FileBytes, dataOffset: Int, streams: UnsafeBufferPointer<DLFStream>) {
        self.bytes = bytes
        self.streams = streams
        offset = dataOffset
    }

    /// The next record; nil at the end. A last record that is torn throws; what stands before it is whole.
    public mutating func next() throws(FormatError) -> DLFSample? {
        guard offset < bytes.count else { return nil }
        guard bytes.holds(10, at: offset) else {
            throw FormatError(.torn, at: offset, expected: "a whole event record", found: .end)
        }
        let stream = Int(bytes.u16(at: offset))
        guard stream < streams.count else {
            throw FormatError(.event, at: offset, expected: "the index of a stream in the header", found: .number(UInt64(stream)))
        }
        let size = streams[stream].size
        guard bytes.holds(size, at: offset + 10) else {
            throw FormatError(.torn, at: offset, expected: "a whole event record", found: .end)
        }
        let sample = DLFSample(
            stream: stream, tick: bytes.u64(at: offset + 2), bytes: bytes.slice(at: offset + 10, count: size),
            offset: offset)
        offset += 10 + size
        return sample
    }
}
