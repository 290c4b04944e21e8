/// The type of a column (spec BCSV, section 1). The numbers are the file's type codes, and those of `ticklog.h`.
public enum ValueType: UInt8, Sendable {
    case bool = 0
    case u8, u16, u32, u64
    case i8, i16, i32, i64
    case f32, f64
    case string

    /// The type that a C structure names, and that `ticklog_add` has checked. What is no type of a column,
    /// `TICKLOG_OPAQUE`, has no size of its own: it is taken for a string.
    init(code: UInt16) {
        self = ValueType(rawValue: UInt8(truncatingIfNeeded: code)) ?? .string
    }

    /// Bytes of one value; 0 for strings, which bring their length.
    public var size: Int {
        switch self {
        case .bool, .u8, .i8: 1
        case .u16, .i16: 2
        case .u32, .i32, .f32: 4
        case .u64, .i64, .f64: 8
        case .string: 0
        }
    }

    /// The name in `streams.bcsv`.
    public var name: StaticString {
        switch self {
        case .bool: "bool"
        case .u8: "u8"
        case .u16: "u16"
        case .u32: "u32"
        case .u64: "u64"
        case .i8: "i8"
        case .i16: "i16"
        case .i32: "i32"
        case .i64: "i64"
        case .f32: "f32"
        case .f64: "f64"
        case .string: "string"
        }
    }

    /// The name in DLF type strings (spec DLF, section 2), where there are no strings.
    public var nameInC: StaticString {
        switch self {
        case .bool: "bool"
        case .u8: "uint8_t"
        case .u16: "uint16_t"
        case .u32: "uint32_t"
        case .u64: "uint64_t"
        case .i8: "int8_t"
        case .i16: "int16_t"
        case .i32: "int32_t"
        case .i64: "int64_t"
        case .f32: "float"
        case .f64: "double"
        case .string: ""
        }
    }
}
