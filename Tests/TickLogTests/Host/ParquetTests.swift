import CTickLog
import Foundation
import Testing
import TickLog
@testable import TickLogHost

private func encoded(_ body: (inout ThriftCompact) -> Void) -> [UInt8] {
    var thrift = ThriftCompact()
    body(&thrift)
    return thrift.bytes
}

/// Numbers of a hybrid of runs and packed bits, read from its description.
private func decoded(_ bytes: [UInt8], width: Int) -> [UInt16] {
    var values: [UInt16] = []
    var at = 0
    while at < bytes.count {
        var head = 0
        var shift = 0
        while true {
            head |= Int(bytes[at] & 0x7F) << shift
            shift += 7
            at += 1
            if bytes[at - 1] < 0x80 { break }
        }
        if head & 1 == 0 {
            var value = UInt16(bytes[at])
            if width > 8 { value |= UInt16(bytes[at + 1]) << 8 }
            at += (width + 7) / 8
            values += [UInt16](repeating: value, count: head >> 1)
        } else {
            for i in 0..<(head >> 1) * 8 {
                var value: UInt16 = 0
                for k in 0..<width {
                    let bit = i * width + k
                    value |= UInt16(bytes[at + bit / 8] >> UInt8(bit % 8) & 1) << UInt16(k)
                }
                values.append(value)
            }
            at += (head >> 1) * width
        }
    }
    return values
}

/// A column as a writer holds it.
private func withColumn<Result>(_ type: ValueType, _ cells: [[UInt8]], _ body: (ParquetColumn) throws -> Result) rethrows -> Result {
    var column = ParquetColumn(Column("x", type))
    for cell in cells {
        _ = column.reserve(cell.count, most: Int.max)
        cell.withUnsafeBytes { if $0.count > 0 { (column.memory! + column.used).copyMemory(from: $0.baseAddress!, byteCount: $0.count) } }
        column.used += cell.count
    }
    defer { column.release() }
    return try body(column)
}

private func bytes<Value>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
private func cell(_ text: String) -> [UInt8] { bytes(UInt32(text.utf8.count)) + Array(text.utf8) }

private func statistics(_ type: ValueType, _ cells: [[UInt8]]) -> (least: [UInt8], greatest: [UInt8]?)? {
    withColumn(type, cells) { column in
        // In two parts, as pages are.
        let half = cells.count / 2
        let split = cells[..<half].reduce(0) { $0 + $1.count }
        var all = ParquetStatistics(type)
        all.add(ParquetStatistics(type, column.memory!, half))
        all.add(ParquetStatistics(type, column.memory! + split, cells.count - half))
        return all.isKnown ? (all.leastBytes, all.greatestBytes(isBinary: false)) : nil
    }
}

private var everyType: [Column] { (UInt8(0)..<12).map { Column("c\($0)", ValueType(rawValue: $0)!) } }

/// The legacy packets of a battery monitor.
private var legacy: [Column] { [Column("time", .f64), Column("rack", .i32), Column("offset", .i32), Column("value", .i32)] }

/// A path that is free, in a folder that is gone afterwards.
private final class Place {
    let folder = NSTemporaryDirectory() + "/parquet-" + UUID().uuidString
    var path: String { folder + "/x.parquet" }
    init() { try! FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: folder) }
    var names: [String] { try! FileManager.default.contentsOfDirectory(atPath: folder) }
    var bytes: [UInt8] { [UInt8](FileManager.default.contents(atPath: path)!) }
}

@Suite struct ParquetTests {
    @Test func thriftIsCompact() {
        #expect(encoded { $0.begin(); $0.i32(1, 1); $0.i64(3, 300); $0.end() } == [0x15, 0x02, 0x26, 0xD8, 0x04, 0x00])
        #expect(encoded { $0.begin(); $0.i32(20, -1); $0.bool(21, true); $0.bool(22, false); $0.end() } == [0x05, 0x28, 0x01, 0x11, 0x12, 0x00])
        #expect(encoded { $0.begin(); $0.begin(2); $0.text(1, "é"); $0.end(); $0.i16(3, 2); $0.end() }
            == [0x2C, 0x18, 0x02, 0xC3, 0xA9, 0x00, 0x14, 0x04, 0x00])
        #expect(encoded { $0.begin(); $0.list(1, .i32, 15); $0.end() } == [0x19, 0xF5, 0x0F, 0x00])
        #expect(encoded { $0.begin(); $0.list(1, .yes, 2); $0.element(true); $0.element(false); $0.end() } == [0x19, 0x21, 1, 2, 0])
        #expect(encoded { $0.begin(); $0.byte(1, 64); $0.i64(2, UInt64.max); $0.end() } == [0x13, 64, 0x16, 0x01, 0x00])
    }

    @Test func indicesComeBackFromRunsAndPackedBits() {
        var random = SeededRandom()
        for _ in 0..<500 {
            let width = 1 + random.below(16)
            var values: [UInt16] = []
            for _ in 0..<random.below(40) {
                let value = UInt16(random.below(1 << width))
                // Lengths around the eight that make a run.
                values += [UInt16](repeating: value, count: random.chance(1, in: 2) ? 1 : random.below(30))
            }
            let bound = RunLengthHybrid.bound(values.count, width: width)
            var out = [UInt8](repeating: 0xEE, count: bound + 8)
            let count = out.withUnsafeMutableBytes { RunLengthHybrid.encode(values, values.count, width: width, to: $0.baseAddress!) }
            #expect(count <= bound && out[count...].allSatisfy { $0 == 0xEE }, "seed \(random.seed)")
            let back = decoded(Array(out[..<count]), width: width)
            #expect(Array(back.prefix(values.count)) == values && back.count - values.count < 8, "seed \(random.seed)")
            #expect(back[min(values.count, back.count)...].allSatisfy { $0 == 0 })
        }
        #expect([1, 2, 3, 4, 5, 256, 257, 65535].map { RunLengthHybrid.width($0) } == [1, 1, 2, 2, 3, 8, 9, 16])
    }

    @Test func runsAreRuns() {
        let values = [UInt16](repeating: 5, count: 1_000_000)
        var out = [UInt8](repeating: 0, count: RunLengthHybrid.bound(values.count, width: 3))
        let count = out.withUnsafeMutableBytes { RunLengthHybrid.encode(values, values.count, width: 3, to: $0.baseAddress!) }
        #expect(count == 4)
    }

    @Test func dictionariesHoldEachValueOnce() {
        var random = SeededRandom()
        let dictionary = ParquetDictionary(mostBytes: 1 << 16)
        for type in everyType.map(\.type) where type != .bool {
            for distinct in [1, 2, 200, 3000] {
                var few: [[UInt8]] = []
                for _ in 0..<distinct {
                    few.append(type == .string ? cell("\(random.below(1 << 20))") : (0..<type.size).map { _ in UInt8(random.below(256)) })
                }
                let cells = (0..<20000).map { _ in random.pick(few) }
                withColumn(type, cells) { column in
                    #expect(dictionary.build(column, cells.count), "seed \(random.seed)")
                    #expect(dictionary.count == Set(cells).count)
                    var at = 0
                    var entries: [[UInt8]] = []
                    let page = UnsafeRawPointer(dictionary.page)
                    while at < dictionary.pageBytes {
                        let size = type == .string ? 4 + Int((page + at).loadUnaligned(as: UInt32.self)) : type.parquetBytes
                        entries.append([UInt8](UnsafeRawBufferPointer(start: page + at, count: size)))
                        at += size
                    }
                    #expect(entries.count == dictionary.count)
                    let wide = cells.enumerated().allSatisfy { entries[Int(dictionary.indices![$0.offset])].starts(with: $0.element) }
                    #expect(wide, "seed \(random.seed)")
                }
            }
        }
    }

    @Test func dictionariesAreGivenUp() {
        let dictionary = ParquetDictionary(mostBytes: 1000)
        func isBuilt(_ type: ValueType, _ cells: [[UInt8]]) -> Bool { withColumn(type, cells) { dictionary.build($0, cells.count) } }
        #expect(isBuilt(.u32, (0..<10000).map { bytes(UInt32($0 % 250)) }))
        #expect(!isBuilt(.u32, (0..<10000).map { bytes(UInt32($0 % 251)) }))
        #expect(isBuilt(.f64, (0..<10000).map { bytes(Double($0 % 125)) }))
        #expect(!isBuilt(.f64, (0..<10000).map { bytes(Double($0 % 126)) }))
        #expect(isBuilt(.string, (0..<10000).map { cell("\($0 % 100 + 100000)") }))
        #expect(!isBuilt(.string, (0..<10000).map { cell("\($0 % 101 + 100000)") }))
        #expect(!isBuilt(.u32, (0..<200).map { bytes(UInt32($0)) }))
        #expect(!isBuilt(.bool, [[0], [0], [0], [0]]))
        let large = ParquetDictionary(mostBytes: 1 << 24)
        var random = SeededRandom(7)
        let most = (0..<65535 * 8).map { bytes(UInt32($0 % 65535)) }.shuffled(using: &random)
        #expect(withColumn(.u32, most) { large.build($0, most.count) } && large.count == 65535)
        let more = most + [bytes(UInt32(65535))]
        #expect(!withColumn(.u32, more) { large.build($0, more.count) } && large.count == 65535)
    }

    @Test func statisticsHaveTheOrderOfTheType() throws {
        func check(_ type: ValueType, _ cells: [[UInt8]], _ least: [UInt8], _ greatest: [UInt8]?, _ line: Int = #line) {
            let found = statistics(type, cells)
            #expect(found?.least == least && found?.greatest == greatest, "line \(line)")
        }
        check(.u32, [bytes(UInt32.max), bytes(UInt32(0)), bytes(UInt32(5))], [0, 0, 0, 0], [255, 255, 255, 255])
        check(.i32, [bytes(Int32(-1)), bytes(Int32(0)), bytes(Int32.min)], bytes(Int32.min), bytes(Int32(0)))
        check(.i8, [bytes(Int8(-1)), bytes(Int8(-128))], bytes(Int32(-128)), bytes(Int32(-1)))
        check(.u8, [[255], [128]], bytes(Int32(128)), bytes(Int32(255)))
        check(.i64, [bytes(Int64.max), bytes(Int64.min)], bytes(Int64.min), bytes(Int64.max))
        check(.u64, [bytes(UInt64.max), bytes(UInt64(1))], bytes(UInt64(1)), bytes(UInt64.max))
        check(.bool, [[1], [0]], [0], [1])
        check(.f64, [bytes(0.0), bytes(0.0)], bytes(-0.0), bytes(0.0))
        check(.f32, [bytes(-0.0 as Float), bytes(-1 as Float)], bytes(-1 as Float), bytes(0 as Float))
        check(.f32, [bytes(Float.infinity), bytes(Float.infinity)], bytes(Float.infinity), bytes(Float.infinity))
        check(.f64, [bytes(-Double.infinity), bytes(-Double.infinity)], bytes(-Double.infinity), bytes(-Double.infinity))
        // A NaN at each place of a vector, and in the first or second part.
        for count in [1, 3, 8, 9, 40] {
            for i in 0..<count {
                var doubles = [Double](repeating: 1, count: count)
                doubles[i] = .nan
                #expect(statistics(.f64, doubles.map { bytes($0) }) == nil)
                #expect(statistics(.f32, doubles.map { bytes(Float($0)) }) == nil)
            }
        }
        check(.string, [cell("b"), cell(""), cell("aé")], [], Array("b".utf8))
        check(.string, [cell("a\0"), cell("a")], [0x61], [0x61, 0])
        let long = String(repeating: "x", count: 63)
        check(.string, [cell(long + "yz"), cell(long + "y")], Array((long + "y").utf8), Array((long + "z").utf8))
        // Characters stay whole; what cannot grow is left out.
        check(.string, [cell(long + "éa")], Array(long.utf8), Array((String(long.dropLast()) + "y").utf8))
        let top = String(repeating: "\u{10FFFF}", count: 20)
        check(.string, [cell("a" + top)], Array(("a" + top).utf8.prefix(61)), Array("b".utf8))
        check(.string, [cell(top)], Array(top.utf8.prefix(64)), nil)
    }

    @Test func rowsAndColumnsMakeTheSameFile() throws {
        var random = SeededRandom()
        for round in 0..<12 {
            let rows = [0, 1, 100, 5000][round % 4]
            var options = ParquetOptions()
            options.pageBytes = random.pick([64, 1000, 256 << 10])
            options.rowGroupRows = random.pick([1, 7, 1000, Int.max])
            options.rowGroupBytes = random.pick([4096, 64 << 20])
            options.compression = random.pick([.none, .lz4])
            options.metadata = [("a key", "a value")]
            let columns = round < 6 ? everyType : Array(everyType[..<11])
            var words: [[UInt8]] = []
            for _ in 0..<rows { words.append(Array("\(random.below(50))".utf8)) }
            let bits = columns.map { _ in (0..<rows).map { _ in random.chance(1, in: 3) ? random.next() : UInt64(random.below(3)) } }
            let (one, other) = (Place(), Place())
            let writer = try ParquetWriter(one.path, columns: columns, options: options)
            for row in 0..<rows {
                for (i, column) in columns.enumerated() {
                    if column.type == .string { try words[row].withUnsafeBytes { try writer.set(i, text: $0) } } else { writer.set(i, bits: bits[i][row]) }
                }
                try writer.writeRow()
            }
            #expect(writer.rowCount == UInt64(rows))
            try writer.close()

            let batches = try ParquetWriter(other.path, columns: columns, options: options)
            var done = 0
            while done < rows {
                let count = min(rows - done, 1 + random.below(300))
                var arrays: [UnsafeMutableRawPointer] = []
                let texts = words[done..<done + count].map { word -> UnsafeMutableRawPointer in
                    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(word.count, 1), alignment: 1)
                    word.withUnsafeBytes { if $0.count > 0 { copy.copyMemory(from: $0.baseAddress!, byteCount: $0.count) } }
                    return copy
                }
                for (i, column) in columns.enumerated() {
                    let size = column.type == .string ? 16 : column.type.size
                    let memory = UnsafeMutableRawPointer.allocate(byteCount: count * size, alignment: 16)
                    for k in 0..<count {
                        if column.type == .string {
                            let text = ticklog_text(bytes: UnsafePointer(texts[k].assumingMemoryBound(to: CChar.self)), count: words[done + k].count)
                            (memory + k * 16).storeBytes(of: text, as: ticklog_text.self)
                        } else {
                            var value = column.type == .bool ? (bits[i][done + k] == 0 ? 0 : 1) : bits[i][done + k]
                            (memory + k * size).copyMemory(from: &value, byteCount: size)
                        }
                    }
                    arrays.append(memory)
                }
                try arrays.map { UnsafeRawPointer($0) }.withUnsafeBufferPointer { try batches.append(count, $0) }
                for memory in arrays + texts { memory.deallocate() }
                done += count
            }
            try batches.close()
            #expect(one.bytes == other.bytes, "seed \(random.seed), round \(round)")
            #expect(one.bytes.prefix(4) == [0x50, 0x41, 0x52, 0x31] && one.bytes.suffix(4) == [0x50, 0x41, 0x52, 0x31])
        }
    }

    @Test func rowGroupsAreBounded() throws {
        var options = ParquetOptions()
        options.rowGroupBytes = 1 << 16
        options.compression = .none
        options.dictionaryBytes = 0
        let place = Place()
        let writer = try ParquetWriter(place.path, columns: legacy, options: options)
        for row in 0..<100_000 {
            writer.set(0, bits: Double(row).bitPattern)
            for i in 1..<4 { writer.set(i, bits: UInt64(row * i)) }
            try writer.writeRow()
            // What is not in the file is at most a row group.
            #expect(Int(writer.writtenBytes) > 20 * (row + 1) - (1 << 16))
        }
        try writer.close()
        #expect(place.names == ["x.parquet"])
    }

    @Test func nothingIsLeftOfAFileThatIsGivenUp() throws {
        let place = Place()
        do {
            let writer = try ParquetWriter(place.path, columns: legacy)
            try writer.writeRow()
            #expect(place.names.count == 1 && place.names != ["x.parquet"])
            writer.abandon()
            #expect(place.names.isEmpty)
        }
        do { _ = try ParquetWriter(place.path, columns: legacy) }
        #expect(place.names.isEmpty)
        let writer = try ParquetWriter(place.path, columns: legacy)
        try writer.close()
        try writer.close()
        #expect(throws: Fault.self) { try ParquetWriter(place.path, columns: legacy) }
        let empty = place.bytes
        let second = try ParquetWriter(place.path, columns: legacy, replacing: true)
        try second.writeRow()
        #expect(place.bytes == empty)
        try second.close()
        #expect(place.bytes != empty && place.names == ["x.parquet"])
    }

    @Test func whatIsNoTextIsRefused() throws {
        let place = Place()
        let writer = try ParquetWriter(place.path, columns: [Column("n", .u8), Column("s", .string)])
        try writer.writeRow()
        do {
            try [UInt8]([0x61, 0xFF]).withUnsafeBytes { try writer.set(1, text: $0) }
            Issue.record("bytes were taken for text")
        } catch {
            let fault = error as! Fault
            #expect(fault.kind == .damaged && fault.text.hasPrefix("row 1, column 's': found bytes that are no UTF-8"))
        }
        try writer.writeRow()
        try writer.close()
        #expect(throws: Fault.self) { try ParquetWriter(place.path + "2", columns: []) }
        var options = ParquetOptions()
        options.pageBytes = 1
        #expect(throws: Fault.self) { try ParquetWriter(place.path + "2", columns: legacy, options: options) }
        #expect(place.names == ["x.parquet"])
    }
}
