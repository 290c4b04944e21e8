import CPosix
import Synchronization
import TickLog
import TickLogHost

func sendCommand() -> Command {
    Command(
        name: "send", summary: "sends frames, and spoils some, to try a receiver",
        help: """
            Usage: ticklog send --tcp HOST:PORT | --udp HOST:PORT | --kafka BROKERS | --file F [OPTION]...

            Makes framed streams (docs/FRAMES.md), spoils some frames, and prints as JSON what it did and what a receiver
            must report if the transport loses nothing. The same options and seed make the same bytes.

              --tcp HOST:PORT, --udp HOST:PORT
                                channel k goes to PORT + k. With both, UDP is spoiled, and TCP is the archive, whole
              --kafka BROKERS   HOST:PORT,...: a frame a message, the channel's number as its key (docs/SCALING.md)
              --topic T         of Kafka; with %d in it, a topic for each channel; ticklog unless given
              --kafka-config FILE
                                other settings of librdkafka, a NAME=VALUE a line
              --file F          the bytes themselves: F, or F.ch<k> if there are several channels
              --force           replaces files that are there
              --channels N      1 to 256; 4 unless given
              --rate HZ         frames of each channel in a second; as fast as they are taken unless given
              --count N         frames of each channel; 1000 unless given
              --first N         the number of the first frame; 0 unless given
              --size BYTES      of a payload; 1400 unless given. Over UDP at most \(UDPFrameOutput.maxPayload)
              --chunks N        to a periodic; 1 unless given. 0: the payloads have no chunk header
              --corrupt P       probability, 0 to 1, that a byte of a frame is spoiled
              --drop P          that a frame is left out
              --duplicate P     that a frame is sent twice
              --reorder P       that a frame is held back behind up to 16 later ones
              --seed S          1 unless given
              --realtime-timestamps
                                by the clock; otherwise a millisecond apart, from a moment that the seed decides
              --retry SECONDS   over TCP: how long a connection is tried for, also when one breaks; 0 unless given
              --help, --version

            Control-C ends it earlier, and what was sent is told, unless nobody takes what is left of it.

            Examples:
              ticklog send --tcp 127.0.0.1:7000 --count 100000 --corrupt 0.01 --drop 0.01
              ticklog send --udp 127.0.0.1:7000 --tcp 127.0.0.1:7100 --rate 1000 --chunks 8

            """,
        options: [
            Option("tcp", takesValue: true), Option("udp", takesValue: true), Option("kafka", takesValue: true),
            Option("topic", takesValue: true), Option("kafka-config", takesValue: true), Option("file", takesValue: true), Option("force"),
            Option("channels", takesValue: true), Option("rate", takesValue: true), Option("count", takesValue: true),
            Option("first", takesValue: true), Option("size", takesValue: true), Option("chunks", takesValue: true),
            Option("corrupt", takesValue: true), Option("drop", takesValue: true), Option("duplicate", takesValue: true),
            Option("reorder", takesValue: true), Option("seed", takesValue: true), Option("realtime-timestamps"),
            Option("retry", takesValue: true),
        ],
        run: { (arguments) throws(Failure) in try send(arguments) })
}

private func send(_ arguments: Arguments) throws(Failure) -> Int32 {
    guard arguments.operands.isEmpty else {
        throw .usage("found '\(terminalText(arguments.operands[0]))', expected options only")
    }
    let options = try sendOptions(arguments)
    var ways: [String] = []
    for way in ["tcp", "udp", "kafka", "file"] where arguments.has(way) { ways.append(way) }
    let isTwoWays = ways == ["tcp", "udp"]
    guard ways.count == 1 || isTwoWays else {
        throw .usage("found \(ways.count) of --tcp, --udp, --kafka and --file, expected one of them, or --tcp and --udp")
    }
    guard !arguments.has("udp") || options.size <= UDPFrameOutput.maxPayload else {
        throw .usage("--size: found \(options.size), expected at most \(UDPFrameOutput.maxPayload), what a datagram holds")
    }
    let retry = try arguments.unsigned("retry") ?? 0
    guard retry <= 1_000_000 else { throw .usage("--retry: found \(retry), expected at most 1000000") }

    var tcp: TCPFrameOutput?
    var udp: UDPFrameOutput?
    var kafka: KafkaFrameOutput?
    var output: FrameOutput
    if arguments.has("tcp") { tcp = TCPFrameOutput(try endpoint("tcp", arguments, options.channels), channels: options.channels, retry: retry) }
    if arguments.has("udp") { udp = UDPFrameOutput(try endpoint("udp", arguments, options.channels), channels: options.channels) }
    if let udp {
        output = udp
    } else if let tcp {
        output = tcp
    } else if let path = arguments.value("file") {
        guard path != "-" else { throw .usage("--file: found -, expected the path of a file") }
        do throws(FileError) {
            output = try FileFrameOutput(path, channels: options.channels, replacing: arguments.has("force"))
        } catch {
            guard error.code == EEXIST else { throw Failure(error) }
            throw .usage("\(terminalText(error.path)): found a file, expected none; --force replaces it")
        }
    } else {
        let settings = try kafkaSettings(arguments)!
        do throws(KafkaError) {
            let made = try KafkaFrameOutput(settings, channels: options.channels, maxFrame: FrameHeader.bytes + options.size)
            kafka = made
            output = made
        } catch { throw Failure(Exit.system, error.message) }
    }

    let sender = Sender(options, to: output, archive: isTwoWays ? tcp : nil)
    let sent: [SentChannel]
    do throws(FileError) {
        sent = try withInterrupts(sender)
    } catch {
        if let reason = kafka?.failure { throw Failure(Exit.system, reason) }
        throw Failure(error)
    }
    let text = Output(descriptor: 1)
    var writer = JSONWriter(text)
    writer.begin("{")
    writer.field("seed", options.seed)
    writer.key("channels")
    writer.begin("[")
    for channel in sent { channel.json(&writer) }
    writer.end("]")
    if let tcp { writer.field("reconnects", tcp.reconnects.load(ordering: .relaxed)) }
    if let kafka { writer.field("delivered", kafka.delivered) }
    if let udp { writer.field("refused", udp.refused.load(ordering: .relaxed)) }
    writer.end("}")
    text.byte(0x0A)
    try text.finish()
    return Exit.ok
}

/// Runs it, and lets SIGINT and SIGTERM stop it; a second one ends the process.
private func withInterrupts(_ sender: Sender) throws(FileError) -> [SentChannel] {
    running.store(UInt(bitPattern: Unmanaged.passUnretained(sender).toOpaque()), ordering: .releasing)
    for number in [SIGINT, SIGTERM] {
        cposix_catch(number) { number in
            if let sender = UnsafeRawPointer(bitPattern: running.exchange(0, ordering: .acquiring)) {
                Unmanaged<Sender>.fromOpaque(sender).takeUnretainedValue().stop()
            } else {
                cposix_die_of(number)
            }
        }
    }
    defer { running.store(0, ordering: .releasing) }
    return try sender.run()
}

/// Address of the sender that a signal stops; 0: none.
private let running = Atomic<UInt>(0)

private func endpoint(_ name: String, _ arguments: Arguments, _ channels: Int) throws(Failure) -> Endpoint {
    guard let endpoint = Endpoint(arguments.value(name)!, channels: channels) else {
        throw .usage("--\(name): found '\(terminalText(arguments.value(name)!))', expected HOST:PORT, with a port for each of \(channels) channels")
    }
    return endpoint
}

private func sendOptions(_ arguments: Arguments) throws(Failure) -> SendOptions {
    var options = SendOptions()
    options.channels = Int(try number("channels", arguments, 1...256) ?? 4)
    options.rate = try number("rate", arguments, 1...1_000_000_000) ?? 0
    options.count = try number("count", arguments, 0...(1 << 62)) ?? 1000
    options.first = try number("first", arguments, 0...(1 << 62)) ?? 0
    let chunks = try number("chunks", arguments, 0...(1 << 31))
    let least = chunks == nil || chunks == 0 ? 1 : UInt64(ChunkHeader.bytes)
    options.size = Int(try number("size", arguments, least...(1 << 30)) ?? 1400)
    // What has no room for the chunk's header has none.
    options.chunks = UInt32(chunks ?? (options.size < ChunkHeader.bytes ? 0 : 1))
    options.corrupt = try probability("corrupt", arguments)
    options.drop = try probability("drop", arguments)
    options.duplicate = try probability("duplicate", arguments)
    options.reorder = try probability("reorder", arguments)
    options.seed = try arguments.unsigned("seed") ?? 1
    options.isRealtime = arguments.has("realtime-timestamps")
    return options
}

private func number(_ name: String, _ arguments: Arguments, _ range: ClosedRange<UInt64>) throws(Failure) -> UInt64? {
    guard let number = try arguments.unsigned(name) else { return nil }
    guard range.contains(number) else {
        throw .usage("--\(name): found \(number), expected \(range.lowerBound) to \(range.upperBound)")
    }
    return number
}

private func probability(_ name: String, _ arguments: Arguments) throws(Failure) -> Double {
    guard let text = arguments.value(name) else { return 0 }
    guard let value = finiteNumber(text), value >= 0, value <= 1 else {
        throw .usage("--\(name): found '\(terminalText(text))', expected a number from 0 to 1")
    }
    return value
}
