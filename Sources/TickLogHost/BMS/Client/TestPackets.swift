import TickLog

/// What a test sender puts into packets; the same for the same seed.
public struct TestPackets {
    /// Of how many sources of one type, in turn.
    public var racks: UInt64 = 4
    /// Words of a packet: 1 to 65536, from offset 0x1000 on, and on behind the last one from 0.
    public var words = 3
    /// Values that nobody can foresee, instead of the packet's number and those behind it.
    public var isRandom = false
    public var seed: UInt64 = 1
    /// Every so many packets one is FULL, the first of them too; 0: none.
    public var fullEvery: UInt64 = 0

    public init() {}

    public static var firstOffset: UInt16 { 0x1000 }

    /// The rack, or the number of the source, of a packet.
    public func rack(_ number: UInt64) -> UInt64 { number % racks }

    public func command(_ number: UInt64) -> DataPacket.Command { fullEvery > 0 && number % fullEvery == 0 ? .full : .diff }

    /// Puts the words of a packet into `memory`, control and data, `4 * words` bytes.
    public func words(_ number: UInt64, in memory: UnsafeMutableRawPointer) -> PacketWords {
        var random = SplitMix64(seed, channel: 0, sequence: number)
        for i in 0..<words {
            let offset = TestPackets.firstOffset &+ UInt16(truncatingIfNeeded: i)
            let value = UInt16(truncatingIfNeeded: isRandom ? random.next() : number &+ UInt64(i))
            memory.storeBytes(of: offset.littleEndian, toByteOffset: 2 * i, as: UInt16.self)
            memory.storeBytes(of: value.littleEndian, toByteOffset: 2 * (words + i), as: UInt16.self)
        }
        return PacketWords(control: UnsafeRawPointer(memory), data: UnsafeRawPointer(memory) + 2 * words, count: words)
    }
}
