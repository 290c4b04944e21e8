import CPosix
import TickLogHost

/// The options and operands of a subcommand, scanned by `getopt_long`, so that abbreviations, `--name=value` and `--`
/// work as everywhere.
struct Arguments {
    private var values: [(name: String, value: String)] = []
    private(set) var operands: [String] = []

    init(_ command: Command, _ words: [String]) throws(Failure) {
        let options = command.options + [Option("help"), Option("version")]
        var table: [option] = []
        var owned: [UnsafeMutablePointer<CChar>?] = []
        defer { for text in owned { free(text) } }
        for i in 0..<options.count {
            let name = strdup(options[i].name)
            owned.append(name)
            table.append(
                option(
                    name: UnsafePointer(name), has_arg: options[i].takesValue ? 1 : 0, flag: nil,
                    val: Int32(firstCode + i)))
        }
        table.append(option(name: nil, has_arg: 0, flag: nil, val: 0))
        // getopt prints the first word before its messages.
        var argv: [UnsafeMutablePointer<CChar>?] = [strdup("ticklog " + command.name)]
        for word in words { argv.append(strdup(word)) }
        owned += argv
        argv.append(nil)
        let count = Int32(argv.count - 1)

        // -o stands for --out where there is that option, and so on.
        var letters: [(code: Int32, name: String)] = []
        var short = "h"
        for option in options {
            if option.name == "out", option.takesValue {
                letters.append((0x6F, option.name))
                short += "o:"
            } else if option.name == "lines" {
                letters.append((0x6E, option.name))
                short += "n:"
            } else if option.name == "follow" {
                letters.append((0x66, option.name))
                short += "f"
            }
        }
        cposix_reset_options()
        var failed = false
        scan: while true {
            let code = getopt_long(count, &argv, short, table, nil)
            if code == -1 { break }
            for letter in letters where letter.code == code {
                values.append((letter.name, letter.name == "follow" ? "" : String(cString: cposix_optarg())))
                continue scan
            }
            if code == 0x68 {
                values.append(("help", ""))
                continue
            }
            let index = Int(code) - firstCode
            guard index >= 0, index < options.count else {
                failed = true
                continue
            }
            let value = options[index].takesValue ? String(cString: cposix_optarg()) : ""
            values.append((options[index].name, value))
        }
        if failed { throw Failure(Exit.usage, "") }
        var i = Int(cposix_optind())
        while i < Int(count) {
            operands.append(String(cString: argv[i]!))
            i += 1
        }
    }

    func has(_ name: String) -> Bool { value(name) != nil }

    /// The last value given.
    func value(_ name: String) -> String? {
        var found: String?
        for entry in values where entry.name == name { found = entry.value }
        return found
    }

    func unsigned(_ name: String) throws(Failure) -> UInt64? {
        guard let text = value(name) else { return nil }
        guard let number = UInt64(text) else {
            throw .usage("--\(name): found '\(terminalText(text))', expected a whole number")
        }
        return number
    }

    /// The one operand.
    func operand(_ what: String) throws(Failure) -> String {
        guard operands.count == 1 else { throw .usage("found \(operands.count) operands, expected one: \(what)") }
        return operands[0]
    }

    /// One of the words.
    func choice(_ name: String, _ words: [String], or standard: String) throws(Failure) -> String {
        guard let text = value(name) else { return standard }
        for word in words where word == text { return word }
        var expected = ""
        for word in words { expected += (expected.isEmpty ? "" : " or ") + word }
        throw .usage("--\(name): found '\(terminalText(text))', expected \(expected)")
    }
}

private var firstCode: Int { 256 }
