import CTickLog

// ticklog.h, sections Logger and Streams.

@c @implementation
public func ticklog_logger_size(_ config: UnsafePointer<ticklog_config>!) -> Int {
    Logger.size(config)
}

@c @implementation
public func ticklog_logger_init(
    _ memory: UnsafeMutableRawPointer!, _ bytes: Int, _ config: UnsafePointer<ticklog_config>!,
    _ logger: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard let memory, let logger else { return TICKLOG_NULL }
    let status = Logger.check(config)
    guard status == TICKLOG_OK, let config else { return status }
    guard UInt(bitPattern: memory) & 7 == 0 else { return TICKLOG_MISALIGNED }
    let size = Logger.size(config)
    guard bytes >= size else { return TICKLOG_NO_MEMORY }
    let result = UInt(bitPattern: logger)
    let start = UInt(bitPattern: memory)
    guard result >= start &+ UInt(size) || result &+ UInt(MemoryLayout<OpaquePointer>.size) <= start
    else { return TICKLOG_OVERLAP }
    logger.pointee = OpaquePointer(Logger.make(in: memory, config))
    return TICKLOG_OK
}

@c @implementation
public func ticklog_add(
    _ logger: OpaquePointer!, _ config: UnsafePointer<ticklog_stream_config>!,
    _ stream: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard logger != nil, let config else { return TICKLOG_NULL }
    guard let logger = Logger.from(logger) else { return TICKLOG_BAD_HANDLE }
    return Stream.add(logger, config, stream)
}
