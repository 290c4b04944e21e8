import TickLog

/// One of the files that a BCSV run's table consists of, opened (spec: 7, runs that were not closed).
enum RunFile {
    case readable(BCSVFile)
    /// The newest file of a run with LOCK that has not all of its header yet: it was being made when the run ended.
    case begun(Fault, size: Int)
    case bad(Fault)

    /// The files of one table, in their order.
    static func open(_ paths: [String], of run: RunDirectory) -> [RunFile] {
        var opened: [RunFile] = []
        var first: BCSVFile?
        for i in 0..<paths.count {
            let file: MappedFile
            do { file = try run.open(paths[i]) } catch {
                opened.append(.bad(Fault(error)))
                continue
            }
            if run.isLocked, i == paths.count - 1, i == 0 || first != nil, isBegun(file.bytes, as: first) {
                let size = file.bytes.count
                let text = "found the end of the file, expected a whole file header; the run ended while this file was made, and no row is in it"
                opened.append(.begun(Fault(.torn, paths[i], at: size, text), size: size))
                continue
            }
            do throws(Fault) {
                let file = try BCSVFile(file)
                if i == 0 { first = file }
                opened.append(.readable(file))
            } catch {
                opened.append(.bad(error))
            }
        }
        return opened
    }

    /// Whether a file holds a part of its header and nothing else. All files of a table have the same header, so the
    /// first tells what it would be. After a power cut, bytes that had not reached the medium may be zeros.
    private static func isBegun(_ bytes: FileBytes, as first: BCSVFile?) -> Bool {
        var same = 0
        if let first {
            let header = first.file.bytes.slice(at: 0, count: first.header.dataOffset)
            while same < min(bytes.count, header.count), bytes[same] == header[same] { same += 1 }
            if same == header.count { return false }
        } else {
            do throws(FormatError) {
                _ = try BCSVHeader(bytes)
                return false
            } catch {
                if error.kind == .torn { return true }
            }
            let magic: StaticString = "BCSV"
            while same < min(bytes.count, 4), bytes[same] == magic.utf8Start[same] { same += 1 }
        }
        while same < bytes.count, bytes[same] == 0 { same += 1 }
        return same == bytes.count
    }
}
