import CXXHash

/// Raw memory, the few operations that the core needs. Callers have proved the bounds; every use says where.
extension UnsafeMutableRawPointer {
    /// Copies `count` bytes from memory that does not overlap.
    @inline(__always)
    func copy(_ source: UnsafeRawPointer, _ count: Int) {
        // Swift's own ways become memmove, or loops over bytes.
        cxxhash_copy(self, source, count)
    }

    @inline(__always)
    func zero(_ count: Int) {
        cxxhash_zero(self, count)
    }

    /// Stores an integer in little-endian order at any address.
    @inline(__always)
    func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int = 0) {
        storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }
}

extension UnsafeRawPointer {
    @inline(__always)
    func load<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int = 0) -> Value {
        loadUnaligned(fromByteOffset: offset, as: Value.self)
    }

    /// Whether `count` bytes are the same.
    func equals(_ other: UnsafeRawPointer, _ count: Int) -> Bool {
        var i = 0
        while count &- i >= 4 {
            if load(UInt32.self, at: i) != other.load(UInt32.self, at: i) { return false }
            i &+= 4
        }
        while i < count {
            if load(UInt8.self, at: i) != other.load(UInt8.self, at: i) { return false }
            i &+= 1
        }
        return true
    }

    /// The distance to the first NUL, or `limit` if there is none before it.
    func stringLength(_ limit: Int) -> Int {
        var i = 0
        while i < limit, load(UInt8.self, at: i) != 0 { i &+= 1 }
        return i
    }
}

extension UnsafePointer where Pointee == CChar {
    /// The length of a C string, never looking further than `limit` bytes.
    func length(_ limit: Int) -> Int {
        UnsafeRawPointer(self).stringLength(limit)
    }
}

@inline(__always)
public func roundUp(_ value: Int, _ multiple: Int) -> Int {
    (value &+ multiple &- 1) / multiple &* multiple
}
