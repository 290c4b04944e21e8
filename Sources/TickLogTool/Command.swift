import TickLogHost

enum Exit {
    static var ok: Int32 { 0 }
    static var damaged: Int32 { 1 }
    static var usage: Int32 { 2 }
    static var system: Int32 { 3 }

    /// Of what is not as it is to be; nil: all is.
    static func code(of fault: Fault?) -> Int32 { fault.map { $0.kind == .system ? system : damaged } ?? ok }
}

/// Why a command ends early.
struct Failure: Error {
    let code: Int32
    let message: String

    init(_ code: Int32, _ message: String) {
        self.code = code
        self.message = message
    }

    static func usage(_ message: String) -> Failure { Failure(Exit.usage, message) }

    init(_ fault: Fault) {
        self.init(Exit.code(of: fault), fault.message)
    }

    init(_ error: FileError) { self.init(Fault(error)) }
}

struct Command {
    let name: String
    let summary: String
    /// What `--help` prints: usage, options, two examples.
    let help: String
    let options: [Option]
    let run: (Arguments) throws(Failure) -> Int32
}

struct Option {
    let name: String
    let takesValue: Bool

    init(_ name: String, takesValue: Bool = false) {
        self.name = name
        self.takesValue = takesValue
    }
}
