import TickLog

/// Bytes of DLF samples that their values do not tell: those between members, and bools that are neither 0 nor 1. Kept
/// as what a sample differs in (exclusive or) from one that is made of its values, with zeros between; it holds until
/// the next sample of the stream for which another one is given (spec 3.5).
final class SamplePadding {
    struct Change {
        /// Counted from 0, of the stream.
        let sample: UInt64
        /// Without the zeros at the end.
        let bytes: [UInt8]
    }

    /// By number of the stream.
    private(set) var changes: [[Change]]

    init(streams: Int) { changes = [[Change]](repeating: [], count: streams) }

    func grow(to streams: Int) { while changes.count < streams { changes.append([]) } }

    func add(_ stream: Int, _ change: Change) { changes[stream].append(change) }

    var isEmpty: Bool {
        for list in changes where !list.isEmpty { return false }
        return true
    }
}

/// Makes samples of DLF out of a row's values.
final class SampleImage {
    let memory: UnsafeMutableRawBufferPointer
    private let fields: [RunOutline.Field]
    private let columns: [Int]
    private let isOpaque: Bool
    private var changes: [SamplePadding.Change] = []
    private var nextChange = 0
    private var current: [UInt8] = []
    private var count: UInt64 = 0

    init(_ stream: RunOutline.Stream, columns: [Int], changes: [SamplePadding.Change] = []) {
        memory = .allocate(byteCount: max(stream.size, 1), alignment: 8)
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        fields = stream.fields
        self.columns = columns
        isOpaque = stream.isOpaque
        self.changes = changes
        size = stream.size
    }

    private let size: Int

    deinit { memory.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<size]) }

    /// The sample in the file is this one.
    func take(_ sample: FileBytes) {
        count += 1
        if size > 0 { memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: sample.buffer[..<min(size, sample.count)])) }
    }

    func take(_ table: Table) {
        if !current.isEmpty { memory.initializeMemory(as: UInt8.self, repeating: 0) }
        if isOpaque {
            hexBytes(table.text(columns[0]))
        } else {
            for i in 0..<fields.count { store(table.bits(columns[i]), fields[i]) }
        }
        if nextChange < changes.count, changes[nextChange].sample == count {
            current = changes[nextChange].bytes
            nextChange += 1
        }
        count += 1
        for i in 0..<min(current.count, size) { memory[i] ^= current[i] }
    }

    /// A sample that was lost: the last one again.
    func skip() {
        if nextChange < changes.count, changes[nextChange].sample == count {
            current = changes[nextChange].bytes
            nextChange += 1
        }
        count += 1
    }

    /// What is in the sample besides its values.
    func padding(of sample: FileBytes) -> [UInt8] {
        memory.initializeMemory(as: UInt8.self, repeating: 0)
        for field in fields {
            store(sample.unsigned(at: field.offset, size: field.type.size), field)
        }
        var bytes: [UInt8] = []
        for i in 0..<min(size, sample.count) where memory[i] != sample[i] {
            while bytes.count < i { bytes.append(0) }
            bytes.append(memory[i] ^ sample[i])
        }
        return bytes
    }

    private func store(_ bits: UInt64, _ field: RunOutline.Field) {
        let at = memory.baseAddress! + field.offset
        switch field.type {
        case .bool: at.storeBytes(of: bits == 0 ? 0 : 1, as: UInt8.self)
        case .u8, .i8: at.storeBytes(of: UInt8(truncatingIfNeeded: bits), as: UInt8.self)
        case .u16, .i16: at.storeBytes(of: UInt16(truncatingIfNeeded: bits).littleEndian, as: UInt16.self)
        case .u32, .i32, .f32: at.storeBytes(of: UInt32(truncatingIfNeeded: bits).littleEndian, as: UInt32.self)
        default: at.storeBytes(of: bits.littleEndian, as: UInt64.self)
        }
    }

    /// Base 16; what is none, and what is missing, is 0.
    private func hexBytes(_ text: UnsafeRawBufferPointer) {
        for i in 0..<size {
            let high = 2 * i < text.count ? hexValue(text[2 * i]) ?? 0 : 0
            let low = 2 * i + 1 < text.count ? hexValue(text[2 * i + 1]) ?? 0 : 0
            memory[i] = high << 4 | low
        }
    }
}

func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x37
    case 0x61...0x66: digit - 0x57
    default: nil
    }
}

/// The bytes of a text in base 16; nil if it is none.
func hexBytes(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 2)
    for i in 0..<text.count / 2 {
        guard let high = hexValue(text[2 * i]), let low = hexValue(text[2 * i + 1]) else { return nil }
        bytes.append(high << 4 | low)
    }
    return bytes
}
