import TickLog

/// The headers of a file's frames as rows. `periodic`, `chunk` and `chunks` are 0 if the payload is no chunk; `offset` is
/// where the frame begins.
public final class FrameTable: Table {
    private let file: FrameFile
    private var walk: FrameWalk
    private let salvage: Bool
    private let hasPayload: Bool
    private var nextRow: UInt64 = 0
    private var isEnded = false
    private var unlisted: UInt64 = 0
    /// Behind the current frame, where one can go on.
    private(set) var place: Place
    @exclusivity(unchecked) private var values = [UInt64](repeating: 0, count: 9)
    @exclusivity(unchecked) private var hex: UnsafeMutableRawBufferPointer

    /// Between two frames.
    struct Place {
        var offset = 0
        /// Frames before it.
        var rows: UInt64 = 0
    }

    /// - Parameters:
    ///   - salvage: goes on behind damage.
    ///   - payload: a last column with the payload as hex digits.
    public convenience init(_ file: FrameFile, salvage: Bool, payload: Bool = false) {
        self.init(file, salvage: salvage, payload: payload, from: Place())
    }

    /// The frames behind a place of the same file.
    init(_ file: FrameFile, salvage: Bool, payload: Bool = false, from place: Place) {
        self.file = file
        self.salvage = salvage
        hasPayload = payload
        self.place = place
        nextRow = place.rows
        walk = FrameWalk(file.file.bytes, from: place.offset)
        hex = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        var columns = [
            Column("stream", .u8), Column("sequence", .u64), Column("timestamp_ns", .u64), Column("flags", .u16),
            Column("payload_bytes", .u32), Column("periodic", .u64), Column("chunk", .u32), Column("chunks", .u32),
            Column("offset", .u64),
        ]
        if payload { columns.append(Column("payload", .string)) }
        super.init(columns: columns)
    }

    deinit { hex.deallocate() }

    public override func next() -> Bool {
        while !isEnded, let piece = walk.next() {
            switch piece {
            case .frame(let header, let offset, let payload):
                row = nextRow
                nextRow += 1
                place = Place(offset: offset + FrameHeader.bytes + payload.count, rows: nextRow)
                set(header, offset, payload)
                return true
            case .damage(let damage):
                if faults.count < FrameSummary.mostDamages { faults.append(damage.fault(file.path)) } else { unlisted += 1 }
                if !salvage { isEnded = true }
            }
        }
        isEnded = true
        if unlisted > 0 { faults.append(moreDamages(file.path, unlisted)) }
        unlisted = 0
        return false
    }

    private func set(_ header: FrameHeader, _ offset: Int, _ payload: FileBytes) {
        values[0] = UInt64(header.stream)
        values[1] = header.sequence
        values[2] = header.timestamp
        values[3] = UInt64(header.flags)
        values[4] = UInt64(header.payloadBytes)
        let chunk = ChunkHeader(payload: payload.start, bytes: header.payloadBytes, flags: header.flags)
        values[5] = chunk?.periodic ?? 0
        values[6] = UInt64(chunk?.index ?? 0)
        values[7] = UInt64(chunk?.count ?? 0)
        values[8] = UInt64(offset)
        guard hasPayload else { return }
        if hex.count != 2 * payload.count {
            hex.deallocate()
            hex = .allocate(byteCount: 2 * payload.count, alignment: 1)
        }
        for i in 0..<payload.count {
            hex[2 * i] = hexDigit(payload[i] >> 4)
            hex[2 * i + 1] = hexDigit(payload[i] & 15)
        }
    }

    public override func bits(_ column: Int) -> UInt64 { values[column] }
    public override func text(_ column: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(hex) }
}
