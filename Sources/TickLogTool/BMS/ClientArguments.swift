import CPosix
import Synchronization
import TickLog
import TickLogHost

// What bms-send, query, watch and replay share.

func endpoint(_ text: String) throws(Failure) -> Endpoint {
    guard let endpoint = Endpoint(text, channels: 1) else {
        throw .usage("found '\(terminalText(text))', expected HOST:PORT")
    }
    return endpoint
}

extension Failure {
    init(_ error: ClientError) {
        self.init(error.kind == .argument ? Exit.usage : Exit.system, terminalText(error.message))
    }
}

extension Arguments {
    func token() throws(Failure) -> Token? {
        guard let path = value("token-file") else { return nil }
        do throws(SecurityError) { return try Token(file: path) } catch { throw Failure(Exit.system, error.message) }
    }

    func timeLimit() throws(Failure) -> UInt64 { try number("timeout-ms", 1...3_600_000, or: 5000) }

    func source() throws(Failure) -> PacketSource? {
        guard let text = value("source") else { return nil }
        guard let source = PacketSource(text) else {
            throw .usage("--source: found '\(terminalText(text))', expected TYPE:ID, as rack:2: unknown, sbmu, rack or rtos or 0 to 3, and 0 to 255")
        }
        return source
    }

    func oneSource() throws(Failure) -> PacketSource {
        guard let source = try source() else { throw .usage("found no --source, expected TYPE:ID, as rack:2") }
        return source
    }

    /// Offsets and ranges of them, "0x1000,4097,0x2000-0x2010", in the order given.
    func offsetRanges() throws(Failure) -> [ClosedRange<UInt16>]? {
        guard let text = value("offsets") else { return nil }
        var ranges: [ClosedRange<UInt16>] = []
        for part in text.utf8.split(separator: 0x2C, omittingEmptySubsequences: false) {
            let ends = part.split(separator: 0x2D, omittingEmptySubsequences: false).map { offset(Array($0)) }
            guard ends.count == 1 || ends.count == 2, let first = ends[0], let last = ends[ends.count - 1], first <= last else {
                throw .usage("--offsets: found '\(terminalText(String(decoding: Array(part), as: UTF8.self)))', expected 0 to 65535, 0x0 to 0xffff, or FIRST-LAST")
            }
            ranges.append(first...last)
        }
        return ranges
    }
}

/// Of decimal digits, or of hexadecimal ones behind 0x.
private func offset(_ text: [UInt8]) -> UInt16? {
    let isHex = text.count > 2 && text[0] == 0x30 && text[1] | 0x20 == 0x78
    let digits = isHex ? text[2...] : text[...]
    guard !digits.isEmpty, digits.count <= 8 else { return nil }
    var value: UInt32 = 0
    for byte in digits {
        let digit: UInt8
        switch byte {
        case 0x30...0x39: digit = byte - 0x30
        case 0x61...0x66 where isHex: digit = byte - 0x61 + 10
        case 0x41...0x46 where isHex: digit = byte - 0x41 + 10
        default: return nil
        }
        value = value * (isHex ? 16 : 10) + UInt32(digit)
        guard value <= 65535 else { return nil }
    }
    return UInt16(value)
}

/// "0x1000"
func offsetText(_ offset: UInt16) -> String {
    let digits = String(offset, radix: 16)
    return "0x" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
}

/// SIGINT and SIGTERM end what is under way in good order; a second one ends the process.
enum Interruption {
    private static let isAsked = Atomic<Bool>(false)

    static var isWanted: Bool { isAsked.load(ordering: .relaxed) }

    static func begin() {
        isAsked.store(false, ordering: .relaxed)
        for number in [SIGINT, SIGTERM] {
            cposix_catch(number) { number in
                if Interruption.isAsked.exchange(true, ordering: .relaxed) { cposix_die_of(number) }
            }
        }
    }
}
