import TickLog
import TickLogHost

func listCommand() -> Command {
    Command(
        name: "list", summary: "lists the runs in a directory",
        help: """
            Usage: ticklog list ROOT [--json]

            Lists every run in ROOT, also those in archives, the oldest first: start, duration, size, closed or not,
            samples declared lost.

              --json     one JSON object a run, a line each
              --help, --version

            Examples:
              ticklog list runs
              ticklog list --json /var/log/ticklog

            """,
        options: [Option("json")],
        run: { (arguments) throws(Failure) in
            let root = try arguments.operand("the directory that holds the runs")
            return try list(root, json: arguments.has("json"))
        })
}

/// The runs directly in a directory, the oldest first, with those in `archives` if told. Symbolic links are not followed.
func runs(in root: String, archives: Bool = false) throws(Failure) -> [RunDirectory] {
    var found: [(start: Int64, run: RunDirectory)] = []
    do {
        for name in try names(in: root) {
            let path = root.file(name)
            let run: RunDirectory?
            switch kind(of: path, following: false) {
            case .directory: run = try? RunDirectory(path)
            case .file: run = archives ? archivedRun(path) : nil
            default: run = nil
            }
            guard let run else { continue }
            let meta = try? RunMeta(run)
            found.append((meta?.epochNs ?? 0, run))
        }
    } catch {
        throw Failure(error)
    }
    found.sort { $0.start != $1.start ? $0.start < $1.start : $0.run.path < $1.run.path }
    return found.map { $0.run }
}

private func archivedRun(_ path: String) -> RunDirectory? {
    guard let file = try? MappedFile(path), RunArchive.recognises(file.bytes), let archive = try? RunArchive(file) else { return nil }
    return RunDirectory(archive)
}

/// As it is named in ROOT.
private func listedName(_ run: RunDirectory) -> String {
    terminalText(run.archive == nil ? run.name : run.path.lastComponent)
}

private func list(_ root: String, json: Bool) throws(Failure) -> Int32 {
    let output = Output(descriptor: 1)
    var code = Exit.ok
    let runs = try runs(in: root, archives: true)
    var width = 3
    for run in runs { width = max(width, listedName(run).utf8.count) }
    if !json {
        output.line(pad("RUN", width + 2) + "START                     DURATION     SIZE        STATE   LOST")
    }
    for run in runs {
        let summary: RunSummary
        do { summary = try RunSummary(run) } catch {
            Console.report(error)
            code = max(code, Failure(error).code)
            if json {
                var writer = JSONWriter(output)
                writer.begin("{")
                writer.field("name", run.name)
                writer.field("path", run.path)
                writer.field("archive", run.archive != nil)
                writer.field("size", run.size)
                writer.field("closed", !run.isLocked)
                writer.field("error", error.message)
                writer.end("}")
                output.byte(0x0A)
            } else {
                output.line(
                    pad(listedName(run), width + 2) + pad("unreadable", 39) + pad(bytesText(run.size), 12)
                        + (run.isLocked ? "open" : "closed"))
            }
            continue
        }
        for fault in summary.faults where fault.kind != .torn {
            Console.report(fault)
            code = max(code, Failure(fault).code)
        }
        if json {
            var writer = JSONWriter(output)
            writer.begin("{")
            writer.field("name", run.name)
            writer.field("path", run.path)
            writer.field("archive", run.archive != nil)
            writer.field("format", summary.run.meta.format)
            writer.field("start", timeText(epochNs: summary.run.meta.epochNs))
            writer.field("epoch_ns", summary.run.meta.epochNs)
            writer.field("duration_s", summary.seconds)
            writer.field("size", run.size)
            writer.field("closed", summary.isClosed)
            writer.field("lost_samples", summary.lostSamples)
            writer.end("}")
            output.byte(0x0A)
        } else {
            output.line(
                pad(listedName(run), width + 2) + pad(timeText(epochNs: summary.run.meta.epochNs), 26)
                    + pad(secondsText(summary.seconds), 13) + pad(bytesText(run.size), 12)
                    + pad(summary.isClosed ? "closed" : "open", 8) + "\(summary.lostSamples)")
        }
    }
    try output.finish()
    return code
}
