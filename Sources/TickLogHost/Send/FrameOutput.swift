import Synchronization

/// Where a producer's frames go. Each channel has a thread of its own, which calls these with that channel only.
open class FrameOutput {
    /// Set from any thread: what waits gives up.
    public let isStopped = Atomic<Bool>(false)

    public init() {}

    /// Before the first frame of a channel.
    open func begin(channel: Int) throws(FileError) {}

    /// A whole frame, spoiled or not; the bytes are valid during the call.
    open func send(channel: Int, frame: UnsafeRawBufferPointer) throws(FileError) {}

    /// There is nothing to be sent for a while: what was put together goes out.
    open func flush(channel: Int) throws(FileError) {}

    /// Behind the last frame of a channel: everything goes out.
    open func end(channel: Int) throws(FileError) {}

    /// Behind the last frame of all channels, if nothing failed.
    open func end() throws(FileError) {}
}

/// Bytes that are put together for fewer system calls.
struct FrameBatch {
    private let memory: UnsafeMutableRawBufferPointer
    private var used = 0

    init() { memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16) }

    func deallocate() { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[..<used]) }

    /// False if there is no room: what is there must go first, or the frame is larger than a batch.
    mutating func add(_ frame: UnsafeRawBufferPointer) -> Bool {
        guard frame.count <= memory.count - used else { return false }
        (memory.baseAddress! + used).copyMemory(from: frame.baseAddress!, byteCount: frame.count)
        used += frame.count
        return true
    }

    mutating func clear() { used = 0 }
}
