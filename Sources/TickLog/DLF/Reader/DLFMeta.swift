/// What `meta.dlf` says (spec: 4.1; DLF.md, section 1).
public struct DLFMeta {
    public let epochSeconds: UInt32
    public let tickMicroseconds: UInt32
    public let type: FileBytes
    public let typeOffset: Int
    public let data: FileBytes

    public init(_ bytes: FileBytes) throws(FormatError) {
        guard bytes.holds(2, at: 0) else { throw FormatError(.wrongFormat, at: 0, expected: "the bytes 14 84", found: .end) }
        try checkMagic(bytes.u16(at: 0))
        guard bytes.holds(10, at: 0) else {
            throw FormatError(.torn, at: bytes.count, expected: "a header of 10 bytes", found: .end)
        }
        epochSeconds = bytes.u32(at: 2)
        tickMicroseconds = bytes.u32(at: 6)
        typeOffset = 10
        guard let end = bytes.firstZero(from: 10, limit: bytes.count) else {
            throw FormatError(.torn, at: 10, expected: "a text that ends with NUL", found: .end)
        }
        type = bytes.slice(at: 10, count: end - 10)
        guard bytes.holds(4, at: end + 1) else {
            throw FormatError(.torn, at: bytes.count, expected: "the size of the metadata", found: .end)
        }
        let size = Int(clamping: bytes.u32(at: end + 1))
        guard bytes.holds(size, at: end + 5) else {
            throw FormatError(.torn, at: end + 1, expected: "metadata that lies within the file", found: .number(UInt64(size)))
        }
        data = bytes.slice(at: end + 5, count: size)
    }
}

/// What all files of DLF begin with.
func checkMagic(_ magic: UInt16) throws(FormatError) {
    guard magic != 0x1484 else {
        throw FormatError(
            .wrongFormat, at: 0, expected: "14 84: DLF is little-endian",
            found: .text("the bytes 84 14 of a big-endian writer"))
    }
    guard magic == 0x8414 else { throw FormatError(.wrongFormat, at: 0, expected: "0x8414", found: .hex(UInt64(magic))) }
}
