import CPosix

/// Frames as files: the bytes that a receiver would get by TCP. One channel: the path itself; several: PATH.ch<k>.
public final class FileFrameOutput: FrameOutput {
    private let files: [NewFile]
    private let outputs: [Output]

    /// - Throws: EEXIST if there is such a file and it is not to be replaced.
    public init(_ path: String, channels: Int, replacing: Bool) throws(FileError) {
        var files: [NewFile] = []
        var outputs: [Output] = []
        for channel in 0..<channels {
            let file = try NewFile(FileFrameOutput.path(path, channel, of: channels), replacing: replacing)
            files.append(file)
            outputs.append(Output(descriptor: file.descriptor, path: file.path))
        }
        self.files = files
        self.outputs = outputs
    }

    public static func path(_ path: String, _ channel: Int, of channels: Int) -> String {
        channels == 1 ? path : path + ".ch\(channel)"
    }

    public override func send(channel: Int, frame: UnsafeRawBufferPointer) throws(FileError) {
        outputs[channel].bytes(frame)
        guard outputs[channel].isOpen else { return try outputs[channel].flush() }
    }

    public override func end(channel: Int) throws(FileError) { try outputs[channel].flush() }

    public override func end() throws(FileError) { for file in files { try file.commit() } }
}
