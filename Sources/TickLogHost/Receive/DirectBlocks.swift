import CPosix

/// Whole blocks of a large batch on their way past the page cache: one copy from the ring to an aligned place, which the
/// medium then takes by itself. The page cache would take a copy, too, and new pages for it, which costs several times as
/// much of the processor; that is missed where sockets are read at the same time.
///
/// Not every file system can do it. The page cache is always there.
final class DirectBlocks {
    /// What offsets, lengths and addresses must be multiples of, on every medium there is.
    static var block: UInt64 { 4096 }
    /// Batches below this are for the page cache: the medium would be waited for too often.
    static var leastBytes: Int { 256 << 10 }
    private static var placeBytes: Int { 1 << 20 }

    private var descriptor: Int32 = -1
    private var place: UnsafeMutableRawPointer?
    private var isRefused = false

    deinit {
        close()
        place?.deallocate()
    }

    /// Whether the file can be written so.
    func isOpen(_ path: String) -> Bool {
        if descriptor >= 0 { return true }
        guard !isRefused else { return false }
        descriptor = cposix_open_direct(path)
        guard descriptor >= 0 else {
            isRefused = true
            return false
        }
        if place == nil { place = .allocate(byteCount: DirectBlocks.placeBytes, alignment: Int(DirectBlocks.block)) }
        return true
    }

    /// The file was ended.
    func close() {
        if descriptor >= 0 { _ = CPosix.close(descriptor) }
        descriptor = -1
    }

    /// Writes the first of `bytes` bytes, which begin `skipped` bytes into the pieces, at a place in the file that is a
    /// multiple of a block. How many it were: whole blocks, or none, if it is not possible, or as `write` answers.
    func write(_ pieces: UnsafeMutablePointer<iovec>, skipping skipped: Int, bytes: Int, at offset: UInt64) -> Int {
        guard let place else { return 0 }
        let most = min(bytes, DirectBlocks.placeBytes) & ~(Int(DirectBlocks.block) - 1)
        guard most > 0 else { return 0 }
        var piece = 0
        var left = skipped
        while left >= pieces[piece].iov_len {
            left -= pieces[piece].iov_len
            piece += 1
        }
        var filled = 0
        while filled < most {
            let count = min(pieces[piece].iov_len - left, most - filled)
            (place + filled).copyMemory(from: pieces[piece].iov_base + left, byteCount: count)
            filled += count
            left = 0
            piece += 1
        }
        let written = pwrite(descriptor, place, most, off_t(offset))
        if written < 0, cposix_errno() == EINVAL || cposix_errno() == EOPNOTSUPP {
            isRefused = true
            close()
            return 0
        }
        return written
    }
}
