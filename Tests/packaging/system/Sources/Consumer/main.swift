import CTickLog

var config = ticklog_config()
config.size = UInt32(MemoryLayout<ticklog_config>.size)
config.storage = ticklog_posix_storage()
let bytes = ".".withCString { root in
    config.root = root
    return ticklog_logger_size(&config)
}
print(ticklog_abi() == TICKLOG_ABI && bytes > 0 ? String(cString: ticklog_version()) : "no logger: \(bytes) bytes")
