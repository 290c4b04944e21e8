import TickLog

/// What became of one file of BCSV, frames or packets.
public struct RepairedFile {
    public let path: String
    /// What was written; nil: nothing.
    public internal(set) var out: String?
    let content: Content

    enum Content {
        case bcsv(BCSVRepair)
        /// The last file of a run, of which only a part of the header was there; left out of the copy, or renamed.
        case begun(isLeftOut: Bool)
        case frames(FrameSummary)
        case bms(BMSSummary)
        case rnog(RNOGSummary)
    }

    init(_ file: BCSVFile, _ options: RepairOptions) throws(Fault) {
        path = file.path
        var repair = try BCSVRepair(file, keepUnverified: options.keepsUnverified)
        out = try repair.replaceIfAsked(isSound: repair.survey.isClosed, options)
        content = .bcsv(repair)
    }

    init(begun path: String, isLeftOut: Bool) {
        self.path = path
        content = .begun(isLeftOut: isLeftOut)
    }

    init(_ file: FrameFile, _ options: RepairOptions) throws(Fault) {
        path = file.path
        var repair = FrameRepair(file)
        guard repair.summary.damageCount == 0 || repair.summary.frames > 0 else {
            throw Fault(.damaged, path, at: nil, "found no whole frame, expected one: nothing was written")
        }
        out = try repair.replaceIfAsked(isSound: repair.summary.damageCount == 0, options)
        content = .frames(repair.summary)
    }

    init(_ file: BMSFile, _ options: RepairOptions) throws(Fault) {
        path = file.path
        var repair = BMSRepair(file)
        out = try repair.replaceIfAsked(isSound: repair.summary.damageCount == 0, options)
        content = .bms(repair.summary)
    }

    init(_ file: RNOGFile, _ options: RepairOptions) throws(Fault) {
        path = file.path
        var repair = try RNOGRepair(file)
        guard repair.summary.damageCount == 0 || repair.summary.packets > 0 else {
            throw Fault(.damaged, path, at: nil, "found no whole packet, expected one: nothing was written")
        }
        out = try repair.replaceIfAsked(isSound: repair.summary.damageCount == 0, options)
        content = .rnog(repair.summary)
    }

    public var isRepaired: Bool {
        switch content {
        case .bcsv(let repair): repair.outcome == .repaired
        case .begun: false
        case .frames(let summary): out != nil && summary.damageCount > 0
        case .bms(let summary): out != nil && summary.damageCount > 0
        case .rnog(let summary): out != nil && summary.damageCount > 0
        }
    }

    // MARK: Telling it

    /// What was done, and what was wrong, a line each.
    var lines: [String] {
        var line = terminalText(path) + ": "
        let faults: [Fault]
        var isToldWhere = true
        switch content {
        case .begun(let isLeftOut):
            line += isLeftOut ? "begun and without a row; it is left out" : "begun and without a row; it is now .orig"
            faults = []
        case .bcsv(let repair):
            line += text(of: repair)
            isToldWhere = repair.outcome == .repaired
            faults = repair.survey.faults
        case .frames(let summary):
            line += text("\(summary.frames) frames", summary.damagedBytes, summary.damageCount)
            faults = summary.faults
        case .bms(let summary):
            line += text("\(summary.packets) packets", summary.damagedBytes, summary.damageCount)
            faults = summary.faults
        case .rnog(let summary):
            line += text("\(summary.packets) packets", summary.damagedBytes, summary.damageCount)
            faults = summary.faults
        }
        if let out, isToldWhere { line += ", in " + terminalText(out) }
        return [line] + faults.map { "  " + $0.message }
    }

    private func text(of repair: BCSVRepair) -> String {
        guard repair.outcome == .repaired else {
            return "sound and closed, " + (out == nil ? "nothing to repair" : "copied")
        }
        var text = "repaired, \(repair.rows) rows kept"
        if repair.survey.unverifiedRows > 0 {
            text += repair.keptUnverified > 0
                ? ", \(repair.keptUnverified) of them from a torn packet, without a checksum"
                : ", \(repair.survey.unverifiedRows) whole rows of a torn packet left out (--keep-unverified keeps them)"
        }
        return text
    }

    private func text(_ kept: String, _ damagedBytes: UInt64, _ damageCount: UInt64) -> String {
        guard damageCount > 0 else { return out == nil ? "sound, nothing to repair" : "sound, copied" }
        return "repaired, " + kept + " kept, \(damagedBytes) bytes left out"
    }

    func json(_ writer: inout JSONWriter) {
        writer.begin("{")
        writer.field("path", path)
        writer.field("out", out)
        writer.field("repaired", isRepaired)
        switch content {
        case .begun: break
        case .bcsv(let repair):
            writer.field("rows", repair.rows)
            writer.field("unverified_rows", repair.survey.unverifiedRows)
            writer.field("unverified_kept", repair.keptUnverified)
            writer.key("damage")
            writer.begin("[")
            for i in 0..<repair.survey.damages.count { writer.damage(of: repair.survey, at: i, withPath: false) }
            writer.end("]")
        case .frames(let summary):
            writer.field("frames", summary.frames)
            writer.field("frame_bytes", summary.frameBytes)
            writer.field("damaged_bytes", summary.damagedBytes)
            writer.damage(summary.damages)
        case .bms(let summary):
            writer.field("packets", summary.packets)
            writer.field("damaged_bytes", summary.damagedBytes)
            writer.damage(summary.damages)
        case .rnog(let summary):
            writer.field("packets", summary.packets)
            writer.field("packet_bytes", summary.packetBytes)
            writer.field("damaged_bytes", summary.damagedBytes)
            writer.damage(summary)
        }
        writer.end("}")
    }
}

extension FileRepair {
    /// Where the result is; nil: what is sound was left as it is.
    fileprivate mutating func replaceIfAsked(isSound: Bool, _ options: RepairOptions) throws(Fault) -> String? {
        if isSound, options.out == nil || !options.copiesSound { return nil }
        return try replace(options.out)
    }
}
