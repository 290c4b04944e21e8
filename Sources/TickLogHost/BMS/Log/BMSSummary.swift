import TickLog

/// What a file of packets is, from a walk through all of it.
public struct BMSSummary {
    /// What there is of one source; of legacy Packets, of one rack.
    public struct Source {
        /// A rack's number, or the source's.
        public let number: Int32
        public let type: UInt8?
        public internal(set) var packets: UInt64 = 0
        /// FULLs among them.
        public internal(set) var fulls: UInt64 = 0
        public internal(set) var words: UInt64 = 0

        public var text: String {
            guard let type else { return "rack \(number)" }
            return PacketSource(type: type, id: UInt8(truncatingIfNeeded: number)).text
        }
    }

    public let path: String
    public let size: UInt64
    public let form: BMSFile.Form
    /// The file's number, of a log.
    public private(set) var number: UInt64?
    public private(set) var packets: UInt64 = 0
    public private(set) var words: UInt64 = 0
    /// Packets that are neither DIFF nor FULL.
    public private(set) var others: UInt64 = 0
    /// The server's times of a log's records, in microseconds.
    public private(set) var times: ClosedRange<UInt64>?
    /// The senders' times, of those packets that have one, in seconds.
    public private(set) var sent: ClosedRange<Double>?
    public private(set) var sources: [Source] = []
    /// Sources beyond the 1024 that are listed.
    public private(set) var unlistedSources = false
    public private(set) var damages: [BMSDamage] = []
    public private(set) var damageCount: UInt64 = 0
    public private(set) var damagedBytes: UInt64 = 0
    public private(set) var isTorn = false
    private var lastSource = 0

    public static var mostDamages: Int { 1000 }

    public init(_ file: BMSFile) {
        path = file.path
        size = UInt64(file.file.bytes.count)
        form = file.form
        var walk = BMSWalk(file)
        while let piece = walk.next() {
            switch piece {
            case .packet(let content, _, let time):
                if let time { times = (times?.lowerBound ?? time)...time }
                switch content {
                case .number(let number): self.number = number
                case .data(let packet):
                    guard packet.knownCommand == .diff || packet.knownCommand == .full else {
                        others += 1
                        continue
                    }
                    if case .oldPackets = form {} else { extend(Double(packet.timestamp) / 1e6) }
                    add(Int32(packet.source), packet.type, packet.words.count, full: packet.knownCommand == .full)
                case .legacy(let packet):
                    extend(packet.time)
                    add(packet.rack, nil, packet.words.count, full: false)
                }
            case .damage(let damage):
                damageCount += 1
                damagedBytes += UInt64(damage.range.count)
                if damage.isTorn { isTorn = true }
                if damages.count < BMSSummary.mostDamages { damages.append(damage) }
            }
        }
        sources.sort { ($0.type ?? 0, $0.number) < ($1.type ?? 0, $1.number) }
        withExtendedLifetime(file) {}
    }

    private mutating func extend(_ time: Double) {
        guard time.isFinite else { return }
        sent = min(sent?.lowerBound ?? time, time)...max(sent?.upperBound ?? time, time)
    }

    private mutating func add(_ number: Int32, _ type: UInt8?, _ words: Int, full: Bool) {
        packets += 1
        self.words += UInt64(words)
        // Mostly the packets of one come together.
        if lastSource >= sources.count || sources[lastSource].number != number || sources[lastSource].type != type {
            lastSource = sources.firstIndex { $0.number == number && $0.type == type } ?? sources.count
            if lastSource == sources.count {
                guard sources.count < 1024 else {
                    unlistedSources = true
                    return
                }
                sources.append(Source(number: number, type: type))
            }
        }
        sources[lastSource].packets += 1
        sources[lastSource].fulls += full ? 1 : 0
        sources[lastSource].words += UInt64(words)
    }

    public var faults: [Fault] {
        var faults = damages.map { $0.fault(path) }
        if damageCount > UInt64(damages.count) { faults.append(BMSSummary.more(path, damageCount - UInt64(damages.count))) }
        return faults
    }

    static func more(_ path: String, _ count: UInt64) -> Fault {
        Fault(.damaged, path, at: nil, "found \(count) more places like these, expected packets")
    }
}
