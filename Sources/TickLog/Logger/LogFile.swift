import CTickLog

/// One open file of a run: its encoded bytes, and how far storage has got with it.
struct LogFile {
    let kind: FileKind
    var buffer: BlockBuffer
    /// BCSV's packets; nil in DLF runs, whose samples and records go into the buffer as they are.
    let packets: UnsafeMutablePointer<PacketWriter>?
    /// The most bytes that one row or record adds to the file, with what its packet needs.
    let rowRoom: Int
    /// The longest row, before compression.
    let maxRow: Int

    /// Something was encoded since the last flush.
    var hasNews = false
    /// Ticks of the rows since the last good sync.
    var unsyncedFirst: UInt64 = 0
    var unsyncedLast: UInt64 = 0
    var hasUnsynced = false
    /// A loss was declared in it since the last good sync.
    var hasUnsyncedLoss = false
    /// Number of the current file, when the run has rolled.
    var roll: UInt32 = 0
    var change = Change.none
    /// Storage refused the next file: ask again at the next service only.
    var isRollRefused = false

    /// Going over to the next file, or closing the last one, in steps that a busy storage may interrupt.
    enum Change {
        case none
        /// The file gets its footer, of which `emitted` bytes are in the buffer. The next one, if any, is open.
        case footer(next: ticklog_file?, emitted: Int)
        /// The footer is encoded, and goes to storage.
        case finish(next: ticklog_file?)
        /// The next file gets its header.
        case header(emitted: Int)
        /// The last file is closed.
        case closed
    }

    init(_ kind: FileKind, buffer: BlockBuffer, packets: UnsafeMutablePointer<PacketWriter>?, rowRoom: Int, maxRow: Int) {
        self.kind = kind
        self.buffer = buffer
        self.packets = packets
        self.rowRoom = rowRoom
        self.maxRow = maxRow
    }

    var isChanging: Bool {
        if case .none = change { return false }
        return true
    }

    /// What the buffer must have free before a row.
    var room: Int {
        if let packets, packets.pointee.isBatch { return packets.pointee.room(maxRow) }
        return rowRoom
    }

    mutating func noteRow(_ tick: UInt64) {
        hasNews = true
        // Events of different streams are not in order of ticks, nor are those of the clock.
        if !hasUnsynced || tick < unsyncedFirst { unsyncedFirst = tick }
        if !hasUnsynced || tick > unsyncedLast { unsyncedLast = tick }
        hasUnsynced = true
    }

    mutating func append(_ due: PacketWriter.Due) {
        packets!.pointee.append(due, most: maxRow, to: &buffer)
    }

    mutating func closePacket() {
        packets?.pointee.close(&buffer)
    }

    mutating func drain(all: Bool, _ storage: UnsafePointer<ticklog_storage>, _ tally: inout StorageTally) -> ticklog_status {
        packets?.pointee.hashPending(buffer)
        return buffer.drain(all: all, storage, &tally)
    }

    mutating func makeRoom(_ count: Int, _ storage: UnsafePointer<ticklog_storage>, _ tally: inout StorageTally) -> Bool {
        if buffer.room >= count { return true }
        packets?.pointee.hashPending(buffer)
        return buffer.makeRoom(count, storage, &tally)
    }
}
