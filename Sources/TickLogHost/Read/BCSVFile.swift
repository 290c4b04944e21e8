import CPosix
import TickLog

/// A BCSV file, mapped, with its header read.
public final class BCSVFile {
    public let file: MappedFile
    public let header: BCSVHeader
    public let columns: [Column]
    public var path: String { file.path }

    public convenience init(_ path: String) throws(Fault) {
        let file: MappedFile
        do { file = try MappedFile(path) } catch { throw Fault(error) }
        try self.init(file)
    }

    public init(_ file: MappedFile) throws(Fault) {
        self.file = file
        do { header = try BCSVHeader(file.bytes) } catch { throw Fault(error, file.path) }
        var columns: [Column] = []
        columns.reserveCapacity(header.columnCount)
        var at = header.namesOffset
        for i in 0..<header.columnCount {
            let length = header.nameLength(of: i)
            let name = file.bytes.slice(at: at, count: length)
            columns.append(
                Column(length == 0 ? "Column_\(i)" : String(decoding: name.buffer, as: UTF8.self), header.type(of: i)))
            at += length
        }
        self.columns = columns
    }

    public static func recognises(_ bytes: FileBytes) -> Bool {
        BCSVHeader.recognises(bytes)
    }
}

/// What the end of a BCSV file says.
public enum Ending {
    /// The footer is there and right.
    case closed
    /// No footer, but the last packet is whole.
    case open
    /// No footer, and bytes of an unfinished packet at the end.
    case torn
    case damaged
}

/// Walks a file's packets and decides what a failure means: the torn tail of a file that was never closed, or damage.
public struct PacketWalk {
    private let file: BCSVFile
    private var path: String { file.path }
    private let salvage: Bool
    private var reader: PacketReader
    private let footer: BCSVFooter?

    public private(set) var ending: Ending?
    public private(set) var faults: [Fault] = []
    public private(set) var packetCount = 0
    /// Index of the row behind the last packet.
    public private(set) var rowCount: UInt64 = 0
    /// Rows in the packets that were whole.
    public private(set) var goodRowCount: UInt64 = 0
    public var indexEntries: Int? { footer?.entryCount }

    public init(_ file: BCSVFile, salvage: Bool) {
        self.file = file
        self.salvage = salvage
        reader = PacketReader(file.file.bytes, file.header)
        footer = try? BCSVFooter(file.file.bytes)
    }

    public mutating func next() -> Packet? {
        guard ending == nil else { return nil }
        while true {
            let packet: Packet?
            do {
                packet = try reader.next()
            } catch {
                if !recover(error) { return nil }
                continue
            }
            guard let packet else {
                finish()
                return nil
            }
            if packet.firstRow != rowCount {
                let wasReported = !faults.isEmpty && salvage && packet.firstRow > rowCount
                if !wasReported {
                    faults.append(
                        Fault(
                            .damaged, path, at: packet.offset,
                            "found a packet that begins with row \(packet.firstRow), expected row \(rowCount)"))
                    if !salvage {
                        ending = .damaged
                        return nil
                    }
                }
            }
            let (after, overflow) = packet.firstRow.addingReportingOverflow(packet.rowCount)
            rowCount = overflow ? UInt64.max : after
            goodRowCount += packet.rowCount
            packetCount += 1
            return packet
        }
    }

    /// True if reading goes on behind what failed.
    private mutating func recover(_ error: BCSVError) -> Bool {
        let start = reader.offset
        var ahead = reader
        guard ahead.resync() else {
            // Nothing whole behind it: the end of a file that was never closed. A packet that is complete and has the
            // wrong checksum was not cut, though.
            if error.kind == .packetHash {
                faults.append(Fault(error, path))
                ending = .damaged
            } else {
                let count = reader.bytes.count - start
                faults.append(Fault(error, path, kind: .torn, and: "; \(count) bytes of an unfinished packet are left out"))
                ending = .torn
            }
            return false
        }
        var lost = ""
        if let row = reader.firstRow(of: ahead) ?? (ahead.startsFooter ? footer?.rowCount : nil) {
            lost = row > rowCount ? "; it holds rows \(rowCount) to \(row - 1)" : ""
        }
        faults.append(
            Fault(
                error, path, kind: .damaged,
                and: lost + (salvage ? "; \(ahead.offset - start) bytes from offset \(start) are skipped" : "; reading stops here")))
        guard salvage else {
            ending = .damaged
            return false
        }
        reader = ahead
        return true
    }

    private mutating func finish() {
        guard reader.startsFooter else {
            ending = faults.isEmpty ? .open : .damaged
            if faults.isEmpty {
                faults.append(
                    Fault(.torn, path, at: reader.offset, "found the end of the file, expected a footer; it was never closed, and all its packets are whole"))
            }
            return
        }
        guard let footer, footer.offset == reader.offset else {
            do {
                _ = try BCSVFooter(reader.bytes)
                faults.append(
                    Fault(.damaged, path, at: reader.offset, "found a footer, expected it to end with the file"))
                ending = .damaged
            } catch {
                let isCut = error.kind == .torn
                faults.append(Fault(error, path, kind: isCut ? .torn : .damaged, and: "; all rows are there"))
                ending = isCut ? .torn : .damaged
            }
            return
        }
        if footer.rowCount != rowCount {
            faults.append(
                Fault(
                    .damaged, path, at: footer.offset,
                    "found \(rowCount) rows, expected \(footer.rowCount) as the footer says"))
        }
        ending = faults.isEmpty ? .closed : .damaged
    }
}

extension PacketReader {
    /// The first row of the packet that another reader stands at; nil if it stands at the footer.
    fileprivate func firstRow(of other: PacketReader) -> UInt64? {
        other.startsFooter ? nil : bytes.u64(at: other.offset + 4)
    }
}

/// The rows of one BCSV file, or of several that continue each other and have the same schema.
public final class BCSVTable: Table {
    private let files: [BCSVFile]
    private let salvage: Bool
    private var index = -1
    private var walk: PacketWalk?
    private var decoder: RowDecoder?
    private var memory: UnsafeMutableRawPointer?
    private var packet: Packet?
    private var rowInPacket: UInt64 = 0
    private var rowsBefore: UInt64 = 0
    private var missing: [Fault]

    /// `missing`: what is wrong with files of the table that are not among these; it is told at the end.
    public init(_ files: [BCSVFile], salvage: Bool = false, missing: [Fault] = []) {
        self.files = files
        self.salvage = salvage
        self.missing = missing
        super.init(columns: files[0].columns)
    }

    deinit { free(memory) }

    public override func next() -> Bool {
        while true {
            if let packet {
                do {
                    if try decoder!.next() {
                        row = rowsBefore &+ packet.firstRow &+ rowInPacket
                        rowInPacket += 1
                        return true
                    }
                } catch {
                    faults.append(
                        Fault(
                            error, files[index].path, kind: .damaged,
                            and: "; row \(packet.firstRow + rowInPacket)" + (salvage ? " and the rest of its packet are skipped" : "; reading stops here")))
                    if !salvage { return stop() }
                }
                self.packet = nil
            }
            if var current = walk {
                let next = current.next()
                walk = current
                if let next {
                    packet = next
                    rowInPacket = 0
                    decoder!.begin(next)
                    continue
                }
                faults += current.faults
                if current.ending == .damaged, !salvage { return stop() }
                rowsBefore += current.rowCount
                walk = nil
            }
            index += 1
            guard index < files.count else {
                faults += missing
                missing = []
                return stop()
            }
            if !open(files[index]) { return stop() }
        }
    }

    private func stop() -> Bool {
        index = files.count
        walk = nil
        packet = nil
        return false
    }

    private func open(_ file: BCSVFile) -> Bool {
        guard sameColumns(file) else {
            faults.append(Fault(.damaged, file.path, at: nil, "found other columns, expected those of \(files[0].path)"))
            return false
        }
        free(memory)
        let size = RowDecoder.memorySize(for: file.header)
        memory = malloc(size)
        guard let memory else {
            faults.append(Fault(.system, file.path, at: nil, "no memory for rows of \(file.header.largestRow) bytes"))
            return false
        }
        do {
            decoder = try RowDecoder(
                file.file.bytes, file.header, memory: UnsafeMutableRawBufferPointer(start: memory, count: size))
        } catch {
            faults.append(Fault(error, file.path))
            return false
        }
        walk = PacketWalk(file, salvage: salvage)
        return true
    }

    private func sameColumns(_ file: BCSVFile) -> Bool {
        guard file.columns.count == columns.count else { return false }
        for i in 0..<columns.count
        where file.columns[i].name != columns[i].name || file.columns[i].type != columns[i].type { return false }
        return true
    }

    public override func bits(_ column: Int) -> UInt64 { decoder!.bits(column) }
    public override func text(_ column: Int) -> UnsafeRawBufferPointer { decoder!.text(column) }
}
