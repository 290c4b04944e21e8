/// The type of a column (spec: BCSV.md, section 1). The numbers are the file's type codes.
public enum ColumnType: UInt8, Sendable {
    case bool = 0
    case u8, u16, u32, u64
    case i8, i16, i32, i64
    case f32, f64
    case string

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
}
