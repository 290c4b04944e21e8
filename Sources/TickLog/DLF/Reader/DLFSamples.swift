/// One sample in a polled file or one record in an event file.
public struct DLFSample {
    public let stream: Int
    public let tick: UInt64
    public let bytes: FileBytes
    /// Of the sample (polled) or its record (events), from the start of the file.
    public let offset: Int
}

/// The records of an event file that is mapped (spec: 4.4; DLF.md, section 6).
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
