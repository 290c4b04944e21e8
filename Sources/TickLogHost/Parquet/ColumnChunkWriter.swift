import CPosix
import TickLog

/// Writes the values of columns as column chunks: in pages, with a dictionary and compressed where that makes them smaller.
final class ColumnChunkWriter {
    /// There is not enough memory.
    struct NoMemory: Error {}

    private let output: CountedOutput
    private let options: ParquetOptions
    private let dictionary: ParquetDictionary
    private let compressor: PageCompressor?
    private var header = ThriftCompact()
    private var pages: [ParquetPage] = []
    /// A page in PLAIN encoding, of types that are not held so.
    private var plain: UnsafeMutableRawPointer?
    private var plainRoom = 0
    /// All pages of indices.
    private var encoded: UnsafeMutableRawPointer?
    private var encodedRoom = 0
    /// Where each of them begins there; one more.
    private var encodedStarts: [Int] = []

    /// Bytes of a page that are tried to find out whether it pays to compress.
    private static var sampleBytes: Int { 65536 }

    init(_ output: CountedOutput, _ options: ParquetOptions) {
        self.output = output
        self.options = options
        dictionary = ParquetDictionary(mostBytes: options.dictionaryBytes)
        compressor = options.compression == .lz4 ? PageCompressor() : nil
    }

    deinit {
        free(plain)
        free(encoded)
    }

    /// `rows` is more than 0.
    func write(_ column: ParquetColumn, rows: Int) throws(NoMemory) -> ColumnChunk {
        ParquetPage.pages(column, rows: rows, pageBytes: options.pageBytes, into: &pages)
        var chunk = ColumnChunk(column, rows: rows, isBinary: options.hasBinaryStrings)
        var plainBytes = 0
        for page in pages { plainBytes += PlainPage.bytes(page, column.type) }
        let middle = pages.count / 2
        var best = try compressed(plainBytes, try plainPage(column, middle))
        chunk.isCompressed = isWorth(best, of: plainBytes)
        if !chunk.isCompressed { best = plainBytes }
        if dictionary.build(column, rows) {
            try encodeIndices()
            let bytes = encodedStarts[pages.count]
            let start = encodedStarts[middle]
            let page = UnsafeRawBufferPointer(start: encoded! + start, count: encodedStarts[middle + 1] - start)
            let small = try compressed(bytes, page)
            let isCompressed = isWorth(small, of: bytes)
            let size = dictionary.pageBytes + (isCompressed ? small : bytes)
            if size < best {
                chunk.isCompressed = isCompressed
                try writeDictionary(&chunk)
                try writePages(column, &chunk, isPlain: false)
                return chunk
            }
        }
        try writePages(column, &chunk, isPlain: true)
        return chunk
    }

    /// What `total` bytes will take when they are compressed, of which these are some.
    private func compressed(_ total: Int, _ sample: UnsafeRawBufferPointer) throws(NoMemory) -> Int {
        guard let compressor, let start = sample.baseAddress, sample.count > 0 else { return total }
        let count = min(sample.count, Self.sampleBytes)
        guard let block = compressor.compress(start, count) else { throw NoMemory() }
        return Int(UInt64(total) * UInt64(block.count) / UInt64(count))
    }

    /// Readers have work with it.
    private func isWorth(_ compressed: Int, of plain: Int) -> Bool { compressed < plain - plain / 16 }

    private func plainPage(_ column: ParquetColumn, _ index: Int) throws(NoMemory) -> UnsafeRawBufferPointer {
        let page = pages[index]
        let values = UnsafeRawPointer(column.memory!) + page.start
        let count = PlainPage.bytes(page, column.type)
        if PlainPage.isStored(column.type) { return UnsafeRawBufferPointer(start: values, count: count) }
        if plainRoom < count {
            free(plain)
            plain = malloc(count)
            plainRoom = plain == nil ? 0 : count
        }
        guard let plain else { throw NoMemory() }
        PlainPage.encode(values, page.rows, column.type, to: plain)
        return UnsafeRawBufferPointer(start: plain, count: count)
    }

    private func encodeIndices() throws(NoMemory) {
        let width = RunLengthHybrid.width(dictionary.count)
        encodedStarts.removeAll(keepingCapacity: true)
        var used = 0
        for page in pages {
            let needed = used + 1 + RunLengthHybrid.bound(page.rows, width: width)
            if encodedRoom < needed {
                guard let larger = realloc(encoded, needed + needed / 2) else { throw NoMemory() }
                encoded = larger
                encodedRoom = needed + needed / 2
            }
            encodedStarts.append(used)
            encoded!.storeBytes(of: UInt8(width), toByteOffset: used, as: UInt8.self)
            used += 1
            used += RunLengthHybrid.encode(dictionary.indices! + page.first, page.rows, width: width, to: encoded! + used)
        }
        encodedStarts.append(used)
    }

    private func writeDictionary(_ chunk: inout ColumnChunk) throws(NoMemory) {
        chunk.dictionaryOffset = output.offset
        let page = UnsafeRawBufferPointer(start: dictionary.page, count: dictionary.pageBytes)
        try write(page, &chunk) { header in
            header.begin(7)
            header.i32(1, dictionary.count)
            header.i32(2, ParquetEncoding.plain.rawValue)
            header.bool(3, false)
            header.end()
        }
    }

    private func writePages(_ column: ParquetColumn, _ chunk: inout ColumnChunk, isPlain: Bool) throws(NoMemory) {
        chunk.pages.reserveCapacity(pages.count)
        for i in 0..<pages.count {
            let page = pages[i]
            let statistics = ParquetStatistics(column.type, column.memory! + page.start, page.rows)
            chunk.statistics.add(statistics)
            let bytes = isPlain
                ? try plainPage(column, i)
                : UnsafeRawBufferPointer(start: encoded! + encodedStarts[i], count: encodedStarts[i + 1] - encodedStarts[i])
            let start = output.offset
            let isBinary = chunk.isBinary
            try write(bytes, &chunk) { header in
                header.begin(5)
                header.i32(1, page.rows)
                header.i32(2, (isPlain ? ParquetEncoding.plain : .dictionary).rawValue)
                header.i32(3, ParquetEncoding.rle.rawValue)
                header.i32(4, ParquetEncoding.rle.rawValue)
                statistics.encode(5, isBinary: isBinary, &header)
                header.end()
            }
            chunk.pages.append(
                ColumnChunk.Page(offset: start, bytes: Int(output.offset - start), firstRow: page.first, statistics: statistics))
        }
    }

    /// A PageHeader, of which `kind` adds what is its own, and the page.
    private func write(
        _ page: UnsafeRawBufferPointer, _ chunk: inout ColumnChunk, _ kind: (inout ThriftCompact) -> Void
    ) throws(NoMemory) {
        var stored = page
        if chunk.isCompressed, let compressor {
            guard let block = compressor.compress(page.baseAddress!, page.count) else { throw NoMemory() }
            stored = block
        }
        header.removeAll()
        header.begin()
        header.i32(1, chunk.dictionaryOffset == output.offset ? 2 : 0)
        header.i32(2, page.count)
        header.i32(3, stored.count)
        kind(&header)
        header.end()
        output.bytes(header.bytes)
        output.bytes(stored.baseAddress!, stored.count)
        chunk.plainBytes += UInt64(header.bytes.count + page.count)
        chunk.bytes += UInt64(header.bytes.count + stored.count)
    }
}
