import CPosix
import CTickLog
import TickLog
import TickLogHost

/// Values written as Parquet, to a file that is removed again; its sync is not counted, as that is the medium's time.
struct ParquetBench {
    private let bench: Bench
    private let directory: String

    init(_ bench: Bench, directory: String) {
        self.bench = bench
        self.directory = directory
    }

    func run() throws(Failure) {
        var bms = [Column("time", .f64), Column("rack", .i32), Column("offset", .i32), Column("value", .i32)]
        try run("bms 4", bms)
        bms.removeAll()
        let types: [ValueType] = [.f64, .f32, .i32, .u16, .u8, .bool, .u64, .i64, .i16, .i8, .u32, .string]
        for i in 0..<33 { bms.append(Column("c\(i)", types[i % types.count])) }
        try run("mixed 33", bms)
        bms.removeAll()
        for i in 0..<1000 { bms.append(Column("c\(i)", .f32)) }
        try run("f32 1000", bms)
    }

    private func run(_ name: String, _ columns: [Column]) throws(Failure) {
        let values = ParquetBenchValues(columns)
        for compression in [ParquetOptions.Compression.none, .lz4] {
            var rates: [Double] = []
            var ratio = 0.0
            for _ in 0..<bench.runs {
                do throws(Fault) {
                    let (rate, bytes) = try once(columns, values, compression)
                    rates.append(rate)
                    ratio = bytes
                } catch {
                    throw Failure(error)
                }
            }
            bench.result(
                "parquet", name + (compression == .none ? " plain" : " lz4"),
                [("values_mb_s", Bench.median(rates) / 1e6), ("file_percent", 100 * ratio)])
        }
    }

    private func once(
        _ columns: [Column], _ values: ParquetBenchValues, _ compression: ParquetOptions.Compression
    ) throws(Fault) -> (rate: Double, ratio: Double) {
        let path = directory.file(".ticklog-bench-\(getpid()).parquet")
        let file: NewFile
        do { file = try NewFile(path, replacing: true) } catch { throw Fault(error) }
        defer { file.discard() }
        var options = ParquetOptions()
        options.compression = compression
        let start = monotonicNs()
        let writer = try ParquetWriter(to: Output(descriptor: file.descriptor, path: path), columns: columns, options: options)
        var bytes = 0
        while Double(monotonicNs() - start) < bench.seconds * 1e9 {
            try writer.append(values.rows, UnsafeBufferPointer(values.columns))
            bytes += values.bytes
        }
        try writer.close()
        let seconds = Double(monotonicNs() - start) / 1e9
        return (Double(bytes) / seconds, Double(writer.writtenBytes) / Double(bytes))
    }
}

/// About 32 MiB of values as a logger meets them: counters, noise, and some that stay for a while.
final class ParquetBenchValues {
    let rows: Int
    /// Of the values alone; of strings their characters.
    let bytes: Int
    let columns: UnsafeMutableBufferPointer<UnsafeRawPointer>
    private let words: UnsafeMutablePointer<CChar>

    init(_ schema: [Column]) {
        var rowBytes = 0
        for column in schema { rowBytes += column.type == .string ? 8 : column.type.size }
        let rows = (32 << 20) / rowBytes
        self.rows = rows
        columns = .allocate(capacity: schema.count)
        words = .allocate(capacity: 4096)
        var random = SplitMix64(1)
        for i in 0..<4096 { words[i] = CChar(97 + random.next() % 26) }
        for (i, column) in schema.enumerated() {
            let type = column.type
            let memory = UnsafeMutableRawPointer.allocate(byteCount: rows * (type == .string ? 16 : type.size), alignment: 16)
            var level: Int64 = Int64(random.next() % 1000)
            var noise = 0.0
            for row in 0..<rows {
                // A third of the columns counts, a third is noise, a third changes now and then.
                let bits = random.next()
                switch i % 3 {
                case 0: level = Int64(row) / (type == .i32 ? 1000 : 1)
                case 1: level += Int64(bits & 7) - 3
                default: if bits & 63 == 0 { level = Int64(bits >> 48) }
                }
                if i % 3 == 1 { noise = Double(bits >> 11) * 0x1p-53 }
                let at = memory + row * type.size
                switch type {
                case .f64: at.storeBytes(of: (Double(level) + noise) * 0.01, as: Double.self)
                case .f32: at.storeBytes(of: Float(Double(level % 100_000) + noise) * 0.01, as: Float.self)
                case .bool: at.storeBytes(of: UInt8(level & 1), as: UInt8.self)
                case .string:
                    let text = ticklog_text(bytes: UnsafePointer(words + Int(level & 511) * 8), count: 8)
                    (memory + row * 16).storeBytes(of: text, as: ticklog_text.self)
                default:
                    var value = level
                    at.copyMemory(from: &value, byteCount: type.size)
                }
            }
            (columns.baseAddress! + i).initialize(to: UnsafeRawPointer(memory))
        }
        bytes = rows * rowBytes
    }

    deinit {
        for memory in columns { memory.deallocate() }
        columns.deallocate()
        words.deallocate()
    }
}
