import CXXHash

/// The footer of a closed file: its row count and the index of its packets, which may be full, thinned or empty
/// (spec: BCSV.md, section 8).
public struct BCSVFooter {
    public let offset: Int
    public let rowCount: UInt64
    public let entryCount: Int

    private let bytes: FileBytes

    public init(_ bytes: FileBytes) throws(BCSVError) {
        let end = bytes.count - BCSVFormat.footerEndBytes
        guard bytes.holds(BCSVFormat.footerEndBytes, at: end), bytes.u32(at: end) == BCSVFormat.footerEndMagic else {
            throw BCSVError(.torn, at: bytes.count, expected: "a footer that ends the file", found: .end)
        }
        let size = Int(clamping: bytes.u32(at: end + 4))
        guard size >= BCSVFormat.footerBytes, size <= bytes.count,
            (size - BCSVFormat.footerBytes) % BCSVFormat.indexEntryBytes == 0
        else {
            throw BCSVError(.footer, at: end + 4, expected: "a footer size of 28 + 16 n", found: .number(UInt64(size)))
        }
        offset = bytes.count - size
        guard bytes.u32(at: offset) == BCSVFormat.footerMagic else {
            throw BCSVError(.footer, at: offset, expected: "\"BIDX\"", found: .hex(UInt64(bytes.u32(at: offset))))
        }
        let hash = bytes.u64(at: bytes.count - 8)
        guard cxxhash64(bytes.start + offset, size - 8) == hash else {
            throw BCSVError(.footer, at: bytes.count - 8, expected: "the XXH64 of the footer", found: .hex(hash))
        }
        rowCount = bytes.u64(at: end + 8)
        entryCount = (size - BCSVFormat.footerBytes) / BCSVFormat.indexEntryBytes
        self.bytes = bytes
    }

    /// Where a packet begins, as the index has it; not checked against the file.
    public func entry(_ index: Int) -> (packetOffset: UInt64, firstRow: UInt64) {
        precondition(index >= 0 && index < entryCount)
        let at = offset + 4 + index * BCSVFormat.indexEntryBytes
        return (bytes.u64(at: at), bytes.u64(at: at + 8))
    }
}
