import TickLog

/// The metadata of a DLF run as a table of one row.
public final class OneRow: Table {
    private var values: [UInt64]
    private var texts: [[UInt8]]
    private let memory: UnsafeMutableRawBufferPointer
    private var done = false

    /// The metadata of a DLF run.
    public convenience init(_ run: RunDirectory) throws(Fault) {
        let file: MappedFile
        do { file = try run.open(run.metaPath) } catch { throw Fault(error) }
        defer { withExtendedLifetime(file) {} }
        let meta: DLFMeta
        do { meta = try DLFMeta(file.bytes) } catch { throw Fault(error, run.metaPath, kind: error.kind == .torn ? .damaged : nil) }
        self.init(meta)
    }

    public init(_ meta: DLFMeta) {
        var columns = [Column("epoch_time_s", .u32), Column("tick_base_us", .u32), Column("meta_structure", .string)]
        values = [UInt64(meta.epochSeconds), UInt64(meta.tickMicroseconds), 0]
        texts = [[], [], Array(meta.type.buffer)]
        let fields = try? DLFFile.fields(meta.type, size: meta.data.count, at: meta.typeOffset)
        if let fields, !fields.1 {
            for field in fields.0 {
                columns.append(Column("user." + (field.name.isEmpty ? "meta" : field.name), field.type))
                values.append(meta.data.unsigned(at: field.offset, size: field.type.size))
                texts.append([])
            }
        } else {
            columns.append(Column("meta", .string))
            values.append(0)
            texts.append(Array(hexText(of: meta.data).utf8))
        }
        var longest = 0
        for text in texts { longest = max(longest, text.count) }
        memory = UnsafeMutableRawBufferPointer.allocate(byteCount: longest, alignment: 1)
        super.init(columns: columns)
    }

    deinit { memory.deallocate() }

    public override func next() -> Bool {
        if done { return false }
        done = true
        return true
    }

    public override func bits(_ column: Int) -> UInt64 { values[column] }

    public override func text(_ column: Int) -> UnsafeRawBufferPointer {
        for i in 0..<texts[column].count { memory[i] = texts[column][i] }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<texts[column].count])
    }
}
