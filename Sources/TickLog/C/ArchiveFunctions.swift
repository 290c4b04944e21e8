import CTickLog

// ticklog.h, section "Reading DLF files": archives of runs.

@c @implementation
public func ticklog_archive_find(
    _ archive: UnsafePointer<ticklog_source>!, _ name: UnsafePointer<CChar>!, _ offset: UnsafeMutablePointer<UInt64>!,
    _ bytes: UnsafeMutablePointer<UInt64>!
) -> ticklog_status {
    guard let archive, let name, let offset, let bytes else { return TICKLOG_NULL }
    let status = sourceStatus(archive)
    guard status == TICKLOG_OK else { return status }
    let wanted = FileBytes(start: UnsafeRawPointer(name), count: name.length(256))
    do throws(FormatError) {
        let found: (offset: Int, count: Int)?
        if let mapped = archive.pointee.mapped {
            var scan = TarScan(FileBytes(start: mapped, count: Int(archive.pointee.bytes)))
            found = try scan.find(wanted)
        } else {
            var buffer = InlineArray<64, UInt64>(repeating: 0)
            found = try withUnsafeMutableBytes(of: &buffer) { (buffer) throws(FormatError) in
                var scan = TarScan(SourceWindow(archive, buffer.baseAddress!, capacity: buffer.count))
                return try scan.find(wanted)
            }
        }
        guard let found else { return TICKLOG_NOT_FOUND }
        offset.pointee = UInt64(found.offset)
        bytes.pointee = UInt64(found.count)
        return TICKLOG_OK
    } catch { return ReaderObject.status(error) }
}
