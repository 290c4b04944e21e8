import CPosix
import CTickLog
import TickLogHost

/// The command `ticklog`: finds the subcommand, runs it, and turns what went wrong into an exit code.
public func toolMain(_ argc: Int32, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
    Leftovers.areRemovedBySignals = true
    var words: [String] = []
    if let argv {
        for i in 0..<Int(argc) { if let word = argv[i] { words.append(String(cString: word)) } }
    }
    let commands = allCommands()
    guard words.count > 1 else {
        Console.error(usage(commands))
        return Exit.usage
    }
    switch words[1] {
    case "--help", "-h": return Console.print(usage(commands))
    case "--version", "-V": return Console.print(versionLine())
    default: break
    }
    for command in commands where command.name == words[1] {
        do {
            var arguments = try Arguments(command, Array(words[2...]))
            if let path = arguments.value("config") {
                arguments = try Arguments(command, ConfigFile.words(path, command) + Array(words[2...]))
            }
            if arguments.has("help") { return Console.print(command.help) }
            if arguments.has("version") { return Console.print(versionLine()) }
            return try command.run(arguments)
        } catch {
            if !error.message.isEmpty { Console.error("ticklog " + command.name + ": " + error.message + "\n") }
            if error.code == Exit.usage { Console.error("Try 'ticklog \(command.name) --help'.\n") }
            return error.code
        }
    }
    Console.error("ticklog: found '\(terminalText(words[1]))', expected one of: ")
    var separator = ""
    for command in commands {
        Console.error(separator + command.name)
        separator = ", "
    }
    Console.error("\n")
    return Exit.usage
}

#if hasFeature(Embedded)
@c(main) public func embeddedMain(
    _ argc: Int32, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
    toolMain(argc, argv)
}
#endif

private func allCommands() -> [Command] {
    [demoCommand(), infoCommand(), catCommand(), plotCommand(), tailCommand(), convertCommand(), appendCommand(), diffCommand(), validateCommand(), repairCommand(), listCommand(), pruneCommand(), archiveCommand(), sendCommand(), receiveCommand(), serveCommand(), bmsSendCommand(), queryCommand(), watchCommand(), replayCommand(), rnogCommand(), benchCommand()]
}

private func versionLine() -> String {
    "ticklog " + String(cString: ticklog_version()) + "\n"
}

private func usage(_ commands: [Command]) -> String {
    var text = "Usage: ticklog COMMAND [OPTION]...\n\nLogs on microcontrollers and Linux, and reads what they logged.\n\n"
    for command in commands {
        text += "  " + command.name + String(repeating: " ", count: max(1, 10 - command.name.utf8.count)) + command.summary + "\n"
    }
    text += """

        'ticklog COMMAND --help' tells the options. 'ticklog --version' prints the version.
        Exit codes: 0 ok; 1 the data is damaged or differs; 2 wrong usage; 3 I/O error.

        Examples:
          ticklog demo --seconds 10
          ticklog cat runs/2f1c... --stream cpu | head

        """
    return text
}
