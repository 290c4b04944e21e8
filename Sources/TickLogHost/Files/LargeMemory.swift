import CPosix
import TickLog

/// Memory for many values, aligned to 64. If it is much it is whole pages, large ones where the system has them: so 40 MB are
/// not met by ten thousand page faults, but by twenty.
struct LargeMemory {
    let start: UnsafeMutableRawPointer
    let bytes: Int

    /// Below, malloc does.
    static var least: Int { 2 * largePage }
    private static var largePage: Int { 2 << 20 }
    private var isMapped: Bool { bytes >= Self.least }

    /// Nil: there is none.
    init?(_ bytes: Int) {
        var address: UnsafeMutableRawPointer?
        if bytes >= Self.least {
            address = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let address, UInt(bitPattern: address) != UInt.max else { return nil }
            Self.advise(address, bytes)
        } else {
            guard posix_memalign(&address, 64, max(bytes, 64)) == 0 else { return nil }
        }
        guard let address else { return nil }
        start = address
        self.bytes = bytes
    }

    /// A hint: with it or without, the memory is there.
    private static func advise(_ memory: UnsafeMutableRawPointer, _ bytes: Int) { _ = madvise(memory, bytes, MADV_HUGEPAGE) }

    /// So many bytes of any content, for `free` of C; nil: there are none.
    static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer? {
        var memory: UnsafeMutableRawPointer?
        let whole = bytes < Int.max - largePage ? roundUp(bytes, largePage) : bytes
        guard posix_memalign(&memory, largePage, whole) == 0, let memory else { return nil }
        advise(memory, whole)
        return memory
    }

    func free() {
        if isMapped { _ = munmap(start, bytes) } else { CPosix.free(start) }
    }
}
