/// CRC-32 as zlib and MCAP have it (polynomial 0x04C11DB7, reflected), eight bytes at a time.
final class CRC32 {
    /// Eight tables of 256, one behind the other.
    private let tables: UnsafeMutablePointer<UInt32>

    init() {
        tables = .allocate(capacity: 2048)
        for i in 0..<256 {
            var value = UInt32(i)
            for _ in 0..<8 { value = value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
            (tables + i).initialize(to: value)
        }
        for i in 256..<2048 {
            let before = tables[i - 256]
            (tables + i).initialize(to: before >> 8 ^ tables[Int(before & 0xFF)])
        }
    }

    deinit { tables.deallocate() }

    /// Goes on from the checksum of what was before; 0 of nothing.
    func update(_ before: UInt32, _ bytes: UnsafeRawPointer, _ count: Int) -> UInt32 {
        var crc = ~before
        var at = bytes
        let end = bytes + count
        @inline(__always) func table(_ number: Int, _ byte: UInt32) -> UInt32 { tables[number &* 256 &+ Int(byte & 0xFF)] }
        while end - at >= 8 {
            let low = UInt32(littleEndian: at.loadUnaligned(as: UInt32.self)) ^ crc
            let high = UInt32(littleEndian: at.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
            crc = table(7, low) ^ table(6, low >> 8) ^ table(5, low >> 16) ^ table(4, low >> 24)
                ^ table(3, high) ^ table(2, high >> 8) ^ table(1, high >> 16) ^ table(0, high >> 24)
            at += 8
        }
        while at < end {
            crc = crc >> 8 ^ table(0, crc ^ UInt32(at.load(as: UInt8.self)))
            at += 1
        }
        return ~crc
    }
}
