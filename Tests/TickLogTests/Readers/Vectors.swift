import Foundation
import TickLog
import TickLogHost

/// Files that the reference implementations wrote, and what is in them.
enum Vectors {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Vectors").path

    static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: root + "/" + path)))
    }

    static func json(_ path: String) throws -> [String: Any] {
        let plain = root + "/" + path
        let data = FileManager.default.fileExists(atPath: plain)
            ? try Data(contentsOf: URL(fileURLWithPath: plain)) : try unpacked(plain + ".gz")
        return try JSONSerialization.jsonObject(with: data) as! [String: Any]
    }

    private static func unpacked(_ path: String) throws -> Data {
        let gunzip = Process()
        gunzip.executableURL = URL(fileURLWithPath: "/bin/gzip")
        gunzip.arguments = ["-dc", path]
        let pipe = Pipe()
        gunzip.standardOutput = pipe
        try gunzip.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        gunzip.waitUntilExit()
        return data
    }

    static func names(in directory: String) -> [String] {
        try! FileManager.default.contentsOfDirectory(atPath: root + "/" + directory).sorted()
    }
}

/// A value that two readers can be compared by: text, or bits, which tell -0 from 0 and every NaN from any other.
enum Cell: Equatable, CustomStringConvertible {
    case text(String)
    case bits(UInt64)

    var description: String {
        switch self {
        case .text(let text): "'\(text)'"
        case .bits(let bits): "0x" + String(bits, radix: 16)
        }
    }

    /// As the expected values have it: floats as bit patterns, 64-bit integers as texts.
    init(expected value: Any, _ type: ValueType) {
        if type == .string {
            self = .text(value as! String)
        } else if let text = value as? String, text.hasPrefix("0x") {
            self = .bits(UInt64(text.dropFirst(2), radix: 16)!)
        } else if let text = value as? String {
            self = .bits(text.hasPrefix("-") ? UInt64(bitPattern: Int64(text)!) : UInt64(text)!)
        } else {
            let number = value as! NSNumber
            let width = UInt64(type.size * 8)
            let mask = width == 64 ? UInt64.max : 1 << width - 1
            self = .bits(UInt64(bitPattern: number.int64Value) & mask)
        }
    }
}

extension Table {
    /// The current row.
    func cells() -> [Cell] {
        (0..<columns.count).map { i in
            columns[i].type == .string ? .text(String(decoding: text(i), as: UTF8.self)) : .bits(bits(i))
        }
    }

    func allRows() -> [[Cell]] {
        var rows: [[Cell]] = []
        while next() { rows.append(cells()) }
        return rows
    }
}
