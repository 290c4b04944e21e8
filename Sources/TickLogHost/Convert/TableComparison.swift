import TickLog

/// Two tables, cell by cell.
public final class TableComparison {
    public struct Difference {
        public let row: UInt64
        /// Of a run's table.
        public let tick: UInt64?
        public let column: String
        public let a: String
        public let b: String
    }

    public let a: Table
    public let b: Table
    private let typed: Bool
    private let tolerance: Double?
    /// Differences of names, types and number of columns.
    public private(set) var schema: [String] = []
    public private(set) var rowsA: UInt64 = 0
    public private(set) var rowsB: UInt64 = 0
    /// Rows that both have.
    public private(set) var compared: UInt64 = 0
    /// Cells and rows that differ.
    public private(set) var cells: UInt64 = 0
    public private(set) var rows: UInt64 = 0
    public private(set) var first: [Difference] = []

    public static var mostDifferences: Int { 10 }

    /// `typed`: both are of formats with types, and a difference of types counts.
    public init(_ a: Table, _ b: Table, typed: Bool, tolerance: Double?) {
        self.a = a
        self.b = b
        self.typed = typed
        self.tolerance = tolerance
    }

    /// Rows that only one has although nothing says that the other has lost them.
    public private(set) var unmatched: UInt64 = 0
    /// How many columns are compared, if not all: those behind them are built-in ones of one of the tables.
    public var limit: Int?
    /// Rows of runs are matched by tick.
    private var isMatched = false

    public var isEqual: Bool {
        schema.isEmpty && cells == 0 && (isMatched ? unmatched == 0 : rowsA == rowsB) && !a.isDamaged && !b.isDamaged
    }

    func compareSchema() {
        if a.columns.count != b.columns.count, limit == nil { schema.append("columns: \(a.columns.count) | \(b.columns.count)") }
        let width = min(a.columns.count, b.columns.count)
        for i in 0..<width {
            let (x, y) = (a.columns[i], b.columns[i])
            if x.name != y.name { schema.append("column \(i): '\(x.name)' | '\(y.name)'") }
            if typed, x.type != y.type { schema.append("column \(i) '\(x.name)': \(staticText(x.type.name)) | \(staticText(y.type.name))") }
        }
    }

    public func run() {
        compareSchema()
        let width = min(a.columns.count, b.columns.count)
        while true {
            let (hasA, hasB) = (a.next(), b.next())
            if hasA { rowsA += 1 }
            if hasB { rowsB += 1 }
            guard hasA, hasB else {
                while hasA, a.next() { rowsA += 1 }
                while hasB, b.next() { rowsB += 1 }
                return
            }
            compareRow(0..<width, row: rowsA - 1, tick: nil)
        }
    }

    /// The current rows. `columns`: those that are compared.
    private func compareRow(_ columns: Range<Int>, row: UInt64, tick: UInt64?) {
        compared += 1
        var differs = false
        for i in columns where !isSame(i) {
            differs = true
            cells += 1
            if first.count < TableComparison.mostDifferences {
                first.append(Difference(row: row, tick: tick, column: a.columns[i].name, a: text(a, i), b: text(b, i)))
            }
        }
        if differs { rows += 1 }
    }

    /// A row of runs. `inA`, `inB`: which of them has it.
    func compare(_ columns: Range<Int>, tick: UInt64, inA: Bool, inB: Bool) {
        isMatched = true
        if inA { rowsA += 1 }
        if inB { rowsB += 1 }
        compareRow(columns, row: max(rowsA, 1) - 1, tick: tick)
    }

    /// Further columns of the same row.
    func compareMore(_ columns: Range<Int>, tick: UInt64) {
        compareRow(columns, row: max(rowsA, 1) - 1, tick: tick)
        compared -= 1
    }

    /// A row that only one run has, and that the other should have.
    func leaveUnmatched(inA: Bool) {
        isMatched = true
        if inA { rowsA += 1 } else { rowsB += 1 }
        unmatched += 1
    }

    private func isSame(_ column: Int) -> Bool {
        let (x, y) = (a.columns[column].type, b.columns[column].type)
        let known = a.isKnown(column)
        if known != b.isKnown(column) {
            // A value that is not there is an empty cell, or the 0 that BCSV has for it.
            let (table, type) = known ? (a, x) : (b, y)
            return type == .string ? table.text(column).count == 0 : table.bits(column) == 0
        }
        if !known { return true }
        if x == .string, y == .string {
            let (s, t) = (a.text(column), b.text(column))
            return s.count == t.count && s.elementsEqual(t)
        }
        if x == .string || y == .string {
            // Text that a value could have been read from.
            let (text, bits, type) = x == .string ? (a.text(column), b.bits(column), y) : (b.text(column), a.bits(column), x)
            guard !typed, let read = textBits(text, type) else { return false }
            return isSame(read, type, bits, type)
        }
        return isSame(a.bits(column), x, b.bits(column), y)
    }

    private func isSame(_ p: UInt64, _ x: ValueType, _ q: UInt64, _ y: ValueType) -> Bool {
        if x == y, p == q { return true }
        let (f, g) = (x == .f32 || x == .f64, y == .f32 || y == .f64)
        guard f || g else {
            // Whole numbers and bools: as numbers, unless one is of a bool and one is not.
            return (x == .bool) == (y == .bool) && negative(p, x) == negative(q, y) && p.widened(x) == q.widened(y)
        }
        guard x != .bool, y != .bool else { return false }
        if let tolerance {
            let (v, w) = (double(p, x), double(q, y))
            if v.isNaN || w.isNaN { return v.isNaN && w.isNaN }
            return v == w || (v - w).magnitude <= tolerance
        }
        if x == y { return false }
        // Numbers of different types are the same if the wider holds the other exactly, sign of zero and NaN included.
        if f, g { return wide(p, x) == wide(q, y) }
        let (float, type, whole, wholeType) = f ? (p, x, q, y) : (q, y, p, x)
        let value = double(float, type)
        guard value.isFinite, !(value == 0 && value.sign == .minus), value.magnitude < 0x1p64 else { return false }
        let magnitude = UInt64(value.magnitude)
        guard Double(magnitude) == value.magnitude else { return false }
        let isNegative = negative(whole, wholeType)
        let bits = whole.widened(wholeType)
        return isNegative == (value < 0) && magnitude == (isNegative ? 0 &- bits : bits)
    }

    private func negative(_ bits: UInt64, _ type: ValueType) -> Bool {
        type.rawValue >= ValueType.i8.rawValue && type.rawValue <= ValueType.i64.rawValue && Int64(bitPattern: bits.widened(type)) < 0
    }

    private func double(_ bits: UInt64, _ type: ValueType) -> Double {
        switch type {
        case .f32: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case .f64: return Double(bitPattern: bits)
        default: return negative(bits, type) ? Double(Int64(bitPattern: bits.widened(type))) : Double(bits)
        }
    }

    /// As float64. Of a NaN, sign and payload stay.
    private func wide(_ bits: UInt64, _ type: ValueType) -> UInt64 {
        guard type == .f32 else { return bits }
        if bits & 0x7FFF_FFFF > 0x7F80_0000 {
            return (bits & 0x8000_0000) << 32 | 0x7FF0_0000_0000_0000 | (bits & 0x7F_FFFF) << 29
        }
        return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))).bitPattern
    }

    private func text(_ table: Table, _ column: Int) -> String {
        let type = table.columns[column].type
        if !table.isKnown(column) { return "nothing" }
        guard type != .string else {
            let text = table.text(column)
            let shown = String(decoding: UnsafeRawBufferPointer(rebasing: text[..<min(text.count, 60)]), as: UTF8.self)
            return "'" + shown + (text.count > 60 ? "...'" : "'")
        }
        let bits = table.bits(column)
        let isNaN = type == .f32 ? bits & 0x7FFF_FFFF > 0x7F80_0000 : type == .f64 && bits & UInt64.max >> 1 > 0x7FF0_0000_0000_0000
        return type.text(bits) + (isNaN ? " (\(hexText(bits)))" : "")
    }
}

extension UInt64 {
    /// Sign-extended, if it is of a type with a sign.
    fileprivate func widened(_ type: ValueType) -> UInt64 {
        switch type {
        case .i8: UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: self)))
        case .i16: UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: self)))
        case .i32: UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: self)))
        default: self
        }
    }
}

/// The bits of the value that a text means in a column of that type; nil if it means none.
public func textBits(_ text: UnsafeRawBufferPointer, _ type: ValueType) -> UInt64? {
    ValueReader(floats: FloatReader(), mark: 0x2E).bits(text, type)
}
