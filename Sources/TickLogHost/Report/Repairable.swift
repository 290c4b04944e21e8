import TickLog

/// What can be repaired, by its content.
public enum Repairable {
    case bcsv(BCSVFile)
    case bcsvRun(RunDirectory)
    case dlf(DLFSurvey)
    case dlfRun(DLFRunSurvey)
    case frames(FrameFile)
    case bms(BMSFile)
    case rnog(RNOGFile)

    /// - Throws: if it is nothing of that. `inPlace`: what a repair in place has left, which was cut off, is put back first.
    public init(_ path: String, inPlace: Bool) throws(Fault) {
        if kind(of: path) == .directory {
            if inPlace {
                for name in ["polled.dlf", "event.dlf", "loss.dlf", "POLLED.DLF", "EVENT.DLF", "LOSS.DLF"] {
                    try restoreOriginal(path.file(name))
                }
            }
        } else {
            let file: MappedFile
            do throws(FileError) { file = try MappedFile(path, wanted: Input.isPossible) } catch { throw Fault(error) }
            if let survey = DLFSurvey(alone: file) {
                self = .dlf(survey)
                return
            }
        }
        switch try Input(path) {
        case .bcsv(let file): self = .bcsv(file)
        case .frames(let file): self = .frames(file)
        case .bms(let file): self = .bms(file)
        case .rnog(let file): self = .rnog(file)
        case .dlf(let file): throw Fault(.unreadable, file.path, at: nil, "found a DLF file of no known kind, expected polled or event")
        case .dlfMeta(let file, _):
            throw Fault(.unreadable, file.path, at: nil, "found a meta file of DLF, expected another: it is read whole or not at all")
        case .run(let directory):
            guard directory.archive == nil else {
                throw Fault(
                    .unreadable, path, at: nil,
                    "found the archive of a run, expected its directory: archives are not repaired, unpack it first")
            }
            self = directory.format == .dlf ? .dlfRun(try DLFRunSurvey(directory)) : .bcsvRun(directory)
        }
    }

    /// Whether there can be rows that no checksum covers, to be kept or not. DLF has no checksums.
    public var hasUnverified: Bool {
        switch self {
        case .bcsv, .bcsvRun, .dlf, .dlfRun: true
        case .frames, .bms, .rnog: false
        }
    }
}
