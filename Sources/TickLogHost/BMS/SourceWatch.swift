import CPosix
import TickLog

/// When each word of a source last got another value, for those who look at it: marking costs the same for one subscriber
/// and for a hundred. 520 KiB, while there are any.
///
/// Time is a number that the loop counts up whenever it has told somebody.
final class SourceWatch {
    /// Words of a block, which is looked through only if one of them has changed.
    private static var blockWords: Int { 64 }

    /// The loop's time.
    @exclusivity(unchecked) var now: UInt64 = 1
    @exclusivity(unchecked) var subscriptions: [Subscription] = []
    /// Something changed since the loop last looked.
    @exclusivity(unchecked) var isMarked = false

    private let times: UnsafeMutablePointer<UInt64>
    private let blocks: UnsafeMutablePointer<UInt64>
    /// The image before a FULL.
    private var before: UnsafeMutablePointer<UInt16>?

    /// Nil: there is no memory.
    init?() {
        let times = calloc(PacketImage.mostWords, 8)
        let blocks = calloc(PacketImage.mostWords / SourceWatch.blockWords, 8)
        self.times = (times ?? UnsafeMutableRawPointer(bitPattern: 8)!).assumingMemoryBound(to: UInt64.self)
        self.blocks = (blocks ?? UnsafeMutableRawPointer(bitPattern: 8)!).assumingMemoryBound(to: UInt64.self)
        hasMemory = times != nil && blocks != nil
        if !hasMemory {
            free(times)
            free(blocks)
            return nil
        }
    }

    private let hasMemory: Bool

    deinit {
        guard hasMemory else { return }
        free(times)
        free(blocks)
        free(before)
    }

    @inline(__always)
    func mark(_ offset: Int) {
        times[offset] = now
        blocks[offset / SourceWatch.blockWords] = now
        isMarked = true
    }

    /// Keeps the words from `low` to `high`, to be compared later. False: there is no memory.
    func keep(_ words: UnsafeMutablePointer<UInt16>, _ low: Int, _ high: Int) -> Bool {
        if before == nil { before = malloc(SourceImages.imageBytes)?.bindMemory(to: UInt16.self, capacity: PacketImage.mostWords) }
        guard let before else { return false }
        if low <= high { memcpy(before + low, words + low, 2 * (high - low + 1)) }
        return true
    }

    /// Marks those of them that are different now.
    func markChanges(_ words: UnsafeMutablePointer<UInt16>, _ low: Int, _ high: Int) {
        guard let before else { return }
        var offset = low
        while offset <= high {
            if before[offset] != words[offset] { mark(offset) }
            offset += 1
        }
    }

    /// The first word of `from...last` that changed after `time`; nil: none.
    func changed(from: Int, through last: Int, after time: UInt64) -> Int? {
        var offset = from
        while offset <= last {
            if blocks[offset / SourceWatch.blockWords] <= time {
                offset = (offset / SourceWatch.blockWords + 1) * SourceWatch.blockWords
                continue
            }
            if times[offset] > time { return offset }
            offset += 1
        }
        return nil
    }
}
