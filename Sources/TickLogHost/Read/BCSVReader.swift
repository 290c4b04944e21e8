import CPosix
import CTickLog
import TickLog

public typealias Ending = BCSVEnding

/// Reads the rows of one BCSV file of any version and codec. What is wrong with it is told in `faults`, in order.
///
/// Corresponds to `ticklog_reader` in `ticklog.h`.
public final class BCSVReader {
    public let file: BCSVFile
    /// In memory of its own: read for every value, and as a property of this class it would be copied each time.
    let place: UnsafeMutablePointer<TableReader>
    public var rows: TableReader { unsafeAddress { UnsafePointer(place) } }
    public private(set) var faults: [Fault] = []
    private let salvage: Bool
    private let memory: UnsafeMutableRawPointer
    private let large: LargeMemory?
    private let textUse: UnsafeMutablePointer<Int>

    /// `salvage`: goes on behind damage. `unverified`: the whole rows of a torn last packet come as well, see
    /// `rows.isVerified`.
    public init(_ file: BCSVFile, salvage: Bool = false, unverified: Bool = false) throws(Fault) {
        var options = TableReader.Options()
        options.salvage = salvage
        options.unverified = unverified
        let plan = TableReader.Plan(file.header.outline, options, fileLength: file.file.bytes.count, isMapped: true)
        // For a small file all of it would be touched for a part.
        let large = plan.bytes >= LargeMemory.least && file.file.bytes.count >= LargeMemory.least ? LargeMemory(plan.bytes) : nil
        guard let memory = large?.start ?? malloc(plan.bytes) else {
            throw Fault(.system, file.path, at: nil, "no memory for a reader of \(plan.bytes) bytes", code: ENOMEM)
        }
        do throws(FormatError) {
            let rows = try TableReader(SourceWindow(file.file.bytes), file.header, plan, options, memory: memory)
            place = .allocate(capacity: 1)
            place.initialize(to: rows)
        } catch {
            if let large { large.free() } else { free(memory) }
            throw Fault(error, file.path)
        }
        self.file = file
        self.salvage = salvage
        self.memory = memory
        self.large = large
        textUse = .allocate(capacity: file.header.columnCount)
    }

    deinit {
        place.deinitialize(count: 1)
        place.deallocate()
        if let large { large.free() } else { free(memory) }
        textUse.deallocate()
    }

    /// Moves to the next row; false at the end, or at damage if it is not to be salvaged.
    public func next() -> Bool {
        while true {
            do throws(FormatError) {
                switch try place.pointee.advance() {
                case .row: return true
                case .damage: note()
                case .end:
                    finish()
                    return false
                }
            } catch {
                faults.append(Fault(error, file.path))
                return false
            }
        }
    }

    /// Up to `most` rows, by columns, as `TableReader.readColumns`; 0 at the end, or at damage if it is not to be salvaged.
    func nextColumns(_ arrays: UnsafeBufferPointer<ticklog_column_array>, _ most: Int) -> Int {
        while true {
            do throws(FormatError) {
                let (count, event) = try place.pointee.readColumns(arrays, most, textUse: textUse)
                if count > 0 { return count }
                switch event {
                case .row: break
                case .damage: note()
                case .end:
                    finish()
                    return 0
                }
            } catch {
                faults.append(Fault(error, file.path))
                return 0
            }
        }
    }

    /// Goes to a row, so that it is the next one; false if there are not so many.
    public func seek(to row: UInt64) -> Bool {
        do throws(FormatError) {
            let before = rows.damageCount
            let isThere = try place.pointee.seek(to: row)
            if rows.damageCount > before { note() }
            return isThere
        } catch {
            faults.append(Fault(error, file.path))
            return false
        }
    }

    /// Goes to the first row whose value in `column` is not less than `value`, or a little before it, as
    /// `TableReader.seek(toAtLeast:in:)`.
    public func seek(toAtLeast value: UInt64, in column: Int) {
        do throws(FormatError) { try place.pointee.seek(toAtLeast: value, in: column) } catch {
            faults.append(Fault(error, file.path))
        }
    }

    /// How many rows the file has, as `TableReader.countRows`; nil: it cannot be told.
    func countRows() -> UInt64? { try? place.pointee.countRows() }

    /// How the file ends; nil before its end was reached.
    public var ending: Ending? { rows.ending }

    public var isDamaged: Bool {
        for fault in faults where fault.kind != .torn { return true }
        return false
    }

    private var isFinished = false

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        guard rows.ending == .open else { return }
        faults.append(
            Fault(
                .torn, file.path, at: file.file.bytes.count,
                "found the end of the file, expected a footer; it was never closed, and all its packets are whole"))
    }

    private func note() {
        guard let damage = rows.damage else { return }
        faults.append(Fault(damage, file, salvage: salvage))
    }
}

extension Fault {
    /// What is wrong, and what follows from it.
    init(_ damage: BCSVDamage, _ file: BCSVFile, salvage: Bool) {
        let error = damage.error
        let skipped = damage.skipped
        guard !damage.isTorn else {
            // A footer that is cut, or the tail of a packet or row.
            let what = error.kind == .footer || error.kind == .torn && error.offset == file.file.bytes.count && skipped.isEmpty
                ? "; all rows are there" : "; \(skipped.count) bytes of an unfinished packet are left out"
            self.init(error, file.path, kind: .torn, and: what)
            return
        }
        var more = ""
        if let rows = damage.rows, rows > 0 {
            more += "; rows \(damage.firstRow) to \(damage.firstRow &+ rows &- 1) are missing"
        }
        if !skipped.isEmpty {
            more += salvage
                ? "; \(skipped.count) bytes from offset \(skipped.lowerBound) are skipped" : "; reading stops here"
        }
        self.init(error, file.path, kind: error.kind == .unsupported ? .unreadable : .damaged, and: more)
    }
}
