import CPosix
import CTickLog
import TickLog

// ticklog.h, section "Reading DLF files", by path.

@c @implementation
public func ticklog_dlf_open_path(
    _ run: UnsafePointer<CChar>!, _ file: UnsafePointer<CChar>!, _ dlf: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard let run, let dlf else { return TICKLOG_NULL }
    let path = String(cString: run)
    let name = file.map { String(cString: $0) }
    let mapped: MappedFile
    var bytes: FileBytes
    do throws(FileError) {
        if let name, kind(of: path) == .directory {
            mapped = try member(path, name)
            bytes = mapped.bytes
        } else {
            // What has no end is read only if it begins as such a file does.
            mapped = try MappedFile(path) { bytes in
                bytes.count < 2 || (name == nil ? DLFFile.recognises(bytes) : bytes.count < 512 || TarScan.recognises(bytes))
            }
            bytes = mapped.bytes
        }
    } catch { return posixStatus(error.code) }
    if let file, kind(of: path) != .directory {
        var archive = source(bytes)
        var (offset, count): (UInt64, UInt64) = (0, 0)
        let status = ticklog_archive_find(&archive, file, &offset, &count)
        guard status == TICKLOG_OK else { return status }
        bytes = bytes.slice(at: Int(offset), count: Int(count))
    }
    return withUnsafePointer(to: source(bytes)) { source in
        var config = ticklog_dlf_config()
        config.size = UInt32(MemoryLayout<ticklog_dlf_config>.size)
        config.source = source
        var size = 0
        var status = ticklog_dlf_size(&config, &size)
        guard status == TICKLOG_OK else { return status }
        guard let memory = malloc(size) else { return TICKLOG_NO_MEMORY }
        var made: OpaquePointer?
        status = ticklog_dlf_open(&config, memory, size, &made)
        guard status == TICKLOG_OK, let object = DLFObject.from(made) else {
            free(memory)
            return status
        }
        object.pointee.owner = Unmanaged.passRetained(mapped).toOpaque()
        dlf.pointee = made
        return TICKLOG_OK
    }
}

/// A file of a run's directory; on media that have only such names, in upper case.
private func member(_ directory: String, _ name: String) throws(FileError) -> MappedFile {
    do throws(FileError) { return try MappedFile(directory.file(name)) } catch {
        guard error.code == ENOENT else { throw error }
        var upper: [UInt8] = []
        for byte in name.utf8 { upper.append(byte >= 0x61 && byte <= 0x7A ? byte - 32 : byte) }
        return try MappedFile(directory.file(String(decoding: upper, as: UTF8.self)))
    }
}

private func source(_ bytes: FileBytes) -> ticklog_source {
    var source = ticklog_source()
    source.size = UInt32(MemoryLayout<ticklog_source>.size)
    source.bytes = UInt64(bytes.count)
    source.mapped = bytes.start
    return source
}

@c @implementation
public func ticklog_dlf_close(_ dlf: OpaquePointer!) -> ticklog_status {
    guard dlf != nil else { return TICKLOG_NULL }
    guard let object = DLFObject.from(dlf), let owner = object.pointee.owner else { return TICKLOG_BAD_HANDLE }
    object.pointee.kill()
    Unmanaged<MappedFile>.fromOpaque(owner).release()
    free(UnsafeMutableRawPointer(dlf))
    return TICKLOG_OK
}
