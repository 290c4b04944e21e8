import CLZ4
import CXXHash

/// Makes the checksums of a BCSV file right again, as far as its structure can be followed: what a fuzzer changes would
/// otherwise never get past them. Written from the format's description, and stricter than a reader need be.
struct Rehash {
    var file: [UInt8]

    private func number(_ at: Int, _ count: Int) -> UInt64 {
        var value: UInt64 = 0
        for i in 0..<count where at + i < file.count { value |= UInt64(file[at + i]) << UInt64(8 * i) }
        return value
    }

    private mutating func put(_ value: UInt64, _ at: Int, _ count: Int) {
        for i in 0..<count where at + i < file.count { file[at + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
    }

    private func xxh32(_ from: Int, _ to: Int) -> UInt64 {
        file.withUnsafeBytes { UInt64(cxxhash32($0.baseAddress! + from, to - from)) }
    }

    private func xxh64(_ from: Int, _ to: Int) -> UInt64 {
        file.withUnsafeBytes { cxxhash64($0.baseAddress! + from, to - from) }
    }

    /// Where the data begin, and which file codec there is.
    private func header() -> (start: Int, stream: Bool, batch: Bool)? {
        guard file.count >= 24 else { return nil }
        let at = number(8, 4) == 0 ? 24 : 16
        let level = file[at - 9], flags = number(at - 8, 2), columns = Int(number(at - 6, 2))
        var start = at + 3 * columns
        guard start <= file.count else { return nil }
        for i in 0..<columns { start += Int(number(at + columns + 2 * i, 2)) }
        guard start <= file.count else { return nil }
        return (start, flags & 4 != 0, flags & 8 != 0 && level > 0)
    }

    /// A row length: its value and the offset behind it.
    private func length(_ at: Int) -> (UInt64, Int)? {
        guard at < file.count else { return nil }
        let bytes = Int(file[at] & 7) + 1
        guard at + bytes <= file.count else { return nil }
        return (number(at, bytes) >> 3, at + bytes)
    }

    mutating func run() {
        guard let (start, stream, batch) = header() else { return }
        var at = start
        while at < file.count {
            let next = stream ? row(at) : batch ? batchPacket(at) : packet(at)
            guard let next, next > at else { break }
            at = next
        }
        if !stream { footer() }
    }

    private mutating func row(_ at: Int) -> Int? {
        guard let (count, behind) = length(at), count <= UInt64(file.count) else { return nil }
        guard count > 0 else { return behind }
        let end = behind + Int(count)
        guard end + 4 <= file.count else { return nil }
        put(xxh32(behind, end), end, 4)
        return end + 4
    }

    private mutating func packet(_ at: Int) -> Int? {
        guard at + 16 <= file.count, number(at, 4) == 0x5443_4B50 else { return nil }
        put(xxh32(at, at + 12), at + 12, 4)
        var row = at + 16
        while let (count, behind) = length(row) {
            if count == 0x3FFF_FFFF {
                put(xxh64(at + 16, behind), behind, 8)
                return behind + 8
            }
            guard count <= UInt64(file.count), behind + Int(count) <= file.count else { return nil }
            row = behind + Int(count)
        }
        return nil
    }

    private mutating func batchPacket(_ at: Int) -> Int? {
        guard at + 24 <= file.count, number(at, 4) == 0x5443_4B50 else { return nil }
        put(xxh32(at, at + 12), at + 12, 4)
        let stored = Int(number(at + 20, 4)), end = at + 24 + stored
        guard end + 8 <= file.count else { return nil }
        var payload = [CChar](repeating: 0, count: 1 << 18)
        let count = file.withUnsafeBytes { bytes in
            Int(LZ4_decompress_safe(bytes.baseAddress!.assumingMemoryBound(to: CChar.self) + at + 24, &payload, Int32(stored),
                                    Int32(payload.count)))
        }
        if count >= 0 {
            put(UInt64(count), at + 16, 4)
            put(payload.withUnsafeBytes { cxxhash64($0.baseAddress!, count) }, end, 8)
        }
        return end + 8
    }

    private mutating func footer() {
        let tail = file.count - 24
        guard tail >= 0, number(tail, 4) == 0x5844_4945 else { return }
        let start = file.count - Int(number(tail + 4, 4))
        guard start >= 0, start < tail else { return }
        put(xxh64(start, tail + 16), tail + 16, 8)
    }
}
