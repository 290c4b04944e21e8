import Foundation
import Testing

extension CommandTests {
    /// Rows of two columns in several packets, or in a stream.
    func table(_ folder: Folder, _ name: String, _ options: [String], rows: Int = 3000) throws -> String {
        let csv = try folder.write("table.csv", "n,s\n" + (0..<rows).map { "\($0),text \($0 / 3)\n" }.joined())
        #expect(try Tool.run(["convert", csv, folder(name), "--force", "--packet-size", "1024"] + options).code == 0)
        return folder(name)
    }

    static let codecs: [[String]] = [
        ["--row-codec", "flat", "--file-codec", "packet"], ["--row-codec", "zoh", "--file-codec", "packet-lz4"],
        ["--row-codec", "delta", "--file-codec", "batch"], ["--row-codec", "delta", "--file-codec", "packet"],
        ["--row-codec", "zoh", "--file-codec", "stream"], ["--row-codec", "delta", "--file-codec", "stream-lz4"],
    ]

    func lines(_ path: String) throws -> [String] { try Tool.run("cat", "--no-header", path).lines }

    @Test func `sound files are sound, and repair leaves them alone`() throws {
        let folder = try Folder()
        for encoding in CommandTests.codecs {
            let path = try table(folder, "a.bcsv", encoding)
            let before = try folder.data("a.bcsv")
            let names = folder.names
            #expect(try Tool.run("validate", path).code == 0)
            for how in [[], ["--in-place"]] {
                let result = try Tool.run(["repair", path] + how)
                #expect(result.code == 0 && result.output.contains("nothing to repair"))
                #expect(try folder.data("a.bcsv") == before)
                #expect(folder.names == names)
            }
        }
    }

    @Test func `a file that is replaced keeps its permissions`() throws {
        let folder = try Folder()
        let path = try table(folder, "a.bcsv", [])
        let whole = try folder.data("a.bcsv")
        _ = try folder.write("a.csv", Data("a,b\n1,2\n".utf8))
        for mode in [0o600, 0o640, 0o444] {
            let cut = try folder.write("cut.bcsv", whole.prefix(whole.count - 5))
            func modes(_ path: String) throws -> Int? {
                try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            }
            for file in [cut, path] { try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file) }
            #expect(try Tool.run("repair", "--in-place", cut).code == 0)
            #expect(try modes(cut) == mode)
            #expect(try Tool.run("convert", "--force", folder("a.csv"), path).code == 0)
            #expect(try modes(path) == mode)
            for name in ["cut.bcsv", "cut.bcsv.orig"] { try FileManager.default.removeItem(atPath: folder(name)) }
        }
    }

    @Test func `a file cut anywhere is repaired to all its whole packets, once and for all`() throws {
        let folder = try Folder()
        for encoding in CommandTests.codecs {
            let path = try table(folder, "a.bcsv", encoding)
            let whole = try folder.data("a.bcsv")
            let all = try lines(path)
            for part in [0.3, 0.5, 0.77, 0.95, 0.999] {
                let cut = try folder.write("cut.bcsv", whole.prefix(Int(Double(whole.count) * part)))
                let readable = try lines(cut)
                let repair = try Tool.run("repair", cut, "-o", folder("out.bcsv"))
                #expect(repair.code == 0, "\(encoding) \(part): \(repair.errors)")
                #expect(try lines(folder("out.bcsv")) == readable)
                #expect(readable == Array(all.prefix(readable.count)) && !readable.isEmpty)
                let valid = try Tool.run("validate", "--json", folder("out.bcsv"))
                #expect(valid.code == 0 && valid.output.contains("\"closed\":true"))
                #expect(try Tool.run("repair", folder("out.bcsv")).output.contains("nothing to repair"))

                let before = try folder.data("cut.bcsv")
                #expect(try Tool.run("repair", "--in-place", "--keep-unverified", cut).code == 0)
                let kept = try lines(cut)
                #expect(kept.count >= readable.count && kept == Array(all.prefix(kept.count)))
                if folder.names.contains("cut.bcsv.orig") {
                    #expect(try folder.data("cut.bcsv.orig") == before)
                    try FileManager.default.removeItem(atPath: folder("cut.bcsv.orig"))
                }
                try FileManager.default.removeItem(atPath: folder("out.bcsv"))
            }
        }
    }

    @Test func `damage in the middle: validate says which rows are missing, repair keeps the rest`() throws {
        let folder = try Folder()
        for encoding in CommandTests.codecs {
            let path = try table(folder, "a.bcsv", encoding)
            var data = try folder.data("a.bcsv")
            let all = try lines(path)
            data[data.count / 2] ^= 0x10
            let bad = try folder.write("bad.bcsv", data)
            let valid = try Tool.run("validate", "--json", bad)
            #expect(valid.code == 1)
            let json = try JSONSerialization.jsonObject(with: Data(valid.output.utf8)) as! [String: Any]
            let damage = (json["damage"] as! [[String: Any]])[0]
            let first = damage["first_row"] as! Int
            let text = try Tool.run("validate", bad)
            #expect(text.code == 1 && text.output.contains("offset ") && text.output.contains("expected"))
            var left = Array(all.prefix(first))
            if let missing = damage["rows"] as? Int { left += all.dropFirst(first + missing) }
            #expect(try Tool.run("repair", bad).code == 0)
            #expect(try lines(bad + ".repaired") == left, "\(encoding)")
            #expect(try Tool.run("validate", bad + ".repaired").code == 0)
            #expect(try folder.data("bad.bcsv") == data)
            #expect(try Tool.run("repair", bad).code == 3)
            try FileManager.default.removeItem(atPath: bad + ".repaired")
        }
    }

    @Test func `a packet that is missing: the rows behind it move up`() throws {
        let folder = try Folder()
        for encoding in CommandTests.codecs where !encoding[3].hasPrefix("stream") {
            let path = try table(folder, "a.bcsv", encoding)
            var data = try folder.data("a.bcsv")
            let all = try lines(path)
            var starts: [Data.Index] = []
            var from = data.startIndex
            while let found = data.range(of: Data("PKCT".utf8), in: from..<data.endIndex) {
                starts.append(found.lowerBound)
                from = found.upperBound
            }
            func row(_ start: Int) -> Int { (0..<4).reduce(0) { $0 | Int(data[start + 4 + $1]) << (8 * $1) } }
            let (first, behind) = (row(starts[1]), row(starts[2]))
            data.removeSubrange(starts[1]..<starts[2])
            let bad = try folder.write("bad.bcsv", data)
            let valid = try Tool.run("validate", bad)
            #expect(valid.code == 1 && valid.output.contains("rows \(first) to \(behind - 1) are missing"), "\(valid.output)")
            #expect(try Tool.run("repair", bad, "-o", folder("good.bcsv")).code == 0)
            #expect(try lines(folder("good.bcsv")) == Array(all[..<first]) + all[behind...], "\(encoding)")
            #expect(try Tool.run("validate", folder("good.bcsv")).code == 0)
            try FileManager.default.removeItem(atPath: folder("good.bcsv"))
        }
    }

    @Test func `what has no whole header cannot be repaired, and nothing is written`() throws {
        let folder = try Folder()
        let path = try table(folder, "a.bcsv", CommandTests.codecs[0])
        let whole = try folder.data("a.bcsv")
        for count in [0, 3, 20, 30] { _ = try folder.write("h\(count).bcsv", whole.prefix(count)) }
        let names = folder.names
        for count in [0, 3, 20, 30] {
            #expect(try Tool.run("repair", folder("h\(count).bcsv")).code == 1)
            #expect(try Tool.run("validate", folder("h\(count).bcsv")).code == 1)
            #expect(folder.names == names)
        }
        #expect(try Tool.run("repair", folder("nothing")).code == 3)
        #expect(try Tool.run("repair", path, "-o", "x", "--in-place").code == 2)
    }

    @Test func `a run that lost power is repaired, and its LOCK goes last`() throws {
        let folder = try Folder()
        #expect(try Tool.run("demo", "--seconds", "2", "--out", folder("runs")).code == 0)
        let run = folder("runs/") + (try FileManager.default.contentsOfDirectory(atPath: folder("runs"))[0])
        func cut(_ bytes: Int) throws {
            let path = URL(fileURLWithPath: run + "/polled.bcsv")
            try Data(contentsOf: path).dropLast(bytes).write(to: path)
            try Data([0]).write(to: URL(fileURLWithPath: run + "/LOCK"))
        }
        try cut(100)
        let rows = try Tool.run("cat", run).lines.count
        #expect(try Tool.run("validate", run).code == 1)
        #expect(try Tool.run("repair", run).code == 0)
        #expect(try Tool.run("validate", run + ".repaired").code == 0)
        #expect(try Tool.run("cat", run + ".repaired").lines.count == rows)
        #expect(!FileManager.default.fileExists(atPath: run + ".repaired/LOCK"))
        #expect(FileManager.default.fileExists(atPath: run + "/LOCK"))
        #expect(try Tool.run("repair", "--in-place", run).code == 0)
        #expect(try Tool.run("validate", run).code == 0)
        #expect(try Tool.run("cat", run).lines.count == rows)
        #expect(!FileManager.default.fileExists(atPath: run + "/LOCK"))
        #expect(FileManager.default.fileExists(atPath: run + "/polled.bcsv.orig"))
        #expect(try Tool.run("repair", "--in-place", run).code == 0)
        // A header that is damaged: LOCK stays.
        let path = URL(fileURLWithPath: run + "/event.bcsv")
        var data = try Data(contentsOf: path)
        data[0] ^= 1
        try data.write(to: path)
        try Data([0]).write(to: URL(fileURLWithPath: run + "/LOCK"))
        #expect(try Tool.run("repair", "--in-place", run).code == 1)
        #expect(FileManager.default.fileExists(atPath: run + "/LOCK"))
    }

    @Test func `append adds the rows of any format, with the types of the file`() throws {
        let folder = try Folder()
        for encoding in CommandTests.codecs {
            let path = try table(folder, "a.bcsv", encoding, rows: 300)
            let old = try lines(path)
            let csv = try folder.write("more.csv", "n,s\n7,x\n8,123\n")
            let json = try folder.write("more.jsonl", "{\"s\":\"y\",\"n\":9}\n")
            let result = try Tool.run("append", path, csv, "--json")
            #expect(result.code == 0 && result.output.contains("\"rows\":302"), "\(encoding): \(result.errors)")
            #expect(try Tool.run("append", path, json).code == 0, "\(encoding)")
            #expect(try lines(path) == old + ["7,x", "8,123", "9,y"])
            #expect(try Tool.run("validate", path).code == 0)
            let copy = try folder.write("copy.bcsv", folder.data("a.bcsv"))
            #expect(try Tool.run("append", path, copy).code == 0)
            #expect(try lines(path).count == 2 * (old.count + 3))
            let before = try folder.data("a.bcsv")
            for (text, words) in [("n,s\n70000,x\n", "'70000'"), ("n,t\n1,x\n", "'s'"), ("n\n1\n", "'s'"), ("n,s\n1,\"x\n", "quote")] {
                let wrong = try Tool.run("append", path, try folder.write("wrong.csv", text))
                #expect(wrong.code == 1 && wrong.errors.contains(words), "\(text): \(wrong.errors)")
                #expect(try folder.data("a.bcsv") == before)
            }
            #expect(folder.names.filter { $0.hasPrefix(".") }.isEmpty)
        }
        let path = try table(folder, "a.bcsv", CommandTests.codecs[0])
        var bad = try folder.data("a.bcsv")
        bad[bad.count / 2] ^= 1
        let damaged = try folder.write("bad.bcsv", bad)
        #expect(try Tool.run("append", damaged, path).errors.contains("repair it first"))
        #expect(try folder.data("bad.bcsv") == bad)
    }
}
