import CCRC32C

/// CRC-32C (Castagnoli), by the processor's instruction where it has one. Which it is was found out when the value was
/// made: keep it.
public struct CRC32C: Sendable {
    public let hasInstruction: Bool

    /// - Parameter instruction: false: by the table whatever the processor can, for comparisons.
    public init(instruction: Bool = true) { hasInstruction = instruction && crc32c_has_instruction() != 0 }

    /// The checksum of bytes, or of bytes behind others whose checksum is `before`.
    @inline(__always)
    public func of(_ bytes: UnsafeRawPointer, _ count: Int, after before: UInt32 = 0) -> UInt32 {
        hasInstruction ? ~crc32c_by_instruction(~before, bytes, count) : ~crc32c_by_table(~before, bytes, count)
    }
}
