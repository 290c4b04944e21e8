import TickLog

/// The packets of one kind as rows: a row a packet with all that is not a sample, or a row a sample, with a column for each
/// channel behind those. A channel's column is 0 where it has fewer samples than another one.
public final class RNOGTable: Table {
    public enum Shape { case packets, samples }

    private let file: RNOGFile
    private let kind: RNOGKind
    private let shape: Shape
    private let salvage: Bool
    private var walk: RNOGWalk?
    private let fields: [RNOGField]
    /// By column: its field, and which of the elements.
    private var places: [(field: Int, index: Int)] = []
    private let record: UnsafeMutableRawPointer
    private var first: RNOGSamples?
    private var second: RNOGSamples?
    /// Of the packet in `record`.
    @exclusivity(unchecked) private var sample = 0
    @exclusivity(unchecked) private var samples = 0
    private var nextRow: UInt64 = 0
    private var unlisted: UInt64 = 0
    /// Packets of other kinds so far.
    public private(set) var others: UInt64 = 0

    public init(_ file: RNOGFile, _ kind: RNOGKind, _ shape: Shape, salvage: Bool) {
        self.file = file
        self.kind = kind
        // Others have no samples.
        self.shape = kind == .waveform || kind == .pedestal ? shape : .packets
        self.salvage = salvage
        fields = kind.fields
        record = .allocate(byteCount: kind.structureBytes, alignment: 16)
        var columns: [Column] = []
        for f in 0..<fields.count {
            for i in 0..<fields[f].count {
                columns.append(fields[f].column(i))
                places.append((f, i))
            }
        }
        if self.shape == .samples {
            columns.append(Column("sample", .u16))
            let isWaveform = kind == .waveform
            for i in 0..<RNOGWaveform.channels { columns.append(Column(isWaveform ? "radiant[\(i)]" : "pedestals[\(i)]", isWaveform ? .i16 : .u16)) }
            if isWaveform { for i in 0..<RNOGWaveform.ltChannels { columns.append(Column("lt[\(i)]", .u8)) } }
        }
        super.init(columns: columns)
        do throws(Fault) { walk = try RNOGWalk(file) } catch { faults.append(error) }
    }

    deinit { record.deallocate() }

    public override func next() -> Bool {
        sample += 1
        if sample < samples { return tell() }
        while let walk, let piece = walk.next() {
            switch piece {
            case .packet(let packet):
                guard packet.kind == kind else {
                    others += 1
                    continue
                }
                packet.load(into: record)
                sample = 0
                samples = 1
                if shape == .samples {
                    first = kind == .waveform ? .radiant(record) : .pedestals(record)
                    second = kind == .waveform ? .lt(record) : nil
                    // A packet without samples has a row too.
                    samples = max(first!.samples, second?.samples ?? 0, 1)
                }
                return tell()
            case .damage(let damage):
                if faults.count < FrameSummary.mostDamages { faults.append(damage.fault(file.path)) } else { unlisted += 1 }
                if !salvage { self.walk = nil }
            }
        }
        if let fault = walk?.fault { faults.append(fault) }
        if unlisted > 0 { faults.append(morePlaces(file.path, unlisted)) }
        unlisted = 0
        walk = nil
        samples = 0
        return false
    }

    private func tell() -> Bool {
        row = nextRow
        nextRow += 1
        return true
    }

    public override func bits(_ column: Int) -> UInt64 {
        if column < places.count { return fields[places[column].field].bits(of: record, places[column].index) }
        if column == places.count { return UInt64(sample) }
        let channel = column - places.count - 1
        guard let first else { return 0 }
        if channel < first.channels { return sample < first.samples ? first.bits(channel, sample) : 0 }
        guard let second else { return 0 }
        return sample < second.samples ? second.bits(channel - first.channels, sample) : 0
    }
}

func morePlaces(_ path: String, _ count: UInt64) -> Fault {
    Fault(.damaged, path, at: nil, "found \(count) more places like these, expected packets")
}
