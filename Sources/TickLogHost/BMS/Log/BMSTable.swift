import TickLog

/// The rows of one file.
public final class BMSTable: PacketTable {
    private let file: BMSFile
    private var walk: BMSWalk
    private let salvage: Bool
    private var isEnded = false
    private var unlisted: UInt64 = 0

    /// - Parameter salvage: goes on behind damage.
    public init(_ file: BMSFile, salvage: Bool) {
        self.file = file
        self.salvage = salvage
        walk = BMSWalk(file)
        super.init(legacy: file.form.isLegacy)
    }

    override func advance() -> Bool {
        while !isEnded, let piece = walk.next() {
            switch piece {
            case .packet(.data(let packet), _, _):
                set(packet)
                return true
            case .packet(.legacy(let packet), _, _):
                set(packet)
                return true
            case .packet(.number, _, _): break
            case .damage(let damage):
                if faults.count < BMSSummary.mostDamages { faults.append(damage.fault(file.path)) } else { unlisted += 1 }
                if !salvage { isEnded = true }
            }
        }
        isEnded = true
        if unlisted > 0 { faults.append(BMSSummary.more(file.path, unlisted)) }
        unlisted = 0
        return false
    }
}
