/// The words of a packet: offsets ("control") and their values ("data"), where they lie, aligned to nothing.
public struct PacketWords {
    /// The most that a packet has: as many offsets as there are.
    public static let most = 65536

    public let control: UnsafeRawPointer
    public let data: UnsafeRawPointer
    public let count: Int

    /// `count` little-endian u16 at each place; at most `most`.
    public init(control: UnsafeRawPointer, data: UnsafeRawPointer, count: Int) {
        precondition(count >= 0 && count <= PacketWords.most)
        self.control = control
        self.data = data
        self.count = count
    }

    /// No words.
    public init() {
        // Never read.
        control = UnsafeRawPointer(bitPattern: 8)!
        data = control
        count = 0
    }

    /// Control, and data right behind it.
    @inline(__always)
    init(at start: UnsafeRawPointer, count: Int) {
        control = start
        data = start + 2 * count
        self.count = count
    }

    /// Bytes of both.
    @inline(__always)
    public var bytes: Int { 4 &* count }

    @inline(__always)
    public func offset(_ index: Int) -> UInt16 {
        precondition(index >= 0 && index < count)
        return control.load(UInt16.self, at: 2 &* index)
    }

    @inline(__always)
    public func value(_ index: Int) -> UInt16 {
        precondition(index >= 0 && index < count)
        return data.load(UInt16.self, at: 2 &* index)
    }

    /// Stores control and data: `bytes` bytes. What lies there already stays; otherwise neither may lie in `out`.
    @inline(__always)
    func store(to out: UnsafeMutableRawPointer) {
        if control != UnsafeRawPointer(out) { out.copy(control, 2 &* count) }
        let behind = out + 2 &* count
        if data != UnsafeRawPointer(behind) { behind.copy(data, 2 &* count) }
    }
}
