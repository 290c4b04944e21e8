import Foundation
import Testing

/// What `validate` and `repair` say of DLF files and runs, and how they exit.
@Suite struct DLFRepairCommandTests {
    /// A copy of a vector.
    func run(_ folder: Folder, _ vector: String, locked: Bool = false) throws -> String {
        let path = folder("run")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for name in ["meta.dlf", "polled.dlf", "event.dlf"] {
            _ = try folder.write("run/" + name, Data(contentsOf: URL(fileURLWithPath: Tool.vectors + "/dlf/\(vector)/\(name)")))
        }
        if locked { _ = try folder.write("run/LOCK", Data([0])) }
        return path
    }

    func json(_ result: Tool.Result) throws -> [String: Any] {
        try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as! [String: Any]
    }

    func names(_ path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    @Test func `a torn run with LOCK is repaired beside itself, then in place, then not again`() throws {
        let folder = try Folder()
        let run = try run(folder, "real_structs", locked: true)
        let whole = try folder.data("run/polled.dlf")
        _ = try folder.write("run/polled.dlf", whole.dropLast(3))
        let valid = try Tool.run("validate", run)
        #expect(valid.code == 1 && valid.output.contains("polled.dlf: offset 444: found 9 bytes and the end of the file, expected a sample of 12 bytes, of stream pad at tick 9"))

        let copied = try Tool.run("repair", run, "--json")
        #expect(try copied.code == 0 && names(run) == ["LOCK", "event.dlf", "meta.dlf", "polled.dlf"])
        #expect(try names(run + ".repaired") == ["event.dlf", "meta.dlf", "polled.dlf"])
        let report = try json(copied)
        let polled = try #require((report["files"] as? [[String: Any]])?.first)
        #expect(report["repaired"] as? Bool == true && report["lock_removed"] as? Bool == false)
        #expect(polled["samples"] as? Int == 17 && polled["bytes_cut"] as? Int == 9 && polled["cut_at"] as? Int == 444)
        #expect(polled["tick_span_before"] as? Int == 9 && polled["tick_span"] as? Int == 8)
        #expect(try Tool.run("repair", run).code == 3)

        let result = try Tool.run("repair", "--in-place", run)
        #expect(result.code == 0 && result.output.contains("17 samples kept, tick_span 9 -> 8, 9 bytes from offset 444 on left out"))
        #expect(result.output.contains("LOCK removed"))
        #expect(try names(run) == ["event.dlf", "meta.dlf", "polled.dlf", "polled.dlf.orig"])
        #expect(try folder.data("run/polled.dlf.orig") == whole.dropLast(3))
        #expect(try folder.data("run/polled.dlf") == Data(contentsOf: URL(fileURLWithPath: run + ".repaired/polled.dlf")))
        #expect(try Tool.run("validate", run).output.contains("sound, 42 samples\n"))
        let again = try Tool.run("repair", "--in-place", run)
        #expect(again.code == 0 && again.output.contains("nothing to repair") && !again.output.contains("LOCK"))
        #expect(try Tool.run("repair", run).output.contains("nothing to repair"))
    }

    @Test func `validate tells unclosed from overflowed`() throws {
        let folder = try Folder()
        let run = try run(folder, "real_structs", locked: true)
        var polled = try folder.data("run/polled.dlf")
        polled.replaceSubrange(3..<11, with: Data(count: 8))
        _ = try folder.write("run/polled.dlf", polled)
        let unclosed = try Tool.run("validate", "--json", run)
        #expect(try unclosed.code == 0 && json(unclosed)["closed"] as? Bool == false)
        try FileManager.default.removeItem(atPath: run + "/LOCK")
        let overflowed = try Tool.run("validate", run)
        #expect(overflowed.code == 1 && overflowed.output.contains("offset 3: found tick_span 0, expected 9") && overflowed.output.contains("overflowed"))
        _ = try folder.write("run/polled.dlf", Data())
        #expect(try Tool.run("validate", run).code == 1)
        #expect(try Tool.run("repair", "--in-place", run).output.contains("header made whole, without streams"))
        #expect(try Tool.run("validate", run).code == 0)
    }

    @Test func `what cannot be repaired stays`() throws {
        let folder = try Folder()
        let run = try run(folder, "py_bad_magic", locked: true)
        let before = try names(run)
        for how in [["--in-place"], []] {
            let result = try Tool.run(["repair", run] + how)
            #expect(result.code == 1 && result.errors.contains("big-endian") && result.errors.contains("offset 0"))
        }
        #expect(try Tool.run("validate", run).code == 1)
        #expect(try Tool.run("repair", run + "/polled.dlf").errors.contains("big-endian"))
        let meta = try folder.data("run/meta.dlf")
        _ = try folder.write("run/polled.dlf", Data(contentsOf: URL(fileURLWithPath: Tool.vectors + "/dlf/py_bad_event_index/polled.dlf")))
        _ = try folder.write("run/meta.dlf", meta.dropLast())
        let torn = try Tool.run("repair", "--in-place", run)
        #expect(torn.code == 1 && torn.errors.contains("meta.dlf cannot be made anew"))
        #expect(try Tool.run("validate", run).output.contains("meta.dlf: offset "))
        #expect(try names(run) == before && folder.names == ["run"])
        #expect(try Tool.run("repair", run + "/meta.dlf").code == 1)
    }

    @Test func `single files`() throws {
        let folder = try Folder()
        let run = try run(folder, "py_mixed_1_2_5")
        for name in ["polled.dlf", "event.dlf"] {
            let whole = try folder.data("run/" + name)
            let path = try folder.write(name, whole)
            #expect(try Tool.run("validate", path).code == 0)
            #expect(try Tool.run("repair", path).output.contains("nothing to repair"))
            let cut = try folder.write("cut", whole.dropLast(1))
            #expect(try Tool.run("validate", cut).code == 1)
            #expect(try Tool.run("repair", cut, "-o", folder("out")).code == 0)
            let valid = try json(try Tool.run("validate", "--json", folder("out")))
            #expect(valid["sound"] as? Bool == true && valid["closed"] as? Bool == true)
            #expect(try Tool.run("repair", "--in-place", path).code == 0 && folder.data(name) == whole)
            #expect(try Tool.run("repair", "--in-place", cut).code == 0)
            #expect(try folder.data("cut.orig") == whole.dropLast(1) && folder.data("cut") == folder.data("out"))
            for gone in ["out", "cut", "cut.orig"] { try FileManager.default.removeItem(atPath: folder(gone)) }
        }
        // A sound run is copied as it is if somebody asks for it.
        #expect(try Tool.run("repair", run, "-o", folder("copy")).code == 0)
        for name in try names(run) { #expect(try folder.data("copy/" + name) == folder.data("run/" + name)) }
    }

    @Test func `archives are validated, and not repaired`() throws {
        let folder = try Folder()
        let run = try run(folder, "real_structs")
        _ = try folder.write("run/polled.dlf", folder.data("run/polled.dlf").dropLast(3))
        #expect(try Tool.run("archive", run, "-o", folder("run.tar")).code == 0)
        let valid = try Tool.run("validate", folder("run.tar"))
        #expect(valid.code == 1 && valid.output.contains("polled.dlf: offset 444: found 9 bytes"))
        let repair = try Tool.run("repair", folder("run.tar"))
        #expect(repair.code == 1 && repair.errors.contains("unpack it first"))
        #expect(folder.names == ["run", "run.tar"])
    }
}
