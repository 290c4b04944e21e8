import Foundation
import Testing
import TickLog
import TickLogHost

@Suite struct DLFReaderTests {
    static let runs = Vectors.names(in: "dlf")

    @Test(arguments: runs) func `polled and event files read as the reference reads them`(_ run: String) throws {
        let expected = try Vectors.json("dlf/\(run)/expected.json")
        for part in ["polled", "event"] {
            let path = "dlf/\(run)/\(part).dlf"
            guard let description = expected[part] as? [String: Any], let samples = description["samples"] as? [[String: Any]]
            else {
                #expect(throws: Fault.self) { try DLFFile(MappedFile(try Vectors.bytes(path), named: path)) }
                continue
            }
            let file = try DLFFile(MappedFile(try Vectors.bytes(path), named: path))
            let table = DLFTable(file)
            var i = 0
            while table.next() {
                for stream in table.sampled where i < samples.count {
                    #expect(stream == samples[i]["i"] as? Int)
                    #expect(table.tick == UInt64(samples[i]["tick"] as! Int))
                    let bytes = try #require(table.sample(of: stream))
                    #expect(bytes.buffer.map { String(format: "%02x", $0) }.joined() == samples[i]["hex"] as? String)
                    i += 1
                }
            }
            #expect(i == samples.count)
            // Of long runs the vector tells the first samples.
            if description["samples_total"] == nil { #expect(!table.next()) }
        }
    }

    @Test func `metadata read as the reference reads them`() throws {
        let bytes = MappedFile(try Vectors.bytes("dlf/real_structs/meta.dlf"), named: "meta.dlf")
        let meta = try DLFMeta(bytes.bytes)
        #expect(meta.epochSeconds == 1_763_485_651)
        #expect(meta.tickMicroseconds == 1000)
        #expect(meta.data.count == 16)
        withExtendedLifetime(bytes) {}
    }

    @Test func `any byte changed is read or refused, and cut anywhere too`() throws {
        for path in ["dlf/real_structs/polled.dlf", "dlf/real_structs/event.dlf"] {
            let bytes = try Vectors.bytes(path)
            for offset in 0..<bytes.count {
                for value: UInt8 in [0, 0x3B, 0x80, 0xFF] {
                    var damaged = bytes
                    damaged[offset] = value
                    if let file = try? DLFFile(MappedFile(damaged, named: path)) {
                        let table = DLFTable(file)
                        while table.next() { for i in 1..<table.columns.count { _ = table.bits(i) } }
                    }
                }
                if let file = try? DLFFile(MappedFile(Array(bytes[..<offset]), named: path)) {
                    let table = DLFTable(file)
                    while table.next() {}
                    #expect(!table.isDamaged)
                }
            }
        }
    }
}
