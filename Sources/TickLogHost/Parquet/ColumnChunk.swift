import TickLog

/// What the footer and the page index tell of a column chunk that was written.
struct ColumnChunk {
    struct Page {
        /// Of its header, in the file.
        let offset: UInt64
        /// With its header.
        let bytes: Int
        let firstRow: Int
        let statistics: ParquetStatistics
    }

    let name: String
    let type: ValueType
    let isBinary: Bool
    let rows: Int
    /// Offset of the dictionary page, if the chunk has one.
    var dictionaryOffset: UInt64?
    var isCompressed = false
    /// Bytes with the page headers, before and after compression.
    var plainBytes: UInt64 = 0
    var bytes: UInt64 = 0
    var pages: [Page] = []
    var statistics: ParquetStatistics
    /// Where the page index has it.
    var columnIndex: (offset: UInt64, bytes: Int)?
    var offsetIndex: (offset: UInt64, bytes: Int)?

    init(_ column: ParquetColumn, rows: Int, isBinary: Bool) {
        name = column.name
        type = column.type
        self.rows = rows
        self.isBinary = isBinary
        statistics = ParquetStatistics(column.type)
    }

    var start: UInt64 { dictionaryOffset ?? pages[0].offset }

    /// The ColumnChunk of parquet.thrift.
    func encode(_ thrift: inout ThriftCompact) {
        thrift.begin()
        thrift.i64(2, 0)
        thrift.begin(3)
        thrift.i32(1, type.parquetPhysical.rawValue)
        // Pages of version 1 name the encoding of levels, of which required columns have none.
        let encodings = dictionaryOffset == nil
            ? [ParquetEncoding.plain, .rle] : [ParquetEncoding.plain, .rle, .dictionary]
        thrift.list(2, .i32, encodings.count)
        for encoding in encodings { thrift.element(encoding.rawValue) }
        thrift.list(3, .binary, 1)
        thrift.binary(Array(name.utf8))
        thrift.i32(4, isCompressed ? 7 : 0)
        thrift.i64(5, UInt64(rows))
        thrift.i64(6, plainBytes)
        thrift.i64(7, bytes)
        thrift.i64(9, pages[0].offset)
        if let dictionaryOffset { thrift.i64(11, dictionaryOffset) }
        statistics.encode(12, isBinary: isBinary, &thrift)
        thrift.list(13, .structure, dictionaryOffset == nil ? 1 : 2)
        if dictionaryOffset != nil { encodePages(2, .plain, 1, &thrift) }
        encodePages(0, dictionaryOffset == nil ? .plain : .dictionary, pages.count, &thrift)
        thrift.end()
        if let offsetIndex {
            thrift.i64(4, offsetIndex.offset)
            thrift.i32(5, offsetIndex.bytes)
        }
        if let columnIndex {
            thrift.i64(6, columnIndex.offset)
            thrift.i32(7, columnIndex.bytes)
        }
        thrift.end()
    }

    private func encodePages(_ type: Int, _ encoding: ParquetEncoding, _ count: Int, _ thrift: inout ThriftCompact) {
        thrift.begin()
        thrift.i32(1, type)
        thrift.i32(2, encoding.rawValue)
        thrift.i32(3, count)
        thrift.end()
    }

    /// The ColumnIndex: least and greatest value of each page. False where a page has none: with a NaN, or of long strings
    /// of which none is greater.
    func encodeColumnIndex(_ thrift: inout ThriftCompact) -> Bool {
        var greatest: [[UInt8]] = []
        for page in pages {
            guard page.statistics.isKnown, let bytes = page.statistics.greatestBytes(isBinary: isBinary) else { return false }
            greatest.append(bytes)
        }
        var (rises, falls) = (true, true)
        for i in 1..<max(pages.count, 1) {
            if !pages[i - 1].statistics.isOrdered(before: pages[i].statistics) { rises = false }
            if !pages[i].statistics.isOrdered(before: pages[i - 1].statistics) { falls = false }
        }
        thrift.begin()
        thrift.list(1, .yes, pages.count)
        for _ in pages { thrift.element(false) }
        thrift.list(2, .binary, pages.count)
        for page in pages { thrift.binary(page.statistics.leastBytes) }
        thrift.list(3, .binary, pages.count)
        for bytes in greatest { thrift.binary(bytes) }
        thrift.i32(4, rises ? 1 : falls ? 2 : 0)
        thrift.list(5, .i64, pages.count)
        for _ in pages { thrift.element(0) }
        thrift.end()
        return true
    }

    /// The OffsetIndex: where each page is.
    func encodeOffsetIndex(_ thrift: inout ThriftCompact) {
        thrift.begin()
        thrift.list(1, .structure, pages.count)
        for page in pages {
            thrift.begin()
            thrift.i64(1, page.offset)
            thrift.i32(2, page.bytes)
            thrift.i64(3, UInt64(page.firstRow))
            thrift.end()
        }
        thrift.end()
    }
}

/// parquet.thrift, enum Encoding.
enum ParquetEncoding: Int {
    case plain = 0
    case rle = 3
    /// Indices into a dictionary page, as runs and packed bits.
    case dictionary = 8
}
