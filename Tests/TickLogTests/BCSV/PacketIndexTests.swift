import Testing

@testable import TickLog

@Suite struct PacketIndexTests {
    static func withIndex(_ capacity: Int, isThinned: Bool = true, _ body: (inout PacketIndex, Table<IndexEntry>) -> Void) {
        let bytes = MemoryLayout<IndexEntry>.stride * capacity
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes + 8, alignment: 8)
        defer { memory.deallocate() }
        memory.storeBytes(of: 0xA5A5, toByteOffset: bytes, as: UInt32.self)
        let entries = Table<IndexEntry>(memory, capacity)
        var index = PacketIndex(entries, isThinned: isThinned)
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

    @Test func `packets behind 4 GiB are in it`() {
        Self.withIndex(8) { index, entries in
            index.add(offset: 1 << 33, firstRow: 1 << 34)
            #expect(index.count == 1)
            #expect(entries[0].offset == 1 << 33)
            #expect(entries[0].firstRow == 1 << 34)
        }
    }

    @Test func `an index that must not be thinned is given up when it is full, until the next file`() {
        Self.withIndex(4, isThinned: false) { index, _ in
            for packet in 0..<4 { index.add(offset: UInt64(10 * packet), firstRow: UInt64(packet)) }
            #expect(index.count == 4)
            index.add(offset: 40, firstRow: 4)
            #expect(index.count == 0)
            index.add(offset: 50, firstRow: 5)
            #expect(index.count == 0)
            index.reset()
            index.add(offset: 60, firstRow: 0)
            #expect(index.count == 1)
        }
    }
}
