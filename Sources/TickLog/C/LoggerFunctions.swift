import CTickLog

// ticklog.h, sections Logger and Streams.

@c @implementation
public func ticklog_logger_size(_ config: UnsafePointer<ticklog_config>!) -> Int {
    guard var own = config?.taken() else { return 0 }
    return Logger.size(&own)
}

@c @implementation
public func ticklog_logger_init(
    _ memory: UnsafeMutableRawPointer!, _ bytes: Int, _ config: UnsafePointer<ticklog_config>!,
    _ logger: UnsafeMutablePointer<OpaquePointer?>!
) -> ticklog_status {
    guard let memory, let logger else { return TICKLOG_NULL }
    guard let config else { return TICKLOG_NULL }
    guard var own = config.taken() else { return TICKLOG_BAD_SIZE }
    let status = Logger.check(&own)
    guard status == TICKLOG_OK else { return status }
    guard UInt(bitPattern: memory) & 7 == 0 else { return TICKLOG_MISALIGNED }
    let size = Logger.size(&own)
    guard bytes >= size else { return TICKLOG_NO_MEMORY }
    let result = UInt(bitPattern: logger)
    let start = UInt(bitPattern: memory)
    guard result >= start &+ UInt(size) || result &+ UInt(MemoryLayout<OpaquePointer>.size) <= start
    else { return TICKLOG_OVERLAP }
    logger.pointee = OpaquePointer(Logger.make(in: memory, &own))
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
