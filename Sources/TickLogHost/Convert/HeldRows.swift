import CPosix
import TickLog

/// The values of a run's polled or event file up to some row, while the next row is known already.
final class HeldRows: Table {
    private let rows: RunRows
    private let streams: [RunOutline.Stream]
    /// Streams that do not count here.
    private let skipped: [Bool]
    /// By stream: its columns here, and in the rows' table.
    let own: [Range<Int>]
    private let names: [[UInt8]]
    private var values: [UInt64]
    private var texts: [[UInt8]?]
    private var scratch: UnsafeMutableRawBufferPointer
    /// Of the row ahead; nil at the end.
    private(set) var nextTick: UInt64?
    /// Of the row that was taken last.
    private(set) var sampled: [Int] = []
    private(set) var aheadSampled: [Int] = []

    /// `skips`: which of the built-in streams, behind the others, do not count.
    init(_ rows: RunRows, _ streams: [RunOutline.Stream], builtins: Int, skips: [Bool]) {
        self.rows = rows
        self.streams = streams
        var columns = [Column("tick", .u64)]
        if rows.isEvents { columns.append(Column("stream", .string)) }
        var own: [Range<Int>] = []
        var names: [[UInt8]] = []
        var skipped: [Bool] = []
        for stream in streams {
            let start = columns.count
            for field in stream.fields {
                columns.append(Column(shown(stream.columnName(field.name, of: stream.name)), field.type))
            }
            own.append(start..<columns.count)
            names.append(stream.name)
            skipped.append(false)
        }
        for i in 0..<builtins {
            let start = columns.count
            for column in BuiltinColumns.all[i] {
                columns.append(Column(BuiltinColumns.names[i] + "." + column.name, column.type))
            }
            own.append(start..<columns.count)
            names.append(Array(BuiltinColumns.names[i].utf8))
            skipped.append(skips[i])
        }
        self.own = own
        self.names = names
        self.skipped = skipped
        values = [UInt64](repeating: 0, count: columns.count)
        texts = [[UInt8]?](repeating: nil, count: columns.count)
        scratch = .allocate(byteCount: 256, alignment: 1)
        super.init(columns: columns)
        advance()
    }

    deinit { scratch.deallocate() }

    private func advance() {
        while rows.next() {
            aheadSampled = rows.sampled.filter { $0 < own.count && !skipped[$0] }
            // Rows of an event that does not count change nothing else.
            if rows.isEvents, aheadSampled.isEmpty, !rows.sampled.isEmpty { continue }
            nextTick = rows.tick
            return
        }
        nextTick = nil
        faults = rows.table.faults
    }

    /// The row ahead is the current one now.
    func take() {
        guard let tick = nextTick else { return }
        values[0] = tick
        sampled = aheadSampled
        if rows.isEvents { texts[1] = sampled.first.map { names[$0] } ?? [] }
        for i in sampled {
            for (k, column) in own[i].enumerated() {
                let from = rows.columns[i][k]
                if columns[column].type == .string {
                    let text = rows.table.text(from)
                    if texts[column] == nil || !text.elementsEqual(texts[column]!) { texts[column] = [UInt8](text) }
                } else {
                    values[column] = rows.table.bits(from)
                }
            }
        }
        advance()
    }

    /// A tick at which this one has no row: all values stay.
    func hold(_ tick: UInt64) { values[0] = tick }

    override func bits(_ column: Int) -> UInt64 { values[column] }

    override func text(_ column: Int) -> UnsafeRawBufferPointer {
        if let text = texts[column], !text.isEmpty {
            return keep(text.count) { memory in text.withUnsafeBytes { memory.copyMemory(from: $0) } }
        }
        // Before the first sample of an opaque stream: zeros, as in a filled sample.
        for i in 0..<streams.count where streams[i].isOpaque && own[i].contains(column) {
            return keep(2 * streams[i].size) { $0.initializeMemory(as: UInt8.self, repeating: 0x30) }
        }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch)[..<0])
    }

    private func keep(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> UnsafeRawBufferPointer {
        if scratch.count < count {
            scratch.deallocate()
            scratch = .allocate(byteCount: count * 2, alignment: 1)
        }
        let part = UnsafeMutableRawBufferPointer(rebasing: scratch[..<count])
        fill(part)
        return UnsafeRawBufferPointer(part)
    }
}
