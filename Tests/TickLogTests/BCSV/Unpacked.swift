import CXXHash

/// A compressed file's body taken apart by the format's tables: where packets begin, and their rows before compression.
/// It shares no code with the library.
struct Unpacked {
    struct Packet {
        var offset = 0
        var firstRow = 0
        var rows: [[UInt8]] = []
        /// As the packet-full rule counts: lengths and stored rows.
        var bytesBeforeLast = 0
    }

    struct Wrong: Error {
        var what: String
    }

    private(set) var packets: [Packet] = []
    /// From here on it is the footer.
    private(set) var end: Int
    private let bytes: [UInt8]

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reversed().reduce(0) { $0 << 8 | Int($1) } }

    /// One raw LZ4 block behind `history`.
    static func block(_ bytes: ArraySlice<UInt8>, history: [UInt8]) throws -> [UInt8] {
        var out = history
        var at = bytes.startIndex
        func more(_ nibble: Int) throws -> Int {
            var length = nibble
            if nibble == 15 {
                while true {
                    guard at < bytes.endIndex else { throw Wrong(what: "a length is cut") }
                    length += Int(bytes[at])
                    at += 1
                    if bytes[at - 1] != 255 { break }
                }
            }
            return length
        }
        while at < bytes.endIndex {
            let token = Int(bytes[at])
            at += 1
            let literals = try more(token >> 4)
            guard at + literals <= bytes.endIndex else { throw Wrong(what: "literals are cut") }
            out += bytes[at..<at + literals]
            at += literals
            if at == bytes.endIndex { break }
            let distance = number(bytes[at..<at + 2])
            at += 2
            let length = try more(token & 15) + 4
            guard distance > 0, distance <= out.count else { throw Wrong(what: "a match of distance \(distance)") }
            for _ in 0..<length { out.append(out[out.count - distance]) }
        }
        return Array(out.dropFirst(history.count))
    }

    /// Row lengths and rows from `at` on: to the terminator, or in a stream to the end.
    private static func rows(
        _ bytes: [UInt8], _ at: inout Int, isCompressed: Bool, isStream: Bool, _ packet: inout Packet
    ) throws {
        var history: [UInt8] = []
        let start = at
        while !(isStream && at == bytes.count) {
            let n = Int(bytes[at] & 7) + 1
            let length = number(bytes[at..<at + n]) >> 3
            if length == 0x3FFF_FFFF {
                at += n
                return
            }
            packet.bytesBeforeLast = at - start
            at += n
            let stored = bytes[at..<at + length]
            at += length
            if isStream, length > 0 {
                guard number(bytes[at..<at + 4]) == Int(cxxhash32(Array(stored), length)) else { throw Wrong(what: "a row's hash") }
                at += 4
            }
            let row = isCompressed && length > 0 ? try block(stored, history: history) : Array(stored)
            // Never bigger than a block of literals only.
            if isCompressed, length > 0 {
                guard length <= row.count + 1 + (row.count < 15 ? 0 : (row.count - 15) / 255 + 1) else { throw Wrong(what: "a row grew") }
            }
            history = Array((history + row).suffix(65535))
            packet.rows.append(row)
        }
    }

    /// `start`: the header's length.
    init(_ bytes: [UInt8], from start: Int, isCompressed: Bool, isBatch: Bool, isStream: Bool) throws {
        self.bytes = bytes
        var at = start
        if isStream {
            var packet = Packet()
            try Self.rows(bytes, &at, isCompressed: isCompressed, isStream: true, &packet)
            packets = [packet]
            end = at
            return
        }
        while Array(bytes[at..<at + 4]) == Array("PKCT".utf8) {
            var packet = Packet(offset: at, firstRow: Self.number(bytes[at + 4..<at + 12]))
            guard Self.number(bytes[at + 12..<at + 16]) == Int(cxxhash32(Array(bytes[at..<at + 12]), 12)) else {
                throw Wrong(what: "a packet header's hash")
            }
            at += 16
            let body: [UInt8]
            if isBatch {
                let size = Self.number(bytes[at..<at + 4])
                let stored = Self.number(bytes[at + 4..<at + 8])
                body = try Self.block(bytes[at + 8..<at + 8 + stored], history: [])
                guard body.count == size, stored <= size + 1 + (size - 15) / 255 + 1 else { throw Wrong(what: "a batch's size") }
                at += 8 + stored
                var from = 0
                try Self.rows(body, &from, isCompressed: false, isStream: false, &packet)
                guard from == size else { throw Wrong(what: "bytes behind a batch's terminator") }
            } else {
                let from = at
                try Self.rows(bytes, &at, isCompressed: isCompressed, isStream: false, &packet)
                body = Array(bytes[from..<at])
            }
            guard Array(bytes[at..<at + 8]) == NaiveBCSV.little(cxxhash64(body, body.count)) else { throw Wrong(what: "a packet's hash") }
            at += 8
            packets.append(packet)
        }
        end = at
    }
}
