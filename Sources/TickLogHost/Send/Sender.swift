import CPosix
import Synchronization
import TickLog

/// The test producer: a thread for each channel, which makes frames, spoils some of them and puts them out.
public final class Sender {
    public let options: SendOptions
    private let output: FrameOutput
    private let archive: FrameOutput?
    private let isStopped = Atomic<Bool>(false)
    private var startNs: UInt64 = 0

    /// - Parameter archive: a second way, which gets every frame whole and in order.
    public init(_ options: SendOptions, to output: FrameOutput, archive: FrameOutput? = nil) {
        self.options = options
        self.output = output
        self.archive = archive
    }

    /// Ends early, with whole frames. Any thread, and a handler of signals.
    public func stop() {
        isStopped.store(true, ordering: .relaxed)
        output.isStopped.store(true, ordering: .relaxed)
        archive?.isStopped.store(true, ordering: .relaxed)
    }

    /// Sends everything and waits for it: what became of each channel.
    /// - Throws: the first failure. Other channels end then as well.
    public func run() throws(FileError) -> [SentChannel] {
        startNs = MonotonicClock.now()
        var workers: [Worker] = []
        var failure: FileError?
        for channel in 0..<options.channels { workers.append(Worker(self, channel)) }
        for worker in workers where failure == nil {
            var thread = pthread_t()
            let context = Unmanaged.passUnretained(worker).toOpaque()
            let code = pthread_create(&thread, nil, { Unmanaged<Worker>.fromOpaque($0!).takeUnretainedValue().run() }, context)
            if code == 0 { worker.thread = thread } else { failure = FileError("channel \(worker.channel)", "make a thread", code) }
        }
        if failure != nil { stop() }
        for worker in workers {
            guard let thread = worker.thread else { continue }
            _ = pthread_join(thread, nil)
            failure = failure ?? worker.failure
        }
        withExtendedLifetime(workers) {}
        if let failure { throw failure }
        try output.end()
        try archive?.end()
        return workers.map { $0.sent! }
    }

    private final class Worker {
        let channel: Int
        var thread: pthread_t?
        var sent: SentChannel?
        var failure: FileError?
        private let sender: Unmanaged<Sender>

        init(_ sender: Sender, _ channel: Int) {
            self.sender = Unmanaged.passUnretained(sender)
            self.channel = channel
        }

        func run() -> UnsafeMutableRawPointer? {
            let sender = self.sender.takeUnretainedValue()
            do throws(FileError) {
                sent = try sender.send(channel)
            } catch {
                failure = error
                sender.stop()
            }
            return nil
        }
    }

    /// The thread of one channel.
    private func send(_ channel: Int) throws(FileError) -> SentChannel {
        let producer = FrameProducer(options, channel: channel)
        var archived = archive == nil ? nil : ExpectedReport(chunks: options.chunks)
        let emit = { [output] (frame: UnsafeRawBufferPointer) throws(FileError) in try output.send(channel: channel, frame: frame) }
        try output.begin(channel: channel)
        try archive?.begin(channel: channel)
        var made: UInt64 = 0
        while made < options.count, !isStopped.load(ordering: .relaxed) {
            if options.rate > 0 { try pace(made, channel) }
            let sequence = options.first + made
            try producer.put(sequence, emit)
            if let archive {
                let frame = producer.again()
                try archive.send(channel: channel, frame: frame)
                archived!.whole(sequence, bytes: frame.count)
            }
            made += 1
        }
        try producer.end(emit)
        try output.end(channel: channel)
        try archive?.end(channel: channel)
        archived?.end()
        return SentChannel(channel: channel, counts: producer.counts, live: producer.expected, archive: archived)
    }

    /// Waits until a frame is due. Each has its own moment, so that what was late is made up for.
    private func pace(_ number: UInt64, _ channel: Int) throws(FileError) {
        let dueNs = startNs + number / options.rate * 1_000_000_000 + number % options.rate * 1_000_000_000 / options.rate
        guard MonotonicClock.now() < dueNs else { return }
        try output.flush(channel: channel)
        try archive?.flush(channel: channel)
        while MonotonicClock.now() < dueNs, !isStopped.load(ordering: .relaxed) {
            // In steps, so that a signal that another thread gets ends it soon.
            MonotonicClock.sleep(until: min(dueNs, MonotonicClock.now() + 100_000_000))
        }
    }
}
