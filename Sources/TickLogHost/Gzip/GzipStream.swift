import CPosix
import CZlib
import TickLog

/// What a gzip file (RFC 1952) of one or several members unpacks to, a window at a time, however much it is.
public final class GzipStream: ByteStream {
    private let file: MappedFile
    private let library: GzipLibrary
    /// zlib keeps its address.
    private let stream: UnsafeMutablePointer<czlib_stream>
    private let buffer: UnsafeMutableRawPointer
    private var taken = 0
    private var isEnded = false
    private static var capacity: Int { 1 << 19 }

    /// Whether bytes begin with a member, or with so much of its magic as there is.
    public static func recognises(_ bytes: FileBytes) -> Bool {
        bytes.count >= 3 && bytes[0] == 0x1F && bytes[1] == 0x8B && bytes[2] == 8
    }

    public init(_ file: MappedFile) throws(Fault) {
        library = try GzipLibrary(for: file.path)
        self.file = file
        let stream = UnsafeMutablePointer<czlib_stream>.allocate(capacity: 1)
        stream.initialize(to: czlib_stream())
        var functions = library.functions
        guard czlib_begin_inflate(&functions, stream) == CZLIB_OK else {
            stream.deallocate()
            throw Fault(.system, file.path, at: nil, "gzip: " + String(cString: strerror(ENOMEM)))
        }
        self.stream = stream
        buffer = .allocate(byteCount: GzipStream.capacity, alignment: 64)
        super.init(file.path, FileBytes(start: UnsafeRawPointer(buffer), count: 0))
    }

    deinit {
        _ = library.functions.inflateEnd(stream)
        stream.deallocate()
        buffer.deallocate()
    }

    public override func have(_ count: Int) -> Bool {
        if bytes.count >= count { return true }
        if isEnded { return false }
        // What is left goes to the front, and the window is filled.
        let left = bytes.count
        memmove(buffer, bytes.start, left)
        let filled = fill(from: left)
        bytes = FileBytes(start: UnsafeRawPointer(buffer), count: filled)
        return filled >= count
    }

    private func fill(from start: Int) -> Int {
        var at = start
        while at < GzipStream.capacity, !isEnded {
            let given = min(file.bytes.count - taken, 1 << 30)
            stream.pointee.next_in = (file.bytes.start + taken).assumingMemoryBound(to: UInt8.self)
            stream.pointee.available_in = UInt32(given)
            stream.pointee.next_out = (buffer + at).assumingMemoryBound(to: UInt8.self)
            stream.pointee.available_out = UInt32(GzipStream.capacity - at)
            let code = library.functions.inflate(stream, CZLIB_NO_FLUSH)
            taken += given - Int(stream.pointee.available_in)
            at = GzipStream.capacity - Int(stream.pointee.available_out)
            if code == CZLIB_STREAM_END {
                endMember()
            } else if taken == file.bytes.count, at < GzipStream.capacity, code == CZLIB_OK || code == CZLIB_BUFFER_ERROR {
                end(.torn, "found the end of the file, expected more of a gzip member")
            } else if code != CZLIB_OK {
                let reason = stream.pointee.message.map { String(cString: $0) } ?? "error \(code)"
                end(.damaged, "found bytes that do not unpack (\(reason)), expected those of a gzip member")
            }
        }
        return at
    }

    /// Another member may follow; padding of zeros is none.
    private func endMember() {
        while taken < file.bytes.count, file.bytes[taken] == 0 { taken += 1 }
        guard taken < file.bytes.count else {
            isEnded = true
            return
        }
        let rest = file.bytes.slice(at: taken, count: file.bytes.count - taken)
        guard rest.count < 3 || GzipStream.recognises(rest) else {
            return end(.damaged, "found bytes behind a gzip member that are none, expected another one or the end of the file")
        }
        _ = library.functions.inflateReset(stream)
    }

    /// The offset is that in the compressed file.
    private func end(_ kind: Fault.Kind, _ text: String) {
        isEnded = true
        fault = Fault(kind, path, at: taken, text + "; \(offset + UInt64(bytes.count)) bytes were unpacked at least")
    }
}
