import Foundation
import Testing

/// A directory that is gone after the test.
final class Folder {
    let path: String
    init() throws { path = try Tool.temporaryDirectory() }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func callAsFunction(_ name: String) -> String { path + "/" + name }
    func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }
    func write(_ name: String, _ data: Data) throws -> String {
        try data.write(to: URL(fileURLWithPath: self(name)))
        return self(name)
    }
    func data(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: self(name))) }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// Types of a file's columns, as info tells them.
func types(_ path: String) throws -> [String] {
    let result = try Tool.run("info", "--json", path)
    let info = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as! [String: Any]
    return (info["columns"] as! [[String: Any]]).map { $0["type"] as! String }
}

// One suite for all: Foundation's Process does not bear being started on two threads at once.
extension CommandTests {
    /// One column of a CSV file, the type that it becomes, and what it is printed as if that is another text.
    static let columns: [(cells: [String], type: String, printed: [String]?)] = [
        (["true", "false"], "bool", nil),
        (["True", "False"], "string", nil),
        (["true", "1"], "string", nil),
        (["0", "255"], "u8", nil),
        (["0", "256"], "u16", nil),
        (["65536"], "u32", nil),
        (["4294967296"], "u64", nil),
        (["18446744073709551615"], "u64", nil),
        (["18446744073709551616"], "f64", ["1.8446744073709552e+19"]),
        (["18446744073709551617"], "string", nil),
        (["-1", "127"], "i8", nil),
        (["-128"], "i8", nil),
        (["-129"], "i16", nil),
        (["-1", "128"], "i16", nil),
        (["-1", "2147483648"], "i64", nil),
        (["-9223372036854775808"], "i64", nil),
        (["-9223372036854775809"], "string", nil),
        (["-1", "9223372036854775808"], "f64", ["-1.0", "9.223372036854776e+18"]),
        (["-1", "9223372036854775807"], "i64", nil),
        (["007"], "string", nil),
        (["+5"], "string", nil),
        ([" 5"], "string", nil),
        (["0x10"], "string", nil),
        (["1_000"], "string", nil),
        (["-0"], "f32", ["-0.0"]),
        (["1.0", "2.5"], "f32", nil),
        (["1", "2.5"], "f32", ["1.0", "2.5"]),
        (["16777217", "0.5"], "f64", ["16777217.0", "0.5"]),
        (["9007199254740993", "0.5"], "string", nil),
        (["0.1"], "f32", nil),
        (["3.1415927"], "f32", nil),
        (["3.14159265"], "f64", nil),
        (["0.100000001"], "f64", nil),
        (["1.401298464324817e-45"], "f64", nil),
        (["1e-45"], "f32", nil),
        (["3.4028235e+38"], "f32", nil),
        (["3.4028236e+38"], "f64", nil),
        (["1e400"], "string", nil),
        (["1e-400"], "string", nil),
        (["5e-324"], "f64", nil),
        (["1.7976931348623157e+308"], "f64", nil),
        (["0.1234567890123456789"], "string", nil),
        (["0.30000000000000004"], "f64", nil),
        (["0.10000000000000001"], "f64", ["0.1"]),
        (["1.5000"], "f32", ["1.5"]),
        ([".5", "5."], "f32", ["0.5", "5.0"]),
        (["1E5"], "f32", ["100000.0"]),
        (["1.0", "nan", "-inf", "inf"], "f32", nil),
        (["1.0", "NaN", "Infinity"], "f32", ["1.0", "nan", "inf"]),
        (["nan", "inf"], "f32", nil),
        (["NaN", "nan"], "string", nil),
        (["1", ""], "string", nil),
        (["1.5", ""], "string", nil),
        (["1.5", "abc"], "string", nil),
        (["1.2.3"], "string", nil),
        (["-"], "string", nil),
        (["."], "string", nil),
        (["1e"], "string", nil),
        (["e5"], "string", nil),
    ]

    @Test func `a column gets the narrowest type that keeps every value`() throws {
        let folder = try Folder()
        for (i, column) in CommandTests.columns.enumerated() {
            // A second column, so that an empty cell is no empty line.
            let csv = try folder.write("\(i).csv", "x,n\n" + column.cells.map { $0 + ",1\n" }.joined())
            #expect(try Tool.run("convert", csv, folder("\(i).bcsv")).code == 0)
            #expect(try types(folder("\(i).bcsv"))[0] == column.type, "\(column.cells)")
            let cat = try Tool.run("cat", folder("\(i).bcsv"), "--columns", "x", "--no-header")
            let expected = (column.printed ?? column.cells).map { $0.isEmpty ? "\"\"" : $0 }
            #expect(cat.lines == expected, "\(column.cells)")
            let diff = try Tool.run("diff", csv, folder("\(i).bcsv"))
            #expect(diff.code == 0, "\(column.cells): \(diff.output)")
        }
    }

    /// CSV text, options, and what cat prints of it.
    static let texts: [(csv: String, options: [String], printed: [String])] = [
        ("a,b\n1,2\n", [], ["a,b", "1,2"]),
        ("a,b\r\n1,2\r\n", [], ["a,b", "1,2"]),
        ("a,b\r1,2\r3,4", [], ["a,b", "1,2", "3,4"]),
        ("\u{FEFF}a,b\n1,2", [], ["a,b", "1,2"]),
        ("a,b\n\n1,2\n\n", [], ["a,b", "1,2"]),
        ("a,b\n\"x,\"\"y\"\"\",2\n", [], ["a,b", "\"x,\"\"y\"\"\",2"]),
        ("a,b\n\"x\r\ny\",2\n", [], ["a,b", "\"x\r\ny\",2"]),
        ("a\n1\n\n2\n", [], ["a", "1", "\"\"", "2"]),
        ("a;b\n1,5;2\n", [], ["a,b", "1.5,2"]),
        ("a;b\n1,5;2\n", ["--decimal-point"], ["a,b", "\"1,5\",2"]),
        ("a;b\n1,500;2\n", [], ["a,b", "\"1,500\",2"]),
        ("a;b\n1,500;2\n", ["--decimal-comma"], ["a,b", "1.5,2"]),
        ("a\tb\n1\t2\n", [], ["a,b", "1,2"]),
        ("a|b\n1|2\n", [], ["a,b", "1,2"]),
        ("a b\n1 2\n", ["--delimiter", " "], ["a,b", "1,2"]),
        ("1,2\n3,4\n", [], ["Column_0,Column_1", "1,2", "3,4"]),
        ("1,2\n3,4\n", ["--header"], ["1,2", "3,4"]),
        ("a,b\n3,4\n", ["--no-header"], ["Column_0,Column_1", "a,b", "3,4"]),
        ("time,1,2\n0.5,3,4\n", [], ["time,1,2", "0.5,3,4"]),
        ("a,b\nx,y\n", [], ["a,b", "x,y"]),
        ("a,b\n 1 , \"x\" \n", ["--trim"], ["a,b", "1,x"]),
        ("a,b\n1,\n2.5,x\n", ["--empty-as-nan"], ["a,b", "1.0,", "2.5,x"]),
        ("a,b\n1.5,x\n,y\n", ["--empty-as-nan"], ["a,b", "1.5,x", "nan,y"]),
        ("a,b\n1\n2,3\n", ["--pad-rows"], ["a,b", "1,", "2,3"]),
        ("a,b\n1,2\n3,4,5\n", ["--pad-rows"], ["a,b,Column_2", "1,2,", "3,4,5"]),
        ("a,b\n1\n2,3\n4,5,6\n", ["--skip-rows"], ["a,b", "2,3"]),
        ("a,b\n007,+5\n", ["--types", "a:u8,b:i16"], ["a,b", "7,5"]),
        ("a,b\n1,2\n", ["--types", "a:f64,b:string"], ["a,b", "1.0,2"]),
        ("a,b\nTRUE,0\n", ["--types", "a:bool,b:bool"], ["a,b", "true,false"]),
        ("a\"b,c\n5\"x,1\n", [], ["\"a\"\"b\",c", "\"5\"\"x\",1"]),
    ]

    @Test func `CSV as RFC 4180 and its dialects have it`() throws {
        let folder = try Folder()
        for (i, text) in CommandTests.texts.enumerated() {
            let csv = try folder.write("\(i).csv", text.csv)
            let out = folder("\(i).bcsv")
            let result = try Tool.run(["convert", csv, out] + text.options)
            #expect(result.code == 0, "\(text.csv.debugDescription): \(result.errors)")
            #expect(try Tool.run("cat", out).lines == text.printed, "\(text.csv.debugDescription)")
        }
    }

    /// CSV or JSON text that is refused, options, and what the message must have.
    static let refused: [(text: String, options: [String], words: [String])] = [
        ("a,b\n1,2\n3\n", [], ["line 3", "offset 8", "found 1 cells, expected 2"]),
        ("a,b\n1,2\n3,4,5\n", [], ["line 3", "found 3 cells"]),
        ("a,b\n\"x\ny\",2\n3\n", [], ["line 4"]),
        ("a,b\n1,2\n3,\"x\n\n", [], ["line 3", "offset 10", "quoted cell that begins here"]),
        ("a,b\n1,\"x\"y\n", [], ["line 2", "behind a closing quote"]),
        ("a,b\n1,x\n", ["--types", "b:u8"], ["line 2", "column 'b'", "found 'x', expected a value of type u8"]),
        ("a,b\n1,256\n", ["--types", "b:u8"], ["'256'"]),
        ("a,b\n1,-1\n", ["--types", "b:u8"], ["'-1'"]),
        ("a,b\n1,1e400\n", ["--types", "b:f64"], ["'1e400'"]),
        ("a,b\n1,1e39\n", ["--types", "b:f32"], ["'1e39'"]),
        ("a,b\n1,1e-400\n", ["--types", "b:f64"], ["'1e-400'"]),
        ("a,b\n1,\n", ["--types", "b:f64"], ["an empty cell"]),
        ("a,b\n1,-0\n", ["--types", "b:i8"], ["'-0'"]),
        ("a,b\n1,2\n", ["--types", "c:u8"], ["no column 'c'"]),
        ("{\"a\":1}\n{\"b\":1}\n", [], ["line 2", "'b'"]),
        ("{\"a\":1}\n{}\n", [], ["line 2", "found 0 keys"]),
        ("{\"a\":1}\n{\"a\":\"x\"}\n", [], ["line 2", "found a string"]),
        ("{\"a\":1}\n{\"a\":true}\n", [], ["line 2", "true or false"]),
        ("{\"a\":1}\n{\"a\":null}\n", [], ["line 2", "null"]),
        ("{\"a\":1,\"a\":2}\n", [], ["twice"]),
        ("{\"a\":01}\n", [], ["expected a value"]),
        ("{\"a\":[]}\n", [], ["empty array"]),
        ("{\"a\":1}}\n", [], ["the end of the line"]),
        ("{\"a\":1\n", [], ["a comma or }"]),
        ("{\"a\":\"x\n", [], ["control character"]),
        ("{\"a\":\"\\ud800\"}\n", [], ["surrogate"]),
        ("{\"a\":\"\\x\"}\n", [], ["wrong escape"]),
        ("{\"a\":" + String(repeating: "[", count: 100), [], ["at most 64"]),
        ("[1]\n", ["--from", "jsonl"], ["expected an object"]),
        ("", [], ["the end of the file"]),
        ("\n\n", [], ["the end of the file"]),
        ("\u{0}\u{1}\u{2}", [], ["expected BCSV, DLF, CSV or JSON Lines"]),
    ]

    @Test func `what is wrong is refused with its line, and no output is left`() throws {
        let folder = try Folder()
        for text in CommandTests.refused {
            let path = try folder.write("in", text.text)
            let result = try Tool.run(["convert", path, folder("out.bcsv")] + text.options)
            #expect(result.code == 1, "\(text.text.debugDescription)")
            for word in text.words { #expect(result.errors.contains(word), "\(text.text.debugDescription): \(result.errors)") }
            #expect(result.errors.contains(path))
            #expect(folder.names == ["in"])
        }
    }

    @Test func `hostile input: an error, at once, and nothing left`() throws {
        let folder = try Folder()
        let wide = try folder.write("wide.csv", (0..<100_000).map { "c\($0)" }.joined(separator: ",") + "\n")
        let huge = try folder.write("huge.csv", "a,b\n1," + String(repeating: "x", count: 65536) + "\n")
        let utf16 = try folder.write("utf16.csv", Data([0xFF, 0xFE, 0x61, 0x00]))
        #expect(mkfifo(folder("pipe"), 0o600) == 0)
        try FileManager.default.createDirectory(atPath: folder("dir"), withIntermediateDirectories: false)
        let before = folder.names
        for (path, words) in [
            (wide, "65535"), (huge, "at most 65535"), (utf16, "UTF-16"), (folder("pipe"), "end of the file"),
            (folder("dir"), "expected"), ("/dev/zero", "expected"), (folder("nothing"), "open"),
        ] {
            let result = try Tool.run("convert", path, folder("out.bcsv"))
            #expect(result.code == (words == "open" ? 3 : 1), "\(path)")
            #expect(result.errors.contains(words), "\(result.errors)")
            #expect(folder.names == before)
        }
        // A directory that is not there, one that is no directory, and a name that is taken.
        let csv = try folder.write("in.csv", "a\n1\n")
        #expect(try Tool.run("convert", csv, folder("no/out.bcsv")).code == 3)
        #expect(try Tool.run("convert", csv, folder("in.csv/out.bcsv")).code == 3)
        #expect(try Tool.run("convert", csv, folder("dir"), "--to", "csv", "--force").code == 3)
        #expect(try Tool.run("convert", csv, folder("pipe"), "--to", "csv", "--force").code == 3)
        #expect(try Tool.run("convert", csv, csv).code == 2)
        #expect(try String(contentsOfFile: csv, encoding: .utf8) == "a\n1\n")
        #expect(try Tool.run("convert", csv, csv, "--force").code == 0)
        #expect(folder.names.filter { $0.hasPrefix(".") }.isEmpty)
    }

    @Test func `strings of any bytes come back from CSV, and JSON says that it cannot hold them`() throws {
        let folder = try Folder()
        let cells: [[UInt8]] = [[0xFF, 0xFE], [0x78, 0x00, 0x79], [0x0D], [0x0A], [0x22], Array(repeating: 0x22, count: 3), [0xEF, 0xBB, 0xBF], []]
        var csv = Data("s,n\n".utf8)
        for cell in cells {
            csv.append(0x22)
            for byte in cell { csv.append(contentsOf: byte == 0x22 ? [0x22, 0x22] : [byte]) }
            csv.append(contentsOf: Array("\",1\n".utf8))
        }
        let path = try folder.write("a.csv", csv)
        #expect(try Tool.run("convert", path, folder("a.bcsv")).code == 0)
        #expect(try Tool.run("convert", folder("a.bcsv"), folder("b.csv")).code == 0)
        #expect(try Tool.run("diff", path, folder("b.csv")).code == 0)
        #expect(try Tool.run("convert", folder("b.csv"), folder("b.bcsv")).code == 0)
        #expect(try folder.data("a.bcsv") == folder.data("b.bcsv"))
        let json = try Tool.run("convert", folder("a.bcsv"), folder("a.jsonl"))
        #expect(json.code == 1 && json.errors.contains("row 0, column 's'") && !folder.names.contains("a.jsonl"))
    }

    static let encodings: [[String]] = [
        [], ["--row-codec", "flat"], ["--row-codec", "zoh"], ["--row-codec", "delta"],
        ["--file-codec", "packet"], ["--file-codec", "packet-lz4", "--level", "1"], ["--file-codec", "stream"],
        ["--file-codec", "stream-lz4", "--row-codec", "delta"], ["--bcsv-version", "1.3"],
        ["--bcsv-version", "1.3", "--file-codec", "stream", "--row-codec", "zoh"], ["--packet-size", "512"], ["--level", "9"],
    ]

    @Test func `BCSV, CSV and JSON Lines become each other, and nothing changes`() throws {
        let folder = try Folder()
        for name in ["py_logger_delta_packet", "v15_alltypes_flat_packet", "v15_logger_zoh_packet_lz4_flush75"] {
            let original = Tool.vectors + "/bcsv/" + name + ".bcsv"
            guard FileManager.default.fileExists(atPath: original) else {
                Issue.record("\(name) is not there")
                continue
            }
            let info = try JSONSerialization.jsonObject(with: Data(try Tool.run("info", "--json", original).output.utf8)) as! [String: Any]
            let given = (info["columns"] as! [[String: Any]]).map { "\($0["name"]!):\($0["type"]!)" }.joined(separator: ",")
            for form in ["csv", "jsonl"] {
                #expect(try Tool.run("convert", original, folder("t." + form), "--force").code == 0)
                #expect(try Tool.run("convert", folder("t." + form), folder("t.bcsv"), "--force", "--types", given).code == 0)
                let diff = try Tool.run("diff", original, folder("t.bcsv"))
                // Text has one NaN.
                if name.contains("alltypes") {
                    #expect(diff.output.components(separatedBy: "\n").filter { $0.hasPrefix("row ") && !$0.contains("nan") }.isEmpty, "\(diff.output)")
                } else {
                    #expect(diff.code == 0, "\(name) \(form): \(diff.output)")
                }
            }
            for encoding in CommandTests.encodings {
                let result = try Tool.run(["convert", original, folder("e.bcsv"), "--force"] + encoding)
                #expect(result.code == 0, "\(encoding): \(result.errors)")
                #expect(try Tool.run("diff", original, folder("e.bcsv")).code == 0, "\(encoding)")
                #expect(try Tool.run("validate", folder("e.bcsv")).code == 0)
            }
        }
    }

    @Test func `types are those of the whole column, wherever the value is that decides`() throws {
        let folder = try Folder()
        // What most cells are, what one cell far behind is, and the type.
        let cases: [(String, String, String)] = [
            ("1", "2", "u8"), ("1", "300", "u16"), ("1", "-1", "i8"), ("1", "0.5", "f32"), ("1", "x", "string"), ("1", "", "string"),
            ("0.5", "0.1234567891", "f64"), ("0.5", "16777217", "f64"), ("0.5", "1e400", "string"), ("0.5", "NaN", "f32"),
            ("nan", "NaN", "string"), ("NaN", "1.5", "f32"), ("true", "1", "string"), ("x", "1", "string"), ("1", "\"2\"", "u8"),
        ]
        let rows = 12_000
        var csv = (0..<cases.count).map { "c\($0)" }.joined(separator: ",") + "\n"
        for i in 0..<rows { csv += cases.map { i == rows - 7 ? $0.1 : $0.0 }.joined(separator: ",") + "\n" }
        let path = try folder.write("all.csv", csv)
        #expect(try Tool.run("convert", path, folder("all.bcsv")).code == 0)
        #expect(try types(folder("all.bcsv")) == cases.map { $0.2 })
        for (i, one) in cases.enumerated() {
            let path = try folder.write("\(i).csv", "a,b\n" + (0..<rows).map { ($0 == rows - 7 ? one.1 : one.0) + ",1\n" }.joined())
            #expect(try Tool.run("convert", path, folder("\(i).bcsv")).code == 0)
            #expect(try types(folder("\(i).bcsv"))[0] == one.2, "\(one)")
            #expect(try Tool.run("diff", path, folder("\(i).bcsv")).code == 0, "\(one)")
        }
    }

    @Test func `the row codec that is chosen is the smallest`() throws {
        let folder = try Folder()
        for (name, row) in [
            ("ramp", { (i: Int) in "\(i),\(1_000_000 + 10 * i)" }), ("held", { i in "\(i / 500),x" }),
            ("random", { i in "\((i &* 7919 &* 104729) % 65521),\((i &* 31337) % 251)" }),
        ] as [(String, (Int) -> String)] {
            let csv = try folder.write(name + ".csv", "a,b\n" + (0..<2000).map { row($0) + "\n" }.joined())
            for file in ["packet", "batch"] {
                var sizes: [String: Int] = [:]
                for codec in ["flat", "zoh", "delta", "auto"] {
                    #expect(try Tool.run("convert", csv, folder("x.bcsv"), "--force", "--row-codec", codec, "--file-codec", file).code == 0)
                    sizes[codec] = try folder.data("x.bcsv").count
                }
                #expect(sizes["auto"] == min(sizes["flat"]!, sizes["zoh"]!, sizes["delta"]!), "\(name) \(file): \(sizes)")
            }
        }
    }

    @Test func `standard input and output`() throws {
        let folder = try Folder()
        let text = Data("a,b\n1,x\n2,y\n".utf8)
        #expect(try Tool.run("convert", "-", folder("o.bcsv"), input: text).code == 0)
        let csv = try Tool.run("convert", folder("o.bcsv"), "-", "--to", "csv")
        #expect(csv.output == "a,b\n1,x\n2,y\n")
        let json = try Tool.run("convert", "-", "-", "--to", "jsonl", input: text)
        #expect(json.output == "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n")
        #expect(try Tool.run("convert", "-", "-", "--to", "bcsv", input: text).output.hasPrefix("BCSV"))
        #expect(try Tool.run("convert", "-", "-", input: text).code == 2)
        #expect(try Tool.run("convert", folder("o.bcsv"), folder("o.feather")).code == 2)
    }

    @Test func `a run's polled file converts, bcsv and dlf`() throws {
        let folder = try Folder()
        for format in ["bcsv", "dlf"] {
            #expect(try Tool.run("demo", "--seconds", "1", "--out", folder(format), "--format", format).code == 0)
            let run = folder(format) + "/" + (try FileManager.default.contentsOfDirectory(atPath: folder(format))[0])
            #expect(try Tool.run("convert", run, folder(format + ".csv")).code == 0)
            #expect(try Tool.run("cat", run).output == String(contentsOfFile: folder(format + ".csv"), encoding: .utf8))
            #expect(try Tool.run("convert", run, folder(format + ".out.bcsv")).code == 0)
            if format == "bcsv" { #expect(try Tool.run("diff", run, folder("bcsv.out.bcsv")).code == 0) }
        }
    }

    @Test func `a signal leaves nothing`() throws {
        let folder = try Folder()
        let csv = try folder.write("in.csv", "a,b\n" + (0..<300_000).map { "\($0),\($0 &* 7919)\n" }.joined())
        for number in [SIGINT, SIGTERM] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: Tool.path)
            process.arguments = ["convert", csv, folder("out.csv")]
            process.standardError = FileHandle.nullDevice
            try process.run()
            var seen = false
            while process.isRunning {
                if folder.names.contains(where: { $0.hasPrefix(".ticklog-") }) {
                    seen = true
                    kill(process.processIdentifier, number)
                    break
                }
            }
            process.waitUntilExit()
            #expect(seen)
            #expect(process.terminationReason == .uncaughtSignal || folder.names.contains("out.csv"))
            #expect(folder.names.filter { $0.hasPrefix(".") }.isEmpty)
            try? FileManager.default.removeItem(atPath: folder("out.csv"))
        }
    }

    @Test func `diff tells which cells differ`() throws {
        let folder = try Folder()
        let a = try folder.write("a.csv", "x,y\n1,1.5\n2,nan\n3,0.0\n")
        let b = try folder.write("b.csv", "x,y\n1,1.25\n2,nan\n4,-0.0\n5,1.0\n")
        let result = try Tool.run("diff", a, b)
        #expect(result.code == 1)
        #expect(result.lines == ["row 0, y: 1.5 | 1.25", "row 2, x: 3 | 4", "row 2, y: 0.0 | -0.0", "rows: 3 | 4", "different: 3 cells in 2 rows of 3"])
        #expect(try Tool.run("diff", a, a).output == "equal: 3 rows of 2 columns\n")
        let near = try Tool.run("diff", a, b, "--tolerance", "0.25", "--json")
        let json = try JSONSerialization.jsonObject(with: Data(near.output.utf8)) as! [String: Any]
        #expect(json["different_cells"] as? Int == 1 && json["equal"] as? Bool == false && json["rows_b"] as? Int == 4)
        // Types count between formats that have them.
        #expect(try Tool.run("convert", a, folder("a.bcsv")).code == 0)
        #expect(try Tool.run("convert", a, folder("w.bcsv"), "--types", "x:i64,y:f64").code == 0)
        #expect(try Tool.run("diff", a, folder("w.bcsv")).code == 0)
        let typed = try Tool.run("diff", folder("a.bcsv"), folder("w.bcsv"))
        #expect(typed.code == 1 && typed.lines.prefix(2) == ["column 0 'x': u8 | i64", "column 1 'y': f32 | f64"])
        #expect(try Tool.run("diff", a).code == 2)
        #expect(try Tool.run("diff", a, b, "--tolerance", "-1").code == 2)
    }
}
