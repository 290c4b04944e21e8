import TickLog

/// The words of packets as rows, one for each, as they came: of DIFFs and FULLs alike (time, src_type, src_id, offset,
/// value), of legacy Packets (time, rack, offset, value). `time` is the sender's, in seconds since the Unix epoch.
public class PacketTable: Table {
    private var words = PacketWords()
    private var index = 0
    private var nextRow: UInt64 = 0
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
    private let isLegacy: Bool

    init(legacy: Bool) {
        isLegacy = legacy
        let columns = PacketTable.columns(legacy: legacy)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: 64)
        let places = (memory + 32).bindMemory(to: UInt32.self, capacity: 5)
        var place: UInt32 = 0
        for i in 0..<columns.count {
            // A value lies at a multiple of its size.
            let size = UInt32(columns[i].type.size)
            place = (place + size - 1) / size * size
            places[i] = place
            place += size
        }
        super.init(columns: columns)
        parts = RowParts(scalars: UnsafeRawPointer(memory), others: UnsafeRawPointer(memory), places: UnsafePointer(places))
    }

    deinit { memory.deallocate() }

    static func columns(legacy: Bool) -> [Column] {
        legacy
            ? [Column("time", .f64), Column("rack", .i32), Column("offset", .i32), Column("value", .i32)]
            : [Column("time", .f64), Column("src_type", .u8), Column("src_id", .u8), Column("offset", .u16), Column("value", .u16)]
    }

    /// Finds the next packet and sets it; false at the end.
    func advance() -> Bool { false }

    /// What is neither DIFF nor FULL has no rows.
    final func set(_ packet: DataPacket) {
        index = 0
        words = PacketWords()
        guard packet.knownCommand == .diff || packet.knownCommand == .full else { return }
        memory.storeBytes(of: Double(packet.timestamp) / 1e6, as: Double.self)
        memory.storeBytes(of: packet.type, toByteOffset: 8, as: UInt8.self)
        memory.storeBytes(of: packet.source, toByteOffset: 9, as: UInt8.self)
        words = packet.words
    }

    final func set(_ packet: LegacyPacket) {
        memory.storeBytes(of: packet.time, as: Double.self)
        memory.storeBytes(of: packet.rack, toByteOffset: 8, as: Int32.self)
        words = packet.words
        index = 0
    }

    public override func next() -> Bool {
        while index == words.count {
            index = 0
            words = PacketWords()
            guard advance() else { return false }
        }
        if isLegacy {
            memory.storeBytes(of: Int32(words.offset(index)), toByteOffset: 12, as: Int32.self)
            memory.storeBytes(of: Int32(words.value(index)), toByteOffset: 16, as: Int32.self)
        } else {
            memory.storeBytes(of: words.offset(index), toByteOffset: 10, as: UInt16.self)
            memory.storeBytes(of: words.value(index), toByteOffset: 12, as: UInt16.self)
        }
        index += 1
        row = nextRow
        nextRow += 1
        return true
    }

    public override func bits(_ column: Int) -> UInt64 {
        if column == 0 { return memory.load(as: UInt64.self) }
        if isLegacy { return UInt64(truncatingIfNeeded: memory.load(fromByteOffset: 4 + 4 * column, as: Int32.self)) }
        switch column {
        case 1, 2: return UInt64(memory.load(fromByteOffset: 7 + column, as: UInt8.self))
        default: return UInt64(memory.load(fromByteOffset: 4 + 2 * column, as: UInt16.self))
        }
    }
}
