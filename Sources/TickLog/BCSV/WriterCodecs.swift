import CTickLog

extension BCSVRowCodec {
    /// The codec that `ticklog.h` names; 0 is ZoH.
    init(code: UInt8) {
        switch UInt32(code) {
        case TICKLOG_FLAT: self = .flat
        case TICKLOG_DELTA: self = .delta
        default: self = .zoh
        }
    }

    /// Its bits in the file header (spec BCSV, section 2.5).
    var flags: UInt16 {
        switch self {
        case .flat: 0
        case .zoh: BCSVFormat.flagZeroOrderHold
        case .delta: BCSVFormat.flagDelta
        }
    }
}

extension BCSVFileCodec {
    /// The codec that `ticklog.h` names; 0 is the plain packet.
    init(code: UInt8) {
        switch UInt32(code) {
        case TICKLOG_PACKET_LZ4: self = .packetLZ4
        case TICKLOG_BATCH: self = .batch
        case TICKLOG_STREAM: self = .stream
        case TICKLOG_STREAM_LZ4: self = .streamLZ4
        default: self = .packet
        }
    }

    var flags: UInt16 {
        switch self {
        case .packet, .packetLZ4: 0
        case .batch: BCSVFormat.flagBatch
        case .stream, .streamLZ4: BCSVFormat.flagStream
        }
    }

    /// What the header says of compression: 0 for none.
    func level(_ level: UInt8) -> UInt8 {
        switch self {
        case .packet, .stream: 0
        default: level
        }
    }
}
