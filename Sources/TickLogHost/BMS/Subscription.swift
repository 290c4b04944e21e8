import TickLog

/// What a client wants to hear of a source: the changes of some words, at most so often.
final class Subscription {
    struct Words {
        let first: Int
        let last: Int
    }

    static var mostPairs: Int { 32 }
    /// Of one client.
    static var most: Int { 16 }

    let client: ServerClient
    /// Of the source.
    let index: Int
    /// In order, without overlaps.
    let ranges: [Words]
    /// Between two tellings; 0: whenever something comes.
    let intervalNs: UInt64
    @exclusivity(unchecked) var nextNs: UInt64 = 0
    /// Everything that changed until then was told.
    @exclusivity(unchecked) var seen: UInt64
    /// A telling that the queue had no room for goes on here, and was begun then.
    @exclusivity(unchecked) var resumesAt: Int?
    @exclusivity(unchecked) var begunAt: UInt64 = 0
    @exclusivity(unchecked) var isPending = false
    @exclusivity(unchecked) var isEnded = false
    /// Of the SUBSCRIBE: what it brings has it too.
    let sequence: UInt8

    init(_ client: ServerClient, _ index: Int, _ ranges: [Words], rate: UInt16, seen: UInt64, sequence: UInt8) {
        self.client = client
        self.index = index
        self.ranges = ranges
        intervalNs = rate == 0 ? 0 : 1_000_000_000 / UInt64(rate)
        self.seen = seen
        self.sequence = sequence
    }

    /// The ranges of a SUBSCRIBE, in order and joined. Nil: an end is before its beginning.
    static func ranges(_ words: PacketWords) -> [Words]? {
        var all: [Words] = []
        var i = 0
        while i + 1 < words.count {
            let range = Words(first: Int(words.offset(i)), last: Int(words.offset(i + 1)))
            guard range.first <= range.last else { return nil }
            all.append(range)
            i += 2
        }
        all.sort { $0.first < $1.first }
        var joined: [Words] = []
        for range in all {
            if let last = joined.last, range.first <= last.last + 1 {
                joined[joined.count - 1] = Words(first: last.first, last: max(last.last, range.last))
            } else {
                joined.append(range)
            }
        }
        return joined
    }
}
