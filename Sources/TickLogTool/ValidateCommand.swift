import TickLog
import TickLogHost

func validateCommand() -> Command {
    Command(
        name: "validate", summary: "checks every checksum and structure",
        help: """
            Usage: ticklog validate PATH... [--json]

            Reads BCSV, DLF or .dat files, BMS logs, or runs (directories or archives of them), whole: every checksum, length and row.
            Lists what is damaged, with offsets and the rows that are missing. DLF has no checksums: its headers, lengths
            and tick_span must agree.

              --json     one JSON object for each PATH, a line each
              --help, --version

            Exit code 0: all are sound. A file that was never closed is sound if it ends with a whole packet, or sample of
            DLF ("closed": false). 1: bytes are torn or damaged, or a run of DLF without LOCK ends elsewhere than its
            tick_span says.

            Examples:
              ticklog validate runs/*
              ticklog validate --json polled.bcsv

            """,
        options: [Option("json")],
        run: { (arguments) throws(Failure) in
            guard !arguments.operands.isEmpty else { throw .usage("found no operand, expected files or directories of runs") }
            let output = Output(descriptor: 1)
            var code = Exit.ok
            for path in arguments.operands {
                let report = Validation(path)
                if arguments.has("json") { report.json(output) } else { for line in report.lines { output.line(line) } }
                code = max(code, Exit.code(of: report.fault))
            }
            try output.finish()
            return code
        })
}
