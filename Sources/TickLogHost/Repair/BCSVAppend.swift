import CPosix
import CTickLog
import CXXHash
import TickLog

/// Adds rows to a BCSV file that exists, closed or not, of any version and codec.
///
/// The rows come as a file of their own, of the same columns and codecs. A packet decodes alone, so its packets move over
/// with new row numbers. Of a stream, the first row is encoded anew where it depends on the row before it.
///
/// Nothing that was there is lost at any moment: the footer is cut off first, which leaves an unclosed file with all its
/// rows; then come whole packets, and then the footer of all of them. Each of these is on the medium before the next.
public final class BCSVAppend {
    public let file: BCSVFile
    public let survey: BCSVSurvey
    /// Rows of the file, those of a torn last packet included, which are kept.
    public private(set) var rows: UInt64
    private let descriptor: Int32
    private var entries: [(offset: UInt64, row: UInt64)] = []
    /// Where the rows that stay end.
    private var end = 0
    /// What ends a torn packet.
    private var tail: [UInt8] = []

    /// - Throws: for a file that is damaged before its last packet.
    public init(_ path: String) throws(Fault) {
        descriptor = cposix_open(path, O_RDWR | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw Fault(FileError(path, "open", cposix_errno())) }
        do throws(Fault) {
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw Fault(.system, path, at: nil, "found a file that another process appends to, expected none")
            }
            file = try BCSVFile(path)
            survey = try BCSVSurvey(file)
            for i in 0..<survey.damages.count where !survey.damages[i].isTorn {
                throw Fault(
                    survey.faults[i].kind, path, at: survey.faults[i].offset,
                    survey.faults[i].text + "; nothing was appended: repair it first")
            }
        } catch {
            _ = close(descriptor)
            throw error
        }
        rows = survey.rows + survey.unverifiedRows
        end = file.file.bytes.count
        for damage in survey.damages { end = min(end, damage.skipped.lowerBound) }
        // From here on deinit closes it, also after a failure.
        if !isStream { try walk() }
    }

    deinit { _ = close(descriptor) }

    private var isStream: Bool { file.header.fileCodec == .stream || file.header.fileCodec == .streamLZ4 }

    /// How the rows that are added must be encoded.
    public var options: BCSVOptions {
        var options = BCSVOptions()
        options.rowCodec = file.header.rowCodec
        options.fileCodec = file.header.fileCodec
        // Blocks of a compressed stream refer to the rows before them, of which the first becomes another one.
        if options.fileCodec == .streamLZ4, options.rowCodec == .delta { options.fileCodec = .stream }
        options.level = max(Int(file.header.level), 1)
        options.packetBytes = min(max(Int(file.header.packetLimit), 512), 1 << 30)
        options.version = file.header.minor == 3 ? .v1_3 : .v1_5
        options.isSynced = false
        return options
    }

    /// The packets that stay.
    private func walk() throws(Fault) {
        do throws(FormatError) {
            var walk = try PacketWalk.whole(file, unverified: true)
            defer { free(walk.memory) }
            while case .packet(let packet) = try walk.packets.next() {
                entries.append((UInt64(packet.offset), packet.firstRow))
                if !packet.isVerified { endTorn(packet) }
            }
            if let footer = walk.packets.footer { end = min(end, footer.offset) }
        } catch {
            throw Fault(error, file.path)
        }
    }

    /// Cuts off what does not stay and ends a torn packet: the file is then one that was never closed. Returns where it
    /// ends.
    func prepare() throws(Fault) -> UInt64 {
        do throws(FileError) {
            if end < file.file.bytes.count {
                try truncate(end)
                try sync()
            }
            let output = Output(descriptor: descriptor, path: file.path)
            guard lseek(descriptor, 0, SEEK_END) == end else { throw FileError(file.path, "seek", EIO) }
            output.put(tail)
            try output.flush()
        } catch {
            throw Fault(error)
        }
        return UInt64(end + tail.count)
    }

    /// The file's packets, in their order.
    func entry(_ index: Int) -> (offset: UInt64, row: UInt64)? { index < entries.count ? entries[index] : nil }

    /// A handle for `ticklog_posix_storage`, which closes it.
    func handle() -> ticklog_file? {
        let copy = dup(descriptor)
        return copy < 0 ? nil : posixFile(copy)
    }

    private func endTorn(_ packet: Packet) {
        let body = packet.offset + 16
        // Rows of it that do not decode are none.
        end = min(end, packet.end)
        guard end > body, survey.unverifiedRows > 0 else {
            end = packet.offset
            entries.removeLast()
            return
        }
        tail = [0xFC, 0xFF, 0xFF, 0xFF, 0x01]
        var state = cxxhash64_state()
        cxxhash64_reset(&state)
        cxxhash64_update(&state, file.file.bytes.start + body, end - body)
        tail.withUnsafeBytes { cxxhash64_update(&state, $0.baseAddress!, $0.count) }
        tail.add(cxxhash64_digest(&state), 8)
    }

    /// Adds the rows of a file that `options` made. Afterwards the file is closed.
    /// - Throws: if the system refuses; then the file has the rows that it had, and perhaps no footer.
    public func add(_ more: BCSVFile) throws(Fault) {
        let bytes = more.file.bytes
        let added = try BCSVSurvey(more)
        guard added.isClosed, more.columns.count == file.columns.count else {
            throw Fault(.damaged, more.path, at: nil, "found something else than the rows that were written")
        }
        var head: [UInt8] = []
        var from = more.header.dataOffset
        var moved: [(packet: Packet, row: UInt64)] = []
        let old = entries
        let oldRows = rows
        do throws(FormatError) {
            if isStream {
                if file.header.rowCodec == .delta, rows > 0, added.rows > 0 {
                    (head, from) = try bridge(more)
                    if file.header.fileCodec == .streamLZ4 { head += literalRows(bytes, from: &from) }
                } else if file.header.rowCodec == .delta, file.header.fileCodec == .streamLZ4 {
                    head = literalRows(bytes, from: &from)
                }
            } else {
                var walk = try PacketWalk.whole(more, unverified: false)
                defer { free(walk.memory) }
                while case .packet(let packet) = try walk.packets.next() { moved.append((packet, rows + packet.firstRow)) }
            }
        } catch {
            throw Fault(error, more.path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, Int(status.st_size) == file.file.bytes.count else {
            throw Fault(.system, file.path, at: nil, "found another length than before: somebody writes to the file")
        }
        // What was mapped behind `end` is no longer there.
        let flags = file.header.flags
        do throws(FileError) {
            if end < file.file.bytes.count {
                try truncate(end)
                try sync()
            }
            let output = Output(descriptor: descriptor, path: file.path)
            guard lseek(descriptor, 0, SEEK_END) == end else { throw FileError(file.path, "seek", EIO) }
            output.put(tail)
            var at = end + tail.count
            if isStream {
                output.put(head)
                output.bytes(UnsafeRawBufferPointer(start: bytes.start + from, count: bytes.count - from))
            }
            for (packet, row) in moved {
                entries.append((UInt64(at), row))
                output.put(packetHeader(row))
                let body = packet.end - packet.offset - 16
                output.bytes(UnsafeRawBufferPointer(start: bytes.start + packet.offset + 16, count: body))
                at += 16 + body
            }
            rows += added.rows
            try output.flush()
            try sync()
            if !isStream {
                output.put(packetFooter(entries, rows, flags))
                try output.flush()
                try sync()
            }
        } catch {
            // As it was, as far as the system lets us.
            if ftruncate(descriptor, off_t(end)) == 0, lseek(descriptor, 0, SEEK_END) == end, !isStream {
                let output = Output(descriptor: descriptor)
                output.put(tail)
                output.put(packetFooter(old, oldRows, flags))
                try? output.flush()
                _ = fsync(descriptor)
            }
            throw Fault(error)
        }
    }

    private func truncate(_ size: Int) throws(FileError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw FileError(file.path, "truncate", cposix_errno()) }
    }

    private func sync() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw FileError(file.path, "sync", cposix_errno()) }
    }

    // MARK: Delta streams

    /// The first row of `more` as one that follows the file's last row, and where the second one is.
    ///
    /// Later rows need no change: the second row cannot continue a gradient, and after it the states are the same
    /// (spec BCSV, section 7.3).
    private func bridge(_ more: BCSVFile) throws(FormatError) -> ([UInt8], Int) {
        let bytes = more.file.bytes
        let from = more.header.dataOffset
        let length = BLELength(bytes, at: from)
        let next = from + length.size + length.value + 4
        // Both have been read from end to end already.
        guard let before = try? BCSVReader(file, unverified: true), before.seek(to: rows - 1), before.next(),
            let after = try? BCSVReader(more), after.next()
        else { return ([], next) }
        var bits = BitWriter()
        var payload: [UInt8] = []
        for i in 0..<file.columns.count where file.columns[i].type == .bool { bits.add(after.rows.bits(i) & 1, 1) }
        for code in 1...10 {
            guard let type = ValueType(rawValue: UInt8(code)) else { continue }
            for i in 0..<file.columns.count where file.columns[i].type == type {
                let (old, new) = (before.rows.bits(i), after.rows.bits(i))
                let width = type.size == 8 ? 4 : type.size == 4 ? 3 : 2
                guard old != new else {
                    bits.add(0, width)
                    continue
                }
                var delta = old ^ new
                if type != .f32, type != .f64 {
                    // As signed numbers of the column's size, zigzag.
                    let shift = UInt64(64 - 8 * type.size)
                    let signed = Int64(bitPattern: (new &- old) << shift) >> Int64(shift)
                    delta = UInt64(bitPattern: signed << 1 ^ signed >> 63) & UInt64.max >> shift
                }
                var count = 1
                while count < 8, delta >> UInt64(8 * count) != 0 { count += 1 }
                bits.add(UInt64(count + 1), width)
                payload.add(delta, count)
            }
        }
        for i in 0..<file.columns.count where file.columns[i].type == .string {
            bits.add(1, 1)
            let text = after.rows.text(i)
            payload.add(UInt64(text.count), 2)
            payload += text.buffer
        }
        let row = bits.bytes + payload
        return (streamRow(row, isLZ4: file.header.fileCodec == .streamLZ4), next)
    }

    /// The rows from there on as LZ4 blocks without a match; `from` is then the end.
    private func literalRows(_ bytes: FileBytes, from: inout Int) -> [UInt8] {
        var rows: [UInt8] = []
        while from < bytes.count {
            let length = BLELength(bytes, at: from)
            rows += streamRow([UInt8](bytes.slice(at: from + length.size, count: length.value).buffer), isLZ4: true)
            from += length.size + length.value + 4
        }
        return rows
    }

    private func streamRow(_ row: [UInt8], isLZ4: Bool) -> [UInt8] {
        var stored = row
        if isLZ4 {
            stored = [UInt8(min(row.count, 15) << 4)]
            var rest = row.count - 15
            while rest >= 255 {
                stored.append(255)
                rest -= 255
            }
            if rest >= 0 { stored.append(UInt8(rest)) }
            stored += row
        }
        var out: [UInt8] = []
        var size = 1
        while stored.count >> (8 * size - 3) != 0 { size += 1 }
        out.add(UInt64(stored.count) << 3 | UInt64(size - 1), size)
        out += stored
        out.add(UInt64(stored.withUnsafeBytes { cxxhash32($0.baseAddress!, $0.count) }), 4)
        return out
    }
}

/// A row length of a file that has been verified.
struct BLELength {
    let value: Int
    let size: Int

    init(_ bytes: FileBytes, at offset: Int) {
        size = Int(bytes[offset] & 7) + 1
        var bits: UInt64 = 0
        for i in 0..<size { bits |= UInt64(bytes[offset + i]) << UInt64(8 * i) }
        value = Int(clamping: bits >> 3)
    }
}

private struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var count = 0

    mutating func add(_ value: UInt64, _ bits: Int) {
        for i in 0..<bits {
            if count % 8 == 0 { bytes.append(0) }
            if value >> UInt64(i) & 1 != 0 { bytes[count / 8] |= 1 << UInt8(count % 8) }
            count += 1
        }
    }
}
