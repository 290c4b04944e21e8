import CPosix
import TickLog

/// Every checksum, length and row of a BCSV file, looked at once.
public struct BCSVSurvey {
    public let path: String
    public let size: UInt64
    /// What is wrong, in the order of the file; with it, the same as sentences.
    public private(set) var damages: [BCSVDamage] = []
    public private(set) var faults: [Fault] = []
    public private(set) var ending = BCSVEnding.damaged
    /// Rows that a checksum covers.
    public private(set) var rows: UInt64 = 0
    /// Whole rows of a torn last packet.
    public private(set) var unverifiedRows: UInt64 = 0
    public private(set) var packets = 0
    public private(set) var indexEntries: Int?

    public init(_ file: BCSVFile) throws(Fault) {
        path = file.path
        size = UInt64(file.file.bytes.count)
        var options = TableReader.Options()
        options.salvage = true
        options.unverified = true
        let plan = TableReader.Plan(file.header.outline, options, fileLength: file.file.bytes.count, isMapped: true)
        guard let memory = malloc(plan.bytes) else {
            throw Fault(.system, path, at: nil, "no memory for a reader of \(plan.bytes) bytes", code: ENOMEM)
        }
        defer { free(memory) }
        do throws(FormatError) {
            var reader = try TableReader(SourceWindow(file.file.bytes), file.header, plan, options, memory: memory)
            var isDone = false
            while !isDone {
                switch try reader.advance() {
                case .row: if reader.isVerified { rows += 1 } else { unverifiedRows += 1 }
                case .damage:
                    if let damage = reader.damage {
                        damages.append(damage)
                        faults.append(Fault(damage, file, salvage: true))
                    }
                case .end: isDone = true
                }
            }
            ending = reader.ending ?? .damaged
            packets = reader.packetCount
            indexEntries = reader.footer?.entryCount
        } catch {
            throw Fault(error, path)
        }
    }

    /// Nothing is torn or damaged; the file may be one that was not closed.
    public var isSound: Bool { damages.isEmpty && (ending == .closed || ending == .open) }
    public var isClosed: Bool { ending == .closed && damages.isEmpty }
}
