/// The waveforms of an event (spec: RNOG, 2), which are stored without the room that the structure has for more samples.
/// Corresponds to `ticklog_rnog_waveform`.
public enum RNOGWaveform {
    static var version: UInt16 { 4 }
    static var bytes: Int { 100_392 }
    public static var channels: Int { 24 }
    public static var mostSamples: Int { 2048 }
    public static var ltChannels: Int { 4 }
    public static var mostLTSamples: Int { 512 }
    /// Where parts of the structure are.
    public static var samplesOffset: Int { 12 }
    public static var ltOffset: Int { 98_316 }
    static var rateOffset: Int { 100_364 }
    static var delaysOffset: Int { 100_366 }
    static var stationOffset: Int { 100_390 }

    /// What stands behind the samples: the rate, the delays, the station.
    private static func tail(_ version: UInt16) -> Int {
        switch version {
        case 1: 0
        case 2, 3: 1
        default: 27
        }
    }

    private static func bytes(_ version: UInt16, _ samples: Int, _ ltSamples: Int) -> Int {
        12 + 2 * channels * samples + ltChannels * ltSamples + tail(version)
    }

    static func size(_ version: UInt16, _ payload: FileBytes) -> RecordSize {
        // A layout of before the first release, which nothing describes.
        guard version >= 1 else { return .unknownVersion }
        guard payload.count >= 12 else { return .needs(12) }
        let samples = payload.u16(at: 8)
        let ltSamples = payload.u16(at: 10)
        guard samples <= mostSamples else { return .impossible(at: 8, found: UInt32(samples)) }
        guard ltSamples <= mostLTSamples else { return .impossible(at: 10, found: UInt32(ltSamples)) }
        return .bytes(bytes(version, Int(samples), Int(ltSamples)))
    }

    @_optimize(speed)
    static func load(_ version: UInt16, _ payload: FileBytes, _ out: UnsafeMutableRawPointer) -> Bool {
        guard version >= 1, version <= self.version, case .bytes(payload.count) = size(version, payload) else { return false }
        let samples = Int(payload.u16(at: 8))
        let ltSamples = Int(payload.u16(at: 10))
        out.copy(payload.start, 12)
        var from = payload.start + 12
        var to = out + samplesOffset
        for _ in 0..<channels {
            to.copy(from, 2 * samples)
            if version < 3 { rotate(to, from, samples) }
            (to + 2 * samples).zero(2 * (mostSamples - samples))
            from += 2 * samples
            to += 2 * mostSamples
        }
        for _ in 0..<ltChannels {
            to.copy(from, ltSamples)
            (to + ltSamples).zero(mostLTSamples - ltSamples)
            from += ltSamples
            to += mostLTSamples
        }
        if tail(version) == 27 {
            to.copy(from, 27)
        } else {
            to.zero(27)
            out.store(UInt16(3200), at: rateOffset)
            if tail(version) == 1 { out.store(from.load(UInt8.self), at: stationOffset) }
        }
        out.store(UInt8(0), at: bytes - 1)
        return true
    }

    /// Versions 1 and 2 begin each 1024 samples 128 late. Of a half that is not whole, nobody knows what was meant: it stays.
    private static func rotate(_ to: UnsafeMutableRawPointer, _ from: UnsafeRawPointer, _ samples: Int) {
        var half = 0
        while samples - half >= 1024 {
            (to + 2 * half).copy(from + 2 * (half + 128), 2 * 896)
            (to + 2 * (half + 896)).copy(from + 2 * half, 2 * 128)
            half += 1024
        }
    }

    static func payloadBytes(of record: UnsafeRawPointer) -> Int? {
        let samples = Int(record.load(UInt16.self, at: 8))
        let ltSamples = Int(record.load(UInt16.self, at: 10))
        guard samples <= mostSamples, ltSamples <= mostLTSamples else { return nil }
        return bytes(version, samples, ltSamples)
    }

    static func store(_ record: UnsafeRawPointer, _ payload: UnsafeMutableRawPointer) {
        let samples = Int(record.load(UInt16.self, at: 8))
        let ltSamples = Int(record.load(UInt16.self, at: 10))
        payload.copy(record, 12)
        var from = record + samplesOffset
        var to = payload + 12
        for _ in 0..<channels {
            to.copy(from, 2 * samples)
            from += 2 * mostSamples
            to += 2 * samples
        }
        for _ in 0..<ltChannels {
            to.copy(from, ltSamples)
            from += mostLTSamples
            to += ltSamples
        }
        to.copy(from, 27)
    }
}
