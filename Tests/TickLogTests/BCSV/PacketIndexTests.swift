import Testing

@testable import TickLog

@Suite struct PacketIndexTests {
    static func withIndex(_ capacity: Int, _ body: (inout PacketIndex, Table<IndexEntry>) -> Void) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 8 * capacity + 8, alignment: 8)
        defer { memory.deallocate() }
        memory.storeBytes(of: 0xA5A5, toByteOffset: 8 * capacity, as: UInt32.self)
        let entries = Table<IndexEntry>(memory, capacity)
        var index = PacketIndex(entries)
        body(&index, entries)
        #expect(memory.load(fromByteOffset: 8 * capacity, as: UInt32.self) == 0xA5A5)
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
                    #expect(entries[i].offset == UInt32(1000 + 70 * packet))
                    #expect(entries[i].firstRow == UInt32(9 * packet))
                }
            }
            // At least half of what fits, so that a seek stays short.
            #expect(index.count * 2 >= capacity)
        }
    }

    @Test func `a packet behind 4 GiB takes the index away, until the next file`() {
        Self.withIndex(8) { index, _ in
            index.add(offset: 10, firstRow: 0)
            index.add(offset: UInt64(UInt32.max), firstRow: 5)
            #expect(index.count == 2)
            index.add(offset: 1 << 32, firstRow: 9)
            #expect(index.count == 0)
            index.add(offset: 77, firstRow: 10)
            #expect(index.count == 0)
            index.reset()
            index.add(offset: 77, firstRow: 10)
            #expect(index.count == 1)
        }
    }
}
