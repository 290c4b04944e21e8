import TickLog
import TickLogHost

func appendCommand() -> Command {
    Command(
        name: "append", summary: "adds rows to a BCSV file",
        help: """
            Usage: ticklog append IN.bcsv MORE [OPTION]...

            Adds the rows of MORE (a BCSV, CSV, JSON Lines or DLF file, or a run's directory) to IN.bcsv, which may be
            closed or not. Both must have the same columns; values of CSV and JSON Lines get the types of IN.bcsv. The
            whole rows of a torn last packet stay. A crash in between loses no row that was there. Afterwards the file is
            closed.

              --json     one JSON object: how many rows there were and are
              --help, --version

            Of CSV and JSON Lines as MORE:
            \(textOptionHelp())
            Exit code 1: IN.bcsv is damaged before its last packet ('ticklog repair' it first), or MORE is. Nothing was
            written then.

            Examples:
              ticklog append all.bcsv monday.bcsv
              ticklog append all.bcsv - --no-header

            """,
        options: textOptionList() + [Option("json")],
        run: { (arguments) throws(Failure) in try append(arguments) })
}

private func append(_ arguments: Arguments) throws(Failure) -> Int32 {
    guard arguments.operands.count == 2 else {
        throw .usage("found \(arguments.operands.count) operands, expected two: IN.bcsv and MORE")
    }
    guard !arguments.has("types") else { throw .usage("found --types, expected none: the types are those of IN.bcsv") }
    let path = arguments.operands[0]
    let append: BCSVAppend
    do { append = try BCSVAppend(path) } catch { throw Failure(error) }
    let columns = append.file.columns
    let input = try TableInput(arguments.operands[1], arguments, schema: columns)
    input.printNotes()
    let table = try input.table()
    let order = try matching(columns, table, input)

    // Encoded as a whole before anything happens to the file.
    let made = try NewFile(opening: path, replacing: true)
    made.freeName()
    let writer: BCSVWriter
    do throws(Fault) {
        writer = try BCSVWriter(made.temporaryPath, columns: columns, options: append.options)
    } catch {
        throw Failure(error)
    }
    var report = TableReport()
    do throws(Fault) {
        report.noteUnknown(try table.copyRows(to: writer, of: input.path, order: order).unknown)
        try table.check(salvage: false)
    } catch {
        writer.abandon()
        throw Failure(error)
    }
    _ = noted(report)
    let before = append.rows
    do throws(Fault) {
        try writer.close()
        try append.add(try BCSVFile(made.temporaryPath))
    } catch {
        throw Failure(error)
    }
    made.discard()

    let output = Output(descriptor: 1)
    if arguments.has("json") {
        var json = JSONWriter(output)
        json.begin("{")
        json.field("path", path)
        json.field("rows_before", before)
        json.field("unverified_rows", append.survey.unverifiedRows)
        json.field("rows", append.rows)
        json.end("}")
        output.byte(0x0A)
    } else {
        output.line("\(terminalText(path)): \(append.rows - before) rows appended, \(append.rows) in all")
    }
    try output.finish()
    for fault in append.survey.faults { Console.report(fault) }
    if append.survey.unverifiedRows > 0 {
        Console.error(
            "ticklog: note: \(terminalText(path)): \(append.survey.unverifiedRows) whole rows of its torn last packet, which no checksum covered, stay\n")
    }
    return Console.report(input.faults + table.faults)
}

/// Where each column of the file is in the table.
private func matching(_ columns: [Column], _ table: Table, _ input: TableInput) throws(Failure) -> [Int] {
    guard table.columns.count == columns.count else {
        throw Failure(
            Exit.damaged, "\(terminalText(input.path)): found \(table.columns.count) columns, expected the \(columns.count) of the file")
    }
    var order: [Int] = []
    let isByName = !input.isTyped && input.hasNames
    for i in 0..<columns.count {
        let at = isByName && table.columns[i].name != columns[i].name ? table.column(named: columns[i].name) ?? i : i
        let found = table.columns[at]
        guard found.type == columns[i].type, !input.hasNames || found.name == columns[i].name else {
            throw Failure(
                Exit.damaged,
                "\(terminalText(input.path)): found the column '\(terminalText(found.name))' of type \(staticText(found.type.name)), expected '\(terminalText(columns[i].name))' of type \(staticText(columns[i].type.name)) as column \(i)")
        }
        order.append(at)
    }
    return order
}
