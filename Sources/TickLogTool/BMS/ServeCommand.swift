import CPosix
import Synchronization
import TickLogHost

func serveCommand() -> Command {
    Command(
        name: "serve", summary: "the server of the BMS protocol: log, images, queries, subscriptions",
        help: """
            Usage: ticklog serve [OPTION]...

            Takes packets of many clients, logs them, and keeps the newest value of every word of every source; answers
            queries, and tells subscribers what changes. Control-C ends it: everything that was received is on the medium
            then. Started again, it goes on behind the files that are there. Without --log, nothing is kept.

              --port PORT             9000 by default; 0: the system chooses
              --bind ADDRESS          127.0.0.1 by default. Elsewhere, everybody on the network can read what is sent
              --log FILE              all packets, in the order in which they came. When it is full it becomes FILE.000001
                                      and so on
              --image FILE            the newest values, loaded at the start
              --image-seconds N       how often they are saved; 10 by default, 0: only at the end
              --archive FILE          FULL packets go there too
              --parquet DIR           values go to DIR/log_N.parquet too
              --roll-bytes N          size of a log's file, and input of a Parquet file; 52428800 by default
              --sync-ms N             how often the log is synced; 200 by default, 0: all the time. A client's SYNC does not
                                      wait for it
              --ring-bytes N          memory for what is not on the medium; 33554432 by default
              --max-clients N         64 by default
              --queue-bytes N         what may wait for a client to read it; 1048576 by default
              --stall-seconds N       a client that reads nothing of it is dropped; 10 by default
              --partial-seconds N     a message that does not go on ends the connection; 30 by default, 0: never
              --token-file FILE       a secret that clients must know; only its owner may read the file
              --read-token-file FILE  another one, for clients that only query and subscribe
              --legacy                clients send the older Packet of 16 + 4 x count bytes, and nothing else
              --seconds N             how long; until it is stopped by default
              --metrics PORT          answers http://127.0.0.1:PORT/metrics for Prometheus; 0: the system chooses
              --config FILE           options as name = value, a line each; those given here win
              --json                  a line each second, and the report, as JSON
              --help, --version

            Examples:
              ticklog serve --log packets.log --image image.bin
              ticklog serve --port 9000 --log packets.log --parquet values --token-file secret --json

            """,
        options: [
            Option("port", takesValue: true), Option("bind", takesValue: true), Option("log", takesValue: true),
            Option("image", takesValue: true), Option("image-seconds", takesValue: true), Option("archive", takesValue: true),
            Option("parquet", takesValue: true), Option("roll-bytes", takesValue: true), Option("sync-ms", takesValue: true),
            Option("ring-bytes", takesValue: true), Option("max-clients", takesValue: true), Option("queue-bytes", takesValue: true),
            Option("stall-seconds", takesValue: true), Option("partial-seconds", takesValue: true),
            Option("token-file", takesValue: true), Option("read-token-file", takesValue: true), Option("legacy"),
            Option("seconds", takesValue: true), Option("metrics", takesValue: true), Option("config", takesValue: true), Option("json"),
        ],
        run: { (arguments) throws(Failure) in
            guard arguments.operands.isEmpty else {
                throw .usage("found '\(terminalText(arguments.operands[0]))', expected options only")
            }
            return try serve(try serverOptions(arguments), arguments)
        })
}

private func serverOptions(_ arguments: Arguments) throws(Failure) -> BMSServerOptions {
    var options = BMSServerOptions()
    options.port = UInt16(try arguments.number("port", 0...65535, or: UInt64(options.port)))
    options.bind = arguments.value("bind") ?? options.bind
    options.log = try path("log", arguments)
    options.image = try path("image", arguments)
    options.archive = try path("archive", arguments)
    options.parquet = try path("parquet", arguments)
    options.imageSeconds = try arguments.number("image-seconds", 0...86_400, or: options.imageSeconds)
    options.rollBytes = try arguments.number("roll-bytes", 4096...(1 << 39), or: options.rollBytes)
    options.syncMilliseconds = try arguments.number("sync-ms", 0...60_000, or: options.syncMilliseconds)
    options.ringBytes = Int(try arguments.number("ring-bytes", 1 << 20...1 << 30, or: UInt64(options.ringBytes)))
    options.maxClients = Int(try arguments.number("max-clients", 1...100_000, or: UInt64(options.maxClients)))
    options.queueBytes = Int(try arguments.number("queue-bytes", 1 << 19...1 << 28, or: UInt64(options.queueBytes)))
    options.stallSeconds = try arguments.number("stall-seconds", 1...86_400, or: options.stallSeconds)
    options.partialSeconds = try arguments.number("partial-seconds", 0...86_400, or: options.partialSeconds)
    options.legacy = arguments.has("legacy")
    if options.legacy {
        for name in ["token-file", "read-token-file", "archive"] where arguments.has(name) {
            throw .usage("found --\(name) and --legacy: the older Packet has " + (name == "archive" ? "no FULL" : "nothing to log in with"))
        }
    }
    if arguments.has("read-token-file"), !arguments.has("token-file") {
        throw .usage("found --read-token-file alone, expected --token-file too: nobody could send anything")
    }
    do throws(SecurityError) {
        if let file = arguments.value("token-file") { options.token = try Token(file: file) }
        if let file = arguments.value("read-token-file") { options.readToken = try Token(file: file) }
    } catch { throw Failure(Exit.system, error.message) }
    options.say = { Console.error("ticklog serve: " + $0 + "\n") }
    return options
}

private func path(_ name: String, _ arguments: Arguments) throws(Failure) -> String? {
    guard let path = arguments.value(name) else { return nil }
    guard !path.isEmpty else { throw .usage("--\(name): found nothing, expected a path") }
    return path
}

/// Set by signals.
private let interrupted = Atomic<Bool>(false)

private func serve(_ options: BMSServerOptions, _ arguments: Arguments) throws(Failure) -> Int32 {
    let seconds = try arguments.number("seconds", 1...10_000_000, or: 0)
    let json = arguments.has("json")
    if !isLoopback(options.bind) {
        options.say(
            "warning: --bind \(terminalText(options.bind)): "
                + (options.token == nil ? "everybody who reaches this port may send and ask. " : "clients are authenticated, but ")
                + (options.token == nil ? "Nothing" : "nothing")
                + " is encrypted. Use a tunnel: ssh -L, WireGuard or stunnel")
    }
    let server: BMSServer
    do throws(Fault) { server = try BMSServer(options) } catch { throw Failure(error) }
    var metrics: MetricsServer?
    if arguments.has("metrics") {
        let port = UInt16(try arguments.number("metrics", 0...65535, or: 0))
        do throws(FileError) {
            metrics = try MetricsServer(port: port) { server.metrics() }
            try metrics?.start()
        } catch { throw Failure(error) }
    }
    defer { metrics?.stop() }
    interrupted.store(false, ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
        _ = signal(number) { number in
            // Who asks twice does not want to wait.
            if interrupted.exchange(true, ordering: .relaxed) { _exit(128 + number) }
        }
    }
    let output = Output(descriptor: 1)
    do throws(FileError) { try server.start() } catch {
        server.finish()
        throw Failure(error)
    }
    announce(server, json: json, output)
    if let metrics { Console.error("listening metrics 127.0.0.1:\(metrics.port)\n") }
    let manager = ServiceManager()
    manager.ready()
    var told = monotonicNs()
    var second: UInt64 = 0
    let start = monotonicNs()
    while !interrupted.load(ordering: .relaxed), !server.isStopping {
        let elapsed = (monotonicNs() - start) / 1_000_000_000
        if elapsed > second {
            second = elapsed
            if json { show(server, output) }
        }
        // The loop is what must not hang.
        if let interval = manager.watchdogNs, monotonicNs() - told >= interval, server.isAlive {
            told = monotonicNs()
            manager.alive()
        }
        if seconds > 0, elapsed >= seconds { break }
        pause(milliseconds: 20)
    }
    manager.stopping()
    server.finish()
    if json || !output.isTerminal { server.writeReport(to: output) } else { output.line(server.summary) }
    try output.finish()
    return server.hasFailed ? Exit.system : Exit.ok
}

private func isLoopback(_ address: String) -> Bool {
    address == "::1" || (address.utf8.starts(with: "127.".utf8))
}

/// Who reads it may be slow. He misses a line; the server must not wait for him.
private func show(_ server: BMSServer, _ output: Output) {
    var ready = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
    guard poll(&ready, 1, 0) == 1, output.isOpen else { return }
    server.writeReport(to: output)
    try? output.flush()
}

/// Tells the port, which the system may have chosen.
private func announce(_ server: BMSServer, json: Bool, _ output: Output) {
    if json {
        var writer = JSONWriter(output)
        writer.begin("{")
        writer.key("listening")
        writer.begin("[")
        writer.begin("{")
        writer.field("transport", "tcp")
        writer.field("address", server.options.bind)
        writer.field("port", UInt64(server.port))
        writer.end("}")
        writer.end("]")
        writer.end("}")
        output.byte(0x0A)
        try? output.flush()
    }
    Console.error("listening tcp \(server.options.bind):\(server.port)\n")
}
