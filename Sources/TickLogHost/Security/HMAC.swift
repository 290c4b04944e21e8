import CPosix

/// Why something cannot be authenticated: a sentence for the user.
public struct SecurityError: Error {
    public let message: String

    init(_ message: String) { self.message = message }
}

/// HMAC-SHA-256 (RFC 2104, FIPS 180-4) by OpenSSL's libcrypto, or by the kernel where that is missing. Neither is needed
/// for building. May be used by several threads.
public struct HMAC: Sendable {
    /// Bytes of a code.
    public static var bytes: Int { 32 }

    /// Nil: the kernel makes the codes.
    private let library: cposix_hmac?
    public var isKernel: Bool { library == nil }

    public init() throws(SecurityError) { try self.init(library: "libcrypto.so.3") }

    init(library name: String) throws(SecurityError) {
        var functions = cposix_hmac()
        let room = 512
        let reason = UnsafeMutablePointer<CChar>.allocate(capacity: room)
        defer { reason.deallocate() }
        if cposix_load_hmac(&functions, name, reason, room) == 0 {
            library = functions
            return
        }
        library = nil
        var code: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let status = withUnsafeMutableBytes(of: &code) {
            cposix_kernel_hmac_sha256("key", 3, "", 0, $0.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
        guard status == 0 else {
            throw SecurityError(
                "tokens need HMAC-SHA-256 of the library \(name) or of the kernel (AF_ALG): install the library (apt install libssl3), or load the kernel's module algif_hash. The loader says: "
                    + terminalText(String(cString: reason)) + "; the kernel says: " + String(cString: strerror(-status)))
        }
    }

    /// The code of a message, 32 bytes.
    public func code(key: [UInt8], of message: [UInt8]) throws(SecurityError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: HMAC.bytes)
        let status = key.withUnsafeBytes { key in
            message.withUnsafeBytes { message in
                code.withUnsafeMutableBufferPointer { code in
                    if var library {
                        return cposix_hmac_sha256(
                            &library, key.baseAddress, key.count, message.baseAddress, message.count, code.baseAddress)
                    }
                    return cposix_kernel_hmac_sha256(
                        key.baseAddress, key.count, message.baseAddress, message.count, code.baseAddress)
                }
            }
        }
        guard status == 0 else { throw SecurityError("HMAC-SHA-256: " + String(cString: strerror(-status))) }
        return code
    }
}

/// Whether both are the same, in a time that tells nothing about where they differ.
@inline(never)
public func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for i in 0..<a.count { difference |= a[i] ^ b[i] }
    return difference == 0
}

/// Bytes that nobody can guess, from the kernel; at most 256.
public func randomBytes(_ count: Int) throws(SecurityError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let status = bytes.withUnsafeMutableBytes { cposix_random($0.baseAddress, $0.count) }
    guard status == 0 else { throw SecurityError("random bytes: " + String(cString: strerror(-status))) }
    return bytes
}
