import CPosix
import CTickLog
import Synchronization
import TickLog

/// The thread that writes packets' values to DIR/log_<n>.parquet, n from 0 (spec: STREAMS C6): a row for each word. A file
/// takes so many bytes of packets, 16 + 4 x count each, counted before the packet goes into it; the last one ends with the
/// server. It is DIR/log_<n>.parquet.tmp until it is whole and on the medium.
///
/// The log is what packets are kept in. If a file cannot be written, the server goes on without it, and says which packets
/// are not there.
final class ParquetRotation {
    private let stream: PacketStream
    private let directory: String
    private let limit: UInt64
    private let counts: ParquetCounts
    private let state: ServerState
    /// Told when there is room in the stream.
    private let told: EventFlag
    let inputEnded = Atomic<Bool>(false)

    @exclusivity(unchecked) private var number: UInt64 = 0
    @exclusivity(unchecked) private var writer: ParquetWriter?
    @exclusivity(unchecked) private var descriptor: Int32 = -1
    /// Input of the file.
    @exclusivity(unchecked) private var bytes: UInt64 = 0
    @exclusivity(unchecked) private var packets: UInt64 = 0
    @exclusivity(unchecked) private var taken: UInt64 = 0
    /// Nothing is tried before.
    @exclusivity(unchecked) private var refusedUntil: UInt64 = 0
    @exclusivity(unchecked) private var isRefused = false

    init(
        _ stream: PacketStream, _ directory: String, limit: UInt64, _ counts: ParquetCounts, _ state: ServerState, told: EventFlag
    ) throws(FileError) {
        self.stream = stream
        self.directory = directory
        self.limit = limit
        self.counts = counts
        self.state = state
        self.told = told
        for name in try names(in: directory) {
            // It goes on behind the files that are there.
            let bytes = Array(name.utf8)
            let start = Array("log_".utf8)
            let end = Array(".parquet".utf8)
            guard bytes.count > start.count + end.count, Array(bytes[..<start.count]) == start, Array(bytes[(bytes.count - end.count)...]) == end,
                let used = UInt64(String(decoding: bytes[start.count..<(bytes.count - end.count)], as: UTF8.self)), used < UInt64.max
            else { continue }
            number = max(number, used + 1)
        }
    }

    private var path: String { directory.file("log_\(number).parquet") }

    /// The thread, until the input has ended and the last file is on the medium.
    func run() {
        while true {
            let isLast = inputEnded.load(ordering: .acquiring)
            let end = stream.published.load()
            while taken < end {
                let record = LogRecord(stream.ring.at(taken))
                take(FileBytes(start: UnsafeRawPointer(stream.ring.at(taken)) + LogRecord.headerBytes, count: Int(record.size)))
                taken &+= UInt64(LogRecord.bytes(payload: Int(record.size)))
                if taken &- stream.released.load() > 1 << 18 { stream.released.store(taken) }
            }
            if stream.released.load() != taken {
                stream.released.store(taken)
                told.signal()
            }
            if isLast { break }
            stream.wake.wait(milliseconds: 20)
        }
        finish()
    }

    private func take(_ payload: FileBytes) {
        // Before the packet is in it, the file is full.
        if writer != nil, bytes &+ UInt64(payload.count) > limit { finish() }
        if isRefused, monotonicNs() < refusedUntil {
            counts.lostPackets.add(1)
            return
        }
        do throws(Fault) {
            if writer == nil { try open() }
            try add(payload)
            bytes &+= UInt64(payload.count)
            packets &+= 1
        } catch {
            packets &+= 1
            giveUp(error)
        }
    }

    private func open() throws(Fault) {
        // Nothing is ever replaced.
        while kind(of: path, following: false) != .missing { number += 1 }
        let name = path + ".tmp"
        descriptor = cposix_open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Fault(FileError(name, "create", cposix_errno())) }
        var options = ParquetOptions()
        // What is in memory must be on the medium within a second, at the end.
        options.rowGroupBytes = 16 << 20
        let columns = stream.kind == .legacyPackets
            ? [Column("time", .f64), Column("rack", .i32), Column("offset", .i32), Column("value", .i32)]
            : [Column("time", .f64), Column("src_type", .u8), Column("src_id", .u8), Column("offset", .u16), Column("value", .u16)]
        writer = try ParquetWriter(to: Output(descriptor: descriptor, path: name), columns: columns, options: options)
        bytes = 0
        packets = 0
    }

    private func add(_ payload: FileBytes) throws(Fault) {
        guard let writer else { return }
        if stream.kind == .legacyPackets {
            guard case .packet(let packet, _)? = try? LegacyPacket.step(payload) else { return }
            try rows(packet.words, in: writer) { arrays, first, count in
                fill(arrays[0].values, packet.time, count)
                fill(arrays[1].values, packet.rack, count)
                for i in 0..<count {
                    arrays[2].values.storeBytes(of: Int32(packet.words.offset(first + i)), toByteOffset: 4 * i, as: Int32.self)
                    arrays[3].values.storeBytes(of: Int32(packet.words.value(first + i)), toByteOffset: 4 * i, as: Int32.self)
                }
            }
        } else {
            guard let packet = try? DataPacket(body: payload) else { return }
            try rows(packet.words, in: writer) { arrays, first, count in
                fill(arrays[0].values, Double(packet.timestamp) / 1e6, count)
                fill(arrays[1].values, packet.type, count)
                fill(arrays[2].values, packet.source, count)
                memcpy(arrays[3].values, packet.words.control + 2 * first, 2 * count)
                memcpy(arrays[4].values, packet.words.data + 2 * first, 2 * count)
            }
        }
    }

    @inline(__always)
    private func rows(
        _ words: PacketWords, in writer: ParquetWriter,
        _ put: (UnsafeMutableBufferPointer<ticklog_column_array>, Int, Int) -> Void
    ) throws(Fault) {
        var done = 0
        while done < words.count {
            let count = min(try writer.room(), words.count - done)
            put(try writer.places(for: count), done, count)
            try writer.took(count)
            done += count
        }
    }

    @inline(__always)
    private func fill<Value: BitwiseCopyable>(_ place: UnsafeMutableRawPointer, _ value: Value, _ count: Int) {
        for i in 0..<count { place.storeBytes(of: value, toByteOffset: MemoryLayout<Value>.stride * i, as: Value.self) }
    }

    /// Ends the file.
    private func finish() {
        guard let writer else { return }
        do throws(Fault) {
            let rows = writer.rowCount
            try writer.close()
            let name = path
            guard fsync(descriptor) == 0 else { throw Fault(FileError(name, "sync", cposix_errno())) }
            guard kind(of: name, following: false) == .missing else { throw Fault(FileError(name, "rename to it", EEXIST)) }
            guard rename(name + ".tmp", name) == 0 else { throw Fault(FileError(name, "rename to it", cposix_errno())) }
            syncDirectory(directory)
            close()
            number += 1
            counts.files.add(1)
            counts.rows.add(rows)
            if isRefused { state.say(terminalText(directory) + ": Parquet files are written again") }
            isRefused = false
        } catch { giveUp(error) }
    }

    private func close() {
        if descriptor >= 0 { _ = CPosix.close(descriptor) }
        descriptor = -1
        writer = nil
        bytes = 0
        packets = 0
    }

    private func giveUp(_ fault: Fault) {
        let lost = packets
        counts.lostPackets.add(lost)
        writer?.abandon()
        if descriptor >= 0 { removeFile(path + ".tmp") }
        close()
        if !isRefused {
            state.fail(fault.message + "; \(lost) packets and those that follow are not in Parquet files until they can be written")
        }
        isRefused = true
        refusedUntil = monotonicNs() &+ 1_000_000_000
    }
}

/// What a `ParquetRotation` has counted.
final class ParquetCounts: Sendable {
    let files = Published64()
    let rows = Published64()
    let lostPackets = Published64()
}
