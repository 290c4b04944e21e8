/// The bytes of a header, which are read one after the other and at times again, mapped or through a window.
struct HeaderBytes {
    private var window: SourceWindow
    private var chunk = FileBytes(UnsafeRawBufferPointer(start: nil, count: 0))
    private var chunkStart = 0

    init(_ window: SourceWindow) { self.window = window }

    var length: Int { window.length }

    /// The byte at `offset`, or what is missing there.
    @inline(__always)
    mutating func byte(at offset: Int, _ expected: StaticString) throws(FormatError) -> UInt8 {
        if offset < chunkStart || offset - chunkStart >= chunk.count { try load(offset, expected) }
        return chunk[offset - chunkStart]
    }

    private mutating func load(_ offset: Int, _ expected: StaticString) throws(FormatError) {
        guard offset < window.length else { throw FormatError(.torn, at: window.length, expected: expected, found: .end) }
        chunk = try window.bytes(at: offset, atLeast: window.capacity)
        chunkStart = offset
    }

    /// A little-endian integer of `size` bytes; `offset` moves behind it.
    mutating func integer(_ size: Int, at offset: inout Int, _ expected: StaticString) throws(FormatError) -> UInt64 {
        var value: UInt64 = 0
        var i = 0
        while i < size {
            value |= UInt64(try byte(at: offset &+ i, expected)) << UInt64(8 &* i)
            i += 1
        }
        offset += size
        return value
    }

    /// How long a text is that ends with NUL; `offset` moves behind it.
    mutating func text(at offset: inout Int) throws(FormatError) -> Int {
        let start = offset
        while try byte(at: offset, "a text that ends with NUL") != 0 { offset += 1 }
        offset += 1
        return offset - 1 - start
    }
}
