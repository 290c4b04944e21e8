import CPosix

/// Nanoseconds that pass evenly, whatever the time of day does.
enum MonotonicClock {
    static func now() -> UInt64 {
        var time = timespec()
        _ = clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Returns earlier if a signal comes.
    static func sleep(until ns: UInt64) {
        var time = timespec()
        time.tv_sec = .init(ns / 1_000_000_000)
        time.tv_nsec = .init(ns % 1_000_000_000)
        _ = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil)
    }
}
