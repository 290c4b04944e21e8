import CTickLog
import Foundation
import Testing
import TickLog
@testable import TickLogHost

/// A CSV text as it is read: columns, rows, and what is wrong with it.
private struct Read: Equatable {
    var names: [String] = []
    var types: [ValueType] = []
    /// Row by row; of a string its bytes, otherwise the bits.
    var rows: [[Cell]] = []
    var faults: [String] = []
    var hasOtherTypes = false
    var hasHeader = true

    enum Cell: Equatable {
        case bits(UInt64)
        case text([UInt8])
    }

    init(_ csv: [UInt8], _ options: TextOptions = TextOptions()) {
        do throws(Fault) {
            let file = try CSVFile(MappedFile(csv, named: "test.csv"), options)
            names = file.columns.map { $0.name }
            types = file.columns.map { $0.type }
            hasHeader = file.hasHeader
            let table = CSVTable(file)
            while table.next() {
                rows.append((0..<types.count).map { types[$0] == .string ? .text([UInt8](table.text($0))) : .bits(table.bits($0)) })
            }
            faults = table.faults.map { $0.text }
            hasOtherTypes = table.hasOtherTypes
        } catch {
            faults = [error.text]
        }
    }

    init(_ csv: String, _ options: TextOptions = TextOptions()) { self.init([UInt8](csv.utf8), options) }

    var texts: [[String]] {
        rows.map { $0.map { if case .text(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { "?" } } }
    }

    func bits(_ column: Int) -> [UInt64] {
        rows.map { if case .bits(let bits) = $0[column] { bits } else { UInt64.max } }
    }
}

/// What `ticklog convert` writes of a CSV text as CSV.
private func written(_ csv: [UInt8], _ options: TextOptions = TextOptions()) throws -> [UInt8] {
    let path = NSTemporaryDirectory() + "/csv-" + UUID().uuidString
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    defer {
        _ = close(descriptor)
        _ = unlink(path)
    }
    let table = CSVTable(try CSVFile(MappedFile(csv, named: "test.csv"), options))
    let output = Output(descriptor: descriptor, path: path)
    let text = CSVRowText(output, table.columns.enumerated().map { ($0.offset, $0.element.type) }, delimiter: 0x2C)
    while table.next() { text.write(try #require(table.parts)) }
    try output.flush()
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

@Suite struct CSVTests {
    // MARK: Types and values

    /// The cells of a column, the type that it becomes, and the bits of its values (of strings, none); and how they are
    /// written, if that is another text.
    static let columns: [(cells: [String], type: ValueType, bits: [UInt64], written: [String]?)] = [
        (["true", "false"], .bool, [1, 0], nil),
        (["true", "True"], .string, [], nil),
        (["true", "1"], .string, [], nil),
        (["0", "9", "10", "99", "100", "255"], .u8, [0, 9, 10, 99, 100, 255], nil),
        (["256", "65535"], .u16, [256, 65535], nil),
        (["65536", "4294967295"], .u32, [65536, 4_294_967_295], nil),
        (["12345678", "123456789", "99999999"], .u32, [12_345_678, 123_456_789, 99_999_999], nil),
        (["4294967296", "18446744073709551615"], .u64, [4_294_967_296, .max], nil),
        (["9999999999999999999", "1234567890123456"], .u64, [9_999_999_999_999_999_999, 1_234_567_890_123_456], nil),
        (["-1", "127", "-128", "0"], .i8, [0xFF, 0x7F, 0x80, 0], nil),
        (["-1", "128"], .i16, [0xFFFF, 128], nil),
        (["-129", "32767", "-32768"], .i16, [0xFF7F, 0x7FFF, 0x8000], nil),
        (["-32769", "2147483647", "-2147483648"], .i32, [0xFFFF_7FFF, 0x7FFF_FFFF, 0x8000_0000], nil),
        (["-1", "2147483648"], .i64, [.max, 0x8000_0000], nil),
        (["-9223372036854775808", "9223372036854775807"], .i64, [1 << 63, .max >> 1], nil),
        (["-1", "9223372036854775808"], .f64, [0xBFF0_0000_0000_0000, 0x43E0_0000_0000_0000], ["-1.0", "9.223372036854776e+18"]),
        (["-9223372036854775809"], .string, [], nil),
        (["18446744073709551616"], .f64, [0x43F0_0000_0000_0000], ["1.8446744073709552e+19"]),
        (["18446744073709551617"], .string, [], nil),
        (["007"], .string, [], nil),
        (["00"], .string, [], nil),
        (["+5"], .string, [], nil),
        (["5 "], .string, [], nil),
        (["0x10"], .string, [], nil),
        (["-"], .string, [], nil),
        (["."], .string, [], nil),
        (["1e"], .string, [], nil),
        (["1-2"], .string, [], nil),
        (["1:", "2/"], .string, [], nil),
        (["-0"], .f32, [0x8000_0000], ["-0.0"]),
        (["0.0", "-0.0"], .f32, [0, 0x8000_0000], nil),
        (["0.5", "1"], .f32, [0x3F00_0000, 0x3F80_0000], ["0.5", "1.0"]),
        (["0.5", "16777216"], .f32, [0x3F00_0000, 0x4B80_0000], ["0.5", "16777216.0"]),
        (["0.5", "16777217"], .f64, [0x3FE0_0000_0000_0000, 0x4170_0000_1000_0000], ["0.5", "16777217.0"]),
        (["0.5", "9007199254740993"], .string, [], nil),
        (["0.1", "3.1415927", "123456.78"], .f32, [0x3DCC_CCCD, 0x4049_0FDB, 0x47F1_2064], nil),
        (["1.5000", "100.0", "1000000.0", "8388608.5"], .f64,
            [0x3FF8_0000_0000_0000, 0x4059_0000_0000_0000, 0x412E_8480_0000_0000, 0x4160_0000_1000_0000],
            ["1.5", "100.0", "1000000.0", "8388608.5"]),
        (["0.001", "0.0001", "0.00001234"], .f32, [0x3A83_126F, 0x38D1_B717, 0x374F_07E5], ["0.001", "0.0001", "1.234e-05"]),
        (["3.14159265"], .f64, [0x4009_21FB_53C8_D4F1], nil),
        (["0.30000000000000004", "0.1"], .f64, [0x3FD3_3333_3333_3334, 0x3FB9_9999_9999_999A], nil),
        (["0.10000000000000001"], .f64, [0x3FB9_9999_9999_999A], ["0.1"]),
        (["0.1234567890123456789"], .string, [], nil),
        ([".5", "5."], .f32, [0x3F00_0000, 0x40A0_0000], ["0.5", "5.0"]),
        (["1E5", "1e-45"], .f32, [0x47C3_5000, 1], ["100000.0", "1e-45"]),
        (["5e-324", "1.7976931348623157e+308"], .f64, [1, 0x7FEF_FFFF_FFFF_FFFF], nil),
        (["1e400"], .string, [], nil),
        (["1e-400"], .string, [], nil),
        (["1.0", "nan", "-inf", "inf"], .f32, [0x3F80_0000, 0x7FC0_0000, 0xFF80_0000, 0x7F80_0000], nil),
        (["1.0", "NaN", "Infinity"], .f32, [0x3F80_0000, 0x7FC0_0000, 0x7F80_0000], ["1.0", "nan", "inf"]),
        (["nan"], .f32, [0x7FC0_0000], nil),
        (["NaN"], .string, [], nil),
        (["1", ""], .string, [], nil),
        (["", ""], .string, [], nil),
        (["1", "abc"], .string, [], nil),
    ]

    /// Each column many times over, so that rows are read in one pass, with all of its rows as the sample and with few.
    @Test(arguments: 0..<columns.count)
    func `a column gets its type and bits, and is written as it was`(_ index: Int) throws {
        let (cells, type, bits, text) = CSVTests.columns[index]
        let times = 40
        let all = Array(repeating: cells, count: times).joined()
        // A second column, so that an empty cell is no empty line.
        let csv = "x,n\n" + all.map { $0 + ",word\n" }.joined()
        for sampled in [nil, UInt64(cells.count)] {
            var options = TextOptions()
            options.header = true
            if let sampled {
                options.samples = true
                options.sampledRows = sampled
            }
            let read = Read(csv, options)
            #expect(read.faults.isEmpty && !read.hasOtherTypes)
            #expect(read.types == [type, .string])
            if type == .string {
                #expect(read.texts.map { $0[0] } == Array(all))
            } else {
                #expect(read.bits(0) == Array(repeating: bits, count: times).joined().map { $0 })
            }
            let expected = Array(repeating: text ?? cells, count: times).joined().map { $0 + ",word\n" }.joined()
            #expect(String(decoding: try written([UInt8](csv.utf8), options), as: UTF8.self) == expected)
        }
    }

    /// The first rows' column, a later cell, and whether its type stays.
    @Test(arguments: [
        ("7", "255", true), ("7", "256", false), ("7", "-1", false), ("7", "1.0", false), ("7", "", false), ("7", "x", false),
        ("7", "07", false), ("7", "\"7\"", true), ("-7", "-128", true), ("-7", "-129", false), ("-7", "-0", false),
        ("true", "false", true), ("true", "falsey", false), ("true", "1", false),
        ("0.5", "16777216", true), ("0.5", "16777217", false), ("0.5", "33554432", false), ("0.5", "0.1", true),
        ("0.5", "0.100000001", false), ("0.5", "3.1415927", true), ("0.5", "3.14159265", false), ("0.5", "nan", true),
        ("0.5", "1e5", true), ("0.5", "1e39", false), ("0.5", "00.5", false), ("0.5", "0,5", false),
        ("0.123456789", "9007199254740993", false), ("0.123456789", "0.30000000000000004", true),
        ("0.123456789", "0.1234567890123456789", false), ("0.123456789", "1e400", false),
        ("word", "7", true), ("", "word", true),
    ] as [(String, String, Bool)])
    func `a later cell confirms the type of the first rows or not`(_ first: String, _ later: String, _ stays: Bool) {
        var options = TextOptions()
        options.header = true
        options.samples = true
        options.sampledRows = 5
        options.delimiter = 0x3B
        options.decimalComma = false
        func rows(_ cell: String, _ count: Int) -> String { String(repeating: cell + ";word\n", count: count) }
        // In the middle, where records are read in one pass, and at the end, where they are not.
        for behind in [30, 0] {
            let read = Read("x;n\n" + rows(first, 30) + rows(later, 1) + rows(first, behind), options)
            #expect(read.hasOtherTypes == !stays)
            #expect(read.faults.isEmpty)
            if stays { #expect(read.rows.count == 31 + behind) }
        }
    }

    // MARK: Records

    static let records: [(csv: String, rows: [[String]])] = [
        ("a,b\nx,y\n", [["x", "y"]]),
        ("a,b\r\nx,y\r\n", [["x", "y"]]),
        ("a,b\rx,y\rz,w", [["x", "y"], ["z", "w"]]),
        ("a,b\nx,y", [["x", "y"]]),
        ("\u{FEFF}a,b\nx,y\n", [["x", "y"]]),
        ("a,b\n\nx,y\n\n\r\nz,w\n\n", [["x", "y"], ["z", "w"]]),
        ("a,b\n\"x\",\"y\"\n", [["x", "y"]]),
        ("a,b\n\"x,x\",\"y\ny\"\n", [["x,x", "y\ny"]]),
        ("a,b\n\"x\r\nx\",y\nz,w\n", [["x\r\nx", "y"], ["z", "w"]]),
        ("a,b\n\"say \"\"x\"\"\",\"\"\"\"\nz,w\n", [["say \"x\"", "\""], ["z", "w"]]),
        ("a,b\nx\"x,y\"\n", [["x\"x", "y\""]]),
        ("a,b\n\"\",y\n,w\n", [["", "y"], ["", "w"]]),
        ("a,b\n x , y \n", [[" x ", " y "]]),
        ("a,b\nx\u{0},\u{7F}\n", [["x\u{0}", "\u{7F}"]]),
        ("a,b\nµ,日本\n", [["µ", "日本"]]),
        ("a\nx\n\ny\n", [["x"], [""], ["y"]]),
    ]

    @Test(arguments: 0..<records.count)
    func `records are split as RFC 4180 says, and read again as they are written`(_ index: Int) throws {
        let (csv, rows) = CSVTests.records[index]
        var options = TextOptions()
        options.header = true
        options.delimiter = 0x2C
        let read = Read(csv, options)
        #expect(read.faults.isEmpty)
        #expect(read.texts == rows)
        // The same with as much behind as one pass needs.
        let width = rows[0].count
        let filler = Array(repeating: Array(repeating: "filler", count: width), count: 20)
        let long = csv + (csv.utf8.last == 0x0A ? "" : "\n") + filler.map { $0.joined(separator: ",") + "\n" }.joined()
        #expect(Read(long, options).texts == rows + filler)
        let again = try [UInt8]((width == 1 ? "h\n" : "h,h\n").utf8) + written([UInt8](csv.utf8), options)
        #expect(Read(again, options).texts == rows)
    }

    @Test func `cells are quoted if they have to be, wherever the reason is in them`() throws {
        var options = TextOptions()
        options.header = true
        options.types = [("a", .string)]
        for length in 1...40 {
            for place in 0..<length {
                for special: UInt8 in [0x2C, 0x0A, 0x0D, 0x22, 0x3B, 0xEF, 0x2D, 0x0B, 0xAC] {
                    var cell = [UInt8](repeating: 0x78, count: length)
                    cell[place] = special
                    let quote = [0x2C, 0x0A, 0x0D, 0x22].contains(special) || special == 0xEF && place == 0
                    if special == 0x22 { cell.insert(special, at: place) }
                    let quoted = [0x22] + cell + [0x22]
                    let csv = [UInt8]("a,b\n".utf8) + quoted + [UInt8](",word\n".utf8)
                    let expected = (quote ? quoted : cell) + [UInt8](",word\n".utf8)
                    #expect(try written(csv, options) == expected, "\(special) at \(place) of \(length)")
                }
            }
        }
    }

    @Test func `bytes that are no text stay as they are`() throws {
        var options = TextOptions()
        options.header = true
        let special: Set<UInt8> = [0x22, 0x0A, 0x0D, 0x2C]
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF, 0x78]
        let hostile = [UInt8](0...255).filter { !special.contains($0) } + mark
        var row = hostile
        row += [0x2C]
        row += mark
        row += [0x0A]
        let header = [UInt8]("a,b\n".utf8)
        var csv = header
        for _ in 0..<30 { csv += row }
        let read = Read(csv, options)
        #expect(read.rows.count == 30)
        for row in read.rows { #expect(row == [.text(hostile), .text(mark)]) }
        let again = try header + written(csv, options)
        #expect(Read(again, options) == read)
    }

    @Test(arguments: [
        ("a,b\nx,\"y\n", "line 2: found the end of the file in a quoted cell"),
        ("a,b\nx,y\n\"x\ny\"z,w\n", "line 4: found the byte 0x7a behind a closing quote"),
        ("a,b\nx,y\nx\n", "line 3: found 1 cells, expected 2"),
        ("a,b\nx,y\nx,y,z\n", "line 3: found 3 cells, expected 2"),
        ("a,b\n\"x\n\",y\nx\n", "line 4: found 1 cells, expected 2"),
    ])
    func `what is no CSV is an error with its line`(_ csv: String, _ expected: String) {
        var options = TextOptions()
        options.header = true
        options.delimiter = 0x2C
        // Alone, and behind rows that were read in one pass, when their types are taken from the first.
        let alone = Read(csv, options)
        #expect(alone.faults.count == 1 && alone.faults.first?.contains(expected) == true, "\(alone.faults)")
        options.samples = true
        options.sampledRows = 1
        let more = csv.replacingOccurrences(of: "a,b\n", with: "a,b\n" + String(repeating: "long enough,word\n", count: 40))
        let behind = Read(more, options)
        let line = Int(expected.dropFirst(5).prefix(1))! + 40
        let moved = "line \(line)" + expected.dropFirst(6)
        #expect(behind.rows.count >= 40)
        #expect(behind.faults.count == 1 && behind.faults.first?.contains(moved) == true, "\(behind.faults)")
    }

    @Test func `ragged rows are padded or left out`() {
        let csv = "a,b\n" + String(repeating: "1,2\n", count: 30) + "3\n4,5,6\n" + String(repeating: "7,8\n", count: 30)
        var options = TextOptions()
        options.header = true
        options.ragged = .skipped
        let skipped = Read(csv, options)
        #expect(skipped.faults.isEmpty && skipped.types == [.u8, .u8])
        #expect(skipped.bits(1) == Array(repeating: 2, count: 30) + Array(repeating: 8, count: 30))
        options.ragged = .padded
        let padded = Read(csv, options)
        #expect(padded.faults.isEmpty && padded.names == ["a", "b", "Column_2"] && padded.types == [.u8, .string, .string])
        #expect(padded.bits(0) == Array(repeating: 1, count: 30) + [3, 4] + Array(repeating: 7, count: 30))
        #expect(padded.texts[30] == ["?", "", ""] && padded.texts[31] == ["?", "5", "6"])
        options.empty = .nan
        #expect(Read(csv, options).types == [.u8, .f32, .f32])
    }

    // MARK: Dialect

    @Test(arguments: [
        ("a,b\n1,2\n", 0x2C, false, true), ("a;b\n1;2\n", 0x3B, false, true), ("a\tb\n1\t2\n", 0x09, false, true),
        ("a|b\n1|2\n", 0x7C, false, true), ("a;b\n1,5;2,25\n", 0x3B, true, true), ("a;b\n1,5;2.5\n", 0x3B, false, true),
        ("a;b\n1,234;5,678\n", 0x3B, false, true), ("a;b\n1,234;5,67\n", 0x3B, true, true), ("1,2\n3,4\n", 0x2C, false, false),
        ("x,y\nz,w\n", 0x2C, false, true), ("x,1\ny,2\n", 0x2C, false, false),
        ("a;b,c\n1;2,c\n3;4,c\n", 0x2C, false, true), ("\"a;b\",c\n\"d;e\",f\n", 0x2C, false, true), ("a\n1\n", 0x2C, false, true),
    ] as [(String, UInt8, Bool, Bool)])
    func `the dialect is found out`(_ csv: String, _ delimiter: UInt8, _ decimalComma: Bool, _ hasHeader: Bool) {
        let file = MappedFile([UInt8](csv.utf8), named: "test.csv")
        let dialect = CSVDialect(file.bytes, from: 0, TextOptions())
        withExtendedLifetime(file) {}
        #expect(dialect.delimiter == delimiter && dialect.decimalComma == decimalComma && dialect.hasHeader == hasHeader)
    }

    // MARK: Numbers

    /// Reads texts as a column of a type that is given.
    private func bits(_ texts: [String], _ type: ValueType) -> [UInt64] {
        var options = TextOptions()
        options.header = true
        options.types = [("x", type)]
        let read = Read("x,n\n" + texts.map { $0 + ",word\n" }.joined() + String(repeating: "0,word\n", count: 20), options)
        #expect(read.faults.isEmpty, "\(read.faults)")
        return Array(read.bits(0).prefix(texts.count))
    }

    /// Middles of two floats and what is next to them, ends of the ranges, digits that fill 64 bits.
    static let hard: [String] = [
        "0.1", "9007199254740993", "9007199254740992.999999999999999", "9007199254740993.000000000000001", "16777217.0",
        "16777216.999999999", "16777217.000000001", "1.00000005960464477539062", "1.0000000596046448", "1.00000005960464478",
        "1.000000059604644775390625", "1.00000017881393432617187499", "1.00000017881393432617187500", "4.35", "0.000001",
        "8.589973e9", "7.0060e-45", "2.2250738585072011e-308", "2.2250738585072014e-308", "4.9e-324", "3.4028234e38",
        "1.7976931348623157e308", "1234567890123456789", "9999999999999999999", "0.9999999999999999999", "123456789.0123456789",
        "99999999.99999999", "12345678.12345678", "0.00000000000000000001", "179769313486231570000.5", "5e-1", "1e22", "1e23",
        "8.41921346", "0.84192133", "33554431.0", "0.3000000119209289550781", "2.00000011920928955078125", "0.500000029802322387695312500",
        // A float64 that is the middle of two float32 and not the number itself: rounding twice is wrong.
        "0.1339716538786888", "1.989766776561737", "8.458566188812255",
        "0.2455003485083580", "83.29796981811523", "0.2024175152182579",
    ]

    private func randomNumber(_ random: inout SeededRandom) -> String {
        func digits(_ count: Int) -> String { (0..<count).map { _ in String(random.below(10)) }.joined() }
        var whole = digits(random.below(random.chance(1, in: 8) ? 20 : 4))
        while whole.first == "0" { whole.removeFirst() }
        var text = (random.chance(1, in: 3) ? "-" : "") + (whole.isEmpty ? "0" : whole)
        if random.chance(5, in: 6) { text += "." + String(repeating: "0", count: random.chance(1, in: 5) ? random.below(8) : 0) + digits(1 + random.below(19)) }
        if random.chance(1, in: 6) { text += "e" + (random.chance(1, in: 2) ? "-" : "") + digits(1 + random.below(2)) }
        return text
    }

    @Test func `floats are read as the C library reads them`() {
        var random = SeededRandom()
        // What becomes zero or infinite is no value.
        let texts = CSVTests.hard + (0..<20000).map { _ in randomNumber(&random) }
        func isValue(_ value: Double, _ text: String) -> Bool { value.isFinite && (value != 0 || !text.contains { $0 >= "1" && $0 <= "9" }) }
        let doubles = texts.filter { isValue(strtod($0, nil), $0) }
        for (text, bits) in zip(doubles, bits(doubles, .f64)) {
            #expect(bits == strtod(text, nil).bitPattern, "\(text), seed \(random.seed)")
        }
        let floats = texts.filter { isValue(Double(strtof($0, nil)), $0) }
        for (text, bits) in zip(floats, bits(floats, .f32)) {
            #expect(bits == UInt64(strtof(text, nil).bitPattern), "\(text), seed \(random.seed)")
        }
        #expect(floats.count > 15000)
    }

    @Test func `numbers are written as Swift describes them`() throws {
        var random = SeededRandom()
        var csv = "a,b,c,d\n"
        var lines: [String] = []
        for i in 0..<20000 {
            // Of all magnitudes, or of few digits.
            var double = Double(bitPattern: random.next())
            if i % 3 == 0 || !double.isFinite { double = Double(random.below(2_000_000) - 1_000_000) / [1, 10, 1000, 1e6, 1e9][random.below(5)] }
            if i % 97 == 0 { double = Double(sign: .plus, exponent: random.below(2098) - 1074, significand: 1) }
            var float = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
            if i % 3 == 0 || !float.isFinite { float = Float(random.below(2_000_000) - 1_000_000) / [1, 10, 1000, 1e6][random.below(4)] }
            if i % 89 == 0 { float = Float(sign: .minus, exponent: random.below(276) - 149, significand: 1) }
            let whole = random.next() >> UInt64(random.below(64))
            let signed = Int64(bitPattern: random.next()) >> Int64(random.below(64))
            lines.append("\(double.description),\(float.description),\(whole),\(signed)")
        }
        csv += lines.joined(separator: "\n") + "\n"
        var options = TextOptions()
        options.header = true
        options.types = [("a", .f64), ("b", .f32), ("c", .u64), ("d", .i64)]
        let text = String(decoding: try written([UInt8](csv.utf8), options), as: UTF8.self).split(separator: "\n")
        #expect(text.count == lines.count)
        for (a, b) in zip(text, lines) where a != b { Issue.record("\(a) instead of \(b), seed \(random.seed)") }
    }

    /// A text without the zeros at its end.
    private func plain(_ text: String) -> String {
        var text = Substring(text)
        guard text.contains(".") else { return String(text) }
        while text.hasSuffix("0") { text = text.dropLast() }
        if text.hasSuffix(".") { text = text.dropLast() }
        return String(text)
    }

    @Test func `a float32 is one whose shortest text is the same number`() {
        var random = SeededRandom()
        var kept = 0
        for _ in 0..<3000 {
            let value = Float(random.below(2_000_000_000) - 1_000_000_000) / [200, 1e4, 1e7, 1e9, 1.9e9][random.below(5)]
            let text = random.chance(1, in: 2) ? value.description : String(format: "%.\(1 + random.below(10))f", value)
            // Written without exponents.
            guard value.magnitude >= 1e-3, value.magnitude < 1e7 else { continue }
            let isKept = plain(Float(text)!.description) == plain(text)
            var options = TextOptions()
            options.header = true
            options.samples = true
            options.sampledRows = 1
            let read = Read("x,n\n0.5,word\n" + text + ",word\n" + String(repeating: "0.5,word\n", count: 12), options)
            #expect(read.hasOtherTypes == !isKept, "\(text), seed \(random.seed)")
            if isKept { kept += 1 }
        }
        #expect(kept > 500)
    }

    // MARK: One pass and several

    /// Any text at all is read in one pass as it is record by record, and with types of the first rows as with those of
    /// all.
    @Test func `one pass reads what record by record reads`() {
        var random = SeededRandom()
        var plainRows = 0
        for _ in 0..<1500 {
            let delimiter = random.pick([",", ";", "\t", "|"])
            let width = 1 + random.below(4)
            let kinds = (0..<width).map { _ in random.below(7) }
            func cell(_ kind: Int, _ isHostile: Bool) -> String {
                if isHostile {
                    return random.pick([
                        "", "\"\"", "\"a\"\"b\"", "\"a\nb\"", "x\"", "\"7\"", "007", "-0", "1e3", "nan", "-inf", "NaN", "true", ".5", "5.", "é",
                        "1.5x", "+1", " 3", "18446744073709551616", "99999999", "1,5", "\"a\(delimiter)b\"", "0.30000000000000004", "\u{0}",
                    ])
                }
                switch kind {
                case 0: return String(random.below(300))
                case 1: return String(Int64(bitPattern: random.next()) >> Int64(random.below(64)))
                case 2: return Float(Float(random.below(100_000_000) - 50_000_000) / 1e4).description
                case 3: return (Double(random.below(1_000_000_000)) / 1.7e5).description
                case 4: return random.chance(1, in: 2) ? "true" : "false"
                case 5: return String(repeating: "word", count: random.below(6)) + "."
                default: return randomNumber(&random)
                }
            }
            let hostility = random.pick([0, 0, 1, 5])
            var csv = (0..<width).map { "c\($0)" }.joined(separator: delimiter) + "\n"
            for _ in 0..<(5 + random.below(40)) {
                let count = hostility > 0 && random.chance(hostility, in: 300) ? width + 1 - random.below(3) : width
                csv += (0..<count).map { cell(kinds[$0 % width], hostility > 0 && random.chance(hostility, in: 60)) }.joined(separator: delimiter)
                csv += random.pick(["\n", "\n", "\n", "\r\n", "\r"]) + (hostility > 0 && random.chance(1, in: 40) ? "\n" : "")
            }
            var options = TextOptions()
            options.header = true
            if random.chance(3, in: 4) { options.delimiter = delimiter.utf8.first! }
            if random.chance(1, in: 5) { options.decimalComma = true }
            options.empty = random.chance(1, in: 3) ? .nan : .text
            options.trims = random.chance(1, in: 8)
            if random.chance(1, in: 4) { options.ragged = random.chance(1, in: 2) ? .padded : .skipped }
            if random.chance(1, in: 4) { options.types = [("c0", random.pick([.f32, .f64, .i32, .u8, .bool, .string]))] }
            let whole = Read(csv, options)
            plainRows += whole.rows.count
            for samples in [false, true] {
                options.samples = samples
                options.sampledRows = UInt64(1 + random.below(20))
                options.isOnePass = true
                let once = Read(csv, options)
                options.isOnePass = false
                let slow = Read(csv, options)
                let comment: Comment = "seed \(random.seed): \(csv.debugDescription)"
                // Other types may be noticed a few rows sooner or later.
                #expect(once.hasOtherTypes == slow.hasOtherTypes && once.types == slow.types, comment)
                if !slow.hasOtherTypes { #expect(once == slow, comment) }
                guard samples, slow.faults.isEmpty, whole.faults.isEmpty else { continue }
                if once.hasOtherTypes { #expect(once.types != whole.types, comment) } else { #expect(once == whole, comment) }
            }
        }
        #expect(plainRows > 5000)
    }
}
