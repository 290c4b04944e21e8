import CPosix
import TickLog

/// `ch<k>_loss.jsonl`: what a channel lost, a JSON object a line (spec: FRAMES, 6). It also is what a channel's directory is
/// locked by: two receivers never write the same files.
final class LossLog {
    let path: String
    private let descriptor: Int32
    private var pending: [UInt8] = []
    private(set) var needsSync = false
    /// The number of the next file, as a receiver has left it that ended by itself.
    let nextFile: UInt64

    /// Opens the file behind what is there; a line that was never finished is cut.
    /// - Throws: EWOULDBLOCK if another process has it.
    init(directory: String, channel: Int) throws(FileError) {
        path = directory.file("ch\(channel)_loss.jsonl")
        descriptor = cposix_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError(path, "open", cposix_errno()) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw FileError(path, "lock (another receiver has it)", cposix_errno()) }
        var end = lseek(descriptor, 0, SEEK_END)
        let size = end
        var byte: UInt8 = 0
        while end > 0, pread(descriptor, &byte, 1, end - 1) == 1, byte != 0x0A { end -= 1 }
        if end < size, ftruncate(descriptor, end) != 0 { throw FileError(path, "cut the torn tail", cposix_errno()) }
        _ = lseek(descriptor, end, SEEK_SET)
        var tail = [UInt8](repeating: 0, count: Int(min(end, 128)))
        let file = descriptor
        let got = tail.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, end - off_t($0.count)) }
        nextFile = got == tail.count ? LossLog.nextFile(tail) : 0
    }

    private static var ended: StaticString { "\"kind\":\"ended\",\"file\":" }

    /// What `ended` tells, if it is the last line.
    private static func nextFile(_ tail: [UInt8]) -> UInt64 {
        let line = tail.dropLast(2)
        var at = line.endIndex
        while at > 0, line[at - 1] >= 0x30, line[at - 1] <= 0x39 { at -= 1 }
        let before = Array(staticText(ended).utf8)
        guard tail.suffix(2).elementsEqual([0x7D, 0x0A]), at >= before.count, line[(at - before.count)..<at].elementsEqual(before),
            line.endIndex - at <= 18
        else { return 0 }
        return UInt64(String(decoding: line[at...], as: UTF8.self)) ?? 0
    }

    /// Tells the next receiver how to go on if all files have been taken away by then.
    func ends(nextFile: UInt64) { record("ended", [("file", nextFile)]) }

    deinit { _ = close(descriptor) }

    /// Adds a line: the kind of loss, and members that are numbers.
    func record(_ kind: StaticString, _ members: [(StaticString, UInt64)], and more: String = "") {
        var line = "{\"time\":\""
        var time = timespec()
        _ = clock_gettime(CLOCK_REALTIME, &time)
        line += timeText(epochNs: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
        line += "\",\"kind\":\"" + staticText(kind) + "\""
        for (name, value) in members { line += ",\"" + staticText(name) + "\":\(value)" }
        line += more + "}\n"
        pending.append(contentsOf: Array(line.utf8))
    }

    var hasLines: Bool { !pending.isEmpty }

    /// Whether there is enough to be written.
    var isFull: Bool { pending.count >= 65536 }

    /// Writes what there is. What was not written is kept, for another try.
    func write() throws(FileError) {
        var done = 0
        defer { pending.removeFirst(done) }
        while done < pending.count {
            let written = pending.withUnsafeBytes { CPosix.write(descriptor, $0.baseAddress! + done, $0.count - done) }
            if written > 0 {
                done += written
                needsSync = true
                continue
            }
            let error = written == 0 ? ENOSPC : cposix_errno()
            if error != EINTR { throw FileError(path, "write", error) }
        }
    }

    func sync() throws(FileError) {
        guard needsSync else { return }
        guard fdatasync(descriptor) == 0 else { throw FileError(path, "sync", cposix_errno()) }
        needsSync = false
    }
}
