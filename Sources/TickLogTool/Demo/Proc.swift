import CPosix
import TickLog

/// A file of /proc that is read again and again.
final class ProcFile {
    private let descriptor: Int32
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 8)
    private var count = 0

    /// A file that does not exist reads as empty.
    init(_ path: String) {
        descriptor = cposix_open(path, O_RDONLY | O_CLOEXEC, 0)
    }

    deinit {
        if descriptor >= 0 { _ = close(descriptor) }
        buffer.deallocate()
    }

    func read() {
        count = 0
        guard descriptor >= 0 else { return }
        while count < buffer.count {
            let taken = pread(descriptor, buffer.baseAddress! + count, buffer.count - count, off_t(count))
            guard taken > 0 else { break }
            count += taken
        }
    }

    /// Offset behind `label` where it begins a line, blanks before it aside.
    func find(_ label: StaticString) -> Int? {
        var at = 0
        while at < count {
            var p = at
            while p < count, buffer[p] == 0x20 { p += 1 }
            if matches(label, at: p) { return p + label.utf8CodeUnitCount }
            at = lineEnd(at) + 1
        }
        return nil
    }

    /// The whole number at or behind `at` in its line; `at` moves behind it.
    func number(_ at: inout Int) -> UInt64 {
        while at < count, buffer[at] != 0x0A, !isDigit(buffer[at]) { at += 1 }
        var value: UInt64 = 0
        while at < count, isDigit(buffer[at]) {
            value = value &* 10 &+ UInt64(buffer[at] - 0x30)
            at += 1
        }
        return value
    }

    func number(after label: StaticString) -> UInt64 {
        guard var at = find(label) else { return 0 }
        return number(&at)
    }

    /// "0.25" and the like.
    func decimal(_ at: inout Int) -> Float {
        let whole = number(&at)
        guard at < count, buffer[at] == 0x2E else { return Float(whole) }
        at += 1
        let start = at
        var fraction = Float(number(&at))
        for _ in start..<at { fraction /= 10 }
        return Float(whole) + fraction
    }

    /// Sum over all interfaces but the loopback of the bytes received and sent in /proc/net/dev.
    func networkBytes() -> (received: UInt64, sent: UInt64) {
        var sum: (received: UInt64, sent: UInt64) = (0, 0)
        var at = 0
        while at < count {
            let end = lineEnd(at)
            var p = at
            while p < end, buffer[p] == 0x20 { p += 1 }
            var colon = p
            while colon < end, buffer[colon] != 0x3A { colon += 1 }
            if colon < end, !matches("lo:", at: p) {
                colon += 1
                sum.received &+= number(&colon)
                for _ in 0..<7 { _ = number(&colon) }
                sum.sent &+= number(&colon)
            }
            at = end + 1
        }
        return sum
    }

    private func lineEnd(_ at: Int) -> Int {
        var end = at
        while end < count, buffer[end] != 0x0A { end += 1 }
        return end
    }

    private func matches(_ label: StaticString, at offset: Int) -> Bool {
        let length = label.utf8CodeUnitCount
        guard offset + length <= count else { return false }
        for i in 0..<length where buffer[offset + i] != label.utf8Start[i] { return false }
        return true
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
