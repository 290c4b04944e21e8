import CXXHash

/// The footer of a closed file: its row count and the index of its packets, which may be full, thinned or empty
/// (spec: BCSV.md, section 8).
public struct BCSVFooter {
    public let offset: Int
    public let rowCount: UInt64
    public let entryCount: Int

    public init(_ bytes: FileBytes) throws(FormatError) {
        var window = SourceWindow(bytes)
        try self.init(&window)
    }

    init(_ window: inout SourceWindow) throws(FormatError) {
        let length = window.length
        let end = length - BCSVFormat.footerEndBytes
        guard end >= 0 else {
            throw FormatError(.torn, at: length, expected: "a footer that ends the file", found: .end)
        }
        let last = try window.bytes(at: end, atLeast: BCSVFormat.footerEndBytes)
        guard last.holds(BCSVFormat.footerEndBytes, at: 0), last.u32(at: 0) == BCSVFormat.footerEndMagic else {
            throw FormatError(.torn, at: length, expected: "a footer that ends the file", found: .end)
        }
        let size = Int(clamping: last.u32(at: 4))
        rowCount = last.u64(at: 8)
        let hash = last.u64(at: 16)
        guard size >= BCSVFormat.footerBytes, size <= length,
            (size - BCSVFormat.footerBytes) % BCSVFormat.indexEntryBytes == 0
        else {
            throw FormatError(.footer, at: end + 4, expected: "a footer size of 28 + 16 n", found: .number(UInt64(size)))
        }
        offset = length - size
        entryCount = (size - BCSVFormat.footerBytes) / BCSVFormat.indexEntryBytes
        let first = try window.bytes(at: offset, atLeast: 4)
        guard first.u32(at: 0) == BCSVFormat.footerMagic else {
            throw FormatError(.footer, at: offset, expected: "\"BIDX\"", found: .hex(UInt64(first.u32(at: 0))))
        }
        var state = cxxhash64_state()
        cxxhash64_reset(&state)
        var at = offset
        while at < length - 8 {
            let piece = try window.bytes(at: at, atLeast: 1)
            let count = min(piece.count, length - 8 - at)
            guard count > 0 else { break }
            cxxhash64_update(&state, piece.start, count)
            at += count
        }
        guard cxxhash64_digest(&state) == hash else {
            throw FormatError(.footer, at: length - 8, expected: "the XXH64 of the footer", found: .hex(hash))
        }
    }

    /// Where a packet begins, as the index has it; not checked against the file.
    func entry(_ index: Int, _ window: inout SourceWindow) throws(FormatError) -> (packetOffset: UInt64, firstRow: UInt64) {
        precondition(index >= 0 && index < entryCount)
        let entry = try window.bytes(
            at: offset + 4 + index * BCSVFormat.indexEntryBytes, atLeast: BCSVFormat.indexEntryBytes)
        return (entry.u64(at: 0), entry.u64(at: 8))
    }
}
