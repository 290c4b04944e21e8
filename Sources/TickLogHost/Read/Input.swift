import TickLog

/// What a path turns out to be, by its content.
public enum Input {
    case run(RunDirectory)
    case bcsv(BCSVFile)
    case dlf(DLFFile)
    case frames(FrameFile)
    case bms(BMSFile)
    case rnog(RNOGFile)
    case dlfMeta(MappedFile, DLFMeta)

    public init(_ path: String) throws(Fault) {
        if path != "-", kind(of: path) == .directory {
            let run: RunDirectory?
            do { run = try RunDirectory(path) } catch { throw Fault(error) }
            guard let run else {
                throw Fault(.unreadable, path, at: nil, "found no meta.bcsv and no meta.dlf, expected the directory of a run")
            }
            self = .run(run)
            return
        }
        let file: MappedFile
        do { file = try MappedFile(path, wanted: Input.isPossible) } catch { throw Fault(error) }
        self = try Input(file)
    }

    /// A file that is open already.
    public init(_ file: MappedFile) throws(Fault) {
        if RunArchive.recognises(file.bytes) {
            let archive = try RunArchive(file)
            guard let run = RunDirectory(archive) else {
                throw Fault(.unreadable, file.path, at: nil, "found no meta.bcsv and no meta.dlf, expected the archive of a run")
            }
            self = .run(run)
        } else if BCSVFile.recognises(file.bytes) {
            self = .bcsv(try BCSVFile(file))
        } else if DLFFile.recognises(file.bytes) {
            // Polled, event and meta files begin alike. The third byte of a meta file is any.
            do {
                self = .dlf(try DLFFile(file))
            } catch {
                guard let meta = try? DLFMeta(file.bytes), meta.data.start + meta.data.count == file.bytes.start + file.bytes.count
                else { throw error }
                self = .dlfMeta(file, meta)
            }
        } else if try RNOGFile.recognises(file) {
            self = .rnog(RNOGFile(file))
        } else if FrameFile.recognises(file) {
            self = .frames(FrameFile(file))
        } else if BMSFile.recognises(file.bytes) {
            self = .bms(try BMSFile(log: file))
        } else if try RNOGFile.hasAny(file) {
            self = .rnog(RNOGFile(file))
        } else {
            try Input.refuseParquet(file)
            var found = "no bytes"
            if file.bytes.count > 0 {
                found = "the bytes " + hexText(of: file.bytes.slice(at: 0, count: min(4, file.bytes.count)))
            }
            throw Fault(.unreadable, file.path, at: 0, "found \(found), expected a BCSV file (42435356), a DLF file (1484), frames (d3914c7e), a BMS log (544c424d), RNO-G packets (d1ea, d1af, a157, ccda) or an archive of a run")
        }
    }

    /// Says what it is.
    public static func refuseParquet(_ file: MappedFile) throws(Fault) {
        let bytes = file.bytes
        // A text may begin so as well.
        guard bytes.count >= 4, bytes.unsigned(at: 0, size: 4) == parquetMagic,
            bytes.firstZero(from: 0, limit: 4096) != nil || bytes.unsigned(at: bytes.count - 4, size: 4) == parquetMagic
        else { return }
        throw Fault(
            .unreadable, file.path, at: 0,
            "found a Parquet file (PAR1), expected a format that is read: ticklog writes Parquet and does not read it")
    }

    private static var parquetMagic: UInt64 { 0x3152_4150 }

    /// Whether what begins so can become a file that is read: a pipe may give less than a header at first.
    public static func isPossible(_ bytes: FileBytes) -> Bool {
        bytes.count < 512 || RunArchive.recognises(bytes) || BCSVFile.recognises(bytes) || DLFFile.recognises(bytes)
            || FrameFile.recognises(bytes) || BMSFile.recognises(bytes) || RNOGFile.isPossible(bytes)
    }
}
