// seeds: Tests/Vectors/stream/*packets*.bin
// Any bytes as BMS messages of each form, as records of a log, and as a log buffer. The last byte of an input says how the
// stream is split; the first of a log buffer are made right, so that what comes behind them is reached.
import TickLog

private func require(_ condition: Bool, _ what: StaticString) {
    if !condition { fatalError("\(what)") }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func packetFuzz(_ input: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let input, size > 0 else { return 0 }
    let options = input[size - 1]
    let data = Array(UnsafeBufferPointer(start: input, count: size - 1))
    packets(data, options)
    legacyPackets(data, options)
    records(data)
    buffer(data, options)
    return 0
}

/// What of a stream is shown at once: the lengths of its parts.
private struct Parts {
    var state: UInt64
    let most: Int

    init(_ options: UInt8) {
        state = UInt64(options) &+ 1
        most = options & 1 == 0 ? 9 : 400
    }

    mutating func next() -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return 1 + Int(state >> 33) % most
    }
}

/// Calls with copies of exactly the bytes that are there, so that a byte too many is noticed.
private func shown<Result>(_ data: ArraySlice<UInt8>, _ body: (FileBytes) -> Result) -> Result {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: data.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: data)
    return body(FileBytes(UnsafeRawBufferPointer(copy)))
}

private enum Seen: Equatable {
    case needs(Int)
    case packet([UInt8])
    case damage(Int)
}

/// The same messages are found whatever the parts, each is built again with the same bytes, and the end is the same.
private func same(_ data: [UInt8], _ options: UInt8, _ read: (ArraySlice<UInt8>) -> Seen) {
    var parts = Parts(options)
    var at = 0, end = 0
    while true {
        let split = read(data[at..<end])
        let whole = read(data[at...])
        switch split {
        case .packet(let bytes):
            require(split == whole, "another packet when split")
            require(Array(data[at..<at + bytes.count]) == bytes, "built with other bytes")
            at += bytes.count
        case .damage:
            require(split == whole, "other damage when split")
            return
        case .needs(let least):
            require(least > end - at, "needs what is there")
            if end == data.count { return }
            end = min(data.count, end + parts.next())
        }
    }
}

private func packets(_ data: [UInt8], _ options: UInt8) {
    let words = UnsafeMutablePointer<UInt16>.allocate(capacity: 4096)
    words.initialize(repeating: 0, count: 4096)
    defer { words.deallocate() }
    same(data, options) { bytes in
        shown(bytes) { bytes in
            do throws(FormatError) {
                switch try DataPacket.step(bytes) {
                case .needs(let least): return .needs(least)
                case .packet(let packet, let count):
                    let image = PacketImage(words, count: options & 2 == 0 ? 4096 : 1 + Int(options))
                    _ = image.apply(packet)
                    var values = [UInt16](repeating: 0, count: packet.words.count)
                    _ = image.copy(packet.words, to: &values)
                    var control = values, data = values
                    _ = image.changes(packet.words, control: &control, data: &data)
                    return .packet(built(count) { packet.store(to: $0) })
                }
            } catch { return .damage(error.offset) }
        }
    }
    same(data, options) { bytes in
        shown(bytes) { bytes in
            do throws(FormatError) {
                switch try DataPacket.oldStep(bytes) {
                case .needs(let least): return .needs(least)
                case .packet(let packet, let count): return .packet(built(count) { packet.storeOld(to: $0) })
                }
            } catch { return .damage(error.offset) }
        }
    }
    _ = shown(data[...]) { try? DataPacket(body: $0) }
    _ = shown(data[...]) { try? DataPacket(oldBody: $0) }
}

private func built(_ count: Int, _ store: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { out, stored in
        store(UnsafeMutableRawPointer(out.baseAddress!))
        stored = count
    }
}

private func legacyPackets(_ data: [UInt8], _ options: UInt8) {
    same(data, options) { bytes in
        shown(bytes) { bytes in
            do throws(FormatError) {
                switch try LegacyPacket.step(bytes) {
                case .needs(let least): return .needs(least)
                case .packet(let packet, let count): return .packet(built(count) { packet.store(to: $0) })
                }
            } catch { return .damage(error.offset) }
        }
    }
}

private func records(_ data: [UInt8]) {
    _ = shown(data[...]) { try? LogFileHeader($0) }
    shown(data[...]) { bytes in
        let crc = CRC32C()
        guard bytes.count >= LogRecord.headerBytes else { return }
        let record = LogRecord(bytes.start)
        if record.size <= UInt32(bytes.count - LogRecord.headerBytes) {
            _ = record.isWhole(bytes.start + LogRecord.headerBytes, crc)
        }
        let payload = bytes.start + LogRecord.headerBytes
        let count = bytes.count - LogRecord.headerBytes
        let made = built(LogRecord.bytes(payload: count)) {
            LogRecord(timestamp: record.timestamp, payload: payload, size: count, crc).store(to: $0, payload: payload)
        }
        made.withUnsafeBytes {
            require(LogRecord($0.baseAddress!).isWhole($0.baseAddress! + LogRecord.headerBytes, crc), "a record is not whole")
        }
    }
}

/// The bytes behind the first 24 of the header are the input's, and the memory ends with the ring.
private func buffer(_ data: [UInt8], _ options: UInt8) {
    let capacity = 64 << Int(options % 5)
    let bytes = LogBufferWriter.bytes(capacity: capacity)!
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 8)
    defer { memory.deallocate() }
    var writer = LogBufferWriter(creating: memory, capacity: capacity)
    var payload = [UInt8](repeating: 0, count: capacity / 2)
    for i in 0..<Int(options / 5) { _ = writer.write(timestamp: 0, payload: &payload, size: i * 7 % (capacity / 2 - 15)) }
    guard var early = try? LogBufferReader(memory, bytes: bytes), early.seek(.oldest) == true else {
        fatalError("a good buffer is refused")
    }
    // Pairs of a place and a value, so that a few changes in a good buffer are found soon.
    var i = 0
    while i + 2 < data.count {
        memory.storeBytes(of: data[i + 2], toByteOffset: 20 + (Int(data[i]) << 8 | Int(data[i + 1])) % (bytes - 20), as: UInt8.self)
        i += 3
    }
    var out = [UInt8](repeating: 0, count: capacity / 2 - 16)
    func readAll(_ reader: inout LogBufferReader) {
        for _ in 0..<1000 {
            switch reader.read(into: &out, room: out.count) {
            case .record(_, let size, _): require(size <= out.count, "too large a record")
            case .needs: fatalError("more than any record has")
            case .none, .closed, .damaged: return
            }
        }
    }
    readAll(&early)
    for start in [LogBufferReader.Start.oldest, .newest] {
        if var reader = try? LogBufferReader(memory, bytes: bytes), reader.seek(start) == true { readAll(&reader) }
    }
    for _ in 0..<9 { _ = writer.write(timestamp: 0, payload: &payload, size: Int(options) % (capacity / 2 - 15)) }
    readAll(&early)
    if var again = try? LogBufferWriter(continuing: memory, bytes: bytes) {
        for _ in 0..<9 { _ = again.write(timestamp: 0, payload: &payload, size: Int(options) % (capacity / 2 - 15)) }
        if var reader = try? LogBufferReader(memory, bytes: bytes), reader.seek(.oldest) == true { readAll(&reader) }
    }
}
