import TickLog

/// The rows of a DLF file, as a BCSV run would have them: of a polled file one for each tick with a sample, of an event
/// file one for each record. A column holds its last value; before the first it is unknown. Opaque samples are text, in
/// base 16. Streams of the same name make columns of the same name.
public final class DLFTable: Table {
    public let file: DLFFile
    /// The streams, with the columns of their fields.
    public private(set) var streams: [RunStream]
    /// Which streams have a sample in the current row.
    @exclusivity(unchecked) public private(set) var sampled: [Int] = []
    @exclusivity(unchecked) public private(set) var tick: UInt64 = 0

    /// From a sample to its place in the row.
    private struct Copy {
        let from: Int
        let column: Int
        /// 0 is a bool, of any byte that is not 0.
        let size: UInt8
    }

    private let described: UnsafeMutableBufferPointer<DLFStream>
    private let slots: UnsafeMutablePointer<PolledWalk.Slot>
    /// In memory of its own: as a property of a class it would be checked at each use.
    private let walk: UnsafeMutablePointer<PolledWalk>
    private let events: UnsafeMutablePointer<DLFEvents>
    private let copies: UnsafeMutableBufferPointer<Copy>
    /// Of each stream where its copies begin; one more.
    private let copyStarts: UnsafeMutablePointer<Int>
    /// By stream: its latest sample.
    private let latest: UnsafeMutableBufferPointer<UnsafeRawPointer?>
    private let columnStream: [Int]
    private let textColumn: [Int]
    private let scratch: UnsafeMutableRawBufferPointer
    private let hasTexts: Bool

    /// The row: each column's value at its place.
    private let own: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var values: UnsafeMutableRawPointer
    private let places: UnsafeMutablePointer<UInt32>
    @exclusivity(unchecked) private var writer: BCSVWriter?

    @exclusivity(unchecked) private var isAhead = false
    @exclusivity(unchecked) private var ended = false
    @exclusivity(unchecked) private var count: UInt64 = 0
    /// Columns without a value yet.
    @exclusivity(unchecked) private var unknownColumns = 0

    public init(_ file: DLFFile) {
        self.file = file
        var columns = [Column("tick", .u64)]
        if file.header.isEvents { columns.append(Column("stream", .string)) }
        var columnStream = [Int](repeating: -1, count: columns.count)
        var streams = file.streams
        var textColumn = [Int](repeating: -1, count: streams.count)
        var copies: [Copy] = []
        copyStarts = .allocate(capacity: streams.count + 1)
        for i in 0..<streams.count {
            copyStarts[i] = copies.count
            if streams[i].isOpaque {
                textColumn[i] = columns.count
                columns.append(Column(streams[i].name, .string))
                columnStream.append(i)
            }
            for k in 0..<streams[i].fields.count {
                let field = streams[i].fields[k]
                streams[i].fields[k].column = columns.count
                copies.append(
                    Copy(from: field.offset, column: columns.count, size: field.type == .bool ? 0 : UInt8(field.type.size)))
                columns.append(
                    Column(field.name.isEmpty ? streams[i].name : streams[i].name + "." + field.name, field.type))
                columnStream.append(i)
            }
        }
        copyStarts[streams.count] = copies.count
        self.copies = .allocate(capacity: copies.count)
        _ = self.copies.initialize(from: copies)
        self.streams = streams
        self.textColumn = textColumn
        self.columnStream = columnStream
        described = .allocate(capacity: file.described.count)
        _ = described.initialize(from: file.described)
        slots = .allocate(capacity: file.schedule.streams.count)
        walk = .allocate(capacity: 1)
        walk.initialize(to: PolledWalk(file.schedule, slots, length: UInt64(file.dataCount)))
        events = .allocate(capacity: 1)
        events.initialize(
            to: DLFEvents(file.file.bytes, dataOffset: file.dataOffset, streams: UnsafeBufferPointer(described)))
        latest = .allocate(capacity: streams.count)
        latest.initialize(repeating: nil)
        // Room for the longest text: a name, or a sample in base 16. A sample that the file has bounds it.
        var longest = 0
        for i in 0..<streams.count {
            longest = max(longest, streams[i].name.utf8.count)
            if streams[i].isOpaque { longest = max(longest, 2 * min(file.described[i].size, file.file.bytes.count)) }
        }
        scratch = .allocate(byteCount: longest, alignment: 1)
        var hasTexts = false
        for column in columns where column.type == .string { hasTexts = true }
        self.hasTexts = hasTexts
        own = .allocate(byteCount: 8 * columns.count, alignment: 8)
        own.initializeMemory(as: UInt8.self, repeating: 0, count: 8 * columns.count)
        values = own
        places = .allocate(capacity: columns.count)
        for i in 0..<columns.count { places[i] = UInt32(8 * i) }
        unknownColumns = columnStream.count - (file.header.isEvents ? 2 : 1)
        super.init(columns: columns)
    }

    deinit {
        described.deallocate()
        slots.deallocate()
        walk.deallocate()
        events.deallocate()
        copies.deallocate()
        copyStarts.deallocate()
        latest.deallocate()
        scratch.deallocate()
        own.deallocate()
        places.deallocate()
    }

    public override func fill(_ writer: BCSVWriter) -> Bool {
        guard self.writer == nil, count == 0, writer.columns.count == columns.count else { return false }
        for i in 0..<columns.count where writer.columns[i].type != columns[i].type { return false }
        for i in 0..<columns.count { places[i] = UInt32(writer.offsets[i]) }
        self.writer = writer
        values = writer.row
        return true
    }

    public override func next() -> Bool {
        guard !ended, file.header.isEvents ? nextEvent() : nextTick() else { return false }
        (values + Int(places[0])).storeBytes(of: tick, as: UInt64.self)
        row = count
        count += 1
        unknownValues += UInt64(unknownColumns)
        if unknownColumns == 0, !hasTexts {
            parts = RowParts(scalars: UnsafeRawPointer(values), others: UnsafeRawPointer(values), places: places)
        }
        return true
    }

    /// Of a polled file: the next row is the first of a tick at or behind `tick`. Columns then hold what they would if all
    /// rows had been read, and `row` counts from `row` on. Time: O(streams²).
    func begin(at tick: UInt64, row: UInt64) {
        ended = false
        isAhead = false
        count = row
        for i in 0..<streams.count {
            guard tick > 0, let due = file.schedule.streams[i].last(through: tick - 1) else { continue }
            let offset = file.schedule.offset(of: i, at: due)
            guard offset <= UInt64(file.dataCount), described[i].size <= file.dataCount - Int(offset) else { continue }
            take(i, file.file.bytes.start + file.dataOffset + Int(offset))
        }
        walk.pointee.begin(from: tick, to: PolledSchedule.never)
    }

    private func nextTick() -> Bool {
        guard isAhead || walk.pointee.advance() else {
            end()
            return false
        }
        sampled.removeAll(keepingCapacity: true)
        tick = walk.pointee.tick
        let data = file.file.bytes.start + file.dataOffset
        repeat {
            take(walk.pointee.stream, data + Int(walk.pointee.offset))
            isAhead = walk.pointee.advance()
        } while isAhead && walk.pointee.tick == tick
        return true
    }

    private func nextEvent() -> Bool {
        do throws(FormatError) {
            guard let event = try events.pointee.next() else {
                ended = true
                return false
            }
            sampled.removeAll(keepingCapacity: true)
            tick = event.tick
            take(event.stream, event.bytes.start)
            if let writer {
                var name = streams[event.stream].name
                name.withUTF8 { writer.set(1, text: UnsafeRawBufferPointer($0)) }
            }
            return true
        } catch {
            ended = true
            faults.append(Fault(unclosed: error, file.path))
            return false
        }
    }

    /// What stands behind the last whole sample is torn.
    private func end() {
        ended = true
        let offset = file.dataOffset + Int(walk.pointee.nextOffset)
        guard offset < file.file.bytes.count else { return }
        faults.append(Fault(.torn, file.path, at: offset, "found the end of the file, expected a whole sample"))
    }

    private func take(_ stream: Int, _ bytes: UnsafeRawPointer) {
        sampled.append(stream)
        let isFirst = latest[stream] == nil
        latest[stream] = bytes
        var i = copyStarts[stream]
        let end = copyStarts[stream + 1]
        if isFirst { unknownColumns -= max(end - i, 1) }
        if textColumn[stream] >= 0, let writer { writer.set(textColumn[stream], text: text(textColumn[stream])) }
        while i < end {
            let copy = copies[i]
            let to = values + Int(places[copy.column])
            // Members lie within the sample, and the sample within the file.
            let from = bytes + copy.from
            switch copy.size {
            case 0: to.storeBytes(of: from.load(as: UInt8.self) == 0 ? 0 : 1, as: UInt8.self)
            case 1: to.storeBytes(of: from.load(as: UInt8.self), as: UInt8.self)
            case 2: to.storeBytes(of: from.loadUnaligned(as: UInt16.self), as: UInt16.self)
            case 4: to.storeBytes(of: from.loadUnaligned(as: UInt32.self), as: UInt32.self)
            default: to.storeBytes(of: from.loadUnaligned(as: UInt64.self), as: UInt64.self)
            }
            i += 1
        }
    }

    public override func bits(_ column: Int) -> UInt64 {
        let at = UnsafeRawPointer(values) + Int(places[column])
        switch columns[column].type.size {
        case 1: return UInt64(at.load(as: UInt8.self))
        case 2: return UInt64(at.loadUnaligned(as: UInt16.self))
        case 4: return UInt64(at.loadUnaligned(as: UInt32.self))
        case 8: return at.loadUnaligned(as: UInt64.self)
        default: return 0
        }
    }

    public override func isKnown(_ column: Int) -> Bool {
        columnStream[column] < 0 || latest[columnStream[column]] != nil
    }

    /// The column of an opaque stream.
    func textColumn(of stream: Int) -> Int { textColumn[stream] }

    /// The bytes of a stream's latest sample.
    public func sample(of stream: Int) -> FileBytes? {
        latest[stream].map { FileBytes(start: $0, count: described[stream].size) }
    }

    public override func text(_ column: Int) -> UnsafeRawBufferPointer {
        var count = 0
        if columnStream[column] < 0 {
            for byte in streams[sampled[0]].name.utf8 {
                scratch[count] = byte
                count += 1
            }
        } else if let bytes = sample(of: columnStream[column]) {
            for byte in bytes.buffer {
                scratch[count] = hexDigit(byte >> 4)
                scratch[count + 1] = hexDigit(byte & 15)
                count += 2
            }
        }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch)[..<count])
    }
}
