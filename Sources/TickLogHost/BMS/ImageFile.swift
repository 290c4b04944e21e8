import CPosix
import TickLog

/// A file with the images of all sources (spec: BMS, 4).
public struct ImageFile {
    public struct Source {
        public let type: UInt8
        public let id: UInt8
        /// All records of the source before this place in the log are in the image.
        public let position: LogPosition
        /// 65536 words, little-endian.
        public let words: FileBytes
    }

    public let sources: [Source]
    public var path: String { file.path }
    private let file: MappedFile

    static var headerBytes: Int { 16 }
    static var sourceBytes: Int { 16 + 2 * PacketImage.mostWords }
    /// "TLBMSIMG"
    static var magic: UInt64 { 0x474D_4953_4D42_4C54 }

    /// Reads a file, and checks all of it.
    public init(_ path: String) throws(Fault) {
        do throws(FileError) { file = try MappedFile(path) } catch { throw Fault(error) }
        let bytes = file.bytes
        guard bytes.count >= ImageFile.headerBytes + 4 else {
            throw Fault(.damaged, path, at: bytes.count, "found the end of the file, expected an image file of at least 20 bytes")
        }
        guard bytes.u64(at: 0) == ImageFile.magic else { throw Fault(.unreadable, path, at: 0, "expected \"TLBMSIMG\"") }
        guard bytes.u32(at: 8) == 1 else { throw Fault(.unreadable, path, at: 8, "found version \(bytes.u32(at: 8)), expected 1") }
        let count = bytes.u32(at: 12)
        guard count <= UInt32(SourceImages.count) else {
            throw Fault(.damaged, path, at: 12, "found \(count) sources, expected at most \(SourceImages.count)")
        }
        let end = ImageFile.headerBytes + Int(count) * ImageFile.sourceBytes
        guard bytes.count == end + 4 else {
            throw Fault(.damaged, path, at: bytes.count, "found \(bytes.count) bytes, expected \(end + 4) for \(count) sources")
        }
        guard CRC32C().of(bytes.start, end) == bytes.u32(at: end) else {
            throw Fault(.damaged, path, at: end, "the checksum is not that of the bytes before")
        }
        var sources: [Source] = []
        var seen = [Bool](repeating: false, count: SourceImages.count)
        for i in 0..<Int(count) {
            let at = ImageFile.headerBytes + i * ImageFile.sourceBytes
            let type = bytes[at]
            let id = bytes[at + 1]
            guard type < 4, !seen[SourceImages.index(type: type, id: id)] else {
                throw Fault(.damaged, path, at: at, "found source \(type):\(id), expected another one of a type up to 3")
            }
            seen[SourceImages.index(type: type, id: id)] = true
            sources.append(Source(
                type: type, id: id, position: LogPosition(bits: bytes.u64(at: at + 8)),
                words: bytes.slice(at: at + 16, count: 2 * PacketImage.mostWords)))
        }
        self.sources = sources
    }

    /// The first place in the log that not all images know; nil without sources.
    public var leastPosition: LogPosition? { sources.map { $0.position }.min() }
    public var mostPosition: LogPosition? { sources.map { $0.position }.max() }
}

/// Writes an image file beside its place, as FILE.tmp; it takes its name when it is whole and on the medium.
public final class ImageFileWriter {
    public let path: String
    private let count: Int
    private let descriptor: Int32
    private let crc = CRC32C()
    private var checksum: UInt32 = 0
    private var isDone = false

    private var temporaryPath: String { path + ".tmp" }

    /// - Parameter count: of the sources that will be added.
    public init(_ path: String, count: Int) throws(FileError) {
        self.path = path
        self.count = count
        descriptor = cposix_open(path + ".tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError(path + ".tmp", "create", cposix_errno()) }
        var header = (ImageFile.magic.littleEndian, UInt32(1).littleEndian, UInt32(count).littleEndian)
        do throws(FileError) {
            try withUnsafeBytes(of: &header) { (bytes) throws(FileError) in try write(bytes.baseAddress!, ImageFile.headerBytes) }
        } catch {
            discard()
            throw error
        }
    }

    deinit { discard() }

    /// - Parameter words: 65536, in host order, which is little-endian.
    public func add(type: UInt8, id: UInt8, position: LogPosition, words: UnsafeRawPointer) throws(FileError) {
        var header = (UInt64(type) | UInt64(id) << 8, position.bits)
        try withUnsafeBytes(of: &header) { (bytes) throws(FileError) in try write(bytes.baseAddress!, 16) }
        try write(words, 2 * PacketImage.mostWords)
    }

    /// Puts the file on the medium and in its place.
    public func commit() throws(FileError) {
        var sum = checksum.littleEndian
        try withUnsafeBytes(of: &sum) { (bytes) throws(FileError) in try write(bytes.baseAddress!, 4) }
        guard fsync(descriptor) == 0 else { throw FileError(temporaryPath, "sync", cposix_errno()) }
        guard rename(temporaryPath, path) == 0 else { throw FileError(path, "rename to it", cposix_errno()) }
        isDone = true
        _ = close(descriptor)
        syncDirectory(path.directory)
    }

    public func discard() {
        guard !isDone, descriptor >= 0 else { return }
        isDone = true
        _ = close(descriptor)
        removeFile(temporaryPath)
    }

    private func write(_ bytes: UnsafeRawPointer, _ count: Int) throws(FileError) {
        checksum = crc.of(bytes, count, after: checksum)
        var done = 0
        while done < count {
            let put = CPosix.write(descriptor, bytes + done, count - done)
            if put > 0 {
                done += put
                continue
            }
            let error = put == 0 ? ENOSPC : cposix_errno()
            if error != EINTR { throw FileError(temporaryPath, "write", error) }
        }
    }
}
