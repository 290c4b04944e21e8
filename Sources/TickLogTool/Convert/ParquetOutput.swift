import TickLog
import TickLogHost

/// The options of commands that write Parquet.
func parquetOptionList() -> [Option] {
    [
        Option("compression", takesValue: true), Option("row-group-bytes", takesValue: true),
        Option("row-group-rows", takesValue: true), Option("page-bytes", takesValue: true), Option("binary"),
    ]
}

func parquetOptionHelp() -> String {
    """
      --compression C     lz4 (the default): LZ4_RAW, of columns that get smaller by it; none: for readers without it
      --row-group-bytes N  of values, 4096 to 1073741824; 67108864 unless given
      --row-group-rows N  at most
      --page-bytes N      of a page of a column, 64 to 16777216; 262144 unless given
      --binary            strings are any bytes, not text: BYTE_ARRAY without annotation; otherwise they must be UTF-8

    """
}

func parquetOptions(_ arguments: Arguments, _ format: String) throws(Failure) -> ParquetOptions {
    var options = ParquetOptions()
    for option in parquetOptionList() where format != "parquet" && arguments.has(option.name) {
        throw .usage(
            option.name == "compression"
                ? "found --compression without Parquet or MCAP as OUT, expected it with a name that ends with .parquet or .mcap, or --to"
                : "found --\(option.name) without Parquet as OUT, expected it with a name that ends with .parquet, or --to parquet")
    }
    options.compression = try arguments.choice("compression", ["lz4", "none"], or: "lz4") == "lz4" ? .lz4 : .none
    options.rowGroupBytes = Int(try arguments.number("row-group-bytes", 4096...1 << 30, or: UInt64(options.rowGroupBytes)))
    options.rowGroupRows = Int(try arguments.number("row-group-rows", 1...1 << 30, or: 1 << 30))
    options.pageBytes = Int(try arguments.number("page-bytes", 64...1 << 24, or: UInt64(options.pageBytes)))
    options.hasBinaryStrings = arguments.has("binary")
    return options
}

/// The rows of a table as a Parquet file.
func writeParquet(
    _ table: Table, of path: String, _ output: Output, _ options: ParquetOptions, salvage: Bool
) throws(Failure) -> [Fault] {
    do throws(Fault) {
        return noted(try table.writeParquet(of: path, to: output, options, salvage: salvage))
    } catch { throw Failure(error) }
}
