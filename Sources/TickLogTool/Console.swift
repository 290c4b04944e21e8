import CPosix
import TickLogHost

/// The two outputs of a command: data on one, all else on the other.
enum Console {
    static func error(_ text: String) {
        var text = text
        text.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
    }

    static func print(_ text: String) -> Int32 {
        let output = Output(descriptor: 1)
        output.text(text)
        do { try output.flush() } catch {
            self.error("ticklog: " + Fault(error).message + "\n")
            return Exit.system
        }
        return Exit.ok
    }

    static func report(_ fault: Fault) {
        error((fault.kind == .torn ? "ticklog: note: " : "ticklog: ") + fault.message + "\n")
    }

    /// Reports all, and tells the exit code that they amount to.
    static func report(_ faults: [Fault]) -> Int32 {
        var code = Exit.ok
        for fault in faults {
            report(fault)
            switch fault.kind {
            case .torn: break
            case .system: code = max(code, Exit.system)
            case .damaged, .unreadable: code = max(code, Exit.damaged)
            }
        }
        return code
    }
}

extension Output {
    func finish() throws(Failure) {
        do { try flush() } catch { throw Failure(error) }
    }
}
