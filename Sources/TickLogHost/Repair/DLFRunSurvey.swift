import CPosix
import TickLog

/// A run in the format DLF: what each file is, what they say of each other, and what a repair would make of them.
///
/// LOCK: the run is open, or ended without being closed; then a `tick_span` that nobody has written is normal. Without
/// LOCK it is not: dlflib removes LOCK of runs that have overflowed, without writing it.
public final class DLFRunSurvey {
    public let directory: RunDirectory
    public let path: String
    public let isLocked: Bool
    /// Those that are there.
    public let files: [DLFSurvey]
    public let spans: DLFSpans
    /// What must not stay as it is, in the order of the files.
    public private(set) var faults: [Fault] = []
    /// What is peculiar, and no damage.
    public private(set) var notes: [Fault] = []
    /// Why the run cannot be repaired.
    public private(set) var refusal: Fault?
    /// One for each file that there is to be.
    public private(set) var repairs: [DLFRepair] = []
    /// Files that do not end with what their `tick_span` says.
    public private(set) var hasWrongSpan = false

    public init(_ directory: RunDirectory) throws(Fault) {
        self.directory = directory
        path = directory.path
        isLocked = directory.isLocked
        var files: [DLFSurvey] = []
        var refusals: [Fault] = []
        let paths: [(DLFSurvey.Role, String?)] = [
            (.polled, directory.polledPaths.first), (.event, directory.eventPaths.first), (.loss, directory.lossPath),
        ]
        for (role, path) in paths {
            guard let path else { continue }
            do { files.append(DLFSurvey(try directory.open(path), as: role)) } catch { throw Fault(error) }
        }
        self.files = files
        func file(_ role: DLFSurvey.Role) -> DLFSurvey? { files.first { $0.role == role } }
        let (polled, event, loss) = (file(.polled), file(.event), file(.loss))
        spans = DLFSpans(polled: polled, event: event, loss: loss, isLocked: isLocked)
        var isSettled = false
        if !isLocked, let polled, let event {
            isSettled = DLFSpans.isSettled(polled: polled, event: event, loss: loss)
            if !isSettled, DLFSpans.areUnwritable(polled: polled, event: event, loss: loss) {
                isSettled = true
                notes.append(
                    Fault(
                        .torn, polled.path, at: 3,
                        "found tick_span 0 in all files of a closed run, expected the last tick: storage that can only append leaves it so; whether whole ticks are missing at the end cannot be told"))
            }
        }

        // The set of files.
        faults += directory.archive?.faults ?? []
        checkMeta(&refusals)
        if polled == nil {
            let fault = Fault(.damaged, self.path, at: nil, "found no polled.dlf, expected one")
            faults.append(fault)
            // A run that ended in its start has no event either.
            if !isLocked || (event?.samples ?? 0) > 0 || (loss?.samples ?? 0) > 0 { refusals.append(fault) }
        }
        if event == nil { faults.append(Fault(.damaged, self.path, at: nil, "found no event.dlf, expected one")) }

        // The files.
        for file in files {
            notes += file.notes
            let span = spans.span(file.role)
            if let fault = file.fault { faults.append(fault) }
            if file.header == .bad, let fault = file.fault { refusals.append(fault) }
            guard file.header == .whole, let stored = file.tickSpan, stored != span, !isSettled else { continue }
            hasWrongSpan = true
            if isLocked {
                notes.append(Fault(.torn, file.path, at: 3, wrongSpan(file, stored, span) + ": the run was not closed"))
            } else {
                faults.append(
                    Fault(
                        .damaged, file.path, at: 3,
                        wrongSpan(file, stored, span)
                            + ": the run looks closed and is not, as one that has overflowed, or one on storage that can only append"))
            }
        }
        refusal = refusals.first

        // What is to be done.
        let isSound = isSettled && faults.isEmpty
        var isWritten = false
        for file in files where file.fault != nil { isWritten = true }
        for role in [DLFSurvey.Role.polled, .event, .loss] {
            if let file = file(role) {
                guard file.header != .bad else { continue }
                let span = isSound ? file.tickSpan ?? 0 : spans.span(role)
                let zeros = !isSound && (isLocked || isWritten || hasWrongSpan) && !file.zeroIntervals.isEmpty
                repairs.append(DLFRepair(file, tickSpan: span, isWritten: zeros))
            } else if role != .loss {
                repairs.append(DLFRepair(missing: newPath(role), role, tickSpan: spans.span(role)))
            }
        }
    }

    public var isSound: Bool { faults.isEmpty }
    public var isClosed: Bool { !isLocked && !hasWrongSpan && faults.isEmpty }
    /// There is nothing to repair.
    public var isFinished: Bool { isClosed && !repairs.contains { $0.isNeeded } }
    public var samples: UInt64 {
        var sum: UInt64 = 0
        for file in files where file.role != .loss { sum += file.samples }
        return sum
    }

    /// Where LOCK is, if it is there.
    public var lockPath: String? {
        for name in directory.names where name == "LOCK" || name == "lock" { return path.file(name) }
        return nil
    }

    private func wrongSpan(_ file: DLFSurvey, _ stored: UInt64, _ span: UInt64) -> String {
        var text = "found tick_span \(stored), expected \(span)"
        guard let expected = file.expectedBytes, !file.agrees(with: stored) else { return text }
        text += ", of which the data are: \(file.end - file.dataOffset) bytes"
        text += expected == .max ? ", not more than any file has" : ", not \(expected)"
        return text
    }

    private func checkMeta(_ refusals: inout [Fault]) {
        let path = directory.metaPath
        do throws(Fault) {
            let file: MappedFile
            do { file = try directory.open(path) } catch { throw Fault(error) }
            defer { withExtendedLifetime(file) {} }
            let bytes = file.bytes
            if bytes.holds(2, at: 0), bytes[0] == 0x84, bytes[1] == 0x14 {
                throw Fault(.unreadable, path, at: 0, "found the bytes 84 14, the magic of a big-endian file, expected 14 84")
            }
            do throws(FormatError) {
                let meta = try DLFMeta(bytes)
                _ = try DLFFile.fields(meta.type, size: meta.data.count, at: meta.typeOffset)
                let end = meta.data.start + meta.data.count - bytes.start
                if end < bytes.count {
                    notes.append(Fault(.torn, path, at: end, "found \(bytes.count - end) bytes, expected the end of the file behind the metadata"))
                }
            } catch {
                throw Fault(error, path)
            }
        } catch {
            faults.append(error)
            refusals.append(Fault(error.kind, error.path, at: error.offset, error.text + "; meta.dlf cannot be made anew", code: error.code))
        }
    }

    /// In the case of the others' names.
    private func newPath(_ role: DLFSurvey.Role) -> String {
        let name = staticText(role.name)
        let isUpper = directory.metaPath.lastComponent == "META.DLF"
        return path.file(isUpper ? String(decoding: name.utf8.map { $0 >= 0x61 && $0 <= 0x7A ? $0 - 32 : $0 }, as: UTF8.self) : name)
    }
}

extension DLFSpans {
    func span(_ role: DLFSurvey.Role) -> UInt64 {
        switch role {
        case .polled: polled
        case .event: event
        case .loss: loss
        }
    }
}
