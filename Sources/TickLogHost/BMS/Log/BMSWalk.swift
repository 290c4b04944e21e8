import TickLog

/// Bytes of a file that are no good packet.
public struct BMSDamage {
    public let range: Range<Int>
    /// The file ends within a record or packet.
    public let isTorn: Bool
    /// "found X, expected Y".
    public let text: String

    public func fault(_ path: String) -> Fault {
        Fault(isTorn ? .torn : .damaged, path, at: range.lowerBound, text + (isTorn ? "" : "; \(range.count) bytes are left out"))
    }
}

/// The packets of a file, one by one, and what lies between them. Behind damage in a log the next record whose checksum is
/// right is looked for; bare packets have nothing to find the next by.
public struct BMSWalk {
    public enum Content {
        case data(DataPacket)
        case legacy(LegacyPacket)
        /// The first record of a log: the number of the file.
        case number(UInt64)
    }

    public enum Piece {
        /// A packet, the bytes of the file that are its record, and of a log the server's time in microseconds.
        case packet(Content, in: Range<Int>, time: UInt64?)
        case damage(BMSDamage)
    }

    private let bytes: FileBytes
    private let form: BMSFile.Form
    private let crc = CRC32C()
    private var at: Int
    /// Bytes that may still be looked through for the next good record: a file that is made of nothing but the starts of
    /// records cannot keep the reader for ever.
    private var searchLeft: Int
    private var isFirst = true
    private var lastTime: UInt64 = 0

    /// Between two packets.
    struct Place {
        fileprivate var at: Int
        fileprivate var isFirst: Bool
        fileprivate var lastTime: UInt64
    }

    /// Behind the piece that was told last.
    var place: Place { Place(at: at, isFirst: isFirst, lastTime: lastTime) }

    public init(_ file: BMSFile) { self.init(file, from: nil) }

    /// The packets behind a place of the same file.
    init(_ file: BMSFile, from place: Place?) {
        bytes = file.file.bytes
        form = file.form
        at = file.form.isBare ? 0 : LogFileHeader.bytes
        if let place {
            at = min(place.at, bytes.count)
            isFirst = place.isFirst
            lastTime = place.lastTime
        }
        searchLeft = (1 << 30) + (bytes.count > 1 << 50 ? 1 << 54 : 16 * bytes.count)
    }

    /// Nil: the end.
    public mutating func next() -> Piece? {
        guard at < bytes.count else { return nil }
        guard case .log(let kind) = form else { return bare() }
        return record(kind)
    }

    // MARK: Logs

    private enum Finding {
        case good(LogRecord, Int)
        /// The file ends within what could be a record.
        case cut(String)
        case bad(String)
    }

    /// What stands at a place, as far as one can tell without its payload's format.
    private func look(_ at: Int) -> Finding {
        let there = bytes.count - at
        guard there >= LogRecord.headerBytes else {
            return .cut("found \(there) bytes, expected a record of at least \(LogRecord.headerBytes)")
        }
        let record = LogRecord(bytes.start + at)
        guard record.size >= 16, record.size <= UInt32(LogRecord.mostPayloadBytes) else {
            return .bad("found a record of \(record.size) bytes, expected 16 to \(LogRecord.mostPayloadBytes)")
        }
        let whole = LogRecord.bytes(payload: Int(record.size))
        guard whole <= there else { return .cut("found the end of the file after \(there) bytes, expected a record of \(whole)") }
        guard record.isWhole(bytes.start + at + LogRecord.headerBytes, crc) else {
            let text = "found the checksum \(hexText(UInt64(record.checksum))), expected that of the record"
            return whole == there ? .cut(text) : .bad(text)
        }
        return .good(record, whole)
    }

    private mutating func record(_ kind: LogFileHeader.Kind) -> Piece {
        let start = at
        let text: String
        var isCut = false
        switch look(at) {
        case .good(let record, let whole):
            at += whole
            let body = bytes.slice(at: start + LogRecord.headerBytes, count: Int(record.size))
            guard record.timestamp >= lastTime else {
                return .damage(
                    BMSDamage(range: start..<at, isTorn: false, text: "found the time \(record.timestamp), expected none before \(lastTime)"))
            }
            do throws(FormatError) {
                let content = try content(kind, body)
                for i in (start + LogRecord.headerBytes + body.count)..<at where bytes[i] != 0 {
                    return .damage(BMSDamage(range: start..<at, isTorn: false, text: "found a byte behind the payload, expected zeros up to a multiple of 8"))
                }
                lastTime = record.timestamp
                isFirst = false
                return .packet(content, in: start..<at, time: record.timestamp)
            } catch {
                isFirst = false
                let fault = Fault(error, "")
                return .damage(BMSDamage(range: start..<at, isTorn: false, text: "in the payload at \(error.offset): " + fault.text))
            }
        case .cut(let what):
            text = what
            isCut = true
        case .bad(let what): text = what
        }
        // The next place from which it goes on.
        isFirst = false
        var next = at + 8
        while next < bytes.count {
            if case .good(let record, _) = candidate(next), record.timestamp >= lastTime { break }
            next += 8
        }
        at = min(next, bytes.count)
        return .damage(BMSDamage(range: start..<at, isTorn: isCut && at == bytes.count, text: text))
    }

    /// As `look`, but with the work counted.
    private mutating func candidate(_ at: Int) -> Finding {
        guard searchLeft > 0 else { return .bad("") }
        searchLeft -= 16
        guard bytes.count - at >= LogRecord.headerBytes + 16 else { return .bad("") }
        let size = bytes.u32(at: at + 8)
        // The count of words, which both kinds of payload have at the same place.
        let count = UInt64(bytes.u32(at: at + LogRecord.headerBytes + 12))
        guard UInt64(size) == 16 + 4 * count else { return .bad("") }
        searchLeft -= Int(min(size, 1 << 20))
        return look(at)
    }

    private func content(_ kind: LogFileHeader.Kind, _ body: FileBytes) throws(FormatError) -> Content {
        if isFirst, let first = try? DataPacket(body: body), first.knownCommand == .sync, first.words.count == 0 {
            // Of the header's bytes the kind is the one that nothing else tells.
            guard first.sequence == UInt8(kind.rawValue) else {
                throw FormatError(.message, at: 11, expected: "the kind that the header tells", found: .number(UInt64(first.sequence)))
            }
            return .number(first.timestamp)
        }
        guard kind == .legacyPackets else { return .data(try DataPacket(body: body)) }
        guard case .packet(let packet, let count) = try LegacyPacket.step(body), count == body.count else {
            throw FormatError(.message, at: 12, expected: "the count of words that the size tells", found: .number(UInt64(body.u32(at: 12))))
        }
        return .legacy(packet)
    }

    // MARK: Bare packets

    private mutating func bare() -> Piece {
        let start = at
        do throws(FormatError) {
            let found: (content: Content, count: Int)?
            switch form {
            case .legacy:
                switch try LegacyPacket.step(bytes, at: at) {
                case .packet(let packet, let count): found = (.legacy(packet), count)
                case .needs: found = nil
                }
            case .oldPackets: found = data(try DataPacket.oldStep(bytes, at: at))
            case .packets, .log: found = data(try DataPacket.step(bytes, at: at))
            }
            if let found {
                at += found.count
                return .packet(found.content, in: start..<at, time: nil)
            }
            at = bytes.count
            return .damage(
                BMSDamage(range: start..<at, isTorn: true, text: "found the end of the file after \(at - start) bytes of a packet, expected all of it"))
        } catch {
            at = bytes.count
            return .damage(BMSDamage(range: start..<at, isTorn: false, text: Fault(error, "").text))
        }
    }

    private func data(_ step: DataPacket.Step) -> (Content, Int)? {
        switch step {
        case .packet(let packet, let count): (.data(packet), count)
        case .needs: nil
        }
    }
}
