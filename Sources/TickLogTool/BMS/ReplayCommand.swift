import CPosix
import TickLog
import TickLogHost

func replayCommand() -> Command {
    Command(
        name: "replay", summary: "rebuilds images from a BMS log, forwards or converts it",
        help: """
            Usage: ticklog replay LOG [OPTION]...

            Reads a log of 'ticklog serve' from its beginning, LOG.000001 and so on and LOG, and tells what is in it. With
            --image it writes the newest values as they were at a moment, with --to it sends the packets to a server again,
            with -o it converts them to rows. The server may be writing the log.

              --until TIME      packets that the server got later are left out: seconds since 1970, or as
                                2026-03-01T12:00:00Z
              --source TYPE:ID  packets of other sources are left out, as rack:2; of legacy Packets, those of other racks
              --image OUT       the images of all sources as an image file; with --source the bare 131072 bytes of one: 65536
                                words, little-endian
              --to HOST:PORT    sends the packets to a server, in order; legacy ones to a server with --legacy
              --speed X         of it: 1, as they came, by default; 2: twice as fast; max: as fast as they are taken
              --out OUT, -o OUT  rows: time, src_type, src_id, offset, value; of legacy Packets time, rack, offset, value. OUT
                                ends with .csv, .jsonl, .bcsv or .parquet; - is standard output
              --format FORMAT   of OUT: csv, jsonl, bcsv or parquet
              --force           replaces a file that is there
              --token-file F    the secret that the server of --to asks for
              --timeout-ms N    how long that server may take for any step; 5000 by default
              --json            what was done, as JSON
              --help, --version

            Exit code 1: the log is damaged; nothing is written then. A torn end is a note.

            Examples:
              ticklog replay packets.log --until 2026-03-01T12:00:00Z --image noon.img
              ticklog replay packets.log --source rack:2 -o rack2.parquet

            """,
        options: [
            Option("until", takesValue: true), Option("source", takesValue: true), Option("image", takesValue: true),
            Option("to", takesValue: true), Option("speed", takesValue: true), Option("out", takesValue: true),
            Option("format", takesValue: true), Option("force"), Option("token-file", takesValue: true),
            Option("timeout-ms", takesValue: true), Option("json"),
        ],
        run: { (arguments) throws(Failure) in try ReplayRun(arguments).run() })
}

private struct ReplayRun {
    let arguments: Arguments
    let path: String
    let until: UInt64?
    let source: PacketSource?
    /// Nil: as fast as possible.
    let speed: Double?

    init(_ arguments: Arguments) throws(Failure) {
        self.arguments = arguments
        path = try arguments.operand("a BMS log")
        source = try arguments.source()
        if let text = arguments.value("until") {
            guard let time = microseconds(ofTime: text) else {
                throw .usage("--until: found '\(terminalText(text))', expected seconds since 1970, or a time as 2026-03-01T12:00:00Z")
            }
            until = time
        } else {
            until = nil
        }
        for option in ["speed", "token-file", "timeout-ms"] where arguments.has(option) && !arguments.has("to") {
            throw .usage("found --\(option) without --to")
        }
        guard !arguments.has("format") || arguments.has("out") else { throw .usage("found --format without --out") }
        if let text = arguments.value("speed"), text != "max" {
            guard let value = finiteNumber(text), value >= 0.001, value <= 1_000_000 else {
                throw .usage("--speed: found '\(terminalText(text))', expected 0.001 to 1000000, or max")
            }
            speed = value
        } else {
            speed = arguments.has("speed") ? nil : 1
        }
    }

    func run() throws(Failure) -> Int32 {
        let out = arguments.value("out")
        var format = ""
        if let out { format = out == "-" && !arguments.has("format") ? "csv" : try outputFormat(arguments, out, option: "format") }
        var target: Endpoint?
        if let text = arguments.value("to") { target = try endpoint(text) }
        let token = try arguments.token()
        let milliseconds = try arguments.timeLimit()
        var code = Exit.ok
        // Each of the ways reads the log by itself; the last one tells what there was.
        var replay: BMSReplay?
        if let image = arguments.value("image") {
            replay = try opened()
            try write(image, replay!)
        }
        if let target {
            replay = try opened()
            try forward(replay!, target, token, milliseconds)
        }
        if let out {
            replay = try opened()
            code = Console.report(
                try writeTable(ReplayTable(replay!), of: path, out, format, replacing: arguments.has("force")))
            // Rows and a report do not mix.
            if out == "-" { return code }
        } else {
            let last: BMSReplay
            if let replay { last = replay } else { last = try opened() }
            do throws(Fault) { while try last.next() != nil {} } catch { throw Failure(error) }
            if let torn = last.torn { Console.report(torn) }
            replay = last
        }
        try report(replay!)
        return code
    }

    private func opened() throws(Failure) -> BMSReplay {
        do throws(Fault) { return try BMSReplay(path, until: until, source: source) } catch { throw Failure(error) }
    }

    private func report(_ replay: BMSReplay) throws(Failure) {
        let output = Output(descriptor: 1)
        if arguments.has("json") {
            var writer = JSONWriter(output)
            writer.begin("{")
            writer.field("packets", replay.packets)
            writer.field("words", replay.words)
            writer.field("first_logged_us", replay.firstTimestamp)
            writer.field("last_logged_us", replay.timestamp)
            writer.end("}")
            output.byte(0x0A)
        } else {
            var line = terminalText(path) + ": \(replay.packets) packets, \(replay.words) words"
            if replay.packets > 0 { line += ", " + logTimeText(replay.firstTimestamp) + " to " + logTimeText(replay.timestamp) }
            output.line(line)
        }
        try output.finish()
    }

    private func write(_ image: String, _ replay: BMSReplay) throws(Failure) {
        let images = ReplayedImages()
        do throws(Fault) { try images.take(replay) } catch { throw Failure(error) }
        let made = try NewFile(opening: image, replacing: arguments.has("force"))
        do throws(FileError) {
            if let source {
                let output = Output(descriptor: made.descriptor, path: image)
                output.bytes(images.words(source))
                try output.flush()
            } else {
                made.freeName()
                try images.write(made.temporaryPath)
            }
            try made.commit()
        } catch {
            throw Failure(error)
        }
    }

    /// Sends each packet as it was, its time included, when its time has come.
    private func forward(_ replay: BMSReplay, _ target: Endpoint, _ token: Token?, _ milliseconds: UInt64) throws(Failure) {
        let isLegacy = replay.kind == .legacyPackets
        guard !isLegacy || token == nil else { throw .usage("found --token-file with a log of legacy Packets, whose servers ask for none") }
        Interruption.begin()
        var damage: Fault?
        do throws(ClientError) {
            var client: PacketClient?
            let connection: PacketConnection
            if isLegacy {
                connection = try PacketConnection(target, milliseconds: milliseconds)
            } else {
                let made = try PacketClient(target, milliseconds: milliseconds, token: token)
                client = made
                connection = made.connection
            }
            let start = monotonicNs()
            while !Interruption.isWanted {
                let packet: BMSReplay.Packet?
                do throws(Fault) { packet = try replay.next() } catch {
                    damage = error
                    break
                }
                guard let packet else { break }
                if let speed { try pause(until: start, replay.timestamp - replay.firstTimestamp, speed, connection) }
                switch packet {
                case .data(let packet): try connection.put(packet)
                case .legacy(let packet): try connection.put(packet)
                }
            }
            if let client {
                try client.sync()
                try client.finish()
            } else {
                try connection.end { _ in }
            }
        } catch {
            throw Failure(error)
        }
        // What stands before it was sent.
        if let damage { throw Failure(damage) }
    }

    private func pause(until start: UInt64, _ microseconds: UInt64, _ speed: Double, _ connection: PacketConnection) throws(ClientError) {
        let wait = Double(microseconds) * 1000 / speed
        let due = start &+ (wait < 1e18 ? UInt64(wait) : 1_000_000_000_000_000_000)
        guard monotonicNs() < due else { return }
        try connection.flush()
        while !Interruption.isWanted {
            let now = monotonicNs()
            guard now < due else { return }
            TickLogHost.pause(milliseconds: Int(min(100, (due - now + 999_999) / 1_000_000)))
        }
    }
}

func logTimeText(_ microseconds: UInt64) -> String {
    let ns = microseconds.multipliedReportingOverflow(by: 1000)
    return ns.overflow ? "unknown" : timeText(epochNs: Int64(clamping: ns.partialValue))
}
