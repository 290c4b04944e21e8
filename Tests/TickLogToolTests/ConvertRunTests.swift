import Foundation
import Testing

extension CommandTests {
    /// Runs of other encoders. The last bytes say what a converted run has instead.
    static let wholeRuns = [
        "py_meta_opaque", "py_mixed_1_2_5", "py_opaque_polled", "py_utf8", "real_empty", "real_events", "real_interval0",
        "real_intervals", "real_longid", "real_onetick", "real_primitives", "real_structs",
    ]
    static let tornRuns = ["py_trunc_polled_mid_sample", "real_crash"]

    private func names(_ directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }

    private func file(_ run: String, _ name: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: run + "/" + name))
    }

    /// `a` and `b` compare equal, in words and as JSON.
    private func expectEqual(_ a: String, _ b: String) throws {
        let words = try Tool.run("diff", a, b)
        #expect(words.code == 0, "\(a) \(b): \(words.output) \(words.errors)")
        let json = try object(try Tool.run("diff", a, b, "--json").output)
        #expect(json["equal"] as? Bool == true)
        #expect((json["different"] as? [String]) == [])
    }

    @Test(arguments: wholeRuns + tornRuns) func `a run of DLF becomes one of BCSV and the same again`(_ name: String) throws {
        let folder = try Folder()
        let origin = dlf + name
        let there = try Tool.run("convert", origin, folder("bcsv") + "/")
        #expect(there.code == 0, "\(there.errors)")
        #expect(names(folder("bcsv")) == ["dlf.bcsv", "event.bcsv", "meta.bcsv", "polled.bcsv", "streams.bcsv"])
        #expect(try Tool.run("validate", folder("bcsv")).code == 0)
        try expectEqual(origin, folder("bcsv"))

        #expect(try Tool.run("convert", folder("bcsv"), folder("back"), "--format", "dlf").code == 0)
        #expect(names(folder("back")) == ["event.dlf", "loss.dlf", "meta.dlf", "polled.dlf"])
        try expectEqual(folder("bcsv"), folder("back"))
        try expectEqual(origin, folder("back"))
        #expect(try Tool.run("validate", folder("back")).code == 0)

        // The polled file alone: without events or ticks JSON Lines has no row, and so no columns.
        let polled = origin + "/polled.dlf"
        for out in ["polled.bcsv", "polled.csv", "polled.jsonl"] {
            #expect(try Tool.run("convert", polled, folder(out)).code == 0)
            if try folder.data(out).isEmpty { continue }
            let compared = try Tool.run("diff", polled, folder(out))
            #expect(compared.code == 0, "\(out): \(compared.output) \(compared.errors)")
        }

        // A copy of each.
        #expect(try Tool.run("convert", origin, folder("copy"), "--format", "dlf").code == 0)
        #expect(try Tool.run("convert", folder("bcsv"), folder("copied"), "--format", "bcsv").code == 0)
        try expectEqual(folder("copied"), origin)
        for file in ["meta.dlf", "polled.dlf", "event.dlf", "loss.dlf"] {
            #expect(try self.file(folder("copy"), file) == self.file(folder("back"), file), "\(file)")
        }
        #expect(names(folder.path).filter { $0.hasPrefix(".") }.isEmpty)

        guard CommandTests.wholeRuns.contains(name) else { return }
        for file in ["meta.dlf", "polled.dlf", "event.dlf"] {
            // Interval 0 is stored as 1.
            if name == "real_interval0", file == "polled.dlf" { continue }
            #expect(try self.file(origin, file) == self.file(folder("back"), file), "\(file)")
        }
    }

    @Test func `a changed byte of a run is found, wherever it is`() throws {
        let folder = try Folder()
        let origin = dlf + "real_structs"
        #expect(try Tool.run("convert", origin, folder("b"), "--format", "bcsv").code == 0)
        for name in ["meta.dlf", "polled.dlf", "event.dlf"] {
            let bytes = try file(origin, name)
            // Behind the magic and, in the others, tick_span, which is no data.
            for at in stride(from: name == "meta.dlf" ? 2 : 11, to: bytes.count, by: name == "meta.dlf" ? 1 : 13) {
                let changed = folder("changed")
                try? FileManager.default.removeItem(atPath: changed)
                try FileManager.default.copyItem(atPath: origin, toPath: changed)
                var copy = bytes
                copy[at] ^= 0x01
                try copy.write(to: URL(fileURLWithPath: changed + "/" + name))
                #expect(try Tool.run("diff", changed, folder("b")).code == 1, "\(name) at \(at)")
            }
        }
    }

    @Test func `diff says which part differs`() throws {
        let folder = try Folder()
        let origin = dlf + "real_intervals"
        func changed(_ name: String, _ change: (inout Data) -> Void) throws -> [String] {
            try? FileManager.default.removeItem(atPath: folder("c"))
            try FileManager.default.copyItem(atPath: origin, toPath: folder("c"))
            var bytes = try file(origin, name)
            change(&bytes)
            try bytes.write(to: URL(fileURLWithPath: folder("c") + "/" + name))
            return try object(try Tool.run("diff", origin, folder("c"), "--json").output)["different"] as! [String]
        }
        #expect(try changed("meta.dlf") { $0[2] ^= 1 } == ["metadata"])
        #expect(try changed("polled.dlf") { $0[$0.count - 1] ^= 1 } == ["polled"])
        #expect(try changed("polled.dlf") { $0.removeLast(4) } == ["polled", "losses"])
        // The name of a stream.
        #expect(try changed("polled.dlf") { $0[22] ^= 1 } == ["streams", "polled"])
        #expect(try Tool.run("diff", origin, dlf + "real_structs").code == 1)
        let words = try Tool.run("diff", origin, folder("c")).output
        #expect(words.contains("different: "))
    }

    @Test func `what was printed of a run becomes a run`() throws {
        let folder = try Folder()
        for name in ["real_structs", "py_mixed_1_2_5", "real_primitives", "real_intervals", "real_events"] {
            for part in [[], ["--events"]] {
                for text in ["csv", "jsonl"] {
                    let table = try folder.write("t.\(text)", try Tool.run(["cat", dlf + name, "--format", text] + part).output)
                    if try folder.data("t.\(text)").isEmpty { continue }
                    for format in ["bcsv", "dlf"] {
                        let result = try Tool.run("convert", table, folder("run"), "--format", format, "--force")
                        // Bytes without a meaning are text.
                        if name == "real_structs", part != [], format == "dlf" {
                            #expect(result.code == 1 && result.errors.contains("'blob'"))
                            continue
                        }
                        #expect(result.code == 0, "\(name) \(text) \(format): \(result.errors)")
                        #expect(try Tool.run("validate", folder("run")).code == 0)
                        let diff = try Tool.run(["diff", table, folder("run")] + part)
                        #expect(diff.code == 0, "\(name) \(text) \(format) \(part): \(diff.output)\(diff.errors)")
                    }
                }
            }
        }
    }

    @Test func `the schedule of a table is that of its ticks, and ticks that are missing are lost`() throws {
        let folder = try Folder()
        let csv = try folder.write("t.csv", "tick,a.x,a.y,b\n12,1,-1,0.5\n22,2,-2,1.5\n42,3,-3,2.5\n")
        for format in ["bcsv", "dlf"] {
            let made = try Tool.run("convert", csv, folder(format), "--format", format, "--tick-ns", "2000", "--epoch-ns", "3000000000")
            #expect(made.code == 0, "\(made.errors)")
            #expect(made.errors.contains("4 samples"))
            let info = try object(try Tool.run("info", "--json", folder(format)).output)
            #expect(info["tick_ns"] as? Int == 2000)
            let samples = try Tool.run("cat", folder(format), "--samples").lines.filter { $0.contains("\"a\"") }
            // DLF fills what is lost: 2 with zeros, 32 with the last sample.
            let lost = format == "dlf" ? ["2,\"value\":{\"x\":0,\"y\":0}}", "32,\"value\":{\"x\":2,\"y\":-2}}"] : []
            let expected = ["12,\"value\":{\"x\":1,\"y\":-1}}", "22,\"value\":{\"x\":2,\"y\":-2}}", "42,\"value\":{\"x\":3,\"y\":-3}}"] + lost
            #expect(Set(samples) == Set(expected.map { "{\"stream\":\"a\",\"tick\":" + $0 }), "\(format)")
        }
        try expectEqual(folder("bcsv"), folder("dlf"))
        #expect(try Tool.run("convert", folder("bcsv"), folder("d2"), "--format", "dlf").code == 0)
        #expect(try file(folder("d2"), "polled.dlf") == file(folder("dlf"), "polled.dlf"))
        #expect(try file(folder("d2"), "loss.dlf") == file(folder("dlf"), "loss.dlf"))
    }

    @Test func `what a run cannot be made of is refused, and nothing is left`() throws {
        let folder = try Folder()
        let tables: [(String, String, [String])] = [
            ("x\n1\n", "tick", []), ("tick,x\n1,1\n1,2\n", "expected more than 1", []), ("tick,x\n-1,1\n", "negative", []),
            ("tick,x\n0.5,1\n", "whole numbers", []), ("tick,x\n1,a\n", "string", ["--format", "dlf"]),
            ("tick,x\n0,1\n1,2\n1000000000000000,3\n", "DLF has to fill them", ["--format", "dlf"]),
            ("tick,x\n1,1\n", "microseconds", ["--format", "dlf", "--tick-ns", "1500"]),
        ]
        for (text, error, options) in tables {
            let csv = try folder.write("t.csv", text)
            let result = try Tool.run(["convert", csv, folder("run") + "/"] + options)
            #expect(result.code == 1 && result.errors.contains(error), "\(text): \(result.errors)")
            #expect(folder.names == ["t.csv"])
        }
        for name in ["py_bad_event_index", "py_bad_magic", "py_trunc_header", "py_zero_bytes"] {
            #expect(try Tool.run("convert", dlf + name, folder("run") + "/").code == 1)
            #expect(folder.names == ["t.csv"])
        }
        // What stands before the damage, if it is wanted.
        #expect(try Tool.run("convert", dlf + "py_bad_event_index", folder("run") + "/", "--salvage").code == 1)
        #expect(try Tool.run("cat", folder("run"), "--events").code == 0)
    }

    @Test func `only a run is replaced, and only if it may be`() throws {
        let folder = try Folder()
        let (origin, out) = (dlf + "real_intervals", folder("run"))
        #expect(try Tool.run("convert", origin, out, "--format", "dlf").code == 0)
        let other = try Tool.run("convert", dlf + "real_events", out, "--format", "bcsv")
        #expect(other.code == 2 && other.errors.contains("--force"))
        #expect(names(out).contains("polled.dlf"))
        #expect(try Tool.run("convert", dlf + "real_events", out, "--format", "bcsv", "--force").code == 0)
        #expect(!names(out).contains("polled.dlf") && names(out).contains("polled.bcsv"))
        try expectEqual(dlf + "real_events", out)
        _ = try folder.write("run/mine.txt", "mine")
        #expect(try Tool.run("convert", origin, out, "--format", "bcsv", "--force").code == 2)
        _ = try folder.write("file", "mine")
        #expect(try Tool.run("convert", origin, folder("file"), "--format", "bcsv", "--force").code == 2)
        // Onto itself.
        try FileManager.default.removeItem(atPath: out + "/mine.txt")
        #expect(try Tool.run("convert", out, out, "--format", "dlf", "--force").code == 0)
        try expectEqual(dlf + "real_events", out)
        #expect(folder.names == ["file", "run"])
    }

    @Test func `a run in an archive converts as its directory does`() throws {
        let folder = try Folder()
        #expect(try Tool.run("archive", dlf + "real_structs", "-o", folder("r.tar")).code == 0)
        #expect(try Tool.run("convert", folder("r.tar"), folder("b"), "--format", "bcsv").code == 0)
        #expect(try Tool.run("archive", folder("b"), "-o", folder("b.tar")).code == 0)
        #expect(try Tool.run("convert", folder("b.tar"), folder("d"), "--format", "dlf").code == 0)
        #expect(try file(folder("d"), "polled.dlf") == file(dlf + "real_structs", "polled.dlf"))
        try expectEqual(folder("r.tar"), folder("b.tar"))
    }

    /// A polled file of one stream of eight bytes.
    private func bigRun(_ folder: Folder, samples: Int) throws -> String {
        let run = folder("big")
        try FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: true)
        func number<N: FixedWidthInteger>(_ number: N) -> Data { withUnsafeBytes(of: number.littleEndian) { Data($0) } }
        let head = number(UInt16(0x8414))
        let span = number(UInt64(samples - 1))
        try (head + number(UInt32(0)) + number(UInt32(1000)) + Data("meta\0".utf8) + number(UInt32(0))).write(to: URL(fileURLWithPath: run + "/meta.dlf"))
        try (head + Data([1]) + span + number(UInt16(0))).write(to: URL(fileURLWithPath: run + "/event.dlf"))
        var polled = head + Data([0]) + span + number(UInt16(1)) + Data("uint64_t\0n\0\0".utf8) + number(UInt32(8)) + number(UInt64(1)) + number(UInt64(0))
        var random = Data(capacity: samples * 8)
        var state: UInt64 = 1
        for _ in 0..<samples {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            random += number(state)
        }
        polled += random
        try polled.write(to: URL(fileURLWithPath: run + "/polled.dlf"))
        return run
    }

    @Test func `neither a full disk nor a signal leaves a part of a run`() throws {
        let folder = try Folder()
        let run = try bigRun(folder, samples: 200_000)
        for format in ["bcsv", "dlf"] {
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/bin/sh")
            // In blocks of 512 bytes, or of 1024.
            shell.arguments = ["-c", "ulimit -f 100; exec timeout 60 \"$0\" convert \"$1\" \"$2\" --format \(format) --file-codec packet 2>\"$3\"", Tool.path, run, folder("out"), folder("log")]
            try shell.run()
            shell.waitUntilExit()
            #expect(shell.terminationStatus == 3, "\(format)")
            #expect(folder.names == ["big", "log"], "\(format)")
        }
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: Tool.path)
            process.arguments = ["convert", run, folder("out"), "--format", "bcsv", "--level", "9"]
            process.standardError = FileHandle.nullDevice
            try process.run()
            let end = Date().addingTimeInterval(20)
            // Until it has begun to write.
            while process.isRunning, Date() < end, !folder.names.contains(where: { $0.hasPrefix(".ticklog-") }) {}
            kill(process.processIdentifier, number)
            process.waitUntilExit()
            #expect(folder.names.filter { $0.hasPrefix(".") }.isEmpty)
            if process.terminationReason == .uncaughtSignal { #expect(!folder.names.contains("out")) }
            try? FileManager.default.removeItem(atPath: folder("out"))
        }
    }

    @Test func `a stream's index may be any number`() throws {
        let folder = try Folder()
        #expect(try Tool.run("convert", dlf + "real_intervals", folder("run"), "--format", "bcsv").code == 0)
        let rows = try Tool.run("cat", folder("run") + "/streams.bcsv").lines
        let changed = [rows[0], "18446744073709551615" + rows[1].dropFirst(1)] + rows.dropFirst(2)
        _ = try folder.write("streams.csv", Data((changed.joined(separator: "\n") + "\n").utf8))
        let types = "stream_index:u64,stream:string,field:string,kind:string,type:string,unit:string,notes:string,interval:u64,phase:u64"
        #expect(try Tool.run("convert", folder("streams.csv"), folder("run") + "/streams.bcsv", "--types", types, "--force").code == 0)
        let converted = try Tool.run("convert", folder("run"), folder("out"), "--format", "dlf")
        #expect(converted.code == 0, "\(converted.errors)")
    }
}
