import TickLog

/// A type of values that are plotted.
protocol PlotNumber: Comparable {
    var plotted: Double { get }
    /// The least and the largest of values, at least one; if some are NaN, one of the two is.
    static func extremes(_ values: UnsafePointer<Self>, _ number: Int) -> (low: Self, high: Self)
}

extension PlotNumber {
    @inline(__always)
    static func extremes(_ values: UnsafePointer<Self>, _ number: Int) -> (low: Self, high: Self) {
        var low = values[0]
        var high = values[0]
        for i in 0..<number {
            let value = values[i]
            low = value < low ? value : low
            high = value > high ? value : high
        }
        return (low, high)
    }
}

extension UInt8: PlotNumber { var plotted: Double { Double(self) } }
extension UInt16: PlotNumber { var plotted: Double { Double(self) } }
extension UInt32: PlotNumber { var plotted: Double { Double(self) } }
extension UInt64: PlotNumber { var plotted: Double { Double(self) } }
extension Int8: PlotNumber { var plotted: Double { Double(self) } }
extension Int16: PlotNumber { var plotted: Double { Double(self) } }
extension Int32: PlotNumber { var plotted: Double { Double(self) } }
extension Int64: PlotNumber { var plotted: Double { Double(self) } }

extension Float: PlotNumber {
    var plotted: Double { Double(self) }

    /// As integers that are in the same order, of which a loop compares several at a time. NaN comes beyond the infinities.
    static func extremes(_ values: UnsafePointer<Float>, _ number: Int) -> (low: Float, high: Float) {
        let all = UnsafeRawPointer(values).assumingMemoryBound(to: Int32.self)
        var low = Int32.max
        var high = Int32.min
        for i in 0..<number {
            let value = inOrder(all[i])
            low = value < low ? value : low
            high = value > high ? value : high
        }
        return (Float(bitPattern: UInt32(bitPattern: inOrder(low))), Float(bitPattern: UInt32(bitPattern: inOrder(high))))
    }

    /// Of negative ones all bits but the sign turn; and back.
    @inline(__always)
    private static func inOrder(_ bits: Int32) -> Int32 { bits ^ ((bits &>> 31) & Int32.max) }
}

extension Double: PlotNumber {
    var plotted: Double { self }

    static func extremes(_ values: UnsafePointer<Double>, _ number: Int) -> (low: Double, high: Double) {
        let all = UnsafeRawPointer(values).assumingMemoryBound(to: Int64.self)
        var low = Int64.max
        var high = Int64.min
        for i in 0..<number {
            let value = inOrder(all[i])
            low = value < low ? value : low
            high = value > high ? value : high
        }
        return (Double(bitPattern: UInt64(bitPattern: inOrder(low))), Double(bitPattern: UInt64(bitPattern: inOrder(high))))
    }

    @inline(__always)
    private static func inOrder(_ bits: Int64) -> Int64 { bits ^ ((bits &>> 63) & Int64.max) }
}

/// What a plot keeps of the values of a bucket: the extremes, so that no spike disappears, and the first and the last one,
/// so that lines join.
struct PlotBucket {
    var least = Double.infinity
    var largest = -Double.infinity
    var first = 0.0
    var last = 0.0
    var flags: UInt8 = 0

    static var hasValue: UInt8 { 1 }
    /// No line comes here from what is before.
    static var isCut: UInt8 { 2 }
    static var isAbove: UInt8 { 4 }
    static var isBelow: UInt8 { 8 }

    var hasValue: Bool { flags & PlotBucket.hasValue != 0 }
    var isCut: Bool { flags & PlotBucket.isCut != 0 }

    /// The values of the next bucket as well.
    mutating func join(_ next: PlotBucket) {
        guard next.flags != 0 else { return }
        let infinite = (flags | next.flags) & (PlotBucket.isAbove | PlotBucket.isBelow)
        if !hasValue {
            self = next
        } else if next.hasValue {
            least = min(least, next.least)
            largest = max(largest, next.largest)
            last = next.last
        }
        flags |= infinite
    }
}

/// A column of a plot.
final class PlotSeries {
    let grid: PlotGrid
    let name: String
    let unit: String
    /// Of the table.
    let column: Int
    let type: ValueType
    /// Of the run; nil: of none.
    let stream: Int?
    /// Among the series.
    let place: Int
    private(set) var buckets: UnsafeMutablePointer<PlotBucket>
    private var scratch: UnsafeMutablePointer<PlotBucket>
    /// What comes next does not continue what was.
    private var isCut = true
    private(set) var least = Double.infinity
    private(set) var largest = -Double.infinity
    private(set) var count: UInt64 = 0

    init(_ grid: PlotGrid, _ name: String, unit: String, column: Int, _ type: ValueType, stream: Int?) {
        self.grid = grid
        self.name = name
        self.unit = unit
        self.column = column
        self.type = type
        self.stream = stream
        place = grid.series.count
        buckets = .allocate(capacity: grid.capacity)
        buckets.initialize(repeating: PlotBucket(), count: grid.capacity)
        scratch = .allocate(capacity: grid.capacity)
        scratch.initialize(repeating: PlotBucket(), count: grid.capacity)
        grid.series.append(self)
    }

    func free() {
        buckets.deallocate()
        scratch.deallocate()
    }

    var capacity: Int { grid.capacity }

    func regroup(_ place: (Int) -> Int) {
        for i in 0..<grid.capacity { scratch[i] = PlotBucket() }
        for i in 0..<grid.capacity where buckets[i].flags != 0 {
            let to = place(i)
            guard to >= 0, to < grid.capacity else { continue }
            scratch[to].join(buckets[i])
        }
        swap(&buckets, &scratch)
    }

    /// A gap: no line goes over it.
    @inline(__always)
    func cut() { isCut = true }

    /// One value, in a bucket that is there.
    @inline(__always)
    func add(_ value: Double, _ bucket: Int) {
        let place = buckets + bucket
        guard value - value == 0 else {
            if value > 0 { place.pointee.flags |= PlotBucket.isAbove }
            if value < 0 { place.pointee.flags |= PlotBucket.isBelow }
            isCut = true
            return
        }
        count &+= 1
        if value < least { least = value }
        if value > largest { largest = value }
        if !place.pointee.hasValue {
            place.pointee.first = value
            place.pointee.flags |= PlotBucket.hasValue | (isCut ? PlotBucket.isCut : 0)
        }
        isCut = false
        if value < place.pointee.least { place.pointee.least = value }
        if value > place.pointee.largest { place.pointee.largest = value }
        place.pointee.last = value
    }

    /// Values of one bucket that follow each other.
    @inline(__always)
    private func add<T: PlotNumber>(_ values: UnsafePointer<T>, _ number: Int, _ bucket: Int) {
        if number >= 4 {
            let (low, high) = T.extremes(values, number)
            // Zero has no sign.
            let least = low.plotted + 0
            let largest = high.plotted + 0
            if least - least == 0, largest - largest == 0 {
                add(values[0].plotted, bucket)
                add(least, bucket)
                add(largest, bucket)
                add(values[number - 1].plotted, bucket)
                count &+= UInt64(number - 4)
                return
            }
        }
        for i in 0..<number { add(values[i].plotted, bucket) }
    }

    /// Values by their memory, in the column's type.
    func add(_ values: UnsafeRawPointer, from: Int, _ number: Int, _ bucket: Int) {
        switch type {
        case .bool, .u8: add(values.assumingMemoryBound(to: UInt8.self) + from, number, bucket)
        case .u16: add(values.assumingMemoryBound(to: UInt16.self) + from, number, bucket)
        case .u32: add(values.assumingMemoryBound(to: UInt32.self) + from, number, bucket)
        case .u64: add(values.assumingMemoryBound(to: UInt64.self) + from, number, bucket)
        case .i8: add(values.assumingMemoryBound(to: Int8.self) + from, number, bucket)
        case .i16: add(values.assumingMemoryBound(to: Int16.self) + from, number, bucket)
        case .i32: add(values.assumingMemoryBound(to: Int32.self) + from, number, bucket)
        case .i64: add(values.assumingMemoryBound(to: Int64.self) + from, number, bucket)
        case .f32: add(values.assumingMemoryBound(to: Float.self) + from, number, bucket)
        case .f64: add(values.assumingMemoryBound(to: Double.self) + from, number, bucket)
        case .string: break
        }
    }
}

extension PlotSeries {
    /// The values of some rows, in the column's type.
    func add(_ values: UnsafeRawPointer, rows: UnsafePointer<Int32>, _ number: Int, _ bucket: Int) {
        let first = Int(rows[0])
        if Int(rows[number - 1]) - first == number - 1 { return add(values, from: first, number, bucket) }
        switch type {
        case .bool, .u8: add(values.assumingMemoryBound(to: UInt8.self), rows, number, bucket)
        case .u16: add(values.assumingMemoryBound(to: UInt16.self), rows, number, bucket)
        case .u32: add(values.assumingMemoryBound(to: UInt32.self), rows, number, bucket)
        case .u64: add(values.assumingMemoryBound(to: UInt64.self), rows, number, bucket)
        case .i8: add(values.assumingMemoryBound(to: Int8.self), rows, number, bucket)
        case .i16: add(values.assumingMemoryBound(to: Int16.self), rows, number, bucket)
        case .i32: add(values.assumingMemoryBound(to: Int32.self), rows, number, bucket)
        case .i64: add(values.assumingMemoryBound(to: Int64.self), rows, number, bucket)
        case .f32: add(values.assumingMemoryBound(to: Float.self), rows, number, bucket)
        case .f64: add(values.assumingMemoryBound(to: Double.self), rows, number, bucket)
        case .string: break
        }
    }

    @inline(__always)
    private func add<T: PlotNumber>(_ values: UnsafePointer<T>, _ rows: UnsafePointer<Int32>, _ number: Int, _ bucket: Int) {
        for i in 0..<number { add(values[Int(rows[i])].plotted, bucket) }
    }
}

/// The number that a value's bits are.
func plottedNumber(_ bits: UInt64, _ type: ValueType) -> Double {
    switch type {
    case .bool: bits == 0 ? 0 : 1
    case .u8, .u16, .u32, .u64: Double(bits)
    case .i8: Double(Int8(truncatingIfNeeded: bits))
    case .i16: Double(Int16(truncatingIfNeeded: bits))
    case .i32: Double(Int32(truncatingIfNeeded: bits))
    case .i64: Double(Int64(bitPattern: bits))
    case .f32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .f64: Double(bitPattern: bits)
    case .string: Double.nan
    }
}
