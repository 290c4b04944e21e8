import CPosix
import TickLog
import TickLogHost

func benchCommand() -> Command {
    Command(
        name: "bench", summary: "measures this machine",
        help: """
            Usage: ticklog bench [NAME]... [OPTION]...

            Measures how fast parts of ticklog are here. NAMEs are:

              crc32c    checksums of payloads, by the processor's instruction and by the table
              queue     8-byte records from one thread to another
              logbuffer 64-byte records into a log buffer of 1 MiB by a writer that never waits, and out of it by one reader
              receive   'ticklog receive' beside a receiver that makes the same calls and throws all away: bytes a second of
                        both in turn, and what is lost at 70 % of that
              serve     'ticklog serve' with clients that send DIFFs of 16 words, beside a server that makes the same calls and
                        throws all away: packets a second of both in turn; the time of queries, and memory, under a load; the
                        time of a start with a log and no image
              parquet   values written as Parquet, by shape of the table, plain and with LZ4; the file's sync is not counted
              mcap      values read from BCSV and written as MCAP to nowhere, plain and with LZ4
              rnog      RNO-G packets: Adler-32, decoding with it, and the index of a file of 1 GiB

              --runs N      of which the median is told; 5 by default
              --seconds N   of each run; 1 by default
              --loss-seconds N  how long at 70 %; 10 by default, 0: not at all
              --clients N   of serve; 200 by default
              --load N      of serve, packets a second while queries are timed; 500000 by default
              --memory-seconds N  how long that is; 60 by default
              --log-bytes N  of serve, the log of the start; 1073741824 by default, 0: no start
              --out DIR     for the files that are written, and removed; the current directory by default
              --json        one JSON object for each result, a line each
              --help, --version

            Examples:
              ticklog bench
              ticklog bench receive --loss-seconds 60 --out /var/tmp

            """,
        options: [
            Option("runs", takesValue: true), Option("seconds", takesValue: true), Option("loss-seconds", takesValue: true),
            Option("clients", takesValue: true), Option("load", takesValue: true), Option("memory-seconds", takesValue: true),
            Option("log-bytes", takesValue: true),
            Option("out", takesValue: true), Option("json"),
        ],
        run: { (arguments) throws(Failure) in
            let names = ["crc32c", "queue", "logbuffer", "receive", "serve", "parquet", "mcap", "rnog"]
            for name in arguments.operands where !names.contains(name) {
                throw .usage("found '\(terminalText(name))', expected crc32c, queue, logbuffer, receive, serve, parquet, mcap or rnog")
            }
            let bench = Bench(
                output: Output(descriptor: 1), json: arguments.has("json"), runs: Int(try arguments.number("runs", 1...99, or: 5)),
                seconds: Double(try arguments.number("seconds", 1...3600, or: 1)))
            let chosen = arguments.operands.isEmpty ? names : arguments.operands
            if chosen.contains("crc32c") { bench.crc32c() }
            if chosen.contains("queue") { try bench.queue() }
            if chosen.contains("logbuffer") { try bench.logBuffer() }
            if chosen.contains("rnog") { try bench.rnog(directory: arguments.value("out") ?? ".") }
            if chosen.contains("receive") {
                try ReceiveBench(
                    bench, directory: arguments.value("out") ?? ".",
                    lossSeconds: Double(try arguments.number("loss-seconds", 0...86400, or: 10))
                ).run()
            }
            if chosen.contains("serve") {
                var options = ServeBench.Options()
                options.clients = Int(try arguments.number("clients", 1...10_000, or: 200))
                options.load = Double(try arguments.number("load", 1...100_000_000, or: 500_000))
                options.memorySeconds = Double(try arguments.number("memory-seconds", 1...86400, or: 60))
                options.logBytes = try arguments.number("log-bytes", 0...1 << 38, or: options.logBytes)
                try ServeBench(bench, directory: arguments.value("out") ?? ".", options).run()
            }
            if chosen.contains("parquet") { try ParquetBench(bench, directory: arguments.value("out") ?? ".").run() }
            if chosen.contains("mcap") { try MCAPBench(bench, directory: arguments.value("out") ?? ".").run() }
            try bench.output.finish()
            return Exit.ok
        })
}

/// How results are told.
struct Bench {
    let output: Output
    let json: Bool
    let runs: Int
    let seconds: Double

    func result(_ name: String, _ what: String, _ values: [(String, Double)]) {
        if json {
            var writer = JSONWriter(output)
            writer.begin("{")
            writer.field("bench", name)
            writer.field("case", what)
            for (key, value) in values { writer.field(key, value) }
            writer.end("}")
            output.byte(0x0A)
        } else {
            var text = pad(name, 10) + pad(what, 26)
            for (key, value) in values { text += " " + key + " " + fixed(value, value < 100 ? 2 : 0) }
            output.line(text)
        }
        try? output.flush()
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }

    func crc32c() {
        let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
            for i in 0..<65536 { buffer[i] = UInt8(truncatingIfNeeded: i &* 31 ^ i >> 8) }
            count = 65536
        }
        for size in [1400, 8192, 65536] {
            var rates: [[Double]] = [[], []]
            for _ in 0..<runs {
                for (i, crc) in [CRC32C(), CRC32C(instruction: false)].enumerated() {
                    let rounds = (i == 0 ? 2_000_000_000 : 100_000_000) / size
                    var sum: UInt32 = 0
                    let start = monotonicNs()
                    bytes.withUnsafeBytes { for _ in 0..<rounds { sum = crc.of($0.baseAddress!, size, after: sum) } }
                    let elapsed = Double(monotonicNs() - start)
                    // The sum is used: nothing may be left out.
                    rates[i].append(Double(rounds * size) / elapsed + (sum == 1 ? 1e-9 : 0))
                }
            }
            result(
                "crc32c", "\(size) bytes",
                [("instruction_gb_s", CRC32C().hasInstruction ? Bench.median(rates[0]) : 0), ("table_gb_s", Bench.median(rates[1]))])
        }
    }

    func queue() throws(Failure) {
        var rates: [Double] = []
        for _ in 0..<runs {
            let queue = QueueBench()
            do throws(FileError) { rates.append(try queue.run()) } catch { throw Failure(error) }
        }
        result("queue", "8-byte records", [("million_s", Bench.median(rates) / 1e6)])
    }
}

/// Two threads and the queue between them.
private final class QueueBench {
    private let queue = SPSCQueue<UInt64>(least: 1 << 16)
    private var sum: UInt64 = 0
    private static var records: UInt64 { 100_000_000 }

    /// Records a second.
    func run() throws(FileError) -> Double {
        let start = monotonicNs()
        let taking = try WorkThread { self.take() }
        var next: UInt64 = 0
        while next < QueueBench.records {
            guard queue.hasRoom(64) else {
                _ = sched_yield()
                continue
            }
            let end = min(next + 64, QueueBench.records)
            while next < end {
                queue.add(next)
                next &+= 1
            }
            queue.publish()
        }
        taking.join()
        let seconds = Double(monotonicNs() - start) / 1e9
        guard sum == QueueBench.records / 2 * (QueueBench.records - 1) else { return 0 }
        return Double(QueueBench.records) / seconds
    }

    private func take() {
        var taken: UInt64 = 0
        var sum: UInt64 = 0
        while taken < QueueBench.records {
            guard let record = queue.take() else {
                queue.release()
                _ = sched_yield()
                continue
            }
            sum &+= record
            taken &+= 1
            if taken & 255 == 0 { queue.release() }
        }
        queue.release()
        self.sum = sum
    }
}
