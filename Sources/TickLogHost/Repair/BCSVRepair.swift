import CPosix
import CXXHash
import TickLog

/// Makes a sound, closed BCSV file of what verifies in another one.
///
/// Packets are copied as they are, and the footer is written anew. Where packets are missing, those behind them get new
/// row numbers: a file whose numbers have holes is damaged to every reader, and pybcsv's random access goes wrong in it.
/// Which rows are missing, by their old numbers, is told in `survey`. Of a stream file, the rows before the first damage
/// are kept, since rows behind it need those that are lost. The file header has no checksum and nothing to rebuild it
/// from.
public struct BCSVRepair {
    public enum Outcome: Sendable {
        /// There was nothing to do, and nothing was written.
        case sound
        case repaired
    }

    public let survey: BCSVSurvey
    public private(set) var outcome = Outcome.sound
    /// Rows of the output.
    public private(set) var rows: UInt64 = 0
    public private(set) var keptUnverified: UInt64 = 0

    private var entries: [(offset: UInt64, row: UInt64)] = []
    private var written = 0

    /// What a repair would find, without doing it.
    public init(_ file: BCSVFile) throws(Fault) {
        survey = try BCSVSurvey(file)
        rows = survey.rows
    }

    /// Writes the repaired file to `output`, which is then to be verified and committed.
    /// `keepUnverified`: the whole rows of a torn last packet are kept as well.
    public mutating func write(_ file: BCSVFile, to output: Output, keepUnverified: Bool) throws(Fault) {
        outcome = .repaired
        rows = 0
        let bytes = file.file.bytes
        if file.header.fileCodec == .stream || file.header.fileCodec == .streamLZ4 {
            var end = bytes.count
            for damage in survey.damages { end = min(end, damage.skipped.lowerBound) }
            put(bytes.slice(at: 0, count: end), output)
            rows = survey.rows
        } else {
            put(bytes.slice(at: 0, count: file.header.dataOffset), output)
            try packets(file, output, keepUnverified)
            footer(file.header, output)
        }
        do { try output.flush() } catch { throw Fault(error) }
    }

    private mutating func packets(_ file: BCSVFile, _ output: Output, _ keepUnverified: Bool) throws(Fault) {
        let header = file.header
        var batch = 0
        if header.fileCodec == .batch {
            batch = min(Int(header.packetLimit) + 16_777_230, file.file.bytes.count.multipliedReportingOverflow(by: 255).partialValue)
        }
        let unpacked = batch == 0 ? nil : malloc(batch)
        guard batch == 0 || unpacked != nil else { throw Fault(.system, file.path, at: nil, "no memory for a batch of \(batch) bytes") }
        defer { free(unpacked) }
        do throws(BCSVError) {
            var walk = try PacketWalk(
                SourceWindow(file.file.bytes), header, unpacked: UnsafeMutableRawBufferPointer(start: unpacked, count: batch),
                salvage: true, unverified: keepUnverified)
            while true {
                switch try walk.next() {
                case .packet(let packet): copy(packet, file, output)
                case .damage: break
                case .end: return
                }
            }
        } catch {
            throw Fault(error, file.path)
        }
    }

    private mutating func copy(_ packet: Packet, _ file: BCSVFile, _ output: Output) {
        // A row that the schema does not allow, under a checksum that is right or in a torn packet: it and what follows
        // it are left out.
        var cut: Int?
        for damage in survey.damages where damage.skipped.lowerBound >= packet.offset && damage.skipped.lowerBound < packet.end {
            cut = min(cut ?? packet.end, damage.skipped.lowerBound)
        }
        let body = packet.offset + 16
        let bytes = file.file.bytes
        if cut == nil, packet.isVerified {
            begin(output)
            put(bytes.slice(at: body, count: packet.end - body), output)
            rows += packet.rowCount
            return
        }
        let end = cut ?? packet.end
        guard file.header.fileCodec != .batch, end > body else { return }
        let kept = bytes.slice(at: body, count: end - body)
        let count = BCSVRepair.count(kept)
        guard count > 0 else { return }
        begin(output)
        put(kept, output)
        let terminator: [UInt8] = [0xFC, 0xFF, 0xFF, 0xFF, 0x01]
        var state = cxxhash64_state()
        cxxhash64_reset(&state)
        cxxhash64_update(&state, kept.start, kept.count)
        terminator.withUnsafeBytes { cxxhash64_update(&state, $0.baseAddress!, $0.count) }
        put(terminator, output)
        put(littleEndian: cxxhash64_digest(&state), output)
        rows += count
        if !packet.isVerified { keptUnverified += count }
    }

    /// How many rows the lengths lead through.
    private static func count(_ bytes: FileBytes) -> UInt64 {
        var at = 0
        var count: UInt64 = 0
        while at < bytes.count {
            let size = Int(bytes[at] & 7) + 1
            guard bytes.holds(size, at: at) else { break }
            var length: UInt64 = 0
            for i in 0..<size { length |= UInt64(bytes[at + i]) << UInt64(8 * i) }
            guard let length = Int(exactly: length >> 3), bytes.holds(length, at: at + size) else { break }
            at += size + length
            count += 1
        }
        return count
    }

    /// A packet header, for the row that comes next.
    private mutating func begin(_ output: Output) {
        entries.append((UInt64(written), rows))
        var header: [UInt8] = [0x50, 0x4B, 0x43, 0x54]
        for i in 0..<8 { header.append(UInt8(truncatingIfNeeded: rows >> UInt64(8 * i))) }
        let hash = header.withUnsafeBytes { cxxhash32($0.baseAddress!, $0.count) }
        for i in 0..<4 { header.append(UInt8(truncatingIfNeeded: hash >> UInt32(8 * i))) }
        put(header, output)
    }

    private mutating func footer(_ header: BCSVHeader, _ output: Output) {
        var footer: [UInt8] = [0x42, 0x49, 0x44, 0x58]
        func add(_ value: UInt64, _ size: Int) {
            for i in 0..<size { footer.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
        }
        // A file with the flag NO_FILE_INDEX has none (spec BCSV, section 2.5).
        if header.flags & 0x02 == 0 {
            for entry in entries {
                add(entry.offset, 8)
                add(entry.row, 8)
            }
        }
        footer += [0x45, 0x49, 0x44, 0x58]
        add(UInt64(footer.count + 20), 4)
        add(rows, 8)
        let hash = footer.withUnsafeBytes { cxxhash64($0.baseAddress!, $0.count) }
        add(hash, 8)
        put(footer, output)
    }

    private mutating func put(_ bytes: FileBytes, _ output: Output) {
        output.bytes(bytes.buffer)
        written += bytes.count
    }

    private mutating func put(_ bytes: [UInt8], _ output: Output) {
        bytes.withUnsafeBytes { output.bytes($0) }
        written += bytes.count
    }

    private mutating func put(littleEndian value: UInt64, _ output: Output) {
        var bytes: [UInt8] = []
        for i in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
        put(bytes, output)
    }

    /// Reads what was written.
    /// - Throws: if it is not sound, closed, and of as many rows as were written.
    public func verify(_ path: String) throws(Fault) {
        let again = try BCSVSurvey(BCSVFile(path))
        guard again.isClosed, again.rows == rows else {
            throw again.faults.first
                ?? Fault(.damaged, path, at: nil, "found \(again.rows) rows in the repaired file, expected \(rows)")
        }
    }
}
