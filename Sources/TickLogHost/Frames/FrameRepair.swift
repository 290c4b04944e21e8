import TickLog

/// Makes a sound file of the good frames of another one, each as it was.
public struct FrameRepair: FileRepair {
    public let summary: FrameSummary
    private let file: FrameFile

    /// What a repair would find, without doing it.
    public init(_ file: FrameFile) {
        self.file = file
        summary = FrameSummary(file)
    }

    var path: String { file.path }

    func write(to output: Output) throws(Fault) {
        var walk = FrameWalk(file.file.bytes)
        while let piece = walk.next() {
            guard case .frame(_, let offset, let payload) = piece else { continue }
            output.bytes(file.file.bytes.slice(at: offset, count: FrameHeader.bytes + payload.count).buffer)
        }
        do { try output.flush() } catch { throw Fault(error) }
    }

    func verify(_ path: String) throws(Fault) {
        let again: FrameSummary
        do { again = FrameSummary(try FrameFile(path)) } catch { throw Fault(error) }
        if let fault = again.faults.first { throw fault }
        guard again.frames == summary.frames, again.frameBytes == summary.frameBytes else {
            throw Fault(.damaged, path, at: nil, "found \(again.frames) frames in the repaired file, expected \(summary.frames)")
        }
    }
}
