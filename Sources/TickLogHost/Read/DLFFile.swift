import CPosix
import TickLog

/// A polled or event file of DLF, mapped, with its header read.
public final class DLFFile {
    public let file: MappedFile
    public let header: DLFHeaderReader
    public let dataOffset: Int
    public let streams: [RunStream]
    let described: [DLFStream]
    public var path: String { file.path }

    public convenience init(_ path: String) throws(Fault) {
        let file: MappedFile
        do { file = try MappedFile(path) } catch { throw Fault(error) }
        try self.init(file)
    }

    public init(_ file: MappedFile) throws(Fault) {
        self.file = file
        var described: [DLFStream] = []
        var streams: [RunStream] = []
        do {
            var reader = try DLFHeaderReader(file.bytes)
            while let stream = try reader.nextStream() {
                described.append(stream)
                streams.append(try DLFFile.stream(stream, index: streams.count, isEvents: reader.isEvents))
            }
            header = reader
        } catch {
            throw Fault(error, file.path)
        }
        dataOffset = header.offset
        self.described = described
        self.streams = streams
    }

    /// A meta file has the same magic; its third byte is the epoch's, so names decide in a run, and this for one file.
    public static func recognises(_ bytes: FileBytes) -> Bool {
        bytes.holds(2, at: 0) && bytes.u16(at: 0) == 0x8414
    }

    private static func stream(_ stream: DLFStream, index: Int, isEvents: Bool) throws(FormatError) -> RunStream {
        var result = RunStream(
            index: index, name: String(decoding: stream.id.buffer, as: UTF8.self), kind: isEvents ? "event" : "poll",
            notes: String(decoding: stream.notes.buffer, as: UTF8.self), interval: stream.interval, phase: stream.phase)
        (result.fields, result.isOpaque) = try fields(stream.type, size: stream.size, at: stream.typeOffset)
        return result
    }

    static func fields(_ type: FileBytes, size: Int, at offset: Int) throws(FormatError) -> ([RunStream.Field], Bool) {
        var text = try TypeString(type, size: size, fileOffset: offset)
        switch text.kind {
        case .opaque: return ([], true)
        case .primitive(let type): return ([RunStream.Field(name: "", type: type, unit: "")], false)
        case .structure:
            var fields: [RunStream.Field] = []
            while let member = try text.nextMember() {
                fields.append(
                    RunStream.Field(
                        name: String(decoding: member.name.buffer, as: UTF8.self), type: member.type, unit: "",
                        offset: member.offset))
            }
            // A word that is no type, and nothing behind it: bytes that nobody described.
            return (fields, fields.isEmpty)
        }
    }
}

/// The rows of a DLF file, as a BCSV run would have them: of a polled file one for each tick, of an event file one for
/// each record. A column holds its last value; before the first it is unknown. Opaque samples are text, in base 16.
public final class DLFTable: Table {
    public let file: DLFFile
    /// The streams, with the columns of their fields.
    public private(set) var streams: [RunStream]
    /// Which streams have a sample in the current row.
    public private(set) var sampled: [Int] = []
    public private(set) var tick: UInt64 = 0

    private let memory: UnsafeMutableBufferPointer<DLFStream>
    private var polled: DLFPolledSamples
    private var events: DLFEvents
    private var ahead: DLFSample?
    private var ended = false
    private var count: UInt64 = 0
    private var slots: [UInt64]
    private var latest: [FileBytes?]
    private var opaqueColumn: [Int]
    private var columnStream: [Int]
    private let scratch: UnsafeMutableRawBufferPointer

    public init(_ file: DLFFile) {
        self.file = file
        var columns = [Column("tick", .u64)]
        if file.header.isEvents { columns.append(Column("stream", .string)) }
        var columnStream = [Int](repeating: -1, count: columns.count)
        var streams = file.streams
        var opaqueColumn = [Int](repeating: -1, count: streams.count)
        for i in 0..<streams.count {
            if streams[i].isOpaque {
                opaqueColumn[i] = columns.count
                columns.append(Column(streams[i].name, .string))
                columnStream.append(i)
            }
            for k in 0..<streams[i].fields.count {
                let field = streams[i].fields[k]
                streams[i].fields[k].column = columns.count
                columns.append(
                    Column(field.name.isEmpty ? streams[i].name : streams[i].name + "." + field.name, field.type))
                columnStream.append(i)
            }
        }
        self.streams = streams
        self.opaqueColumn = opaqueColumn
        self.columnStream = columnStream
        memory = UnsafeMutableBufferPointer<DLFStream>.allocate(capacity: file.described.count)
        _ = memory.initialize(from: file.described)
        polled = DLFPolledSamples(file.file.bytes, dataOffset: file.dataOffset, streams: UnsafeBufferPointer(memory))
        events = DLFEvents(file.file.bytes, dataOffset: file.dataOffset, streams: UnsafeBufferPointer(memory))
        slots = [UInt64](repeating: 0, count: columns.count)
        // Room for the longest text: a name, or a sample in base 16. A sample that the file has bounds it.
        var longest = 0
        for i in 0..<streams.count {
            longest = max(longest, streams[i].name.utf8.count)
            if streams[i].isOpaque { longest = max(longest, 2 * min(file.described[i].size, file.file.bytes.count)) }
        }
        scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: longest, alignment: 1)
        latest = [FileBytes?](repeating: nil, count: streams.count)
        super.init(columns: columns)
    }

    deinit {
        memory.deallocate()
        scratch.deallocate()
    }

    private func read() -> DLFSample? {
        if let sample = ahead {
            ahead = nil
            return sample
        }
        if ended { return nil }
        do {
            if let sample = file.header.isEvents ? try events.next() : try polled.next() { return sample }
        } catch {
            faults.append(Fault(unclosed: error, file.path))
        }
        ended = true
        return nil
    }

    public override func next() -> Bool {
        guard let first = read() else { return false }
        sampled.removeAll(keepingCapacity: true)
        tick = first.tick
        slots[0] = tick
        take(first)
        if !file.header.isEvents {
            while let sample = read() {
                guard sample.tick == tick else {
                    ahead = sample
                    break
                }
                take(sample)
            }
        }
        row = count
        count += 1
        return true
    }

    private func take(_ sample: DLFSample) {
        sampled.append(sample.stream)
        latest[sample.stream] = sample.bytes
        for field in streams[sample.stream].fields {
            slots[field.column!] = sample.bytes.unsigned(at: field.offset, size: field.type.size)
        }
    }

    public override func bits(_ column: Int) -> UInt64 { slots[column] }

    public override func isKnown(_ column: Int) -> Bool {
        columnStream[column] < 0 || latest[columnStream[column]] != nil
    }

    /// Where the samples of an opaque stream are shown.
    func opaqueColumn(of stream: Int) -> Int { opaqueColumn[stream] }

    /// The bytes of a stream's latest sample.
    public func sample(of stream: Int) -> FileBytes? { latest[stream] }

    public override func text(_ column: Int) -> UnsafeRawBufferPointer {
        var count = 0
        if columnStream[column] < 0 {
            for byte in streams[sampled[0]].name.utf8 {
                scratch[count] = byte
                count += 1
            }
        } else if let bytes = latest[columnStream[column]] {
            for byte in bytes.buffer {
                scratch[count] = hexDigit(byte >> 4)
                scratch[count + 1] = hexDigit(byte & 15)
                count += 2
            }
        }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(scratch)[..<count])
    }
}
