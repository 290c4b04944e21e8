import CXXHash

/// Receives a document byte by byte and keeps the part of it that starts at `skip` and fits `room`.
///
/// Headers, footers and whole small files are generated as documents, as often as needed, and written window by window:
/// that way they need no memory of their own, and a busy storage can interrupt them anywhere.
struct Emitter {
    private let skip: Int
    private let out: UnsafeMutableRawPointer?
    private let room: Int
    /// Bytes put so far: after the document, its length.
    private(set) var position = 0
    private var hash = cxxhash64_state()

    /// A window on the document: bytes [skip, skip + room) go to `out`.
    init(skip: Int, out: UnsafeMutableRawPointer?, room: Int) {
        self.skip = skip
        self.out = out
        self.room = room
        cxxhash64_reset(&hash)
    }

    /// Keeps nothing: for a document's length and hash.
    static func measuring() -> Emitter { Emitter(skip: 0, out: nil, room: 0) }

    /// How many bytes of the window are filled.
    var filled: Int { max(0, min(position - skip, room)) }

    @inline(never)
    mutating func put(_ bytes: UnsafeRawPointer, _ count: Int) {
        cxxhash64_update(&hash, bytes, count)
        // The part [from, to) of these bytes lies in the window; to - skip <= room.
        let from = max(position, skip)
        let to = min(position + count, skip + room)
        if from < to, let out {
            (out + (from - skip)).copy(bytes + (from - position), to - from)
        }
        position += count
    }

    @inline(never)
    mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        var value = value
        withUnsafeBytes(of: &value) { put($0.baseAddress!, MemoryLayout<Value>.size) }
    }

    @inline(never)
    mutating func put(_ text: StaticString) {
        put(UnsafeRawPointer(text.utf8Start), text.utf8CodeUnitCount)
    }

    /// The characters of a C string, at most `limit`, without its NUL; nothing for NULL.
    @inline(never)
    mutating func put(_ text: UnsafePointer<CChar>?, limit: Int) {
        guard let text else { return }
        put(UnsafeRawPointer(text), text.length(limit))
    }

    @inline(never)
    mutating func put(decimal value: UInt64) {
        var digits: (UInt64, UInt64, UInt32) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { buffer in
            var rest = value
            var at = 20
            repeat {
                at -= 1
                buffer[at] = UInt8(48 + rest % 10)
                rest /= 10
            } while rest != 0
            put(UnsafeRawPointer(buffer.baseAddress! + at), 20 - at)
        }
    }

    mutating func beginHash() { cxxhash64_reset(&hash) }

    /// XXH64 of everything put since `beginHash`.
    func hashed() -> UInt64 {
        withUnsafePointer(to: hash) { cxxhash64_digest($0) }
    }
}

/// The number of decimal digits of a value.
func decimalDigits(_ value: UInt64) -> Int {
    var digits = 1
    var rest = value / 10
    while rest != 0 {
        digits += 1
        rest /= 10
    }
    return digits
}
