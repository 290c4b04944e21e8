import CPosix
import CTickLog
import CXXHash
import TickLog

/// The different strings of a column of a batch, as an Arrow dictionary has them.
struct ArrowDictionary {
    private(set) var count = 0
    /// Where each begins, and the end of the last.
    private var offsets = ArrowMemory()
    private var text = ArrowMemory()
    /// By hash: the index of a string and 1; 0: none.
    private var slots = ArrowMemory()
    private var slotCount = 0
    private var last: Int32 = -1

    /// The string's index; nil if it is new and no UTF-8, unless `binary`, or has no room.
    mutating func index(_ string: UnsafeRawBufferPointer, binary: Bool) throws(Fault) -> Int32? {
        if last >= 0, isEqual(Int(last), string) { return last }
        if slotCount < 2 * count + 2 { try grow() }
        var slot = Self.hash(string) & (slotCount - 1)
        let entries = slots.start.assumingMemoryBound(to: Int32.self)
        while entries[slot] != 0 {
            if isEqual(Int(entries[slot]) - 1, string) {
                last = entries[slot] - 1
                return last
            }
            slot = (slot + 1) & (slotCount - 1)
        }
        guard binary || isUTF8(string), string.count <= Int(Int32.max) - text.used, count < Int(Int32.max) - 1 else { return nil }
        if count == 0 { try offsets.append(Int32(0)) }
        try text.append(string)
        try offsets.append(Int32(text.used))
        last = Int32(count)
        count += 1
        entries[slot] = Int32(count)
        return last
    }

    private func isEqual(_ index: Int, _ string: UnsafeRawBufferPointer) -> Bool {
        let places = offsets.start.assumingMemoryBound(to: Int32.self)
        let start = Int(places[index])
        return Int(places[index + 1]) - start == string.count
            && (string.count == 0 || memcmp(text.start + start, string.baseAddress!, string.count) == 0)
    }

    private static func hash(_ string: UnsafeRawBufferPointer) -> Int {
        guard let start = string.baseAddress else { return 0 }
        return Int(truncatingIfNeeded: cxxhash64(start, string.count) & 0x3FFF_FFFF)
    }

    private mutating func grow() throws(Fault) {
        let wanted = max(64, 2 * slotCount)
        try slots.reserve(4 * wanted)
        slotCount = wanted
        let entries = slots.start.assumingMemoryBound(to: Int32.self)
        cxxhash_zero(entries, 4 * wanted)
        guard count > 0 else { return }
        let places = offsets.start.assumingMemoryBound(to: Int32.self)
        for index in 0..<count {
            let start = Int(places[index])
            let string = UnsafeRawBufferPointer(start: text.start + start, count: Int(places[index + 1]) - start)
            var slot = Self.hash(string) & (slotCount - 1)
            while entries[slot] != 0 { slot = (slot + 1) & (slotCount - 1) }
            entries[slot] = Int32(index + 1)
        }
    }

    /// Gives what it has to a batch, and is empty.
    mutating func export(to batch: ArrowBatch, _ column: Int) throws(Fault) {
        if count == 0 { try offsets.append(Int32(0)) }
        try text.reserve(1)
        batch.setDictionary(column, entries: count, offsets.move(offsets.used, to: batch), text.move(text.used, to: batch))
        if slotCount > 0 { cxxhash_zero(slots.start, 4 * slotCount) }
        // Behind the call: see Tests/error-register.py.
        count = 0
        last = -1
    }

    mutating func free() {
        offsets.free()
        text.free()
        slots.free()
    }
}
