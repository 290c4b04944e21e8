import TickLog
import TickLogHost

func rnogCommand() -> Command {
    Command(
        name: "rnog", summary: "prints and converts RNO-G packets",
        help: """
            Usage: ticklog rnog cat FILE [OPTION]...
                   ticklog rnog info FILE... [--json]
                   ticklog rnog convert FILE OUT [OPTION]...
                   ticklog rnog index FILE

            Files of RNO-G packets (headers, waveforms, pedestals, daqstatus) of every version, as they are or compressed by
            gzip. cat prints one JSON object a packet; info tells what is there; index makes FILE.idx, by which cat finds
            --packet and --event at once. A stale index is made anew; without one, the file is read from its start.
            convert goes by OUT's extension: .jsonl (packets with their samples), .csv (packets without), .bcsv or .parquet (a row a
            packet, of waveforms and pedestals a row a sample, with a column for each channel), .dat or .gz (packets of the
            current versions); or OUT is a directory, with / at its end, for a BCSV file of each type. - is standard output.

              --type T            header, waveform, pedestal or daqstatus: these packets only
              --samples           cat: the samples, instead of their Adler-32 and ends
              --packet A[:B]      cat: packet A, or A to B - 1, counted from 0 among the good ones
              --event N           cat: the packets of an event
              --salvage           goes on behind damage, and reports what was skipped; exit code 1
              --force             convert: replaces OUT
              --to FORMAT         convert: bcsv, csv, jsonl, parquet, dat or gz, instead of what OUT's extension says
              --level N           convert: of gz, 1 to 9; 6 unless given. Of bcsv as in ticklog convert, and so are
              --row-codec C, --file-codec C, --packet-size N, --bcsv-version V
              --json              info: one JSON object for each FILE
              --help, --version

            Examples:
              ticklog rnog cat waveforms.dat.gz --event 1200 --samples
              ticklog rnog convert waveforms.dat.gz waveforms.bcsv

            """,
        options: [
            Option("type", takesValue: true), Option("samples"), Option("packet", takesValue: true),
            Option("event", takesValue: true), Option("salvage"), Option("force"), Option("to", takesValue: true),
            Option("level", takesValue: true), Option("row-codec", takesValue: true), Option("file-codec", takesValue: true),
            Option("packet-size", takesValue: true), Option("bcsv-version", takesValue: true), Option("json"),
        ],
        run: { (arguments) throws(Failure) in try rnog(arguments) })
}

private func rnog(_ arguments: Arguments) throws(Failure) -> Int32 {
    let words = arguments.operands
    let what = words.first ?? ""
    switch what {
    case "cat":
        guard words.count == 2 else { throw .usage("found \(words.count - 1) operands behind cat, expected one: FILE") }
        return try cat(try opened(words[1]), arguments)
    case "info":
        guard words.count >= 2 else { throw .usage("found no operand behind info, expected files") }
        let output = Output(descriptor: 1)
        var code = Exit.ok
        for path in words[1...] {
            do throws(Fault) {
                let summary = try RNOGSummary(try open(path))
                if arguments.has("json") {
                    var writer = JSONWriter(output)
                    writer.rnog(summary)
                    output.byte(0x0A)
                } else {
                    output.rnog(summary)
                }
                for fault in summary.faults where fault.kind != .torn { code = max(code, Exit.damaged) }
            } catch {
                Console.report(error)
                code = max(code, Failure(error).code)
            }
        }
        try output.finish()
        return code
    case "convert":
        guard words.count == 3 else { throw .usage("found \(words.count - 1) operands behind convert, expected two: FILE and OUT") }
        return try convertRNOG(try opened(words[1]), words[2], try kind(arguments), arguments)
    case "index":
        guard words.count == 2 else { throw .usage("found \(words.count - 1) operands behind index, expected one: FILE") }
        return try index(try opened(words[1]))
    default: throw .usage("found '\(terminalText(what))', expected cat, info, convert or index")
    }
}

private func open(_ path: String) throws(Fault) -> RNOGFile {
    let file: MappedFile
    do { file = try MappedFile(path, wanted: { $0.count < 4 || RNOGFile.isPossible($0) }) } catch { throw Fault(error) }
    if try RNOGFile.recognises(file) { return RNOGFile(file) }
    if try RNOGFile.hasAny(file) { return RNOGFile(file) }
    throw Fault(
        .unreadable, path, at: 0,
        "found \(file.bytes.count == 0 ? "no bytes" : "the bytes " + hexText(of: file.bytes.slice(at: 0, count: min(4, file.bytes.count)))), expected RNO-G packets (d1ea, d1af, a157, ccda), or a gzip file of them")
}

private func opened(_ path: String) throws(Failure) -> RNOGFile {
    do { return try open(path) } catch { throw Failure(error) }
}

/// The file, if a path is one of packets.
func rnogInput(_ path: String) -> RNOGFile? {
    guard path != "-", kind(of: path) == .file, let file = try? MappedFile(path), (try? RNOGFile.recognises(file)) == true else {
        return nil
    }
    return RNOGFile(file)
}

private func kind(_ arguments: Arguments) throws(Failure) -> RNOGKind? {
    guard let name = arguments.value("type") else { return nil }
    guard let kind = RNOGKind(named: name) else {
        throw .usage("--type: found '\(terminalText(name))', expected header, waveform, pedestal or daqstatus")
    }
    return kind
}

/// The table of the file's one kind, unless a kind is given.
func rnogTable(_ file: RNOGFile, _ shape: RNOGTable.Shape, _ kind: RNOGKind?, salvage: Bool) throws(Failure) -> RNOGTable {
    do throws(Fault) {
        var chosen = kind
        if chosen == nil { chosen = try file.onlyKind() }
        return RNOGTable(file, chosen!, shape, salvage: salvage)
    } catch {
        throw Failure(error)
    }
}

private func index(_ file: RNOGFile) throws(Failure) -> Int32 {
    var isNew = false
    do throws(Fault) {
        let index = try RNOGIndex(file, isNew: &isNew)
        let path = RNOGIndex.path(of: file.path)
        guard RNOGIndex.isFresh(file) else { throw Fault(.system, path, at: nil, "found no index after it was written, expected one") }
        return Console.print(terminalText(path) + ": \(index.count) packets, " + (isNew ? "made" : "fresh") + "\n")
    } catch {
        throw Failure(error)
    }
}

private func cat(_ file: RNOGFile, _ arguments: Arguments) throws(Failure) -> Int32 {
    let printer = RNOGPrinter(Output(descriptor: 1), samples: arguments.has("samples"), only: try kind(arguments))
    let event = try arguments.unsigned("event")
    if let event, event > UInt64(UInt32.max) { throw .usage("--event: found \(event), expected at most \(UInt32.max)") }
    let range = try packetRange(arguments)
    if event != nil || range != nil, !file.isCompressed, RNOGIndex.hasOne(file) {
        let index: RNOGIndex
        var isNew = false
        do { index = try RNOGIndex(file, isNew: &isNew) } catch { throw Failure(error) }
        var numbers: [Int] = []
        if let event {
            for number in index.packets(ofEvent: UInt32(event)) where range?.contains(UInt64(number)) ?? true { numbers.append(number) }
        } else if let range, range.lowerBound < UInt64(index.count) {
            numbers = Array(Int(range.lowerBound)..<Int(min(range.upperBound, UInt64(index.count))))
        }
        for number in numbers where printer.output.isOpen {
            guard let packet = index.packet(number) else {
                throw Failure(Fault(.damaged, file.path, at: nil, "found no good packet where the index has packet \(number), expected one"))
            }
            printer.print(packet)
        }
        try printer.output.finish()
        return Exit.ok
    }
    let walk: RNOGWalk
    do { walk = try RNOGWalk(file) } catch { throw Failure(error) }
    var faults: [Fault] = []
    var number: UInt64 = 0
    var unlisted: UInt64 = 0
    reading: while printer.output.isOpen, let piece = walk.next() {
        switch piece {
        case .packet(let packet):
            if let range, number >= range.upperBound { break reading }
            if range?.contains(number) ?? true, event == nil || packet.event.map({ UInt64($0) }) == event { printer.print(packet) }
            number += 1
        case .damage(let damage):
            if faults.count < FrameSummary.mostDamages { faults.append(damage.fault(file.path)) } else { unlisted += 1 }
            if !arguments.has("salvage") { break reading }
        }
    }
    if let fault = walk.fault { faults.append(fault) }
    if unlisted > 0 { faults.append(Fault(.damaged, file.path, at: nil, "found \(unlisted) more places like these, expected packets")) }
    try printer.output.finish()
    return Console.report(faults)
}

/// A or A:B.
private func packetRange(_ arguments: Arguments) throws(Failure) -> Range<UInt64>? {
    guard let text = arguments.value("packet") else { return nil }
    let parts = text.utf8.split(separator: 0x3A, omittingEmptySubsequences: false)
    let first = UInt64(String(decoding: parts[0], as: UTF8.self)) ?? (parts.count == 2 && parts[0].isEmpty ? 0 : nil)
    guard let first, parts.count <= 2 else { throw .usage("--packet: found '\(terminalText(text))', expected A or A:B") }
    if parts.count == 1 { return first..<max(first, first &+ 1) }
    guard let last = parts[1].isEmpty ? UInt64.max : UInt64(String(decoding: parts[1], as: UTF8.self)) else {
        throw .usage("--packet: found '\(terminalText(text))', expected A or A:B")
    }
    return first..<max(first, last)
}

/// Prints packets as JSON Lines.
final class RNOGPrinter {
    let output: Output
    private let samples: Bool
    private let only: RNOGKind?
    private let record: UnsafeMutableRawPointer
    /// Of the kinds, in the order of `RNOGKind.all`.
    private let fields: [[RNOGField]]

    init(_ output: Output, samples: Bool, only: RNOGKind?) {
        self.output = output
        self.samples = samples
        self.only = only
        record = .allocate(byteCount: RNOGKinds.maxBytes, alignment: 16)
        fields = RNOGKind.all.map { $0.fields }
    }

    deinit { record.deallocate() }

    func print(_ packet: RNOGPacket) {
        guard only == nil || packet.kind == only else { return }
        packet.load(into: record)
        for i in 0..<fields.count where RNOGKind.all[i] == packet.kind { output.rnog(packet, fields[i], record, samples: samples) }
    }
}
