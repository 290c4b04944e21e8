import TickLog

/// The rows of one file.
public final class BMSTable: PacketTable {
    private let file: BMSFile
    private var walk: BMSWalk
    private let salvage: Bool
    private var isEnded = false
    private var unlisted: UInt64 = 0
    /// Behind the current packet, where one can go on once all of its rows were told; nil: at the beginning.
    private(set) var place: BMSWalk.Place?

    /// - Parameter salvage: goes on behind damage.
    public convenience init(_ file: BMSFile, salvage: Bool) { self.init(file, salvage: salvage, from: nil) }

    /// The packets behind a place of the same file.
    init(_ file: BMSFile, salvage: Bool, from place: BMSWalk.Place?) {
        self.file = file
        self.salvage = salvage
        self.place = place
        walk = BMSWalk(file, from: place)
        super.init(legacy: file.form.isLegacy)
    }

    override func advance() -> Bool {
        while !isEnded, let piece = walk.next() {
            if case .packet = piece { place = walk.place }
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
