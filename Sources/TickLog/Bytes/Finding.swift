/// What a reader met in a file, for the sentence "offset 40: found X, expected Y".
public enum Finding: Sendable {
    case number(UInt64)
    case hex(UInt64)
    case end
    case text(StaticString)
}
