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
        batch.setDictionary(column, entries: count, batch.keep(offsets.take(offsets.used)), batch.keep(text.take(text.used)))
        count = 0
        last = -1
        if slotCount > 0 { cxxhash_zero(slots.start, 4 * slotCount) }
    }

    mutating func free() {
        offsets.free()
        text.free()
        slots.free()
    }
}

/// Memory that grows, from malloc: an Arrow consumer may get it as it is.
struct ArrowMemory {
    private(set) var memory: UnsafeMutableRawPointer?
    private(set) var room = 0
    var used = 0

    var start: UnsafeMutableRawPointer { memory! }

    /// Room for so many bytes in all.
    mutating func reserve(_ bytes: Int) throws(Fault) {
        guard bytes > room || memory == nil else { return }
        let wanted = max(bytes, 64)
        guard let larger = realloc(memory, wanted) else {
            throw Fault(.system, "", at: nil, "found no memory, expected \(wanted) bytes for a batch", code: ENOMEM)
        }
        memory = larger
        room = wanted
    }

    mutating func append(_ number: Int32) throws(Fault) {
        if used + 4 > room { try reserve(max(256, 2 * room)) }
        start.storeBytes(of: number, toByteOffset: used, as: Int32.self)
        used += 4
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        if used + bytes.count > room { try reserve(max(256, 2 * room, used + bytes.count)) }
        if bytes.count > 0, let from = bytes.baseAddress { (start + used).copyMemory(from: from, byteCount: bytes.count) }
        used += bytes.count
    }

    /// The memory, which is somebody else's from now on; of room for much more than `bytes`, the rest is given back.
    mutating func take(_ bytes: Int) -> UnsafeMutableRawPointer {
        var taken = start
        if room > bytes + bytes / 8 + 65536, let smaller = realloc(taken, max(bytes, 64)) { taken = smaller }
        self = ArrowMemory()
        return taken
    }

    mutating func free() {
        CPosix.free(memory)
        self = ArrowMemory()
    }
}
