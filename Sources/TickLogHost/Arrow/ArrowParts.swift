import CPosix
import Synchronization
import TickLog

/// Rows of a closed BCSV file, decoded by several threads: each takes a part, which is whole packets, when it has done the one
/// before. Where reading one row after the other would find anything wrong, this fails, and says no more: then that is done.
final class ArrowParts {
    private struct Part {
        var rows: Range<UInt64>
        /// Where its last packet ends, if its rows end there.
        var end: Int?
        /// Its own columns, when it was read.
        var columns = UnsafeMutableBufferPointer<ArrowColumn>(start: nil, count: 0)
    }

    /// What is read.
    let rows: Range<UInt64>
    private let file: BCSVFile
    private let parts: UnsafeMutableBufferPointer<Part>
    /// The next part that nobody has taken.
    private let next = Atomic<Int>(0)
    private let hasFailed = Atomic<Bool>(false)

    /// Parts of a thread, so that the threads end at about the same time.
    private static var partsOfThread: Int { 8 }

    /// Nil if there is less than two parts.
    /// - Parameter starts: where packets begin, and the file's packets end.
    /// - Parameter isLast: no rows are wanted behind these; otherwise it ends with a packet.
    init?(_ file: BCSVFile, _ starts: [BCSVTable.PacketStart], _ wanted: Range<UInt64>, isLast: Bool, threads: Int) {
        var ends: [BCSVTable.PacketStart] = []
        for start in starts where start.row > wanted.lowerBound && start.row <= wanted.upperBound { ends.append(start) }
        guard let first = starts.first, first.row <= wanted.lowerBound else { return nil }
        var made: [Part] = []
        let step = max(1, ends.count / (threads * Self.partsOfThread))
        var row = wanted.lowerBound
        for i in 0..<ends.count where (i + 1) % step == 0 || i == ends.count - 1 {
            made.append(Part(rows: row..<ends[i].row, end: ends[i].offset))
            row = ends[i].row
        }
        if isLast, row < wanted.upperBound {
            made.append(Part(rows: row..<wanted.upperBound, end: nil))
            row = wanted.upperBound
        }
        guard made.count > 1 else { return nil }
        self.file = file
        rows = wanted.lowerBound..<row
        parts = .allocate(capacity: made.count)
        for i in 0..<made.count { (parts.baseAddress! + i).initialize(to: made[i]) }
    }

    deinit {
        for part in parts {
            for i in 0..<part.columns.count { part.columns[i].free() }
            part.columns.deallocate()
        }
        parts.deallocate()
    }

    /// Fills the columns, which have room for all rows, from their first row on; false if anything is wrong.
    func read(_ columns: UnsafeMutableBufferPointer<ArrowColumn>, threads: Int) -> Bool {
        var others: [WorkThread] = []
        for _ in 1..<min(threads, parts.count) {
            // Without a thread the others do its work.
            guard let thread = try? WorkThread({ self.work(columns) }) else { break }
            others.append(thread)
        }
        work(columns)
        for thread in others { thread.join() }
        guard !hasFailed.load(ordering: .relaxed) else { return false }
        do throws(Fault) { if try appendStrings(columns) { return true } } catch {}
        for i in 0..<columns.count { columns[i].cut(to: 0) }
        return false
    }

    private func work(_ columns: UnsafeMutableBufferPointer<ArrowColumn>) {
        let table = BCSVTable([file])
        while !hasFailed.load(ordering: .relaxed) {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < parts.count else { return }
            var isRead = false
            do throws(Fault) { isRead = try read(index, table, columns) } catch {}
            if !isRead { hasFailed.store(true, ordering: .relaxed) }
        }
    }

    private func read(_ index: Int, _ table: BCSVTable, _ columns: UnsafeMutableBufferPointer<ArrowColumn>) throws(Fault) -> Bool {
        let part = parts[index]
        let count = Int(part.rows.upperBound - part.rows.lowerBound)
        let own = UnsafeMutableBufferPointer<ArrowColumn>.allocate(capacity: columns.count)
        for i in 0..<own.count { (own.baseAddress! + i).initialize(to: ArrowColumn(columns[i].type, source: columns[i].source, binary: false)) }
        parts[index].columns = own
        let from = Int(part.rows.lowerBound - rows.lowerBound)
        for i in 0..<own.count { own[i] = try ArrowColumn(rows: count, of: columns[i], from: from) }
        let blocks = ArrowBlocks(table, tick: nil, ticks: ChosenRows.allTicks, rows: part.rows, ordered: true)
        var done = 0
        while done < count {
            guard let taken = try blocks.next(own, done, most: count - done), taken > 0, blocks.kept == taken, blocks.notText == nil
            else { return false }
            done += taken
        }
        return table.isSound(packetEnd: part.end)
    }

    /// The strings of all parts, one behind the other; false if they are too many bytes for a batch.
    private func appendStrings(_ columns: UnsafeMutableBufferPointer<ArrowColumn>) throws(Fault) -> Bool {
        for i in 0..<columns.count where columns[i].isString {
            var bytes = 0
            for part in parts { bytes += part.columns[i].textBytes }
            guard columns[i].holds(bytes) else { return false }
            try columns[i].reserveText(bytes)
            for part in parts {
                let count = Int(part.rows.upperBound - part.rows.lowerBound)
                guard try columns[i].append(part.columns[i], count, at: Int(part.rows.lowerBound - rows.lowerBound)) else { return false }
                part.columns[i].free()
            }
        }
        return true
    }
}
