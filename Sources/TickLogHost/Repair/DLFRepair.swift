import CPosix
import TickLog

/// Makes a sound DLF file of one that is torn, cut or was not closed, or anew of one that is missing.
///
/// Whole samples stay as they are, byte for byte, and so does the header but for `tick_span`, intervals of 0, which become
/// the 1 that they mean, and, if it is cut, the number of streams. What stands behind the whole samples is left out.
public struct DLFRepair: FileRepair {
    public let path: String
    public let role: DLFSurvey.Role
    /// Nil if the file is missing.
    public let survey: DLFSurvey?
    /// What the repaired file has.
    public let tickSpan: UInt64
    /// The repaired file is not the one that is there.
    public let isNeeded: Bool
    private let header: [UInt8]

    /// `isWritten`: the file is to be written anyway.
    init(_ survey: DLFSurvey, tickSpan: UInt64, isWritten: Bool = false) {
        self.survey = survey
        path = survey.path
        role = survey.role
        self.tickSpan = tickSpan
        header = DLFRepair.header(of: survey, tickSpan)
        isNeeded = isWritten || survey.fault != nil || survey.tickSpan != tickSpan
    }

    /// A file that is missing: one without streams or, of losses, with theirs.
    init(missing path: String, _ role: DLFSurvey.Role, tickSpan: UInt64) {
        survey = nil
        self.path = path
        self.role = role
        self.tickSpan = tickSpan
        header = DLFRepair.emptyHeader(role, tickSpan)
        isNeeded = true
    }

    // MARK: What is told of it

    public var samples: UInt64 { survey?.samples ?? 0 }
    /// Bytes of the file that are left out.
    public var bytesCut: Int {
        guard let survey else { return 0 }
        return survey.header == .cut ? max(0, survey.tailBytes) : survey.tailBytes
    }

    /// What the repair changes, in words, without what was wrong.
    public var changes: [String] {
        guard let survey else { return ["made anew, without streams: it was missing"] }
        guard isNeeded else { return [] }
        var changes: [String] = []
        if survey.header == .cut {
            let count = DLFRepair.streamCount(header)
            changes.append(
                count > survey.streamCount ? "header made whole, as it is in every run"
                    : count == 0 ? "header made whole, without streams"
                    : "header made whole with \(count) of its streams, whose descriptions are whole")
        }
        if survey.tickSpan != tickSpan {
            changes.append("tick_span \(survey.tickSpan.map { "\($0)" } ?? "none") -> \(tickSpan)")
        }
        if bytesCut > 0 { changes.append("\(bytesCut) bytes from offset \(survey.end) on left out") }
        for zero in survey.zeroIntervals { changes.append("interval 0 of stream \(zero.stream) -> 1, which it means") }
        return changes
    }

    // MARK: Making it

    func write(to output: Output) throws(Fault) {
        output.put(header)
        if let survey, survey.header == .whole {
            output.bytes(survey.file.bytes.slice(at: survey.dataOffset, count: survey.end - survey.dataOffset).buffer)
        }
        do { try output.flush() } catch { throw Fault(error) }
    }

    /// Reads what was written to `path`, byte for byte, and looks at it as at any file.
    func verify(_ path: String) throws(Fault) {
        let file: MappedFile
        do { file = try MappedFile(path) } catch { throw Fault(error) }
        defer { withExtendedLifetime(file) {} }
        let again = DLFSurvey(file, as: role)
        if let fault = again.fault { throw fault }
        guard again.header == .whole, again.samples == samples, again.tickSpan == tickSpan, again.zeroIntervals.isEmpty else {
            throw Fault(
                .damaged, path, at: nil,
                "found \(again.samples) samples and tick_span \(again.tickSpan ?? 0) in the repaired file, expected \(samples) and \(tickSpan)")
        }
        var expected: [FileBytes] = []
        if let survey, survey.header == .whole {
            expected.append(survey.file.bytes.slice(at: survey.dataOffset, count: survey.end - survey.dataOffset))
        }
        var at = header.count
        var isSame = file.bytes.holds(at, at: 0) && header.withUnsafeBytes { memcmp($0.baseAddress!, file.bytes.start, at) == 0 }
        for part in expected where isSame && part.count > 0 {
            isSame = file.bytes.holds(part.count, at: at) && memcmp(part.start, file.bytes.start + at, part.count) == 0
            at += part.count
        }
        guard isSame, at == file.bytes.count else {
            throw Fault(.damaged, path, at: nil, "found other bytes in the repaired file than were written, expected the same")
        }
    }

    // MARK: Headers

    private static func header(of survey: DLFSurvey, _ tickSpan: UInt64) -> [UInt8] {
        guard survey.dataOffset >= 13 else { return emptyHeader(survey.role, tickSpan) }
        var header = Array(survey.file.bytes.slice(at: 0, count: survey.dataOffset).buffer)
        if survey.header == .cut {
            if survey.role == .loss, survey.streamCount == 0 { return emptyHeader(survey.role, tickSpan) }
            store(UInt64(survey.streamCount), 2, &header, at: 11)
        }
        store(tickSpan, 8, &header, at: 3)
        for zero in survey.zeroIntervals { store(1, 8, &header, at: zero.offset) }
        return header
    }

    /// A loss file always has its one stream (spec: 4.5).
    private static func emptyHeader(_ role: DLFSurvey.Role, _ tickSpan: UInt64) -> [UInt8] {
        var header: [UInt8] = [0x14, 0x84, role.streamType]
        header.add(tickSpan, 8)
        guard role == .loss else {
            header.add(0, 2)
            return header
        }
        header.add(1, 2)
        let type =
            "ticklog.loss;stream:uint16_t:0;reason:uint8_t:2;first_tick:uint64_t:4;last_tick:uint64_t:12;samples:uint32_t:20"
        for text in [type, "ticklog.loss", ""] { header += Array(text.utf8) + [0] }
        header.add(24, 4)
        return header
    }

    private static func streamCount(_ header: [UInt8]) -> Int { Int(header[11]) + Int(header[12]) << 8 }

    private static func store(_ value: UInt64, _ size: Int, _ bytes: inout [UInt8], at offset: Int) {
        for i in 0..<size { bytes[offset + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
    }
}
