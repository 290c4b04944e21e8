import CPosix
import CXXHash
import TickLog

/// An index beside a file of packets, `FILE.idx`: packets by their number and by their event (docs/RNOG.md, 5). It is made
/// from the file alone, and made anew when it does not belong to it any more. Not of compressed files.
public final class RNOGIndex {
    private let file: RNOGFile
    /// The index's file, or its bytes, in memory.
    private let index: MappedFile
    private var entries: FileBytes { index.bytes.slice(at: RNOGIndex.headerBytes, count: count * RNOGIndex.entryBytes) }
    /// Packets.
    public let count: Int

    private static var magic: UInt64 { 0x5849_474F_4E52_4C54 }  // "TLRNOGIX"
    private static var version: UInt32 { 1 }
    private static var headerBytes: Int { 48 }
    private static var entryBytes: Int { 24 }
    private static var noEvent: UInt32 { .max }
    /// What a file's first and last bytes are hashed of.
    private static var endBytes: Int { 65536 }

    public static func path(of path: String) -> String { path + ".idx" }

    /// Opens the index of a file; makes it, if there is none or it is stale. That it cannot be written is no error: then it
    /// is in memory. `isNew` tells whether it was made.
    public convenience init(_ file: RNOGFile, write: Bool = true, isNew: inout Bool) throws(Fault) {
        guard !file.isCompressed else {
            throw Fault(.unreadable, file.path, at: nil, "found a compressed file, expected one that is not: an index needs bytes at places")
        }
        isNew = false
        let path = RNOGIndex.path(of: file.path)
        if kind(of: path) == .file, let old = try? MappedFile(path), let count = RNOGIndex.check(file, old) {
            self.init(file, old, count)
            return
        }
        isNew = true
        let content = try RNOGIndex.build(file)
        if write { RNOGIndex.save(content, path) }
        let made = MappedFile(content, named: path)
        self.init(file, made, (content.count - RNOGIndex.headerBytes - 8) / RNOGIndex.entryBytes)
    }

    private init(_ file: RNOGFile, _ index: MappedFile, _ count: Int) {
        self.file = file
        self.index = index
        self.count = count
    }

    /// Whether there is an index, stale or not.
    public static func hasOne(_ file: RNOGFile) -> Bool { kind(of: path(of: file.path)) == .file }

    /// Whether there is an index that belongs to the file.
    public static func isFresh(_ file: RNOGFile) -> Bool {
        guard !file.isCompressed, let old = try? MappedFile(path(of: file.path)) else { return false }
        return check(file, old) != nil
    }

    /// How many entries an index of this file has; nil if it is not this file's, or damaged.
    private static func check(_ file: RNOGFile, _ index: MappedFile) -> Int? {
        let bytes = index.bytes
        guard bytes.count >= headerBytes + 8, bytes.u64(at: 0) == magic, bytes.u32(at: 8) == version else { return nil }
        let count = bytes.u64(at: 40)
        guard count <= UInt64(UInt32.max), UInt64(bytes.count - headerBytes - 8) == count * UInt64(entryBytes) else { return nil }
        let state = RNOGIndex.state(of: file)
        guard bytes.u64(at: 16) == state.size, bytes.u64(at: 24) == state.time, bytes.u64(at: 32) == state.ends,
            bytes.u64(at: bytes.count - 8) == cxxhash64(bytes.start, bytes.count - 8)
        else { return nil }
        return Int(count)
    }

    /// What tells that a file has changed: its size, the time of its last change, and its ends.
    private static func state(of file: RNOGFile) -> (size: UInt64, time: UInt64, ends: UInt64) {
        var status = stat()
        var time: UInt64 = 0
        if stat(file.path, &status) == 0 {
            time = UInt64(bitPattern: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec))
        }
        let bytes = file.file.bytes
        let part = min(endBytes, bytes.count)
        var hash = cxxhash64_state()
        cxxhash64_reset(&hash)
        cxxhash64_update(&hash, bytes.start, part)
        cxxhash64_update(&hash, bytes.start + (bytes.count - part), part)
        return (UInt64(bytes.count), time, withUnsafePointer(to: hash) { cxxhash64_digest($0) })
    }

    private static func build(_ file: RNOGFile) throws(Fault) -> [UInt8] {
        let state = RNOGIndex.state(of: file)
        var content = [UInt8](repeating: 0, count: headerBytes)
        var keys: [UInt64] = []
        let walk = try RNOGWalk(file)
        while let piece = walk.next() {
            guard case .packet(let packet) = piece else { continue }
            guard keys.count < Int(Int32.max) else {
                throw Fault(.unreadable, file.path, at: nil, "found more than 2^31 packets, expected fewer: an index has no more")
            }
            // Those without an event come last.
            keys.append((packet.event == nil ? 1 << 63 : UInt64(packet.event!) << 31) | UInt64(keys.count))
            content.add(packet.offset, 8)
            content.add(UInt64(packet.event ?? noEvent), 4)
            content.add(UInt64(packet.kind.rawValue), 2)
            content.add(UInt64(packet.version), 2)
            content.add(UInt64(packet.bytes.count), 4)
            content.add(0, 4)
        }
        keys.sort()
        content.withUnsafeMutableBytes { bytes in
            let start = bytes.baseAddress!
            for i in 0..<keys.count {
                start.storeBytes(
                    of: UInt32(truncatingIfNeeded: keys[i] & 0x7FFF_FFFF), toByteOffset: headerBytes + i * entryBytes + 20, as: UInt32.self)
            }
            start.storeBytes(of: magic, toByteOffset: 0, as: UInt64.self)
            start.storeBytes(of: version, toByteOffset: 8, as: UInt32.self)
            start.storeBytes(of: state.size, toByteOffset: 16, as: UInt64.self)
            start.storeBytes(of: state.time, toByteOffset: 24, as: UInt64.self)
            start.storeBytes(of: state.ends, toByteOffset: 32, as: UInt64.self)
            start.storeBytes(of: UInt64(keys.count), toByteOffset: 40, as: UInt64.self)
        }
        let hash = content.withUnsafeBytes { cxxhash64($0.baseAddress!, $0.count) }
        content.add(hash, 8)
        return content
    }

    private static func save(_ content: [UInt8], _ path: String) {
        do throws(FileError) {
            let made = try NewFile(path, replacing: true)
            let output = Output(descriptor: made.descriptor, path: path)
            content.withUnsafeBytes { output.bytes($0) }
            try output.flush()
            try made.commit()
        } catch {
            // Where nothing may be written, the index is made each time.
        }
    }

    /// The packet of a number, from 0; nil if there are not so many, or the file has changed there since. Its bytes are valid
    /// as long as the index.
    public func packet(_ number: Int) -> RNOGPacket? {
        guard number >= 0, number < count else { return nil }
        let entry = entries.slice(at: number * RNOGIndex.entryBytes, count: RNOGIndex.entryBytes)
        let bytes = file.file.bytes
        guard let offset = Int(exactly: entry.u64(at: 0)), offset <= bytes.count else { return nil }
        guard case .record(let record) = RNOGKinds().step(bytes.slice(at: offset, count: bytes.count - offset)) else { return nil }
        return RNOGPacket(record, at: UInt64(offset))
    }

    /// The numbers of the packets of an event, in file order. Time: O(log packets).
    public func packets(ofEvent event: UInt32) -> [Int] {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if key(middle) < UInt64(event) { low = middle + 1 } else { high = middle }
        }
        var numbers: [Int] = []
        while low < count, key(low) == UInt64(event) {
            numbers.append(place(low))
            low += 1
        }
        return numbers
    }

    /// The number of the packet that is so far in the order of events.
    private func place(_ order: Int) -> Int { min(Int(clamping: entries.u32(at: order * RNOGIndex.entryBytes + 20)), count - 1) }

    /// Its event; more than any, if it has none.
    private func key(_ order: Int) -> UInt64 {
        let at = place(order) * RNOGIndex.entryBytes
        let kind = RNOGKind(rawValue: entries.u16(at: at + 12))
        return kind == .header || kind == .waveform ? UInt64(entries.u32(at: at + 8)) : 1 << 32
    }
}
