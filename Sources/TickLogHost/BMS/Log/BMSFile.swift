import TickLog

/// A file of BMS packets.
public struct BMSFile {
    public enum Form: Sendable {
        /// A server's log of DataPackets, or of legacy Packets (spec: PACKETS, 5).
        case log(LogFileHeader.Kind)
        /// Legacy Packets one behind the other, without any header.
        case legacy
        /// Messages: lengths, and bodies of DataPackets.
        case packets
        /// The same, of DataPackets in their first form.
        case oldPackets

        /// Packets without a record around them.
        public var isBare: Bool {
            if case .log = self { return false }
            return true
        }

        public var isLegacy: Bool {
            switch self {
            case .log(.legacyPackets), .legacy: true
            case .log(.dataPackets), .packets, .oldPackets: false
            }
        }
    }

    public let file: MappedFile
    public let form: Form
    public var path: String { file.path }

    /// A log, by its header.
    public init(log file: MappedFile) throws(Fault) {
        self.file = file
        do throws(FormatError) { form = .log(try LogFileHeader(file.bytes).kind) } catch { throw Fault(error, file.path) }
    }

    /// What has no header.
    public init(_ file: MappedFile, _ form: Form) {
        self.file = file
        self.form = form
    }

    public static func recognises(_ bytes: FileBytes) -> Bool {
        bytes.count >= 8 && bytes.u64(at: 0) == LogFileHeader.magic
    }
}
