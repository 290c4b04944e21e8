import CPosix
import TickLog
import TickLogHost

/// A writer at full speed, and a reader thread that takes what it can.
final class LogBufferBench {
    private static let payloadBytes = 64
    private let memory: UnsafeMutableRawPointer
    private let bytes: Int
    private var writer: LogBufferWriter
    private var reader: LogBufferReader

    /// Nil without memory.
    init?(capacity: Int) {
        guard let count = LogBufferWriter.bytes(capacity: capacity),
            let place = malloc(count), UInt(bitPattern: place) % 8 == 0
        else { return nil }
        memory = place
        bytes = count
        writer = LogBufferWriter(creating: place, capacity: capacity)
        do throws(FormatError) { reader = try LogBufferReader(place, bytes: count) } catch { return nil }
    }

    deinit { free(memory) }

    /// Records a second: written, and of those read.
    func run(_ records: UInt64) throws(FileError) -> (written: Double, read: Double) {
        _ = reader.seek(.newest)
        let readBefore = reader.read
        let first = writer.records
        let start = monotonicNs()
        let last = UInt32(truncatingIfNeeded: first &+ records &- 1)
        let taking = try WorkThread { self.take(last) }
        var payload = InlineArray<8, UInt64>(repeating: 7)
        // In the thread's own hands: an object's fields are looked up anew with every call.
        var writer = writer
        withUnsafeBytes(of: &payload) { payload in
            var number: UInt64 = 0
            while number < records {
                _ = writer.write(timestamp: number, payload: payload.baseAddress!, size: LogBufferBench.payloadBytes)
                number &+= 1
            }
        }
        let written = Double(records) / (Double(monotonicNs() - start) / 1e9)
        self.writer = writer
        taking.join()
        let seconds = Double(monotonicNs() - start) / 1e9
        return (written, Double(reader.read - readBefore) / seconds)
    }

    /// Reads up to the record of that number, which the writer never overwrites.
    private func take(_ last: UInt32) {
        var payload = InlineArray<8, UInt64>(repeating: 0)
        var reader = reader
        defer { self.reader = reader }
        withUnsafeMutableBytes(of: &payload) { payload in
            while true {
                switch reader.read(into: payload.baseAddress!, room: LogBufferBench.payloadBytes) {
                case .record(_, _, let sequence): if sequence == last { return }
                case .none: _ = sched_yield()
                default: return
                }
            }
        }
    }
}

extension Bench {
    func logBuffer() throws(Failure) {
        var written: [Double] = []
        var read: [Double] = []
        for _ in 0..<runs {
            guard let bench = LogBufferBench(capacity: 1 << 20) else { return }
            do throws(FileError) {
                let rates = try bench.run(20_000_000)
                written.append(rates.written)
                read.append(rates.read)
            } catch { throw Failure(error) }
        }
        result(
            "logbuffer", "64-byte records",
            [("written_million_s", Bench.median(written) / 1e6), ("read_million_s", Bench.median(read) / 1e6)])
    }
}
