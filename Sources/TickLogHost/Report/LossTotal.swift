/// The losses of one stream for one reason.
public struct LossTotal {
    public let stream: Int
    public let reason: UInt8
    public private(set) var samples: UInt64 = 0
    public private(set) var ranges = 0
    public private(set) var firstTick = UInt64.max
    public private(set) var lastTick: UInt64 = 0

    private init(stream: Int, reason: UInt8) {
        self.stream = stream
        self.reason = reason
    }

    /// By stream and reason.
    public static func all(_ losses: [Loss]) -> [LossTotal] {
        var totals: [LossTotal] = []
        var places: [Int: Int] = [:]
        for loss in losses {
            let key = Int(loss.stream) << 8 | Int(loss.reason)
            let place = places[key] ?? totals.count
            if place == totals.count {
                places[key] = place
                totals.append(LossTotal(stream: Int(loss.stream), reason: loss.reason))
            }
            totals[place].samples &+= UInt64(loss.samples)
            totals[place].ranges += 1
            totals[place].firstTick = min(totals[place].firstTick, loss.firstTick)
            totals[place].lastTick = max(totals[place].lastTick, loss.lastTick)
        }
        totals.sort { $0.stream != $1.stream ? $0.stream < $1.stream : $0.reason < $1.reason }
        return totals
    }
}
