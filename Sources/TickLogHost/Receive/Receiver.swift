import CPosix
import Synchronization
import TickLog

/// What a receiver is told.
public struct ReceiverOptions {
    public var channels = 4
    public var directory = "."
    /// An address of this machine.
    public var bind = "127.0.0.1"
    /// Channel k listens on the port + k; 0: the system chooses. Nil: not at all.
    public var tcpPort: UInt16?
    public var udpPort: UInt16?
    public var rollBytes: UInt64 = 256 << 20
    /// Of each channel, rounded up to a power of two.
    public var ringBytes = 32 << 20
    /// The most bytes of a payload.
    public var maxPayload: UInt32 = 1 << 20
    public var openPeriodics = 64
    /// How often files are synced; 0: only when they are finished.
    public var fsyncMilliseconds: UInt64 = 1000
    /// A connection that sends nothing for so long is closed; 0: never.
    public var idleSeconds: UInt64 = 60
    /// Connections of a channel at a time; more are refused.
    public var connections = 64
    /// A sentence for the operator, from any thread.
    public var say: @Sendable (String) -> Void = { _ in }

    public init() {}
}

/// What all threads of a receiver know.
final class ReceiverState: Sendable {
    private let stopping = Published64()
    private let failed = Atomic<Bool>(false)
    let say: @Sendable (String) -> Void

    init(say: @escaping @Sendable (String) -> Void) { self.say = say }

    /// When it was told to stop; nil: it was not.
    var stoppedNs: UInt64? {
        let ns = stopping.load()
        return ns == 0 ? nil : ns
    }

    var hasFailed: Bool { failed.load(ordering: .relaxed) }

    func stop() { if stopping.load() == 0 { stopping.store(monotonicNs()) } }

    /// Something that cannot be mended.
    func fail(_ text: String) {
        failed.store(true, ordering: .relaxed)
        say(text)
        stop()
    }
}

/// Receives frames of all channels into files (spec: FRAMES, 5). One receive and one write thread for each channel.
public final class Receiver {
    public let options: ReceiverOptions
    public let channels: [Channel]
    /// The ports that are listened on, by channel.
    public private(set) var tcpPorts: [UInt16] = []
    public private(set) var udpPorts: [UInt16] = []
    let state: ReceiverState
    private var writers: [ChannelWriter] = []
    private var inputs: [() -> Void] = []
    private var threads: [WorkThread] = []
    private var writeThreads: [WorkThread] = []

    /// Makes the directory, goes on behind the files that are there, and binds the ports.
    public init(_ options: ReceiverOptions) throws(FileError) {
        self.options = options
        let state = ReceiverState(say: options.say)
        self.state = state
        // A file that may not become larger is an error as others are.
        cposix_ignore(SIGXFSZ)
        if mkdir(options.directory, 0o777) != 0, cposix_errno() != EEXIST {
            throw FileError(options.directory, "create the directory", cposix_errno())
        }
        // What an archive brings may be as late as it likes.
        let lateLimit: UInt64 = options.tcpPort != nil && options.udpPort != nil ? .max : 1024
        var channels: [Channel] = []
        for k in 0..<options.channels {
            let losses = try LossLog(directory: options.directory, channel: k)
            let channel = try Channel(number: k, ringBytes: options.ringBytes, maxPayload: options.maxPayload, lateLimit: lateLimit)
            let earlier = try EarlierFiles(options.directory, channel, nextFile: losses.nextFile)
            if earlier.frames > 0 {
                losses.record("resumed", [("file", earlier.number), ("next", channel.expected ?? 0), ("cut_bytes", earlier.cutBytes)])
            }
            let files = try FrameWriter(
                directory: options.directory, channel: k, rollBytes: options.rollBytes, number: earlier.number, continuing: earlier.continuing)
            channels.append(channel)
            writers.append(ChannelWriter(channel, files, losses, options, state))
        }
        self.channels = channels
        for channel in channels {
            var tcp: Int32 = -1
            var udp: Int32 = -1
            if let port = options.tcpPort { tcp = try bind(port, channel.number, isStream: true) }
            if let port = options.udpPort { udp = try bind(port, channel.number, isStream: false) }
            guard tcp >= 0 || udp >= 0 else { continue }
            let input = SocketInput(channel, tcp: tcp, udp: udp, options, state)
            inputs.append { input.run() }
        }
    }

    private func bind(_ port: UInt16, _ channel: Int, isStream: Bool) throws(FileError) -> Int32 {
        var port = port == 0 ? 0 : UInt32(port) + UInt32(channel)
        let name = (isStream ? "tcp " : "udp ") + options.bind + ":\(port)"
        guard port <= 65535 else { throw FileError(name, "listen", EINVAL) }
        let socket = cposix_bound_socket(options.bind, &port, isStream ? 1 : 0)
        guard socket >= 0 else { throw FileError(name, "listen", -socket) }
        if isStream { tcpPorts.append(UInt16(port)) } else { udpPorts.append(UInt16(port)) }
        return socket
    }

    /// Another input: what its thread does until `isStopping`. At its end it has called `finish` of its channels.
    public func add(input: @escaping () -> Void) { inputs.append(input) }

    public var isStopping: Bool { state.stoppedNs != nil }

    /// Receives from Kafka, in a thread of its own.
    /// - Throws: there is no librdkafka, or it does not take the settings.
    public func add(kafka settings: KafkaSettings) throws(KafkaError) {
        let state = state
        let input = try KafkaInput(settings, channels: channels, note: state.say)
        add {
            do throws(KafkaError) { try input.run { state.stoppedNs != nil } } catch { state.fail(error.message) }
        }
    }

    /// Something was lost, or may be, that was received.
    public var hasFailed: Bool { state.hasFailed }

    /// Starts all threads.
    public func start() throws(FileError) {
        for writer in writers { writeThreads.append(try WorkThread { writer.run() }) }
        for input in inputs { threads.append(try WorkThread(input)) }
    }

    /// Nothing more is read. From any thread.
    public func stop() { state.stop() }

    /// Waits until everything that was received is on the medium.
    public func finish() {
        stop()
        for thread in threads { thread.join() }
        threads = []
        for writer in writers { writer.inputEnded.store(true, ordering: .releasing) }
        for thread in writeThreads { thread.join() }
        writeThreads = []
    }
}
