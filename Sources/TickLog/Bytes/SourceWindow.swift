import CTickLog

/// The bytes of a file: mapped as a whole, or read by callbacks into a window of the caller's memory.
public struct SourceWindow {
    public let length: Int
    /// The most bytes that are there together.
    let capacity: Int
    private let mapped: UnsafeRawPointer?
    private let source: UnsafePointer<ticklog_source>?
    private let buffer: UnsafeMutableRawPointer?
    private(set) var start = 0
    private var filled = 0
    /// Changes whenever the window moves: bytes that were handed out before are then gone.
    private(set) var generation = 0

    /// A file that is mapped, and stays so.
    public init(_ bytes: FileBytes) {
        length = bytes.count
        capacity = bytes.count
        mapped = bytes.start
        source = nil
        buffer = nil
    }

    /// A file that is read into `buffer`. `source.bytes` fits an Int.
    init(_ source: UnsafePointer<ticklog_source>, _ buffer: UnsafeMutableRawPointer, capacity: Int) {
        length = Int(source.pointee.bytes)
        self.capacity = capacity
        mapped = source.pointee.mapped
        self.source = source
        self.buffer = buffer
    }

    var isMapped: Bool { mapped != nil }

    /// The bytes from `offset` on: at least `count` of them, unless the file or the window is shorter. Valid until the
    /// next call.
    mutating func bytes(at offset: Int, atLeast count: Int) throws(FormatError) -> FileBytes {
        precondition(offset >= 0 && offset <= length)
        if let mapped { return FileBytes(start: mapped + offset, count: length - offset) }
        let wanted = min(count, capacity, length - offset)
        if offset < start || offset > start + filled || start + filled - offset < wanted {
            try load(offset)
        }
        return FileBytes(start: UnsafeRawPointer(buffer!) + (offset - start), count: start + filled - offset)
    }

    /// Has the bytes from `place` on again where they were in `generation`.
    mutating func restore(_ place: Int, _ generation: Int) throws(FormatError) {
        if mapped == nil, self.generation != generation { try load(place) }
    }

    private mutating func load(_ offset: Int) throws(FormatError) {
        let buffer = buffer!
        generation &+= 1
        var kept = 0
        if offset >= start, offset < start + filled {
            kept = start + filled - offset
            buffer.copyMemory(from: buffer + (offset - start), byteCount: kept)
        }
        start = offset
        filled = kept
        let count = min(capacity, length - offset) - kept
        guard count > 0 else { return }
        let status = source!.pointee.read(source!.pointee.context, UInt64(offset + kept), buffer + kept, UInt32(count))
        guard status == TICKLOG_OK else {
            filled = 0
            throw FormatError(
                .source, at: offset + kept, expected: "bytes of the file",
                found: .number(UInt64(UInt32(bitPattern: 0 &- status))))
        }
        filled = kept + count
    }
}
