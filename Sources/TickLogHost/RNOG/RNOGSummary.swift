import TickLog

/// What a file of packets has, from a walk through all of it.
public struct RNOGSummary {
    /// The packets of one kind and version.
    public struct Group {
        public let kind: RNOGKind
        public let version: UInt16
        public internal(set) var packets: UInt64 = 0
        public internal(set) var bytes: UInt64 = 0
        public internal(set) var events: ClosedRange<UInt32>?
    }

    public let path: String
    /// As it is stored.
    public let size: UInt64
    public let isCompressed: Bool
    /// Of whole packets and damage together.
    public private(set) var unpackedBytes: UInt64 = 0
    public private(set) var packets: UInt64 = 0
    public private(set) var packetBytes: UInt64 = 0
    /// By kind and version.
    public private(set) var groups: [Group] = []
    /// The first thousand of what is wrong.
    public private(set) var damages: [RNOGDamage] = []
    public private(set) var damageCount: UInt64 = 0
    public private(set) var damagedBytes: UInt64 = 0
    public private(set) var isTorn = false
    /// Of the compression.
    public private(set) var streamFault: Fault?

    public init(_ file: RNOGFile) throws(Fault) {
        path = file.path
        size = UInt64(file.file.bytes.count)
        isCompressed = file.isCompressed
        let walk = try RNOGWalk(file)
        while let piece = walk.next() {
            switch piece {
            case .packet(let packet): add(packet)
            case .damage(let damage):
                damageCount += 1
                damagedBytes += UInt64(damage.range.count)
                if damage.isTorn { isTorn = true }
                if damages.count < FrameSummary.mostDamages { damages.append(damage) }
            }
        }
        unpackedBytes = packetBytes + damagedBytes
        streamFault = walk.fault
        if let fault = streamFault {
            damageCount += 1
            if fault.kind == .torn { isTorn = true }
        }
        withExtendedLifetime(file) {}
    }

    private mutating func add(_ packet: RNOGPacket) {
        packets += 1
        packetBytes += UInt64(packet.bytes.count)
        var at = 0
        while at < groups.count, (groups[at].kind, groups[at].version) != (packet.kind, packet.version) { at += 1 }
        if at == groups.count { groups.append(Group(kind: packet.kind, version: packet.version)) }
        groups[at].packets += 1
        groups[at].bytes += UInt64(packet.bytes.count)
        guard let event = packet.event else { return }
        groups[at].events = groups[at].events.map { min($0.lowerBound, event)...max($0.upperBound, event) } ?? event...event
    }

    /// What is wrong, as sentences; the last but the compression's counts what is not in the list.
    public var faults: [Fault] {
        var faults = damages.map { $0.fault(path) }
        let listed = UInt64(damages.count) + (streamFault == nil ? 0 : 1)
        if damageCount > listed { faults.append(morePlaces(path, damageCount - listed)) }
        if let streamFault { faults.append(streamFault) }
        return faults
    }
}

extension RNOGFile {
    /// Writes the good packets to `output`: as they are or, `upgraded`, as the current version; of
    /// one kind only, if it is given. Answers how many.
    public func copy(to output: PacketOutput, upgraded: Bool, only: RNOGKind? = nil) throws(Fault) -> UInt64 {
        let walk = try RNOGWalk(self)
        let record = UnsafeMutableRawPointer.allocate(byteCount: RNOGKinds.maxBytes, alignment: 16)
        let packetBytes = UnsafeMutableRawPointer.allocate(byteCount: RNOGKinds.maxBytes, alignment: 16)
        defer {
            record.deallocate()
            packetBytes.deallocate()
        }
        var count: UInt64 = 0
        while let piece = walk.next() {
            guard case .packet(let packet) = piece, only == nil || packet.kind == only else { continue }
            count += 1
            if upgraded, packet.version != packet.kind.version {
                packet.load(into: record)
                // A structure that was read can be written.
                let bytes = packet.kind.write(record, to: packetBytes) ?? 0
                output.bytes(UnsafeRawBufferPointer(start: packetBytes, count: bytes))
            } else {
                output.bytes(packet.bytes.buffer)
            }
        }
        try output.finish()
        return count
    }
}

extension RNOGFile {
    /// The kinds of packets that it has, as far as they can be told.
    public func kinds() throws(Fault) -> [RNOGKind] {
        var kinds: [RNOGKind] = []
        let walk = try RNOGWalk(self)
        while let piece = walk.next() {
            guard case .packet(let packet) = piece, !kinds.contains(packet.kind) else { continue }
            kinds.append(packet.kind)
        }
        return kinds
    }

    /// The kind of its packets, if all are of one. A file without any has headers.
    public func onlyKind() throws(Fault) -> RNOGKind {
        let kinds = try kinds()
        guard kinds.count > 1 else { return kinds.first ?? .header }
        throw Fault(
            .unreadable, path, at: nil,
            "found packets of \(kinds.count) kinds, expected one for a table: ticklog rnog convert takes --type, or a directory for all of them")
    }
}
