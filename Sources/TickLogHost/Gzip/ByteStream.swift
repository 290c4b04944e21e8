import TickLog

/// Bytes in their order, as many of them together as a reader needs: those of a file, or what a compressed one unpacks to.
public class ByteStream {
    public let path: String
    /// What is there from `offset` on; valid until the next call of `have`.
    public internal(set) var bytes: FileBytes
    /// Of `bytes`, from the start of the stream.
    public internal(set) var offset: UInt64 = 0
    /// Why there are no more bytes, if something is wrong.
    public internal(set) var fault: Fault?

    init(_ path: String, _ bytes: FileBytes) {
        self.path = path
        self.bytes = bytes
    }

    /// Whether there are so many bytes, at most `RNOGKinds.maxBytes` of them; if not, those that are there are the last.
    public func have(_ count: Int) -> Bool { bytes.count >= count }

    /// Goes on behind so many of the bytes.
    public final func pass(_ count: Int) {
        bytes = bytes.slice(at: count, count: bytes.count - count)
        offset += UInt64(count)
    }
}

/// A file in memory.
final class FileStream: ByteStream {
    private let file: MappedFile

    init(_ file: MappedFile, at start: Int = 0) {
        self.file = file
        super.init(file.path, file.bytes.slice(at: start, count: file.bytes.count - start))
        offset = UInt64(start)
    }
}
