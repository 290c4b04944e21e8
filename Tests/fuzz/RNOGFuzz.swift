// modules: TickLog TickLogHost
// seeds: Tests/Vectors/rnog/*.dat Tests/Vectors/rnog/genuine_old/*.dat Tests/Vectors/rnog/*.gz
// Any bytes as RNO-G packets. The last byte of an input says, in bit 0, that the checksums of all that begins like a packet are
// made right first, so that what comes behind them is reached. Walks, unpacks, loads, writes again, and asks for parts.
import CTickLog
import TickLog
import TickLogHost

private func require(_ condition: Bool, _ what: StaticString) {
    if !condition { fatalError("\(what)") }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func rnogFuzz(_ input: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let input, size > 0 else { return 0 }
    var data = Array(UnsafeBufferPointer(start: input, count: size - 1))
    if input[size - 1] & 1 != 0 { makeRight(&data) }
    let file = RNOGFile(MappedFile(data, named: "fuzz.dat"))
    guard let walk = try? RNOGWalk(file) else { return 0 }
    let record = UnsafeMutableRawPointer.allocate(byteCount: 196_632, alignment: 16)
    let again = UnsafeMutableRawPointer.allocate(byteCount: 196_632, alignment: 16)
    let out = UnsafeMutableRawPointer.allocate(byteCount: RNOGKinds.maxBytes, alignment: 16)
    defer {
        record.deallocate()
        again.deallocate()
        out.deallocate()
    }
    var at: UInt64 = 0
    var packets: UInt64 = 0
    while let piece = walk.next() {
        switch piece {
        case .packet(let packet):
            require(packet.offset == at, "a packet is not where the last one ended")
            at += UInt64(packet.bytes.count)
            packets += 1
            packet.load(into: record)
            guard let count = packet.kind.write(record, to: out) else { fatalError("a packet that was read cannot be written") }
            guard case .record(let written) = RNOGKinds().step(FileBytes(start: out, count: count)),
                packet.kind.load(version: written.version, written.payload, into: again)
            else { fatalError("a packet that was written cannot be read") }
            let size = packet.kind.structureBytes
            for i in 0..<size where record.load(fromByteOffset: i, as: UInt8.self) != again.load(fromByteOffset: i, as: UInt8.self) {
                fatalError("a packet is another one when it is written")
            }
            if packet.version == packet.kind.version {
                require(count == packet.bytes.count, "a current packet has another size")
                for i in 0..<count where out.load(fromByteOffset: i, as: UInt8.self) != packet.bytes[i] { fatalError("other bytes") }
            }
            for field in packet.kind.fields { for i in 0..<field.count { _ = field.bits(of: record, i) } }
        case .damage(let damage):
            require(damage.range.lowerBound == at && !damage.range.isEmpty, "damage is not where the last packet ended")
            at = damage.range.upperBound
        }
    }
    require(file.isCompressed || at == UInt64(data.count), "the walk ends early")
    if !file.isCompressed { parts(data) }
    guard let summary = try? RNOGSummary(file) else { fatalError("no summary") }
    require(summary.packets == packets && summary.unpackedBytes == at, "the summary")
    for kind in RNOGKind.all {
        let table = RNOGTable(file, kind, .samples, salvage: true)
        var rows = 0
        while rows < 5000, table.next() {
            for i in 0..<table.columns.count { _ = table.bits(i) }
            rows += 64
        }
    }
    return 0
}

/// The C functions, with copies of exactly what they ask for.
private func parts(_ data: [UInt8]) {
    var at = 0
    var count = 0
    while at < data.count {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 1)
        defer { piece.deallocate() }
        piece.copyBytes(from: data[at..<at + count])
        var needed = 0, skipped = 0
        var record = ticklog_record()
        switch ticklog_rnog_find(piece.baseAddress, count, &skipped, &needed, &record) {
        case TICKLOG_OK:
            at += skipped + Int(record.bytes)
            count = 0
        case TICKLOG_END:
            at += skipped
            require(needed > count - skipped && needed <= RNOGKinds.maxBytes, "needs what is there, or more than can be")
            if at + needed > data.count { return }
            count = needed
        default: fatalError("another answer")
        }
    }
}

/// Gives everything that begins like a packet, of the size that it asks for, the checksum that it should have.
private func makeRight(_ data: inout [UInt8]) {
    guard data.count >= 8 else { return }
    for start in stride(from: data.count - 8, through: 0, by: -1) {
        var found: (at: Int, sum: UInt32)?
        data.withUnsafeBytes { bytes in
            let rest = FileBytes(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            if case .wrongChecksum(let at, _, let computed) = RNOGKinds().step(rest) { found = (start + at, computed) }
        }
        guard let found else { continue }
        for i in 0..<4 { data[found.at + i] = UInt8(truncatingIfNeeded: found.sum >> UInt32(8 * i)) }
    }
}
