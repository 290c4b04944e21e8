import CPosix
import TickLog

/// Frames into files `ch<k>_<n>.dat` (spec: FRAMES, 5): nothing but frames, one behind another. The file that is being
/// written ends in `.part`; it gets its name when it is on the medium.
///
/// Every function that throws has kept what it was about: call it again when the medium may have room again.
final class FrameWriter {
    let directory: String
    let channel: Int
    let rollBytes: UInt64
    /// Of the next file, or of the one that is being written.
    private(set) var number: UInt64
    /// Whole files, and the one that is being written.
    private(set) var fileCount: UInt64 = 0
    /// Bytes of the file, without the batch.
    @exclusivity(unchecked) private(set) var fileBytes: UInt64 = 0
    @exclusivity(unchecked) private(set) var batchBytes = 0
    @exclusivity(unchecked) private(set) var batchFrames: UInt64 = 0
    private(set) var needsSync = false
    /// A sync failed: nobody knows what is on the medium of what was written since the last one that did not. It is not
    /// tried again, since the system has forgotten what it could not write, and would say that all is well.
    private(set) var syncFailure: FileError?
    private var descriptor: Int32 = -1
    private let direct = DirectBlocks()
    /// This batch goes past the page cache.
    private var isDirect = false
    /// Bytes of the batch that are in the file already.
    private var done = 0
    private let pieces: UnsafeMutablePointer<iovec>
    private let rest: UnsafeMutablePointer<iovec>
    @exclusivity(unchecked) private var pieceCount = 0
    @exclusivity(unchecked) private var batchEnd: UnsafeRawPointer?

    /// What one call of writev takes.
    static var pieceLimit: Int { 1024 }

    /// - Parameter continuing: the size of the file `number` that ends in `.part`; nil: there is none.
    init(directory: String, channel: Int, rollBytes: UInt64, number: UInt64, continuing: UInt64?) throws(FileError) {
        self.directory = directory
        self.channel = channel
        self.rollBytes = rollBytes
        self.number = number
        pieces = .allocate(capacity: FrameWriter.pieceLimit)
        rest = .allocate(capacity: FrameWriter.pieceLimit)
        guard let continuing else { return }
        descriptor = cposix_open(partPath, O_WRONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw FileError(partPath, "open", cposix_errno()) }
        fileBytes = continuing
        fileCount = 1
    }

    deinit {
        if descriptor >= 0 { _ = close(descriptor) }
        pieces.deallocate()
        rest.deallocate()
    }

    var path: String { directory.file(ChannelFile.name(channel, number)) }
    private var partPath: String { path + ChannelFile.part }

    /// Whether a frame must not be added before the batch was written: there is no place in the list, or the file would
    /// become too large.
    @inline(__always)
    func hasRoom(_ bytes: Int) -> Bool {
        pieceCount < FrameWriter.pieceLimit && !exceeds(bytes)
    }

    /// Whether the frame belongs into another file.
    @inline(__always)
    func exceeds(_ bytes: Int) -> Bool {
        let before = fileBytes &+ UInt64(batchBytes)
        return before > 0 && before &+ UInt64(bytes) > rollBytes
    }

    /// Adds a frame to the batch. The bytes stay where they are until it is written.
    @inline(__always)
    func add(_ bytes: UnsafeMutableRawPointer, _ count: Int) {
        if let batchEnd, batchEnd == UnsafeRawPointer(bytes) {
            pieces[pieceCount - 1].iov_len += count
        } else {
            (pieces + pieceCount).initialize(to: iovec(iov_base: bytes, iov_len: count))
            pieceCount += 1
        }
        batchEnd = UnsafeRawPointer(bytes) + count
        batchBytes += count
        batchFrames += 1
    }

    /// Writes the batch.
    func write() throws(FileError) {
        guard batchBytes > 0 else { return }
        if descriptor < 0 { try open() }
        while done < batchBytes {
            let written = writeNext()
            if written > 0 {
                done += written
                continue
            }
            let error = written == 0 ? ENOSPC : cposix_errno()
            if error == EINTR { continue }
            // This file may not become larger. Another one may: the whole batch goes there.
            if error == EFBIG, fileBytes > 0 {
                try cut()
                try roll()
                try open()
                continue
            }
            throw FileError(partPath, "write", error)
        }
        fileBytes &+= UInt64(batchBytes)
        needsSync = true
        empty()
    }

    /// Writes some of what is left of the batch, as `write` does: of a large one, what stands before the next whole block,
    /// then whole blocks past the page cache, and what is left behind them.
    private func writeNext() -> Int {
        let at = fileBytes &+ UInt64(done)
        let left = batchBytes - done
        var most = left
        if left >= DirectBlocks.leastBytes || isDirect, direct.isOpen(partPath) {
            isDirect = true
            most = Int((0 &- at) & (DirectBlocks.block - 1))
            if most == 0 {
                let written = direct.write(pieces, skipping: done, bytes: left, at: at)
                if written != 0 { return written }
                most = left
            }
        }
        return pwritev(descriptor, rest, Int32(remaining(most)), off_t(at))
    }

    /// Gives the batch up. What is in the file of it is taken out.
    func giveUp() {
        try? cut()
        empty()
    }

    func sync() throws(FileError) {
        if let syncFailure { throw syncFailure }
        guard needsSync, descriptor >= 0 else { return }
        guard fdatasync(descriptor) == 0 else {
            let failure = FileError(partPath, "sync", cposix_errno())
            syncFailure = failure
            throw failure
        }
        needsSync = false
    }

    /// Ends the file: syncs it and gives it its name. The batch stays, for the next one.
    func roll() throws(FileError) {
        guard descriptor >= 0 else { return }
        try sync()
        let part = partPath
        while true {
            do throws(FileError) {
                try renameNew(part, path)
                break
            } catch {
                guard error.code == EEXIST else { throw error }
                number += 1
            }
        }
        syncDirectory(directory)
        _ = close(descriptor)
        descriptor = -1
        direct.close()
        number += 1
        fileBytes = 0
    }

    private func open() throws(FileError) {
        // Nothing is ever replaced.
        while kind(of: path, following: false) != .missing { number += 1 }
        let descriptor = cposix_open(partPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError(partPath, "create", cposix_errno()) }
        // Its name shall be there when its bytes are.
        syncDirectory(directory)
        self.descriptor = descriptor
        fileCount += 1
    }

    private func cut() throws(FileError) {
        guard done > 0, descriptor >= 0 else { return }
        guard ftruncate(descriptor, off_t(fileBytes)) == 0 else { throw FileError(partPath, "truncate", cposix_errno()) }
        done = 0
    }

    private func empty() {
        pieceCount = 0
        batchBytes = 0
        batchFrames = 0
        batchEnd = nil
        done = 0
        isDirect = false
    }

    /// The pieces of the next `most` bytes behind what is done. How many.
    private func remaining(_ most: Int) -> Int {
        var skipped = 0
        var count = 0
        var left = most
        for i in 0..<pieceCount where left > 0 {
            let length = pieces[i].iov_len
            let passed = min(length, max(0, done - skipped))
            skipped += length
            guard passed < length else { continue }
            let taken = min(left, length - passed)
            (rest + count).initialize(to: iovec(iov_base: pieces[i].iov_base + passed, iov_len: taken))
            count += 1
            left -= taken
        }
        return count
    }
}
