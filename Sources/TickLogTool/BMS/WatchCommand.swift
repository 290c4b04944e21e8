import CPosix
import TickLog
import TickLogHost

func watchCommand() -> Command {
    Command(
        name: "watch", summary: "follows values of a BMS server",
        help: """
            Usage: ticklog watch HOST:PORT --source TYPE:ID [OPTION]...

            Prints the values of words of a source as they are, and from then on each change, a line each: time, source,
            offset and value. Without --offsets all words are followed, and those that are 0 at first are not printed.

              --source TYPE:ID  unknown, sbmu, rack or rtos, and 0 to 255, as rack:2
              --offsets LIST    offsets and ranges of them, at most 32: 0x1000,0x2000-0x2010
              --rate HZ         at most so many messages a second, 1 to 65535; of a word that changed more often the newest
                                value comes
              --seconds N       how long; until it is stopped by default
              --count N         ends after so many lines
              --token-file F    the secret that the server asks for: the first line of F, which only its owner may read
              --timeout-ms N    how long connecting may take; 5000 by default
              --json            a JSON object a line: {"time":...,"source":"rack:2","offset":4096,"value":42,"initial":false}
              --help, --version

            Examples:
              ticklog watch 127.0.0.1:9000 --source rack:2
              ticklog watch 127.0.0.1:9000 --source rack:2 --offsets 0x1000-0x10ff --rate 2 --json

            """,
        options: [
            Option("source", takesValue: true), Option("offsets", takesValue: true), Option("rate", takesValue: true),
            Option("seconds", takesValue: true), Option("count", takesValue: true), Option("token-file", takesValue: true),
            Option("timeout-ms", takesValue: true), Option("json"),
        ],
        run: { (arguments) throws(Failure) in try watch(arguments) })
}

private func watch(_ arguments: Arguments) throws(Failure) -> Int32 {
    let endpoint = try endpoint(try arguments.operand("HOST:PORT"))
    let source = try arguments.oneSource()
    let chosen = try arguments.offsetRanges()
    let ranges = joined(chosen ?? [0...65535])
    guard ranges.count <= PacketClient.mostRanges else {
        throw .usage("--offsets: found \(ranges.count) ranges, expected at most \(PacketClient.mostRanges)")
    }
    let rate = UInt16(try arguments.number("rate", 1...65535, or: 0))
    let seconds = try arguments.number("seconds", 1...10_000_000, or: 0)
    let most = try arguments.number("count", 1...UInt64.max, or: UInt64.max)
    let milliseconds = try arguments.timeLimit()
    let token = try arguments.token()
    let json = arguments.has("json")
    let output = Output(descriptor: 1)
    cposix_ignore(SIGPIPE)
    Interruption.begin()
    let end = seconds == 0 ? UInt64.max : monotonicNs() + seconds * 1_000_000_000
    var lines: UInt64 = 0
    do throws(ClientError) {
        let client = try PacketClient(endpoint, milliseconds: milliseconds, token: token)
        try client.subscribe(source, ranges, rate: rate)
        while lines < most, !Interruption.isWanted, monotonicNs() < end, output.isOpen {
            let left = (end - min(end, monotonicNs())) / 1_000_000
            guard let packet = try client.next(milliseconds: min(100, left + 1)) else { continue }
            let isInitial = packet.knownCommand == .reply
            for i in 0..<packet.words.count where lines < most {
                let value = packet.words.value(i)
                if isInitial, value == 0, chosen == nil { continue }
                line(packet, source, packet.words.offset(i), value, isInitial, json ? JSONWriter(output) : nil, output)
                lines += 1
            }
            // Somebody looks on.
            do throws(FileError) { try output.flush() } catch {}
        }
    } catch {
        try? output.flush()
        throw Failure(error)
    }
    return Exit.ok
}

private func line(
    _ packet: DataPacket, _ source: PacketSource, _ offset: UInt16, _ value: UInt16, _ isInitial: Bool, _ json: JSONWriter?, _ output: Output
) {
    guard var writer = json else {
        let ns = packet.timestamp.multipliedReportingOverflow(by: 1000)
        let time = ns.overflow ? "unknown" : timeText(epochNs: Int64(clamping: ns.partialValue))
        return output.line(time + " " + source.text + " " + offsetText(offset) + " \(value)")
    }
    writer.begin("{")
    writer.field("time", Double(packet.timestamp) / 1e6)
    writer.field("source", source.text)
    writer.field("offset", UInt64(offset))
    writer.field("value", UInt64(value))
    writer.field("initial", isInitial)
    writer.end("}")
    output.byte(0x0A)
}

/// The same words in as few ranges as possible.
private func joined(_ ranges: [ClosedRange<UInt16>]) -> [ClosedRange<UInt16>] {
    var result: [ClosedRange<UInt16>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
        if let last = result.last, UInt32(range.lowerBound) <= UInt32(last.upperBound) + 1 {
            result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
        } else {
            result.append(range)
        }
    }
    return result
}
