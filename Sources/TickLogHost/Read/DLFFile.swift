import CPosix
import TickLog

/// A polled or event file of DLF, mapped, with its header read.
public final class DLFFile {
    public let file: MappedFile
    public let header: DLFHeaderReader
    public let dataOffset: Int
    public let streams: [RunStream]
    /// Where everything lies in a polled file's data; of an event file without streams. Valid as long as this.
    public let schedule: PolledSchedule
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
                let (fields, _) = try DLFFile.members(stream.type, size: stream.size, at: stream.typeOffset)
                described.append(stream)
                streams.append(DLFFile.stream(stream, fields, index: streams.count, isEvents: reader.isEvents))
            }
            header = reader
        } catch {
            throw Fault(error, file.path)
        }
        dataOffset = header.offset
        self.described = described
        self.streams = streams
        let polled = UnsafeMutableBufferPointer<PolledSchedule.Stream>.allocate(capacity: header.isEvents ? 0 : described.count)
        for i in 0..<polled.count { polled.initializeElement(at: i, to: PolledSchedule.Stream(described[i])) }
        schedule = PolledSchedule(UnsafeBufferPointer(polled))
    }

    deinit { schedule.streams.deallocate() }

    /// Bytes of samples and what stands behind them.
    public var dataCount: Int { file.bytes.count - dataOffset }

    /// A meta file has the same magic; its third byte is the epoch's, so names decide in a run, and this for one file. That
    /// of a big-endian writer is recognised too: reading it says what it is.
    public static func recognises(_ bytes: FileBytes) -> Bool {
        bytes.holds(2, at: 0) && (bytes.u16(at: 0) == 0x8414 || bytes.u16(at: 0) == 0x1484)
    }

    private static func stream(
        _ stream: DLFStream, _ fields: [RunStream.Field], index: Int, isEvents: Bool
    ) -> RunStream {
        var result = RunStream(
            index: index, name: String(decoding: stream.id.buffer, as: UTF8.self), kind: isEvents ? "event" : "poll",
            notes: String(decoding: stream.ownNotes.buffer, as: UTF8.self), interval: stream.interval, phase: stream.phase)
        result.fields = fields
        result.isOpaque = fields.isEmpty
        return result
    }

    /// The fields of a type, and whether it is opaque.
    static func fields(_ type: FileBytes, size: Int, at offset: Int) throws(FormatError) -> ([RunStream.Field], Bool) {
        let (fields, _) = try members(type, size: size, at: offset)
        return (fields, fields.isEmpty)
    }

    /// The fields of a type; of opaque bytes none. With it, why a text that looks like a structure is taken for them.
    static func members(
        _ type: FileBytes, size: Int, at offset: Int
    ) throws(FormatError) -> ([RunStream.Field], FormatError?) {
        var text = try TypeString(type, size: size, fileOffset: offset)
        switch text.kind {
        case .opaque: return ([], text.oddity)
        case .primitive(let type): return ([RunStream.Field(name: "", type: type, unit: "")], nil)
        case .structure:
            var fields: [RunStream.Field] = []
            while let member = try text.nextMember() {
                fields.append(
                    RunStream.Field(
                        name: String(decoding: member.name.buffer, as: UTF8.self), type: member.type, unit: "",
                        offset: member.offset))
            }
            return (fields, nil)
        }
    }
}
