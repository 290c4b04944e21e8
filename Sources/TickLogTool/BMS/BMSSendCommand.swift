import CPosix
import TickLog
import TickLogHost

func bmsSendCommand() -> Command {
    Command(
        name: "bms-send", summary: "sends test packets to a BMS server",
        help: """
            Usage: ticklog bms-send HOST:PORT [OPTION]...

            Sends DIFFs to 'ticklog serve': packet I is of rack I % 4 and has the words 0x1000, 0x1001 and 0x1002 with the
            values I, I + 1 and I + 2.

              --count N         packets; 1000 by default
              --delay MS        between two of them; 10 by default, 0: as fast as they are taken
              --racks N         how many racks, 1 to 256; 4 by default
              --words N         words of a packet, 1 to 65536; 3 by default
              --random          random values
              --seed S          of them; 1 by default
              --full-every N    every N-th packet is FULL, from the first on
              --source TYPE     unknown, sbmu, rack (the default) or rtos: what the racks are
              --sync            waits at the end until all is on the server's medium
              --legacy          Packets of the old form, for 'ticklog serve --legacy'
              --token-file F    the secret that the server asks for: the first line of F, which only its owner may read
              --timeout-ms N    how long any step may take; 5000 by default
              --json            what was sent, as JSON
              --help, --version

            Exit code 0: all was sent, and the server has taken it; with --sync it is on its medium.

            Examples:
              ticklog bms-send 127.0.0.1:9000
              ticklog bms-send 127.0.0.1:9000 --count 100000 --delay 0 --words 16 --random --sync

            """,
        options: [
            Option("count", takesValue: true), Option("delay", takesValue: true), Option("racks", takesValue: true),
            Option("words", takesValue: true), Option("random"), Option("seed", takesValue: true),
            Option("full-every", takesValue: true), Option("source", takesValue: true), Option("sync"), Option("legacy"),
            Option("token-file", takesValue: true), Option("timeout-ms", takesValue: true), Option("json"),
        ],
        run: { (arguments) throws(Failure) in try bmsSend(arguments) })
}

private func bmsSend(_ arguments: Arguments) throws(Failure) -> Int32 {
    let endpoint = try endpoint(try arguments.operand("HOST:PORT"))
    var packets = TestPackets()
    packets.racks = try arguments.number("racks", 1...256, or: 4)
    packets.words = Int(try arguments.number("words", 1...UInt64(PacketWords.most), or: 3))
    packets.isRandom = arguments.has("random")
    packets.seed = try arguments.unsigned("seed") ?? 1
    packets.fullEvery = try arguments.number("full-every", 1...(1 << 62), or: 0)
    let count = try arguments.number("count", 0...(1 << 62), or: 1000)
    let delayNs = try arguments.number("delay", 0...86_400_000, or: 10) * 1_000_000
    let isLegacy = arguments.has("legacy")
    if isLegacy {
        for option in ["full-every", "source", "sync", "token-file"] where arguments.has(option) {
            throw .usage("found --\(option) with --legacy, whose Packets have nothing of it")
        }
    }
    let typeText = arguments.value("source") ?? "rack"
    guard let type = PacketSource.type(typeText) else {
        throw .usage("--source: found '\(terminalText(typeText))', expected unknown, sbmu, rack, rtos or 0 to 3")
    }
    let milliseconds = try arguments.timeLimit()
    let token = try arguments.token()
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 4 * packets.words, alignment: 16)
    defer { memory.deallocate() }
    Interruption.begin()

    var sent: UInt64 = 0
    let start = monotonicNs()
    do throws(ClientError) {
        var client: PacketClient?
        let connection: PacketConnection
        if isLegacy {
            connection = try PacketConnection(endpoint, milliseconds: milliseconds)
        } else {
            let made = try PacketClient(endpoint, milliseconds: milliseconds, token: token)
            client = made
            connection = made.connection
        }
        while sent < count, !Interruption.isWanted {
            let words = packets.words(sent, in: memory)
            if let client {
                try client.put(packets.command(sent), PacketSource(type: type, id: UInt8(packets.rack(sent))), words)
            } else {
                try connection.put(
                    LegacyPacket(time: Double(realtimeMicroseconds()) / 1e6, rack: Int32(packets.rack(sent)), words: words))
            }
            sent += 1
            guard delayNs > 0 else { continue }
            try connection.flush()
            // Each has its own moment, so that what was late is made up for.
            let due = start + sent * delayNs
            while sent < count, !Interruption.isWanted, monotonicNs() < due {
                pause(milliseconds: Int(min(100, (due - min(due, monotonicNs()) + 999_999) / 1_000_000)))
            }
        }
        if let client {
            if arguments.has("sync") { try client.sync() }
            try client.finish()
        } else {
            try connection.end { _ in }
        }
    } catch {
        throw Failure(error)
    }
    let seconds = Double(monotonicNs() - start) / 1e9
    let bytes = sent * UInt64((isLegacy ? 16 : 20) + 4 * packets.words)
    let output = Output(descriptor: 1)
    if arguments.has("json") {
        var writer = JSONWriter(output)
        writer.begin("{")
        writer.field("packets", sent)
        writer.field("words", sent * UInt64(packets.words))
        writer.field("bytes", bytes)
        writer.field("seconds", seconds)
        writer.field("seed", packets.seed)
        writer.field("synced", arguments.has("sync"))
        writer.end("}")
        output.byte(0x0A)
    } else {
        output.line("\(sent) packets of \(packets.words) words, \(bytes) bytes in \(secondsText(seconds))" + (arguments.has("sync") ? ", on the medium" : ""))
    }
    try output.finish()
    return Exit.ok
}
