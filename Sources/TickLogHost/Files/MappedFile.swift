import CPosix
import TickLog

/// A system call that failed, with the file it was for.
public struct FileError: Error {
    public let path: String
    public let doing: String
    public let code: Int32

    public init(_ path: String, _ doing: String, _ code: Int32) {
        self.path = path
        self.doing = doing
        self.code = code
    }

    public var reason: String { String(cString: strerror(code)) }
}

/// A whole file in memory, read-only: mapped if it is a regular file, read to its end if it is a pipe or `-`, standard
/// input, or a part of another one, as an archive's files are. A named pipe that nobody writes to is empty: it is not
/// waited for a writer. A file that grows is seen as long as it was when it was opened; one that is cut under the reader
/// ends the process, as with every mapping, unless there is a `FileGuard`.
public final class MappedFile {
    public let path: String
    public let bytes: FileBytes
    private let mapped: Bool
    private var place: Int32 = -1
    /// Whose bytes these are a part of.
    private let whole: MappedFile?

    /// What is no regular file may have no end: it is read only as far as its first bytes are `wanted`.
    public init(_ path: String, wanted: (FileBytes) -> Bool = { _ in true }) throws(FileError) {
        self.path = path
        whole = nil
        // Without O_NONBLOCK, a named pipe is not even opened before somebody writes to it.
        let descriptor = path == "-" ? dup(0) : cposix_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard descriptor >= 0 else { throw FileError(path, "open", cposix_errno()) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError(path, "stat", cposix_errno()) }
        guard FileKind(status) != .directory else { throw FileError(path, "read", EISDIR) }
        if FileKind(status) == .file, path != "-" {
            guard let size = Int(exactly: status.st_size) else { throw FileError(path, "map", EFBIG) }
            guard size > 0 else {
                bytes = FileBytes(UnsafeRawBufferPointer(start: nil, count: 0))
                mapped = false
                return
            }
            let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
            guard let address, UInt(bitPattern: address) != UInt.max else { throw FileError(path, "map", cposix_errno()) }
            bytes = FileBytes(start: UnsafeRawPointer(address), count: size)
            mapped = true
            place = FileGuard.add(UnsafeRawPointer(address), size)
        } else {
            bytes = try MappedFile.readAll(descriptor, path, wanted)
            mapped = false
        }
    }

    /// A copy of bytes in memory, as if it were a file of that name.
    public init(_ content: [UInt8], named path: String) {
        self.path = path
        mapped = false
        whole = nil
        guard !content.isEmpty, let memory = malloc(content.count) else {
            bytes = FileBytes(UnsafeRawBufferPointer(start: nil, count: 0))
            return
        }
        content.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        bytes = FileBytes(start: UnsafeRawPointer(memory), count: content.count)
    }

    /// A part of another file's bytes, which it keeps, as if it were a file of that name.
    public init(part: Range<Int>, of whole: MappedFile, named path: String) {
        self.path = path
        mapped = false
        self.whole = whole
        bytes = whole.bytes.slice(at: part.lowerBound, count: part.count)
    }

    /// It was cut since it was opened, and what is missing was looked at: where there was something there are zeros. Only with
    /// `FileGuard`.
    var isShorter: Bool { whole?.isShorter ?? FileGuard.isShorter(place) }

    /// Its path leads to less than there was. (What is missing of a page is zeros, which nobody notes.)
    var isCut: Bool { whole?.isCut ?? (mapped && kind(of: path) == .file && size(of: path) < UInt64(bytes.count)) }

    /// Gives back the memory of what was read; it comes again from the file where it is looked at. So who reads a file once
    /// does not fill the process's memory with it.
    func leavePages() {
        if let whole { return whole.leavePages() }
        guard mapped, bytes.count > 0 else { return }
        _ = madvise(UnsafeMutableRawPointer(mutating: bytes.start), bytes.count, MADV_DONTNEED)
    }

    deinit {
        guard whole == nil, bytes.count > 0 else { return }
        let address = UnsafeMutableRawPointer(mutating: bytes.start)
        FileGuard.remove(place)
        if mapped { _ = munmap(address, bytes.count) } else { free(address) }
    }

    private static func readAll(_ descriptor: Int32, _ path: String, _ wanted: (FileBytes) -> Bool) throws(FileError) -> FileBytes {
        var capacity = 1 << 16
        var count = 0
        guard var memory = malloc(capacity) else { throw FileError(path, "read", ENOMEM) }
        while true {
            if count == capacity {
                let (doubled, overflow) = capacity.multipliedReportingOverflow(by: 2)
                guard !overflow, let larger = realloc(memory, doubled) else {
                    free(memory)
                    throw FileError(path, "read", ENOMEM)
                }
                memory = larger
                capacity = doubled
            }
            let taken = read(descriptor, memory + count, capacity - count)
            if taken > 0 {
                count += taken
                if !wanted(FileBytes(start: UnsafeRawPointer(memory), count: count)) { break }
            } else if taken == 0 {
                break
            } else {
                let error = cposix_errno()
                if error == EINTR { continue }
                if error == EAGAIN {
                    // There is a writer, and it takes its time.
                    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                    _ = poll(&ready, 1, -1)
                    continue
                }
                free(memory)
                throw FileError(path, "read", error)
            }
        }
        if count == 0 {
            free(memory)
            return FileBytes(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        return FileBytes(start: UnsafeRawPointer(memory), count: count)
    }
}
