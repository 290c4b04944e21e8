import TickLog

// How the types of columns are told in Parquet: a physical type, and what it means, both as a ConvertedType, for old readers,
// and as a LogicalType.

/// Numbers of parquet.thrift, enum Type.
enum ParquetPhysical: Int {
    case boolean = 0
    case int32 = 1
    case int64 = 2
    case float = 4
    case double = 5
    case byteArray = 6
}

extension ValueType {
    var parquetPhysical: ParquetPhysical {
        switch self {
        case .bool: .boolean
        case .u8, .u16, .u32, .i8, .i16, .i32: .int32
        case .u64, .i64: .int64
        case .f32: .float
        case .f64: .double
        case .string: .byteArray
        }
    }

    /// Bytes of a value in a PLAIN page; 0 of bools, which are bits, and of strings, which bring their length.
    var parquetBytes: Int {
        switch parquetPhysical {
        case .boolean, .byteArray: 0
        case .int32, .float: 4
        case .int64, .double: 8
        }
    }

    /// parquet.thrift, enum ConvertedType; nil where the physical type says all.
    private var parquetConverted: Int? {
        switch self {
        case .bool, .f32, .f64: nil
        case .string: 0
        case .u8: 11
        case .u16: 12
        case .u32: 13
        case .u64: 14
        case .i8: 15
        case .i16: 16
        case .i32: 17
        case .i64: 18
        }
    }

    var isSigned: Bool {
        switch self {
        case .i8, .i16, .i32, .i64: true
        default: false
        }
    }

    /// The SchemaElement of a required column. `isBinary`: of strings that need not be text.
    func parquetElement(_ name: String, isBinary: Bool, _ thrift: inout ThriftCompact) {
        thrift.begin()
        thrift.i32(1, parquetPhysical.rawValue)
        thrift.i32(3, 0)
        thrift.text(4, name)
        if !(self == .string && isBinary), let converted = parquetConverted {
            thrift.i32(6, converted)
            thrift.begin(10)
            if self == .string {
                thrift.begin(1)
                thrift.end()
            } else {
                thrift.begin(10)
                thrift.byte(1, UInt8(8 * size))
                thrift.bool(2, isSigned)
                thrift.end()
            }
            thrift.end()
        }
        thrift.end()
    }
}
