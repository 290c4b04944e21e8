import CPosix
import TickLog
import TickLogHost

func pruneCommand() -> Command {
    Command(
        name: "prune", summary: "removes the oldest closed runs",
        help: """
            Usage: ticklog prune ROOT [--keep-bytes N] [--keep-days N] [--dry-run]

            Removes runs in ROOT, the oldest first: while all of them together take more than --keep-bytes, and those
            that began more than --keep-days ago. At least one of the two is needed. A run with LOCK is never removed,
            nor a directory that holds anything else than a run, and symbolic links are not followed.

              --keep-bytes N   bytes that the runs may take together
              --keep-days N    days that a run is kept
              --dry-run        only tells what would be removed
              --json           one JSON object for each removed run, a line each
              --help, --version

            Examples:
              ticklog prune runs --keep-bytes 1000000000
              ticklog prune runs --keep-days 30 --dry-run

            """,
        options: [
            Option("keep-bytes", takesValue: true), Option("keep-days", takesValue: true), Option("dry-run"),
            Option("json"),
        ],
        run: { (arguments) throws(Failure) in try prune(arguments) })
}

private func prune(_ arguments: Arguments) throws(Failure) -> Int32 {
    let root = try arguments.operand("the directory that holds the runs")
    let keepBytes = try arguments.unsigned("keep-bytes")
    let keepDays = try arguments.unsigned("keep-days")
    let isDryRun = arguments.has("dry-run")
    let json = arguments.has("json")
    guard keepBytes != nil || keepDays != nil else {
        throw .usage("found neither --keep-bytes nor --keep-days, expected at least one")
    }
    let output = Output(descriptor: 1)
    let runs = try runs(in: root)
    var total: UInt64 = 0
    for run in runs { total += run.size }
    let now = UInt64(clamping: time(nil))
    var code = Exit.ok

    for run in runs where !run.isLocked {
        var reason = ""
        if let keepBytes, total > keepBytes { reason = "all runs take \(total) bytes" }
        // Without a known start nobody can say how old it is.
        if reason.isEmpty, let keepDays, let start = (try? RunMeta(run))?.epochNs, start > 0 {
            let seconds = UInt64(start / 1_000_000_000)
            let (limit, overflow) = keepDays.multipliedReportingOverflow(by: 86400)
            if !overflow, now > seconds, now - seconds > limit { reason = "began " + timeText(epochNs: start) }
        }
        if reason.isEmpty { continue }
        if let stranger = run.stranger {
            Console.error("ticklog prune: \(terminalText(run.path)): found \(terminalText(stranger)), expected nothing but a run's files; it stays\n")
            continue
        }
        if !isDryRun {
            do {
                guard try remove(run) else { continue }
            } catch {
                Console.report(Fault(error))
                code = Exit.system
                continue
            }
        }
        total -= run.size
        if json {
            var writer = JSONWriter(output)
            writer.begin("{")
            writer.field("path", run.path)
            writer.field("size", run.size)
            writer.field("removed", !isDryRun)
            writer.field("reason", reason)
            writer.end("}")
            output.byte(0x0A)
        } else {
            output.line((isDryRun ? "would remove " : "removed ") + terminalText(run.path) + " (\(bytesText(run.size)), \(reason))")
        }
    }
    try output.finish()
    return code
}

/// Removes the run's files and then its directory. All through a descriptor of the directory: if somebody puts a link
/// in its place meanwhile, nothing behind the link is touched. False if a LOCK has come.
private func remove(_ run: RunDirectory) throws(FileError) -> Bool {
    let directory = cposix_open(run.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
    guard directory >= 0 else { throw FileError(run.path, "open", cposix_errno()) }
    defer { _ = close(directory) }
    if faccessat(directory, "LOCK", F_OK, 0) == 0 { return false }
    // The meta file goes last: until then the rest is still recognised as a run, and a second prune finishes the work.
    let meta = run.metaPath.lastComponent
    for name in run.names where name != meta {
        guard unlinkat(directory, name, 0) == 0 || cposix_errno() == ENOENT else {
            throw FileError(run.path.file(name), "remove", cposix_errno())
        }
    }
    guard unlinkat(directory, meta, 0) == 0 else { throw FileError(run.metaPath, "remove", cposix_errno()) }
    guard rmdir(run.path) == 0 else { throw FileError(run.path, "remove", cposix_errno()) }
    return true
}
