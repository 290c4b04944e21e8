/// An output that knows where it is in the file.
final class CountedOutput {
    let output: Output
    @exclusivity(unchecked) private(set) var offset: UInt64 = 0

    init(_ output: Output) { self.output = output }

    func bytes(_ start: UnsafeRawPointer, _ count: Int) {
        output.bytes(UnsafeRawBufferPointer(start: start, count: count))
        offset += UInt64(count)
    }

    func bytes(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { output.bytes($0) }
        offset += UInt64(bytes.count)
    }
}
