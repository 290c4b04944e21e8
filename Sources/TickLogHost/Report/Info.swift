import TickLog

/// What a file or a run is, from a walk through all of it; polled DLF by arithmetic.
public enum Info {
    case run(RunSummary)
    case bcsv(BCSVFile, FileSummary)
    case dlf(DLFFile, FileSummary)
    case frames(FrameSummary)
    case bms(BMSSummary)
    case rnog(RNOGSummary)
    /// The metadata lie in the file.
    case dlfMeta(path: String, MappedFile, DLFMeta)

    /// - Throws: if it is nothing that is read, or cannot be opened.
    public init(_ path: String) throws(Fault) {
        switch try Input(path) {
        case .run(let directory): self = .run(try RunSummary(directory))
        case .bcsv(let file): self = .bcsv(file, FileSummary(file))
        case .dlf(let file): self = .dlf(file, FileSummary(file))
        case .frames(let file): self = .frames(FrameSummary(file))
        case .bms(let file): self = .bms(BMSSummary(file))
        case .rnog(let file): self = .rnog(try RNOGSummary(file))
        case .dlfMeta(let file, let meta): self = .dlfMeta(path: path, file, meta)
        }
    }

    public var faults: [Fault] {
        switch self {
        case .run(let summary): summary.faults
        case .bcsv(_, let summary): summary.faults
        case .dlf(_, let summary): summary.faults
        case .frames(let summary): summary.faults
        case .bms(let summary): summary.faults
        case .rnog(let summary): summary.faults
        case .dlfMeta: []
        }
    }

    /// What the system has refused or, if there is none, the first damage. A torn end is none: the file was never closed.
    public var fault: Fault? { Info.first(of: faults) }

    static func first(of faults: [Fault]) -> Fault? {
        for fault in faults where fault.kind == .system { return fault }
        for fault in faults where fault.kind != .torn { return fault }
        return nil
    }

    /// One object, and the end of its line.
    public func json(_ output: Output) {
        var writer = JSONWriter(output)
        switch self {
        case .run(let summary): writer.run(summary)
        case .bcsv(let file, let summary): writer.bcsv(file, summary)
        case .dlf(let file, let summary): writer.dlf(file, summary)
        case .frames(let summary): writer.frames(summary)
        case .bms(let summary): writer.bms(summary)
        case .rnog(let summary): writer.rnog(summary)
        case .dlfMeta(let path, let file, let meta):
            writer.dlfMeta(path, meta)
            withExtendedLifetime(file) {}
        }
        output.byte(0x0A)
    }
}
