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
        /// Its own columns, from `prepare` on; their strings until the batch has them.
        var columns = UnsafeMutableBufferPointer<ArrowColumn>(start: nil, count: 0)
        var count: Int { Int(rows.upperBound - rows.lowerBound) }
    }

    /// What is read.
    let rows: Range<UInt64>
    private let file: BCSVFile
    private let parts: UnsafeMutableBufferPointer<Part>
    /// The next part that nobody has taken.
    private let next = Atomic<Int>(0)
    private let hasFailed = Atomic<Bool>(false)
    /// Of each part. Its strings are taken when those of all before it have been.
    private let isRead: UnsafeMutablePointer<Atomic<Bool>>
    /// A thread is at that; only it goes on in `appended`.
    private let isAppending = Atomic<Bool>(false)
    private var appended = 0

    /// Parts of a thread, so that the threads end at about the same time.
    private static var partsOfThread: Int { 8 }

    /// Nil if there is less than two parts.
    /// - Parameter starts: where packets begin, and the file's packets end.
    /// - Parameter isLast: no rows are wanted behind these; otherwise it ends with a packet.
    init?(_ file: BCSVFile, _ starts: [BCSVTable.PacketStart], _ wanted: Range<UInt64>, isLast: Bool, threads: Int) {
        guard let first = starts.first, first.row <= wanted.lowerBound else { return nil }
        let from = Self.index(starts, behind: wanted.lowerBound)
        let ends = starts[from..<max(from, Self.index(starts, behind: wanted.upperBound))]
        var made: [Part] = []
        let step = max(1, ends.count / (threads * Self.partsOfThread))
        var row = wanted.lowerBound
        for i in ends.indices where (i - from + 1) % step == 0 || i == ends.endIndex - 1 {
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
        isRead = .allocate(capacity: made.count)
        for i in 0..<made.count {
            (parts.baseAddress! + i).initialize(to: made[i])
            (isRead + i).initialize(to: Atomic(false))
        }
    }

    /// The first that begins behind a row, or how many there are.
    private static func index(_ starts: [BCSVTable.PacketStart], behind row: UInt64) -> Int {
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle].row > row { high = middle } else { low = middle + 1 }
        }
        return low
    }

    deinit {
        for part in parts {
            for i in 0..<part.columns.count { part.columns[i].free() }
            part.columns.deallocate()
        }
        isRead.deinitialize(count: parts.count)
        isRead.deallocate()
        parts.deallocate()
    }

    /// Fills the columns, which have room for all rows, from their first row on; false if anything is wrong.
    func read(_ columns: UnsafeMutableBufferPointer<ArrowColumn>, threads: Int) -> Bool {
        for i in 0..<parts.count { prepare(i, columns) }
        var others: [WorkThread] = []
        for _ in 1..<min(threads, parts.count) {
            // Without a thread the others do its work.
            guard let thread = try? WorkThread({ self.work(columns) }) else { break }
            others.append(thread)
        }
        work(columns)
        for thread in others { thread.join() }
        if !hasFailed.load(ordering: .relaxed), appended == parts.count { return true }
        for i in 0..<columns.count { columns[i].cut(to: 0) }
        return false
    }

    /// Before there are threads: while they read, one of them changes the batch's columns of strings.
    private func prepare(_ index: Int, _ columns: UnsafeMutableBufferPointer<ArrowColumn>) {
        let part = parts[index]
        let own = UnsafeMutableBufferPointer<ArrowColumn>.allocate(capacity: columns.count)
        let from = Int(part.rows.lowerBound - rows.lowerBound)
        for i in 0..<own.count { (own.baseAddress! + i).initialize(to: ArrowColumn(rows: part.count, of: columns[i], from: from)) }
        parts[index].columns = own
    }

    private func work(_ columns: UnsafeMutableBufferPointer<ArrowColumn>) {
        let table = BCSVTable([file])
        while !hasFailed.load(ordering: .relaxed) {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < parts.count else { return }
            var isRead = false
            do throws(Fault) { if try read(index, table) { isRead = try appendStrings(columns) } } catch {}
            if !isRead { hasFailed.store(true, ordering: .relaxed) }
        }
    }

    private func read(_ index: Int, _ table: BCSVTable) throws(Fault) -> Bool {
        let part = parts[index]
        for i in 0..<part.columns.count where part.columns[i].isString { try part.columns[i].reserve(part.count) }
        let blocks = ArrowBlocks(table, tick: nil, ticks: ChosenRows.allTicks, rows: part.rows, ordered: true)
        var done = 0
        while done < part.count {
            guard let taken = try blocks.next(part.columns, done, most: part.count - done), taken > 0, blocks.kept == taken,
                blocks.notText == nil
            else { return false }
            done += taken
        }
        guard table.isSound(packetEnd: part.end) else { return false }
        isRead[index].store(true, ordering: .sequentiallyConsistent)
        return true
    }

    /// The strings of the parts that are read, as far as they follow each other, unless another thread is at that; false if they
    /// are too many bytes for a batch.
    private func appendStrings(_ columns: UnsafeMutableBufferPointer<ArrowColumn>) throws(Fault) -> Bool {
        // Whoever has stopped looks again, lest both leave a part to the other.
        while !isAppending.exchange(true, ordering: .sequentiallyConsistent) {
            while appended < parts.count, isRead[appended].load(ordering: .sequentiallyConsistent) {
                guard try append(parts[appended], columns) else { return false }
                appended += 1
            }
            let next = appended
            isAppending.store(false, ordering: .sequentiallyConsistent)
            if next == parts.count || !isRead[next].load(ordering: .sequentiallyConsistent) { break }
        }
        return true
    }

    private func append(_ part: Part, _ columns: UnsafeMutableBufferPointer<ArrowColumn>) throws(Fault) -> Bool {
        for i in 0..<columns.count where columns[i].isString {
            guard try columns[i].append(part.columns[i], part.count, at: Int(part.rows.lowerBound - rows.lowerBound)) else { return false }
            part.columns[i].free()
        }
        return true
    }
}
