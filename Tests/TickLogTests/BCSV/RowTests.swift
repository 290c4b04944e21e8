import CTickLog
import Foundation
import Testing
import TickLogHost

/// A random structure: where its values lie, and what a row of its columns looks like.
final class RandomStream {
    struct Member {
        var name: String?
        var type: UInt8
        var count: Int
        /// Of a string.
        var capacity: Int
        var offset: Int
        var width: Int { type == NaiveBCSV.Column.string ? capacity : NaiveBCSV.Column.widths[Int(type)] }
    }

    let name: String
    let members: [Member]
    let size: Int
    let source: UnsafeMutableRawPointer
    /// Ticks.
    let interval: UInt64
    let phase: UInt64
    /// Not 0: the guard refuses.
    let refusal: UnsafeMutablePointer<Int32>?
    var held: [NaiveBCSV.Cell]

    init(_ name: String, _ recorder: Recorder, _ random: inout SeededRandom, isPolled: Bool) {
        self.name = name
        var members: [Member] = []
        var end = 0
        let isSingle = random.chance(1, in: 4)
        // Packed structures have no holes; in padded ones members lie where they lie, after one another.
        let isPadded = random.chance(1, in: 2)
        for i in 0..<(isSingle ? 1 : 1 + random.below(12)) {
            let type = UInt8(random.chance(1, in: 4) ? 9 : random.below(12))
            // Long arrays of one type, as a row of sensors has them.
            let count = isSingle ? 1 : random.chance(1, in: 4) ? 2 + random.below(40) : 1
            let capacity = type == 11 ? 1 + random.below(12) : 0
            if isPadded, !isSingle { end += random.below(8) }
            let member = Member(name: isSingle ? nil : "m\(i)", type: type, count: type == 11 ? min(count, 4) : count, capacity: capacity, offset: end)
            end += member.count * member.width
            members.append(member)
        }
        if isPadded, !isSingle { end += random.below(4) }
        // Columns may be listed in another order than they lie.
        if random.chance(1, in: 4) { members.shuffle(using: &random) }
        self.members = members
        size = end
        source = recorder.allocate(end + 1) + (random.chance(1, in: 3) ? 1 : 0)
        interval = isPolled ? random.pick([0, 1, 1, 2, 3, 5]) : 0
        phase = interval == 0 ? 0 : UInt64(random.below(8))
        refusal = isPolled && random.chance(1, in: 4) ? recorder.allocate(4).bindMemory(to: Int32.self, capacity: 1) : nil
        held = []
        for member in members {
            for _ in 0..<member.count { held.append([UInt8](repeating: 0, count: member.type == 11 ? 0 : member.width)) }
        }
    }

    func add(to recorder: Recorder, _ kind: UInt32) throws -> OpaquePointer {
        try recorder.add(name, kind, type: UInt32(members[0].type), source: kind == TICKLOG_EMIT ? nil : source) { config in
            config.source_size = UInt32(size)
            config.interval_ns = interval * 1_000_000
            config.phase_ns = phase * 1_000_000
            if members[0].name != nil {
                let fields = members.map {
                    recorder.field($0.name!, UInt32($0.type), at: $0.offset, count: $0.count, size: $0.capacity)
                }
                config.field_count = UInt32(fields.count)
                config.fields = recorder.fields(fields)
            }
            if let refusal {
                config.lock_context = UnsafeMutableRawPointer(refusal)
                config.try_lock = { $0!.load(as: Int32.self) }
                config.unlock = { _ in }
            }
        }
    }

    var columns: [NaiveBCSV.Column] {
        members.flatMap { member in
            (0..<member.count).map { i in
                let column = member.name.map { "\(name).\($0)" } ?? name
                return NaiveBCSV.Column(name: member.count > 1 ? "\(column)[\(i)]" : column, type: member.type)
            }
        }
    }

    func isDue(_ tick: UInt64) -> Bool { interval < 2 || (tick + phase) % interval == 0 }

    /// Changes nothing, a little or all of the source.
    func change(_ random: inout SeededRandom) {
        switch random.below(4) {
        case 0: return
        case 1...2: for _ in 0..<1 + random.below(3) { source.storeBytes(of: UInt8(truncatingIfNeeded: random.next()), toByteOffset: random.below(size), as: UInt8.self) }
        default: for i in 0..<size { source.storeBytes(of: UInt8(truncatingIfNeeded: random.next() & (random.chance(1, in: 3) ? 0 : 0xFF)), toByteOffset: i, as: UInt8.self) }
        }
    }

    /// Takes the source over as what the columns hold.
    func hold() {
        held = members.flatMap { member in
            (0..<member.count).map { i in
                let bytes = Array(UnsafeRawBufferPointer(start: source + member.offset + i * member.width, count: member.width))
                switch member.type {
                case 0: return [bytes[0] == 0 ? 0 : 1]
                case 11: return Array(bytes.prefix { $0 != 0 })
                default: return bytes
                }
            }
        }
    }
}

@Suite struct RowTests {
    static func tick(_ tick: UInt64) -> NaiveBCSV.Cell { NaiveBCSV.little(tick) }

    /// Where two files differ first.
    static func difference(_ a: [UInt8], _ b: [UInt8]) -> String? {
        if a == b { return nil }
        let at = zip(a, b).enumerated().first { $1.0 != $1.1 }?.offset ?? min(a.count, b.count)
        return "\(a.count) bytes, expected \(b.count), different from \(at): \(a.dropFirst(at).prefix(16)), expected \(b.dropFirst(at).prefix(16))"
    }

    /// What a table reads, as the naive writer would have put it.
    static func rows(_ files: [[UInt8]]) throws -> [[NaiveBCSV.Cell]] {
        let table = BCSVTable(try files.map { try BCSVFile(MappedFile($0, named: "file")) })
        var rows: [[NaiveBCSV.Cell]] = []
        while table.next() {
            rows.append((0..<table.columns.count).map { i in
                let column = NaiveBCSV.Column(name: "", type: table.columns[i].type.rawValue)
                return column.isString ? Array(table.text(i)) : Array(NaiveBCSV.little(table.bits(i)).prefix(NaiveBCSV.Column.widths[Int(column.type)]))
            })
        }
        #expect(table.faults.isEmpty)
        return rows
    }

    @Test(arguments: [TICKLOG_ZOH, TICKLOG_FLAT, TICKLOG_DELTA], [TICKLOG_PACKET, TICKLOG_PACKET_LZ4, TICKLOG_BATCH])
    func `polled rows are what the format's tables say, for any structures, schedules and guards`(_ rowCodec: UInt32, _ fileCodec: UInt32) throws {
        var random = SeededRandom()
        // The naive delta encoder starts from the packet's first row each time.
        for round in 0..<(rowCodec == TICKLOG_DELTA ? 6 : 20) {
            let recorder = try Recorder()
            var streams = (0..<1 + random.below(4)).map { RandomStream("s\($0)", recorder, &random, isPolled: true) }
            // Half of the time all of them at every tick: rows then are encoded in one go.
            if random.chance(1, in: 2) { streams = streams.filter { $0.interval < 2 && $0.refusal == nil } }
            for stream in streams { _ = try stream.add(to: recorder, TICKLOG_POLL) }
            // A file has a column at least.
            let hasTicks = streams.isEmpty || random.chance(1, in: 2)
            let isNew = rowCodec == TICKLOG_DELTA || fileCodec == TICKLOG_BATCH
            let version = isNew ? TICKLOG_BCSV_1_5 : random.pick([TICKLOG_BCSV_1_3, TICKLOG_BCSV_1_5])
            let level = UInt8(1 + random.below(9))
            let packetBytes = random.pick([512, 4096, 65536])
            let indexEntries = random.pick([2, 3, 16, 256])
            let isTight = random.chance(1, in: 2)
            let run = try recorder.start("run") {
                $0.row_codec = UInt8(rowCodec)
                $0.file_codec = UInt8(fileCodec)
                $0.level = level
                $0.bcsv_version = UInt8(version)
                $0.packet_bytes = UInt32(packetBytes)
                $0.no_tick_column = hasTicks ? 0 : 1
                // In the least ring a row's bytes are written over soon after it was taken.
                $0.ring_bytes = isTight ? 1 : 1 << 18
                $0.allow_wide = 1
                $0.epoch_ns = 1_763_485_651_999_999_999
                $0.flush_ms = .max
                $0.index_entries = UInt32(indexEntries)
            }
            var rows: [[NaiveBCSV.Cell]] = []
            var tick: UInt64 = 0
            func appendRow(_ tick: UInt64) { rows.append((hasTicks ? [Self.tick(tick)] : []) + streams.flatMap(\.held)) }
            for _ in 0..<150 {
                for stream in streams {
                    stream.change(&random)
                    stream.refusal?.pointee = random.chance(1, in: 4) ? 1 : 0
                }
                let elapsed = random.chance(1, in: 12) ? 2 + random.below(6) : 1
                #expect(ticklog_tick(run, UInt32(elapsed)) == TICKLOG_OK)
                for late in tick..<tick + UInt64(elapsed) - 1 where !hasTicks && streams.contains(where: { $0.isDue(late) }) {
                    // Rows are counted: the row before stands in for a lost one.
                    appendRow(late)
                }
                tick += UInt64(elapsed)
                let due = streams.filter { $0.isDue(tick - 1) }
                for stream in due where stream.refusal?.pointee ?? 0 == 0 { stream.hold() }
                if !due.isEmpty { appendRow(tick - 1) }
                if isTight || random.chance(1, in: 3) { #expect(ticklog_service(run) == TICKLOG_OK) }
            }
            #expect(recorder.stop(run) == TICKLOG_OK)
            let naive = NaiveBCSV(
                columns: (hasTicks ? [NaiveBCSV.Column(name: "tick", type: 4)] : []) + streams.flatMap(\.columns),
                isFlat: rowCodec == TICKLOG_FLAT, packetLimit: packetBytes, minor: version == TICKLOG_BCSV_1_5 ? 5 : 3,
                epochSeconds: 1_763_485_651, indexLimit: indexEntries, isDelta: rowCodec == TICKLOG_DELTA, fileCodec: fileCodec,
                level: fileCodec == TICKLOG_PACKET ? 0 : level)
            let bytes = try recorder.bytes("run", "polled.bcsv")
            let about = "seed \(random.seed), round \(round)"
            if let wrong = try TableTests.check(bytes, rows, naive) {
                Issue.record("\(about), ticks \(hasTicks): \(wrong)")
                return
            }
            let read = try Self.rows([bytes])
            if read != rows {
                let at = zip(read, rows).enumerated().first { $1.0 != $1.1 }?.offset ?? min(read.count, rows.count)
                Issue.record("\(about), ticks \(hasTicks): row \(at) of \(read.count), expected \(rows.count)")
                return
            }
        }
    }

    @Test func `event rows are what the format's tables say, for any structures`() throws {
        var random = SeededRandom()
        for round in 0..<20 {
            let recorder = try Recorder()
            let streams = (0..<1 + random.below(5)).map { RandomStream("s\($0)", recorder, &random, isPolled: false) }
            let handles = try streams.map { try $0.add(to: recorder, TICKLOG_EMIT) }
            let packetBytes = random.pick([512, 4096])
            let codec = random.pick([TICKLOG_PACKET, TICKLOG_PACKET_LZ4, TICKLOG_BATCH])
            let run = try recorder.start("run") {
                $0.event_codec = UInt8(codec)
                $0.packet_bytes = UInt32(packetBytes)
                $0.flush_ms = .max
                $0.index_entries = 4096
                $0.ring_bytes = 1 << 18
            }
            let names = ["clock.epoch_ns", "clock.uncertainty_ns", "clock.source", "note.level", "note.text", "loss.stream",
                "loss.reason", "loss.first_tick", "loss.last_tick", "loss.samples"]
            let types: [UInt8] = [8, 3, 1, 1, 11, 2, 1, 4, 4, 3]
            var builtin = types.map { [UInt8](repeating: 0, count: $0 == 11 ? 0 : NaiveBCSV.Column.widths[Int($0)]) }
            var rows: [[NaiveBCSV.Cell]] = []
            var tick: UInt64 = 0
            func appendRow(_ name: String, _ tick: UInt64) {
                rows.append([Self.tick(tick), Array(name.utf8)] + streams.flatMap(\.held) + builtin)
            }
            for _ in 0..<200 {
                switch random.below(12) {
                case 0...3:
                    #expect(ticklog_tick(run, 1) == TICKLOG_OK)
                    tick += 1
                case 4:
                    let epoch = Int64(bitPattern: random.next())
                    let at = tick == 0 ? 0 : UInt64(random.below(Int(tick)))
                    #expect(ticklog_set_time(run, at, epoch, 77, 2) == TICKLOG_OK)
                    builtin[0] = NaiveBCSV.little(epoch)
                    builtin[1] = NaiveBCSV.little(UInt32(77))
                    builtin[2] = [2]
                    appendRow("ticklog.clock", at)
                case 5:
                    let text = String(repeating: "x", count: random.below(121))
                    #expect(ticklog_note(run, 9, text) == TICKLOG_OK)
                    builtin[3] = [9]
                    builtin[4] = Array(text.utf8)
                    appendRow("ticklog.note", tick == 0 ? 0 : tick - 1)
                default:
                    let i = random.below(streams.count)
                    streams[i].change(&random)
                    streams[i].hold()
                    #expect(ticklog_emit(handles[i], streams[i].source, streams[i].size) == TICKLOG_OK)
                    appendRow(streams[i].name, tick == 0 ? 0 : tick - 1)
                }
                #expect(ticklog_service(run) == TICKLOG_OK)
            }
            #expect(recorder.stop(run) == TICKLOG_OK)
            var columns = [NaiveBCSV.Column(name: "tick", type: 4), NaiveBCSV.Column(name: "stream", type: 11)]
            columns += streams.flatMap(\.columns)
            for i in 0..<names.count { columns.append(NaiveBCSV.Column(name: "ticklog." + names[i], type: types[i])) }
            let naive = NaiveBCSV(columns: columns, isFlat: false, packetLimit: packetBytes, minor: 5, epochSeconds: 0,
                indexLimit: 64, fileCodec: codec, level: codec == TICKLOG_PACKET ? 0 : 1)
            if let wrong = try TableTests.check(try recorder.bytes("run", "event.bcsv"), rows, naive) {
                Issue.record("seed \(random.seed), round \(round): \(wrong)")
                return
            }
        }
    }
}
