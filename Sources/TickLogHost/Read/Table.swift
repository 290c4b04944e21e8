import TickLog

public struct Column {
    public let name: String
    public let type: ValueType

    public init(_ name: String, _ type: ValueType) {
        self.name = name
        self.type = type
    }
}

/// Where the values of a row lie: each column's at its place, a scalar in the first part with the size of its type, a
/// bool (a byte, 0 or 1) and a string (a `ticklog_text`) in the other.
public struct RowParts {
    let scalars: UnsafeRawPointer
    let others: UnsafeRawPointer
    let places: UnsafePointer<UInt32>
}

/// Rows of named, typed columns, read one after the other, whatever their format. Reading never throws: it ends early,
/// and `faults` says why.
public class Table {
    public let columns: [Column]
    public internal(set) var faults: [Fault] = []
    /// Index of the current row, from 0; rows that were lost are counted.
    @exclusivity(unchecked) public internal(set) var row: UInt64 = 0

    /// The current row, if its values lie in memory and all are known; otherwise they are asked for one by one.
    @exclusivity(unchecked) public internal(set) var parts: RowParts?

    init(columns: [Column]) {
        self.columns = columns
    }

    /// Reading ended because the columns have other types than was thought: all has to be read anew, with all of the
    /// types inferred first.
    public internal(set) var hasOtherTypes = false

    /// Moves to the next row; false at the end.
    public func next() -> Bool { false }
    /// The bits of the current row's value in a column that is no string.
    public func bits(_ column: Int) -> UInt64 { 0 }
    /// The bytes of a string column; valid until the next row.
    public func text(_ column: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
    /// From now on, rows are put where the writer takes them from, which has the same columns; false if the table can only
    /// tell its values one by one.
    public func fill(_ writer: BCSVWriter) -> Bool { false }
    /// Rows come faster by columns, as `next(to:)` gives them.
    public var hasColumns: Bool { false }
    /// Gives some of the next rows to a writer of the same columns; answers how many, 0 at the end. Throws what the writer
    /// does.
    public func next(to writer: ParquetWriter) throws(Fault) -> Int { 0 }
    /// Values so far, of all rows, of columns that had had none yet.
    @exclusivity(unchecked) public internal(set) var unknownValues: UInt64 = 0
    /// False if the column has had no value yet.
    public func isKnown(_ column: Int) -> Bool { true }

    public func column(named name: String) -> Int? {
        for i in 0..<columns.count where columns[i].name == name { return i }
        return nil
    }

    public var isDamaged: Bool {
        for fault in faults where fault.kind != .torn { return true }
        return false
    }
}
