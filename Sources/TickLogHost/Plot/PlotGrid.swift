/// The x axis of a plot while it is read: a fixed number of buckets, each of which is twice as wide whenever a value does
/// not fit between them, so that nobody has to know beforehand how far x goes. All series share them.
final class PlotGrid {
    let capacity: Int
    /// A bucket is 2^shift keys wide.
    private(set) var shift = 0
    /// The first bucket's number: a key's is `key >> shift`.
    private(set) var base: Int64 = 0
    /// The least and the largest key.
    private(set) var low: Int64 = 0
    private(set) var high: Int64 = 0
    private(set) var isEmpty = true
    /// x that is no integer: a key is `x / 2^exponent`, rounded down.
    private var exponent = 0
    private(set) var lowNumber = 0.0
    private(set) var highNumber = 0.0
    var series: [PlotSeries] = []

    /// `width`: pixels that are told apart; of each there are two buckets at least, once there are many values.
    init(width: Int) {
        var capacity = 1024
        while capacity < 8 * width { capacity *= 2 }
        self.capacity = capacity
    }

    @inline(__always)
    func bucket(_ key: Int64) -> Int { Int(truncatingIfNeeded: (key >> Int64(shift)) &- base) }

    /// Makes room for keys.
    @inline(__always)
    func cover(_ from: Int64, _ to: Int64) {
        if !isEmpty, from >= low, to <= high { return }
        extend(from, to)
    }

    private func extend(_ from: Int64, _ to: Int64) {
        let newLow = isEmpty ? from : min(low, from)
        let newHigh = isEmpty ? to : max(high, to)
        let wasEmpty = isEmpty
        isEmpty = false
        low = newLow
        high = newHigh
        let s = Int64(shift)
        let first = newLow >> s
        let last = newHigh >> s
        if !wasEmpty, first >= base, UInt64(bitPattern: last &- base) < UInt64(capacity) { return }
        // Downwards there is room for more of it.
        let isDown = !wasEmpty && first < base
        let room = UInt64(isDown ? capacity / 2 : capacity)
        var wide = s
        while UInt64(bitPattern: (newHigh >> wide) &- (newLow >> wide)) >= room { wide += 1 }
        var newBase = newLow >> wide
        if isDown {
            let (centred, overflow) = newBase.subtractingReportingOverflow(Int64(capacity / 4))
            newBase = overflow ? Int64.min >> wide : centred
        }
        if !wasEmpty { regroup(wide, newBase) }
        shift = Int(wide)
        base = newBase
    }

    private func regroup(_ wide: Int64, _ newBase: Int64) {
        let by = wide - Int64(shift)
        for series in series {
            series.regroup { index in Int(truncatingIfNeeded: ((self.base &+ Int64(index)) >> by) &- newBase) }
        }
    }

    /// The key of a finite number, with room made for it.
    func key(of number: Double) -> Int64 {
        // Its bits, and room for numbers that are larger.
        let needed = number == 0 ? -1000 : max(-1000, Int(number.exponent) - 60)
        if isEmpty {
            exponent = number == 0 ? -1000 : max(-1000, Int(number.exponent) - 52)
            lowNumber = number
            highNumber = number
        } else {
            lowNumber = min(lowNumber, number)
            highNumber = max(highNumber, number)
            if needed > exponent { rescale(by: needed - exponent) }
        }
        let scaled = number * PlotGrid.power(-exponent)
        var key = Int64(scaled)
        if Double(key) > scaled { key -= 1 }
        cover(key, key)
        return key
    }

    private func rescale(by more: Int) {
        let by = Int64(min(more, 64))
        if Int64(shift) < by {
            let wide = min(by, 63)
            let newBase = low >> wide
            regroup(wide, newBase)
            shift = Int(wide)
            base = newBase
        }
        low = low >> by
        high = high >> by
        shift = max(0, shift - Int(by))
        exponent += more
    }

    /// 2^exponent, for -1022 to 1000.
    private static func power(_ exponent: Int) -> Double { Double(bitPattern: UInt64(1023 + min(max(exponent, -1022), 1023)) << 52) }

    /// Where a key is between the least and the largest: 0 to 1.
    func place(of key: Int64) -> Double {
        guard high > low else { return 0.5 }
        if key <= low { return 0 }
        if key >= high { return 1 }
        return Double(UInt64(bitPattern: key &- low)) / Double(UInt64(bitPattern: high &- low))
    }

    /// Where the middle of a bucket is.
    func place(ofBucket index: Int) -> Double {
        let start = (base &+ Int64(index)) << Int64(shift)
        guard shift > 0 else { return place(of: start) }
        let (middle, overflow) = start.addingReportingOverflow(1 << Int64(shift - 1))
        return place(of: overflow ? high : middle)
    }
}
