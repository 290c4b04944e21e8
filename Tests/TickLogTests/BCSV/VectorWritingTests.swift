import Foundation
import Testing
import TickLog
import TickLogHost

/// The other way round: what the reference's files hold, written here.
@Suite struct VectorWritingTests {
    static func write(_ name: String) throws -> (theirs: BCSVFile, ours: BCSVFile) {
        let bytes = try Vectors.bytes("bcsv/" + name)
        let theirs = try BCSVFile(MappedFile(bytes, named: name))
        var options = BCSVOptions()
        options.rowCodec = theirs.header.rowCodec
        options.fileCodec = theirs.header.fileCodec
        options.level = max(Int(theirs.header.level), 1)
        options.packetBytes = Int(theirs.header.packetLimit)
        options.version = theirs.header.minor == 3 ? .v1_3 : .v1_5
        options.creationTime = theirs.header.creationTime
        options.isSynced = false
        let path = FileManager.default.temporaryDirectory.path + "/vector-\(UUID().uuidString).bcsv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let writer = try BCSVWriter(path, columns: theirs.columns, options: options)
        let reader = try BCSVReader(theirs)
        while reader.next() {
            for column in theirs.columns.indices {
                if theirs.columns[column].type == .string {
                    writer.set(column, text: reader.rows.text(column).buffer)
                } else {
                    writer.set(column, bits: reader.rows.bits(column))
                }
            }
            try writer.writeRow()
        }
        try writer.close()
        let written = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        return (theirs, try BCSVFile(MappedFile(written, named: "ours")))
    }

    static func bytes(_ file: BCSVFile, from offset: Int) -> [UInt8] {
        Array(file.file.bytes.slice(at: offset, count: file.file.bytes.count - offset).buffer)
    }

    /// Packets that were closed early are the writer's choice, and so is an index that is left out.
    static let ours = BCSVReaderTests.valid.filter { !$0.contains("flush") && !$0.contains("noindex") }

    @Test(arguments: ours) func `the same rows give the reference's bytes, and where LZ4 is free the same rows`(_ name: String) throws {
        let (theirs, ours) = try Self.write(name)
        let header = theirs.header
        #expect(ours.header.flags == header.flags & ~0x0008 | (ours.header.fileCodec == .batch ? 0x0008 : 0))
        #expect(ours.header.dataOffset == header.dataOffset)
        switch header.fileCodec {
        case .packet, .stream:
            #expect(Self.bytes(ours, from: header.dataOffset) == Self.bytes(theirs, from: header.dataOffset))
        case .packetLZ4, .batch, .streamLZ4:
            let dataset = TableReaderTests.dataset(name)
            #expect(BCSVTable([ours]).allRows() == (try BCSVReaderTests.expected(dataset)))
        }
    }
}
