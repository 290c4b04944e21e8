import TickLog

/// What is wrong with a line of JSON.
struct JSONError: Error {
    let line: UInt64
    let offset: Int
    let text: String
}

/// A value of a record: which column, and its text in the file.
struct JSONLeaf {
    enum Kind { case number, string, truth, null }

    let column: Int
    let kind: Kind
    /// Of a string, what stands between the quotes.
    let start: UnsafeRawPointer
    let count: Int
    let hasEscapes: Bool

    var text: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}

/// Splits JSON Lines into records of values (RFC 8259): one object a line, of which nested objects become columns named
/// `a.b` and arrays columns named `a[0]`. Empty lines do not count.
struct JSONRecords {
    let bytes: FileBytes
    private(set) var offset: Int
    private(set) var nextLine: UInt64 = 1
    /// Of the current record.
    private(set) var line: UInt64 = 1
    private(set) var start = 0
    private(set) var leaves: [JSONLeaf] = []
    /// The columns so far, in the order in which they came.
    private(set) var names: [String] = []

    private var places: [String: Int] = [:]
    private var paths: [[UInt8]] = []
    private var path: [UInt8] = []
    /// In which record a column was met last.
    private var met: [UInt64] = []
    private var record: UInt64 = 0
    private var guess = 0

    private static var deepest: Int { 64 }
    private static var mostColumns: Int { 65535 }

    init(_ bytes: FileBytes, names: [String] = []) {
        self.bytes = bytes
        offset = bytes.holds(3, at: 0) && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
        for name in names { _ = column(named: Array(name.utf8)) }
    }

    /// Goes to the next record; false at the end.
    mutating func next() throws(JSONError) -> Bool {
        skipBlanks()
        guard offset < bytes.count else { return false }
        start = offset
        line = nextLine
        record += 1
        guess = 0
        leaves.removeAll(keepingCapacity: true)
        path.removeAll(keepingCapacity: true)
        guard bytes[offset] == 0x7B else { throw wrong("an object") }
        try object(depth: 0)
        while offset < bytes.count, bytes[offset] == 0x20 || bytes[offset] == 0x09 || bytes[offset] == 0x0D { offset += 1 }
        if offset < bytes.count {
            guard bytes[offset] == 0x0A else { throw wrong("the end of the line") }
        }
        return true
    }

    /// The record has exactly the first `width` columns.
    func hasExactly(_ width: Int) -> Bool {
        guard leaves.count == width else { return false }
        if names.count > width { for leaf in leaves where leaf.column >= width { return false } }
        return true
    }

    private mutating func skipBlanks() {
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == 0x0A { nextLine += 1 } else if byte != 0x20, byte != 0x09, byte != 0x0D { return }
            offset += 1
        }
    }

    private func wrong(_ expected: String) -> JSONError {
        let found = offset < bytes.count ? "the byte " + hexText(UInt64(bytes[offset])) : "the end of the file"
        return JSONError(line: nextLine, offset: offset, text: "found \(found), expected " + expected)
    }

    private mutating func object(depth: Int) throws(JSONError) {
        guard depth < JSONRecords.deepest else { throw wrong("at most \(JSONRecords.deepest) objects and arrays in each other") }
        let length = path.count
        offset += 1
        skipBlanks()
        if offset < bytes.count, bytes[offset] == 0x7D {
            if depth > 0 { throw wrong("a value: an empty object has no column") }
            offset += 1
            return
        }
        while true {
            skipBlanks()
            guard offset < bytes.count, bytes[offset] == 0x22 else { throw wrong("a key in quotes") }
            let (start, count, hasEscapes) = try string()
            if length > 0 { path.append(0x2E) }
            let text = UnsafeRawBufferPointer(start: start, count: count)
            if hasEscapes {
                let line = nextLine
                guard jsonUnescaped(text, { (byte: UInt8) in path.append(byte) }) else {
                    throw JSONError(line: line, offset: start - bytes.start, text: "found a wrong escape in a key, expected one of JSON")
                }
            } else {
                path.append(contentsOf: text)
            }
            skipBlanks()
            guard offset < bytes.count, bytes[offset] == 0x3A else { throw wrong("a colon") }
            offset += 1
            try value(depth: depth + 1)
            path.removeLast(path.count - length)
            skipBlanks()
            guard offset < bytes.count else { throw wrong("a comma or }") }
            let byte = bytes[offset]
            guard byte == 0x2C || byte == 0x7D else { throw wrong("a comma or }") }
            offset += 1
            if byte == 0x7D { return }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) {
        guard depth < JSONRecords.deepest else { throw wrong("at most \(JSONRecords.deepest) objects and arrays in each other") }
        let length = path.count
        offset += 1
        var index = 0
        while true {
            skipBlanks()
            if index == 0, offset < bytes.count, bytes[offset] == 0x5D { throw wrong("a value: an empty array has no column") }
            path.append(0x5B)
            path.append(contentsOf: "\(index)".utf8)
            path.append(0x5D)
            try value(depth: depth + 1)
            path.removeLast(path.count - length)
            index += 1
            skipBlanks()
            guard offset < bytes.count else { throw wrong("a comma or ]") }
            let byte = bytes[offset]
            guard byte == 0x2C || byte == 0x5D else { throw wrong("a comma or ]") }
            offset += 1
            if byte == 0x5D { return }
        }
    }

    private mutating func value(depth: Int) throws(JSONError) {
        skipBlanks()
        guard offset < bytes.count else { throw wrong("a value") }
        let first = bytes[offset]
        if first == 0x7B { return try object(depth: depth) }
        if first == 0x5B { return try array(depth: depth) }
        var start = bytes.start + offset
        var count = 0
        var hasEscapes = false
        let kind: JSONLeaf.Kind
        let place = offset
        if first == 0x22 {
            (start, count, hasEscapes) = try string()
            kind = .string
        } else {
            while offset < bytes.count {
                let byte = bytes[offset]
                if byte == 0x2C || byte == 0x7D || byte == 0x5D || byte <= 0x20 { break }
                offset += 1
            }
            count = offset - place
            let text = UnsafeRawBufferPointer(start: start, count: count)
            if isWord(text, "true") || isWord(text, "false") {
                kind = .truth
            } else if isWord(text, "null") {
                kind = .null
            } else {
                guard Decimal(start, start + count, mark: 0x2E) != nil else {
                    offset = place
                    throw wrong("a value")
                }
                kind = .number
            }
        }
        let column = try column(at: place)
        leaves.append(JSONLeaf(column: column, kind: kind, start: start, count: count, hasEscapes: hasEscapes))
    }

    /// The column of the current path. Keys mostly come in the same order.
    private mutating func column(at place: Int) throws(JSONError) -> Int {
        var column = guess
        if column >= paths.count || paths[column] != path { column = self.column(named: path) }
        guard names.count <= JSONRecords.mostColumns else {
            throw JSONError(line: nextLine, offset: place, text: "found more than \(JSONRecords.mostColumns) keys, expected at most so many")
        }
        guard met[column] != record else {
            throw JSONError(line: nextLine, offset: place, text: "found the key '\(names[column])' twice, expected it once")
        }
        met[column] = record
        guess = column + 1
        return column
    }

    private mutating func column(named path: [UInt8]) -> Int {
        let name = String(decoding: path, as: UTF8.self)
        if let place = places[name] { return place }
        places[name] = names.count
        names.append(name)
        paths.append(path)
        met.append(0)
        return names.count - 1
    }

    /// Reads a string; answers what is between the quotes.
    private mutating func string() throws(JSONError) -> (UnsafeRawPointer, Int, Bool) {
        let quote = offset
        offset += 1
        var hasEscapes = false
        while true {
            guard offset < bytes.count else {
                throw JSONError(line: line, offset: quote, text: "found the end of the file in a string that begins here, expected a closing quote")
            }
            let byte = bytes[offset]
            if byte == 0x22 { break }
            if byte < 0x20 { throw wrong("no control character in a string") }
            if byte == 0x5C {
                hasEscapes = true
                offset += 1
            }
            offset += 1
        }
        offset += 1
        return (bytes.start + (quote + 1), offset - quote - 2, hasEscapes)
    }
}

/// Gives the bytes that a JSON string stands for; false if an escape is none, or half of a surrogate pair.
func jsonUnescaped(_ text: UnsafeRawBufferPointer, _ put: (UInt8) -> Void) -> Bool {
    var at = 0
    func unit() -> UInt32? {
        guard at + 4 <= text.count else { return nil }
        var value: UInt32 = 0
        for _ in 0..<4 {
            let byte = text[at]
            let lower = byte | 0x20
            if byte >= 0x30, byte <= 0x39 {
                value = value << 4 | UInt32(byte - 0x30)
            } else if lower >= 0x61, lower <= 0x66 {
                value = value << 4 | UInt32(lower - 0x57)
            } else {
                return nil
            }
            at += 1
        }
        return value
    }
    while at < text.count {
        let byte = text[at]
        at += 1
        if byte != 0x5C {
            put(byte)
            continue
        }
        guard at < text.count else { return false }
        let escape = text[at]
        at += 1
        switch escape {
        case 0x22, 0x5C, 0x2F: put(escape)
        case 0x62: put(0x08)
        case 0x66: put(0x0C)
        case 0x6E: put(0x0A)
        case 0x72: put(0x0D)
        case 0x74: put(0x09)
        case 0x75:
            guard var scalar = unit() else { return false }
            if scalar >= 0xD800, scalar < 0xE000 {
                guard scalar < 0xDC00, at + 2 <= text.count, text[at] == 0x5C, text[at + 1] == 0x75 else { return false }
                at += 2
                guard let low = unit(), low >= 0xDC00, low < 0xE000 else { return false }
                scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            }
            if scalar < 0x80 {
                put(UInt8(scalar))
            } else if scalar < 0x800 {
                put(UInt8(0xC0 | scalar >> 6))
                put(UInt8(0x80 | scalar & 0x3F))
            } else if scalar < 0x10000 {
                put(UInt8(0xE0 | scalar >> 12))
                put(UInt8(0x80 | scalar >> 6 & 0x3F))
                put(UInt8(0x80 | scalar & 0x3F))
            } else {
                put(UInt8(0xF0 | scalar >> 18))
                put(UInt8(0x80 | scalar >> 12 & 0x3F))
                put(UInt8(0x80 | scalar >> 6 & 0x3F))
                put(UInt8(0x80 | scalar & 0x3F))
            }
        default: return false
        }
    }
    return true
}
