import Testing

@testable import TickLog

@Suite struct BLETests {
    static func stored(_ value: Int) -> [UInt8] {
        withUnsafeTemporaryAllocation(byteCount: 8, alignment: 1) { room in
            let width = BLE.width(value)
            BLE.store(value, width: width, at: room.baseAddress!)
            return Array(room.prefix(width))
        }
    }

    /// The table of spec BCSV, section 3, as far as rows reach.
    static let table: [(value: Int, bytes: [UInt8])] = [
        (0, [0x00]), (13, [0x68]), (31, [0xF8]), (32, [0x01, 0x01]), (8191, [0xF9, 0xFF]), (8192, [0x02, 0x00, 0x01]),
        (1 << 21 - 1, [0xFA, 0xFF, 0xFF]), (1 << 29 - 1, [0xFB, 0xFF, 0xFF, 0xFF]),
    ]

    @Test(arguments: table) func `lengths are stored as the format's table has them`(_ entry: (value: Int, bytes: [UInt8])) {
        #expect(Self.stored(entry.value) == entry.bytes)
    }

    @Test func `the width is the least that holds the value and its three bits, and the value comes back`() {
        var values = Array(0...9000)
        for bit in 10..<29 { values += [1 << bit - 1, 1 << bit, 1 << bit + 1] }
        for value in values {
            let bytes = Self.stored(value)
            #expect(value >> (8 * bytes.count - 3) == 0)
            if bytes.count > 1 { #expect(value >> (8 * (bytes.count - 1) - 3) != 0, "\(value)") }
            #expect(Int(bytes[0] & 7) + 1 == bytes.count)
            let number = bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
            #expect(number >> 3 == value)
            #expect(bytes == NaiveBCSV.lengthInteger(value))
        }
    }

    @Test func `the longest row's length fits the greatest width`() {
        #expect(BLE.width(BCSVFormat.maxRowBytes) <= BLE.maxRowWidth)
    }

    @Test func `the packet's end is a length that no row has`() {
        // The value 0x3FFFFFFF takes five bytes.
        let terminator = NaiveBCSV.little(BCSVFormat.terminator.0) + [BCSVFormat.terminator.1]
        #expect(terminator == NaiveBCSV.lengthInteger(0x3FFF_FFFF))
        #expect(0x3FFF_FFFF > BCSVFormat.maxRowBytes)
    }
}
