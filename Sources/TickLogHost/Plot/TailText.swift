import CPosix

/// The records at the end of a text that may still grow: lines, of CSV outside of quotes.
public final class TailText {
    public let path: String
    private let isCSV: Bool
    private let descriptor: Int32
    private var offset: UInt64 = 0
    private var rest: [UInt8] = []
    private var inQuotes = false
    private var scanned = 0
    public private(set) var isShorter = false

    public init(_ path: String, isCSV: Bool) throws(FileError) {
        self.path = path
        self.isCSV = isCSV
        descriptor = cposix_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard descriptor >= 0 else { throw FileError(path, "open", cposix_errno()) }
    }

    deinit { _ = close(descriptor) }

    /// The next whole record, with its end of line; nil: none yet.
    private func record() throws(FileError) -> [UInt8]? {
        while true {
            while scanned < rest.count {
                let byte = rest[scanned]
                scanned += 1
                if byte == 0x22, isCSV { inQuotes = !inQuotes }
                if byte == 0x0A, !inQuotes {
                    let record = Array(rest[start..<scanned])
                    start = scanned
                    return record
                }
            }
            if start > 0 {
                rest.removeFirst(start)
                scanned -= start
                start = 0
            }
            guard rest.count < 1 << 26 else { throw FileError(path, "hold a line of", ENOMEM) }
            var block = [UInt8](repeating: 0, count: 1 << 16)
            let taken = block.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if taken < 0 {
                let error = cposix_errno()
                if error == EINTR { continue }
                if error == EAGAIN { return nil }
                throw FileError(path, "read", error)
            }
            if taken == 0 {
                if TickLogHost.kind(of: path) == .file, TickLogHost.size(of: path) < offset { isShorter = true }
                return nil
            }
            offset += UInt64(taken)
            rest += block[0..<taken]
        }
    }

    private var start = 0

    private func write(_ record: [UInt8], _ output: Output) {
        if output.isTerminal {
            var text = record
            if text.last == 0x0A { text.removeLast() }
            if text.last == 0x0D { text.removeLast() }
            output.line(terminalText(String(decoding: text, as: UTF8.self)))
        } else {
            record.withUnsafeBytes { output.bytes($0) }
        }
    }

    public func writeLast(_ most: UInt64, to output: Output, header: Bool) throws(FileError) {
        if isCSV {
            guard let first = try record() else { return }
            if header { write(first, output) }
        }
        let room = Int(clamping: min(most, 1 << 20))
        var last: [[UInt8]] = []
        var next = 0
        while let record = try record() {
            guard room > 0 else { continue }
            if last.count < room {
                last.append(record)
            } else {
                last[next] = record
                next = (next + 1) % room
            }
        }
        for i in 0..<last.count { write(last[(next + i) % last.count], output) }
    }

    public func write(to output: Output) throws(FileError) {
        while output.isOpen, let record = try record() { write(record, output) }
    }
}
