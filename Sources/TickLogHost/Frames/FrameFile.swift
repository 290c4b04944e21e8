import TickLog

/// A .dat file: frames one behind the other, as they came (spec: FRAMES, 5).
public struct FrameFile {
    public let file: MappedFile
    public var path: String { file.path }

    public init(_ path: String) throws(FileError) { file = try MappedFile(path) }

    public init(_ file: MappedFile) { self.file = file }

    /// Whether bytes begin with a frame's magic, or with so much of it as there is.
    public static func recognises(_ bytes: FileBytes) -> Bool {
        guard bytes.count >= 4 else { return false }
        for i in 0..<min(bytes.count, 8) where bytes[i] != UInt8(truncatingIfNeeded: FrameHeader.magic >> UInt64(56 - 8 * i)) {
            return false
        }
        return true
    }

    /// As well: a file with the name of one that is empty or has a frame anywhere, so that one with a bad start is read.
    public static func recognises(_ file: MappedFile) -> Bool {
        if recognises(file.bytes) { return true }
        let name = file.path.fileExtension
        guard name == "dat" || (name == "part" && String(decoding: file.path.utf8.dropLast(5), as: UTF8.self).fileExtension == "dat") else { return false }
        if file.bytes.count == 0 { return true }
        var walk = FrameWalk(file.bytes)
        while let piece = walk.next() { if case .frame = piece { return true } }
        return false
    }

    /// The longest payload that is read: no receiver has taken a longer one.
    static var maxPayload: UInt32 { UInt32(Int32.max) - 64 }
}
