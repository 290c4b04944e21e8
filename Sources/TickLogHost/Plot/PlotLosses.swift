/// Ranges of ticks that are missing of a stream, in order and apart from each other.
struct PlotLosses {
    private(set) var ranges: [ClosedRange<UInt64>] = []
    private var at = 0

    init(_ losses: [Loss], of stream: Int) {
        var own: [ClosedRange<UInt64>] = []
        for loss in losses where Int(loss.stream) == stream && loss.firstTick <= loss.lastTick { own.append(loss.firstTick...loss.lastTick) }
        own.sort { $0.lowerBound < $1.lowerBound }
        for range in own {
            if let last = ranges.last, range.lowerBound <= (last.upperBound == UInt64.max ? last.upperBound : last.upperBound + 1) {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
    }

    /// Whether a tick is one of them. Fast for ticks that come in order.
    mutating func holds(_ tick: UInt64) -> Bool {
        if at > 0, at <= ranges.count, ranges[at - 1].upperBound >= tick { at = 0 }
        while at < ranges.count, ranges[at].upperBound < tick { at += 1 }
        return at < ranges.count && ranges[at].lowerBound <= tick
    }

    func touches(_ from: UInt64, _ to: UInt64) -> Bool {
        // The first that ends behind `from`.
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < from { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= to
    }
}
