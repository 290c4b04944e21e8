import TickLog

/// Something wrong with a file: where, what was found and what was expected there.
public struct Fault: Error {
    public enum Kind: Sendable {
        /// Not this format, or a version or codec of it that is not read.
        case unreadable
        /// The file ends within its last packet or record: it was never closed.
        case torn
        case damaged
        /// The system refused.
        case system
    }

    public let kind: Kind
    public let path: String
    public let offset: Int?
    /// "found X, expected Y", and what follows from it.
    public let text: String
    /// The `errno` of a system call that failed.
    public let code: Int32?

    public init(_ kind: Kind, _ path: String, at offset: Int?, _ text: String, code: Int32? = nil) {
        self.code = code
        self.kind = kind
        self.path = path
        self.offset = offset
        self.text = text
    }

    public init(_ error: FileError) {
        self.init(.system, error.path, at: nil, error.doing + ": " + error.reason, code: error.code)
    }

    init(_ error: FormatError, _ path: String, kind: Kind? = nil, and more: String = "") {
        let own: Kind = error.kind == .wrongFormat || error.kind == .unsupported ? .unreadable : .damaged
        self.init(kind ?? own, path, at: error.offset, sentence(error.found, error.expected) + more)
    }

    /// A part of a record at the end is no damage: the file was never closed.
    init(unclosed error: FormatError, _ path: String) {
        self.init(error, path, kind: error.kind == .torn ? .torn : nil)
    }

    /// The whole sentence, without what would disturb a terminal.
    public var message: String {
        var message = (path.isEmpty ? "''" : terminalText(path)) + ": "
        if let offset { message += "offset \(offset): " }
        return message + terminalText(text)
    }
}

private func sentence(_ found: Finding, _ expected: StaticString) -> String {
    let what: String
    switch found {
    case .number(let number): what = "\(number)"
    case .hex(let number): what = hexText(number)
    case .end: what = "the end of the file"
    case .text(let text): what = staticText(text)
    }
    return "found " + what + ", expected " + staticText(expected)
}

public func staticText(_ text: StaticString) -> String {
    String(decoding: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount), as: UTF8.self)
}
