import CPosix

/// A secret that a server and its clients share. It proves who a client is; what is sent is not encrypted.
public struct Token: Sendable {
    private let secret: [UInt8]
    private let hmac: HMAC

    public static var challengeBytes: Int { 32 }
    public static var leastBytes: Int { 16 }
    static var mostBytes: Int { 4096 }

    /// The first line of a file, without blanks around it: 16 to 4096 bytes. The file must be one that only its owner may
    /// read.
    public init(file path: String) throws(SecurityError) {
        let name = terminalText(path)
        let descriptor = cposix_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard descriptor >= 0 else { throw SecurityError(name + ": open: " + String(cString: strerror(cposix_errno()))) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw SecurityError(name + ": stat: " + String(cString: strerror(cposix_errno())))
        }
        guard FileKind(status) == .file else { throw SecurityError(name + ": found no regular file, expected a file with a token") }
        let mode = UInt32(status.st_mode) & 0o777
        guard mode & 0o077 == 0 else {
            throw SecurityError(
                name + ": found the mode \(String(mode, radix: 8)), expected 600: nobody but its owner may read a file with a token (chmod 600)")
        }
        // One byte more, to see that there is no more.
        var bytes = [UInt8](repeating: 0, count: Token.mostBytes + 2)
        var count = 0
        while count < bytes.count {
            let taken = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + count, $0.count - count) }
            if taken < 0, cposix_errno() == EINTR { continue }
            guard taken >= 0 else { throw SecurityError(name + ": read: " + String(cString: strerror(cposix_errno()))) }
            if taken == 0 { break }
            count += taken
        }
        let line = bytes[..<count].prefix { $0 != 0x0A }
        guard line.count <= Token.mostBytes else {
            throw SecurityError(name + ": found a line of more than \(Token.mostBytes) bytes, expected a token of at most as many")
        }
        var first = line.startIndex
        var end = line.endIndex
        while first < end, isBlank(line[first]) { first += 1 }
        while first < end, isBlank(line[end - 1]) { end -= 1 }
        try self.init(Array(line[first..<end]), named: name)
    }

    public init(_ secret: [UInt8], named name: String = "token") throws(SecurityError) {
        guard secret.count >= Token.leastBytes else {
            throw SecurityError(name + ": found \(secret.count) bytes, expected a token of at least \(Token.leastBytes)")
        }
        self.secret = secret
        hmac = try HMAC()
    }

    /// What a client answers to the server's challenge.
    public func answer(to challenge: [UInt8]) throws(SecurityError) -> [UInt8] { try hmac.code(key: secret, of: challenge) }

    /// Whether an answer is this token's.
    public func accepts(_ answer: [UInt8], to challenge: [UInt8]) throws(SecurityError) -> Bool {
        equalInConstantTime(try self.answer(to: challenge), answer)
    }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
