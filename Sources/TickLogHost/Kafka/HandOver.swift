import TickLog

/// What a channel's next receiver must know of its sequence numbers. It travels as text with the offset that is committed,
/// so that a partition that moves from one receiver to another is no gap, and a frame that is late across the move is kept.
///
/// `CHANNEL:EXPECTED:TIMESTAMP` and, for each range of frames that are missing and may still come, `:FIRST-LAST`, newest
/// first; all but the channel in hexadecimal. Several of these with `;` between.
struct HandOver: Equatable {
    struct Missing: Equatable {
        let first: UInt64
        let last: UInt64
    }

    var channel: Int
    /// The number of the next frame.
    var expected: UInt64
    /// The newest that was accepted.
    var timestamp: UInt64
    /// Newest first.
    var missing: [Missing] = []

    /// Brokers take 4096 bytes, unless told otherwise.
    static var textLimit: Int { 4000 }

    /// As much of it as fits: all channels before the first range, and each channel the same share for ranges.
    static func text(_ entries: [HandOver], limit: Int = textLimit) -> String {
        guard !entries.isEmpty else { return "" }
        var heads: [String] = []
        var used = 0
        for entry in entries {
            let head = "\(entry.channel):" + String(entry.expected, radix: 16) + ":" + String(entry.timestamp, radix: 16)
            guard used + head.utf8.count + 1 <= limit else { break }
            used += head.utf8.count + 1
            heads.append(head)
        }
        guard !heads.isEmpty else { return "" }
        let share = (limit - used) / heads.count
        var text = ""
        for i in heads.indices {
            if i > 0 { text += ";" }
            text += heads[i]
            var left = share
            for range in entries[i].missing {
                let part = ":" + String(range.first, radix: 16) + "-" + String(range.last, radix: 16)
                guard part.utf8.count <= left else { break }
                left -= part.utf8.count
                text += part
            }
        }
        return text
    }

    /// Reads what another receiver, or anyone, has committed: what is none is left out.
    static func read(_ text: FileBytes) -> [HandOver] {
        guard text.count <= 65536 else { return [] }
        var entries: [HandOver] = []
        for part in text.buffer.split(separator: 0x3B) {
            let fields = part.split(separator: 0x3A, omittingEmptySubsequences: false)
            guard fields.count >= 3, let channel = channelOfKey(UnsafeRawBufferPointer(rebasing: fields[0])),
                let expected = number(fields[1]), let timestamp = number(fields[2])
            else { continue }
            var entry = HandOver(channel: channel, expected: expected, timestamp: timestamp)
            for field in fields[3...] {
                let ends = field.split(separator: 0x2D, omittingEmptySubsequences: false)
                // Newest first, apart from each other, and before what is expected.
                guard ends.count == 2, let first = number(ends[0]), let last = number(ends[1]), first <= last,
                    last < (entry.missing.last?.first ?? expected)
                else { break }
                entry.missing.append(Missing(first: first, last: last))
            }
            entries.append(entry)
        }
        return entries
    }

    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        guard digits.count >= 1, digits.count <= 16 else { return nil }
        var value: UInt64 = 0
        for byte in digits {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x61...0x66: digit = byte - 0x57
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }
}
