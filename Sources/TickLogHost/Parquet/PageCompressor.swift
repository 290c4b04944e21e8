import CLZ4
import CPosix

/// Pages as LZ4 blocks (codec LZ4_RAW), each of its own.
final class PageCompressor {
    private let state: UnsafeMutableRawPointer
    private var memory: UnsafeMutableRawPointer?
    private var room = 0

    init() {
        let bytes = Int(tables_lz4_state_bytes())
        state = .allocate(byteCount: bytes, alignment: 16)
        _ = tables_lz4_init(state, Int32(bytes))
    }

    deinit {
        state.deallocate()
        free(memory)
    }

    /// The compressed bytes, which stay until the next call; nil without memory. `count` is less than 2^30.
    func compress(_ bytes: UnsafeRawPointer, _ count: Int) -> UnsafeRawBufferPointer? {
        let bound = count + count / 255 + 16
        if room < bound {
            free(memory)
            memory = malloc(bound)
            room = memory == nil ? 0 : bound
        }
        guard let memory else { return nil }
        tables_lz4_reset(state)
        let written = tables_lz4_compress(
            state, bytes.assumingMemoryBound(to: CChar.self), memory.assumingMemoryBound(to: CChar.self), Int32(count), Int32(bound), 1)
        return written > 0 ? UnsafeRawBufferPointer(start: memory, count: Int(written)) : nil
    }
}
