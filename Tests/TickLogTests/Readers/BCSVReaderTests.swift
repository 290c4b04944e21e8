import Foundation
import Testing
import TickLog
import TickLogHost

@Suite struct BCSVReaderTests {
    static let valid = Vectors.names(in: "bcsv").filter {
        $0.hasSuffix(".bcsv") && !$0.contains("_bad_")
    }

    static func expected(_ dataset: String) throws -> [[Cell]] {
        let json = try Vectors.json("bcsv/expected_\(dataset).json")
        let types = (json["columns"] as! [[String: Any]]).map { type(of: $0["type"] as! String) }
        return (json["rows"] as! [[Any]]).map { row in zip(row, types).map { Cell(expected: $0, $1) } }
    }

    static func type(of name: String) -> ValueType {
        switch name {
        case "float": .f32
        case "double": .f64
        case "bool", "string": ValueType(name: name)!
        default: ValueType(name: name.replacingOccurrences(of: "uint", with: "u").replacingOccurrences(of: "int", with: "i"))!
        }
    }

    static func table(_ bytes: [UInt8], salvage: Bool = false) throws -> BCSVTable {
        BCSVTable([try BCSVFile(MappedFile(bytes, named: "vector"))], salvage: salvage)
    }

    @Test(arguments: valid) func `a file of the reference reads as the values that it was written from`(_ name: String) throws {
        let dataset = String(name.split(separator: "_")[1])
        let table = try Self.table(try Vectors.bytes("bcsv/" + name))
        #expect(table.allRows() == (try Self.expected(dataset)))
        #expect(table.faults.isEmpty)
        let summary = FileSummary(try BCSVFile(MappedFile(try Vectors.bytes("bcsv/" + name), named: name)))
        #expect(summary.ending == .closed)
        #expect(!summary.isDamaged)
    }

    /// Four packets of 75 rows.
    static let logger = "bcsv/v15_logger_zoh_packet_lz4_flush75.bcsv"

    @Test func `cut anywhere, a file gives the rows of its whole packets and no others`() throws {
        let bytes = try Vectors.bytes(Self.logger)
        let rows = try Self.expected("logger")
        for length in stride(from: 0, to: bytes.count, by: 7) {
            guard let table = try? Self.table(Array(bytes[..<length])) else {
                #expect(length < 69)  // within the header
                continue
            }
            let read = table.allRows()
            #expect(read.count % 75 == 0)
            #expect(read == Array(rows[..<read.count]))
            #expect(!table.isDamaged)
        }
    }

    @Test func `with any bit flipped behind the header no wrong row is handed out`() throws {
        let bytes = try Vectors.bytes(Self.logger)
        let rows = try Self.expected("logger")
        for offset in stride(from: 69, to: bytes.count, by: 11) {
            var damaged = bytes
            damaged[offset] ^= 1 << UInt8(offset % 8)
            let table = try Self.table(damaged)
            let read = table.allRows()
            #expect(read.count <= rows.count && read == Array(rows[..<read.count]))
            #expect(!table.faults.isEmpty)

            let salvaged = try Self.table(damaged, salvage: true)
            var count = 0
            while salvaged.next() {
                #expect(salvaged.row < 300)
                #expect(salvaged.cells() == rows[Int(min(salvaged.row, 299))])
                count += 1
            }
            #expect(count >= 225, "one packet at most is lost to the bit at \(offset)")
        }
    }

    @Test func `any bytes in the header are read or refused`() throws {
        let bytes = try Vectors.bytes(Self.logger)
        for offset in 0..<69 {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var damaged = bytes
                damaged[offset] = value
                if let table = try? Self.table(damaged, salvage: true) { while table.next() {} }
            }
        }
    }

    @Test func `a file that was never closed is whole but for its footer`() throws {
        let bytes = try Vectors.bytes("bcsv/v15_bad_logger_zoh_packet_lz4_flush75_nofooter.bcsv")
        let summary = FileSummary(try BCSVFile(MappedFile(bytes, named: "vector")))
        #expect(summary.ending == .open)
        #expect(summary.rows == 300)
        #expect(!summary.isDamaged)
    }

    @Test func `a damaged packet is skipped when salvaging and reported with its rows`() throws {
        let bytes = try Vectors.bytes("bcsv/v15_bad_logger_zoh_packet_lz4_flush75_flippayload1.bcsv")
        let table = try Self.table(bytes, salvage: true)
        #expect(table.next())
        #expect(table.row == 75)
        while table.next() {}
        #expect(table.faults.first?.offset == 1533)
        #expect(table.faults.first?.text.contains("rows 0 to 74") == true)
    }
}
