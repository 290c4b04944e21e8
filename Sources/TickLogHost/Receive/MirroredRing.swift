import CPosix
import TickLog

/// Memory that is mapped twice in a row, so that any range of it, also one that goes over its end, lies in one piece: a
/// socket reads into it, frames are looked at where they lie, and a file is written from there.
///
/// Positions grow for ever; where they lie follows from their lower bits. Who may use which range is the channel's affair.
final class MirroredRing {
    /// A power of two.
    let capacity: Int
    let start: UnsafeMutableRawPointer
    private let mask: UInt64

    /// - Parameter least: bytes; rounded up to a power of two, and to pages.
    init(least: Int) throws(FileError) {
        var capacity = max(65536, Int(sysconf(Int32(_SC_PAGESIZE))))
        while capacity < least {
            guard capacity <= Int.max / 8 else { throw FileError("memory", "map a ring of \(least) bytes", ENOMEM) }
            capacity *= 2
        }
        self.capacity = capacity
        mask = UInt64(capacity) - 1
        let file = cposix_memory_file("ticklog-ring", 1)
        guard file >= 0 else { throw FileError("memory", "make a ring", cposix_errno()) }
        defer { _ = close(file) }
        guard ftruncate(file, off_t(capacity)) == 0 else { throw FileError("memory", "make a ring of \(capacity) bytes", cposix_errno()) }
        // The place for both, then one over each half of it.
        let place = mmap(nil, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let place, UInt(bitPattern: place) != UInt.max else { throw FileError("memory", "map a ring of \(capacity) bytes", cposix_errno()) }
        start = place
        for half in 0..<2 {
            let mapped = mmap(place + half * capacity, capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0)
            guard let mapped, UInt(bitPattern: mapped) != UInt.max else {
                let error = cposix_errno()
                _ = munmap(place, 2 * capacity)
                throw FileError("memory", "map a ring of \(capacity) bytes", error)
            }
        }
    }

    deinit { _ = munmap(start, 2 * capacity) }

    /// Up to `capacity` bytes from here lie in one piece.
    @inline(__always)
    func at(_ position: UInt64) -> UnsafeMutableRawPointer { start + Int(truncatingIfNeeded: position & mask) }
}
