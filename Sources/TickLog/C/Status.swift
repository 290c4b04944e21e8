import CTickLog

// ticklog.h, section Status.

@c @implementation
public func ticklog_status_text(_ status: ticklog_status) -> UnsafePointer<CChar>! {
    Builtin.text(statusText(status))
}

private func statusText(_ status: ticklog_status) -> StaticString {
    switch status {
    case TICKLOG_OK: "ok"
    case TICKLOG_NULL: "a pointer that must not be NULL is"
    case TICKLOG_BAD_SIZE: "unknown structure size, or not the stream's byte count"
    case TICKLOG_NO_MEMORY: "less memory than needed"
    case TICKLOG_MISALIGNED: "memory is not aligned to 8 bytes"
    case TICKLOG_OVERLAP: "memory overlaps something in use"
    case TICKLOG_BAD_HANDLE: "not such an object, or one of another logger"
    case TICKLOG_BAD_ARGUMENT: "a value is out of its range"
    case TICKLOG_BAD_NAME: "illegal or reserved name"
    case TICKLOG_NAME_TOO_LONG: "name or text too long"
    case TICKLOG_DUPLICATE_NAME: "name used already"
    case TICKLOG_BAD_TYPE: "unknown type, or not one that the format can hold"
    case TICKLOG_BAD_FIELD: "field does not lie within its source"
    case TICKLOG_BELOW_TICK: "interval shorter than the tick"
    case TICKLOG_NOT_MULTIPLE: "interval or phase not a multiple of the tick"
    case TICKLOG_BAD_TICK: "illegal tick"
    case TICKLOG_TOO_MANY: "too many streams, runs, columns or bytes"
    case TICKLOG_BAD_STORAGE: "storage table incomplete or illegal"
    case TICKLOG_UNSUPPORTED: "not possible in this format"
    case TICKLOG_CLOSED: "the run is closed"
    case TICKLOG_RUN_OPEN: "a run is open"
    case TICKLOG_NO_ENTROPY: "neither a run name nor random bytes"
    case TICKLOG_RING_FULL: "ring full: the sample was dropped and will be declared"
    case TICKLOG_BUSY: "storage is busy"
    case TICKLOG_FULL: "max_bytes reached: the run has stopped"
    case TICKLOG_END: "no further row"
    case TICKLOG_WRONG_FORMAT: "not a file of this format, or a version or codec of it that is not read"
    case TICKLOG_DAMAGED: "damaged: the bytes contradict their checksum, the schema or the limits"
    case TICKLOG_TOO_LARGE: "a packet or row is larger than the memory given for it"
    case TICKLOG_IO: "storage failed"
    case TICKLOG_NO_SPACE: "storage is full"
    case TICKLOG_EXISTS: "exists already"
    case TICKLOG_NOT_FOUND: "no such file or directory"
    case TICKLOG_DENIED: "not permitted"
    case TICKLOG_TIMED_OUT: "it did not happen within the time limit"
    case TICKLOG_DISCONNECTED: "no connection to the other side"
    default: "unknown status"
    }
}
