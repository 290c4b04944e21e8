/// The lines of an x axis.
enum PlotXScale {
    /// Integers from `low` to `high`.
    static func counts(_ low: Int64, _ high: Int64, most: Int) -> [PlotTick] {
        let span = UInt64(bitPattern: high &- low)
        var step: UInt64 = 1
        var times = 1
        while span / step > UInt64(max(1, most)) {
            let (next, overflow) = (step / UInt64(times)).multipliedReportingOverflow(by: times == 1 ? 2 : times == 2 ? 5 : 10)
            if overflow { break }
            step = next
            times = times == 1 ? 2 : times == 2 ? 5 : 1
        }
        return steps(low, high, Int64(clamping: step)).map { PlotTick(place: place($0, low, high), label: "\($0)") }
    }

    private static func place(_ value: Int64, _ low: Int64, _ high: Int64) -> Double {
        high > low ? Double(UInt64(bitPattern: value &- low)) / Double(UInt64(bitPattern: high &- low)) : 0.5
    }

    /// The multiples of a step.
    private static func steps(_ low: Int64, _ high: Int64, _ step: Int64) -> [Int64] {
        var values: [Int64] = []
        let (quotient, rest) = low.quotientAndRemainder(dividingBy: step)
        var (value, overflow) = (quotient + (rest > 0 ? 1 : 0)).multipliedReportingOverflow(by: step)
        while !overflow, value <= high, values.count < 64 {
            values.append(value)
            (value, overflow) = value.addingReportingOverflow(step)
        }
        return values
    }

    private static var second: Int64 { 1_000_000_000 }
    private static var day: Int64 { 86400 * second }

    /// 1, 2, 5, 10 ns and so on, up to `limit`.
    private static func decimalStep(_ span: UInt64, _ most: Int, limit: Int64) -> Int64? {
        var power: Int64 = 1
        while power <= limit {
            for times in [Int64(1), 2, 5] {
                let (step, overflow) = power.multipliedReportingOverflow(by: times)
                if overflow || step > limit { return nil }
                if span / UInt64(step) <= UInt64(most) { return step }
            }
            let (next, overflow) = power.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            power = next
        }
        return nil
    }

    /// Seconds, of ns.
    static func seconds(_ low: Int64, _ high: Int64, most: Int) -> [PlotTick] {
        guard let step = decimalStep(UInt64(bitPattern: high &- low), max(1, most), limit: Int64.max) else { return [] }
        return steps(low, high, step).map { PlotTick(place: place($0, low, high), label: decimalText($0, -9)) }
    }

    /// Dates and times in UTC, of ns of Unix time.
    static func times(_ low: Int64, _ high: Int64, most: Int) -> [PlotTick] {
        let span = UInt64(bitPattern: high &- low)
        let most = max(1, most)
        var step = decimalStep(span, most, limit: 10 * second)
        for seconds in [Int64(15), 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172_800, 604_800]
        where step == nil {
            if span / UInt64(seconds * second) <= UInt64(most) { step = seconds * second }
        }
        guard let step else { return months(low, high, span, most) }
        var ticks: [PlotTick] = []
        var date = ""
        var values = steps(low, high, step)
        if step == 604_800 * second {
            // From Monday on; 1970 began on a Thursday.
            let (shifted, overflow) = low.subtractingReportingOverflow(4 * day)
            values = overflow ? [] : steps(shifted, high - 4 * day, step).map { $0 + 4 * day }
        }
        for value in values {
            let text = Array(timeText(epochNs: value == 0 ? 1 : value).utf8)
            let own = String(decoding: text.prefix(10), as: UTF8.self)
            if step >= day {
                ticks.append(PlotTick(place: place(value, low, high), label: own))
                continue
            }
            var label = String(decoding: text.dropFirst(11).prefix(step >= 60 * second ? 5 : 8), as: UTF8.self)
            if step < second {
                let rest = value % second < 0 ? value % second + second : value % second
                var digits = 9
                var unit = step
                while unit % 10 == 0 {
                    unit /= 10
                    digits -= 1
                }
                let all = "\(rest + second)".utf8.dropFirst()
                label += "." + String(decoding: all.prefix(digits), as: UTF8.self)
            }
            ticks.append(PlotTick(place: place(value, low, high), label: label, below: own == date ? "" : own))
            date = own
        }
        return ticks
    }

    private static func months(_ low: Int64, _ high: Int64, _ span: UInt64, _ most: Int) -> [PlotTick] {
        let all = Int64(clamping: span / UInt64(30 * day)) + 1
        var every: Int64 = 1200
        for step in [Int64(1), 2, 3, 6, 12, 24, 60, 120, 240, 600].reversed() where all / step <= Int64(most) { every = step }
        let start = Array(timeText(epochNs: low == 0 ? 1 : low).utf8)
        func number(_ from: Int, _ to: Int) -> Int64 { start[from..<to].reduce(0) { $0 * 10 + Int64($1 &- 0x30) } }
        guard start.count >= 10, start[4] == 0x2D else { return [] }
        var month = (number(0, 4) * 12 + number(5, 7) - 1) / every * every
        var ticks: [PlotTick] = []
        while ticks.count < 64 {
            let (year, inYear) = (month / 12, month % 12 + 1)
            let (ns, overflow) = days(year, inYear).multipliedReportingOverflow(by: day)
            if overflow || ns > high { break }
            if ns >= low {
                let label = every >= 12 ? "\(year)" : "\(year)-" + (inYear < 10 ? "0" : "") + "\(inYear)"
                ticks.append(PlotTick(place: place(ns, low, high), label: label))
            }
            month += every
        }
        return ticks
    }

    /// Days from 1970 to the first of a month.
    private static func days(_ year: Int64, _ month: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let ofEra = y - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }
}
