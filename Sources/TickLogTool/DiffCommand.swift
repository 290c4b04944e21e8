import TickLog
import TickLogHost

func diffCommand() -> Command {
    Command(
        name: "diff", summary: "compares two tables, whatever their formats",
        help: """
            Usage: ticklog diff A B [OPTION]...

            Compares names, types and values of two tables: BCSV, DLF, CSV or JSON Lines files. Values are compared by
            their bits: a NaN equals one with the same bits, and 0.0 is not -0.0. A type that was inferred from text is no
            difference; then numbers are compared as numbers.

            Two runs, as directories or archives, are compared whole, whatever their formats: metadata, streams, samples,
            events and declared losses. What one of the formats has no place for is no difference. Of a run and a table,
            the run's polled file is compared.

              --events        the event file of a run, as a table, instead of the polled file
              --tolerance X   floats may differ by X; a NaN then equals every NaN
              --salvage       goes on behind damage; exit code 1
              --json          one JSON object
              --help, --version

            Of CSV and JSON Lines, for both A and B:
            \(textOptionHelp())
            Exit code 0: equal; 1: they differ, or one is damaged.

            Examples:
              ticklog diff polled.bcsv polled.csv
              ticklog diff runs/2f1c... copy/2f1c.tar

            """,
        options: textOptionList() + [Option("tolerance", takesValue: true), Option("salvage"), Option("json"), Option("events")],
        run: { (arguments) throws(Failure) in try diff(arguments) })
}

private func diff(_ arguments: Arguments) throws(Failure) -> Int32 {
    guard arguments.operands.count == 2 else {
        throw .usage("found \(arguments.operands.count) operands, expected two: A and B")
    }
    if arguments.operands[0] == "-", arguments.operands[1] == "-" {
        throw .usage("found - twice, expected standard input once")
    }
    var tolerance: Double?
    if let text = arguments.value("tolerance") {
        guard let value = finiteNumber(text), value >= 0 else {
            throw .usage("--tolerance: found '\(terminalText(text))', expected a number that is not negative")
        }
        tolerance = value
    }
    // What a run has not sampled yet is an empty cell when it is printed.
    let (a, b) = (arguments.operands[0], arguments.operands[1])
    let inputs = (
        try TableInput(a, arguments, isRun: TableInput.isRun(b)), try TableInput(b, arguments, isRun: TableInput.isRun(a))
    )
    if !arguments.has("events"), case .run(let a) = inputs.0.source, case .run(let b) = inputs.1.source {
        return try diff(a, b, tolerance, arguments)
    }
    inputs.0.printNotes()
    inputs.1.printNotes()
    let comparison = TableComparison(
        try inputs.0.table(), try inputs.1.table(), typed: inputs.0.isTyped && inputs.1.isTyped, tolerance: tolerance)
    if arguments.has("events") { comparison.limit = withoutBuiltins(comparison.a.columns, comparison.b.columns) }
    comparison.run()
    let faults = inputs.0.faults + inputs.1.faults + comparison.a.faults + comparison.b.faults
    let output = Output(descriptor: 1)
    if arguments.has("json") { report(comparison, JSONWriter(output)) } else { report(comparison, arguments, output) }
    try output.finish()
    return max(Console.report(faults), comparison.isEqual ? Exit.ok : Exit.damaged)
}

private func diff(_ a: Run, _ b: Run, _ tolerance: Double?, _ arguments: Arguments) throws(Failure) -> Int32 {
    let comparison: RunComparison
    do throws(Fault) {
        let salvage = arguments.has("salvage")
        comparison = RunComparison(
            try StoredRun(a, salvage: salvage), try StoredRun(b, salvage: salvage), tolerance: tolerance)
        try comparison.run()
    } catch {
        throw Failure(error)
    }
    var faults = comparison.a.faults + comparison.b.faults
    for table in [comparison.polled, comparison.events] {
        if let table { faults += table.a.faults + table.b.faults }
    }
    let output = Output(descriptor: 1)
    if arguments.has("json") { report(comparison, JSONWriter(output)) } else { report(comparison, output) }
    try output.finish()
    return max(Console.report(faults), comparison.isEqual ? Exit.ok : Exit.damaged)
}

private func report(_ comparison: RunComparison, _ output: Output) {
    for (part, texts) in [
        ("metadata", comparison.metadata), ("streams", comparison.streams), ("losses", comparison.losses),
        ("padding", comparison.padding),
    ] {
        for text in texts { output.line(part + ": " + terminalText(text)) }
    }
    for (part, table) in [("polled", comparison.polled), ("events", comparison.events)] {
        guard let table, !table.isEqual else { continue }
        for difference in table.first {
            output.line(
                "\(part): tick \(difference.tick ?? 0), \(terminalText(difference.column)): \(terminalText(difference.a)) | \(terminalText(difference.b))")
        }
        if table.cells > table.first.count { output.line("\(part): ... \(table.cells - UInt64(table.first.count)) more") }
        if table.unmatched > 0 { output.line("\(part): \(table.unmatched) rows are only in one of them") }
    }
    guard comparison.isEqual else {
        var parts = ""
        for part in comparison.parts { parts += (parts.isEmpty ? "" : ", ") + part }
        return output.line("different: " + parts)
    }
    output.line("equal: \(comparison.polled?.compared ?? 0) rows and \(comparison.events?.compared ?? 0) events")
}

private func report(_ comparison: RunComparison, _ writer: JSONWriter) {
    var writer = writer
    func strings(_ key: String, _ texts: [String]) {
        writer.key(key)
        writer.begin("[")
        for text in texts { writer.string(text) }
        writer.end("]")
    }
    writer.begin("{")
    writer.field("equal", comparison.isEqual)
    strings("different", comparison.parts)
    strings("metadata", comparison.metadata)
    strings("streams", comparison.streams)
    strings("losses", comparison.losses)
    strings("padding", comparison.padding)
    for (key, table) in [("polled", comparison.polled), ("events", comparison.events)] {
        writer.key(key)
        if let table {
            writer.begin("{")
            fields(table, &writer)
            writer.end("}")
        } else {
            writer.null()
        }
    }
    writer.end("}")
    writer.output.byte(0x0A)
}

/// How many columns both have, if they differ in the built-in ones that every run of BCSV has.
private func withoutBuiltins(_ a: [Column], _ b: [Column]) -> Int? {
    let (few, many) = a.count < b.count ? (a, b) : (b, a)
    for column in few where column.name.utf8.starts(with: "ticklog.".utf8) { return nil }
    guard few.count < many.count else { return nil }
    for column in many[few.count...] where !column.name.utf8.starts(with: "ticklog.".utf8) { return nil }
    return few.count
}

/// Nil for what is no number, infinity and NaN.
func finiteNumber(_ text: String) -> Double? {
    let bytes = Array(text.utf8)
    guard let bits = bytes.withUnsafeBytes({ textBits($0, .f64) }) else { return nil }
    let value = Double(bitPattern: bits)
    return value.isFinite ? value : nil
}

private func report(_ comparison: TableComparison, _ arguments: Arguments, _ output: Output) {
    for text in comparison.schema { output.line(terminalText(text)) }
    for difference in comparison.first {
        output.line(
            "row \(difference.row), \(terminalText(difference.column)): \(terminalText(difference.a)) | \(terminalText(difference.b))")
    }
    if comparison.cells > comparison.first.count { output.line("... \(comparison.cells - UInt64(comparison.first.count)) more") }
    if comparison.rowsA != comparison.rowsB { output.line("rows: \(comparison.rowsA) | \(comparison.rowsB)") }
    output.line(
        comparison.isEqual
            ? "equal: \(comparison.rowsA) rows of \(comparison.a.columns.count) columns"
            : "different: \(comparison.cells) cells in \(comparison.rows) rows of \(comparison.compared)")
}

private func report(_ comparison: TableComparison, _ writer: JSONWriter) {
    var writer = writer
    writer.begin("{")
    fields(comparison, &writer)
    writer.end("}")
    writer.output.byte(0x0A)
}

private func fields(_ comparison: TableComparison, _ writer: inout JSONWriter) {
    writer.field("equal", comparison.isEqual)
    writer.field("rows_a", comparison.rowsA)
    writer.field("rows_b", comparison.rowsB)
    writer.field("rows_compared", comparison.compared)
    writer.field("different_cells", comparison.cells)
    writer.field("different_rows", comparison.rows)
    writer.field("rows_only_in_one", comparison.unmatched)
    writer.key("schema")
    writer.begin("[")
    for text in comparison.schema { writer.string(text) }
    writer.end("]")
    writer.key("first")
    writer.begin("[")
    for difference in comparison.first {
        writer.begin("{")
        writer.field("row", difference.row)
        if let tick = difference.tick { writer.field("tick", tick) }
        writer.field("column", difference.column)
        writer.field("a", difference.a)
        writer.field("b", difference.b)
        writer.end("}")
    }
    writer.end("]")
}
