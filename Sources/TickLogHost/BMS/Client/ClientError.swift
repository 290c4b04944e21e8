import CPosix

/// Why a server's client cannot go on: a sentence for the user.
public struct ClientError: Error {
    public enum Kind: Sendable, Equatable {
        /// A system call failed, with this `errno`.
        case system(Int32)
        /// Nothing came, or went, within the time limit.
        case timedOut
        /// The server closed the connection.
        case disconnected
        /// The server asks for a token, or does not take this one.
        case denied
        /// What came is no answer of this protocol, or more than is held.
        case protocolError
        /// What was asked for is not possible.
        case argument
    }

    public let kind: Kind
    public let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    init(_ error: FileError) { self.init(.system(error.code), error.path + ": " + error.doing + ": " + error.reason) }
}
