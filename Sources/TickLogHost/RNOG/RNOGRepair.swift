import TickLog

/// Makes a sound file of the good packets of another one, each as it was; what was compressed is so again.
public struct RNOGRepair: FileRepair {
    public let summary: RNOGSummary
    private let file: RNOGFile

    /// What a repair would find, without doing it.
    public init(_ file: RNOGFile) throws(Fault) {
        self.file = file
        summary = try RNOGSummary(file)
    }

    var path: String { file.path }

    func write(to output: Output) throws(Fault) {
        _ = try file.copy(to: PacketOutput(output, gzip: file.isCompressed ? 6 : nil), upgraded: false)
    }

    func verify(_ path: String) throws(Fault) {
        let file: RNOGFile
        do throws(FileError) { file = try RNOGFile(path) } catch { throw Fault(error) }
        let again = try RNOGSummary(file)
        if let fault = again.faults.first { throw fault }
        guard again.packets == summary.packets, again.packetBytes == summary.packetBytes else {
            throw Fault(.damaged, path, at: nil, "found \(again.packets) packets in the repaired file, expected \(summary.packets)")
        }
    }
}
