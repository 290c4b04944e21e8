import CPosix
import TickLog

/// The values of one column in the row group that is being filled, one behind the other: a scalar with the size of its type,
/// a string behind its length as UInt32, which is how a PLAIN page has it.
struct ParquetColumn {
    let name: String
    let type: ValueType
    /// Bytes of a value; 0 of strings.
    let size: Int
    private(set) var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    /// Bytes of the rows that are whole.
    var used = 0
    /// Of a string column: bytes of the row that is being set, behind those.
    var pending = 0

    init(_ column: Column) {
        name = column.name
        type = column.type
        size = column.type.size
    }

    /// Room for `more` bytes behind `used`; false if there is no memory.
    @inline(__always)
    mutating func reserve(_ more: Int, most: Int) -> Bool { capacity &- used >= more || grow(more, most) }

    /// Twice as many, as long as that is not beyond what a row group holds.
    @inline(never)
    private mutating func grow(_ more: Int, _ most: Int) -> Bool {
        let needed = used + more
        let twice = capacity > Int.max / 2 ? needed : max(capacity * 2, 4096)
        let room = max(needed, min(twice, most))
        guard let larger = realloc(memory, room) else { return false }
        memory = larger
        capacity = room
        return true
    }

    mutating func release() {
        free(memory)
        memory = nil
        capacity = 0
    }
}

/// A page's part of a column.
struct ParquetPage {
    /// Index of its first row in the row group.
    var first: Int
    var rows: Int
    /// Where its values begin in the column's memory, and their bytes there.
    var start: Int
    var bytes: Int

    /// A column cut into pages of about `pageBytes` bytes in PLAIN encoding.
    static func pages(_ column: ParquetColumn, rows: Int, pageBytes: Int, into pages: inout [ParquetPage]) {
        pages.removeAll(keepingCapacity: true)
        guard column.type == .string else {
            let most = column.type == .bool ? pageBytes * 8 : max(pageBytes / column.type.parquetBytes, 1)
            var first = 0
            while first < rows {
                let count = min(most, rows - first)
                pages.append(ParquetPage(first: first, rows: count, start: first * column.size, bytes: count * column.size))
                first += count
            }
            return
        }
        guard let memory = column.memory else { return }
        var page = ParquetPage(first: 0, rows: 0, start: 0, bytes: 0)
        for row in 0..<rows {
            let length = 4 + Int((memory + page.start + page.bytes).loadUnaligned(as: UInt32.self))
            if page.rows > 0, page.bytes + length > pageBytes {
                pages.append(page)
                page = ParquetPage(first: row, rows: 0, start: page.start + page.bytes, bytes: 0)
            }
            page.rows += 1
            page.bytes += length
        }
        if page.rows > 0 { pages.append(page) }
    }
}
