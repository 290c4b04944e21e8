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
public struct BCSVRepair: FileRepair {
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

    private let file: BCSVFile
    /// The whole rows of a torn last packet are kept as well.
    private let keepsUnverified: Bool
    private var entries: [(offset: UInt64, row: UInt64)] = []
    private var written = 0

    /// What a repair would find, without doing it.
    public init(_ file: BCSVFile, keepUnverified: Bool) throws(Fault) {
        self.file = file
        keepsUnverified = keepUnverified
        survey = try BCSVSurvey(file)
        rows = survey.rows
    }

    var path: String { file.path }

    /// One that is sound and closed is copied.
    mutating func write(to output: Output) throws(Fault) {
        let bytes = file.file.bytes
        guard !survey.isClosed else {
            put(bytes, output)
            do { try output.flush() } catch { throw Fault(error) }
            return
        }
        outcome = .repaired
        rows = 0
        if file.header.fileCodec == .stream || file.header.fileCodec == .streamLZ4 {
            var end = bytes.count
            for damage in survey.damages { end = min(end, damage.skipped.lowerBound) }
            put(bytes.slice(at: 0, count: end), output)
            rows = survey.rows
        } else {
            put(bytes.slice(at: 0, count: file.header.dataOffset), output)
            try writePackets(output)
            put(packetFooter(entries, rows, file.header.flags), output)
        }
        do { try output.flush() } catch { throw Fault(error) }
    }

    private mutating func writePackets(_ output: Output) throws(Fault) {
        do throws(FormatError) {
            var walk = try PacketWalk.whole(file, unverified: keepsUnverified)
            defer { free(walk.memory) }
            while true {
                switch try walk.packets.next() {
                case .packet(let packet): copy(packet, output)
                case .damage: break
                case .end: return
                }
            }
        } catch {
            throw Fault(error, file.path)
        }
    }

    private mutating func copy(_ packet: Packet, _ output: Output) {
        // A row that the schema does not allow, under a checksum that is right or in a torn packet: it and what follows
        // it are left out.
        var cut: Int?
        for damage in survey.damages
        where !damage.skipped.isEmpty && damage.skipped.lowerBound >= packet.offset && damage.skipped.lowerBound < packet.end {
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
        var tail: [UInt8] = [0xFC, 0xFF, 0xFF, 0xFF, 0x01]
        var state = cxxhash64_state()
        cxxhash64_reset(&state)
        cxxhash64_update(&state, kept.start, kept.count)
        tail.withUnsafeBytes { cxxhash64_update(&state, $0.baseAddress!, $0.count) }
        tail.add(cxxhash64_digest(&state), 8)
        put(tail, output)
        rows += count
        if !packet.isVerified { keptUnverified += count }
    }

    /// How many rows the lengths lead through.
    private static func count(_ bytes: FileBytes) -> UInt64 {
        var at = 0
        var count: UInt64 = 0
        while at < bytes.count {
            guard bytes.holds(Int(bytes[at] & 7) + 1, at: at) else { break }
            let length = BLELength(bytes, at: at)
            guard bytes.holds(length.value, at: at + length.size) else { break }
            at += length.size + length.value
            count += 1
        }
        return count
    }

    /// A packet header, for the row that comes next.
    private mutating func begin(_ output: Output) {
        entries.append((UInt64(written), rows))
        put(packetHeader(rows), output)
    }

    private mutating func put(_ bytes: FileBytes, _ output: Output) {
        output.bytes(bytes.buffer)
        written += bytes.count
    }

    private mutating func put(_ bytes: [UInt8], _ output: Output) {
        bytes.withUnsafeBytes { output.bytes($0) }
        written += bytes.count
    }

    func verify(_ path: String) throws(Fault) {
        let again = try BCSVSurvey(BCSVFile(path))
        guard again.isClosed, again.rows == rows else {
            throw again.faults.first
                ?? Fault(.damaged, path, at: nil, "found \(again.rows) rows in the repaired file, expected \(rows)")
        }
    }
}
