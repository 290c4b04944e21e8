/// The pedestals of all channels (spec: RNOG, 2). Corresponds to `ticklog_rnog_pedestal`.
public enum RNOGPedestal {
    static var version: UInt16 { 3 }
    static var bytes: Int { 196_632 }
    public static var samples: Int { 4096 }
    public static var samplesOffset: Int { 16 }
    private static var samplesBytes: Int { 2 * RNOGWaveform.channels * samples }
    private static var stationOffset: Int { 196_624 }
    private static var runOffset: Int { 196_628 }

    static func size(_ version: UInt16) -> Int {
        switch version {
        case 0: 196_620
        case 1: 196_624
        case 2: 196_628
        default: bytes
        }
    }

    static func load(_ version: UInt16, _ payload: FileBytes, _ out: UnsafeMutableRawPointer) -> Bool {
        guard version <= self.version, payload.count == size(version) else { return false }
        if version == 0 {
            // The number of events had 16 bits, and there was no vbias.
            out.copy(payload.start, 12)
            out.store(UInt32(payload.u16(at: 4)), at: 4)
            out.store(UInt32.max, at: 12)
            (out + samplesOffset).copy(payload.start + 12, samplesBytes)
        } else {
            out.copy(payload.start, payload.count)
        }
        if version < 2 { out.store(UInt32(0), at: stationOffset) }
        if version < 3 { out.store(Int32(-1), at: runOffset) }
        return true
    }
}
