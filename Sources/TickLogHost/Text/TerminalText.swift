/// Text from a file or peer, made safe for a terminal: control characters (C0, DEL, C1) become `\x1b` and the like.
public func terminalText(_ text: String) -> String {
    var safe = true
    for scalar in text.unicodeScalars where isControl(scalar) { safe = false }
    if safe { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        if isControl(scalar) {
            result += "\\x"
            result.unicodeScalars.append(Unicode.Scalar(hexDigit(UInt8(scalar.value >> 4))))
            result.unicodeScalars.append(Unicode.Scalar(hexDigit(UInt8(scalar.value & 15))))
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (scalar.value >= 0x7F && scalar.value < 0xA0)
}
