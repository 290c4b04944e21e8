/// A picture of 8-bit colour numbers as PNG (ISO 15948), the same bytes for the same pixels: compressed by an own deflate
/// (RFC 1951) of fixed codes, which finds runs and lines that are like the one above. Plots have little else.
struct PNGPicture {
    private let pixels: UnsafeMutablePointer<UInt8>
    private let width: Int
    private let height: Int

    init(_ pixels: UnsafeMutablePointer<UInt8>, width: Int, height: Int) {
        self.pixels = pixels
        self.width = width
        self.height = height
    }

    func write(to output: Output) {
        let table = PNGPicture.crcTable()
        for byte in [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] as [UInt8] { output.byte(byte) }
        var header = PNGPicture.bigEndian(UInt32(width)) + PNGPicture.bigEndian(UInt32(height))
        // 8 bits a pixel, a palette, deflate, no filter but each line's, not interlaced.
        header += [8, 3, 0, 0, 0]
        chunk("IHDR", header, table, output)
        var palette: [UInt8] = []
        for i in 0..<PlotColour.count {
            let rgb = PlotColour.rgb(UInt8(i))
            palette += [UInt8(rgb >> 16), UInt8(rgb >> 8 & 0xFF), UInt8(rgb & 0xFF)]
        }
        chunk("PLTE", palette, table, output)
        chunk("IDAT", compressed(), table, output)
        chunk("IEND", [], table, output)
    }

    private func chunk(_ name: StaticString, _ data: [UInt8], _ table: [UInt32], _ output: Output) {
        for byte in PNGPicture.bigEndian(UInt32(data.count)) { output.byte(byte) }
        var crc = UInt32.max
        func put(_ byte: UInt8) {
            output.byte(byte)
            crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8
        }
        for i in 0..<4 { put(name.utf8Start[i]) }
        for byte in data { put(byte) }
        for byte in PNGPicture.bigEndian(~crc) { output.byte(byte) }
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)]
    }

    private static func crcTable() -> [UInt32] {
        var table: [UInt32] = []
        for i in 0..<256 {
            var value = UInt32(i)
            for _ in 0..<8 { value = value & 1 != 0 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
            table.append(value)
        }
        return table
    }

    /// The lines, each behind the number of its filter, 0: none, as zlib (RFC 1950).
    private func compressed() -> [UInt8] {
        let stride = width + 1
        let total = stride * height
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: total)
        defer { bytes.deallocate() }
        for line in 0..<height {
            bytes[line * stride] = 0
            (bytes + line * stride + 1).update(from: pixels + line * width, count: width)
        }
        var bits = DeflateBits()
        // The last block, of fixed codes.
        bits.put(0b011, 3)
        var i = 0
        while i < total {
            let room = min(258, total - i)
            var above = 0
            if i >= stride { while above < room, bytes[i + above] == bytes[i + above - stride] { above += 1 } }
            var run = 0
            if i > 0, above < room { while run < room, bytes[i + run] == bytes[i - 1] { run += 1 } }
            if max(above, run) < 3 {
                bits.literal(UInt16(bytes[i]))
                i += 1
            } else {
                bits.match(max(above, run), distance: above >= run ? stride : 1)
                i += max(above, run)
            }
        }
        bits.literal(256)
        var a: UInt32 = 1
        var b: UInt32 = 0
        for k in 0..<total {
            a += UInt32(bytes[k])
            if a >= 65521 { a -= 65521 }
            b += a
            if b >= 65521 { b -= 65521 }
        }
        return [0x78, 0x01] + bits.finished() + PNGPicture.bigEndian(b << 16 | a)
    }
}

/// Codes of deflate, bit by bit.
private struct DeflateBits {
    private var bytes: [UInt8] = []
    private var held: UInt32 = 0
    private var count = 0

    /// The lowest bit first.
    mutating func put(_ value: UInt32, _ number: Int) {
        held |= value << UInt32(count)
        count += number
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: held))
            held >>= 8
            count -= 8
        }
    }

    /// Codes go the highest bit first.
    private mutating func code(_ value: UInt32, _ number: Int) {
        var turned: UInt32 = 0
        for i in 0..<number { turned |= (value >> UInt32(i) & 1) << UInt32(number - 1 - i) }
        put(turned, number)
    }

    mutating func literal(_ symbol: UInt16) {
        let symbol = UInt32(symbol)
        switch symbol {
        case 0...143: code(0x30 + symbol, 8)
        case 144...255: code(0x190 + symbol - 144, 9)
        case 256...279: code(symbol - 256, 7)
        default: code(0xC0 + symbol - 280, 8)
        }
    }

    mutating func match(_ length: Int, distance: Int) {
        if length == 258 {
            literal(285)
        } else {
            var base = 3
            var symbol = 257
            var extra = 0
            // Eight codes without extra bits, then four of each number of them.
            while base + (1 << extra) <= length {
                base += 1 << extra
                symbol += 1
                extra = symbol < 265 ? 0 : (symbol - 261) / 4
            }
            literal(UInt16(symbol))
            put(UInt32(length - base), extra)
        }
        var base = 1
        var symbol = 0
        var extra = 0
        while base + (1 << extra) <= distance {
            base += 1 << extra
            symbol += 1
            extra = symbol < 4 ? 0 : symbol / 2 - 1
        }
        code(UInt32(symbol), 5)
        put(UInt32(distance - base), extra)
    }

    consuming func finished() -> [UInt8] {
        if count > 0 { bytes.append(UInt8(truncatingIfNeeded: held)) }
        return bytes
    }
}
