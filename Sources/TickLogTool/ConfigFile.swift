import TickLog
import TickLogHost

/// A file of options: `name = value` on each line, with the names of the command's options; `name` alone, or with `true` or
/// `yes`, for those without a value. What begins with # is a comment. Options of the command line come later, and win.
enum ConfigFile {
    /// The lines as words of a command line.
    static func words(_ path: String, _ command: Command) throws(Failure) -> [String] {
        let file: MappedFile
        do { file = try MappedFile(path) } catch { throw Failure(error) }
        defer { withExtendedLifetime(file) {} }
        var words: [String] = []
        var number = 0
        for line in file.bytes.buffer.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            let text = trimmed(line[...])
            guard let first = text.first, first != 0x23 else { continue }
            let equals = text.firstIndex(of: 0x3D) ?? text.endIndex
            let name = String(decoding: trimmed(text[..<equals]), as: UTF8.self)
            let value = equals < text.endIndex ? String(decoding: trimmed(text[(equals + 1)...]), as: UTF8.self) : nil
            let place = "\(terminalText(path)):\(number): "
            guard let option = command.options.first(where: { $0.name == name }), name != "config" else {
                throw .usage(place + "found '\(terminalText(name))', expected an option of 'ticklog \(command.name)'")
            }
            if option.takesValue {
                guard let value else { throw .usage(place + "found \(name) alone, expected \(name) = value") }
                words.append("--\(name)=\(value)")
            } else if value == nil || value == "true" || value == "yes" {
                words.append("--\(name)")
            } else if value != "false", value != "no" {
                throw .usage(place + "found '\(terminalText(value!))', expected yes or no")
            }
        }
        return words
    }

    private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var bytes = bytes
        while let first = bytes.first, isSpace(first) { bytes = bytes.dropFirst() }
        while let last = bytes.last, isSpace(last) { bytes = bytes.dropLast() }
        return bytes
    }
}
