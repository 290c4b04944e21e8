import CXXHash

/// One packet whose checksum matched (spec: BCSV.md, section 4). Offsets are from the start of the file.
public struct Packet {
    public let offset: Int
    public let firstRow: UInt64
    public let rowCount: UInt64
    /// Where the rows begin and where the terminator stands.
    public let body: Int
    public let terminator: Int
    public let end: Int
}

/// Walks the packets of a file with the codecs packet and packet-LZ4. A packet is handed out only when its header and
/// its rows match their checksums.
public struct PacketReader {
    public let bytes: FileBytes
    public let header: BCSVHeader
    /// Where the next packet, the footer or the end is expected.
    public private(set) var offset: Int

    /// Begins with the first packet, or at the offset of one that the footer's index names.
    public init(_ bytes: FileBytes, _ header: BCSVHeader, at offset: Int? = nil) {
        self.bytes = bytes
        self.header = header
        self.offset = offset ?? header.dataOffset
    }

    /// The next packet; nil where the footer begins or the file ends. After an error `offset` is where it was.
    public mutating func next() throws(BCSVError) -> Packet? {
        if offset == bytes.count || startsFooter { return nil }
        let firstRow = try packetHeader(at: offset)
        let body = offset + BCSVFormat.packetHeaderBytes
        var at = body
        var rows: UInt64 = 0
        while true {
            guard let length = RowLength(bytes, at: at) else {
                throw BCSVError(.torn, at: at, expected: "a row length or the packet's end", found: .end)
            }
            if length.value == BCSVFormat.terminatorLength {
                let end = at + length.size
                guard bytes.holds(BCSVFormat.hashBytes, at: end) else {
                    throw BCSVError(.torn, at: bytes.count, expected: "the packet's checksum", found: .end)
                }
                let hash = cxxhash64(bytes.start + body, end - body)
                guard bytes.u64(at: end) == hash else {
                    throw BCSVError(
                        .packetHash, at: end, expected: "the XXH64 of the packet's rows", found: .hex(bytes.u64(at: end)))
                }
                let packet = Packet(
                    offset: offset, firstRow: firstRow, rowCount: rows, body: body, terminator: at,
                    end: end + BCSVFormat.hashBytes)
                offset = packet.end
                return packet
            }
            guard length.value <= UInt64(BCSVFormat.maxRowBytes) else {
                throw BCSVError(.row, at: at, expected: "a row length below 2^24 - 1", found: .number(length.value))
            }
            guard length.value > 0 || header.rowCodec == .zoh else {
                throw BCSVError(.row, at: at, expected: "a row length above 0", found: .number(0))
            }
            guard bytes.holds(Int(length.value), at: at + length.size) else {
                throw BCSVError(.torn, at: at, expected: "a whole row", found: .end)
            }
            at += length.size + Int(length.value)
            rows += 1
        }
    }

    /// Goes on at the next offset behind the one at fault where a packet header or the footer verifies. False if there
    /// is none: what failed was the last thing in the file.
    public mutating func resync() -> Bool {
        let footer = try? BCSVFooter(bytes)
        var at = offset + 1
        while bytes.holds(BCSVFormat.packetHeaderBytes, at: at) {
            let word = bytes.u32(at: at)
            if word == BCSVFormat.packetMagic, isPacketHeader(at: at) { break }
            if word == BCSVFormat.footerMagic, let footer, footer.offset == at { break }
            at += 1
        }
        guard bytes.holds(BCSVFormat.packetHeaderBytes, at: at) else { return false }
        offset = at
        return true
    }

    /// Whether the footer's first bytes stand at `offset`.
    public var startsFooter: Bool {
        bytes.holds(4, at: offset) && bytes.u32(at: offset) == BCSVFormat.footerMagic
    }

    private func isPacketHeader(at offset: Int) -> Bool {
        cxxhash32(bytes.start + offset, 12) == bytes.u32(at: offset + 12)
    }

    private func packetHeader(at offset: Int) throws(BCSVError) -> UInt64 {
        guard bytes.holds(BCSVFormat.packetHeaderBytes, at: offset) else {
            throw BCSVError(.torn, at: offset, expected: "a packet header of 16 bytes", found: .end)
        }
        guard bytes.u32(at: offset) == BCSVFormat.packetMagic else {
            throw BCSVError(
                .packetHeader, at: offset, expected: "\"PKCT\" or \"BIDX\"", found: .hex(UInt64(bytes.u32(at: offset))))
        }
        guard isPacketHeader(at: offset) else {
            throw BCSVError(
                .packetHeader, at: offset + 12, expected: "the XXH32 of the packet header",
                found: .hex(UInt64(bytes.u32(at: offset + 12))))
        }
        return bytes.u64(at: offset + 4)
    }
}
