import TickLog

/// One entry of a tar archive.
struct TarEntry {
    /// The whole name, in parts that follow each other, a slash between the first two if both are there.
    let prefix: FileBytes
    let name: FileBytes
    let isFile: Bool
    /// Where its header and its bytes begin.
    let header: Int
    let offset: Int
    /// As the header says; the archive may end before.
    let size: UInt64
}

/// The entries of an uncompressed tar archive, one after the other: ustar as POSIX describes it, with the long names and
/// sizes of GNU tar and of pax headers. Every number is hostile.
struct TarEntries {
    static var block: Int { 512 }

    private let bytes: FileBytes
    private(set) var offset = 0

    init(_ bytes: FileBytes) { self.bytes = bytes }

    /// Whether a header of an entry stands at the start.
    static func recognises(_ bytes: FileBytes) -> Bool {
        guard bytes.holds(block, at: 0) else { return false }
        let header = bytes.slice(at: 0, count: block)
        return header.slice(at: 257, count: 5).equals("ustar") && isChecked(header)
    }

    /// What is wrong with an archive, from its start.
    struct Problem: Error {
        let offset: Int
        let text: String
        let isTorn: Bool
    }

    /// The next entry; nil behind the last.
    mutating func next() throws(Problem) -> TarEntry? {
        var longName: FileBytes?
        var longSize: UInt64?
        while true {
            guard offset < bytes.count else {
                throw Problem(offset: bytes.count, text: "found the end of the file, expected an entry of the archive or its end, 1024 zeros", isTorn: true)
            }
            guard bytes.holds(TarEntries.block, at: offset) else {
                throw Problem(offset: bytes.count, text: "found the end of the file, expected an entry of the archive", isTorn: false)
            }
            let start = offset
            let header = bytes.slice(at: start, count: TarEntries.block)
            if TarEntries.isZero(header) { return nil }
            guard TarEntries.isChecked(header) else {
                throw Problem(offset: start, text: "found bytes with another checksum, expected an entry of the archive", isTorn: false)
            }
            guard let own = TarEntries.number(header, at: 124, count: 12) else {
                throw Problem(offset: start + 124, text: "found no number, expected the size of a file", isTorn: false)
            }
            let type = header[156]
            let isExtension = type == 0x4C || type == 0x4B || type == 0x78 || type == 0x67
            let size = isExtension ? own : longSize ?? own
            let data = start + TarEntries.block
            // To the next block, or to the end of the file if it ends before.
            let left = bytes.count - data
            let padded = size.addingReportingOverflow(511)
            let isWhole = !padded.overflow && padded.partialValue & ~511 <= UInt64(left)
            offset = isWhole ? data + Int(padded.partialValue & ~511) : bytes.count
            if isExtension {
                guard size <= UInt64(left) else {
                    throw Problem(offset: start + 124, text: "found a size of \(size), expected a name that lies within the archive", isTorn: false)
                }
                let text = bytes.slice(at: data, count: Int(size))
                if type == 0x4C { longName = TarEntries.upToZero(text) }
                if type == 0x78 { TarEntries.pax(text, &longName, &longSize) }
                continue
            }
            // GNU tar keeps other things where POSIX has the first part of a name.
            let isPosix = header.slice(at: 257, count: 6).buffer.elementsEqual([0x75, 0x73, 0x74, 0x61, 0x72, 0])
            let prefix = longName == nil && isPosix ? TarEntries.upToZero(header.slice(at: 345, count: 155)) : header.slice(at: 0, count: 0)
            return TarEntry(
                prefix: prefix, name: longName ?? TarEntries.upToZero(header.slice(at: 0, count: 100)),
                isFile: type == 0x30 || type == 0 || type == 0x37, header: start, offset: data, size: size)
        }
    }

    private static func isZero(_ header: FileBytes) -> Bool {
        for byte in header.buffer where byte != 0 { return false }
        return true
    }

    /// The sum of all bytes, those of the sum itself as blanks. Old archives have it of signed bytes.
    private static func isChecked(_ header: FileBytes) -> Bool {
        guard let stored = number(header, at: 148, count: 8) else { return false }
        var unsigned = 0
        var signed = 0
        for i in 0..<block {
            let byte = i >= 148 && i < 156 ? 0x20 : header[i]
            unsigned += Int(byte)
            signed += Int(Int8(bitPattern: byte))
        }
        return stored == UInt64(unsigned) || (signed >= 0 && stored == UInt64(signed))
    }

    /// Octal digits, with blanks before and a blank or NUL behind; or in base 256 if the first bit is set. A number of
    /// more than 64 bits is the largest that there is.
    static func number(_ header: FileBytes, at offset: Int, count: Int) -> UInt64? {
        var value: UInt64 = 0
        var isClamped = false
        if header[offset] & 0x80 != 0 {
            // Negative numbers begin with a further bit.
            guard header[offset] & 0x40 == 0 else { return nil }
            for i in 0..<count {
                if value >> 56 != 0 { isClamped = true }
                value = value << 8 | UInt64(i == 0 ? header[offset] & 0x3F : header[offset + i])
            }
            return isClamped ? UInt64.max : value
        }
        var i = 0
        while i < count, header[offset + i] == 0x20 { i += 1 }
        while i < count, header[offset + i] >= 0x30, header[offset + i] <= 0x37 {
            value = value << 3 | UInt64(header[offset + i] - 0x30)
            i += 1
        }
        guard i == count || header[offset + i] == 0x20 || header[offset + i] == 0 else { return nil }
        return value
    }

    private static func upToZero(_ text: FileBytes) -> FileBytes {
        text.slice(at: 0, count: text.firstZero(from: 0, limit: text.count) ?? text.count)
    }

    /// Records "length name=value\n"; of interest are a name and a size that do not fit the header.
    private static func pax(_ text: FileBytes, _ name: inout FileBytes?, _ size: inout UInt64?) {
        var at = 0
        while at < text.count {
            var length = 0
            var digit = at
            while digit < text.count, text[digit] >= 0x30, text[digit] <= 0x39, length < 1 << 24 {
                length = length * 10 + Int(text[digit] - 0x30)
                digit += 1
            }
            guard digit < text.count, text[digit] == 0x20, length > digit - at + 2, text.holds(length, at: at) else { return }
            let record = text.slice(at: digit + 1, count: length - (digit - at) - 2)
            at += length
            var equals = 0
            while equals < record.count, record[equals] != 0x3D { equals += 1 }
            guard equals < record.count else { continue }
            let value = record.slice(at: equals + 1, count: record.count - equals - 1)
            let key = record.slice(at: 0, count: equals)
            if key.equals("path") { name = upToZero(value) }
            if key.equals("size") { size = UInt64(String(decoding: value.buffer, as: UTF8.self)) }
        }
    }
}
