import CPosix
import CTickLog
import TickLog
import TickLogHost

/// Values of a BCSV file, which is removed again, as messages of MCAP that nobody keeps.
struct MCAPBench {
    private let bench: Bench
    private let directory: String

    init(_ bench: Bench, directory: String) {
        self.bench = bench
        self.directory = directory
    }

    func run() throws(Failure) {
        try run("f32 1", [Column("tick", .u64), Column("value", .f32)])
        var mixed = [Column("tick", .u64)]
        let types: [ValueType] = [.f64, .f32, .i32, .u16, .u8, .bool, .u64, .i64, .i16, .i8, .u32, .string]
        for i in 1..<33 { mixed.append(Column("c\(i)", types[i % types.count])) }
        try run("mixed 33", mixed)
    }

    private func run(_ name: String, _ columns: [Column]) throws(Failure) {
        let path = directory.file(".ticklog-bench-\(getpid()).bcsv")
        defer { removeFile(path) }
        do throws(Fault) {
            let (rows, bytes) = try write(columns, path)
            for compression in [MCAPOptions.Compression.none, .lz4] {
                var seconds: [Double] = []
                for _ in 0..<bench.runs { seconds.append(try once(path, compression)) }
                let median = Bench.median(seconds)
                bench.result(
                    "mcap", name + (compression == .none ? " plain" : " lz4"),
                    [("values_mb_s", bytes / median / 1e6), ("messages_s", rows / median)])
            }
        } catch { throw Failure(error) }
    }

    private func write(_ columns: [Column], _ path: String) throws(Fault) -> (rows: Double, bytes: Double) {
        let values = ParquetBenchValues(columns)
        var options = BCSVOptions()
        options.fileCodec = .packet
        let writer = try BCSVWriter(path, columns: columns, options: options)
        for row in 0..<values.rows {
            for i in 0..<columns.count {
                let type = columns[i].type
                if type == .string {
                    let text = values.columns[i].load(fromByteOffset: row * 16, as: ticklog_text.self)
                    writer.set(i, text: UnsafeRawBufferPointer(start: text.bytes, count: Int(text.count)))
                } else {
                    var bits: UInt64 = 0
                    withUnsafeMutableBytes(of: &bits) { $0.baseAddress!.copyMemory(from: values.columns[i] + row * type.size, byteCount: type.size) }
                    writer.set(i, bits: bits)
                }
            }
            try writer.writeRow()
        }
        try writer.close()
        return (Double(values.rows), Double(values.bytes))
    }

    private func once(_ path: String, _ compression: MCAPOptions.Compression) throws(Fault) -> Double {
        var options = MCAPOptions()
        options.compression = compression
        let nowhere = cposix_open("/dev/null", O_WRONLY | O_CLOEXEC, 0)
        defer { _ = close(nowhere) }
        let table = try TableInput(path).open()
        let start = monotonicNs()
        _ = try table.writeMCAP(of: path, topic: "bench", to: Output(descriptor: nowhere, path: "/dev/null"), options)
        return Double(monotonicNs() - start) / 1e9
    }
}
