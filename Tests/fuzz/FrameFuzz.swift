// modules: TickLog TickLogHost
// seeds: Tests/Vectors/stream/*.bin
// Any bytes as frames. The last byte of an input says how the rest is read: bit 0, with the checksums of all headers and
// payloads made right first, so that what comes behind them is reached; the other bits, how it is split.
import TickLog
import TickLogHost

private func require(_ condition: Bool, _ what: StaticString) {
    if !condition { fatalError("\(what)") }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func frameFuzz(_ input: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let input, size > 0 else { return 0 }
    let options = input[size - 1]
    var data = Array(UnsafeBufferPointer(start: input, count: size - 1))
    if options & 1 != 0 { makeRight(&data) }
    // A copy of exactly its length, so that a byte too many is noticed.
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: data.count, alignment: 1)
    defer { bytes.deallocate() }
    bytes.copyBytes(from: data)
    let whole = scan(UnsafeRawBufferPointer(bytes), [data.count])
    var splits: [Int] = []
    var state = UInt64(options) &+ 1
    while splits.count < 64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        splits.append(1 + Int(state >> 33) % (options & 2 != 0 ? 9 : 300))
    }
    let split = scan(UnsafeRawBufferPointer(bytes), splits)
    require(whole.starts == split.starts, "other frames when split")
    require(same(whole.counts, split.counts), "other counts when split")
    walk(data, whole.starts)
    sequences(whole.headers)
    return 0
}

/// Feeds the bytes in pieces, as a socket would, and keeps what was not consumed.
private func scan(
    _ bytes: UnsafeRawBufferPointer, _ splits: [Int]
) -> (starts: [Int], headers: [FrameHeader], counts: FrameScanner.Counts) {
    var scanner = FrameScanner(maxPayload: 1 << 20)
    var starts: [Int] = [], headers: [FrameHeader] = []
    var at = 0, end = 0, turn = 0
    while true {
        var waits = false
        while !waits {
            var consumed = 0
            let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: end - at, alignment: 1)
            defer { piece.deallocate() }
            piece.copyBytes(from: bytes[at..<end])
            switch scanner.step(FileBytes(UnsafeRawBufferPointer(piece)), &consumed) {
            case .frame(let header):
                require(consumed == FrameHeader.bytes + Int(header.payloadBytes), "a frame's length")
                starts.append(at)
                headers.append(header)
            case .passed: require(consumed > 0, "passes nothing")
            case .needs(let least):
                require(consumed == 0 && least > end - at, "needs what is there")
                waits = true
            }
            require(consumed <= end - at, "consumes more than there is")
            at += consumed
        }
        if end == bytes.count { break }
        end = min(bytes.count, end + splits[turn % splits.count])
        turn += 1
    }
    scanner.end(end - at)
    return (starts, headers, scanner.counts)
}

private func same(_ a: FrameScanner.Counts, _ b: FrameScanner.Counts) -> Bool {
    a.frames == b.frames && a.frameBytes == b.frameBytes && a.skippedBytes == b.skippedBytes && a.headerCRC == b.headerCRC
        && a.versions == b.versions && a.lengths == b.lengths && a.payloadCRC == b.payloadCRC && a.truncatedBytes == b.truncatedBytes
}

/// Every byte of the file is in a frame or told of, once.
private func walk(_ data: [UInt8], _ starts: [Int]) {
    let file = MappedFile(data, named: "fuzz.dat")
    var walk = FrameWalk(file.bytes)
    var at = 0
    var found: [Int] = []
    while let piece = walk.next() {
        switch piece {
        case .frame(_, let start, let payload):
            require(start == at, "a frame is not where the last one ended")
            at = start + FrameHeader.bytes + payload.count
            found.append(start)
        case .damage(let damage):
            require(damage.range.lowerBound == at && !damage.range.isEmpty, "damage is not where the last frame ended")
            require(!damage.isTorn || damage.range.upperBound == data.count, "torn in the middle")
            at = damage.range.upperBound
        }
    }
    require(at == data.count, "the walk ends early")
    // Of files, longer payloads are read than of sockets: then there may be other frames.
    if found != starts { require(data.count > FrameHeader.bytes, "other frames in a file") }
    let summary = FrameSummary(FrameFile(file))
    require(summary.frames == UInt64(found.count) && summary.frameBytes + summary.damagedBytes == UInt64(data.count), "the summary")
    let table = FrameTable(FrameFile(file), salvage: true, payload: true)
    while table.next() { require(table.text(9).count == 2 * Int(table.bits(4)), "the payload") }
}

/// Numbers and chunks of any kind, in the memory of a small channel.
private func sequences(_ headers: [FrameHeader]) {
    let ranges = UnsafeMutableBufferPointer<MissingRange>.allocate(capacity: 4)
    defer { ranges.deallocate() }
    var tracker = SequenceTracker(ranges: ranges)
    var kept: UInt64 = 0
    for header in headers {
        if case .duplicate = tracker.judge(sequence: header.sequence, timestamp: header.timestamp, flags: header.flags) { continue }
        kept += 1
    }
    require(kept + tracker.counts.duplicates == UInt64(headers.count), "frames are judged twice")
}

/// Gives everything that has a magic the checksums that it should have, outer frames last.
private func makeRight(_ data: inout [UInt8]) {
    let crc = CRC32C()
    guard data.count >= FrameHeader.bytes else { return }
    for start in stride(from: data.count - FrameHeader.bytes, through: 0, by: -1) {
        var isMagic = true
        for i in 0..<8 where data[start + i] != UInt8(truncatingIfNeeded: FrameHeader.magic >> UInt64(56 - 8 * i)) { isMagic = false }
        guard isMagic else { continue }
        var length = 0
        for i in 28..<32 { length = length << 8 | Int(data[start + i]) }
        if start + FrameHeader.bytes + length <= data.count {
            store(crc.of(data, start + FrameHeader.bytes, length), at: start + 36, &data)
        }
        store(0, at: start + 32, &data)
        store(crc.of(data, start, FrameHeader.bytes), at: start + 32, &data)
    }
}

extension CRC32C {
    fileprivate func of(_ data: [UInt8], _ start: Int, _ count: Int) -> UInt32 {
        data.withUnsafeBytes { of($0.baseAddress! + start, count) }
    }
}

private func store(_ value: UInt32, at offset: Int, _ data: inout [UInt8]) {
    for i in 0..<4 { data[offset + i] = UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * i)) }
}
