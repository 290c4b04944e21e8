import CTickLog

// ticklog.h, section Losses, statistics.

@c @implementation
public func ticklog_statistics(
    _ run: OpaquePointer!, _ statistics: UnsafeMutablePointer<ticklog_run_statistics>!
) -> ticklog_status {
    guard run != nil, let statistics else { return TICKLOG_NULL }
    guard let run = RunShared.from(run) else { return TICKLOG_BAD_HANDLE }
    guard statistics.hasKnownSize else { return TICKLOG_BAD_SIZE }
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
    guard statistics.hasKnownSize else { return TICKLOG_BAD_SIZE }
    let index = Int(stream.pointee.fileIndex)
    let account =
        stream.pointee.isPolled
        ? Statistics.polled(run, index) : Statistics.event(run, index)
    statistics.fill(
        ticklog_stream_statistics(
            size: 0, index: UInt32(stream.pointee.index), offered: account.offered, written: account.written,
            lost: account.lost, pending: account.pending))
    return TICKLOG_OK
}
