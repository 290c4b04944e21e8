import CPosix

/// Bytes on their way to a descriptor, in blocks of 64 KiB. A failure is kept: ask `flush` at the end.
public final class Output {
    public let isTerminal: Bool
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var failure: Int32 = 0

    public static var blockSize: Int { 65536 }

    public init(descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        buffer.reserveCapacity(Output.blockSize)
    }

    public func byte(_ byte: UInt8) {
        buffer.append(byte)
        if buffer.count >= Output.blockSize { drain() }
    }

    public func bytes(_ bytes: UnsafeRawBufferPointer) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Output.blockSize { drain() }
    }

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
        if failure != 0 { throw FileError("standard output", "write", failure) }
    }

    /// False once writing has failed: a reader that went away needs no more work.
    public var isOpen: Bool { failure == 0 }

    private func drain() {
        var done = 0
        while failure == 0, done < buffer.count {
            let written = buffer.withUnsafeBytes { write(descriptor, $0.baseAddress! + done, $0.count - done) }
            if written >= 0 {
                done += written
            } else {
                let error = cposix_errno()
                if error != EINTR { failure = error }
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
