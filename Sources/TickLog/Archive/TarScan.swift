/// Goes through the files of an uncompressed tar: ustar, with the names and sizes that pax and GNU tar put into records of
/// their own (spec: 4.7). A file's bytes stand in the archive as they are, behind a header of 512 bytes.
public struct TarScan {
    /// A regular file in the archive.
    public struct Entry {
        /// Its path as the archive has it.
        public let path: TarPath
        /// Where its bytes are, from the start of the archive. They lie within it.
        public let offset: Int
        public let count: Int
        /// Where its header is.
        public let headerOffset: Int
    }

    static var block: Int { 512 }
    /// Records with more are passed over: no path of a run is as long.
    private static var maxRecord: Int { 1 << 16 }

    private var window: SourceWindow
    private var at = 0
    private var isFirst = true
    /// Of the file within which the archive ends: what is there of it. Known when `next` has thrown `.torn`.
    public private(set) var cut: Entry?
    /// The next file's path and size, if a record told them.
    private var longPath: TarPath?
    private var longSize: UInt64?

    public init(_ bytes: FileBytes) { window = SourceWindow(bytes) }

    /// A window of at least 512 bytes.
    init(_ window: SourceWindow) { self.window = window }

    /// Whether a file begins as an archive does.
    public static func recognises(_ bytes: FileBytes) -> Bool {
        guard bytes.holds(block, at: 0) else { return false }
        let header = bytes.slice(at: 0, count: block)
        return hasMagic(header) && hasRightSum(header)
    }

    /// Finds the first regular file of that name, upper or lower case; nil if there is none.
    /// Throws what `next` throws, if it comes before the file.
    public mutating func find(_ name: FileBytes) throws(FormatError) -> (offset: Int, count: Int)? {
        while let entry = try next() {
            if entry.path.isNamed(name) { return (entry.offset, entry.count) }
        }
        return nil
    }

    /// The next regular file; nil at the end, which is a block of zeros or the end of the file. An archive that ends
    /// within a file, or has a header that is none, throws `.torn` and `.header`; what is no archive throws `.wrongFormat`.
    public mutating func next() throws(FormatError) -> Entry? {
        while at < window.length {
            let start = at
            guard window.length - start >= Self.block else {
                if isFirst { throw Self.none(start) }
                throw FormatError(.torn, at: start, expected: "a header of 512 bytes", found: .end)
            }
            let header = try window.bytes(at: start, atLeast: Self.block).slice(at: 0, count: Self.block)
            if Self.isZero(header), !isFirst { return nil }
            guard Self.hasMagic(header), Self.hasRightSum(header) else {
                if isFirst { throw Self.none(start) }
                throw FormatError(.header, at: start, expected: "a header of an archive, with its checksum", found: .text("other bytes"))
            }
            isFirst = false
            let kind = header[156]
            let isRecord = kind == 0x78 || kind == 0x67 || kind == 0x4C || kind == 0x4B  // x, g, L, K
            guard let own = Self.number(header, at: 124, count: 12) else {
                throw FormatError(.header, at: start + 124, expected: "a size", found: .text("other bytes"))
            }
            let size = isRecord ? own : longSize ?? own
            let data = start + Self.block
            guard size <= UInt64(window.length - data) else {
                if Self.isFile(kind) {
                    cut = Entry(
                        path: longPath ?? Self.path(header), offset: data, count: window.length - data, headerOffset: start)
                }
                throw FormatError(.torn, at: start, expected: "a file that lies within the archive", found: .number(size))
            }
            let count = Int(size)
            let padding = (Self.block - count % Self.block) % Self.block
            at = padding > window.length - data - count ? window.length : data + count + padding
            if isRecord {
                if kind == 0x78 { try readPax(data, count) }
                if kind == 0x4C { longPath = try path(at: data, count) }
                continue
            }
            let path = longPath ?? Self.path(header)
            longPath = nil
            longSize = nil
            if Self.isFile(kind) {
                return Entry(path: path, offset: data, count: count, headerOffset: start)
            }
        }
        if isFirst { throw Self.none(0) }
        return nil
    }

    // MARK: Headers

    private static func none(_ at: Int) -> FormatError {
        FormatError(.wrongFormat, at: at, expected: "the header of an uncompressed tar", found: .text("other bytes"))
    }

    private static func hasMagic(_ header: FileBytes) -> Bool {
        header.slice(at: 257, count: 5).equals("ustar")
    }

    private static func isFile(_ kind: UInt8) -> Bool { kind == 0 || kind == 0x30 || kind == 0x37 }

    private static func isZero(_ header: FileBytes) -> Bool {
        for byte in header.buffer where byte != 0 { return false }
        return true
    }

    /// Old writers added signed bytes.
    private static func hasRightSum(_ header: FileBytes) -> Bool {
        var plain = 0
        var signed = 0
        for i in 0..<block {
            let byte = i >= 148 && i < 156 ? 0x20 : header[i]
            plain += Int(byte)
            signed += Int(Int8(bitPattern: byte))
        }
        guard let told = number(header, at: 148, count: 8) else { return false }
        return told == UInt64(plain) || signed >= 0 && told == UInt64(signed)
    }

    /// Octal digits, or with the highest bit set an integer in big-endian order; nil for neither, and for negative ones.
    private static func number(_ header: FileBytes, at start: Int, count: Int) -> UInt64? {
        var value: UInt64 = 0
        if header[start] & 0x80 != 0 {
            guard header[start] == 0x80 else { return nil }
            for i in start + 1..<start + count {
                guard value >> 56 == 0 else { return nil }
                value = value << 8 | UInt64(header[i])
            }
            return value
        }
        var i = start
        let end = start + count
        while i < end, header[i] == 0x20 { i += 1 }
        // At most twelve digits.
        while i < end, header[i] >= 0x30, header[i] <= 0x37 {
            value = value << 3 | UInt64(header[i] - 0x30)
            i += 1
        }
        while i < end {
            guard header[i] == 0x20 || header[i] == 0 else { return nil }
            i += 1
        }
        return value
    }

    private static func path(_ header: FileBytes) -> TarPath {
        var path = TarPath()
        func append(_ start: Int, _ limit: Int) {
            for i in start..<start + limit {
                if header[i] == 0 { return }
                path.append(header[i])
            }
        }
        // GNU tar has other things where ustar has the beginning of the path.
        if header[262] == 0, header[345] != 0 {
            append(345, 155)
            path.append(0x2F)
        }
        append(0, 100)
        return path
    }

    // MARK: Records

    private mutating func byte(at offset: Int) throws(FormatError) -> UInt8 {
        try window.bytes(at: offset, atLeast: 1)[0]
    }

    /// A text of at most `count` bytes.
    private mutating func path(at start: Int, _ count: Int) throws(FormatError) -> TarPath? {
        guard count <= Self.maxRecord else { return nil }
        var path = TarPath()
        for i in start..<start + count {
            let byte = try byte(at: i)
            if byte == 0 { break }
            path.append(byte)
        }
        return path
    }

    /// Lines of "length key=value"; path and size count. What is none of these is passed over.
    private mutating func readPax(_ start: Int, _ count: Int) throws(FormatError) {
        guard count <= Self.maxRecord else { return }
        var line = start
        while line < start + count {
            var i = line
            var length = 0
            while i < start + count, i - line < 7 {
                let digit = try byte(at: i)
                guard digit >= 0x30, digit <= 0x39 else { break }
                length = length * 10 + Int(digit - 0x30)
                i += 1
            }
            let end = line + length
            guard length > i - line + 1, end <= start + count, try byte(at: i) == 0x20 else { return }
            // Without the newline.
            if let value = try value(of: "path", i + 1, end - 1) {
                longPath = try path(at: value, end - 1 - value)
            } else if let value = try value(of: "size", i + 1, end - 1) {
                var size: UInt64 = 0
                for k in value..<end - 1 {
                    let digit = try byte(at: k)
                    guard digit >= 0x30, digit <= 0x39, size < 1 << 59 else { return }
                    size = size * 10 + UInt64(digit - 0x30)
                }
                longSize = size
            }
            line = end
        }
    }

    /// Where the value of a key begins, if it is that.
    private mutating func value(of key: StaticString, _ start: Int, _ end: Int) throws(FormatError) -> Int? {
        let count = key.utf8CodeUnitCount
        guard end - start > count else { return nil }
        for i in 0..<count where try byte(at: start + i) != key.utf8Start[i] { return nil }
        return try byte(at: start + count) == 0x3D ? start + count + 1 : nil
    }
}
