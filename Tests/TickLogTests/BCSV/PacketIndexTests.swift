import Testing

@testable import TickLog

@Suite struct PacketIndexTests {
    static func withIndex(_ capacity: Int, _ body: (inout PacketIndex, Table<IndexEntry>) -> Void) {
        let bytes = MemoryLayout<IndexEntry>.stride * capacity
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes + 8, alignment: 8)
        defer { memory.deallocate() }
        memory.storeBytes(of: 0xA5A5, toByteOffset: bytes, as: UInt32.self)
        let entries = Table<IndexEntry>(memory, capacity)
        var index = PacketIndex(entries)
        body(&index, entries)
        #expect(memory.load(fromByteOffset: bytes, as: UInt32.self) == 0xA5A5)
    }

    @Test(arguments: [2, 3, 4, 5, 16, 17, 64]) func `of any number of packets every second, fourth, ... is kept, and each entry is right`(_ capacity: Int) {
        Self.withIndex(capacity) { index, entries in
            for packet in 0..<1000 {
                index.add(offset: UInt64(1000 + 70 * packet), firstRow: UInt64(9 * packet))
                let count = packet + 1
                var step = 1
                while (count + step - 1) / step > capacity { step *= 2 }
                let kept = Array(stride(from: 0, to: count, by: step))
                #expect(index.count == kept.count, "\(count) packets")
                for (i, packet) in kept.enumerated() where i < index.count {
                    #expect(entries[i].offset == UInt(1000 + 70 * packet))
                    #expect(entries[i].firstRow == UInt(9 * packet))
                }
            }
            // At least half of what fits, so that a seek stays short.
            #expect(index.count * 2 >= capacity)
        }
    }

    @Test func `a packet behind 4 GiB has an entry as well`() {
        Self.withIndex(8) { index, entries in
            index.add(offset: 10, firstRow: 0)
            index.add(offset: 1 << 32, firstRow: 1 << 33)
            #expect(index.count == 2)
            #expect(entries[1].offset == 1 << 32 && entries[1].firstRow == 1 << 33)
            index.reset()
            index.add(offset: 77, firstRow: 10)
            #expect(index.count == 1)
        }
    }

    @Test func `a delta file has all its packets in the index, or none`() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: MemoryLayout<IndexEntry>.stride * 3, alignment: 8)
        defer { memory.deallocate() }
        var index = PacketIndex(Table(memory, 3), isThinned: false)
        for packet in 0..<3 { index.add(offset: UInt64(100 + packet), firstRow: UInt64(packet)) }
        #expect(index.count == 3)
        index.add(offset: 200, firstRow: 3)
        #expect(index.count == 0)
        index.add(offset: 300, firstRow: 4)
        #expect(index.count == 0)
    }
}
