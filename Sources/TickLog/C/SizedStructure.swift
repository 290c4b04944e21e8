import CTickLog

/// A structure of ticklog.h that begins with `size`, the sizeof that the caller's header gave it. Older ones are shorter.
///
/// When one grows: its new fields stand at its end, 0 means what the older library did, and `leastBytes` stays.
protocol SizedStructure {
    init()

    /// The least that is accepted: what no caller can do without. Never more than the structure had in release 1.0.0.
    static var leastBytes: Int { get }
}

/// Where the first fields end, with pointers of 64 and of 32 bits.
private func end(_ wide: Int, _ narrow: Int) -> Int { MemoryLayout<Int>.size == 8 ? wide : narrow }

extension ticklog_config: SizedStructure { static var leastBytes: Int { end(24, 16) } }  // through storage
extension ticklog_storage: SizedStructure { static var leastBytes: Int { end(72, 44) } }  // through remove
extension ticklog_stream_config: SizedStructure { static var leastBytes: Int { end(64, 40) } }  // through fields
extension ticklog_run_config: SizedStructure { static var leastBytes: Int { 16 } }  // through tick_ns
extension ticklog_run_statistics: SizedStructure { static var leastBytes: Int { 48 } }  // through pending
extension ticklog_stream_statistics: SizedStructure { static var leastBytes: Int { 40 } }
extension ticklog_table_config: SizedStructure { static var leastBytes: Int { end(64, 56) } }
extension ticklog_source: SizedStructure { static var leastBytes: Int { end(40, 32) } }
extension ticklog_reader_config: SizedStructure { static var leastBytes: Int { end(16, 12) } }  // through source
extension ticklog_damage: SizedStructure { static var leastBytes: Int { 48 } }  // through rows
extension ticklog_scan_counts: SizedStructure { static var leastBytes: Int { 32 } }  // through skipped_bytes
extension ticklog_log_reader_statistics: SizedStructure { static var leastBytes: Int { 24 } }  // through lost
extension ticklog_log_writer_statistics: SizedStructure { static var leastBytes: Int { 24 } }  // through held_bytes
extension ticklog_record_kind: SizedStructure { static var leastBytes: Int { end(64, 44) } }
extension ticklog_dlf_config: SizedStructure { static var leastBytes: Int { end(16, 12) } }
extension ticklog_dlf_header: SizedStructure { static var leastBytes: Int { 32 } }  // through data_bytes
extension ticklog_dlf_stream: SizedStructure { static var leastBytes: Int { end(80, 56) } }
extension ticklog_dlf_extent: SizedStructure { static var leastBytes: Int { 32 } }  // through last_tick
extension ticklog_dlf_meta: SizedStructure { static var leastBytes: Int { end(40, 28) } }

/// The size that stands at the start of a structure, or nil if it is none that this library knows. No release has one
/// that is not a multiple of the alignment: a size never ends within a field.
public func knownSize(_ structure: UnsafeRawPointer, least: Int, most: Int, alignment: Int) -> Int? {
    let size = structure.load(UInt32.self)
    guard size >= UInt32(truncatingIfNeeded: least), size <= UInt32(truncatingIfNeeded: most) else { return nil }
    let count = Int(truncatingIfNeeded: size)
    return count & (alignment &- 1) == 0 ? count : nil
}

extension UnsafePointer where Pointee: SizedStructure {
    /// Nil if it is none that this library knows.
    var knownSize: Int? {
        TickLog.knownSize(
            self, least: Pointee.leastBytes, most: MemoryLayout<Pointee>.size, alignment: MemoryLayout<Pointee>.alignment)
    }

    /// The structure, with 0 in what an older caller lacks; nothing behind its size is read. Nil: TICKLOG_BAD_SIZE.
    func taken() -> Pointee? {
        guard let count = knownSize else { return nil }
        var whole = Pointee()
        withUnsafeMutableBytes(of: &whole) { $0.baseAddress!.copy(self, count) }
        return whole
    }
}

extension UnsafeMutablePointer where Pointee: SizedStructure {
    var hasKnownSize: Bool { UnsafePointer(self).knownSize != nil }

    /// Stores as much of a result as the caller has room for. The caller's size stays.
    func fill(_ result: Pointee) {
        guard let count = UnsafePointer(self).knownSize else { return }
        var result = result
        withUnsafeMutableBytes(of: &result) { (UnsafeMutableRawPointer(self) + 4).copy($0.baseAddress! + 4, count - 4) }
    }
}
