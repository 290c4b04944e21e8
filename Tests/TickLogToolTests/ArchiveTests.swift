import Foundation
import Testing

/// Runs as archives: what `archive` writes, and reading runs from archives of any writer.
@Suite(.serialized) struct ArchiveTests {
    let dlf = Tool.vectors + "/dlf/"

    /// Another program, which gets a minute.
    func foreign(_ arguments: String...) throws -> (code: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        process.arguments = ["60"] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    /// A directory with a BCSV run `bcsv` of several files and a DLF run `dlf`.
    func withRuns(_ body: (String) throws -> Void) throws {
        let root = try Tool.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        #expect(try Tool.run("demo", "--seconds", "1", "--out", root + "/demo").code == 0)
        let name = try FileManager.default.contentsOfDirectory(atPath: root + "/demo")[0]
        try FileManager.default.moveItem(atPath: root + "/demo/" + name, toPath: root + "/bcsv")
        try FileManager.default.removeItem(atPath: root + "/demo")
        try FileManager.default.copyItem(atPath: dlf + "real_structs", toPath: root + "/dlf")
        try FileManager.default.removeItem(atPath: root + "/dlf/expected.json")
        try body(root)
    }

    /// What every command tells of a run, with its path taken out.
    func all(_ path: String) throws -> [String] {
        var told: [String] = []
        for arguments in [
            ["cat"], ["cat", "--events"], ["cat", "--meta"], ["cat", "--samples"], ["cat", "--events", "--samples"], ["info"],
            ["info", "--json"], ["validate"], ["validate", "--json"],
        ] {
            let result = try Tool.run(arguments + [path])
            told.append("\(arguments) \(result.code)\n" + result.output + result.errors)
        }
        return told.map { text in
            var lines: [String] = []
            for line in text.replacingOccurrences(of: path, with: "RUN").components(separatedBy: "\n") where !line.hasPrefix("  size") {
                lines.append(line.components(separatedBy: #""size":"#)[0])
            }
            return lines.joined(separator: "\n")
        }
    }

    @Test func `an archive tells the same as the run, whoever made it`() throws {
        try withRuns { root in
            for run in ["bcsv", "dlf"] {
                let path = root + "/" + run
                let expected = try all(path)
                #expect(expected[0].components(separatedBy: "\n").count > 5)
                let made = try Tool.run("archive", path)
                #expect(made.code == 0 && made.errors.isEmpty && made.output.hasPrefix(path + ".tar: "))
                #expect(try all(path + ".tar") == expected)
                #expect(try Tool.run("diff", path, path + ".tar").code == 0)
                for format in ["ustar", "gnu", "pax"] {
                    let other = root + "/other.tar"
                    #expect(try foreign("tar", "-c", "-f", other, "--format=" + format, "-C", root, run).code == 0)
                    #expect(try all(other) == expected)
                }
                // From standard input, and at the top of the archive, where the file has the name.
                #expect(try foreign("tar", "-c", "-f", root + "/\(run).tar", "-C", path, ".").code == 0)
                #expect(try all(path + ".tar") == expected)
                let input = try Tool.run("cat", "-", input: try Data(contentsOf: URL(fileURLWithPath: path + ".tar")))
                #expect(input.code == 0 && expected[0].hasSuffix(input.output))
            }
        }
    }

    @Test func `GNU tar and Python read what archive writes`() throws {
        try withRuns { root in
            for run in ["bcsv", "dlf"] {
                _ = FileManager.default.createFile(atPath: root + "/\(run)/LOCK", contents: Data([0]))
                let made = try Tool.run("archive", root + "/" + run, "-o", root + "/run.tar", "--force", "--json")
                #expect(made.code == 0 && made.errors.contains("note: ") && made.errors.contains("LOCK"))
                let report = try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as! [String: Any]
                #expect(report["closed"] as? Bool == false)
                let names = (report["files"] as! [[String: Any]]).map { $0["name"] as! String }
                #expect(names == (run == "dlf"
                    ? ["LOCK", "meta.dlf", "polled.dlf", "event.dlf"]
                    : ["LOCK", "meta.bcsv", "streams.bcsv", "polled.bcsv", "event.bcsv"]))
                try FileManager.default.createDirectory(atPath: root + "/out", withIntermediateDirectories: false)
                #expect(try foreign("tar", "-x", "-f", root + "/run.tar", "-C", root + "/out").code == 0)
                #expect(try foreign("diff", "-r", root + "/" + run, root + "/out/" + run).code == 0)
                try FileManager.default.removeItem(atPath: root + "/out")
                let script = """
                    import sys, tarfile
                    for member in (archive := tarfile.open(sys.argv[1])):
                        name = sys.argv[2] + '/' + member.name
                        assert archive.extractfile(member).read() == open(name, 'rb').read(), name
                        print(member.name, member.mtime, member.uid, member.gid, oct(member.mode))
                    """
                let read = try foreign("python3", "-c", script, root + "/run.tar", root)
                let lines = read.output.split(separator: "\n")
                #expect(read.code == 0 && lines.count == names.count)
                if run == "dlf" { #expect(lines.last! == "dlf/event.dlf 1763485651 0 0 0o644") }
            }
        }
    }

    @Test func `the same run gives the same bytes, also from an archive and to standard output`() throws {
        try withRuns { root in
            let a = try Tool.run("archive", root + "/bcsv")
            let first = try Data(contentsOf: URL(fileURLWithPath: root + "/bcsv.tar"))
            #expect(a.code == 0 && first.count % 512 == 0)
            #expect(try Tool.run("archive", root + "/bcsv").code == 2)
            #expect(try foreign("touch", root + "/bcsv/meta.bcsv", root + "/bcsv").code == 0)
            #expect(try Tool.run("archive", root + "/bcsv", "--force").code == 0)
            #expect(try Data(contentsOf: URL(fileURLWithPath: root + "/bcsv.tar")) == first)
            #expect(try Tool.run("archive", "-", "-o", root + "/again.tar", input: first).code == 0)
            #expect(try Data(contentsOf: URL(fileURLWithPath: root + "/again.tar")) == first)
            #expect(try foreign("sh", "-c", #""$0" archive "$1" -o - | cmp - "$2""#, Tool.path, root + "/bcsv", root + "/bcsv.tar").code == 0)
            #expect(try Tool.run("archive", "-", input: first).code == 2)
        }
    }

    @Test func `what is no file of the run is left out, what is no run is refused, and nothing is left`() throws {
        try withRuns { root in
            _ = FileManager.default.createFile(atPath: root + "/dlf/notes.txt", contents: Data("x".utf8))
            let made = try Tool.run("archive", root + "/dlf")
            #expect(made.code == 0 && made.errors.contains("notes.txt"))
            #expect(!(try foreign("tar", "-t", "-f", root + "/dlf.tar").output.contains("notes")))
            try FileManager.default.removeItem(atPath: root + "/dlf/polled.dlf")
            let torn = try Tool.run("archive", root + "/dlf", "-o", root + "/torn.tar")
            #expect(torn.code == 1 && torn.errors.contains("found no polled.dlf"))
            #expect(try Tool.run("info", root + "/torn.tar").code == 1)

            let before = try FileManager.default.contentsOfDirectory(atPath: root).sorted()
            #expect(try Tool.run("archive", root).code == 1)
            #expect(try Tool.run("archive", root + "/bcsv/meta.bcsv").code == 1)
            #expect(try Tool.run("archive", root + "/nothing").code == 3)
            #expect(try Tool.run("archive", root + "/dlf", "-o", root + "/none/run.tar").code == 3)
            #expect(try Tool.run("archive", root + "/dlf", "-o", root + "/bcsv", "--force").code == 3)
            #expect(try FileManager.default.contentsOfDirectory(atPath: root).sorted() == before)
        }
    }

    @Test func `list tells archives as well, prune leaves them`() throws {
        try withRuns { root in
            for run in ["bcsv", "dlf"] { #expect(try Tool.run("archive", root + "/" + run).code == 0) }
            let list = try Tool.run("list", "--json", root)
            #expect(list.code == 0 && list.lines.count == 4)
            let objects = try list.lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as! [String: Any] }
            #expect(Set(objects.map { ($0["path"] as! String).replacingOccurrences(of: root, with: "") })
                == ["/bcsv", "/bcsv.tar", "/dlf", "/dlf.tar"])
            #expect(objects.filter { $0["archive"] as? Bool == true }.count == 2)
            #expect(try Tool.run("prune", root, "--keep-bytes", "0").code == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: root).sorted() == ["bcsv.tar", "dlf.tar"])
            #expect(try Tool.run("list", root).output.contains("dlf.tar "))
        }
    }

    // MARK: Archives that lie

    /// An entry with any name and size.
    func entry(_ name: String, _ content: [UInt8], size: [UInt8]? = nil, type: UInt8 = 0x30) -> Data {
        var block = [UInt8](repeating: 0, count: 512)
        block.replaceSubrange(0..<name.utf8.count, with: name.utf8)
        let digits = size ?? Array((String(repeating: "0", count: 11) + String(content.count, radix: 8)).utf8.suffix(11))
        block.replaceSubrange(124..<(124 + digits.count), with: digits)
        block[156] = type
        block.replaceSubrange(257..<265, with: Array("ustar\0".utf8) + [0x30, 0x30])
        for i in 148..<156 { block[i] = 0x20 }
        let sum = block.reduce(0) { $0 + Int($1) }
        block.replaceSubrange(148..<154, with: Array((String(repeating: "0", count: 6) + String(sum, radix: 8)).utf8.suffix(6)))
        return Data(block) + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    func file(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: dlf + "real_structs/" + name))) }

    @Test func `hostile archives are refused or read, and never trap`() throws {
        let root = try Tool.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: root) }
        let path = root + "/run.tar"
        let end = Data(count: 1024)
        let meta = entry("r/meta.dlf", try file("meta.dlf"))
        let polled = try file("polled.dlf")
        let rest = entry("r/polled.dlf", polled) + entry("r/event.dlf", try file("event.dlf"))
        func told(_ data: Data) throws -> Tool.Result {
            try data.write(to: URL(fileURLWithPath: path))
            let cat = try Tool.run("cat", path)
            #expect(cat.code == 0 || cat.code == 1)
            for command in ["cat", "info", "validate"] {
                let result = try Tool.run(command, path)
                #expect(result.code == 0 || result.code == 1, "\(command): \(result.errors)")
            }
            return cat
        }
        let good = try told(meta + rest + end)
        #expect(good.code == 0 && good.lines.count == 11)

        // What is no file of this run does not count.
        let others = entry("r/../meta.dlf", [1, 2]) + entry("r/sub/polled.dlf", [3]) + entry("r/", [], type: 0x35)
            + entry("r/polled.dlf", [], type: 0x32) + entry("polled.dlf", [4]) + entry("x", [UInt8](repeating: 7, count: 3000))
        #expect(try told(others + meta + rest + end) == good)

        // Sizes: 2^63, 2^64 and more, negative, none, and a little too much.
        let eight: [UInt8] = [0x80, 0, 0, 0]
        for size in [
            eight + [0x80, 0, 0, 0, 0, 0, 0, 0], eight + [UInt8](repeating: 0xFF, count: 8), [UInt8](repeating: 0xFF, count: 12),
            [0xBF] + [UInt8](repeating: 0xFF, count: 11), Array("77777777777".utf8), Array("99999999999".utf8),
        ] {
            let result = try told(meta + entry("r/polled.dlf", polled, size: size))
            #expect(result.code == 1 && result.errors.contains("offset "))
            #expect(try told(entry("r/polled.dlf", polled, size: size) + meta + rest).code == 1)
            #expect(try told(entry("long", Array("name".utf8), size: size, type: 0x4C) + meta + rest).code == 1)
            #expect(try told(entry("pax", Array("12 path=x/y\n".utf8), size: size, type: 0x78) + meta + rest).code == 1)
        }
        for pax in ["12 size=-1\n", "9999999999999999999999 path=x\n", "0 path=x\n", "3 path=x\n", "path", "30 size=18446744073709551615\n", "6 pa=x"] {
            _ = try told(meta + entry("pax", Array(pax.utf8), type: 0x78) + rest + end)
        }

        // Twice the same: told, and the first is read.
        let twice = try told(meta + rest + entry("r/polled.dlf", [1, 2, 3]) + end)
        #expect(twice.code == 1 && twice.output == good.output && twice.errors.contains("polled.dlf again"))
        // Two runs.
        let two = try told(meta + rest + entry("s/meta.dlf", try file("meta.dlf")) + end)
        #expect(two.code == 1 && two.errors.contains("second run"))
        // No run.
        #expect(try told(rest + end).errors.contains("expected that of a run"))

        // Cut anywhere. The last file ends at 2955.
        let whole = meta + rest + end
        for count in stride(from: 0, through: whole.count, by: 64) {
            try whole.prefix(count).write(to: URL(fileURLWithPath: path))
            let result = try Tool.run("cat", path)
            #expect(result.code == (count >= 2955 ? 0 : 1), "\(count): \(result.errors)")
            // The samples that are there are told.
            if count > 1024 + 512 + 400, count < 1024 + 512 + 456 { #expect(result.lines.count > 8) }
        }
        // One byte changed anywhere in the headers.
        for at in (0..<512).map({ $0 }) + (1024..<1536).map({ $0 }) where at % 7 == 0 {
            var changed = whole
            changed[at] ^= 0x11
            try changed.write(to: URL(fileURLWithPath: path))
            #expect(try Tool.run("cat", path).code == 1, "\(at)")
        }
    }
}
