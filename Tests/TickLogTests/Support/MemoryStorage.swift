import CTickLog

/// One file in memory, as storage: it may be busy, take parts, and fail at a chosen call. What it was given before is
/// checked against what it is given again.
final class MemoryStorage {
    var bytes: [UInt8] = []
    private(set) var calls = 0
    private(set) var isOpen = false
    private(set) var isSynced = false
    /// Answers what the n-th call, from 0, answers; TICKLOG_OK lets it happen.
    var answer: (Int) -> ticklog_status = { _ in TICKLOG_OK }
    /// The most bytes that a write takes.
    var most = Int.max
    private(set) var complaints: [String] = []
    private let table = UnsafeMutablePointer<ticklog_storage>.allocate(capacity: 1)

    var storage: UnsafePointer<ticklog_storage> { UnsafePointer(table) }

    init(blockSize: UInt32 = 512) {
        table.initialize(to: ticklog_storage())
        table.pointee.size = UInt32(MemoryLayout<ticklog_storage>.size)
        table.pointee.block_size = blockSize
        table.pointee.context = Unmanaged.passUnretained(self).toOpaque()
        table.pointee.open = { context, path, file in
            MemoryStorage.of(context).next { storage in
                storage.isOpen = true
                file!.pointee = context
            }
        }
        table.pointee.write = { context, _, offset, bytes, count, accepted in
            MemoryStorage.of(context).write(Int(offset), bytes!, Int(count), accepted!)
        }
        table.pointee.sync = { context, _ in MemoryStorage.of(context).next { $0.isSynced = true } }
        table.pointee.close = { context, _ in
            let storage = MemoryStorage.of(context)
            if !storage.isOpen { storage.complaints.append("closed twice") }
            storage.isOpen = false
            return TICKLOG_OK
        }
    }

    deinit { table.deallocate() }

    private static func of(_ context: UnsafeMutableRawPointer?) -> MemoryStorage {
        Unmanaged<MemoryStorage>.fromOpaque(context!).takeUnretainedValue()
    }

    private func next(_ body: (MemoryStorage) -> Void) -> ticklog_status {
        let status = answer(calls)
        calls += 1
        if status == TICKLOG_OK { body(self) }
        return status
    }

    private func write(_ offset: Int, _ from: UnsafeRawPointer, _ count: Int, _ accepted: UnsafeMutablePointer<UInt32>) -> ticklog_status {
        if !isOpen { complaints.append("written while closed") }
        if offset != bytes.count { complaints.append("written at \(offset), the file ends at \(bytes.count)") }
        return next { storage in
            let taken = min(count, storage.most)
            storage.bytes += UnsafeRawBufferPointer(start: from, count: taken)
            storage.isSynced = false
            accepted.pointee = UInt32(taken)
        }
    }
}
