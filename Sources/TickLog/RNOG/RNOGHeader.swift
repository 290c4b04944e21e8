/// The header of an event (spec: RNOG, 2). Corresponds to `ticklog_rnog_header`.
enum RNOGHeader {
    static var version: UInt16 { 2 }
    static var bytes: Int { 136 }

    /// Each version has the one before as its beginning.
    static func size(_ version: UInt16) -> Int {
        switch version {
        case 0: 112
        case 1: 132
        default: bytes
        }
    }

    static func load(_ version: UInt16, _ payload: FileBytes, _ out: UnsafeMutableRawPointer) -> Bool {
        guard version <= RNOGHeader.version, payload.count == size(version) else { return false }
        out.copy(payload.start, payload.count)
        (out + payload.count).zero(bytes - payload.count)
        return true
    }
}
