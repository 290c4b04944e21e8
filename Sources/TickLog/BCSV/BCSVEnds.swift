import CTickLog

/// What a file begins and ends with.
extension BCSVFormat {
    /// The fixed part of the file header (spec BCSV, section 2). `version`: TICKLOG_BCSV_1_3 or TICKLOG_BCSV_1_5;
    /// `creationTime`: Unix seconds.
    static func putFixedHeader(
        _ out: inout Emitter, version: UInt8, creationTime: UInt64, columns: Int, flags: UInt16, level: UInt8,
        packetBytes: UInt32
    ) {
        out.put(magic)
        if version == UInt8(TICKLOG_BCSV_1_5) { out.put(creationTime) }
        out.put(UInt8(1))
        out.put(version == UInt8(TICKLOG_BCSV_1_5) ? UInt8(5) : UInt8(3))
        out.put(UInt8(0))
        out.put(level)
        out.put(flags)
        out.put(UInt16(columns))
        out.put(packetBytes)
    }

    /// The footer (spec BCSV, section 8).
    static func putFooter(_ out: inout Emitter, _ index: PacketIndex, rows: UInt64) {
        out.beginHash()
        out.put(footerMagic)
        for i in 0..<index.count {
            let entry = index.entries[i]
            out.put(UInt64(entry.offset))
            out.put(UInt64(entry.firstRow))
        }
        out.put(footerEndMagic)
        out.put(UInt32(footerBytes + indexEntryBytes * index.count))
        out.put(rows)
        out.put(out.hashed())
    }
}
