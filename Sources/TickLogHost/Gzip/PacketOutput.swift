import CPosix
import CZlib
import TickLog

/// Bytes on their way to a file, as they are or as one gzip member.
public final class PacketOutput {
    private let output: Output
    private let library: GzipLibrary?
    private let stream: UnsafeMutablePointer<czlib_stream>
    private let buffer: UnsafeMutableRawPointer
    private static var capacity: Int { 1 << 16 }

    /// - Parameter level: of gzip, 1 to 9; nil: as they are.
    public init(_ output: Output, gzip level: Int?) throws(Fault) {
        self.output = output
        stream = .allocate(capacity: 1)
        stream.initialize(to: czlib_stream())
        buffer = .allocate(byteCount: PacketOutput.capacity, alignment: 16)
        guard let level else {
            library = nil
            return
        }
        let library: GzipLibrary
        do throws(Fault) { library = try GzipLibrary(for: output.path) } catch {
            stream.deallocate()
            buffer.deallocate()
            throw error
        }
        self.library = library
        var functions = library.functions
        guard czlib_begin_deflate(&functions, stream, Int32(level)) == CZLIB_OK else {
            throw Fault(.system, output.path, at: nil, "gzip: " + String(cString: strerror(ENOMEM)))
        }
    }

    deinit {
        if let library { _ = library.functions.deflateEnd(stream) }
        stream.deallocate()
        buffer.deallocate()
    }

    public func bytes(_ bytes: UnsafeRawBufferPointer) {
        guard library != nil else { return output.bytes(bytes) }
        var at = 0
        while at < bytes.count {
            let piece = min(bytes.count - at, 1 << 30)
            deflate(bytes.baseAddress! + at, piece, CZLIB_NO_FLUSH)
            at += piece
        }
    }

    /// Writes what is left.
    public func finish() throws(Fault) {
        if library != nil { deflate(UnsafeRawPointer(buffer), 0, CZLIB_FINISH) }
        do { try output.flush() } catch { throw Fault(error) }
    }

    private func deflate(_ bytes: UnsafeRawPointer, _ count: Int, _ flush: Int32) {
        guard let library else { return }
        stream.pointee.next_in = bytes.assumingMemoryBound(to: UInt8.self)
        stream.pointee.available_in = UInt32(count)
        while true {
            stream.pointee.next_out = buffer.assumingMemoryBound(to: UInt8.self)
            stream.pointee.available_out = UInt32(PacketOutput.capacity)
            let code = library.functions.deflate(stream, flush)
            let made = PacketOutput.capacity - Int(stream.pointee.available_out)
            output.bytes(UnsafeRawBufferPointer(start: buffer, count: made))
            if flush == CZLIB_FINISH {
                if code == CZLIB_STREAM_END || made == 0 { return }
            } else if made < PacketOutput.capacity {
                return
            }
        }
    }
}
