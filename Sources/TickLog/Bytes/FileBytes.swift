/// Bytes that someone else wrote, usually a file mapped into memory. Every access is checked, in every build: readers
/// test lengths before they use them and report what is wrong; a check that fails here is a fault of the reader.
public struct FileBytes {
    public let start: UnsafeRawPointer
    public let count: Int

    public init(_ bytes: UnsafeRawBufferPointer) {
        // An empty buffer may have no address; one byte past nothing is never read.
        start = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
        count = bytes.baseAddress == nil ? 0 : bytes.count
    }

    public init(start: UnsafeRawPointer, count: Int) {
        self.start = start
        self.count = count
    }

    public var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }

    /// Whether `length` bytes lie at `offset`; false, not a trap, for negative or overflowing numbers.
    public func holds(_ length: Int, at offset: Int) -> Bool {
        offset >= 0 && length >= 0 && offset <= count && length <= count - offset
    }

    public subscript(offset: Int) -> UInt8 {
        precondition(UInt(bitPattern: offset) < UInt(bitPattern: count))
        return start.load(fromByteOffset: offset, as: UInt8.self)
    }

    public func u16(at offset: Int) -> UInt16 {
        precondition(holds(2, at: offset))
        return UInt16(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    public func u32(at offset: Int) -> UInt32 {
        precondition(holds(4, at: offset))
        return UInt32(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    public func u64(at offset: Int) -> UInt64 {
        precondition(holds(8, at: offset))
        return UInt64(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The little-endian integer of 1, 2, 4 or 8 bytes.
    public func unsigned(at offset: Int, size: Int) -> UInt64 {
        switch size {
        case 1: UInt64(self[offset])
        case 2: UInt64(u16(at: offset))
        case 4: UInt64(u32(at: offset))
        default: u64(at: offset)
        }
    }

    public func slice(at offset: Int, count length: Int) -> FileBytes {
        precondition(holds(length, at: offset))
        return FileBytes(start: start + offset, count: length)
    }

    /// Offset of the first NUL at or behind `offset`, searching at most `limit` bytes.
    public func firstZero(from offset: Int, limit: Int) -> Int? {
        var i = offset
        let end = limit < count - offset ? offset + limit : count
        while i < end {
            if self[i] == 0 { return i }
            i += 1
        }
        return nil
    }
}
