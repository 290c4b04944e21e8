import CPosix
import CTickLog
import TickLog

// ticklog.h, section "Log buffer", shared memory.

/// A log buffer in shared memory, and the writer or reader of it that its user has.
private final class LogBufferShare {
    let memory: SharedMemory
    let writer: UnsafeMutablePointer<ticklog_log_writer>?
    let reader: UnsafeMutablePointer<ticklog_log_reader>?

    init(
        _ memory: SharedMemory, writer: UnsafeMutablePointer<ticklog_log_writer>? = nil,
        reader: UnsafeMutablePointer<ticklog_log_reader>? = nil
    ) {
        self.memory = memory
        self.writer = writer
        self.reader = reader
    }
}

/// TICKLOG_OK for a name that shared memory may have.
private func nameStatus(_ name: UnsafePointer<CChar>) -> ticklog_status {
    guard name[0] == CChar(UInt8(ascii: "/")) else { return TICKLOG_BAD_NAME }
    var count = 1
    while name[count] != 0 {
        if name[count] == CChar(UInt8(ascii: "/")) { return TICKLOG_BAD_NAME }
        count += 1
        if count > 251 { return TICKLOG_NAME_TOO_LONG }
    }
    let dot = CChar(UInt8(ascii: "."))
    let isDots = count <= 3 && name[1] == dot && (count == 2 || name[2] == dot)
    return count == 1 || isDots ? TICKLOG_BAD_NAME : TICKLOG_OK
}

private func status(_ failure: SharedMemory.Failure) -> ticklog_status {
    switch failure {
    case .owned: TICKLOG_EXISTS
    case .foreign: TICKLOG_DENIED
    case .system(ENODATA): TICKLOG_WRONG_FORMAT
    case .system(let code): posixStatus(code)
    }
}

@c @implementation
public func ticklog_log_buffer_create_shared(
    _ name: UnsafePointer<CChar>!, _ capacity: UInt32, _ share: UnsafeMutablePointer<OpaquePointer?>!,
    _ writer: UnsafeMutablePointer<ticklog_log_writer>!
) -> ticklog_status {
    guard let name, let share, let writer else { return TICKLOG_NULL }
    let named = nameStatus(name)
    guard named == TICKLOG_OK else { return named }
    let bytes = ticklog_log_buffer_size(capacity)
    guard bytes > 0 else { return TICKLOG_BAD_ARGUMENT }
    let made: (memory: SharedMemory, isOld: Bool)
    do throws(SharedMemory.Failure) {
        // A buffer of a smaller capacity may lie there as well.
        made = try SharedMemory.own(String(cString: name), count: bytes) {
            ticklog_log_buffer_attach($0, bytes, writer) == TICKLOG_OK
                && UnsafeRawPointer($0).loadUnaligned(fromByteOffset: 16, as: UInt32.self) == capacity
        }
    } catch { return status(error) }
    if !made.isOld {
        let created = ticklog_log_buffer_create(made.memory.start, bytes, capacity, writer)
        guard created == TICKLOG_OK else { return created }
    }
    share.pointee = OpaquePointer(Unmanaged.passRetained(LogBufferShare(made.memory, writer: writer)).toOpaque())
    return TICKLOG_OK
}

@c @implementation
public func ticklog_log_buffer_open_shared(
    _ name: UnsafePointer<CChar>!, _ from: UInt32, _ share: UnsafeMutablePointer<OpaquePointer?>!,
    _ reader: UnsafeMutablePointer<ticklog_log_reader>!
) -> ticklog_status {
    guard let name, let share, let reader else { return TICKLOG_NULL }
    let named = nameStatus(name)
    guard named == TICKLOG_OK else { return named }
    let memory: SharedMemory
    do throws(SharedMemory.Failure) {
        memory = try SharedMemory.view(String(cString: name), most: ticklog_log_buffer_size(1 << 30))
    } catch { return status(error) }
    let opened = ticklog_log_buffer_open(memory.start, memory.count, from, reader)
    guard opened == TICKLOG_OK else { return opened }
    share.pointee = OpaquePointer(Unmanaged.passRetained(LogBufferShare(memory, reader: reader)).toOpaque())
    return TICKLOG_OK
}

@c @implementation
public func ticklog_log_buffer_close(_ share: OpaquePointer!) -> ticklog_status {
    guard let share else { return TICKLOG_NULL }
    let object = Unmanaged<LogBufferShare>.fromOpaque(UnsafeRawPointer(share)).takeRetainedValue()
    if let writer = object.writer {
        _ = ticklog_log_buffer_finish(writer)
        writer.pointee = ticklog_log_writer()
    }
    object.reader?.pointee = ticklog_log_reader()
    return TICKLOG_OK
}
