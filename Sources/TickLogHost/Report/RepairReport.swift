import TickLog

/// Repairs a file or a run, verifies the result, and tells what became of it.
public struct RepairReport {
    public let path: String
    private let result: Result

    private enum Result {
        case files([RepairedFile])
        case dlf(DLFRepaired)
    }

    /// - Throws: if it cannot be repaired; then what was there is as it was.
    public init(_ path: String, _ input: Repairable, _ options: RepairOptions) throws(Fault) {
        self.path = path
        result = switch input {
        case .bcsv(let file): .files([try RepairedFile(file, options)])
        case .bcsvRun(let directory): .files(try BCSVRunRepair(directory, options).replace())
        case .frames(let file): .files([try RepairedFile(file, options)])
        case .bms(let file): .files([try RepairedFile(file, options)])
        case .rnog(let file): .files([try RepairedFile(file, options)])
        case .dlf(let survey): .dlf(try DLFRepaired(survey, options))
        case .dlfRun(let survey): .dlf(try DLFRepaired(survey, options))
        }
    }

    /// For a terminal.
    public var lines: [String] {
        switch result {
        case .files(let files):
            var lines: [String] = []
            for file in files { lines += file.lines }
            return lines
        case .dlf(let repaired): return repaired.lines
        }
    }

    /// One object, and the end of its line.
    public func json(_ output: Output) {
        var writer = JSONWriter(output)
        switch result {
        case .files(let files):
            writer.begin("{")
            writer.field("path", path)
            writer.key("files")
            writer.begin("[")
            for file in files { file.json(&writer) }
            writer.end("]")
            writer.end("}")
        case .dlf(let repaired): repaired.json(&writer)
        }
        output.byte(0x0A)
    }
}
