import CPosix
import TickLog

/// Datagrams of a channel, many with one call, into the ring.
///
/// How long the next ones are is not known. Each gets a slot of the ring that is as long as the longest lately, and behind
/// that a place elsewhere for what does not fit, which is rare: then all are copied to the ring one by one.
final class DatagramInput {
    let socket: Int32
    private let channel: Channel
    private let messages: UnsafeMutablePointer<cposix_message>
    private let pieces: UnsafeMutablePointer<iovec>
    private let controls: UnsafeMutableRawPointer
    /// For what does not fit, a datagram's length for each.
    private let elsewhere: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var slot = 2048
    /// The longest datagram of the last batches, and how many those are.
    @exclusivity(unchecked) private var longest = 0
    @exclusivity(unchecked) private var batches = 0
    @exclusivity(unchecked) private var drops: UInt32 = 0

    private static var count: Int { 64 }
    private static var largest: Int { 65536 }
    private static var controlBytes: Int { 64 }
    /// What is asked for for the socket.
    private static var socketBytes: Int32 { 64 << 20 }

    init(_ channel: Channel, _ socket: Int32) {
        self.channel = channel
        self.socket = socket
        let count = DatagramInput.count
        messages = .allocate(capacity: count)
        pieces = .allocate(capacity: 2 * count)
        controls = .allocate(byteCount: count * DatagramInput.controlBytes, alignment: 16)
        elsewhere = .allocate(byteCount: count * DatagramInput.largest, alignment: 16)
        for i in 0..<count {
            (messages + i).initialize(to: cposix_message())
            messages[i].header.msg_iov = pieces + 2 * i
            messages[i].header.msg_iovlen = 2
            messages[i].header.msg_control = controls + i * DatagramInput.controlBytes
        }
        cposix_set_receive_room(socket, DatagramInput.socketBytes)
        _ = cposix_ask_for_drops(socket)
    }

    deinit {
        messages.deallocate()
        pieces.deallocate()
        controls.deallocate()
        elsewhere.deallocate()
    }

    /// Takes a batch; nothing unfinished is in the ring. Whether there may be more at once.
    func read() -> Bool {
        guard let room = channel.room(slot) else { return false }
        let count = min(DatagramInput.count, room.count / slot)
        let start = room.baseAddress!
        for i in 0..<count {
            pieces[2 * i].iov_base = start + i * slot
            pieces[2 * i].iov_len = slot
            pieces[2 * i + 1].iov_base = elsewhere + i * DatagramInput.largest + slot
            pieces[2 * i + 1].iov_len = DatagramInput.largest - slot
            messages[i].header.msg_controllen = .init(DatagramInput.controlBytes)
        }
        let got = Int(cposix_receive_messages(socket, messages, UInt32(count), Int32(MSG_DONTWAIT), nil))
        guard got > 0 else { return false }
        var total = 0
        for i in 0..<got {
            let bytes = Int(messages[i].bytes)
            total += bytes
            if bytes > longest { longest = bytes }
        }
        var now: UInt32 = 0
        if cposix_drops(messages + got - 1, &now) != 0 { tellDrops(now) }
        if longest > slot {
            copy(got, start)
        } else if total < got * slot / 2 {
            // Mostly holes: moved together, which costs less than it saves.
            for i in 0..<got {
                let bytes = Int(messages[i].bytes)
                guard let room = channel.room(bytes) else { continue }
                memmove(room.baseAddress!, start + i * slot, bytes)
                channel.take(datagram: bytes, slot: bytes)
            }
        } else {
            for i in 0..<got {
                let bytes = Int(messages[i].bytes)
                channel.take(datagram: bytes, slot: i == got - 1 ? bytes : slot)
            }
        }
        channel.publish()
        batches += 1
        if longest > slot || batches == 16 {
            slot = min(DatagramInput.largest, max(64, longest))
            longest = 0
            batches = 0
        }
        return got == count
    }

    /// Some did not fit. First all are made whole elsewhere, since each one's place in the ring lies over the next one's.
    private func copy(_ got: Int, _ start: UnsafeMutableRawPointer) {
        for i in 0..<got {
            let bytes = min(slot, Int(messages[i].bytes))
            (elsewhere + i * DatagramInput.largest).copyMemory(from: start + i * slot, byteCount: bytes)
        }
        for i in 0..<got {
            let message = UnsafeRawBufferPointer(start: elsewhere + i * DatagramInput.largest, count: Int(messages[i].bytes))
            while !channel.take(message: message) { pause(milliseconds: 1) }
        }
    }

    private func tellDrops(_ now: UInt32) {
        channel.dropped(UInt64(now &- drops))
        drops = now
    }

    func close() {
        var now: UInt32 = 0
        if cposix_drops_until_now(socket, &now) != 0 { tellDrops(now) }
        _ = CPosix.close(socket)
    }
}
