import CTickLog

// ticklog.h, section Losses, statistics.

@c @implementation
public func ticklog_statistics(
    _ run: OpaquePointer!, _ statistics: UnsafeMutablePointer<ticklog_run_statistics>!
) -> ticklog_status {
    guard run != nil, let statistics else { return TICKLOG_NULL }
    guard let run = RunShared.from(run) else { return TICKLOG_BAD_HANDLE }
    guard statistics.pointee.size == UInt32(MemoryLayout<ticklog_run_statistics>.size) else { return TICKLOG_BAD_SIZE }
    Statistics.fill(statistics, of: run)
    return TICKLOG_OK
}

@c @implementation
public func ticklog_statistics_of(
    _ run: OpaquePointer!, _ stream: OpaquePointer!, _ statistics: UnsafeMutablePointer<ticklog_stream_statistics>!
) -> ticklog_status {
    guard run != nil, stream != nil, let statistics else { return TICKLOG_NULL }
    guard let run = RunShared.from(run), let stream = Stream.from(stream), stream.pointee.logger == run.pointee.logger
    else { return TICKLOG_BAD_HANDLE }
    guard statistics.pointee.size == UInt32(MemoryLayout<ticklog_stream_statistics>.size) else { return TICKLOG_BAD_SIZE }
    let index = Int(stream.pointee.fileIndex)
    let account =
        stream.pointee.isPolled
        ? Statistics.polled(run, index) : Statistics.event(run, index)
    statistics.pointee.index = UInt32(stream.pointee.index)
    statistics.pointee.offered = account.offered
    statistics.pointee.written = account.written
    statistics.pointee.lost = account.lost
    statistics.pointee.pending = account.pending
    return TICKLOG_OK
}
