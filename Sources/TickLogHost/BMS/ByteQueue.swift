import CPosix

/// Bytes that wait, in one piece: taken from the front, added at the end. It has memory while there are any.
struct ByteQueue: ~Copyable {
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    private var begin = 0
    private(set) var count = 0

    /// What is kept when it is empty.
    private static var least: Int { 4096 }

    init() {}

    deinit { free(memory) }

    var start: UnsafeMutableRawPointer { (memory ?? UnsafeMutableRawPointer(bitPattern: 8)!) + begin }

    /// Room for more bytes behind those that are there. Nil: there is no memory.
    mutating func room(_ more: Int) -> UnsafeMutableRawPointer? {
        if begin + count + more > capacity {
            if count + more <= capacity, begin >= count {
                memmove(memory!, start, count)
                begin = 0
            } else {
                var larger = max(ByteQueue.least, capacity)
                while larger < count + more { larger *= 2 }
                guard let made = malloc(larger) else { return nil }
                memcpy(made, start, count)
                free(memory)
                memory = made
                capacity = larger
                begin = 0
            }
        }
        return start + count
    }

    /// Bytes that were stored at `room`.
    mutating func add(_ more: Int) { count += more }

    mutating func add(_ bytes: UnsafeRawPointer, _ more: Int) -> Bool {
        guard more > 0 else { return true }
        guard let place = room(more) else { return false }
        memcpy(place, bytes, more)
        count += more
        return true
    }

    mutating func remove(_ taken: Int) {
        begin += taken
        count -= taken
        guard count == 0 else { return }
        begin = 0
        if capacity > ByteQueue.least { clear() }
    }

    mutating func clear() {
        free(memory)
        memory = nil
        capacity = 0
        begin = 0
        count = 0
    }
}
