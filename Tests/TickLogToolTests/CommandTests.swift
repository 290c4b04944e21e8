import Foundation
import Testing

/// The built command, run as a process.
enum Tool {
    struct Result: Equatable {
        let code: Int32
        let output: String
        let errors: String
        var lines: [String] { output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }
    }

    /// Beside the test bundle, where the package manager puts every product.
    static let path: String = {
        var directory = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = directory.appendingPathComponent("ticklog").path
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            directory.deleteLastPathComponent()
        }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return root.appendingPathComponent(".build/debug/ticklog").path
    }()

    static let vectors = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Vectors").path

    /// `input`: what the command reads from standard input.
    static func run(_ arguments: String..., input: Data? = nil, seconds: Double = 20) throws -> Result {
        try run(arguments, input: input, seconds: seconds)
    }

    static func run(_ arguments: [String], input: Data? = nil, seconds: Double = 20) throws -> Result {
        let base = NSTemporaryDirectory() + "/ticklog-test-" + UUID().uuidString
        let (out, err) = (base + ".out", base + ".err")
        defer {
            try? FileManager.default.removeItem(atPath: out)
            try? FileManager.default.removeItem(atPath: err)
            try? FileManager.default.removeItem(atPath: base + ".in")
        }
        _ = FileManager.default.createFile(atPath: out, contents: nil)
        _ = FileManager.default.createFile(atPath: err, contents: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        // Foundation keeps them open with the process, which it keeps; and with a thousand open files its own look through
        // them reads behind the end of its memory.
        var handles: [FileHandle] = []
        defer { for handle in handles { try? handle.close() } }
        if let input {
            try input.write(to: URL(fileURLWithPath: base + ".in"))
            handles.append(try #require(FileHandle(forReadingAtPath: base + ".in")))
            process.standardInput = handles[0]
        }
        for path in [out, err] { handles.append(try #require(FileHandle(forWritingAtPath: path))) }
        process.standardOutput = handles[handles.count - 2]
        process.standardError = handles[handles.count - 1]
        try process.run()
        let end = Date().addingTimeInterval(seconds)
        while process.isRunning {
            if Date() > end {
                process.terminate()
                Issue.record("ticklog \(arguments) ran longer than \(seconds) s")
            }
            Thread.sleep(forTimeInterval: 0.005)
        }
        return Result(
            code: process.terminationStatus, output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: out)), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: err)), as: UTF8.self))
    }

    static func temporaryDirectory() throws -> String {
        let path = NSTemporaryDirectory() + "/ticklog-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}

@Suite(.serialized) struct CommandTests {
    let bcsv = Tool.vectors + "/bcsv/"
    let dlf = Tool.vectors + "/dlf/"

    func object(_ line: String) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as! [String: Any]
    }

    @Test func `wrong usage is exit 2 and says what exists`() throws {
        let none = try Tool.run()
        #expect(none.code == 2)
        #expect(none.output.isEmpty && none.errors.contains("Usage:"))
        let unknown = try Tool.run("frobnicate")
        #expect(unknown.code == 2)
        #expect(unknown.errors.contains("demo, info, cat, plot, tail, convert, append, diff, validate, repair, list, prune, archive"))
        #expect(try Tool.run("cat", "--nothing", "x").code == 2)
        #expect(try Tool.run("cat").code == 2)
        #expect(try Tool.run("cat", bcsv + "v15_const_zoh_packet.bcsv", "--rows", "x").code == 2)
    }

    @Test(arguments: ["demo", "info", "cat", "convert", "append", "diff", "validate", "repair", "list", "prune", "archive", "send", "receive", "serve", "bms-send", "query", "watch", "replay", "rnog", "bench"])
    func `every command has help with two examples, and a version`(_ command: String) throws {
        let help = try Tool.run(command, "--help")
        #expect(help.code == 0)
        let examples = help.output.components(separatedBy: "Examples:\n").last!
        #expect(examples.components(separatedBy: "  ticklog ").count == 3)
        #expect(try Tool.run(command, "--version").output.hasPrefix("ticklog "))
    }

    @Test func `a file that is not there is exit 3`() throws {
        let result = try Tool.run("cat", "/nowhere/file.bcsv")
        #expect(result.code == 3)
        #expect(result.errors.contains("/nowhere/file.bcsv"))
    }

    @Test func `cat writes CSV, and rows and columns can be chosen`() throws {
        let file = bcsv + "v15_logger_zoh_packet_lz4_flush75.bcsv"
        let all = try Tool.run("cat", file)
        #expect(all.code == 0 && all.errors.isEmpty)
        #expect(all.lines.count == 301)
        #expect(all.lines[0] == "t_ms,temp,press,valve,state,mode")
        #expect(all.lines[1] == "1700000000000,19.9375,101322,false,boot,0")
        let some = try Tool.run("cat", "--columns", "state,t_ms", "--rows", "3:5", "--no-header", file)
        #expect(some.lines == ["run,1700000000030", "run,1700000000040"])
        #expect(try Tool.run("cat", "--columns", "none", file).code == 2)
    }

    @Test func `cat writes JSON Lines`() throws {
        let result = try Tool.run("cat", "--format", "jsonl", "--rows", ":1", bcsv + "v15_logger_zoh_packet_lz4_flush75.bcsv")
        #expect(result.lines == [#"{"t_ms":1700000000000,"temp":19.9375,"press":101322,"valve":false,"state":"boot","mode":0}"#])
    }

    @Test func `a torn file gives its whole packets, a note and exit 0`() throws {
        let result = try Tool.run("cat", bcsv + "v15_bad_logger_zoh_packet_lz4_flush75_midpkt2.bcsv")
        #expect(result.code == 0)
        #expect(result.lines.count == 76)
        #expect(result.errors.contains("note: ") && result.errors.contains("offset 2284"))
    }

    @Test func `damage is exit 1, and salvage goes on behind it`() throws {
        let file = bcsv + "v15_bad_logger_zoh_packet_lz4_flush75_flippayload1.bcsv"
        let plain = try Tool.run("cat", file)
        #expect(plain.code == 1)
        #expect(plain.lines.count == 1)
        #expect(plain.errors.contains("offset 1533: found 0xa0fc7f7bbd8231a9, expected"))
        let salvage = try Tool.run("cat", "--salvage", file)
        #expect(salvage.code == 1)
        #expect(salvage.lines.count == 226)
        #expect(salvage.errors.contains("rows 0 to 74"))
        #expect(try Tool.run("info", file).code == 1)
    }

    @Test func `what is no data file is refused by its content`() throws {
        let result = try Tool.run("cat", bcsv + "expected_const.json")
        #expect(result.code == 1)
        #expect(result.errors.contains("offset 0: found the bytes"))
    }

    @Test(arguments: ["info", "cat"])
    func `what is no data at all is refused: nothing waits, nothing reads without end`(_ command: String) throws {
        let root = try Tool.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        let files = FileManager.default
        try files.createDirectory(atPath: root + "/empty", withIntermediateDirectories: false)
        _ = files.createFile(atPath: root + "/file", contents: Data())
        _ = files.createFile(atPath: root + "/text", contents: Data("hello\n".utf8))
        _ = files.createFile(atPath: root + "/new\nline\u{1B}[31m", contents: Data("x".utf8))
        #expect(mkfifo(root + "/pipe", 0o600) == 0)
        try files.createDirectory(atPath: root + "/run", withIntermediateDirectories: false)
        for name in ["meta", "streams", "polled", "event"] { #expect(mkfifo(root + "/run/\(name).bcsv", 0o600) == 0) }
        for path in ["empty", "file", "text", "new\nline\u{1B}[31m", "pipe", "run"].map({ root + "/" + $0 }) + ["/dev/null", "/dev/zero"] {
            let result = try Tool.run(command, path)
            #expect(result.code == 1, "\(path)")
            #expect(result.output.isEmpty && result.errors.contains("found ") && result.errors.contains("expected "))
            #expect(!result.errors.contains("\u{1B}") && result.errors.filter { $0 == "\n" }.count == 1)
        }
        for path in [root + "/nothing", root + "/text/x", ""] {
            let result = try Tool.run(command, path)
            #expect(result.code == 3 && result.output.isEmpty && result.errors.contains("open: "))
        }
        #expect(try Tool.run("list", root + "/pipe").code == 3)
        // Root may open anything.
        if geteuid() != 0 {
            #expect(chmod(root + "/empty", 0) == 0)
            #expect(try Tool.run(command, root + "/empty").code == 3)
        }
    }

    @Test func `samples of a DLF run come in file order`() throws {
        let result = try Tool.run("cat", "--samples", dlf + "real_structs")
        #expect(result.code == 0)
        #expect(result.lines[0] == #"{"stream":"gps","tick":0,"value":{"satellites":4,"lat":35.0,"lng":-120.5}}"#)
        #expect(result.lines[5] == #"{"stream":"seq","tick":2,"value":200011}"#)
        let opaque = try Tool.run("cat", "--samples", dlf + "py_opaque_polled")
        #expect(opaque.lines.contains { $0.contains(#""hex":""#) })
    }

    @Test func `info tells in JSON what a file is`() throws {
        let result = try Tool.run("info", "--json", bcsv + "v15_logger_zoh_packet_lz4_flush75.bcsv")
        let info = try object(result.lines[0])
        #expect(info["kind"] as? String == "bcsv")
        #expect(info["row_codec"] as? String == "zoh")
        #expect(info["file_codec"] as? String == "packet-lz4")
        #expect(info["rows"] as? Int == 300)
        #expect(info["closed"] as? Bool == true)
    }

    @Test(arguments: ["bcsv", "dlf"]) func `the demo writes a run that the other commands read`(_ format: String) throws {
        let root = try Tool.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        let demo = try Tool.run("demo", "--seconds", "1", "--out", root + "/runs", "--format", format)
        #expect(demo.code == 0, "\(demo.errors)")
        #expect(demo.output.contains("cpu.user"))
        let list = try Tool.run("list", "--json", root + "/runs")
        #expect(list.lines.count == 1)
        let run = try object(list.lines[0])
        #expect(run["closed"] as? Bool == true)
        let path = run["path"] as! String
        let info = try object(try Tool.run("info", "--json", path).lines[0])
        #expect((info["damage"] as! [Any]).isEmpty)
        #expect(info["ticks"] as? Int == 100)

        // Sampled or declared: every tick of the stream is one of the two. DLF holds a sample for those as well.
        let samples = try Tool.run("cat", "--samples", path).lines.map(object).filter { $0["stream"] as? String == "cpu" }
        var lost = 0
        for loss in info["losses"] as! [[String: Any]] where loss["stream"] as? Int == 0 { lost += loss["samples"] as! Int }
        #expect(samples.count + (format == "bcsv" ? lost : 0) == 100)
        let load = try Tool.run("cat", path, "--stream", "load")
        #expect(load.lines[0] == "tick,time_ns,load.one,load.five,load.fifteen")
        #expect(try Tool.run("cat", path, "--events", "--samples").output.contains(#""stream":"heartbeat""#))

        #expect(try Tool.run("prune", root + "/runs", "--keep-bytes", "0", "--dry-run").output.contains("would remove"))
        #expect(try Tool.run("prune", root + "/runs", "--keep-bytes", "0").code == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `a run with a missing file is reported, and one without metadata is still listed`() throws {
        let root = try Tool.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        for name in ["a", "b"] { try FileManager.default.copyItem(atPath: dlf + "real_structs", toPath: root + "/" + name) }
        try FileManager.default.removeItem(atPath: root + "/a/polled.dlf")
        try Data().write(to: URL(fileURLWithPath: root + "/b/meta.dlf"))
        let info = try Tool.run("info", root + "/a")
        #expect(info.code == 1)
        #expect(info.output.contains("found no polled.dlf"))
        let list = try Tool.run("list", root)
        #expect(list.code == 1)
        #expect(list.lines.count == 3)
        // What the other files tell is told; the start is not among it.
        #expect(list.lines.contains { $0.hasPrefix("b ") && $0.contains("unknown") })
    }

    @Test func `a run that died while it went over to the next file is printed with a note`() throws {
        let root = try Tool.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        #expect(try Tool.run("demo", "--seconds", "1", "--out", root).code == 0)
        let path = root + "/" + (try FileManager.default.contentsOfDirectory(atPath: root)[0])
        let all = (polled: try Tool.run("cat", path).output, events: try Tool.run("cat", "--events", path).output)
        _ = FileManager.default.createFile(atPath: path + "/LOCK", contents: Data([0]))
        for (kind, option, expected) in [("polled", "--rows=:", all.polled), ("event", "--events", all.events)] {
            // The header of the first file, of which the second has a part.
            let header = try Data(contentsOf: URL(fileURLWithPath: path + "/" + kind + ".bcsv")).prefix(100)
            for count in [0, 1, 4, 15, 16, 23, 24, 40, 100] {
                try header.prefix(count).write(to: URL(fileURLWithPath: path + "/" + kind + ".1.bcsv"))
                let cat = try Tool.run("cat", option, path)
                #expect(cat.code == 0 && cat.output == expected)
                #expect(cat.errors.contains("note: ") && cat.errors.contains(kind + ".1.bcsv"))
                let info = try Tool.run("info", path)
                #expect(info.code == 0 && info.output.contains("not closed (LOCK)"))
                #expect(info.output.contains("note: ") && !info.output.contains("damage: "))
                #expect(try Tool.run("list", root).code == 0)
            }
            try FileManager.default.removeItem(atPath: path + "/" + kind + ".1.bcsv")
        }
    }

    @Test func `prune leaves what is open, what is no run, and what a link points to`() throws {
        let root = try Tool.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        let files = FileManager.default
        for name in ["a", "open", "mixed"] { try files.copyItem(atPath: dlf + "real_structs", toPath: root + "/" + name) }
        // What the vectors have beside a run's own files.
        for name in ["a", "open"] { try files.removeItem(atPath: root + "/\(name)/expected.json") }
        _ = files.createFile(atPath: root + "/open/LOCK", contents: Data([0]))
        try files.createDirectory(atPath: root + "/other", withIntermediateDirectories: false)
        _ = files.createFile(atPath: root + "/other/notes.txt", contents: Data())
        let elsewhere = try Tool.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: elsewhere) }
        try files.copyItem(atPath: root + "/a", toPath: elsewhere + "/run")
        try files.createSymbolicLink(atPath: root + "/link", withDestinationPath: elsewhere + "/run")

        let result = try Tool.run("prune", root, "--keep-bytes", "0")
        #expect(result.code == 0)
        #expect(try files.contentsOfDirectory(atPath: root).sorted() == ["link", "mixed", "open", "other"])
        #expect(files.fileExists(atPath: elsewhere + "/run/polled.dlf"))
        #expect(result.errors.contains("expected.json"))
    }
}
