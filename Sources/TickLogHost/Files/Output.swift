import CPosix

/// Bytes on their way to a descriptor, or to a text in memory, in blocks of 64 KiB. A failure is kept: ask `flush` at the
/// end.
public final class Output {
    public let isTerminal: Bool
    /// Of the file, for what is said of a failure.
    public let path: String
    /// -1: a text in memory.
    private let descriptor: Int32
    private let buffer: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var used = 0
    @exclusivity(unchecked) private var failure: Int32 = 0
    /// The text, of `textCapacity` bytes; by malloc.
    private var memory: UnsafeMutableRawPointer?
    private var textCount = 0
    private var textCapacity = 0
    let floats = FloatWriter()

    public static var blockSize: Int { 65536 }

    public init(descriptor: Int32, path: String = "standard output") {
        self.descriptor = descriptor
        self.path = path
        isTerminal = descriptor >= 0 && isatty(descriptor) == 1
        buffer = UnsafeMutableRawPointer.allocate(byteCount: Output.blockSize, alignment: 16)
    }

    /// A text in memory, which `takeText` hands over.
    public static func inMemory() -> Output { Output(descriptor: -1, path: "a text in memory") }

    deinit {
        buffer.deallocate()
        free(memory)
    }

    /// What was written to an output in memory, with a NUL behind it; the caller frees it by `free`. Nil: there was no memory
    /// for all of it. Once only.
    public func takeText() -> UnsafeMutablePointer<CChar>? {
        byte(0)
        drain()
        guard failure == 0, let memory else { return nil }
        self.memory = nil
        return memory.assumingMemoryBound(to: CChar.self)
    }

    @inline(__always)
    public func byte(_ byte: UInt8) {
        if used == Output.blockSize { drain() }
        buffer.storeBytes(of: byte, toByteOffset: used, as: UInt8.self)
        used &+= 1
    }

    public func bytes(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        if bytes.count > Output.blockSize - used {
            drain()
            if bytes.count > Output.blockSize { return write(start, bytes.count) }
        }
        (buffer + used).copyMemory(from: start, byteCount: bytes.count)
        used += bytes.count
    }

    /// Room for at most 64 bytes, of which `fill` answers how many it used.
    @inline(__always)
    func place(_ fill: (UnsafeMutableRawPointer) -> Int) {
        if Output.blockSize &- used < 64 { drain() }
        used &+= fill(buffer + used)
    }

    /// Where the next bytes go, and how many have room there: `count` at least, but not more than a block.
    @inline(__always)
    func room(_ count: Int) -> (next: UnsafeMutableRawPointer, limit: UnsafeMutableRawPointer) {
        if Output.blockSize &- used < count { drain() }
        return (buffer + used, buffer + Output.blockSize)
    }

    /// What was stored since `room`.
    @inline(__always)
    func take(upTo end: UnsafeMutableRawPointer) { used = end - buffer }

    public func text(_ text: String) {
        var text = text
        text.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
    }

    public func text(_ text: StaticString) {
        self.bytes(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public func line(_ text: String) {
        self.text(text)
        byte(0x0A)
    }

    /// Writes what is left; throws the first failure there was.
    public func flush() throws(FileError) {
        drain()
        if failure != 0 { throw FileError(path, "write", failure) }
    }

    /// False once writing has failed: a reader that went away needs no more work.
    public var isOpen: Bool { failure == 0 }

    @inline(never)
    private func drain() {
        write(buffer, used)
        used = 0
    }

    private func keep(_ bytes: UnsafeRawPointer, _ count: Int) {
        let needed = textCount + count
        if needed > textCapacity {
            let capacity = max(needed, textCapacity > Int.max / 2 ? needed : 2 * textCapacity)
            guard let larger = realloc(memory, capacity) else {
                failure = ENOMEM
                return
            }
            memory = larger
            textCapacity = capacity
        }
        (memory! + textCount).copyMemory(from: bytes, byteCount: count)
        textCount = needed
    }

    private func write(_ bytes: UnsafeRawPointer, _ count: Int) {
        if descriptor < 0 {
            if failure == 0, count > 0 { keep(bytes, count) }
            return
        }
        var done = 0
        while failure == 0, done < count {
            let written = CPosix.write(descriptor, bytes + done, count - done)
            if written > 0 {
                done += written
            } else {
                let error = written == 0 ? ENOSPC : cposix_errno()
                if error == EAGAIN {
                    // A pipe that somebody has made non-blocking.
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&ready, 1, -1)
                } else if error != EINTR {
                    failure = error
                }
            }
        }
    }
}
