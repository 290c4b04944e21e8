import CPosix
import TickLogHost

func plotCommand() -> Command {
    Command(
        name: "plot", summary: "draws the values of a file or run, in the terminal or as a picture",
        help: """
            Usage: ticklog plot PATH [OPTION]...

            Draws columns of a file or run of any format against the time, the ticks or the rows, read once: in the terminal,
            or as an SVG or PNG picture. Of each pixel column the extremes are drawn, so that no spike disappears. NaNs,
            values that are not known and ticks without a sample are gaps, and what a run declares lost is shaded. Columns of
            the same unit share a panel.

              --columns a,b       these columns; by default the first eight of numbers
              --from T, --to T    ticks T and later, and ticks before T; also a time as 2026-03-01T12:00:00Z, or seconds since
                                  the start of the run as 12.5s; of a table without ticks, rows
              --out OUT, -o OUT   a picture instead of the terminal: OUT ends with .svg or .png
              --force             replaces a picture that is there
              --size WxH          its pixels; 1200 wide by default, and as high as its panels need
              --x COLUMN          x is this column, instead of the time, the ticks or the rows
              --stream NAME       of a run: the columns of this stream
              --events            of a run: its event file
              --salvage           goes on behind damage
              --width N, --height N  of the terminal: columns and lines; by default those that it has, or 80 and 24
              --ascii             only ASCII; that is so too where the language is not one of UTF-8
              --help, --version

            Colours are left out if NO_COLOR is set, or standard output is no terminal. Exit code 1: the file is damaged, or
            has nothing that can be plotted.

            Examples:
              ticklog plot runs/2f1c... --columns load,temperature
              ticklog plot polled.bcsv --from 10s --to 20s -o start.svg

            """,
        options: [
            Option("columns", takesValue: true), Option("from", takesValue: true), Option("to", takesValue: true),
            Option("out", takesValue: true), Option("force"), Option("size", takesValue: true), Option("x", takesValue: true),
            Option("stream", takesValue: true), Option("events"), Option("salvage"), Option("width", takesValue: true),
            Option("height", takesValue: true), Option("ascii"),
        ],
        run: { (arguments) throws(Failure) in try plot(arguments) })
}

private func plot(_ arguments: Arguments) throws(Failure) -> Int32 {
    let path = try arguments.operand("a file or a run's directory")
    var choice = PlotChoice()
    if let list = arguments.value("columns") {
        choice.columns = list.utf8.split(separator: 0x2C, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
    choice.stream = arguments.value("stream")
    choice.events = arguments.has("events")
    choice.salvage = arguments.has("salvage")
    choice.x = arguments.value("x")
    choice.from = try moment(arguments, "from")
    choice.to = try moment(arguments, "to")
    let out = arguments.value("out")
    var size: (width: Int, height: Int)?
    if let out {
        guard out.fileExtension == "svg" || out.fileExtension == "png" else {
            throw .usage("--out: found '\(terminalText(out))', expected a name that ends with .svg or .png")
        }
        for option in ["width", "height", "ascii"] where arguments.has(option) { throw .usage("found --\(option) and --out, expected one of them") }
        size = try pictureSize(arguments)
        choice.width = size?.width ?? 1200
    } else {
        for option in ["size", "force"] where arguments.has(option) { throw .usage("found --\(option) without --out") }
    }
    let terminal = try plotTerminal(arguments)
    if out == nil { choice.width = 2 * terminal.width }

    let source: PlotSource
    do throws(PlotRefusal) { source = try PlotSource(path, choice) } catch {
        switch error {
        case .fault(let fault): throw Failure(fault)
        case .usage(let text): throw .usage(text)
        }
    }
    if !source.leftOut.isEmpty {
        var names = ""
        for name in source.leftOut.prefix(20) { names += (names.isEmpty ? "" : ", ") + name }
        if source.leftOut.count > 20 { names += " and \(source.leftOut.count - 20) more" }
        Console.error("ticklog: note: the first \(PlotChoice.mostColumns) columns are plotted; --columns has these as well: \(terminalText(names))\n")
    }
    source.read()
    let figure = PlotFigure(source)
    if figure.count == 0 { Console.error("ticklog: note: \(terminalText(path)): found no value that can be plotted\n") }
    if let out {
        let wide = size?.width ?? 1200
        let high = size?.height ?? figure.height()
        do throws(FileError) {
            let made = try NewFile(out, replacing: arguments.has("force"))
            let output = Output(descriptor: made.descriptor, path: out)
            if out.fileExtension == "svg" { figure.writeSVG(to: output, width: wide, height: high) } else { figure.writePNG(to: output, width: wide, height: high) }
            try output.flush()
            try made.commit()
        } catch {
            if error.code == EEXIST { throw .usage("\(terminalText(out)): found a file, expected none; --force replaces it") }
            throw Failure(error)
        }
    } else {
        let output = Output(descriptor: 1)
        figure.write(to: output, on: terminal)
        try output.finish()
    }
    return Console.report(source.faults)
}

private func moment(_ arguments: Arguments, _ option: String) throws(Failure) -> PlotMoment? {
    guard let text = arguments.value(option) else { return nil }
    guard let moment = PlotMoment(text) else {
        throw .usage("--\(option): found '\(terminalText(text))', expected a tick, a time as 2026-03-01T12:00:00Z, or seconds as 12.5s")
    }
    return moment
}

private func pictureSize(_ arguments: Arguments) throws(Failure) -> (width: Int, height: Int)? {
    guard let text = arguments.value("size") else { return nil }
    let parts = text.utf8.split(separator: 0x78, omittingEmptySubsequences: false).map { Int(String(decoding: $0, as: UTF8.self)) ?? -1 }
    guard parts.count == 2, (100...8192).contains(parts[0]), (100...8192).contains(parts[1]) else {
        throw .usage("--size: found '\(terminalText(text))', expected WxH, each 100 to 8192")
    }
    return (parts[0], parts[1])
}

/// What standard output can show.
private func plotTerminal(_ arguments: Arguments) throws(Failure) -> PlotTerminal {
    var terminal = PlotTerminal()
    let isTerminal = isatty(1) == 1
    let columns = Int(cposix_terminal_columns(1))
    let lines = Int(cposix_terminal_lines(1))
    if columns > 0 { terminal.width = columns } else if let text = environment("COLUMNS"), let number = Int(text), number > 0 { terminal.width = min(number, 2000) }
    // One line for the prompt.
    if lines > 0 { terminal.height = lines - 1 } else if let text = environment("LINES"), let number = Int(text), number > 0 { terminal.height = min(number, 1000) }
    for option in ["width", "height"] {
        guard let text = arguments.value(option) else { continue }
        let range = option == "width" ? 30...2000 : 8...1000
        guard let number = Int(text), range.contains(number) else {
            throw .usage("--\(option): found '\(terminalText(text))', expected \(range.lowerBound) to \(range.upperBound)")
        }
        if option == "width" { terminal.width = number } else { terminal.height = number }
    }
    terminal.width = min(max(terminal.width, 30), 2000)
    terminal.isASCII = arguments.has("ascii") || !isUTF8Language()
    terminal.hasColour = isTerminal && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
    return terminal
}

private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// As the C library has it: the first of these that is set tells.
private func isUTF8Language() -> Bool {
    for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
        guard let value = environment(name), !value.isEmpty else { continue }
        let bytes = Array(value.utf8).map { $0 >= 0x41 && $0 <= 0x5A ? $0 + 32 : $0 }
        let text = String(decoding: bytes, as: UTF8.self)
        return holds(text, "utf-8") || holds(text, "utf8")
    }
    return false
}

private func holds(_ text: String, _ part: String) -> Bool {
    let text = Array(text.utf8)
    let part = Array(part.utf8)
    guard text.count >= part.count else { return false }
    for i in 0...(text.count - part.count) where text[i..<i + part.count].elementsEqual(part) { return true }
    return false
}
