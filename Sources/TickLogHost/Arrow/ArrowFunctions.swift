import CPosix
import CTickLog
import TickLog

// ticklog.h, section "Any file".

@c @implementation
public func ticklog_arrow_open(
    _ path: UnsafePointer<CChar>!, _ config: UnsafePointer<ticklog_arrow_config>!,
    _ stream: UnsafeMutablePointer<ArrowArrayStream>!
) -> ticklog_status {
    guard let path, let stream else { return TICKLOG_NULL }
    stream.initialize(to: ArrowArrayStream())
    var choice = ArrowChoice()
    choice.threads = processorCount(most: usualThreads)
    var message = MessageRoom(nil, 0)
    if let config {
        let whole = MemoryLayout<ticklog_arrow_config>.size
        guard let size = knownSize(config, least: leastConfigBytes, most: whole, alignment: MemoryLayout<ticklog_arrow_config>.alignment) else {
            return TICKLOG_BAD_SIZE
        }
        var own = ticklog_arrow_config()
        memcpy(&own, config, size)
        let config = own
        message = MessageRoom(config.message, config.message_bytes)
        let known = TICKLOG_ARROW_SALVAGE | TICKLOG_ARROW_EVENTS | TICKLOG_ARROW_NO_DICTIONARY | TICKLOG_ARROW_BINARY
        guard config.flags & ~known == 0 else {
            return message.put(TICKLOG_BAD_ARGUMENT, "flags: found \(config.flags), expected TICKLOG_ARROW_SALVAGE and the like")
        }
        guard config.reserved == 0 else { return message.put(TICKLOG_BAD_ARGUMENT, "reserved: found \(config.reserved), expected 0") }
        choice.salvage = config.flags & TICKLOG_ARROW_SALVAGE != 0
        choice.events = config.flags & TICKLOG_ARROW_EVENTS != 0
        choice.dictionary = config.flags & TICKLOG_ARROW_NO_DICTIONARY == 0
        choice.binary = config.flags & TICKLOG_ARROW_BINARY != 0
        if let name = config.stream { choice.stream = String(cString: name) }
        if let names = config.columns {
            var columns: [String] = []
            for i in 0..<Int(config.column_count) {
                guard let name = names[i] else { return TICKLOG_NULL }
                columns.append(String(cString: name))
            }
            choice.columns = columns
        }
        choice.threads = config.threads == 0 ? processorCount(most: usualThreads) : Int(min(config.threads, mostThreads))
        if config.batch_rows > 0 { choice.batchRows = Int(min(config.batch_rows, UInt32(Int32.max) / 8)) }
        let (last, isTooLarge) = config.first_row.addingReportingOverflow(config.row_count)
        choice.rows = config.first_row..<(config.row_count == 0 || isTooLarge ? UInt64.max : last)
        choice.ticks = config.from_tick..<max(config.from_tick, config.to_tick == 0 ? UInt64.max : config.to_tick)
    }
    FileGuard.begin()
    do throws(ArrowRefusal) {
        try ArrowSource(String(cString: path), choice).export(to: stream)
        return TICKLOG_OK
    } catch {
        switch error {
        case .fault(let fault): return message.put(fault.status, fault.message)
        case .status(let status, let text): return message.put(status, text)
        }
    }
}

/// All but `threads` and what stands behind it.
private var leastConfigBytes: Int { MemoryLayout<Int>.size == 8 ? 80 : 64 }

/// More of them mostly wait for memory.
private var usualThreads: Int { 4 }
private var mostThreads: UInt32 { 64 }

/// Where the caller wants the reason of a refusal.
struct MessageRoom {
    private let text: UnsafeMutablePointer<CChar>?
    private let room: Int

    init(_ text: UnsafeMutablePointer<CChar>?, _ room: Int) {
        self.text = text
        self.room = room
        if let text, room > 0 { text[0] = 0 }
    }

    /// Stores as much of it as fits, at the end of a character, and answers the status.
    func put(_ status: ticklog_status, _ message: String) -> ticklog_status {
        guard let text, room > 0 else { return status }
        let bytes = Array(message.utf8)
        var count = min(bytes.count, room - 1)
        while count < bytes.count, count > 0, bytes[count] & 0xC0 == 0x80 { count -= 1 }
        for i in 0..<count { text[i] = CChar(bitPattern: bytes[i]) }
        text[count] = 0
        return status
    }
}
