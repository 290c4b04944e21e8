import CPosix
import CTickLog

extension Fault {
    /// As C functions answer it.
    var status: ticklog_status {
        switch kind {
        case .unreadable: TICKLOG_WRONG_FORMAT
        case .torn, .damaged: TICKLOG_DAMAGED
        case .system: code == ENOMEM ? TICKLOG_NO_MEMORY : code.map { posixStatus($0) } ?? TICKLOG_IO
        }
    }
}
