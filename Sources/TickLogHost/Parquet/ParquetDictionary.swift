import CPosix
import CXXHash
import TickLog

/// The different values of a column in a row group, and for each row which of them it has; given up early where there are
/// too many for this to pay.
final class ParquetDictionary {
    /// Entries of the table have 16 bits, and 0 is none.
    static var mostEntries: Int { 65535 }
    /// Rows after which it is asked, again and again, whether values come again; of strings, and of what a sample was taken.
    private static var textProbe: Int { 8192 }
    private static var probe: Int { 65536 }
    /// Values from all over the chunk that are looked at first. Of 65535 different ones eight come twice here.
    private static var samples: Int { 1024 }

    private let mostBytes: Int
    /// By hash: the index of a value and 1.
    private var slots: UnsafeMutablePointer<UInt16>
    private var slotCount = 1024
    private var slotRoom = 4096
    /// The values in PLAIN encoding, which is a dictionary page.
    let page: UnsafeMutableRawPointer
    private(set) var pageBytes = 0
    private(set) var count = 0
    /// Of strings: where each begins in the page.
    private var starts: UnsafeMutablePointer<UInt32>?
    private(set) var indices: UnsafeMutablePointer<UInt16>?
    private var indexRoom = 0

    /// `mostBytes` of a dictionary page.
    init(mostBytes: Int) {
        self.mostBytes = mostBytes
        slots = .allocate(capacity: slotRoom)
        page = .allocate(byteCount: mostBytes, alignment: 8)
    }

    deinit {
        slots.deallocate()
        page.deallocate()
        starts?.deallocate()
        free(indices)
    }

    /// False if a dictionary does not pay. `column` has `rows` values.
    func build(_ column: ParquetColumn, _ rows: Int) -> Bool {
        guard rows > 1, column.type != .bool, let memory = column.memory, mostBytes >= 8 else { return false }
        if indexRoom < rows {
            free(indices)
            // Without memory there is just no dictionary.
            indices = realloc(nil, 2 * rows)?.assumingMemoryBound(to: UInt16.self)
            indexRoom = indices == nil ? 0 : rows
            if indices == nil { return false }
        }
        count = 0
        pageBytes = 0
        slotCount = 1024
        cxxhash_zero(slots, 2 * slotCount)
        let values = UnsafeRawPointer(memory)
        let wide = column.type.parquetBytes
        let isBuilt: Bool
        switch column.type {
        case .u8: isBuilt = scalars(values, rows, UInt8.self, UInt32.self) { UInt32($0) }
        case .u16: isBuilt = scalars(values, rows, UInt16.self, UInt32.self) { UInt32($0) }
        case .i8: isBuilt = scalars(values, rows, Int8.self, UInt32.self) { UInt32(bitPattern: Int32($0)) }
        case .i16: isBuilt = scalars(values, rows, Int16.self, UInt32.self) { UInt32(bitPattern: Int32($0)) }
        case .string: isBuilt = texts(values, rows)
        default:
            isBuilt = wide == 4
                ? scalars(values, rows, UInt32.self, UInt32.self) { $0 } : scalars(values, rows, UInt64.self, UInt64.self) { $0 }
        }
        return isBuilt
    }

    /// Whether it still can pay after some rows: values come again.
    @inline(__always)
    private func mayPay(_ rows: Int) -> Bool { count * 4 <= rows * 3 }

    @inline(__always)
    private static func hash(_ value: UInt64) -> Int {
        // Of many floats only the highest bits differ.
        Int(truncatingIfNeeded: ((value ^ value &>> 32) &* 0x9E37_79B9_7F4A_7C15) &>> 40)
    }

    @inline(__always)
    @_optimize(speed)
    private func scalars<Word: FixedWidthInteger & BitwiseCopyable, Wide: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ values: UnsafeRawPointer, _ rows: Int, _: Word.Type, _: Wide.Type, _ widened: (Word) -> Wide
    ) -> Bool {
        let values = values.assumingMemoryBound(to: Word.self)
        let entries = page.assumingMemoryBound(to: Wide.self)
        let size = MemoryLayout<Wide>.size
        let most = min(Self.mostEntries, mostBytes / size)
        if rows >= 4 * Self.samples, most >= Self.samples, !repeats(values, rows, entries, widened) { return false }
        let indices = indices!
        var slots = slots
        var mask = slotCount &- 1
        var count = 0
        var before: Wide = 0
        var index: UInt16 = 0
        var i = 0
        while i < rows {
            let end = min(i &+ Self.probe, rows)
            while i < end {
                let value = widened(values[i])
                if value != before || count == 0 {
                    before = value
                    var slot = Self.hash(UInt64(value)) & mask
                    while true {
                        let found = slots[slot]
                        if found == 0 {
                            guard count < most else { return false }
                            entries[count] = value
                            count &+= 1
                            slots[slot] = UInt16(truncatingIfNeeded: count)
                            index = UInt16(truncatingIfNeeded: count &- 1)
                            if count &* 2 > mask {
                                self.count = count
                                grow { Self.hash(UInt64(entries[$0])) }
                                slots = self.slots
                                mask = slotCount &- 1
                            }
                            break
                        }
                        if entries[Int(found) &- 1] == value {
                            index = found &- 1
                            break
                        }
                        slot = (slot &+ 1) & mask
                    }
                }
                indices[i] = index
                i &+= 1
            }
            self.count = count
            pageBytes = count &* size
            if !mayPay(i) { return false }
        }
        return true
    }

    /// Whether a sample has values twice, so that there can be few different ones. `entries` is room for it.
    @inline(__always)
    private func repeats<Word: BitwiseCopyable, Wide: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ values: UnsafePointer<Word>, _ rows: Int, _ entries: UnsafeMutablePointer<Wide>, _ widened: (Word) -> Wide
    ) -> Bool {
        let mask = slotRoom - 1
        cxxhash_zero(slots, 2 * slotRoom)
        var twice = 0
        let step = rows / Self.samples
        for i in 0..<Self.samples {
            // One from each part, at no fixed distance: values may have a period.
            let place = Int(((UInt64(truncatingIfNeeded: i &* 40503) & 0xFFFF) &* UInt64(step)) &>> 16)
            let value = widened(values[step &* i &+ place])
            var slot = Self.hash(UInt64(value)) & mask
            while slots[slot] != 0, entries[Int(slots[slot]) &- 1] != value { slot = (slot &+ 1) & mask }
            if slots[slot] != 0 {
                twice &+= 1
                if twice == 4 { break }
            } else {
                entries[i] = value
                slots[slot] = UInt16(truncatingIfNeeded: i &+ 1)
            }
        }
        cxxhash_zero(slots, 2 * slotCount)
        return twice == 4
    }

    private func texts(_ values: UnsafeRawPointer, _ rows: Int) -> Bool {
        if starts == nil { starts = .allocate(capacity: Self.mostEntries) }
        let starts = starts!
        var at = values
        var i = 0
        while i < rows {
            let end = min(i + Self.textProbe, rows)
            while i < end {
                let length = 4 + Int(at.loadUnaligned(as: UInt32.self))
                var slot = Self.textHash(at, length) & (slotCount - 1)
                while true {
                    let found = Int(slots[slot])
                    if found == 0 {
                        guard count < Self.mostEntries, length <= mostBytes - pageBytes else { return false }
                        (page + pageBytes).copyMemory(from: at, byteCount: length)
                        starts[count] = UInt32(pageBytes)
                        pageBytes += length
                        indices![i] = UInt16(count)
                        count += 1
                        slots[slot] = UInt16(count)
                        if count * 2 > slotCount {
                            grow { index in
                                let text = UnsafeRawPointer(page) + Int(starts[index])
                                return Self.textHash(text, 4 + Int(text.loadUnaligned(as: UInt32.self)))
                            }
                        }
                        break
                    }
                    let text = page + Int(starts[found - 1])
                    // The lengths are a part of what is compared.
                    let most = min(length, pageBytes - Int(starts[found - 1]))
                    if most == length, memcmp(text, at, length) == 0 {
                        indices![i] = UInt16(found - 1)
                        break
                    }
                    slot = (slot + 1) & (slotCount - 1)
                }
                at += length
                i += 1
            }
            if !mayPay(i) { return false }
        }
        return true
    }

    private static func textHash(_ text: UnsafeRawPointer, _ count: Int) -> Int {
        Int(truncatingIfNeeded: cxxhash64(text, count) & 0xFF_FFFF)
    }

    /// Twice as many slots.
    @inline(__always)
    private func grow(_ hash: (Int) -> Int) {
        slotCount *= 2
        if slotRoom < slotCount {
            slots.deallocate()
            slots = .allocate(capacity: slotCount)
            slotRoom = slotCount
        }
        cxxhash_zero(slots, 2 * slotCount)
        let mask = slotCount - 1
        for index in 0..<count {
            var slot = hash(index) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt16(index + 1)
        }
    }
}
