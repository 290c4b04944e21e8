import CTickLog
import Foundation
import Testing
import TickLog

@Suite struct PacketTests {
    static func vector(_ name: String) throws -> [[String: Any]] {
        let all = try JSONSerialization.jsonObject(with: Data(try Vectors.bytes("stream/expected.json"))) as! [[String: Any]]
        return all.first { $0["name"] as? String == name }!["packets"] as! [[String: Any]]
    }

    static func bytes(hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0...($0 + 1)]), radix: 16)! }
    }

    static func words(_ at: UnsafeRawPointer?, _ count: UInt32) -> [UInt16] {
        (0..<Int(count)).map { at!.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self) }
    }

    static func numbers(_ any: Any?) -> [UInt16] { (any as! [NSNumber]).map { $0.uint16Value } }

    static var damage: ticklog_damage {
        var damage = ticklog_damage()
        damage.size = UInt32(MemoryLayout<ticklog_damage>.size)
        return damage
    }

    /// What one call says of the bytes from `at` on that are shown, in memory that begins at an odd address and ends with them.
    static func read<Packet>(
        _ bytes: ArraySlice<UInt8>, _ empty: Packet,
        _ call: (UnsafeRawPointer?, Int, UnsafeMutablePointer<Int>?, UnsafeMutablePointer<Int>?, UnsafeMutablePointer<Packet>?, UnsafeMutablePointer<ticklog_damage>?) -> ticklog_status,
        _ look: (ticklog_status, Packet, _ consumed: Int, _ needed: Int, ticklog_damage) throws -> Void
    ) rethrows {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 1, alignment: 8)
        defer { memory.deallocate() }
        bytes.withUnsafeBytes { if $0.count > 0 { (memory + 1).copyMemory(from: $0.baseAddress!, byteCount: $0.count) } }
        var packet = empty
        var consumed = -1
        var needed = -1
        var damage = Self.damage
        let status = call(memory + 1, bytes.count, &consumed, &needed, &packet, &damage)
        try look(status, packet, consumed, needed, damage)
    }

    @Test func `the vectors' packets are read, however many bytes are there, and built again`() throws {
        let stream = try Vectors.bytes("stream/datapackets_proposed.bin")
        var at = 0
        for expected in try Self.vector("datapackets_proposed") {
            let whole = Self.bytes(hex: expected["hex"] as! String)
            for count in 0..<whole.count {
                Self.read(stream[at..<at + count], ticklog_packet(), ticklog_packet_read) { status, _, consumed, needed, _ in
                    #expect(status == TICKLOG_END && consumed == 0)
                    #expect(needed == (count < 4 ? 4 : whole.count))
                }
            }
            try Self.read(stream[at...], ticklog_packet(), ticklog_packet_read) { status, packet, consumed, _, _ in
                try #require(status == TICKLOG_OK)
                #expect(consumed == whole.count)
                #expect(packet.timestamp_us == (expected["timestamp_us"] as! NSNumber).uint64Value)
                #expect(packet.source == (expected["src_id"] as! NSNumber).uint8Value)
                #expect(packet.command == (expected["cmd"] as! NSNumber).uint8Value)
                #expect(packet.type == (expected["type"] as! NSNumber).uint8Value)
                #expect(packet.sequence == (expected["seq"] as! NSNumber).uint8Value)
                #expect(Self.words(packet.control, packet.count) == Self.numbers(expected["control"]))
                #expect(Self.words(packet.data, packet.count) == Self.numbers(expected["data"]))
                var packet = packet
                var out = [UInt8](repeating: 0xEE, count: whole.count + 1)
                var bytes = 0
                #expect(ticklog_packet_build(&packet, &out, whole.count - 1, &bytes) == TICKLOG_NO_MEMORY)
                #expect(bytes == whole.count && out[0] == 0xEE)
                #expect(ticklog_packet_build(&packet, &out, whole.count, &bytes) == TICKLOG_OK)
                #expect(out == whole + [0xEE])
                var header = [UInt8](repeating: 0xEE, count: 21)
                #expect(ticklog_packet_header(&packet, &header) == TICKLOG_OK)
                #expect(header == Array(whole[..<20]) + [0xEE])
            }
            at += whole.count
        }
        #expect(at == stream.count)
    }

    @Test func `the vectors' legacy packets are read and built bit for bit`() throws {
        let stream = try Vectors.bytes("stream/bms_packets.bin")
        var at = 0
        for expected in try Self.vector("bms_packets") {
            let whole = Self.bytes(hex: expected["hex"] as! String)
            for count in 0..<whole.count {
                Self.read(stream[at..<at + count], ticklog_legacy_packet(), ticklog_legacy_read) { status, _, consumed, needed, _ in
                    #expect(status == TICKLOG_END && consumed == 0)
                    #expect(needed == (count < 16 ? 16 : whole.count))
                }
            }
            try Self.read(stream[at...], ticklog_legacy_packet(), ticklog_legacy_read) { status, packet, consumed, _, _ in
                try #require(status == TICKLOG_OK)
                #expect(consumed == whole.count)
                #expect(packet.time == expected["time"] as! Double && packet.rack == (expected["rack"] as! NSNumber).int32Value)
                #expect(Self.words(packet.control, packet.count) == Self.numbers(expected["control"]))
                #expect(Self.words(packet.data, packet.count) == Self.numbers(expected["data"]))
                #expect(try Self.built(packet) == whole)
            }
            at += whole.count
        }
        #expect(at == stream.count)
    }

    static func built(_ packet: ticklog_legacy_packet) throws -> [UInt8] {
        var packet = packet
        var out = [UInt8](repeating: 0, count: 16 + 4 * Int(packet.count))
        var bytes = 0
        try #require(ticklog_legacy_build(&packet, &out, out.count, &bytes) == TICKLOG_OK)
        #expect(bytes == out.count)
        #expect(ticklog_legacy_build(&packet, &out, out.count - 1, &bytes) == TICKLOG_NO_MEMORY)
        return out
    }

    @Test func `a legacy time goes through whatever its bits are`() throws {
        for bits: UInt64 in [0x7FF0_0000_0000_0001, 0xFFF8_1234_5678_9ABC, 0x8000_0000_0000_0000, 1, .max] {
            let wire = withUnsafeBytes(of: bits) { Array($0) } + [0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]
            try Self.read(wire[...], ticklog_legacy_packet(), ticklog_legacy_read) { status, packet, _, _, _ in
                try #require(status == TICKLOG_OK)
                #expect(packet.rack == -2)
                #expect(try Self.built(packet) == wire)
            }
        }
    }

    @Test func `what cannot become a message is damaged, as soon as it is known`() {
        func message(_ length: UInt32, _ count: UInt32) -> [UInt8] {
            withUnsafeBytes(of: length) { Array($0) } + [UInt8](repeating: 0, count: 12) + withUnsafeBytes(of: count) { Array($0) }
        }
        for length: UInt32 in [0, 1, 3, 4, 15, 17, 18, 19, 262161, 262164, 1 << 31, .max] {
            Self.read(message(length, 0)[..<4], ticklog_packet(), ticklog_packet_read) { status, _, consumed, _, damage in
                #expect(status == TICKLOG_DAMAGED, "length \(length)")
                #expect(consumed == 0 && damage.offset == 0 && damage.found_number == UInt64(length) && damage.found == nil)
                #expect(String(cString: damage.expected).contains("16 + 4 x count"))
            }
        }
        for (length, count): (UInt32, UInt32) in [(16, 1), (20, 0), (20, 2), (24, .max), (262160, 65535), (262160, 65537), (20, 0x4000_0001)] {
            let bytes = message(length, count)
            Self.read(bytes[..<19], ticklog_packet(), ticklog_packet_read) { status, _, _, needed, _ in
                #expect(status == TICKLOG_END && needed == 4 + Int(length))
            }
            Self.read(bytes[...], ticklog_packet(), ticklog_packet_read) { status, _, _, _, damage in
                #expect(status == TICKLOG_DAMAGED && damage.offset == 16 && damage.found_number == UInt64(count), "\(length) \(count)")
            }
        }
        for count: UInt32 in [65537, .max] {
            Self.read([UInt8](repeating: 9, count: 12) + withUnsafeBytes(of: count) { Array($0) }[...], ticklog_legacy_packet(), ticklog_legacy_read) { status, _, consumed, _, damage in
                #expect(status == TICKLOG_DAMAGED && consumed == 0 && damage.offset == 12 && damage.found_number == UInt64(count))
            }
        }
        for length: UInt32 in [0, 3, 5, 262149, 262152, .max] {
            Self.read(message(length, 0)[...], ticklog_packet(), ticklog_packet_read_v0) { status, _, _, _, damage in
                #expect(status == TICKLOG_DAMAGED && damage.found_number == UInt64(length), "length \(length)")
            }
        }
    }

    @Test func `the largest packet and the empty one go through`() throws {
        for count in [0, 1, 65535, 65536] {
            let control = (0..<count).map { UInt16(truncatingIfNeeded: $0 &* 7) }
            let data = (0..<count).map { UInt16(truncatingIfNeeded: $0 &* 31 &+ 5) }
            var out = [UInt8](repeating: 0, count: 20 + 4 * count)
            var bytes = 0
            control.withUnsafeBytes { control in
                data.withUnsafeBytes { data in
                    var packet = ticklog_packet(
                        timestamp_us: .max, control: count == 0 ? nil : control.baseAddress, data: count == 0 ? nil : data.baseAddress,
                        count: UInt32(count), source: 255, command: 8, type: 3, sequence: 254)
                    #expect(ticklog_packet_build(&packet, &out, out.count, &bytes) == TICKLOG_OK)
                }
            }
            #expect(bytes == out.count)
            Self.read(out[...], ticklog_packet(), ticklog_packet_read) { status, packet, consumed, _, _ in
                #expect(status == TICKLOG_OK && consumed == out.count)
                #expect(packet.timestamp_us == .max && packet.source == 255 && packet.command == 8 && packet.type == 3 && packet.sequence == 254)
                #expect(Self.words(packet.control, packet.count) == control)
                #expect(Self.words(packet.data, packet.count) == data)
            }
        }
    }

    @Test func `words that are in their place stay there`() {
        var message = (0..<28).map { UInt8($0 + 100) }
        let before = message
        message.withUnsafeMutableBytes { message in
            var packet = ticklog_packet()
            packet.control = UnsafeRawPointer(message.baseAddress! + 20)
            packet.data = UnsafeRawPointer(message.baseAddress! + 24)
            packet.count = 2
            var bytes = 0
            #expect(ticklog_packet_build(&packet, message.baseAddress!, 28, &bytes) == TICKLOG_OK)
        }
        #expect(message[20...] == before[20...])
        #expect(message[0] == 24 && message[16] == 2)
    }

    @Test func `the first form has no time, and its reserved byte is the source`() throws {
        let wire: [UInt8] = [12, 0, 0, 0, 1, 2, 77, 9, 0x01, 0x10, 0x02, 0x10, 0x34, 0x12, 0x78, 0x56]
        for count in 0..<wire.count {
            Self.read(wire[..<count], ticklog_packet(), ticklog_packet_read_v0) { status, _, _, needed, _ in
                #expect(status == TICKLOG_END && needed == (count < 4 ? 4 : 16))
            }
        }
        try Self.read(wire[...], ticklog_packet(), ticklog_packet_read_v0) { status, packet, consumed, _, _ in
            try #require(status == TICKLOG_OK)
            #expect(consumed == 16 && packet.timestamp_us == 0 && packet.command == 1 && packet.type == 2 && packet.sequence == 77)
            #expect(packet.source == 9 && packet.count == 2)
            #expect(Self.words(packet.control, 2) == [0x1001, 0x1002])
            #expect(Self.words(packet.data, 2) == [0x1234, 0x5678])
            var packet = packet
            var out = [UInt8](repeating: 0xEE, count: 17)
            var bytes = 0
            #expect(ticklog_packet_build_v0(&packet, &out, 15, &bytes) == TICKLOG_NO_MEMORY)
            #expect(ticklog_packet_build_v0(&packet, &out, 16, &bytes) == TICKLOG_OK)
            #expect(out == wire + [0xEE])
        }
    }

    @Test func `what may not be sent is refused`() {
        var out = [UInt8](repeating: 0, count: 64)
        var bytes = 0
        let word: [UInt16] = [1]
        word.withUnsafeBytes { word in
            let good = ticklog_packet(
                timestamp_us: 0, control: word.baseAddress, data: word.baseAddress, count: 1, source: 0, command: 0, type: 0, sequence: 0)
            func refused(_ change: (inout ticklog_packet) -> Void) -> ticklog_status {
                var packet = good
                change(&packet)
                let status = ticklog_packet_build(&packet, &out, 64, &bytes)
                #expect(ticklog_packet_header(&packet, &out) == status)
                #expect(ticklog_packet_build_v0(&packet, &out, 64, &bytes) == status)
                return status
            }
            #expect(refused { _ in } == TICKLOG_OK)
            #expect(refused { $0.command = 9 } == TICKLOG_BAD_ARGUMENT)
            #expect(refused { $0.type = 4 } == TICKLOG_BAD_ARGUMENT)
            #expect(refused { $0.count = 65537 } == TICKLOG_BAD_ARGUMENT)
            #expect(refused { $0.control = nil } == TICKLOG_NULL)
            #expect(refused { $0.data = nil } == TICKLOG_NULL)
        }
        #expect(ticklog_packet_build(nil, &out, 64, &bytes) == TICKLOG_NULL)
        #expect(ticklog_legacy_build(nil, &out, 64, &bytes) == TICKLOG_NULL)
    }

    // MARK: Images

    static func packet(_ command: UInt8, _ pairs: [(UInt16, UInt16)], _ body: (UnsafePointer<ticklog_packet>) -> Void) {
        let control = pairs.map(\.0)
        let data = pairs.map(\.1)
        control.withUnsafeBytes { control in
            data.withUnsafeBytes { data in
                var packet = ticklog_packet()
                packet.command = command
                packet.control = control.baseAddress
                packet.data = data.baseAddress
                packet.count = UInt32(pairs.count)
                body(&packet)
            }
        }
    }

    @Test func `an image takes words, all or none`() {
        for words in [1, 8, 100, 65536] {
            var image = [UInt16](repeating: 7, count: words)
            let last = UInt16(words - 1)
            Self.packet(0, [(0, 1), (last, 2), (last, 3)]) { #expect(ticklog_image_apply(&image, UInt32(words), $0) == TICKLOG_OK) }
            var expected = [UInt16](repeating: 7, count: words)
            expected[0] = 1
            expected[words - 1] = 3
            #expect(image == expected)
            if words < 65536 {
                for command: UInt8 in [0, 1] {
                    Self.packet(command, [(0, 9), (last + 1, 9)]) { #expect(ticklog_image_apply(&image, UInt32(words), $0) == TICKLOG_NOT_FOUND) }
                    Self.packet(command, [(.max, 9), (0, 9)]) { #expect(ticklog_image_apply(&image, UInt32(words), $0) == TICKLOG_NOT_FOUND) }
                }
            }
            for command: UInt8 in [2, 3, 4, 5, 6, 7, 8, 9, 255] {
                Self.packet(command, [(0, 9)]) { #expect(ticklog_image_apply(&image, UInt32(words), $0) == TICKLOG_UNSUPPORTED) }
            }
            #expect(image == expected)
            Self.packet(1, [(last, 5)]) { #expect(ticklog_image_apply(&image, UInt32(words), $0) == TICKLOG_OK) }
            expected = [UInt16](repeating: 0, count: words)
            expected[words - 1] = 5
            #expect(image == expected)
            #expect(ticklog_image_apply(&image, 0, nil) == TICKLOG_NULL)
            Self.packet(0, []) {
                #expect(ticklog_image_apply(&image, 0, $0) == TICKLOG_BAD_ARGUMENT)
                #expect(ticklog_image_apply(&image, 65537, $0) == TICKLOG_BAD_ARGUMENT)
            }
        }
    }

    @Test func `DIFFs of any size bring one image to the other`() {
        var random = SeededRandom()
        print("seed \(random.seed)")
        for round in 0..<200 {
            let words = round % 10 == 0 ? 65536 : 1 + random.below(300)
            var sent = (0..<words).map { _ in UInt16(truncatingIfNeeded: random.next()) }
            var now = sent
            for _ in 0..<random.below(2 * words) { now[random.below(words)] = UInt16(random.below(3)) }
            let changed = (0..<words).filter { now[$0] != sent[$0] }.count
            let most = 1 + random.below(random.chance(1, in: 2) ? 5 : 70000)
            var control = [UInt16](repeating: 0, count: most)
            var data = control
            var from: UInt32 = 0
            var all = 0
            while from < UInt32(words) {
                var count: UInt32 = 0
                #expect(ticklog_image_diff(sent, now, UInt32(words), &from, &control, &data, UInt32(most), &count) == TICKLOG_OK)
                #expect(count == most || from == UInt32(words))
                all += Int(count)
                Self.packet(0, (0..<Int(count)).map { (control[$0], data[$0]) }) {
                    #expect(ticklog_image_apply(&sent, UInt32(words), $0) == TICKLOG_OK)
                }
            }
            #expect(all == changed && sent == now)
        }
    }

    @Test func `new words are left out where the image has them`() {
        let image: [UInt16] = [0, 10, 20, 30]
        var control: [UInt16] = [3, 1, 2, 0, 1]
        var data: [UInt16] = [30, 11, 20, 5, 10]
        var changed: UInt32 = 0
        #expect(ticklog_image_changes(image, 4, &control, &data, 5, &changed) == TICKLOG_OK)
        #expect(changed == 2 && control[..<2] == [1, 0] && data[..<2] == [11, 5])
        control[4] = 4
        let before = control
        #expect(ticklog_image_changes(image, 4, &control, &data, 5, &changed) == TICKLOG_NOT_FOUND)
        #expect(control == before)
        var values: [UInt16] = [9, 9, 9]
        #expect(ticklog_image_values(image, 4, [UInt16]([2, 2, 3]), 3, &values) == TICKLOG_OK)
        #expect(values == [20, 20, 30])
        #expect(ticklog_image_values(image, 4, [UInt16]([2, 4, 3]), 3, &values) == TICKLOG_NOT_FOUND)
    }

    // MARK: Records of a log

    @Test func `a record's checksum covers time, size and payload`() {
        let crc = CRC32C()
        for size in [0, 1, 7, 8, 16, 100] {
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 * 3 + 1) }
            let record = payload.withUnsafeBytes { LogRecord(timestamp: 0x0102_0304_0506_0708, payload: $0.baseAddress ?? UnsafeRawPointer(bitPattern: 8)!, size: size, crc) }
            var out = [UInt8](repeating: 0xEE, count: LogRecord.bytes(payload: size) + 1)
            #expect(out.count % 8 == 1 && out.count >= 17 + size && out.count < 25 + size)
            out.withUnsafeMutableBytes { out in payload.withUnsafeBytes { record.store(to: out.baseAddress!, payload: $0.baseAddress ?? UnsafeRawPointer(bitPattern: 8)!) } }
            #expect(Array(out[..<8]) == [8, 7, 6, 5, 4, 3, 2, 1] && Array(out[16..<16 + size]) == payload)
            #expect(out.last == 0xEE && out[(16 + size)..<(out.count - 1)].allSatisfy { $0 == 0 })
            // By its definition: the bytes in file order.
            #expect(record.checksum == crc.of(Array(out[..<12]) + payload, 12 + size))
            for at in 0..<(16 + size) {
                var damaged = out
                damaged[at] ^= 0x10
                damaged.withUnsafeBytes {
                    let found = LogRecord($0.baseAddress!)
                    #expect(Int(found.size) != size || !found.isWhole($0.baseAddress! + 16, crc))
                }
            }
            out.withUnsafeBytes { #expect(LogRecord($0.baseAddress!).isWhole($0.baseAddress! + 16, crc)) }
        }
    }

    @Test func `a log file's header says what it is, or is refused`() throws {
        for kind in [LogFileHeader.Kind.dataPackets, .legacyPackets] {
            var out = [UInt8](repeating: 0, count: 16)
            out.withUnsafeMutableBytes { LogFileHeader(kind).store(to: $0.baseAddress!) }
            #expect(out == Array("TLBMSLOG".utf8) + [1, 0, 0, 0, UInt8(kind.rawValue), 0, 0, 0])
            #expect(try out.withUnsafeBytes { try LogFileHeader(FileBytes($0)).kind } == kind)
            for at in 0..<16 {
                var damaged = out
                damaged[at] ^= 0x40
                #expect(throws: FormatError.self) { try damaged.withUnsafeBytes { _ = try LogFileHeader(FileBytes($0)) } }
            }
            #expect(throws: FormatError.self) { try out[..<15].withUnsafeBytes { _ = try LogFileHeader(FileBytes($0)) } }
        }
    }
}
