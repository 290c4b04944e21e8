@testable import TickLog
import Foundation

/// Frames for tests of the receiver.
struct FrameMaker {
    let crc = CRC32C()
    var stream: UInt8 = 0

    func frame(_ sequence: UInt64, payload: [UInt8], flags: UInt16 = 0, timestamp: UInt64? = nil) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 40) + payload
        let header = FrameHeader(
            stream: stream, flags: flags, sequence: sequence, timestamp: timestamp ?? 1000 + sequence, payloadBytes: UInt32(payload.count))
        payload.withUnsafeBytes { payload in
            out.withUnsafeMutableBytes { header.store(to: $0.baseAddress!, payload: payload.baseAddress!, crc) }
        }
        return out
    }

    /// A chunk of a periodic, with so many bytes behind its header.
    func chunk(_ sequence: UInt64, _ periodic: UInt64, _ index: UInt32, of count: UInt32, bytes: Int = 30) -> [UInt8] {
        var payload = [UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: 24 + bytes)
        payload.withUnsafeMutableBytes {
            ChunkHeader(periodic: periodic, index: index, count: count, chunkBytes: UInt32(bytes)).store(to: $0.baseAddress!)
        }
        let flags = (index == 0 ? FrameHeader.firstChunk : 0) | (index == count - 1 ? FrameHeader.lastChunk : 0)
        return frame(sequence, payload: payload, flags: flags)
    }
}

/// A directory for a test.
func temporaryDirectory() throws -> String {
    let path = NSTemporaryDirectory() + "/ticklog-receive-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}
