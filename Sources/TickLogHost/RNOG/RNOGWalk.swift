import TickLog

/// Bytes of a file that are no good packet.
public struct RNOGDamage {
    /// Of the unpacked file.
    public let range: Range<UInt64>
    /// The file ends within a packet.
    public let isTorn: Bool
    /// "found X, expected Y".
    public let text: String

    public func fault(_ path: String) -> Fault {
        Fault(
            isTorn ? .torn : .damaged, path, at: Int(clamping: range.lowerBound),
            text + (isTorn ? "" : "; \(range.count) bytes are left out"))
    }
}

/// The packets of a file, one by one, and what lies between them. Behind damage it looks for the next known magic and
/// version whose checksum holds.
public final class RNOGWalk {
    public enum Piece {
        case packet(RNOGPacket)
        case damage(RNOGDamage)
    }

    private let stream: ByteStream
    private let kinds = RNOGKinds()
    /// Bytes of the packet that was told of last.
    private var told = 0
    private var following: RNOGPacket?
    private var sums = AdlerSums()

    public convenience init(_ file: RNOGFile) throws(Fault) { self.init(try file.stream()) }

    init(_ stream: ByteStream) { self.stream = stream }

    /// Why the file could not be unpacked to its end; known when `next` has answered nil.
    public var fault: Fault? { stream.fault }

    /// Nil: the end.
    public func next() -> Piece? {
        stream.pass(told)
        told = 0
        if let packet = following {
            following = nil
            told = packet.bytes.count
            return .packet(packet)
        }
        guard stream.have(1) else { return nil }
        let start = stream.offset
        var step = kinds.step(stream.bytes)
        while case .needs(let count) = step, stream.have(count) { step = kinds.step(stream.bytes) }
        if case .record(let record) = step { return .packet(tell(record)) }
        var text = RNOGWalk.text(step)
        var isTorn = false
        if case .needs(let count) = step {
            isTorn = true
            // A file that ends where the smaller of two sizes does was not cut: that one's checksum is wrong.
            if stream.bytes.count == count - 8, stream.bytes.u16(at: 0) == RNOGKind.daqStatus.rawValue {
                isTorn = false
                text = "found a daqstatus whose payload has another checksum, expected the one that stands behind it"
            }
        }
        if let packet = search() {
            following = packet
            return .damage(RNOGDamage(range: start..<packet.offset, isTorn: false, text: text))
        }
        return .damage(RNOGDamage(range: start..<stream.offset, isTorn: isTorn, text: text))
    }

    private func tell(_ record: Record) -> RNOGPacket {
        let packet = RNOGPacket(record, at: stream.offset)
        told = packet.bytes.count
        return packet
    }

    /// The next good packet; the stream stands there, or at its end.
    private func search() -> RNOGPacket? {
        stream.pass(1)
        while stream.have(Record.headerBytes) {
            let before = kinds.nextMagic(in: stream.bytes)
            stream.pass(before)
            var step = look()
            while case .needs(let count) = step, stream.have(count) { step = look() }
            if case .record(let record) = step { return RNOGPacket(record, at: stream.offset) }
            if stream.bytes.count > 0 { stream.pass(1) }
        }
        stream.pass(stream.bytes.count)
        return nil
    }

    /// As `step`, in a time that does not depend on how long a packet would be: a file may be full of beginnings.
    private func look() -> RecordStep {
        let base = stream.bytes.start
        let offset = stream.offset
        return kinds.step(stream.bytes) { start, count in
            sums.of(UnsafeRawPointer(start), count, at: offset + UInt64(start - base))
        }
    }

    private static func text(_ step: RecordStep) -> String {
        switch step {
        case .record: ""
        case .needs(let count): "found the end of the file, expected a packet of \(count > 12 ? "" : "at least ")\(count) bytes"
        case .wrongMagic(let magic): "found \(hexText(UInt64(magic))), expected the magic of a packet"
        case .unknownVersion(let magic, let version):
            if let kind = RNOGKind(rawValue: magic), kind == .waveform, version == 0 {
                "found a waveform of version 0, whose layout is not known, expected version 1 to 4"
            } else {
                "found a \(RNOGKind(rawValue: magic).map { staticText($0.name) } ?? "packet") of version \(version), expected at most \(RNOGKind(rawValue: magic)?.version ?? 0)"
            }
        case .impossible(let at, let found):
            "found \(found) samples of a channel at byte \(at) of the packet, expected at most \(at == 12 ? RNOGWaveform.mostSamples : RNOGWaveform.mostLTSamples)"
        case .wrongChecksum(_, let stored, let computed):
            "found a payload with the checksum \(hexText(UInt64(computed))), expected \(hexText(UInt64(stored))), which stands behind it"
        }
    }
}

/// Adler-32 of any part of some bytes in about the same time, from sums that are kept for every 2048th of them.
struct AdlerSums {
    private static var step: UInt64 { 2048 }
    /// Where the sums begin, and those of the bytes up to each step from there.
    private var base: UInt64 = 0
    private var sums: [UInt32] = [0]

    /// - Parameter offset: of `bytes`, in what all parts are of.
    mutating func of(_ bytes: UnsafeRawPointer, _ count: Int, at offset: UInt64) -> UInt32 {
        guard UInt64(count) >= 2 * AdlerSums.step else { return Adler32.of(bytes, count) }
        // Bytes before those that are shown are gone.
        var known = base + UInt64(sums.count - 1) * AdlerSums.step
        if known < offset || base > offset || sums.count > 1 << 16 {
            base = offset
            sums = [0]
            known = offset
        }
        let end = offset + UInt64(count)
        while known + AdlerSums.step <= end {
            sums.append(Adler32.of(bytes + Int(known - offset), Int(AdlerSums.step), after: sums[sums.count - 1]))
            known += AdlerSums.step
        }
        let before = sum(upTo: offset, bytes, offset)
        let all = sum(upTo: end, bytes, offset)
        // The first sums are of the bytes alone; the second count each first one as often as bytes follow.
        let p: UInt64 = 65521
        let first = (1 + UInt64(all & 0xFFFF) + p - UInt64(before & 0xFFFF)) % p
        let again = UInt64(count) % p * UInt64(before & 0xFFFF) % p
        let second = (UInt64(count) + UInt64(all >> 16) + 2 * p - UInt64(before >> 16) - again) % p
        return UInt32(second) << 16 | UInt32(first)
    }

    /// From the next lower step on the bytes are looked at; those before `offset` are not there, but none is needed then:
    /// their step's sum is that of a later one without them.
    private func sum(upTo place: UInt64, _ bytes: UnsafeRawPointer, _ offset: UInt64) -> UInt32 {
        let step = Int((place - base) / AdlerSums.step)
        let stepAt = base + UInt64(step) * AdlerSums.step
        if stepAt >= offset {
            return Adler32.of(bytes + Int(stepAt - offset), Int(place - stepAt), after: sums[step])
        }
        // Backwards from the step behind: each byte is taken out of both sums.
        let next = step + 1
        let nextAt = stepAt + AdlerSums.step
        return AdlerSums.removing(bytes + Int(place - offset), Int(nextAt - place), from: sums[next])
    }

    /// The sums before bytes, from those behind them.
    private static func removing(_ bytes: UnsafeRawPointer, _ count: Int, from sums: UInt32) -> UInt32 {
        let p: UInt64 = 65521
        let part = Adler32.of(bytes, count, after: 0)
        let first = (UInt64(sums & 0xFFFF) + p - UInt64(part & 0xFFFF)) % p
        let second = (UInt64(sums >> 16) + 2 * p - UInt64(part >> 16) - UInt64(count) % p * first % p) % p
        return UInt32(second) << 16 | UInt32(first)
    }
}
