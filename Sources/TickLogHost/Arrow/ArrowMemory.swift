import CPosix
import TickLog

/// Memory that grows, from malloc, or a part of a larger piece: an Arrow consumer may get it as it is.
struct ArrowMemory {
    private(set) var memory: UnsafeMutableRawPointer?
    private(set) var room = 0
    var used = 0
    /// It is a part of memory that somebody else keeps.
    private(set) var isLent = false

    var start: UnsafeMutableRawPointer { memory! }

    /// Takes a part of memory that somebody else keeps.
    mutating func lend(_ part: UnsafeMutableRawPointer, _ bytes: Int) {
        free()
        memory = part
        room = bytes
        isLent = true
    }

    /// Room for so many bytes in all.
    mutating func reserve(_ bytes: Int) throws(Fault) {
        guard bytes > room || memory == nil else { return }
        let wanted = max(bytes, 64)
        let isLarge = wanted >= LargeMemory.least
        guard let larger = isLarge ? LargeMemory.allocate(wanted) : realloc(isLent ? nil : memory, wanted) else {
            throw Fault(.system, "", at: nil, "found no memory, expected \(wanted) bytes for a batch", code: ENOMEM)
        }
        if let memory, isLent || isLarge { larger.copyMemory(from: memory, byteCount: room) }
        if isLarge, !isLent { CPosix.free(memory) }
        memory = larger
        room = wanted
        isLent = false
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

    /// The memory, which is the batch's from now on; of room for much more than `bytes`, the rest is given back.
    mutating func move(_ bytes: Int, to batch: ArrowBatch) -> UnsafeRawPointer {
        var taken = start
        let isLent = isLent
        if !isLent, room > bytes + bytes / 8 + 65536, let smaller = realloc(taken, max(bytes, 64)) { taken = smaller }
        self = ArrowMemory()
        return isLent ? UnsafeRawPointer(taken) : batch.keep(taken)
    }

    mutating func free() {
        if !isLent { CPosix.free(memory) }
        self = ArrowMemory()
    }
}
