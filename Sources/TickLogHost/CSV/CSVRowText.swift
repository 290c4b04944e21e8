import CTickLog
import TickLog

/// Writes rows whose values lie in memory as CSV: straight into the output's buffer, cell after cell.
///
/// A cell is quoted if it has a delimiter, quote or line end in it (RFC 4180); if it begins as a byte order mark does,
/// which at the start of the file would not count as text; and if it is the empty one of a row's only column, which
/// would be an empty line.
public final class CSVRowText {
    private struct Cell {
        let column: Int
        let type: ValueType
    }

    private let output: Output
    private let cells: UnsafeMutablePointer<Cell>
    private let count: Int
    private let delimiter: UInt8
    private let pattern: UInt64
    /// NaNs other than the one that `nan` is read as.
    @exclusivity(unchecked) public private(set) var oddNaNs: UInt64 = 0

    public init(_ output: Output, _ columns: [(index: Int, type: ValueType)], delimiter: UInt8) {
        self.output = output
        self.delimiter = delimiter
        count = columns.count
        cells = .allocate(capacity: max(count, 1))
        for i in 0..<count { (cells + i).initialize(to: Cell(column: columns[i].index, type: columns[i].type)) }
        pattern = everyByte(delimiter)
    }

    deinit { cells.deallocate() }

    /// One row, with its line end.
    public func write(_ row: RowParts) {
        let floats = output.floats
        let delimiter = delimiter
        var (out, limit) = output.room(64)
        var i = 0
        while i < count {
            // The longest number, and what is overwritten behind it.
            if limit - out < 64 {
                output.take(upTo: out)
                (out, limit) = output.room(64)
            }
            let cell = cells[i]
            let place = Int(row.places[cell.column])
            switch cell.type {
            case .u8: out += storeDigits(UInt64((row.scalars + place).load(as: UInt8.self)), at: out)
            case .u16: out += storeDigits(UInt64((row.scalars + place).loadUnaligned(as: UInt16.self)), at: out)
            case .u32: out += storeDigits(UInt64((row.scalars + place).loadUnaligned(as: UInt32.self)), at: out)
            case .u64: out += storeDigits((row.scalars + place).loadUnaligned(as: UInt64.self), at: out)
            case .i8: storeSigned(Int64((row.scalars + place).load(as: Int8.self)), &out)
            case .i16: storeSigned(Int64((row.scalars + place).loadUnaligned(as: Int16.self)), &out)
            case .i32: storeSigned(Int64((row.scalars + place).loadUnaligned(as: Int32.self)), &out)
            case .i64: storeSigned((row.scalars + place).loadUnaligned(as: Int64.self), &out)
            case .f32:
                let bits = (row.scalars + place).loadUnaligned(as: UInt32.self)
                if bits & 0x7F80_0000 != 0x7F80_0000 {
                    out += floats.write(Float(bitPattern: bits), at: out)
                } else {
                    if bits & 0x7FFF_FFFF > 0x7F80_0000, bits != 0x7FC0_0000 { oddNaNs += 1 }
                    storeNonFinite(isNaN: bits & 0x7F_FFFF != 0, isNegative: bits >> 31 != 0, &out)
                }
            case .f64:
                let bits = (row.scalars + place).loadUnaligned(as: UInt64.self)
                if bits & 0x7FF0_0000_0000_0000 != 0x7FF0_0000_0000_0000 {
                    out += floats.write(Double(bitPattern: bits), at: out)
                } else {
                    if bits & UInt64.max >> 1 > 0x7FF0_0000_0000_0000, bits != 0x7FF8_0000_0000_0000 { oddNaNs += 1 }
                    storeNonFinite(isNaN: bits & (1 << 52 - 1) != 0, isNegative: bits >> 63 != 0, &out)
                }
            case .bool:
                let isTrue = (row.others + place).load(as: UInt8.self) != 0
                // "true" and "fals", and the last letter of false.
                out.storeBytes(of: (isTrue ? 0x6575_7274 as UInt32 : 0x736C_6166).littleEndian, as: UInt32.self)
                out.storeBytes(of: 0x65, toByteOffset: 4, as: UInt8.self)
                out += isTrue ? 4 : 5
            case .string:
                let text = (row.others + place).loadUnaligned(as: ticklog_text.self)
                if let bytes = text.bytes, text.count > 0, text.count < 1024, limit - out > text.count + 32 {
                    let start = UnsafeRawPointer(bytes)
                    if start.load(as: UInt8.self) != 0xEF, copy(start, text.count, out) {
                        out += text.count
                        break
                    }
                }
                output.take(upTo: out)
                storeText(UnsafeRawBufferPointer(start: text.bytes, count: text.count))
                (out, limit) = output.room(64)
            }
            out.storeBytes(of: delimiter, as: UInt8.self)
            out += 1
            i &+= 1
        }
        // The line end takes the place of the last delimiter.
        if count > 0 { out -= 1 }
        out.storeBytes(of: 0x0A, as: UInt8.self)
        output.take(upTo: out + 1)
    }

    @inline(__always)
    private func storeSigned(_ value: Int64, _ out: inout UnsafeMutableRawPointer) {
        out.storeBytes(of: 0x2D, as: UInt8.self)
        out += value < 0 ? 1 : 0
        out += storeDigits(value.magnitude, at: out)
    }

    @inline(never)
    private func storeNonFinite(isNaN: Bool, isNegative: Bool, _ out: inout UnsafeMutableRawPointer) {
        if isNegative, !isNaN {
            out.storeBytes(of: 0x2D, as: UInt8.self)
            out += 1
        }
        out.storeBytes(of: (isNaN ? 0x006E_616E as UInt32 : 0x0066_6E69).littleEndian, as: UInt32.self)
        out += 3
    }

    /// Whether one of eight bytes makes quotes necessary.
    @inline(__always)
    private func isSpecial(_ word: UInt64) -> Bool {
        zeroBytes(word ^ pattern) | zeroBytes(word ^ everyByte(0x22)) | zeroBytes(word ^ everyByte(0x0A))
            | zeroBytes(word ^ everyByte(0x0D)) != 0
    }

    /// Copies a text, with up to seven bytes more behind it; false if it needs quotes. Nothing is read behind its end.
    @inline(__always)
    private func copy(_ text: UnsafeRawPointer, _ count: Int, _ out: UnsafeMutableRawPointer) -> Bool {
        guard count >= 8 else {
            let word = shortWord(text, count)
            out.storeBytes(of: word.littleEndian, as: UInt64.self)
            return !isSpecial(word)
        }
        var at = 0
        while at &+ 8 < count {
            let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            if isSpecial(word) { return false }
            out.storeBytes(of: word.littleEndian, toByteOffset: at, as: UInt64.self)
            at &+= 8
        }
        let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self))
        out.storeBytes(of: word.littleEndian, toByteOffset: count &- 8, as: UInt64.self)
        return !isSpecial(word)
    }

    @inline(never)
    private func storeText(_ bytes: UnsafeRawBufferPointer) {
        var needsQuotes = bytes.count == 0 ? count == 1 : bytes[0] == 0xEF
        for byte in bytes where byte == delimiter || byte == 0x22 || byte == 0x0A || byte == 0x0D { needsQuotes = true }
        guard needsQuotes else { return output.bytes(bytes) }
        output.byte(0x22)
        for byte in bytes {
            if byte == 0x22 { output.byte(0x22) }
            output.byte(byte)
        }
        output.byte(0x22)
    }
}
