import CPosix
import Synchronization
import TickLog
import TickLogHost

/// `ticklog receive` beside a receiver that makes the same system calls and throws away what it gets.
struct ReceiveBench {
    private struct Case {
        let isStream: Bool
        let payload: Int
        var name: String { (isStream ? "tcp " : "udp ") + "\(payload)" }
    }

    private let bench: Bench
    private let directory: String
    private let lossSeconds: Double

    init(_ bench: Bench, directory: String, lossSeconds: Double) {
        self.bench = bench
        self.directory = directory
        self.lossSeconds = lossSeconds
    }

    func run() throws(Failure) {
        do throws(FileError) {
            for one in [Case(isStream: false, payload: 1400), Case(isStream: false, payload: 8192), Case(isStream: true, payload: 65536)] {
                var null: [Double] = []
                var real: [Double] = []
                for _ in 0..<bench.runs {
                    null.append(try nullRate(one, bench.seconds))
                    real.append(try realRun(one, bench.seconds, rate: nil).rate)
                }
                var ratios: [Double] = []
                for i in 0..<null.count where null[i] > 0 { ratios.append(100 * real[i] / null[i]) }
                bench.result(
                    "receive", one.name,
                    [("null_mb_s", Bench.median(null) / 1e6), ("ticklog_mb_s", Bench.median(real) / 1e6), ("percent", Bench.median(ratios))])
                guard lossSeconds > 0 else { continue }
                let paced = try realRun(one, lossSeconds, rate: 0.7 * Bench.median(null))
                bench.result(
                    "receive", one.name + " at 70 %",
                    [("seconds", lossSeconds), ("mb_s", paced.rate / 1e6), ("frames", paced.frames), ("missing", paced.missing), ("kernel_drops", paced.drops)])
            }
        } catch {
            throw Failure(error)
        }
    }

    /// Bytes a second that a receiver takes which keeps nothing.
    private func nullRate(_ one: Case, _ seconds: Double) throws(FileError) -> Double {
        let null = try NullReceiver(isStream: one.isStream)
        let sender = try FloodSender(port: null.port, isStream: one.isStream, payload: one.payload, rate: nil)
        let reading = try WorkThread { null.run() }
        let sending = try WorkThread { sender.run() }
        pause(milliseconds: 100)
        let (before, start) = (null.bytes, monotonicNs())
        pause(milliseconds: Int(seconds * 1000))
        let rate = Double(null.bytes - before) / (Double(monotonicNs() - start) / 1e9)
        sender.stop()
        sending.join()
        null.stop()
        reading.join()
        return rate
    }

    private func realRun(
        _ one: Case, _ seconds: Double, rate: Double?
    ) throws(FileError) -> (rate: Double, frames: Double, missing: Double, drops: Double) {
        let folder = directory.file(".ticklog-bench-\(getpid())")
        var options = ReceiverOptions()
        options.channels = 1
        options.directory = folder
        options.rollBytes = 1 << 28
        if one.isStream { options.tcpPort = 0 } else { options.udpPort = 0 }
        let receiver = try Receiver(options)
        defer { ReceiveBench.remove(folder) }
        let sender = try FloodSender(
            port: one.isStream ? receiver.tcpPorts[0] : receiver.udpPorts[0], isStream: one.isStream, payload: one.payload, rate: rate)
        try receiver.start()
        let sending = try WorkThread { sender.run() }
        pause(milliseconds: 100)
        let (before, start) = (ChannelReport(receiver.channels[0]).taken, monotonicNs())
        var left = seconds
        while left > 0 {
            pause(milliseconds: 100)
            left -= 0.1
            // Nobody wants a minute of it on his disk.
            ReceiveBench.removeFinished(folder)
        }
        let taken = ChannelReport(receiver.channels[0]).taken - before
        let elapsed = Double(monotonicNs() - start) / 1e9
        sender.stop()
        sending.join()
        if rate != nil { pause(milliseconds: 500) }
        receiver.finish()
        let report = ChannelReport(receiver.channels[0])
        return (Double(taken) / elapsed, Double(report.frames), Double(report.missing), Double(report.kernelDrops))
    }

    private static func removeFinished(_ folder: String) {
        guard let names = try? names(in: folder) else { return }
        for name in names where name.fileExtension == "dat" { removeFile(folder.file(name)) }
    }

    private static func remove(_ folder: String) {
        if let names = try? names(in: folder) { for name in names { removeFile(folder.file(name)) } }
        _ = rmdir(folder)
    }
}

/// Reads as the receiver does, and keeps nothing.
private final class NullReceiver {
    let port: UInt16
    private let socket: Int32
    private let isStream: Bool
    private let taken = Published()
    private let isStopping = Atomic<Bool>(false)

    init(isStream: Bool) throws(FileError) {
        var chosen: UInt32 = 0
        self.isStream = isStream
        socket = cposix_bound_socket("127.0.0.1", &chosen, isStream ? 1 : 0)
        port = UInt16(truncatingIfNeeded: chosen)
        guard socket >= 0 else { throw FileError("null receiver", "listen", -socket) }
        if !isStream { cposix_set_receive_room(socket, 64 << 20) }
    }

    deinit { _ = close(socket) }

    var bytes: UInt64 { taken.value }
    func stop() { isStopping.store(true, ordering: .relaxed) }

    func run() {
        // As much memory as the receiver's ring, so that the caches see as much of it.
        let ring = UnsafeMutableRawPointer.allocate(byteCount: 32 << 20, alignment: 4096)
        defer { ring.deallocate() }
        if isStream { stream(ring) } else { datagrams(ring) }
    }

    private func stream(_ ring: UnsafeMutableRawPointer) {
        var connection: Int32 = -1
        var at = 0
        while !isStopping.load(ordering: .relaxed) {
            var ready = pollfd(fd: connection < 0 ? socket : connection, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 100) > 0 else { continue }
            if connection < 0 {
                connection = cposix_accept(socket)
                continue
            }
            for _ in 0..<4 {
                if at + 1 << 20 > 32 << 20 { at = 0 }
                let count = recv(connection, ring + at, 1 << 20, Int32(MSG_DONTWAIT))
                guard count > 0 else { break }
                at += count
                taken.add(UInt64(count))
                if count < 1 << 20 { break }
            }
        }
        if connection >= 0 { _ = close(connection) }
    }

    private func datagrams(_ ring: UnsafeMutableRawPointer) {
        let count = 64
        let slot = 16384
        let messages = UnsafeMutablePointer<cposix_message>.allocate(capacity: count)
        let pieces = UnsafeMutablePointer<iovec>.allocate(capacity: count)
        defer {
            messages.deallocate()
            pieces.deallocate()
        }
        var at = 0
        while !isStopping.load(ordering: .relaxed) {
            var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard poll(&ready, 1, 100) > 0 else { continue }
            for _ in 0..<8 {
                if at + count * slot > 32 << 20 { at = 0 }
                for i in 0..<count {
                    (messages + i).initialize(to: cposix_message())
                    pieces[i] = iovec(iov_base: ring + at + i * slot, iov_len: slot)
                    messages[i].header.msg_iov = pieces + i
                    messages[i].header.msg_iovlen = 1
                }
                let got = Int(cposix_receive_messages(socket, messages, UInt32(count), Int32(MSG_DONTWAIT), nil))
                guard got > 0 else { break }
                var bytes: UInt64 = 0
                for i in 0..<got { bytes += UInt64(messages[i].bytes) }
                taken.add(bytes)
                at += Int(bytes)
                if got < count { break }
            }
        }
    }
}

/// Sends good frames with chunks as fast as it can, or at a rate.
private final class FloodSender {
    private let socket: Int32
    private let isStream: Bool
    private let payload: Int
    /// Bytes a second.
    private let rate: Double?
    private let isStopping = Atomic<Bool>(false)
    private let crc = CRC32C()
    private static var chunks: UInt32 { 8 }

    init(port: UInt16, isStream: Bool, payload: Int, rate: Double?) throws(FileError) {
        self.isStream = isStream
        self.payload = payload
        self.rate = rate
        socket = cposix_connected_socket("127.0.0.1", UInt32(port), isStream ? 1 : 0)
        guard socket >= 0 else { throw FileError("127.0.0.1:\(port)", "connect", -socket) }
    }

    deinit { _ = close(socket) }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        // A send that waits for the receiver ends.
        if isStream { _ = shutdown(socket, Int32(SHUT_WR)) }
    }

    func run() {
        let size = FrameHeader.bytes + payload
        let count = max(1, min(64, (1 << 20) / size))
        let frames = UnsafeMutableRawPointer.allocate(byteCount: count * size, alignment: 64)
        frames.initializeMemory(as: UInt8.self, repeating: 0x5A, count: count * size)
        let messages = UnsafeMutablePointer<cposix_message>.allocate(capacity: count)
        let pieces = UnsafeMutablePointer<iovec>.allocate(capacity: count)
        defer {
            frames.deallocate()
            messages.deallocate()
            pieces.deallocate()
        }
        for i in 0..<count {
            (messages + i).initialize(to: cposix_message())
            pieces[i] = iovec(iov_base: frames + i * size, iov_len: size)
            messages[i].header.msg_iov = pieces + i
            messages[i].header.msg_iovlen = 1
        }
        var sequence: UInt64 = 0
        let start = monotonicNs()
        var sent = 0
        while !isStopping.load(ordering: .relaxed) {
            if let rate {
                let due = Double(monotonicNs() - start) / 1e9 * rate
                if Double(sent) > due {
                    pause(microseconds: 50)
                    continue
                }
            }
            for i in 0..<count {
                build(frames + i * size, sequence)
                sequence += 1
            }
            if isStream {
                var done = 0
                while done < count * size {
                    let wrote = cposix_send(socket, frames + done, count * size - done)
                    guard wrote > 0 else { return }
                    done += wrote
                }
            } else {
                var done = 0
                while done < count, !isStopping.load(ordering: .relaxed) {
                    let wrote = Int(cposix_send_messages(socket, messages + done, UInt32(count - done), 0))
                    if wrote > 0 { done += wrote }
                }
            }
            sent += count * size
        }
    }

    private func build(_ at: UnsafeMutableRawPointer, _ sequence: UInt64) {
        let index = UInt32(sequence % UInt64(FloodSender.chunks))
        ChunkHeader(
            periodic: sequence / UInt64(FloodSender.chunks), index: index, count: FloodSender.chunks,
            chunkBytes: UInt32(payload - ChunkHeader.bytes)
        ).store(to: at + FrameHeader.bytes)
        var flags = index == 0 ? FrameHeader.firstChunk : 0
        if index == FloodSender.chunks - 1 { flags |= FrameHeader.lastChunk }
        if sequence == 0 { flags |= FrameHeader.producerStarted }
        FrameHeader(
            stream: 0, flags: flags, sequence: sequence, timestamp: 1_000_000_000 + sequence, payloadBytes: UInt32(payload)
        ).store(to: at, payload: UnsafeRawPointer(at) + FrameHeader.bytes, crc)
    }

    private func pause(microseconds: Int) {
        var time = timespec()
        time.tv_nsec = .init(microseconds * 1000)
        _ = nanosleep(&time, nil)
    }
}

/// A count that another thread reads.
private final class Published {
    private let count = Atomic<UInt>(0)
    func add(_ more: UInt64) { count.store(count.load(ordering: .relaxed) &+ UInt(more), ordering: .relaxed) }
    var value: UInt64 { UInt64(count.load(ordering: .relaxed)) }
}
