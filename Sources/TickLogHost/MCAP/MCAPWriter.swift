import CTickLog
import CPosix
import TickLog

/// Writes an MCAP file from its start to its end: Schema and Channel records, Metadata, chunks with their message indexes, and
/// a summary. Nothing is written twice: the output may be a pipe.
public final class MCAPWriter {
    private struct Link {
        let channel: Int
        let time: UInt64
        /// In the chunk's records.
        let offset: UInt64
    }

    private let output: Output
    private let options: MCAPOptions
    private let checksum = CRC32()
    private let frame = LZ4Frame()
    @exclusivity(unchecked) private var offset: UInt64 = 0
    /// Of the data section, then of the summary.
    @exclusivity(unchecked) private var crc: UInt32 = 0

    /// Messages that wait for their chunk to be full.
    private let records: MCAPBytes
    @exclusivity(unchecked) private var links: [Link] = []
    @exclusivity(unchecked) private var first = UInt64.max
    @exclusivity(unchecked) private var last: UInt64 = 0
    @exclusivity(unchecked) private var begun = 0
    /// Of each channel: all messages, those of the chunk, and where in the indexes its next one goes.
    @exclusivity(unchecked) private var counts: [UInt64] = []
    @exclusivity(unchecked) private var inChunk: [Int] = []
    private var places: [Int] = []

    private let scratch = MCAPBytes()
    private let compressed = MCAPBytes()
    private let indexes = MCAPBytes()
    private let schemas = MCAPBytes()
    private let channels = MCAPBytes()
    private let chunkIndexes = MCAPBytes()
    private let metadataIndexes = MCAPBytes()
    private var chunkCount: UInt32 = 0
    private var metadataCount: UInt32 = 0
    private var startTime = UInt64.max
    private var endTime: UInt64 = 0
    public private(set) var messageCount: UInt64 = 0
    /// The file's bytes so far.
    public var writtenBytes: UInt64 { offset }

    /// Writes the header.
    public init(to output: Output, options: MCAPOptions = MCAPOptions()) {
        self.output = output
        self.options = options
        records = MCAPBytes(min(options.chunkBytes, 1 << 20) + 4096)
        magic()
        let record = scratch.begin(.header)
        scratch.text("")
        scratch.text("ticklog " + String(cString: ticklog_version()))
        scratch.end(record)
        put(scratch)
    }

    /// A channel of JSON messages. Answers its number, from 0; its ids in the file, and that of its schema, are one more.
    public func addChannel(topic: String, schemaName: String, schema: [UInt8], metadata: [(key: String, value: String)]) throws(Fault) -> Int {
        guard counts.count < Int(UInt16.max) else {
            throw Fault(.damaged, output.path, at: nil, "found more than 65535 channels, expected at most as many, which MCAP holds")
        }
        let id = UInt16(counts.count + 1)
        let begin = (schemas.count, channels.count)
        var record = schemas.begin(.schema)
        schemas.u16(id)
        schemas.text(schemaName)
        schemas.text("jsonschema")
        schemas.text(schema)
        schemas.end(record)
        record = channels.begin(.channel)
        channels.u16(id)
        channels.u16(id)
        channels.text(topic)
        channels.text("json")
        channels.map(metadata)
        channels.end(record)
        put(schemas.start + begin.0, schemas.count - begin.0)
        put(channels.start + begin.1, channels.count - begin.1)
        counts.append(0)
        inChunk.append(0)
        return counts.count - 1
    }

    /// Keys that come twice are written once.
    public func addMetadata(_ name: String, _ entries: [(key: String, value: String)]) throws(Fault) {
        try writeChunk()
        var known = Set<String>()
        let start = offset
        let record = scratch.begin(.metadata)
        scratch.text(name)
        scratch.map(entries.filter { known.insert($0.key).inserted })
        scratch.end(record)
        put(scratch)
        let index = metadataIndexes.begin(.metadataIndex)
        metadataIndexes.u64(start)
        metadataIndexes.u64(offset - start)
        metadataIndexes.text(name)
        metadataIndexes.end(index)
        metadataCount += 1
    }

    /// Begins a message. Answers where its data go; `room` bytes of them.
    @inline(__always)
    func begin(_ channel: Int, time: UInt64, room: Int) -> UnsafeMutableRawPointer {
        begun = records.count
        links.append(Link(channel: channel, time: time, offset: UInt64(records.count)))
        let at = records.room(31 &+ room)
        at.storeBytes(of: MCAPOpcode.message.rawValue, as: UInt8.self)
        at.storeBytes(of: UInt16(truncatingIfNeeded: channel &+ 1).littleEndian, toByteOffset: 9, as: UInt16.self)
        at.storeBytes(of: UInt32(truncatingIfNeeded: counts[channel]).littleEndian, toByteOffset: 11, as: UInt32.self)
        at.storeBytes(of: time.littleEndian, toByteOffset: 15, as: UInt64.self)
        at.storeBytes(of: time.littleEndian, toByteOffset: 23, as: UInt64.self)
        counts[channel] &+= 1
        inChunk[channel] &+= 1
        first = min(first, time)
        last = max(last, time)
        return at + 31
    }

    /// Room for more of a message's data, behind what was stored up to `end`.
    @inline(__always)
    func more(_ end: UnsafeMutableRawPointer, _ room: Int) -> UnsafeMutableRawPointer {
        records.take(upTo: end)
        return records.room(room)
    }

    /// Where the data of the message that has begun are; they move with `more`.
    @inline(__always)
    var messageData: UnsafeMutableRawPointer { records.start + (begun &+ 31) }

    @inline(__always)
    func end(_ end: UnsafeMutableRawPointer) throws(Fault) {
        records.take(upTo: end)
        records.store(UInt64(records.count &- begun &- 9), at: begun &+ 1)
        messageCount &+= 1
        if records.count >= options.chunkBytes { try writeChunk() }
    }

    public var isOpen: Bool { output.isOpen }

    /// Writes what waits, the summary and the footer.
    public func close() throws(Fault) {
        try writeChunk()
        scratch.u8(MCAPOpcode.dataEnd.rawValue)
        scratch.u64(4)
        scratch.u32(crc)
        put(scratch)
        crc = 0
        let summary = offset
        var groups: [(opcode: MCAPOpcode, start: UInt64, length: UInt64)] = []
        let statistics = MCAPBytes()
        write(statistics)
        for (opcode, bytes) in [
            (MCAPOpcode.schema, schemas), (.channel, channels), (.statistics, statistics), (.chunkIndex, chunkIndexes),
            (.metadataIndex, metadataIndexes),
        ] where bytes.count > 0 {
            groups.append((opcode, offset, UInt64(bytes.count)))
            put(bytes.start, bytes.count)
        }
        let offsets = offset
        for group in groups {
            let record = scratch.begin(.summaryOffset)
            scratch.u8(group.opcode.rawValue)
            scratch.u64(group.start)
            scratch.u64(group.length)
            scratch.end(record)
        }
        put(scratch)
        scratch.u8(MCAPOpcode.footer.rawValue)
        scratch.u64(20)
        scratch.u64(summary)
        scratch.u64(offsets)
        put(scratch)
        scratch.u32(crc)
        put(scratch)
        magic()
        do { try output.flush() } catch { throw Fault(error) }
    }

    private func write(_ statistics: MCAPBytes) {
        let record = statistics.begin(.statistics)
        statistics.u64(messageCount)
        statistics.u16(UInt16(counts.count))
        statistics.u32(UInt32(counts.count))
        statistics.u32(0)
        statistics.u32(metadataCount)
        statistics.u32(chunkCount)
        statistics.u64(messageCount > 0 ? startTime : 0)
        statistics.u64(endTime)
        statistics.u32(UInt32(counts.count * 10))
        for i in 0..<counts.count {
            statistics.u16(UInt16(i + 1))
            statistics.u64(counts[i])
        }
        statistics.end(record)
    }

    private func writeChunk() throws(Fault) {
        guard !links.isEmpty else { return }
        let start = offset
        var data = records
        if options.compression == .lz4 {
            compressed.clear()
            guard frame.write(records.start, records.count, to: compressed) else {
                throw Fault(.system, output.path, at: nil, "found no memory for a chunk, expected some", code: ENOMEM)
            }
            data = compressed
        }
        let name = options.compression == .lz4 ? "lz4" : ""
        scratch.u8(MCAPOpcode.chunk.rawValue)
        scratch.u64(UInt64(40 + name.utf8.count + data.count))
        scratch.u64(first)
        scratch.u64(last)
        scratch.u64(UInt64(records.count))
        scratch.u32(checksum.update(0, records.start, records.count))
        scratch.text(name)
        scratch.u64(UInt64(data.count))
        put(scratch)
        put(data.start, data.count)
        let length = offset - start

        var present: [Int] = []
        if links.count < inChunk.count {
            for link in links where inChunk[link.channel] > 0 {
                present.append(link.channel)
                inChunk[link.channel] = -inChunk[link.channel]
            }
            present.sort()
            for channel in present { inChunk[channel] = -inChunk[channel] }
        } else {
            for channel in 0..<inChunk.count where inChunk[channel] > 0 { present.append(channel) }
        }
        if places.count < inChunk.count { places += [Int](repeating: 0, count: inChunk.count - places.count) }

        let record = chunkIndexes.begin(.chunkIndex)
        chunkIndexes.u64(first)
        chunkIndexes.u64(last)
        chunkIndexes.u64(start)
        chunkIndexes.u64(length)
        chunkIndexes.u32(UInt32(present.count * 10))
        indexes.clear()
        for channel in present {
            chunkIndexes.u16(UInt16(channel + 1))
            chunkIndexes.u64(offset + UInt64(indexes.count))
            let entries = inChunk[channel] * 16
            indexes.u8(MCAPOpcode.messageIndex.rawValue)
            indexes.u64(UInt64(6 + entries))
            indexes.u16(UInt16(channel + 1))
            indexes.u32(UInt32(truncatingIfNeeded: entries))
            places[channel] = indexes.count
            indexes.take(upTo: indexes.room(entries) + entries)
            inChunk[channel] = 0
        }
        for link in links {
            indexes.store(link.time, at: places[link.channel])
            indexes.store(link.offset, at: places[link.channel] &+ 8)
            places[link.channel] &+= 16
        }
        put(indexes.start, indexes.count)
        chunkIndexes.u64(UInt64(indexes.count))
        chunkIndexes.text(name)
        chunkIndexes.u64(UInt64(data.count))
        chunkIndexes.u64(UInt64(records.count))
        chunkIndexes.end(record)

        chunkCount += 1
        startTime = min(startTime, first)
        endTime = max(endTime, last)
        records.clear()
        links.removeAll(keepingCapacity: true)
        first = UInt64.max
        last = 0
    }

    private func magic() {
        scratch.u64(0x0A0D_3050_4143_4D89)
        put(scratch)
    }

    /// Writes and clears it.
    private func put(_ bytes: MCAPBytes) {
        put(bytes.start, bytes.count)
        bytes.clear()
    }

    private func put(_ start: UnsafeRawPointer, _ count: Int) {
        crc = checksum.update(crc, start, count)
        output.bytes(UnsafeRawBufferPointer(start: start, count: count))
        offset += UInt64(count)
    }
}
