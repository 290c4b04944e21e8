import CPosix
import TickLog

/// Memory for much data, all zero, aligned to 64: whole pages, large ones where the system has them. So 40 MB are not met
/// by ten thousand page faults, but by twenty.
struct LargeMemory {
    let start: UnsafeMutableRawPointer
    let bytes: Int

    /// Below, malloc does.
    static var least: Int { 2 * largePage }
    private static var largePage: Int { 2 << 20 }

    /// Nil: there is none.
    init?(_ bytes: Int) {
        let address = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address, UInt(bitPattern: address) != UInt.max else { return nil }
        // A hint: with it or without, the memory is there.
        _ = madvise(address, bytes, MADV_HUGEPAGE)
        start = address
        self.bytes = bytes
    }

    func free() { _ = munmap(start, bytes) }
}
