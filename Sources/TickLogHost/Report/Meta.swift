import TickLog

/// What a file or a run says of itself: of a run its metadata and streams, of a file its header. Samples and rows are not read.
struct Meta {
    private let path: String
    private let input: Input
    private var run: Run?
    /// Polled and events, of a run of DLF.
    private var files: [DLFFile] = []
    private var faults: [Fault] = []

    /// - Throws: if it is nothing that is read, or cannot be opened.
    init(_ path: String) throws(Fault) {
        self.path = path
        input = try Input(path)
        guard case .run(let directory) = input else { return }
        let run = try Run(directory)
        self.run = run
        faults = run.faults
        guard directory.format == .dlf else { return }
        for path in directory.polledPaths + directory.eventPaths {
            do { files.append(try directory.dlf(path)) } catch { faults.append(error) }
        }
    }

    /// As `Info.fault`.
    var fault: Fault? { Info.first(of: faults) }

    /// One object, of keys that `Info` has with the same values, and the end of its line.
    func json(_ output: Output) {
        var writer = JSONWriter(output)
        writer.begin("{")
        switch input {
        case .run:
            if let run { tell(run, &writer) }
        case .bcsv(let file):
            writer.header(file)
            writer.field("size", UInt64(file.file.bytes.count))
        case .dlf(let file):
            writer.field("path", file.path)
            writer.field("kind", file.header.isEvents ? "dlf-event" : "dlf-polled")
            tell([file], tickNs: 0, &writer)
            writer.field("size", UInt64(file.file.bytes.count))
        case .frames(let file): tell("frames", file.file, &writer)
        case .bms(let file):
            tell("bms-log", file.file, &writer)
            writer.field("packet_kind", file.form.isLegacy ? "legacy" : "data")
        case .rnog(let file):
            tell("rnog", file.file, &writer)
            writer.field("compressed", file.isCompressed)
        case .dlfMeta(let file, let meta):
            writer.described(path, meta)
            withExtendedLifetime(file) {}
        }
        writer.end("}")
        output.byte(0x0A)
    }

    private func tell(_ kind: String, _ file: MappedFile, _ writer: inout JSONWriter) {
        writer.field("path", file.path)
        writer.field("kind", kind)
        writer.field("size", UInt64(file.bytes.count))
    }

    private func tell(_ run: Run, _ writer: inout JSONWriter) {
        writer.identity(run)
        writer.files(run)
        if run.directory.format == .dlf {
            tell(files, tickNs: run.meta.tickNs, &writer)
        } else {
            writer.key("streams")
            writer.begin("[")
            for stream in run.streams { writer.stream(stream, nil, tickNs: 0) }
            writer.end("]")
        }
        writer.faults("damage", faults)
    }

    private func tell(_ files: [DLFFile], tickNs: UInt64, _ writer: inout JSONWriter) {
        writer.key("streams")
        writer.begin("[")
        for file in files {
            for i in 0..<file.streams.count {
                let type = String(decoding: file.described[i].type.buffer, as: UTF8.self)
                writer.stream(file.streams[i], (type, file.described[i].size, nil), tickNs: tickNs)
            }
        }
        writer.end("]")
    }
}
