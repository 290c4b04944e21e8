/// The state of the trigger and its boards (spec: RNOG, 2). Corresponds to `ticklog_rnog_daqstatus`.
enum RNOGDaqStatus {
    static var version: UInt16 { 6 }
    static var bytes: Int { 504 }
    /// Without the counter of cycles that came later, which is at their end.
    private static var oldScalersBytes: Int { 72 }

    /// The sizes that a version has had, smallest first (spec: RNOG, 4); nil behind the last.
    static func size(_ version: UInt16, _ candidate: Int) -> Int? {
        let newest: Int
        switch version {
        case 0, 1: newest = 184
        case 2: newest = 280
        case 3: newest = 288
        case 4, 5: newest = 304
        default: newest = bytes
        }
        if version < 2 || version > 5 { return candidate == 0 ? newest : nil }
        return candidate == 0 ? newest - 8 : candidate == 1 ? newest : nil
    }

    static func load(_ version: UInt16, _ payload: FileBytes, _ out: UnsafeMutableRawPointer) -> Bool {
        guard version <= self.version, payload.count == size(version, 0) || payload.count == size(version, 1) else { return false }
        guard version < 6 else {
            out.copy(payload.start, bytes)
            return true
        }
        let from = payload.start
        out.zero(bytes)
        // Up to version 2 there was one time; what follows it is 8 bytes further back now.
        let times = version < 3 ? 8 : 16
        out.copy(from, times)
        (out + 16).copy(from + times, version < 2 ? 172 : 180)
        if version == 0 { out.store((loadFloat(out + 184) / 2.5).bitPattern, at: 184) }
        guard version >= 2 else { return true }
        let scalers = times + 184
        let hasCounter = payload.count == size(version, 1)
        loadScalers(from + scalers, hasCounter: hasCounter, out + 248)
        var at = scalers + oldScalersBytes + (hasCounter ? 8 : 0)
        if version >= 4 {
            (out + 480).copy(from + at, 10)
            (out + 492).copy(from + at + 12, 4)
            at += 16
        }
        out.store(from.load(UInt8.self, at: at), at: 496)
        return true
    }

    /// Three groups without beams, of 20 bytes, where now there are three with them, of 72.
    private static func loadScalers(_ from: UnsafeRawPointer, hasCounter: Bool, _ out: UnsafeMutableRawPointer) {
        for group in 0..<3 { (out + 72 * group).copy(from + 20 * group, 20) }
        (out + 216).copy(from + 64, hasCounter ? 16 : 8)
    }

    private static func loadFloat(_ at: UnsafeRawPointer) -> Float { Float(bitPattern: at.load(UInt32.self)) }
}
