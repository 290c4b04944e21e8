import CTickLog

@c @implementation
public func ticklog_arrow_write(
    _ stream: UnsafeMutablePointer<ArrowArrayStream>!, _ path: UnsafePointer<CChar>!,
    _ config: UnsafePointer<ticklog_arrow_write_config>!
) -> ticklog_status {
    guard let stream, path != nil else { return TICKLOG_NULL }
    if let release = stream.pointee.release { release(stream) }
    return TICKLOG_UNSUPPORTED
}
