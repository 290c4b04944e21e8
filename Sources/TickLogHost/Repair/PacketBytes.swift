import CPosix
import CXXHash
import TickLog

// The bytes around packets (spec BCSV, sections 4 and 8).

/// A packet header, for a packet that begins with that row.
func packetHeader(_ row: UInt64) -> [UInt8] {
    var header: [UInt8] = [0x50, 0x4B, 0x43, 0x54]
    header.add(row, 8)
    header.add(UInt64(header.withUnsafeBytes { cxxhash32($0.baseAddress!, $0.count) }), 4)
    return header
}

/// A footer with an entry for each packet, or none if the header's flags say so (NO_FILE_INDEX).
func packetFooter(_ entries: [(offset: UInt64, row: UInt64)], _ rows: UInt64, _ flags: UInt16) -> [UInt8] {
    var footer: [UInt8] = [0x42, 0x49, 0x44, 0x58]
    if flags & 0x02 == 0 {
        for entry in entries {
            footer.add(entry.offset, 8)
            footer.add(entry.row, 8)
        }
    }
    footer += [0x45, 0x49, 0x44, 0x58]
    footer.add(UInt64(footer.count + 20), 4)
    footer.add(rows, 8)
    footer.add(footer.withUnsafeBytes { cxxhash64($0.baseAddress!, $0.count) }, 8)
    return footer
}

extension [UInt8] {
    /// The lowest bytes of a number, little-endian.
    mutating func add(_ value: UInt64, _ size: Int) {
        for i in 0..<size { append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
    }
}

extension Output {
    func put(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.bytes($0) }
    }
}

extension PacketWalk {
    /// A walk through all of a file, with the memory for its batches, which the caller frees.
    struct Whole {
        var packets: PacketWalk
        let memory: UnsafeMutableRawPointer?
    }

    static func whole(_ file: BCSVFile, unverified: Bool) throws(FormatError) -> Whole {
        var room = 0
        if file.header.fileCodec == .batch {
            let (most, overflow) = file.file.bytes.count.multipliedReportingOverflow(by: 255)
            // The most that its header allows, and that its bytes can become (spec BCSV, section 6).
            room = Int(file.header.packetLimit) + 16_777_230
            if !overflow { room = min(room, most) }
        }
        let memory = room > 0 ? malloc(room) : nil
        let packets = try PacketWalk(
            SourceWindow(file.file.bytes), file.header,
            unpacked: UnsafeMutableRawBufferPointer(start: memory, count: memory == nil ? 0 : room), salvage: true,
            unverified: unverified)
        return Whole(packets: packets, memory: memory)
    }
}
