import CTickLog
import Foundation
import Testing
import TickLog

@testable import TickLogHost

@Suite struct RNOGTests {
    static let current = ["header_3", "waveform_3", "pedestal_1", "daqstatus_2"]
    static let old = [
        "header_v0", "waveform_v1", "waveform_v3", "pedestal_v0", "pedestal_v2", "daqstatus_v0", "daqstatus_v1", "daqstatus_v4", "daqstatus_v5",
        "genuine_old/daqstatus_v3_aaa7aae", "genuine_old/daqstatus_v5_4b37d71", "genuine_old/header_v0_3da5b62",
        "genuine_old/header_v1_3e9758d", "genuine_old/pedestal_v1_3da5b62",
    ]
    /// What the reference reads wrongly, or not at all, of daqstatus 2 to 5 (spec: RNOG, 4).
    static let misread: Set<String> = ["s_1Hz", "s_1Hz_gated", "s_100Hz", "ncycles", "scaler_counter_1Hz", "cycle_counter"]

    static func vector(_ name: String) throws -> [UInt8] { try Vectors.bytes("rnog/\(name).dat") }

    /// A packet as the C functions give it.
    struct Packet {
        let record: ticklog_record
        let offset: Int
        /// The newest structure, between guards.
        let structure: [UInt8]
    }

    static func next(_ bytes: [UInt8], _ at: Int, _ count: Int, _ needed: inout Int, _ record: inout ticklog_record) -> Int32 {
        bytes.withUnsafeBytes { ticklog_rnog_next($0.baseAddress! + at, count, &needed, &record) }
    }

    static func structure(_ bytes: [UInt8], _ at: Int, _ record: ticklog_record) throws -> [UInt8] {
        let size = ticklog_rnog_size(record.magic)
        var out = [UInt8](repeating: 0xA5, count: size + 16)
        var record = record
        let status = bytes.withUnsafeBytes { bytes in
            record.payload = bytes.baseAddress! + at + 4
            return out.withUnsafeMutableBytes { out in
                #expect(ticklog_rnog_read(&record, out.baseAddress! + 8, size - 1) == TICKLOG_NO_MEMORY)
                return ticklog_rnog_read(&record, out.baseAddress! + 8, size)
            }
        }
        try #require(status == TICKLOG_OK)
        #expect(out.prefix(8) == out.suffix(8) && out[0] == 0xA5)
        return Array(out[8..<8 + size])
    }

    static func packets(_ bytes: [UInt8]) throws -> [Packet] {
        var packets: [Packet] = []
        var at = 0
        while at < bytes.count {
            var needed = 0
            var record = ticklog_record()
            try #require(next(bytes, at, bytes.count - at, &needed, &record) == TICKLOG_OK)
            packets.append(Packet(record: record, offset: at, structure: try structure(bytes, at, record)))
            at += Int(record.bytes)
        }
        return packets
    }

    static func write(_ magic: UInt16, _ structure: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0xEE, count: Int(TICKLOG_RNOG_MAX_BYTES) + 1)
        var count = 0
        #expect(ticklog_rnog_write(magic, structure, &out, 8, &count) == TICKLOG_NO_MEMORY)
        let needed = count
        #expect(ticklog_rnog_write(magic, structure, &out, needed, &count) == TICKLOG_OK)
        #expect(needed == count && out[count] == 0xEE)
        return Array(out[..<count])
    }

    /// As `ticklog rnog cat` prints it.
    static func fields(_ packet: Packet, _ bytes: [UInt8]) throws -> [String: Any] {
        let path = NSTemporaryDirectory() + "rnog-\(UUID().uuidString).json"
        defer { unlink(path) }
        let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
        defer { close(descriptor) }
        let output = Output(descriptor: descriptor)
        try bytes.withUnsafeBytes { all in
            let whole = FileBytes(UnsafeRawBufferPointer(rebasing: all[packet.offset..<packet.offset + Int(packet.record.bytes)]))
            guard case .record(let record) = RNOGKinds().step(whole) else { return }
            let found = RNOGPacket(record, at: 0)
            packet.structure.withUnsafeBytes { output.rnog(found, found.kind.fields, $0.baseAddress!, samples: false) }
            try output.flush()
        }
        let line = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as! [String: Any]
        return line["fields"] as! [String: Any]
    }

    @Test func `every vector has the fields of its JSON`() throws {
        var compared = 0
        for name in Self.current + Self.old {
            let bytes = try Self.vector(name)
            let wanted = try Vectors.json("rnog/\(name).dat.json")["packets"] as! [[String: Any]]
            let packets = try Self.packets(bytes)
            #expect(packets.count == wanted.count)
            for (packet, want) in zip(packets, wanted) {
                #expect(packet.offset == want["offset"] as! Int && Int(packet.record.bytes) == want["end"] as! Int - packet.offset)
                #expect(packet.record.version == want["version"] as! Int)
                #expect(Int(packet.record.checksum) == want["stored_cksum"] as! Int)
                let isMisread = packet.record.magic == TICKLOG_RNOG_DAQSTATUS && (2...5).contains(packet.record.version)
                let fields = try Self.fields(packet, bytes)
                for (key, value) in want["fields"] as! [String: Any] where !(isMisread && Self.misread.contains(key)) {
                    #expect((fields[key] as? NSObject) == (value as? NSObject), "\(name): \(key)")
                    compared += 1
                }
            }
        }
        #expect(compared > 300)
    }

    @Test func `the scalers of old packets are where they belong`() throws {
        for (name, base, hasCounter) in [
            ("daqstatus_v4", 1, true), ("daqstatus_v5", 1, true), ("genuine_old/daqstatus_v3_aaa7aae", 0, false),
            ("genuine_old/daqstatus_v5_4b37d71", 0, false),
        ] {
            let packet = try Self.packets(try Self.vector(name))[0]
            packet.structure.withUnsafeBytes { bytes in
                let status = bytes.loadUnaligned(as: ticklog_rnog_daqstatus.self)
                for (i, group) in [status.lt_scalers.s_1Hz, status.lt_scalers.s_1Hz_gated, status.lt_scalers.s_100Hz].enumerated() {
                    let first = UInt16(1000 * (i + 1))
                    #expect(group.trig_coinc == first, "\(name)")
                    if base == 1 {
                        #expect(group.trig_per_chan.0 == first + 1 && group.trig_per_chan.3 == first + 4)
                        #expect(group.servo_coinc == first + 10 && group.servo_per_chan.3 == first + 14)
                    }
                    #expect(group.trig_phased == 0 && group.trig_per_beam.11 == 0 && group.servo_per_beam.11 == 0)
                }
                let scalers = status.lt_scalers
                #expect(UInt64(scalers.ncycles.0) | UInt64(scalers.ncycles.1) << 16 | UInt64(scalers.ncycles.2) << 32 == 20_015_998_343_868)
                #expect(scalers.scaler_counter_1Hz == 4321)
                #expect(scalers.cycle_counter == (hasCounter ? 1_234_605_616_436_508_552 : 0))
                #expect(status.station == 23)
            }
        }
    }

    @Test func `current packets are written byte for byte, padding included`() throws {
        for name in Self.current {
            let bytes = try Self.vector(name)
            var written: [UInt8] = []
            for packet in try Self.packets(bytes) { written += Self.write(packet.record.magic, packet.structure) }
            #expect(written == bytes, "\(name)")
        }
        // Padding of any bytes.
        var random = SeededRandom()
        print("seed \(random.seed)")
        for (magic, size) in [(TICKLOG_RNOG_HEADER, 136), (TICKLOG_RNOG_DAQSTATUS, 504), (TICKLOG_RNOG_PEDESTAL, 196_632)] {
            let structure = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let packet = Self.write(UInt16(magic), structure)
            #expect(Array(packet[4..<4 + size]) == structure)
            #expect(try Self.packets(packet)[0].structure == structure)
        }
    }

    @Test func `an old packet is the same in the current version`() throws {
        for name in Self.old {
            for packet in try Self.packets(try Self.vector(name)) {
                let again = try Self.packets(Self.write(packet.record.magic, packet.structure))[0]
                #expect(again.structure == packet.structure, "\(name)")
            }
        }
    }

    @Test func `waveform version 0 is refused as unsupported`() throws {
        let bytes = try Self.vector("genuine_old/waveform_v0_3da5b62")
        var needed = 0
        var record = ticklog_record()
        #expect(Self.next(bytes, 0, bytes.count, &needed, &record) == TICKLOG_UNSUPPORTED)
    }

    @Test func `a packet that comes in parts asks for what it needs, and never for more than it has`() throws {
        for name in ["header_v0", "header_3", "daqstatus_v4", "genuine_old/daqstatus_v3_aaa7aae", "waveform_3"] {
            let bytes = try Self.vector(name)
            for packet in try Self.packets(bytes) {
                let whole = Int(packet.record.bytes)
                let step = whole > 1000 ? 997 : 1
                for count in stride(from: 0, to: whole, by: step) {
                    var needed = 0
                    var record = ticklog_record()
                    #expect(Self.next(bytes, packet.offset, count, &needed, &record) == TICKLOG_END)
                    #expect(needed > count && needed <= whole)
                }
            }
        }
    }

    @Test func `every bit of small files changed: another packet is never taken`() throws {
        for name in ["header_v0", "header_3", "daqstatus_v0", "daqstatus_v1", "daqstatus_v4", "genuine_old/daqstatus_v3_aaa7aae", "daqstatus_2"] {
            let bytes = try Self.vector(name)
            let whole = try Self.packets(bytes)[0]
            let count = Int(whole.record.bytes)
            for bit in 0..<8 * count {
                var damaged = bytes
                damaged[bit / 8] ^= 1 << (bit % 8)
                var needed = 0
                var record = ticklog_record()
                guard Self.next(damaged, 0, count, &needed, &record) == TICKLOG_OK else { continue }
                // No checksum tells these versions from each other (spec: RNOG, 1): 4 and 5 mean the same, 0 and 1 do not.
                #expect(bit == 16 && record.magic == TICKLOG_RNOG_DAQSTATUS && record.version ^ 1 == whole.record.version, "\(name), bit \(bit)")
                if record.version >= 4 { #expect(try Self.structure(damaged, 0, record) == whole.structure) }
            }
        }
    }

    @Test func `counts beyond a channel are refused before they are used`() {
        for (radiant, lt) in [(2049, 0), (65535, 0), (0, 513), (0, 65535)] {
            var bytes: [UInt8] = [0xD1, 0xAF, 4, 0, 1, 0, 0, 0, 2, 0, 0, 0]
            for count in [radiant, lt] { bytes += [UInt8(count & 255), UInt8(count >> 8)] }
            var needed = 0
            var record = ticklog_record()
            #expect(Self.next(bytes, 0, bytes.count, &needed, &record) == TICKLOG_DAMAGED)
            let waveform = [UInt8](repeating: 0, count: 8) + bytes[12..<16] + [UInt8](repeating: 0, count: 100_380)
            var out = [UInt8](repeating: 0, count: 200_000)
            #expect(ticklog_rnog_write(UInt16(TICKLOG_RNOG_WAVEFORM), waveform, &out, out.count, &needed) == TICKLOG_BAD_ARGUMENT)
        }
        // A record that a caller made up.
        var record = ticklog_record()
        record.magic = UInt16(TICKLOG_RNOG_WAVEFORM)
        record.version = 4
        record.payload_bytes = 39
        var payload = [UInt8](repeating: 0xFF, count: 39)
        var waveform = [UInt8](repeating: 0, count: 100_392)
        payload.withUnsafeBytes {
            record.payload = $0.baseAddress
            #expect(ticklog_rnog_read(&record, &waveform, waveform.count) == TICKLOG_BAD_SIZE)
        }
        payload[8] = 0
    }

    @Test func `the old rotation stays within whole halves`() throws {
        for samples in [0, 7, 1023, 1024, 1500, 2047, 2048] {
            for version: UInt16 in 1...3 {
                var payload = [UInt8](repeating: 0, count: 12 + 48 * samples + (version == 1 ? 0 : 1))
                payload[8] = UInt8(samples & 255)
                payload[9] = UInt8(samples >> 8)
                for i in 0..<24 * samples {
                    payload[12 + 2 * i] = UInt8((i % samples) & 255)
                    payload[13 + 2 * i] = UInt8((i % samples) >> 8)
                }
                let packet = Self.framed(UInt16(TICKLOG_RNOG_WAVEFORM), version, payload)
                let structure = try Self.packets(packet)[0].structure
                structure.withUnsafeBytes { bytes in
                    for channel in [0, 11, 23] {
                        for i in 0..<2048 {
                            let found = Int(bytes.loadUnaligned(fromByteOffset: 12 + 4096 * channel + 2 * i, as: Int16.self))
                            let half = i / 1024 * 1024
                            let rotated = version < 3 && half + 1024 <= samples ? half + (i - half + 128) % 1024 : i
                            #expect(found == (i < samples ? rotated : 0), "\(samples) samples, version \(version), sample \(i)")
                        }
                    }
                }
            }
        }
    }

    static func framed(_ magic: UInt16, _ version: UInt16, _ payload: [UInt8]) -> [UInt8] {
        var packet = [UInt8(magic & 255), UInt8(magic >> 8), UInt8(version & 255), UInt8(version >> 8)] + payload
        let sum = payload.withUnsafeBytes { ticklog_adler32(1, $0.baseAddress, $0.count) }
        for shift in stride(from: 0, to: 32, by: 8) { packet.append(UInt8(truncatingIfNeeded: sum >> UInt32(shift))) }
        return packet
    }

    @Test func `packets are found among other bytes`() throws {
        var random = SeededRandom()
        print("seed \(random.seed)")
        let header = Array(try Self.vector("header_3")[..<144])
        let status = try Self.vector("genuine_old/daqstatus_v3_aaa7aae")
        for _ in 0..<200 {
            let noise = (0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let bytes = noise + header.dropLast(random.below(144)) + status
            var skipped = 0, needed = 0
            var record = ticklog_record()
            let cut = bytes.count - random.below(bytes.count)
            let result = bytes.withUnsafeBytes { ticklog_rnog_find($0.baseAddress, cut, &skipped, &needed, &record) }
            if cut == bytes.count {
                #expect(result == TICKLOG_OK || (result == TICKLOG_END && needed > cut - skipped))
                if result == TICKLOG_OK { #expect(skipped + Int(record.bytes) <= bytes.count && record.bytes == 144 || record.bytes == 288) }
            } else {
                #expect(skipped <= cut)
            }
        }
    }

    @Test func `the sums of parts are those of the bytes`() {
        var random = SeededRandom()
        print("seed \(random.seed)")
        let bytes = (0..<60_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        bytes.withUnsafeBytes { bytes in
            var sums = AdlerSums()
            var offset = 0
            while offset < 50_000 {
                let count = random.below(bytes.count - offset)
                let start = bytes.baseAddress! + offset
                #expect(sums.of(start, count, at: UInt64(offset)) == Adler32.of(start, count))
                if random.chance(1, in: 3) { offset += random.below(random.chance(1, in: 9) ? 9000 : 50) }
            }
        }
    }

    @Test func `Adler-32 is that of the definition`() {
        var random = SeededRandom()
        print("seed \(random.seed)")
        for _ in 0..<300 {
            let count = random.below(20_000)
            let fill: UInt8? = random.chance(1, in: 4) ? 0xFF : nil
            let bytes = (0..<count).map { _ in fill ?? UInt8(truncatingIfNeeded: random.next()) }
            var low: UInt32 = 1, high: UInt32 = 0
            for byte in bytes {
                low = (low + UInt32(byte)) % 65521
                high = (high + low) % 65521
            }
            let whole = bytes.withUnsafeBytes { ticklog_adler32(1, $0.baseAddress, count) }
            #expect(whole == high << 16 | low)
            let half = count / 3
            let both = bytes.withUnsafeBytes { ticklog_adler32(ticklog_adler32(1, $0.baseAddress, half), $0.baseAddress.map { $0 + half }, count - half) }
            #expect(both == whole)
        }
    }
}
