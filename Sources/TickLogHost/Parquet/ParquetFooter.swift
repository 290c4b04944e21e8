import CTickLog
import TickLog

/// The FileMetaData of parquet.thrift, which ends a file.
enum ParquetFooter {
    static func encode(
        _ columns: [Column], rows: UInt64, groups: [UInt8], groupCount: Int, _ options: ParquetOptions
    ) -> [UInt8] {
        var thrift = ThriftCompact()
        thrift.begin()
        thrift.i32(1, 1)
        thrift.list(2, .structure, columns.count + 1)
        thrift.begin()
        thrift.text(4, "schema")
        thrift.i32(5, columns.count)
        thrift.end()
        for column in columns { column.type.parquetElement(column.name, isBinary: options.hasBinaryStrings, &thrift) }
        thrift.i64(3, rows)
        thrift.list(4, .structure, groupCount)
        thrift.encoded(groups)
        if !options.metadata.isEmpty {
            thrift.list(5, .structure, options.metadata.count)
            for (key, value) in options.metadata {
                thrift.begin()
                thrift.text(1, key)
                thrift.text(2, value)
                thrift.end()
            }
        }
        thrift.text(6, "ticklog version " + String(cString: ticklog_version()))
        // That statistics are in the order of the type, for each column.
        thrift.list(7, .structure, columns.count)
        for _ in columns {
            thrift.begin()
            thrift.begin(1)
            thrift.end()
            thrift.end()
        }
        thrift.end()
        return thrift.bytes
    }
}
