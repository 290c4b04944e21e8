import CPosix
import CXXHash
import TickLog

/// Writes a run as an archive (spec: 4.7). The same run gives the same bytes: its files come in an order of their own, as
/// `<run>/<file>`, with the time at which the run began, without an owner, and readable for all.
public final class RunArchiveWriter {
    /// A file as it was written.
    public struct Entry {
        public let name: String
        public let size: UInt64
        let hash: UInt64
    }

    public let run: RunDirectory
    public private(set) var entries: [Entry] = []
    /// Of the archive, so far.
    public private(set) var size: UInt64 = 0
    private let directory: [UInt8]
    private let seconds: UInt64

    public init(_ run: RunDirectory) throws(Fault) {
        self.run = run
        let name = run.archive?.directoryName ?? run.name
        directory = name == "/" ? [] : Array(name.utf8)
        // The header has room for so much before the last slash.
        guard directory.count <= 155 else {
            throw Fault(.unreadable, run.path, at: nil, "found a name of \(directory.count) bytes, expected at most 155, which an archive holds")
        }
        let start = (try? RunMeta(run))?.epochNs ?? 0
        seconds = start > 0 ? UInt64(start / 1_000_000_000) : 0
    }

    /// All of the run's files. What goes wrong while writing is kept by the output.
    public func write(to output: Output) throws(Fault) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
        let state = UnsafeMutablePointer<cxxhash64_state>.allocate(capacity: 1)
        defer {
            copy.deallocate()
            state.deallocate()
        }
        for name in run.ownNames {
            let file: MappedFile
            do { file = try run.open(run.path.file(name)) } catch { throw Fault(error) }
            let bytes = file.bytes
            let header = RunArchiveWriter.header(directory, Array(name.utf8), size: UInt64(bytes.count), seconds: seconds)
            header.withUnsafeBytes { output.bytes($0) }
            // The file of an open run may change meanwhile: what is written is what is hashed.
            cxxhash64_reset(state)
            var at = 0
            while at < bytes.count, output.isOpen {
                let count = min(copy.count, bytes.count - at)
                copy.baseAddress!.copyMemory(from: bytes.start + at, byteCount: count)
                cxxhash64_update(state, copy.baseAddress!, count)
                output.bytes(UnsafeRawBufferPointer(rebasing: copy[..<count]))
                at += count
            }
            let padding = (512 - bytes.count % 512) % 512
            for _ in 0..<padding { output.byte(0) }
            size += 512 + UInt64(bytes.count) + UInt64(padding)
            entries.append(Entry(name: name, size: UInt64(bytes.count), hash: cxxhash64_digest(state)))
        }
        for _ in 0..<1024 { output.byte(0) }
        size += 1024
    }

    /// Reads what was written, as everybody would.
    public func verify(_ path: String) throws(Fault) {
        let file: MappedFile
        do { file = try MappedFile(path) } catch { throw Fault(error) }
        let archive = try RunArchive(file)
        for fault in archive.faults { throw fault }
        guard UInt64(file.bytes.count) == size, archive.members.count == entries.count else {
            throw Fault(
                .damaged, path, at: nil,
                "found \(archive.members.count) files in \(file.bytes.count) bytes, expected the \(entries.count) files in \(size) bytes that were written")
        }
        for entry in entries {
            let part: MappedFile
            do { part = try archive.open(entry.name) } catch { throw Fault(error) }
            guard cxxhash64(part.bytes.start, part.bytes.count) == entry.hash, UInt64(part.bytes.count) == entry.size else {
                throw Fault(.damaged, part.path, at: 0, "found other bytes than were written, expected the same")
            }
        }
    }

    /// One block: POSIX ustar.
    static func header(_ directory: [UInt8], _ name: [UInt8], size: UInt64, seconds: UInt64) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: [UInt8], at offset: Int) {
            for i in 0..<text.count { block[offset + i] = text[i] }
        }
        func octal(_ value: UInt64, at offset: Int, digits: Int) {
            for i in 0..<digits { block[offset + i] = 0x30 + UInt8(value >> UInt64(3 * (digits - 1 - i)) & 7) }
        }
        let whole = directory.isEmpty ? name : directory + [0x2F] + name
        if whole.count <= 100 {
            put(whole, at: 0)
        } else {
            put(name, at: 0)
            put(directory, at: 345)
        }
        octal(0o644, at: 100, digits: 7)
        octal(0, at: 108, digits: 7)
        octal(0, at: 116, digits: 7)
        if size >> 33 == 0 {
            octal(size, at: 124, digits: 11)
        } else {
            // More than eleven octal digits hold: in base 256, marked by the first bit.
            block[124] = 0x80
            for i in 0..<8 { block[128 + i] = UInt8(truncatingIfNeeded: size >> UInt64(56 - 8 * i)) }
        }
        octal(min(seconds, 1 << 33 - 1), at: 136, digits: 11)
        block[156] = 0x30
        put(Array("ustar".utf8), at: 257)
        put([0x30, 0x30], at: 263)
        octal(0, at: 329, digits: 7)
        octal(0, at: 337, digits: 7)
        for i in 148..<156 { block[i] = 0x20 }
        var sum: UInt64 = 0
        for byte in block { sum += UInt64(byte) }
        octal(sum, at: 148, digits: 6)
        block[154] = 0
        return block
    }
}
