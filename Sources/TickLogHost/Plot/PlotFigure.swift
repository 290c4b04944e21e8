import CPosix
import TickLog

/// One line of a plot: points of one pixel column each, from the left to the right.
struct PlotPoint {
    /// 0 to 1.
    let x: Double
    let bucket: PlotBucket
}

/// Columns of the same unit, one above the other with those of other units.
struct PlotPanel {
    let unit: String
    var series: [Int] = []
    var least = Double.infinity
    var largest = -Double.infinity
    /// Shaded: what was lost, 0 to 1.
    var losses: [ClosedRange<Double>] = []
}

/// What a plot shows, before it is drawn somewhere.
public final class PlotFigure {
    let source: PlotSource
    let title: String
    private(set) var panels: [PlotPanel] = []

    public init(_ source: PlotSource) {
        self.source = source
        title = terminalText(source.path.lastComponent)
        for i in 0..<source.series.count {
            let series = source.series[i]
            var place: Int?
            if !series.unit.isEmpty { for k in 0..<panels.count where panels[k].unit == series.unit { place = k } }
            if place == nil {
                place = panels.count
                panels.append(PlotPanel(unit: series.unit))
            }
            panels[place!].series.append(i)
            panels[place!].least = min(panels[place!].least, series.least)
            panels[place!].largest = max(panels[place!].largest, series.largest)
        }
        for k in 0..<panels.count { shade(k) }
    }

    /// How many values are finite.
    public var count: UInt64 {
        var count: UInt64 = 0
        for series in source.series { count &+= series.count }
        return count
    }

    private func shade(_ panel: Int) {
        let grid = source.grid
        guard let streams = source.streams, !grid.isEmpty, grid.high > grid.low else { return }
        let columns = 4096
        var isLost = [Bool](repeating: false, count: columns)
        var seen: [Int] = []
        for i in panels[panel].series {
            guard let stream = source.series[i].stream, !seen.contains(stream) else { continue }
            seen.append(stream)
            guard let losses = source.losses[streams[stream].index] else { continue }
            for range in losses.ranges {
                let from = Int64(clamping: range.lowerBound)
                let to = Int64(clamping: range.upperBound)
                guard from <= grid.high, to >= grid.low else { continue }
                let first = Int(grid.place(of: from) * Double(columns - 1))
                let last = Int(grid.place(of: to) * Double(columns - 1))
                for k in first...max(first, last) { isLost[k] = true }
            }
        }
        var i = 0
        while i < columns {
            guard isLost[i] else {
                i += 1
                continue
            }
            let start = i
            while i < columns, isLost[i] { i += 1 }
            panels[panel].losses.append(Double(start) / Double(columns)...Double(i) / Double(columns))
        }
    }

    /// The points of a series: where there are more buckets than `width` columns, one for each column.
    func points(_ index: Int, width: Int) -> [PlotPoint] {
        let series = source.series[index]
        let grid = source.grid
        var points: [PlotPoint] = []
        guard !grid.isEmpty else { return points }
        var used = 0
        for i in 0..<grid.capacity where series.buckets[i].flags != 0 { used += 1 }
        let isThin = used <= width
        var column = -1
        var joined = PlotBucket()
        for i in 0..<grid.capacity {
            let bucket = series.buckets[i]
            guard bucket.flags != 0 else { continue }
            let place = grid.place(ofBucket: i)
            if isThin {
                points.append(PlotPoint(x: place, bucket: bucket))
                continue
            }
            let own = min(Int(place * Double(width)), width - 1)
            if own != column {
                if column >= 0 { points.append(PlotPoint(x: (Double(column) + 0.5) / Double(width), bucket: joined)) }
                joined = bucket
                column = own
            } else {
                joined.join(bucket)
            }
        }
        if column >= 0 { points.append(PlotPoint(x: (Double(column) + 0.5) / Double(width), bucket: joined)) }
        return points
    }

    /// The lines of the x axis.
    func xTicks(most: Int) -> [PlotTick] {
        let grid = source.grid
        guard !grid.isEmpty else { return [] }
        func ns(_ key: Int64, _ keyNs: UInt64) -> Int64 {
            let (value, overflow) = key.multipliedReportingOverflow(by: Int64(clamping: keyNs))
            return overflow ? (key < 0 ? Int64.min / 2 : Int64.max / 2) : min(max(value, Int64.min / 2), Int64.max / 2)
        }
        switch source.kind {
        case .count: return PlotXScale.counts(grid.low, grid.high, most: most)
        case .seconds(let keyNs): return PlotXScale.seconds(ns(grid.low, keyNs), ns(grid.high, keyNs), most: most)
        case .time(let epochNs, let keyNs):
            let epoch = min(max(epochNs, Int64.min / 2), Int64.max / 2)
            return PlotXScale.times(ns(grid.low, keyNs) + epoch, ns(grid.high, keyNs) + epoch, most: most)
        case .unixSeconds:
            if grid.lowNumber > -9e9, grid.highNumber < 9e9 {
                return PlotXScale.times(Int64(grid.lowNumber * 1e9), Int64(grid.highNumber * 1e9), most: most)
            }
            return numbers(most)
        case .number: return numbers(most)
        }
    }

    private func numbers(_ most: Int) -> [PlotTick] {
        let grid = source.grid
        let low = grid.lowNumber
        let span = grid.highNumber / 2 - low / 2
        guard span > 0 else { return [PlotTick(place: 0.5, label: shortText(low))] }
        let scale = PlotScale(low, grid.highNumber, most: most)
        // Without the scale's margin.
        var ticks: [PlotTick] = []
        for tick in scale.ticks {
            let place = (scale.low / 2 - low / 2) / span + tick.place * ((scale.high / 2 - scale.low / 2) / span)
            if place >= -1e-9, place <= 1 + 1e-9 { ticks.append(PlotTick(place: place, label: tick.label)) }
        }
        return ticks
    }

    /// What stands under the x axis.
    var xName: String { terminalText(source.xName) }

    func label(_ series: Int) -> String {
        let one = source.series[series]
        return terminalText(one.name) + (one.unit.isEmpty ? "" : " [" + terminalText(one.unit) + "]")
    }
}
