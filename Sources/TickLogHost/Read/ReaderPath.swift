import CPosix
import CTickLog
import TickLog

// ticklog.h, section "Reading BCSV files", by path.

@c @implementation
public func ticklog_reader_open_path(
    _ path: UnsafePointer<CChar>!, _ flags: UInt32, _ reader: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard let path, let reader else { return TICKLOG_NULL }
    let file: MappedFile
    do throws(FileError) {
        // What has no end is read only if it begins as a BCSV file does.
        file = try MappedFile(String(cString: path)) { $0.count < 4 || BCSVFile.recognises($0) }
    } catch { return posixStatus(error.code) }
    var source = ticklog_source()
    source.size = UInt32(MemoryLayout<ticklog_source>.size)
    source.bytes = UInt64(file.bytes.count)
    source.mapped = file.bytes.start
    return withUnsafePointer(to: source) { source in
        var config = ticklog_reader_config()
        config.size = UInt32(MemoryLayout<ticklog_reader_config>.size)
        config.flags = flags
        config.source = source
        var bytes = 0
        var status = ticklog_reader_size(&config, &bytes)
        guard status == TICKLOG_OK else { return status }
        guard let memory = malloc(bytes) else { return TICKLOG_NO_MEMORY }
        var made: OpaquePointer?
        status = ticklog_reader_open(&config, memory, bytes, &made)
        guard status == TICKLOG_OK, let object = ReaderObject.from(made) else {
            free(memory)
            return status
        }
        object.pointee.owner = Unmanaged.passRetained(file).toOpaque()
        reader.pointee = made
        return TICKLOG_OK
    }
}

@c @implementation
public func ticklog_reader_close(_ reader: OpaquePointer!) -> ticklog_status {
    guard reader != nil else { return TICKLOG_NULL }
    guard let object = ReaderObject.from(reader), let owner = object.pointee.owner else { return TICKLOG_BAD_HANDLE }
    object.pointee.kill()
    Unmanaged<MappedFile>.fromOpaque(owner).release()
    free(UnsafeMutableRawPointer(reader))
    return TICKLOG_OK
}
