import CPosix
import Synchronization
import TickLogHost

func receiveCommand() -> Command {
    Command(
        name: "receive", summary: "receives frames over TCP, UDP and Kafka into files",
        help: """
            Usage: ticklog receive --tcp PORT|--udp PORT|--kafka BROKERS [OPTION]...

            Receives framed streams and writes the good frames of channel K to DIR/chK_N.dat. A file that is being written
            ends in .part. What was lost is told in DIR/chK_loss.jsonl. Control-C ends it; everything that was received is
            on the medium then. Started again, it goes on behind the files that are there.

              --tcp PORT, --udp PORT  channel K listens on PORT+K; 0: the system chooses. With both, frames that UDP lost
                                      are taken from TCP
              --kafka BROKERS         HOST:PORT,...: messages, each a frame, with the channel's number as their key. Offsets
                                      are committed when the frames are on the medium (docs/SCALING.md)
              --topic T               of Kafka; with %d in it, a topic for each channel; ticklog by default
              --group G               receivers of one group share the partitions; ticklog by default
              --kafka-config FILE     other settings of librdkafka, a NAME=VALUE a line
              --channels N            4 by default
              --bind ADDRESS          127.0.0.1 by default; 0.0.0.0, or :: for IPv6 too: every address of this machine
              --out DIR               the current directory by default
              --roll-bytes N          a new file before one would be larger; 268435456 by default
              --ring-bytes N          memory of each channel for what was not written yet; 33554432 by default
              --max-frame N           bytes of the largest payload; 1048576 by default
              --open-periodics N      periodics of a channel that may be unfinished at a time; 64 by default
              --fsync-ms N            how often files are synced; 1000 by default, 0: only finished ones
              --idle-seconds N        a connection that sends nothing is closed; 60 by default, 0: never
              --seconds N             how long; until it is stopped by default
              --metrics PORT          answers http://127.0.0.1:PORT/metrics for Prometheus; 0: the system chooses
              --config FILE           options as name = value, a line each; those given here win
              --json                  a line each second, and the report, as JSON
              --help, --version

            Examples:
              ticklog receive --tcp 9100 --out radar
              ticklog receive --udp 9200 --tcp 9100 --bind 0.0.0.0 --out radar --json

            """,
        options: [
            Option("tcp", takesValue: true), Option("udp", takesValue: true), Option("channels", takesValue: true),
            Option("bind", takesValue: true), Option("out", takesValue: true), Option("roll-bytes", takesValue: true),
            Option("ring-bytes", takesValue: true), Option("max-frame", takesValue: true), Option("open-periodics", takesValue: true),
            Option("fsync-ms", takesValue: true), Option("idle-seconds", takesValue: true), Option("seconds", takesValue: true),
            Option("metrics", takesValue: true), Option("config", takesValue: true), Option("json"),
            Option("kafka", takesValue: true), Option("topic", takesValue: true), Option("group", takesValue: true),
            Option("kafka-config", takesValue: true),
        ],
        run: { (arguments) throws(Failure) in
            guard arguments.operands.isEmpty else {
                throw .usage("found '\(terminalText(arguments.operands[0]))', expected options only")
            }
            let options = try receiverOptions(arguments)
            let kafka = try kafkaSettings(arguments)
            guard (options.tcpPort != nil || options.udpPort != nil) != (kafka != nil) else {
                throw .usage("found \(kafka == nil ? "no input" : "both"), expected --tcp or --udp, or --kafka")
            }
            return try receive(options, kafka, arguments)
        })
}

extension Arguments {
    /// A number within bounds. What stands for an option that was not given need not be.
    func number(_ name: String, _ range: ClosedRange<UInt64>, or standard: UInt64) throws(Failure) -> UInt64 {
        guard let value = try unsigned(name) else { return standard }
        guard range.contains(value) else {
            throw .usage("--\(name): found \(value), expected \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}

private func receiverOptions(_ arguments: Arguments) throws(Failure) -> ReceiverOptions {
    var options = ReceiverOptions()
    options.channels = Int(try arguments.number("channels", 1...256, or: 4))
    if arguments.has("tcp") { options.tcpPort = try port("tcp", arguments, options.channels) }
    if arguments.has("udp") { options.udpPort = try port("udp", arguments, options.channels) }
    options.bind = arguments.value("bind") ?? options.bind
    var address = sockaddr_storage()
    guard cposix_address(options.bind, 0, &address) != 0 else {
        throw .usage("--bind: found '\(terminalText(options.bind))', expected an IPv4 or IPv6 address of this machine, or 0.0.0.0 or :: for all")
    }
    options.directory = arguments.value("out") ?? options.directory
    guard !options.directory.isEmpty else { throw .usage("--out: found nothing, expected a directory") }
    options.rollBytes = try arguments.number("roll-bytes", 1...(1 << 62), or: options.rollBytes)
    options.ringBytes = Int(try arguments.number("ring-bytes", 1...(1 << 30), or: UInt64(options.ringBytes)))
    options.maxPayload = UInt32(try arguments.number("max-frame", 1...(1 << 28), or: UInt64(options.maxPayload)))
    options.openPeriodics = Int(try arguments.number("open-periodics", 1...65536, or: UInt64(options.openPeriodics)))
    options.fsyncMilliseconds = try arguments.number("fsync-ms", 0...86_400_000, or: options.fsyncMilliseconds)
    options.idleSeconds = try arguments.number("idle-seconds", 0...10_000_000, or: options.idleSeconds)
    options.say = { ReceiverDisplay.say($0) }
    return options
}

private func port(_ name: String, _ arguments: Arguments, _ channels: Int) throws(Failure) -> UInt16 {
    let port = try arguments.number(name, 0...65535, or: 0)
    guard port == 0 || Int(port) + channels - 1 <= 65535 else {
        throw .usage("--\(name): found \(port), expected at most \(65536 - channels) for \(channels) channels")
    }
    return UInt16(port)
}

/// Set by signals: when the first one came, in milliseconds; 0: none did.
private let interruptedMs = Atomic<UInt>(0)

/// Who ends a whole group of processes, as timeout(1) does, may send a signal twice. That is no second one.
private var signalGapMs: UInt { 250 }

private func nowMs() -> UInt { max(1, UInt(truncatingIfNeeded: monotonicNs() / 1_000_000)) }

private func receive(_ options: ReceiverOptions, _ kafka: KafkaSettings?, _ arguments: Arguments) throws(Failure) -> Int32 {
    let seconds = try arguments.number("seconds", 1...10_000_000, or: 0)
    let json = arguments.has("json")
    // A file, two sockets and what was lost, for each channel; its connections; and some more.
    _ = cposix_allow_files(UInt64(options.channels * (options.connections + 4) + 64))
    let receiver: Receiver
    do throws(FileError) { receiver = try Receiver(options) } catch { throw Failure(error) }
    if let kafka {
        do throws(KafkaError) { try receiver.add(kafka: kafka) } catch { throw Failure(Exit.system, error.message) }
    }
    var metrics: MetricsServer?
    if arguments.has("metrics") {
        let port = UInt16(try arguments.number("metrics", 0...65535, or: 0))
        do throws(FileError) {
            metrics = try MetricsServer(port: port) { receiver.metrics() }
            try metrics?.start()
        } catch { throw Failure(error) }
    }
    defer { metrics?.stop() }
    interruptedMs.store(0, ordering: .relaxed)
    // Who looked at the output may go away; what is received is not lost for that.
    cposix_ignore(SIGPIPE)
    for number in [SIGINT, SIGTERM] {
        _ = signal(number) { number in
            // Who asks twice does not want to wait.
            let now = nowMs()
            let (isFirst, first) = interruptedMs.compareExchange(expected: 0, desired: now, ordering: .relaxed)
            if !isFirst, now &- first >= signalGapMs { _exit(128 + number) }
        }
    }
    let output = Output(descriptor: 1)
    announce(receiver, json: json, output)
    if let metrics { Console.error("listening metrics 127.0.0.1:\(metrics.port)\n") }
    let display = ReceiverDisplay(receiver, json: json, output)
    do throws(FileError) {
        try receiver.start()
        try display.start()
    } catch {
        receiver.finish()
        throw Failure(error)
    }
    let manager = ServiceManager()
    manager.ready()
    var told = monotonicNs()
    let start = monotonicNs()
    while interruptedMs.load(ordering: .relaxed) == 0, !receiver.isStopping {
        let elapsed = (monotonicNs() - start) / 1_000_000_000
        if let interval = manager.watchdogNs, monotonicNs() - told >= interval {
            told = monotonicNs()
            manager.alive()
        }
        if seconds > 0, elapsed >= seconds { break }
        pause(milliseconds: 20)
    }
    manager.stopping()
    receiver.finish()
    display.end()
    if json || !output.isTerminal { receiver.writeReport(to: output) } else { display.summarise() }
    try output.finish()
    return receiver.hasFailed ? Exit.system : Exit.ok
}

/// Tells the ports, which the system may have chosen.
private func announce(_ receiver: Receiver, json: Bool, _ output: Output) {
    if json {
        var writer = JSONWriter(output)
        writer.begin("{")
        writer.key("listening")
        writer.begin("[")
        for (name, ports) in [("tcp", receiver.tcpPorts), ("udp", receiver.udpPorts)] {
            for k in 0..<ports.count {
                writer.begin("{")
                writer.field("transport", name)
                writer.field("address", receiver.options.bind)
                writer.field("port", UInt64(ports[k]))
                writer.field("channel", k)
                writer.end("}")
            }
        }
        writer.end("]")
        writer.end("}")
        output.byte(0x0A)
        try? output.flush()
    }
    for (name, ports) in [("tcp", receiver.tcpPorts), ("udp", receiver.udpPorts)] {
        for k in 0..<ports.count { Console.error("listening \(name) \(receiver.options.bind):\(ports[k]) channel \(k)\n") }
    }
}
