import CTickLog
import Foundation
import Testing
import TickLogHost

/// A logger with a folder and memory of its own, driven through the C functions.
final class Recorder {
    let root: String
    private(set) var logger: OpaquePointer!
    private let storage = UnsafeMutablePointer<ticklog_storage>.allocate(capacity: 1)
    private var memory: [UnsafeMutableRawPointer] = []

    init(maxRuns: UInt16 = 0) throws {
        root = NSTemporaryDirectory() + "/ticklog-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        // Power cuts are no subject here.
        storage.initialize(to: ticklog_posix_storage().pointee)
        storage.pointee.sync = nil
        var config = ticklog_config()
        config.size = UInt32(MemoryLayout<ticklog_config>.size)
        config.max_streams = 64
        config.max_runs = maxRuns
        config.root = UnsafePointer(text(root))
        config.storage = UnsafePointer(storage)
        let bytes = ticklog_logger_size(&config)
        try #require(ticklog_logger_init(allocate(bytes), bytes, &config, &logger) == TICKLOG_OK)
    }

    deinit {
        for block in memory { block.deallocate() }
        storage.deallocate()
        try? FileManager.default.removeItem(atPath: root)
    }

    /// Memory that lives as long as the recorder, zeroed.
    func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 1), alignment: 8)
        block.initializeMemory(as: UInt8.self, repeating: 0, count: max(bytes, 1))
        memory.append(block)
        return block
    }

    func text(_ text: String) -> UnsafeMutablePointer<CChar> {
        let bytes = Array(text.utf8CString)
        let copy = allocate(bytes.count).bindMemory(to: CChar.self, capacity: bytes.count)
        for i in 0..<bytes.count { copy[i] = bytes[i] }
        return copy
    }

    func fields(_ fields: [ticklog_field]) -> UnsafePointer<ticklog_field> {
        let copy = allocate(fields.count * MemoryLayout<ticklog_field>.stride).bindMemory(to: ticklog_field.self, capacity: fields.count)
        for i in 0..<fields.count { copy[i] = fields[i] }
        return UnsafePointer(copy)
    }

    func field(_ name: String, _ type: UInt32, at offset: Int, count: Int = 1, size: Int = 0) -> ticklog_field {
        ticklog_field(
            name: text(name), unit: nil, type: UInt16(type), count: UInt16(count), offset: UInt32(offset), size: UInt32(size))
    }

    @discardableResult
    func add(
        _ name: String, _ kind: UInt32, type: UInt32 = TICKLOG_U8, source: UnsafeRawPointer? = nil,
        _ configure: (inout ticklog_stream_config) -> Void = { _ in }
    ) throws -> OpaquePointer {
        var config = ticklog_stream_config()
        config.size = UInt32(MemoryLayout<ticklog_stream_config>.size)
        config.kind = UInt16(kind)
        config.type = UInt16(type)
        config.name = UnsafePointer(text(name))
        config.source = source
        configure(&config)
        var stream: OpaquePointer?
        let status = ticklog_add(logger, &config, &stream)
        try #require(status == TICKLOG_OK, "\(name): \(String(cString: ticklog_status_text(status)))")
        return stream!
    }

    /// A run in `memory`, or in memory of its own.
    func start(
        _ name: String, in memory: UnsafeMutableRawPointer? = nil, _ configure: (inout ticklog_run_config) -> Void = { _ in }
    ) throws -> OpaquePointer {
        var config = ticklog_run_config()
        config.size = UInt32(MemoryLayout<ticklog_run_config>.size)
        config.tick_ns = 1_000_000
        config.name = UnsafePointer(text(name))
        configure(&config)
        let bytes = ticklog_run_size(logger, &config)
        var run: OpaquePointer?
        let status = ticklog_start(logger, &config, memory ?? allocate(bytes), bytes, &run)
        try #require(status == TICKLOG_OK, "\(name): \(String(cString: ticklog_status_text(status)))")
        return run!
    }

    /// Calls again while storage is busy.
    func stop(_ run: OpaquePointer) -> ticklog_status {
        var status = TICKLOG_BUSY
        while status == TICKLOG_BUSY { status = ticklog_stop(run) }
        return status
    }

    func statistics(_ run: OpaquePointer) -> ticklog_run_statistics {
        var statistics = ticklog_run_statistics()
        statistics.size = UInt32(MemoryLayout<ticklog_run_statistics>.size)
        #expect(ticklog_statistics(run, &statistics) == TICKLOG_OK)
        return statistics
    }

    func statistics(_ run: OpaquePointer, of stream: OpaquePointer) -> ticklog_stream_statistics {
        var statistics = ticklog_stream_statistics()
        statistics.size = UInt32(MemoryLayout<ticklog_stream_statistics>.size)
        #expect(ticklog_statistics_of(run, stream, &statistics) == TICKLOG_OK)
        return statistics
    }

    func bytes(_ run: String, _ file: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(run)/\(file)")))
    }

    /// The run, as the project's own readers find it.
    func read(_ run: String) throws -> Run {
        let run = try Run(try #require(try RunDirectory("\(root)/\(run)")))
        #expect(run.faults.isEmpty)
        #expect(!run.directory.isLocked)
        return run
    }
}
