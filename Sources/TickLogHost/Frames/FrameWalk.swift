import TickLog

/// Bytes of a file that are no good frame.
public struct FrameDamage {
    public let range: Range<Int>
    /// The file ends within a frame.
    public let isTorn: Bool
    /// "found X, expected Y".
    public let text: String

    public func fault(_ path: String) -> Fault {
        Fault(isTorn ? .torn : .damaged, path, at: range.lowerBound, text + (isTorn ? "" : "; \(range.count) bytes are left out"))
    }
}

/// The frames of a file, one by one, as a receiver would find them, and what lies between them.
public struct FrameWalk {
    public enum Piece {
        /// A good frame: its header, where it begins, and its payload.
        case frame(FrameHeader, at: Int, payload: FileBytes)
        case damage(FrameDamage)
    }

    private let bytes: FileBytes
    private let crc = CRC32C()
    private var scanner = FrameScanner(maxPayload: FrameFile.maxPayload)
    private var at = 0
    /// Damage that may still grow.
    private var damage: FrameDamage?
    /// What was found behind the damage that was told of first.
    private var following: Piece?

    /// `start`: where a frame is expected.
    public init(_ bytes: FileBytes, from start: Int = 0) {
        self.bytes = bytes
        at = min(start, bytes.count)
    }

    /// Nil: the end.
    public mutating func next() -> Piece? {
        if let piece = following {
            following = nil
            return piece
        }
        while at < bytes.count {
            let start = at
            let before = scanner.counts
            var consumed = 0
            switch scanner.step(bytes.slice(at: at, count: bytes.count - at), &consumed) {
            case .frame(let header):
                at += consumed
                let payload = bytes.slice(at: start + FrameHeader.bytes, count: consumed - FrameHeader.bytes)
                return behindDamage(.frame(header, at: start, payload: payload))
            case .passed:
                at += consumed
                if let piece = passed(start, before) { return piece }
            case .needs(let least):
                at = bytes.count
                // A last byte or so that could begin a magic belongs to what is before it.
                if bytes.count - start < 8, let grown = damage {
                    damage = FrameDamage(range: grown.range.lowerBound..<bytes.count, isTorn: false, text: grown.text)
                    break
                }
                let text = "found the end of the file, expected a frame of \(least > FrameHeader.bytes ? "" : "at least ")\(least) bytes"
                return behindDamage(.damage(FrameDamage(range: start..<bytes.count, isTorn: true, text: text)))
            }
        }
        guard let last = damage else { return nil }
        damage = nil
        return .damage(last)
    }

    private mutating func behindDamage(_ piece: Piece) -> Piece {
        guard let before = damage else { return piece }
        damage = nil
        following = piece
        return .damage(before)
    }

    /// Bytes up to `at` that are no good frame; the damage that came before them, if they do not belong to it.
    private mutating func passed(_ start: Int, _ before: FrameScanner.Counts) -> Piece? {
        let now = scanner.counts
        let text: String
        if now.headerCRC != before.headerCRC {
            text = "found the header checksum \(checksumText(stored(32, start))), expected \(checksumText(headerChecksum(start)))"
        } else if now.versions != before.versions {
            text = "found a frame of version \(bytes[start + 8]), expected \(FrameHeader.version)"
        } else if now.lengths != before.lengths {
            text = "found a payload of \(stored(28, start)) bytes, expected 1 to \(FrameFile.maxPayload)"
        } else if now.payloadCRC != before.payloadCRC {
            let sum = crc.of(bytes.start + start + FrameHeader.bytes, at - start - FrameHeader.bytes)
            text = "found the payload checksum \(checksumText(sum)), expected \(checksumText(stored(36, start)))"
        } else if let grown = damage {
            damage = FrameDamage(range: grown.range.lowerBound..<at, isTorn: false, text: grown.text)
            return nil
        } else {
            text = "found bytes that belong to no frame, expected the magic of one"
        }
        let earlier = damage
        damage = FrameDamage(range: start..<at, isTorn: false, text: text)
        return earlier.map { .damage($0) }
    }

    private func stored(_ offset: Int, _ start: Int) -> UInt32 {
        bytes.u32(at: start + offset).byteSwapped
    }

    private func headerChecksum(_ start: Int) -> UInt32 {
        var zero: UInt32 = 0
        let header = bytes.start + start
        return crc.of(header + 36, 4, after: crc.of(&zero, 4, after: crc.of(header, 32)))
    }
}

/// Eight digits, as the bytes stand in the file.
private func checksumText(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.utf8.count) + digits
}
