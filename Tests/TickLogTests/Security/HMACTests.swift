import Glibc
import Testing

@testable import TickLogHost

/// RFC 4231, 4.2 to 4.8 without 4.6, whose code is cut.
private let vectors: [(key: [UInt8], message: [UInt8], code: String)] = [
    ([UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ([UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (Array(1...25), [UInt8](repeating: 0xCD, count: 50),
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    ([UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    ([UInt8](repeating: 0xAA, count: 131),
     Array("This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.".utf8),
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
]

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

@Test func codesAreThoseOfTheRFC() throws {
    let hmac = try HMAC()
    for vector in vectors { #expect(hex(try hmac.code(key: vector.key, of: vector.message)) == vector.code) }
}

@Test func withoutTheLibraryTheKernelMakesTheSameCodesOrTheErrorSaysWhatToInstall() throws {
    do throws(SecurityError) {
        let hmac = try HMAC(library: "libnothing-of-ticklog.so.3")
        #expect(hmac.isKernel)
        for vector in vectors { #expect(hex(try hmac.code(key: vector.key, of: vector.message)) == vector.code) }
    } catch {
        #expect(error.message.contains("apt install libssl3"))
        #expect(error.message.contains("AF_ALG"))
    }
}

@Test func aLibraryWithoutHMACIsNotUsed() throws {
    do throws(SecurityError) { #expect(try HMAC(library: "libm.so.6").isKernel) } catch {
        #expect(error.message.contains("it has no HMAC"))
    }
}

@Test func bytesAreComparedWhole() {
    #expect(equalInConstantTime([1, 2, 3], [1, 2, 3]))
    #expect(!equalInConstantTime([1, 2, 3], [1, 2, 4]))
    #expect(!equalInConstantTime([0, 2, 3], [1, 2, 3]))
    #expect(!equalInConstantTime([1, 2, 3], [1, 2]))
    #expect(!equalInConstantTime([], [0]))
}

@Test func randomBytesDiffer() throws {
    #expect(try randomBytes(32) != randomBytes(32))
    #expect(throws: SecurityError.self) { try randomBytes(257) }
}

@Suite struct TokenTests {
    private func file(_ content: [UInt8], mode: mode_t = 0o600) -> String {
        let path = "/tmp/ticklog-token-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        _ = content.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        fchmod(descriptor, mode)
        close(descriptor)
        return path
    }

    private func refusal(_ content: String, mode: mode_t = 0o600) -> String {
        let path = file(Array(content.utf8), mode: mode)
        defer { unlink(path) }
        do throws(SecurityError) { _ = try Token(file: path) } catch { return error.message }
        return ""
    }

    @Test func theFirstLineWithoutBlanksIsTheSecret() throws {
        let challenge = try randomBytes(Token.challengeBytes)
        let expected = try Token(Array("correct horse battery".utf8)).answer(to: challenge)
        for content in ["correct horse battery", "  correct horse battery\t\r\nsecond line", "correct horse battery\n"] {
            let path = file(Array(content.utf8))
            defer { unlink(path) }
            let token = try Token(file: path)
            #expect(try token.answer(to: challenge) == expected)
            #expect(try token.accepts(expected, to: challenge))
            #expect(try !token.accepts(expected, to: try randomBytes(Token.challengeBytes)))
            #expect(try !token.accepts([], to: challenge))
        }
    }

    @Test func whatIsNoTokenIsRefused() {
        #expect(refusal("fifteen bytes..").contains("found 15 bytes, expected a token of at least 16"))
        #expect(refusal("").contains("found 0 bytes"))
        #expect(refusal("\nsixteen bytes....").contains("found 0 bytes"))
        #expect(refusal(String(repeating: "x", count: 4097)).contains("more than 4096 bytes"))
        #expect(refusal(String(repeating: "x", count: 4096)) == "")
        #expect(refusal("sixteen bytes....", mode: 0o640).contains("found the mode 640, expected 600"))
        #expect(refusal("sixteen bytes....", mode: 0o604).contains("found the mode 604, expected 600"))
        #expect(refusal("sixteen bytes....", mode: 0o400) == "")
    }

    @Test func onlyARegularFileHasAToken() {
        for path in ["/dev/zero", "/tmp", "/nothing/there"] { #expect(throws: SecurityError.self) { try Token(file: path) } }
    }
}
