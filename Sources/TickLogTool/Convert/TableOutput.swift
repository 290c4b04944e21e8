import TickLog
import TickLogHost

/// Writes a table that is read only once to OUT, in a format of convert's. After a failure there is no part of it, but on
/// standard output.
func writeTable(_ table: Table, of path: String, _ out: String, _ format: String, replacing: Bool) throws(Failure) -> [Fault] {
    if out == "-", format != "bcsv" {
        let output = Output(descriptor: 1)
        return format == "parquet"
            ? try writeParquet(table, of: path, output, ParquetOptions(), salvage: false)
            : try writeText(table, of: path, output, format, salvage: false)
    }
    let file = try NewFile(opening: out == "-" ? temporaryPath() : out, replacing: replacing)
    let faults: [Fault]
    switch format {
    case "bcsv":
        file.freeName()
        var options = BCSVOptions()
        options.fileCodec = .batch
        faults = try writeBCSV(table, of: path, nil, file.temporaryPath, options, salvage: false)
        if out == "-" {
            try copy(file.temporaryPath)
            file.discard()
            return faults
        }
    case "parquet":
        faults = try writeParquet(
            table, of: path, Output(descriptor: file.descriptor, path: out), ParquetOptions(), salvage: false)
    default:
        faults = try writeText(
            table, of: path, Output(descriptor: file.descriptor, path: out), format, isTabbed: out.fileExtension == "tsv",
            salvage: false)
    }
    do throws(FileError) { try file.commit() } catch { throw Failure(error) }
    return faults
}
