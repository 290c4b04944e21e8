/// A line of an axis: where it is, 0 to 1, what stands there, and what stands below that where it changes.
struct PlotTick {
    let place: Double
    let label: String
    var below = ""
}

/// The y axis of a panel.
struct PlotScale {
    let low: Double
    let high: Double
    private(set) var ticks: [PlotTick] = []

    /// `most`: so many lines at most.
    init(_ least: Double, _ largest: Double, most: Int) {
        var low = least
        var high = largest
        if low > high {
            low = 0
            high = 1
        }
        if low == high || high / 2 - low / 2 < 1e-290 {
            let more = max(low.magnitude * 0.1, low == 0 ? 1 : 1e-280)
            low -= more
            high += more
        } else {
            let more = (high / 2 - low / 2) * 0.1
            low -= more
            high += more
        }
        let limit = Double.greatestFiniteMagnitude
        self.low = max(low, -limit)
        self.high = min(high, limit)
        choose(max(1, most))
    }

    /// Where a value is: 0 to 1.
    func place(_ value: Double) -> Double {
        min(1, max(0, (value / 2 - low / 2) / (high / 2 - low / 2)))
    }

    private mutating func choose(_ most: Int) {
        let rough = (high / 2 - low / 2) / Double(most) * 2
        guard rough - rough == 0, rough > 0 else { return }
        var power = 1.0
        var exponent = 0
        while power * 10 <= rough {
            power *= 10
            exponent += 1
        }
        while power > rough {
            power /= 10
            exponent -= 1
        }
        var times: Int64 = 1
        for step in [Int64(2), 5, 10] where power * Double(times) < rough { times = step }
        let step = power * Double(times)
        let first = low / step
        let last = high / step
        guard first.magnitude < 4e15, last.magnitude < 4e15 else { return }
        var number = Int64(first)
        if Double(number) < first { number += 1 }
        while Double(number) <= last, ticks.count <= 2 * most {
            ticks.append(PlotTick(place: place(Double(number) * step), label: decimalText(number * times, exponent)))
            number += 1
        }
    }
}

/// number * 10^exponent, with all of its digits and no more.
func decimalText(_ number: Int64, _ exponent: Int) -> String {
    guard number != 0 else { return "0" }
    var digits = Array("\(number.magnitude)".utf8)
    var exponent = exponent
    while exponent < 0, digits.count > 1, digits.last == 0x30 {
        digits.removeLast()
        exponent += 1
    }
    let sign = number < 0 ? "-" : ""
    if exponent >= 0, digits.count + exponent <= 7 {
        return sign + String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: exponent)
    }
    if exponent < 0, exponent >= -7 {
        while digits.count <= -exponent { digits.insert(0x30, at: 0) }
        digits.insert(0x2E, at: digits.count + exponent)
        return sign + String(decoding: digits, as: UTF8.self)
    }
    while digits.count > 1, digits.last == 0x30 {
        digits.removeLast()
        exponent += 1
    }
    let power = exponent + digits.count - 1
    if digits.count > 1 { digits.insert(0x2E, at: 1) }
    return sign + String(decoding: digits, as: UTF8.self) + "e\(power)"
}

/// A value in few digits, for what is said of it.
func shortText(_ value: Double) -> String {
    guard value - value == 0 else { return value == value ? (value > 0 ? "inf" : "-inf") : "nan" }
    guard value != 0 else { return "0" }
    var scaled = value.magnitude
    var exponent = 0
    while scaled >= 10000 {
        scaled /= 10
        exponent += 1
    }
    while scaled < 1000, exponent > -320 {
        scaled *= 10
        exponent -= 1
    }
    var number = Int64(scaled + 0.5)
    while number % 10 == 0, exponent < 0 {
        number /= 10
        exponent += 1
    }
    return decimalText(value < 0 ? -number : number, exponent)
}
