/// How a Parquet file is written. The standards suit files from kilobytes to terabytes.
public struct ParquetOptions: Sendable {
    public enum Compression: Sendable {
        case none
        /// LZ4_RAW, of the column chunks that get smaller by it.
        case lz4
    }

    public var compression = Compression.lz4
    /// A row group is written when its values take as many bytes in PLAIN encoding, 2^12 to 2^30; at least one row. The
    /// writer's memory is about twice as much.
    public var rowGroupBytes = 64 << 20
    /// Or when it has as many rows, from 1.
    public var rowGroupRows = Int.max
    /// A page has about as many bytes before it is compressed, 64 to 2^24; at least one value.
    public var pageBytes = 256 << 10
    /// Of a column chunk's dictionary, up to 2^24; 0: no dictionaries.
    public var dictionaryBytes = 1 << 20
    /// Strings are any bytes: their columns are BYTE_ARRAY without the annotation that they are text.
    public var hasBinaryStrings = false
    /// For the footer.
    public var metadata: [(key: String, value: String)] = []

    public init() {}
}
