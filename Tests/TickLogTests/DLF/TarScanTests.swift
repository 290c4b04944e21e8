import CTickLog
import Foundation
import Testing
import TickLog

@Suite struct TarScanTests {
    /// A header with its checksum.
    static func header(
        _ name: String, size: String, kind: Character = "0", prefix: String = "", magic: [UInt8] = Array("ustar\0".utf8) + [0x30, 0x30]
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: [UInt8], _ at: Int) { block.replaceSubrange(at..<at + text.count, with: text) }
        put(Array(name.utf8), 0)
        put(Array("0000644\0".utf8), 100)
        put(Array(size.utf8), 124)
        put(Array("        ".utf8), 148)
        block[156] = kind.asciiValue!
        put(magic, 257)
        put(Array(prefix.utf8), 345)
        return summed(block)
    }

    static func summed(_ block: [UInt8]) -> [UInt8] {
        var block = block
        block.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = block.reduce(0) { $0 + Int($1) }
        block.replaceSubrange(148..<156, with: Array(String(format: "%06o", sum).utf8) + [0, 0x20])
        return block
    }

    static func file(_ name: String, _ bytes: [UInt8], kind: Character = "0", prefix: String = "") -> [UInt8] {
        let padding = (512 - bytes.count % 512) % 512
        return header(name, size: String(format: "%011o", bytes.count), kind: kind, prefix: prefix) + bytes
            + [UInt8](repeating: 0, count: padding)
    }

    static let end = [UInt8](repeating: 0, count: 1024)

    /// Where a file is, by the C function; mapped and by callbacks the same.
    static func find(_ archive: [UInt8], _ name: String) -> (status: ticklog_status, bytes: [UInt8]?) {
        var results: [(ticklog_status, UInt64, UInt64)] = []
        for mapped in [true, false] {
            let source = DLFFunctionTests.File(archive)
            archive.withUnsafeBytes { bytes in
                var config = ticklog_source()
                config.size = UInt32(MemoryLayout<ticklog_source>.size)
                config.bytes = UInt64(archive.count)
                config.context = Unmanaged.passUnretained(source).toOpaque()
                if mapped { config.mapped = bytes.baseAddress }
                config.read = { context, offset, bytes, count in
                    let file = Unmanaged<DLFFunctionTests.File>.fromOpaque(context!).takeUnretainedValue()
                    precondition(offset <= file.bytes.count && UInt64(count) <= UInt64(file.bytes.count) - offset)
                    file.bytes.withUnsafeBytes { bytes!.copyMemory(from: $0.baseAddress! + Int(offset), byteCount: Int(count)) }
                    return TICKLOG_OK
                }
                var offset: UInt64 = 0, count: UInt64 = 0
                let status = ticklog_archive_find(&config, name, &offset, &count)
                results.append((status, offset, count))
            }
        }
        // An empty array has no address.
        if !archive.isEmpty { #expect(results[0] == results[1]) }
        let (status, offset, count) = results[1]
        return (status, status == TICKLOG_OK ? Array(archive[Int(offset)..<Int(offset + count)]) : nil)
    }

    static let content = [UInt8](0..<200)

    @Test func `a file is found by the last part of its name`() {
        let archive = Self.file("run/", [], kind: "5") + Self.file("run/meta.dlf", [1, 2, 3])
            + Self.file("run/polled.dlf.orig", [9]) + Self.file("run/POLLED.DLF", Self.content) + Self.file("run/LOCK", [0])
            + Self.end
        #expect(Self.find(archive, "polled.dlf").bytes == Self.content)
        #expect(Self.find(archive, "Meta.dlf").bytes == [1, 2, 3])
        #expect(Self.find(archive, "lock").bytes == [0])
        #expect(Self.find(archive, "run").status == TICKLOG_NOT_FOUND)
        #expect(Self.find(archive, "event.dlf").status == TICKLOG_NOT_FOUND)
        // Links, directories and what stands behind the end are no files.
        #expect(Self.find(Self.file("a", [1]) + Self.file("b", [], kind: "2") + Self.end + Self.file("c", [1]), "b").status == TICKLOG_NOT_FOUND)
        #expect(Self.find(Self.file("a", [1]) + Self.end + Self.file("c", [1]), "c").status == TICKLOG_NOT_FOUND)
    }

    @Test func `long names, of each kind`() {
        let long = String(repeating: "directory/", count: 40)
        #expect(Self.find(Self.file("event.dlf", Self.content, prefix: long.prefix(99).description) + Self.end, "event.dlf").bytes == Self.content)
        // GNU's record, whose file has only the beginning of its name.
        let gnu = Self.file("././@LongLink", Array((long + "event.dlf\0").utf8), kind: "L") + Self.file(String(long.prefix(100)), Self.content)
        #expect(Self.find(gnu + Self.end, "event.dlf").bytes == Self.content)
        // pax, with other lines before.
        func line(_ text: String) -> String {
            var count = text.utf8.count + 3
            while "\(count) \(text)\n".utf8.count != count { count += 1 }
            return "\(count) \(text)\n"
        }
        let pax = Self.file("PaxHeader", Array((line("mtime=1.5") + line("path=\(long)event.dlf")).utf8), kind: "x")
        #expect(Self.find(pax + Self.file("other", Self.content) + Self.end, "event.dlf").bytes == Self.content)
        #expect(Self.find(pax + Self.file("other", Self.content) + Self.file("third", [1]) + Self.end, "third").bytes == [1])
        let sized = Self.file("PaxHeader", Array(line("size=200").utf8), kind: "x")
        let cut = Self.header("event.dlf", size: "00000000000") + Self.content + [UInt8](repeating: 0, count: 312)
        #expect(Self.find(sized + cut + Self.file("third", [1]) + Self.end, "third").bytes == [1])
        #expect(Self.find(sized + cut, "event.dlf").bytes == Self.content)
        // Of all files.
        let global = Self.file("g", Array(line("path=x").utf8), kind: "g")
        #expect(Self.find(global + Self.file("event.dlf", [7]), "event.dlf").bytes == [7])
    }

    @Test func `sizes in base 256`() {
        var block = Self.header("event.dlf", size: "00000000000")
        block.replaceSubrange(124..<136, with: [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200])
        #expect(Self.find(Self.summed(block) + Self.content, "event.dlf").bytes == Self.content)
        for bad: [UInt8] in [[0xFF, 0xFF], [0x80, 1], [0x80, 0, 0, 0, 0x80], [0x39, 0x39]] {
            block.replaceSubrange(124..<124 + bad.count, with: bad)
            #expect(Self.find(Self.summed(block) + Self.content, "event.dlf").status == TICKLOG_DAMAGED)
        }
    }

    @Test func `what is no archive is refused, and damage is told`() {
        #expect(Self.find([], "a").status == TICKLOG_WRONG_FORMAT)
        #expect(Self.find(Self.content, "a").status == TICKLOG_WRONG_FORMAT)
        #expect(Self.find(Self.end, "a").status == TICKLOG_WRONG_FORMAT)
        #expect(Self.find(Self.header("a", size: "00000000000", magic: [0x75]), "a").status == TICKLOG_WRONG_FORMAT)
        let archive = Self.file("a", [1]) + Self.file("b", Self.content)
        for length in 0..<archive.count {
            let status = Self.find(Array(archive[..<length]), "b").status
            if length < 512 {
                #expect(status == TICKLOG_WRONG_FORMAT)
            } else if length == 512 {
                #expect(status == TICKLOG_DAMAGED)
            } else if length < 1024 {
                // Without its padding, the last file is whole.
                #expect(status == TICKLOG_NOT_FOUND)
            } else {
                #expect(status == (length == 1024 ? TICKLOG_NOT_FOUND : length < 1536 + 200 ? TICKLOG_DAMAGED : TICKLOG_OK))
            }
        }
        for offset in 0..<512 {
            var damaged = archive
            damaged[1024 + offset] ^= 0x11
            #expect(Self.find(damaged, "b").status == TICKLOG_DAMAGED, "offset \(offset)")
        }
    }

    @Test func `any bytes end`() {
        var random = SeededRandom()
        print("seed", random.seed)
        let archive = Self.file("x", Array("30 path=a\n".utf8), kind: "x") + Self.file("a", [1]) + Self.file("b", Self.content)
        for _ in 0..<3000 {
            var damaged = archive
            for _ in 0..<4 { damaged[random.below(archive.count)] = random.pick([0, 0x30, 0x37, 0x80, 0xFF, 0x78, 0x4C]) }
            for start in [0, 1024, 2048] {
                damaged.replaceSubrange(start..<start + 512, with: Self.summed(Array(damaged[start..<start + 512])))
            }
            _ = Self.find(damaged, "b")
        }
    }
}
