import CTickLog

/// What a run counts about its storage.
struct StorageTally {
    var bytes: UInt64 = 0
    var errors: UInt64 = 0
    var lastError: ticklog_status = TICKLOG_OK

    /// Notes a storage answer; BUSY is no failure.
    mutating func note(_ status: ticklog_status) {
        if status != TICKLOG_OK, status != TICKLOG_BUSY {
            errors += 1
            lastError = status
        }
    }
}

/// Encoded bytes of one file that storage has not taken yet.
///
/// Index 0 always stands for a file offset that is a multiple of the block size, so that blocks are aligned in memory
/// as they are in the file. Bytes stay until storage accepts them; a retry repeats them at the same offset.
struct BlockBuffer {
    let base: UnsafeMutableRawPointer
    let capacity: Int
    let blockSize: Int
    private(set) var start = 0
    private(set) var end = 0
    /// File offset of the byte at `start`.
    private(set) var offset: UInt64 = 0
    var file: ticklog_file?
    /// Set when storage refused in this service: it is not asked again before the next one.
    var isStalled = false
    /// End of the write that storage was last busy with: up to here it may be reading the bytes (DMA), which stay in
    /// their place until it has accepted them.
    private var busyEnd: UInt64 = 0

    init(_ base: UnsafeMutableRawPointer, capacity: Int, blockSize: Int) {
        self.base = base
        self.capacity = capacity
        self.blockSize = blockSize
    }

    var room: Int { capacity - end }
    var pending: Int { end - start }
    /// The file's length once all is written.
    var length: UInt64 { offset + UInt64(end - start) }

    /// Where the next byte goes. At most `room` bytes may be put there before `advance`.
    var next: UnsafeMutableRawPointer { base + end }

    mutating func advance(_ count: Int) {
        precondition(count >= 0 && count <= room)
        end &+= count
    }

    /// Forgets everything, for a new file.
    mutating func reset(_ file: ticklog_file?) {
        self.file = file
        start = 0
        end = 0
        offset = 0
        isStalled = false
        busyEnd = 0
    }

    /// Forgets everything, for a file that goes on at `offset`.
    mutating func resume(_ file: ticklog_file?, at offset: UInt64) {
        reset(file)
        self.offset = offset
        start = Int(offset & UInt64(blockSize - 1))
        end = start
    }

    /// Whether at least `count` bytes fit, after giving storage what it takes if they do not.
    mutating func makeRoom(_ count: Int, _ storage: UnsafePointer<ticklog_storage>, _ tally: inout StorageTally) -> Bool {
        if room >= count { return true }
        compact()
        if room >= count { return true }
        _ = drain(all: false, storage, &tally)
        compact()
        return room >= count
    }

    /// Gives whole blocks to storage, or everything. OK: no such bytes are left.
    mutating func drain(
        all: Bool, _ storage: UnsafePointer<ticklog_storage>, _ tally: inout StorageTally
    ) -> ticklog_status {
        let length = offset + UInt64(end - start)
        // A retry has at least the bytes of the write before it.
        let target = all ? length : max(length & ~UInt64(blockSize - 1), busyEnd)
        while offset < target {
            if isStalled { return TICKLOG_BUSY }
            let count = UInt32(target - offset)
            var accepted: UInt32 = 0
            var status = storage.pointee.write(storage.pointee.context, file, offset, base + start, count, &accepted)
            // A callback that claims more than it was given is not believed.
            if accepted > count { (accepted, status) = (0, TICKLOG_IO) }
            start += Int(accepted)
            offset += UInt64(accepted)
            tally.bytes += UInt64(accepted)
            if status == TICKLOG_OK, accepted == 0 { status = TICKLOG_BUSY }
            busyEnd = status == TICKLOG_BUSY ? target : 0
            if status != TICKLOG_OK {
                tally.note(status)
                isStalled = true
                return status
            }
        }
        if start == end {
            start = Int(offset & UInt64(blockSize - 1))
            end = start
        }
        return TICKLOG_OK
    }

    /// Moves what is left to the front, by whole blocks, unless storage is busy with it.
    private mutating func compact() {
        let shift = start & ~(blockSize - 1)
        if shift == 0 || busyEnd > offset { return }
        if end - shift <= shift {
            base.copy(base + shift, end - shift)
        } else {
            base.copyMemory(from: base + shift, byteCount: end - shift)
        }
        start -= shift
        end -= shift
    }
}
