import TickLog

/// How a text file (CSV or JSON Lines) is to be read. What is nil is found out from the file.
public struct TextOptions {
    /// Rows that have not as many values as the others.
    public enum Ragged: Sendable {
        case refused
        /// Short ones get empty cells; long ones make further columns.
        case padded
        /// Left out, and counted.
        case skipped
    }

    public var delimiter: UInt8?
    public var decimalComma: Bool?
    public var header: Bool?
    public var ragged = Ragged.refused
    /// Blanks around cells do not count.
    public var trims = false
    /// What an empty cell is, or `null`.
    public enum Empty: Sendable {
        /// A text.
        case text
        /// In a column of numbers, NaN.
        case nan
        /// The value of the row before, 0 in the first: what has not been sampled yet.
        case nothing
    }

    public var empty = Empty.text
    /// Types by column name; the rest are inferred.
    public var types: [(name: String, type: ValueType)] = []
    /// Types of all columns by position, for a CSV file without a header.
    public var allTypes: [ValueType]?

    /// Types are inferred from the first rows, and found wanting while the rest is read: see `Table.hasOtherTypes`.
    public var samples = false
    /// How many rows these are.
    var sampledRows: UInt64 = 5000
    /// Records may be read in one pass (`CSVPlainRow`); the outcome is the same without.
    var isOnePass = true

    public init() {}
}
