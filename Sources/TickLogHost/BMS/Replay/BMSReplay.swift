import TickLog

/// A log from its beginning up to a moment, one packet after the other.
public final class BMSReplay {
    public enum Packet {
        case data(DataPacket)
        case legacy(LegacyPacket)
    }

    public let kind: LogFileHeader.Kind
    public private(set) var packets: UInt64 = 0
    public private(set) var words: UInt64 = 0
    /// As `timestamp`, of the first packet.
    public private(set) var firstTimestamp: UInt64 = 0
    /// The server's time of the current packet, in microseconds since the Unix epoch.
    public private(set) var timestamp: UInt64 = 0
    /// Behind the last record that was read.
    public private(set) var position = LogPosition(number: 0, offset: 0)
    /// The record of the current packet.
    private(set) var record: LogWalk.Record?
    private let reader: BMSLogReader
    private let until: UInt64
    private let source: PacketSource?
    private var isEnded = false

    public var path: String { reader.path }
    /// The log's torn end, which is no damage.
    public var torn: Fault? { reader.torn }

    /// - Parameters:
    ///   - path: of the newest file, or of the one that the log's files with numbers are named after.
    ///   - until: packets that the server logged later are left out.
    ///   - source: packets of others are left out. A legacy Packet's source is its rack.
    public init(_ path: String, until: UInt64? = nil, source: PacketSource? = nil) throws(Fault) {
        reader = try BMSLogReader(path)
        kind = reader.kind
        self.until = until ?? UInt64.max
        self.source = source
    }

    /// The next packet; its words stay until the next call. Nil at the end.
    public func next() throws(Fault) -> Packet? {
        while !isEnded {
            position = reader.position
            guard let record = try reader.next(), record.timestamp <= until else { break }
            self.record = record
            position = reader.position
            guard let packet = try packet(record) else { continue }
            timestamp = record.timestamp
            if packets == 0 { firstTimestamp = timestamp }
            packets += 1
            switch packet {
            case .data(let packet): words += UInt64(packet.words.count)
            case .legacy(let packet): words += UInt64(packet.words.count)
            }
            return packet
        }
        isEnded = true
        return nil
    }

    private func packet(_ record: LogWalk.Record) throws(Fault) -> Packet? {
        do throws(FormatError) {
            switch kind {
            case .dataPackets:
                let packet = try DataPacket(body: record.payload)
                guard packet.knownCommand == .diff || packet.knownCommand == .full, source == nil || source == PacketSource(packet) else {
                    return nil
                }
                return .data(packet)
            case .legacyPackets:
                guard case .packet(let packet, record.payload.count) = try LegacyPacket.step(record.payload) else {
                    throw FormatError(
                        .message, at: 12, expected: "the count of words that the size tells", found: .number(UInt64(record.payload.u32(at: 12))))
                }
                if let source {
                    guard source.type == DataPacket.SourceType.rack.rawValue, packet.rack == Int32(source.id) else { return nil }
                }
                return .legacy(packet)
            }
        } catch {
            throw Fault(.damaged, path, at: Int(clamping: record.position.offset), "in the record's payload at \(error.offset): " + Fault(error, "").text)
        }
    }
}

/// The rows of a whole log.
public final class ReplayTable: PacketTable {
    private let replay: BMSReplay

    public init(_ replay: BMSReplay) {
        self.replay = replay
        super.init(legacy: replay.kind == .legacyPackets)
    }

    override func advance() -> Bool {
        do throws(Fault) {
            guard let packet = try replay.next() else {
                if let torn = replay.torn, faults.isEmpty { faults.append(torn) }
                return false
            }
            switch packet {
            case .data(let packet): set(packet)
            case .legacy(let packet): set(packet)
            }
            return true
        } catch {
            faults.append(error)
            return false
        }
    }
}

/// The images of all sources as a log makes them.
public final class ReplayedImages {
    private let images = SourceImages()
    public private(set) var position = LogPosition(number: 0, offset: 0)

    public init() {}

    /// Applies all that is left of a log.
    public func take(_ replay: BMSReplay) throws(Fault) {
        while try replay.next() != nil {
            if let record = replay.record { try images.replay(record, replay.kind, replay.path) }
        }
        position = replay.position
    }

    public var count: Int { Int(images.allocated.load()) }

    /// Of a source that the log does not have, zeros: 65536 words.
    public func words(_ source: PacketSource) -> UnsafeRawBufferPointer {
        let image = images.image(SourceImages.index(type: source.type, id: source.id))
        return UnsafeRawBufferPointer(start: image.words, count: SourceImages.imageBytes)
    }

    /// Writes all as an image file, beside its place first.
    public func write(_ path: String) throws(FileError) {
        let writer = try ImageFileWriter(path, count: count)
        do throws(FileError) {
            for index in 0..<SourceImages.count {
                guard let words = images.sources[index].words else { continue }
                try writer.add(
                    type: UInt8(index >> 8), id: UInt8(index & 255), position: position, words: UnsafeRawPointer(words))
            }
            try writer.commit()
        } catch {
            writer.discard()
            throw error
        }
    }
}
