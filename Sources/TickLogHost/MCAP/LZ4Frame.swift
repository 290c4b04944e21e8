import CXXHash

/// The frame format of LZ4 (version 1.6.x of its description): blocks that do not refer to each other, the content's size, no
/// checksum but that of the descriptor.
final class LZ4Frame {
    private let compressor = PageCompressor()

    /// Adds the frame of some bytes; false if there is no memory.
    func write(_ bytes: UnsafeRawPointer, _ count: Int, to out: MCAPBytes) -> Bool {
        // The least of 64 KiB, 256 KiB, 1 MiB and 4 MiB that holds them: a reader makes room for it.
        var code: UInt8 = 4
        while code < 7, count > 1 << (8 + 2 * Int(code)) { code += 1 }
        let block = 1 << (8 + 2 * Int(code))
        out.u32(0x184D_2204)
        let descriptor = out.count
        // Version 1, independent blocks, content size.
        out.u8(0b0110_1000)
        out.u8(code << 4)
        out.u64(UInt64(count))
        out.u8(UInt8(truncatingIfNeeded: cxxhash32(out.start + descriptor, out.count - descriptor) >> 8))
        var at = 0
        while at < count {
            let size = min(block, count - at)
            guard let compressed = compressor.compress(bytes + at, size), let start = compressed.baseAddress else { return false }
            if compressed.count < size {
                out.u32(UInt32(compressed.count))
                out.bytes(start, compressed.count)
            } else {
                out.u32(UInt32(size) | 1 << 31)
                out.bytes(bytes + at, size)
            }
            at += size
        }
        out.u32(0)
        return true
    }
}
