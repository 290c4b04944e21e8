import CPosix
import CTickLog
import Synchronization
import TickLog
import TickLogHost

func demoCommand() -> Command {
    Command(
        name: "demo", summary: "logs this machine for some seconds",
        help: """
            Usage: ticklog demo [--seconds N] [--out DIR] [--format bcsv|dlf]

            Logs this machine through the C functions that firmware uses: CPU time and context switches at 100 Hz,
            memory and network bytes at 10 Hz, the load at 1 Hz, and events, from /proc. Then it reads the run back and
            prints a summary. Control-C ends it earlier.

              --seconds N          how long; 5 by default
              --out DIR            where the run's directory is made; ./runs by default
              --format bcsv|dlf    the run's format; bcsv by default
              --help, --version

            Examples:
              ticklog demo
              ticklog demo --seconds 60 --out /tmp/runs --format dlf

            """,
        options: [
            Option("seconds", takesValue: true), Option("out", takesValue: true), Option("format", takesValue: true),
        ],
        run: { (arguments) throws(Failure) in
            guard arguments.operands.isEmpty else {
                throw .usage("found '\(terminalText(arguments.operands[0]))', expected options only")
            }
            let seconds = try arguments.unsigned("seconds") ?? 5
            guard seconds >= 1, seconds <= 10_000_000 else {
                throw .usage("--seconds: found \(seconds), expected 1 to 10000000")
            }
            let format = try arguments.choice("format", ["bcsv", "dlf"], or: "bcsv")
            let root = arguments.value("out") ?? "./runs"
            let path = try Demo.record(seconds: seconds, root: root, isDLF: format == "dlf")
            return try summarise(path)
        })
}

/// Set by Control-C.
private let interrupted = Atomic<Bool>(false)

/// One run of the demo, shared by its two threads.
private final class Demo {
    let run: OpaquePointer
    let streams: DemoStreams
    let lastTick: UInt64
    let isDLF: Bool
    let startNs: UInt64
    /// The newest tick, plus 1; 0 before the first.
    let ticks = Atomic<UInt32>(0)
    let done = Atomic<Bool>(false)
    let failure = Atomic<Int32>(0)

    init(_ run: OpaquePointer, _ streams: DemoStreams, lastTick: UInt64, isDLF: Bool, startNs: UInt64) {
        self.run = run
        self.streams = streams
        self.lastTick = lastTick
        self.isDLF = isDLF
        self.startNs = startNs
    }

    /// Makes the logger, the run and the threads; the path of the run's directory when all of it is closed.
    static func record(seconds: UInt64, root: String, isDLF: Bool) throws(Failure) -> String {
        if mkdir(root, 0o777) != 0, cposix_errno() != EEXIST {
            throw Failure(FileError(root, "create the directory", cposix_errno()))
        }
        let rootText = strdup(root)
        defer { free(rootText) }
        var config = ticklog_config()
        config.size = UInt32(MemoryLayout<ticklog_config>.size)
        config.max_streams = UInt16(DemoStreams.streamCount)
        config.root = UnsafePointer(rootText)
        config.storage = ticklog_posix_storage()
        config.random = { _, bytes, count in
            let descriptor = cposix_open("/dev/urandom", O_RDONLY | O_CLOEXEC, 0)
            guard descriptor >= 0 else { return TICKLOG_NO_ENTROPY }
            defer { _ = close(descriptor) }
            return read(descriptor, bytes, count) == count ? TICKLOG_OK : TICKLOG_NO_ENTROPY
        }
        let loggerSize = ticklog_logger_size(&config)
        let loggerMemory = UnsafeMutableRawPointer.allocate(byteCount: max(loggerSize, 8), alignment: 8)
        defer { loggerMemory.deallocate() }
        var logger: OpaquePointer?
        try check(ticklog_logger_init(loggerMemory, loggerSize, &config, &logger), root, "make a logger")
        let streams = DemoStreams()
        try check(streams.add(to: logger!), root, "add the streams")

        // Tick 0 lies ahead, so that making the files does not cost the first ticks.
        let aheadNs: UInt64 = 250_000_000
        let startNs = now(CLOCK_MONOTONIC) + aheadNs
        var runConfig = ticklog_run_config()
        runConfig.size = UInt32(MemoryLayout<ticklog_run_config>.size)
        runConfig.format = UInt8(isDLF ? TICKLOG_DLF : TICKLOG_BCSV)
        runConfig.tick_ns = DemoStreams.tickNs
        runConfig.epoch_ns = Int64(now(CLOCK_REALTIME) + aheadNs)
        // Half a second of ticks, should storage stall.
        runConfig.ring_bytes = 16384
        let runSize = ticklog_run_size(logger, &runConfig)
        let runMemory = UnsafeMutableRawPointer.allocate(byteCount: max(runSize, 8), alignment: 8)
        defer { runMemory.deallocate() }
        var opened: OpaquePointer?
        try check(ticklog_start(logger, &runConfig, runMemory, runSize, &opened), root, "start a run")
        let run = opened!
        let path = root.file(String(cString: ticklog_run_name(run)))

        let demo = Demo(run, streams, lastTick: seconds * 100 - 1, isDLF: isDLF, startNs: startNs)
        interrupted.store(false, ordering: .relaxed)
        _ = signal(SIGINT) { _ in interrupted.store(true, ordering: .relaxed) }
        _ = signal(SIGTERM) { _ in interrupted.store(true, ordering: .relaxed) }
        let context = Unmanaged.passUnretained(demo).toOpaque()
        var sampler = pthread_t()
        var writer = pthread_t()
        guard pthread_create(&sampler, nil, { Demo.of($0).sample() }, context) == 0 else {
            _ = ticklog_stop(run)
            throw Failure(Exit.system, "found no room for the sampler's thread")
        }
        if pthread_create(&writer, nil, { Demo.of($0).write() }, context) == 0 {
            if isatty(2) == 1, seconds > 1 { demo.showProgress(seconds) }
            _ = pthread_join(sampler, nil)
            _ = pthread_join(writer, nil)
        } else {
            interrupted.store(true, ordering: .relaxed)
            _ = pthread_join(sampler, nil)
            _ = demo.write()
        }
        withExtendedLifetime(demo) {}
        try check(demo.failure.load(ordering: .relaxed), path, "write the run")
        return path
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> Demo {
        Unmanaged<Demo>.fromOpaque(context!).takeUnretainedValue()
    }

    private static func check(_ status: ticklog_status, _ path: String, _ doing: String) throws(Failure) {
        guard status != TICKLOG_OK else { return }
        throw Failure(Exit.system, terminalText(path) + ": \(doing): " + String(cString: ticklog_status_text(status)))
    }

    /// The sampler: wakes at every tick and never waits for anything else.
    func sample() -> UnsafeMutableRawPointer? {
        var tick: UInt64 = 0
        var next: UInt64 = 0
        while tick <= lastTick, !interrupted.load(ordering: .relaxed) {
            sleep(until: startNs + tick * DemoStreams.tickNs)
            // If the thread woke late, the ticks that have passed are skipped, and declared by the logger.
            let elapsedNs = now(CLOCK_MONOTONIC) - startNs
            tick = min(max(tick, elapsedNs / DemoStreams.tickNs), lastTick)
            streams.read(tick: tick)
            _ = ticklog_tick(run, UInt32(clamping: tick + 1 - next))
            streams.emit(tick: tick, lateNs: elapsedNs - min(elapsedNs, tick * DemoStreams.tickNs))
            next = tick + 1
            ticks.store(UInt32(truncatingIfNeeded: next), ordering: .releasing)
            tick = next
        }
        done.store(true, ordering: .releasing)
        return nil
    }

    /// The writer: does all I/O, and tells the run the time of day.
    func write() -> UnsafeMutableRawPointer? {
        if !isDLF { _ = ticklog_note(run, 1, "demo: this machine through /proc") }
        var nextTime: UInt32 = 0
        while true {
            let isLast = done.load(ordering: .acquiring)
            let count = ticks.load(ordering: .acquiring)
            if !isDLF, count > nextTime {
                setTime(tick: UInt64(count - 1))
                nextTime = count + 99
            }
            if isLast { break }
            let status = ticklog_service(run)
            if status != TICKLOG_OK, status != TICKLOG_BUSY { failure.store(status, ordering: .relaxed) }
            sleep(until: now(CLOCK_MONOTONIC) + 50_000_000)
        }
        // Storage of files is never busy for long.
        var status = ticklog_stop(run)
        for _ in 0..<100 where status == TICKLOG_BUSY {
            sleep(until: now(CLOCK_MONOTONIC) + 50_000_000)
            status = ticklog_stop(run)
        }
        failure.store(status, ordering: .relaxed)
        return nil
    }

    private func setTime(tick: UInt64) {
        let before = now(CLOCK_MONOTONIC)
        let epoch = now(CLOCK_REALTIME)
        let after = now(CLOCK_MONOTONIC)
        let tickNs = startNs + tick * DemoStreams.tickNs
        _ = ticklog_set_time(
            run, tick, Int64(epoch) - Int64(after) + Int64(tickNs), UInt32(clamping: after - before), 1)
    }

    func showProgress(_ seconds: UInt64) {
        var shown = UInt64.max
        while !done.load(ordering: .acquiring) {
            let second = UInt64(ticks.load(ordering: .relaxed)) / 100
            if second != shown {
                Console.error("\r\(second) of \(seconds) s")
                shown = second
            }
            sleep(until: now(CLOCK_MONOTONIC) + 100_000_000)
        }
        Console.error("\r\u{1B}[K")
    }
}

/// Nanoseconds.
private func now(_ clock: Int32) -> UInt64 {
    var time = timespec()
    _ = clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

private func sleep(until ns: UInt64) {
    var time = timespec()
    time.tv_sec = .init(ns / 1_000_000_000)
    time.tv_nsec = .init(ns % 1_000_000_000)
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR, !interrupted.load(ordering: .relaxed) {}
}
