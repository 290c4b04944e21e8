import TickLog

/// Messages that came while something else was waited for, in their order.
struct PendingPackets: ~Copyable {
    private var memory = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 16)
    private var capacity = 4096
    private var start = 0
    private var end = 0

    static var most: Int { 16 << 20 }

    deinit { memory.deallocate() }

    var isEmpty: Bool { start == end }

    /// False: there are too many.
    mutating func add(_ packet: DataPacket) -> Bool {
        let bytes = packet.messageBytes
        if end + bytes > capacity {
            let needed = end - start + bytes
            guard needed <= PendingPackets.most else { return false }
            var larger = capacity
            while larger < 2 * needed { larger *= 2 }
            let new = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
            new.copyMemory(from: memory + start, byteCount: end - start)
            memory.deallocate()
            memory = new
            capacity = larger
            end -= start
            start = 0
        }
        packet.store(to: memory + end)
        end += bytes
        return true
    }

    /// The oldest; its words lie here until the next call.
    mutating func take() -> DataPacket? {
        guard start < end, case .packet(let packet, let bytes)? = try? DataPacket.step(FileBytes(start: UnsafeRawPointer(memory), count: end), at: start)
        else { return nil }
        start += bytes
        return packet
    }

    mutating func removeAll() {
        start = 0
        end = 0
    }
}
