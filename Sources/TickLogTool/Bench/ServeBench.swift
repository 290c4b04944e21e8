import CPosix
import Synchronization
import TickLog
import TickLogHost

/// `ticklog serve` with many clients, beside a server that makes the same system calls and throws away what it gets.
struct ServeBench {
    struct Options {
        var clients = 200
        /// Packets a second while queries are timed.
        var load = 500_000.0
        var memorySeconds = 60.0
        var logBytes: UInt64 = 1 << 30
    }

    private let bench: Bench
    private let folder: String
    private let options: Options

    init(_ bench: Bench, directory: String, _ options: Options) {
        self.bench = bench
        self.options = options
        folder = directory.file(".ticklog-bench-\(getpid())")
    }

    func run() throws(Failure) {
        // As a server of so many clients would do.
        _ = cposix_allow_files(UInt64(2 * options.clients + 128))
        let made = mkdir(folder, 0o777)
        guard made == 0 else { throw Failure(FileError(folder, "create", cposix_errno())) }
        defer {
            clean()
            _ = rmdir(folder)
        }
        do throws(Fault) {
            try flood()
            try loaded()
            if options.logBytes > 0 { try coldStart() }
        } catch {
            throw Failure(error)
        }
    }

    private func clean() {
        guard let names = try? names(in: folder) else { return }
        for name in names { removeFile(folder.file(name)) }
    }

    private func serverOptions() -> BMSServerOptions {
        var made = BMSServerOptions()
        made.port = 0
        made.log = folder.file("packets.log")
        made.image = folder.file("image.bin")
        made.maxClients = options.clients + 8
        // It must not fill somebody's disk: files that are whole are removed.
        made.rollBytes = 1 << 28
        return made
    }

    private func removeRolled() {
        guard let names = try? names(in: folder) else { return }
        for name in names where name.utf8.starts(with: "packets.log.0".utf8) { removeFile(folder.file(name)) }
    }

    // MARK: As fast as they can

    private func flood() throws(Fault) {
        var null: [Double] = []
        var real: [Double] = []
        for _ in 0..<bench.runs {
            null.append(try nullRate())
            real.append(try realRate())
        }
        var ratios: [Double] = []
        for i in 0..<null.count where null[i] > 0 { ratios.append(100 * real[i] / null[i]) }
        bench.result(
            "serve", "\(options.clients) clients",
            [("null_packets_s", Bench.median(null)), ("ticklog_packets_s", Bench.median(real)), ("percent", Bench.median(ratios))])
    }

    private func nullRate() throws(Fault) -> Double {
        do throws(FileError) {
            let null = try NullServer()
            let reading = try WorkThread { null.run() }
            let crowd = try PacketFlood(port: null.port, clients: options.clients, rate: nil)
            let sending = try WorkThread { crowd.run() }
            let rate = measure { Double(null.bytes) / Double(PacketFlood.packetBytes) }
            crowd.stop()
            sending.join()
            null.stop()
            reading.join()
            return rate
        } catch { throw Fault(error) }
    }

    private func realRate() throws(Fault) -> Double {
        clean()
        let server = try BMSServer(serverOptions())
        defer { server.finish() }
        do throws(FileError) {
            try server.start()
            let crowd = try PacketFlood(port: server.port, clients: options.clients, rate: nil)
            let sending = try WorkThread { crowd.run() }
            let rate = measure { Double(server.counts.diffs.load()) }
            crowd.stop()
            sending.join()
            return rate
        } catch { throw Fault(error) }
    }

    /// What grows, a second.
    private func measure(_ count: () -> Double) -> Double {
        pause(milliseconds: 200)
        let (before, start) = (count(), monotonicNs())
        var left = bench.seconds
        while left > 0 {
            pause(milliseconds: Int(min(left, 0.1) * 1000))
            left -= 0.1
            removeRolled()
        }
        return (count() - before) / (Double(monotonicNs() - start) / 1e9)
    }

    // MARK: Under a load

    private func loaded() throws(Fault) {
        clean()
        let server = try BMSServer(serverOptions())
        defer { server.finish() }
        do throws(FileError) {
            try server.start()
            let crowd = try PacketFlood(port: server.port, clients: options.clients, rate: options.load)
            let sending = try WorkThread { crowd.run() }
            defer {
                crowd.stop()
                sending.join()
            }
            pause(milliseconds: 500)
            let (before, packets, start) = (residentBytes(), server.counts.diffs.load(), monotonicNs())
            let end = start + UInt64(max(options.memorySeconds, bench.seconds) * 1e9)
            var times: [Double] = []
            do throws(ClientError) {
                guard let endpoint = Endpoint(host: "127.0.0.1", port: Int(server.port)) else { return }
                let client = try PacketClient(endpoint)
                let offsets: [UInt16] = [0, 5, 15, 0x1000]
                var cleaned = start
                while monotonicNs() < end {
                    let asked = monotonicNs()
                    _ = try client.query(PacketSource(type: 2, id: 1), offsets)
                    times.append(Double(monotonicNs() - asked) / 1e3)
                    pause(milliseconds: 2)
                    if monotonicNs() - cleaned > 500_000_000 {
                        removeRolled()
                        cleaned = monotonicNs()
                    }
                }
            } catch {
                throw FileError("query: " + error.message, "ask", EIO)
            }
            let seconds = Double(monotonicNs() - start) / 1e9
            let rate = Double(server.counts.diffs.load() - packets) / seconds
            times.sort()
            bench.result(
                "serve", "queries under load",
                [("packets_s", rate), ("queries", Double(times.count)), ("p50_us", times[times.count / 2]), ("p99_us", times[times.count * 99 / 100]), ("longest_us", times[times.count - 1])])
            bench.result(
                "serve", "memory", [("seconds", seconds), ("first_kib", Double(before / 1024)), ("last_kib", Double(residentBytes() / 1024))])
        } catch { throw Fault(error) }
    }

    private func residentBytes() -> UInt64 {
        // Of the process: pages, the second number.
        guard let file = try? MappedFile("/proc/self/statm") else { return 0 }
        var number: UInt64 = 0
        var field = 0
        for i in 0..<file.bytes.count {
            let byte = file.bytes[i]
            if byte == 0x20 { field += 1 }
            if field == 1, byte >= 0x30, byte <= 0x39 { number = number * 10 + UInt64(byte - 0x30) }
        }
        withExtendedLifetime(file) {}
        return number * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }

    // MARK: The start

    /// With a log, and no image: all of it is read and applied.
    private func coldStart() throws(Fault) {
        clean()
        try writeLog(folder.file("packets.log"))
        var options = serverOptions()
        options.rollBytes = 1 << 39
        options.image = nil
        let start = monotonicNs()
        let server = try BMSServer(options)
        let seconds = Double(monotonicNs() - start) / 1e9
        bench.result(
            "serve", "cold start",
            [("log_mb", Double(size(of: folder.file("packets.log"))) / 1e6), ("records", Double(server.replayed)), ("seconds", seconds)])
        server.finish()
    }

    private func writeLog(_ path: String) throws(Fault) {
        do throws(FileError) {
            let file = try NewFile(path, replacing: true)
            let output = Output(descriptor: file.descriptor, path: path)
            let crc = CRC32C()
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 16)
            defer { memory.deallocate() }
            let record = memory + 128
            func add(_ packet: DataPacket, _ time: UInt64) {
                packet.store(body: memory)
                LogRecord(timestamp: time, payload: UnsafeRawPointer(memory), size: packet.bodyBytes, crc)
                    .store(to: record, payload: UnsafeRawPointer(memory))
                output.bytes(UnsafeRawBufferPointer(start: record, count: LogRecord.bytes(payload: packet.bodyBytes)))
            }
            LogFileHeader(.dataPackets).store(to: record)
            output.bytes(UnsafeRawBufferPointer(start: record, count: LogFileHeader.bytes))
            add(DataPacket(.sync, timestamp: 1, type: 0, source: 0), 1)
            let words = UnsafeMutablePointer<UInt16>.allocate(capacity: 2 * PacketFlood.words)
            defer { words.deallocate() }
            let bytes = UInt64(LogRecord.bytes(payload: PacketFlood.packetBytes - DataPacket.lengthBytes))
            for number in 0..<options.logBytes / bytes {
                for i in 0..<PacketFlood.words {
                    words[i] = UInt16(truncatingIfNeeded: number &* 16 &+ UInt64(i))
                    words[PacketFlood.words + i] = UInt16(truncatingIfNeeded: number)
                }
                add(
                    DataPacket(
                        .diff, timestamp: number, type: 2, source: UInt8(truncatingIfNeeded: number % 200),
                        words: PacketWords(control: words, data: words + PacketFlood.words, count: PacketFlood.words)), number + 2)
            }
            try output.flush()
            try file.commit()
        } catch { throw Fault(error) }
    }
}

/// Waits for clients and reads as the server does, and keeps nothing.
private final class NullServer {
    let port: UInt16
    private let listener: Int32
    private let epoll: Int32
    private let taken = Atomic<UInt>(0)
    private let isStopping = Atomic<Bool>(false)

    init() throws(FileError) {
        var chosen: UInt32 = 0
        listener = cposix_bound_socket("127.0.0.1", &chosen, 1)
        port = UInt16(truncatingIfNeeded: chosen)
        epoll = cposix_epoll()
        guard listener >= 0, epoll >= 0 else { throw FileError("null server", "listen", listener < 0 ? -listener : cposix_errno()) }
        _ = listen(listener, 1024)
        _ = cposix_epoll_set(epoll, 1, listener, UInt32(cposix_readable), UInt64(UInt32(bitPattern: listener)))
    }

    deinit {
        _ = close(listener)
        _ = close(epoll)
    }

    var bytes: UInt64 { UInt64(taken.load(ordering: .relaxed)) }
    func stop() { isStopping.store(true, ordering: .relaxed) }

    func run() {
        let room = 65536
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 64)
        let most = Int(cposix_epoll_most)
        let tags = UnsafeMutablePointer<UInt64>.allocate(capacity: most)
        let events = UnsafeMutablePointer<UInt32>.allocate(capacity: most)
        let name = UnsafeMutablePointer<CChar>.allocate(capacity: 64)
        var sockets: [Int32] = []
        defer {
            buffer.deallocate()
            tags.deallocate()
            events.deallocate()
            name.deallocate()
            for socket in sockets { _ = close(socket) }
        }
        while !isStopping.load(ordering: .relaxed) {
            let count = Int(cposix_epoll_wait(epoll, tags, events, 100))
            guard count > 0 else { continue }
            for i in 0..<count {
                let socket = Int32(truncatingIfNeeded: tags[i])
                if socket == listener {
                    while true {
                        let made = cposix_accept_from(listener, name, 64)
                        if made < 0 { break }
                        sockets.append(made)
                        _ = cposix_epoll_set(epoll, 1, made, UInt32(cposix_readable), UInt64(UInt32(bitPattern: made)))
                    }
                    continue
                }
                let got = recv(socket, buffer, room, Int32(MSG_DONTWAIT))
                if got > 0 {
                    taken.store(taken.load(ordering: .relaxed) &+ UInt(got), ordering: .relaxed)
                } else if got == 0 {
                    _ = cposix_epoll_set(epoll, 0, socket, 0, 0)
                }
            }
        }
    }
}

/// Many connections that send DIFFs of 16 words, as fast as they are taken or at a rate.
private final class PacketFlood {
    static var words: Int { 16 }
    static var packetBytes: Int { DataPacket.lengthBytes + DataPacket.headerBytes + 4 * words }

    private let sockets: UnsafeMutableBufferPointer<Int32>
    /// How many bytes of a packet that was begun are still to be sent.
    private let begun: UnsafeMutableBufferPointer<Int>
    /// Packets a second, of all.
    private let rate: Double?
    private let isStopping = Atomic<Bool>(false)
    private let bytes: UnsafeMutableRawPointer
    private static var most: Int { 384 }

    init(port: UInt16, clients: Int, rate: Double?) throws(FileError) {
        self.rate = rate
        sockets = .allocate(capacity: clients)
        sockets.initialize(repeating: -1)
        begun = .allocate(capacity: clients)
        begun.initialize(repeating: 0)
        bytes = .allocate(byteCount: PacketFlood.most * PacketFlood.packetBytes, alignment: 64)
        let control = UnsafeMutablePointer<UInt16>.allocate(capacity: 2 * PacketFlood.words)
        for i in 0..<PacketFlood.most {
            for k in 0..<PacketFlood.words {
                control[k] = UInt16(k)
                control[PacketFlood.words + k] = UInt16(truncatingIfNeeded: i &* 31 &+ k)
            }
            DataPacket(
                .diff, timestamp: UInt64(i), type: 2, source: UInt8(truncatingIfNeeded: i % 16),
                words: PacketWords(control: control, data: control + PacketFlood.words, count: PacketFlood.words)
            ).store(to: bytes + i * PacketFlood.packetBytes)
        }
        control.deallocate()
        for i in 0..<clients {
            let made = cposix_connected_socket("127.0.0.1", UInt32(port), 1)
            guard made >= 0 else { throw FileError("127.0.0.1:\(port)", "connect", -made) }
            sockets[i] = made
        }
    }

    deinit {
        for socket in sockets where socket >= 0 { _ = close(socket) }
        sockets.deallocate()
        begun.deallocate()
        bytes.deallocate()
    }

    func stop() { isStopping.store(true, ordering: .relaxed) }

    func run() {
        let start = monotonicNs()
        var sent = 0.0
        while !isStopping.load(ordering: .relaxed) {
            var packets = PacketFlood.most
            if let rate {
                // Each client has something to tell a hundred times a second.
                let due = Double(monotonicNs() - start) / 1e9 * rate - sent
                packets = min(PacketFlood.most, Int(due) / sockets.count)
                guard packets >= max(1, Int(rate / 100) / sockets.count) else {
                    pause(milliseconds: 1)
                    continue
                }
            }
            var any = false
            for i in 0..<sockets.count {
                let count = send(i, packets)
                any = any || count > 0
                sent += Double(count) / Double(PacketFlood.packetBytes)
            }
            if !any { pause(milliseconds: 1) }
        }
    }

    /// Goes on where the last packet ended.
    private func send(_ i: Int, _ packets: Int) -> Int {
        let skip = begun[i] == 0 ? 0 : PacketFlood.packetBytes - begun[i]
        let total = packets * PacketFlood.packetBytes - skip
        guard total > 0 else { return 0 }
        let wrote = Int(cposix_send_now(sockets[i], bytes + skip, total))
        guard wrote > 0 else { return 0 }
        let rest = (skip + wrote) % PacketFlood.packetBytes
        begun[i] = rest == 0 ? 0 : PacketFlood.packetBytes - rest
        return wrote
    }
}
