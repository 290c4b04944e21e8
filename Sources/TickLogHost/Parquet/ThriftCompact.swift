/// Values in Thrift's compact protocol, in which Parquet's page headers and footer are: a field is its distance from the one
/// before and its type, integers are zigzag varints.
struct ThriftCompact {
    enum Kind: UInt8 {
        case yes = 1
        case no = 2
        case i16 = 4
        case i32 = 5
        case i64 = 6
        case binary = 8
        case list = 9
        case structure = 12
    }

    private(set) var bytes: [UInt8] = []
    /// Of the structure that is being written: its last field.
    private var last = 0
    private var outer: [Int] = []

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        last = 0
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    private mutating func field(_ id: Int, _ kind: Kind) {
        if id > last, id - last <= 15 {
            bytes.append(UInt8(id - last) << 4 | kind.rawValue)
        } else {
            bytes.append(kind.rawValue)
            zigzag(Int64(id))
        }
        last = id
    }

    mutating func i16(_ id: Int, _ value: Int) {
        field(id, .i16)
        zigzag(Int64(value))
    }

    mutating func i32(_ id: Int, _ value: Int) {
        field(id, .i32)
        zigzag(Int64(value))
    }

    mutating func i64(_ id: Int, _ value: UInt64) {
        field(id, .i64)
        zigzag(Int64(bitPattern: value))
    }

    mutating func bool(_ id: Int, _ value: Bool) { field(id, value ? .yes : .no) }

    /// A field of one byte.
    mutating func byte(_ id: Int, _ value: UInt8) {
        // The type I8 has no other use here.
        bytes.append(UInt8(id - last) << 4 | 3)
        last = id
        bytes.append(value)
    }

    mutating func binary(_ id: Int, _ value: [UInt8]) {
        field(id, .binary)
        binary(value)
    }

    mutating func text(_ id: Int, _ value: String) { binary(id, Array(value.utf8)) }

    /// A structure as a field; `end` closes it.
    mutating func begin(_ id: Int) {
        field(id, .structure)
        begin()
    }

    /// A structure as an element of a list, or the outermost one.
    mutating func begin() {
        outer.append(last)
        last = 0
    }

    mutating func end() {
        bytes.append(0)
        last = outer.removeLast()
    }

    /// A list as a field, whose elements follow.
    mutating func list(_ id: Int, _ kind: Kind, _ count: Int) {
        field(id, .list)
        if count < 15 {
            bytes.append(UInt8(count) << 4 | kind.rawValue)
        } else {
            bytes.append(0xF0 | kind.rawValue)
            varint(UInt64(count))
        }
    }

    /// Elements of lists.
    mutating func element(_ value: Int) { zigzag(Int64(value)) }
    mutating func element(_ value: Bool) { bytes.append(value ? Kind.yes.rawValue : Kind.no.rawValue) }

    mutating func binary(_ value: [UInt8]) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// What was encoded elsewhere.
    mutating func encoded(_ more: [UInt8]) { bytes.append(contentsOf: more) }
}
