import CPosix
import CTickLog
import Foundation
import Testing
import TickLogHost

@Suite struct PosixStorageTests {
    let storage = ticklog_posix_storage()!.pointee
    let root: String

    init() throws {
        root = NSTemporaryDirectory() + "/posix-storage-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    func create(_ path: String) throws -> ticklog_file {
        var file: ticklog_file?
        try #require(storage.open(nil, path, &file) == TICKLOG_OK)
        return try #require(file)
    }

    @Test func `the table says its own size and is the same at every call`() {
        #expect(storage.size == UInt32(MemoryLayout<ticklog_storage>.size))
        #expect(ticklog_posix_storage() == ticklog_posix_storage())
    }

    @Test func `bytes land at their offset, and a patch changes only its own`() throws {
        let path = root + "/file"
        let file = try create(path)
        var accepted: UInt32 = 0
        #expect(storage.write(nil, file, 0, "0123456789", 10, &accepted) == TICKLOG_OK)
        #expect(accepted == 10)
        #expect(storage.write(nil, file, 10, "abc", 3, &accepted) == TICKLOG_OK)
        #expect(storage.write(nil, file, 3, "XY", 2, &accepted) == TICKLOG_OK)
        #expect(storage.sync(nil, file) == TICKLOG_OK)
        #expect(storage.close(nil, file) == TICKLOG_OK)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "012XY56789abc")
        #expect(storage.remove(nil, path) == TICKLOG_OK)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `what is there already is never opened again`() throws {
        let path = root + "/file"
        _ = storage.close(nil, try create(path))
        var file: ticklog_file?
        #expect(storage.open(nil, path, &file) == TICKLOG_EXISTS)
        #expect(storage.make_directory(nil, root) == TICKLOG_EXISTS)
    }

    @Test func `a directory is made and removed`() {
        let path = root + "/run"
        #expect(storage.make_directory(nil, path) == TICKLOG_OK)
        #expect(storage.remove(nil, path) == TICKLOG_OK)
        #expect(storage.remove(nil, path) == TICKLOG_NOT_FOUND)
    }

    @Test func `a missing directory is NOT_FOUND`() {
        var file: ticklog_file?
        #expect(storage.open(nil, root + "/none/file", &file) == TICKLOG_NOT_FOUND)
        #expect(storage.make_directory(nil, root + "/none/run") == TICKLOG_NOT_FOUND)
    }

    @Test func `a full directory stays`() throws {
        _ = storage.close(nil, try create(root + "/file"))
        #expect(storage.remove(nil, root) == TICKLOG_IO)
        #expect(FileManager.default.fileExists(atPath: root + "/file"))
    }

    @Test func `a full medium is NO_SPACE`() throws {
        // /dev/full answers ENOSPC to every write. It is not created, so its handle is made by hand.
        let descriptor = open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        var accepted: UInt32 = 9
        #expect(storage.write(nil, ticklog_file(bitPattern: UInt(descriptor) + 1), 0, "x", 1, &accepted) == TICKLOG_NO_SPACE)
        #expect(accepted == 0)
        close(descriptor)
    }
}
