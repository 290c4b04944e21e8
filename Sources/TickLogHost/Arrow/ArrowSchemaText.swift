import CPosix
import CTickLog
import TickLog

/// A column as Arrow describes it.
struct ArrowField {
    let name: String
    /// As in the C data interface.
    let format: StaticString
    var isNullable = false
    /// Strings are indices into a dictionary of `format`.
    var hasDictionary = false
    var metadata: [(key: String, value: String)] = []
}

extension ValueType {
    /// The format string of the C data interface. `binary`: strings need not be UTF-8.
    func arrowFormat(binary: Bool) -> StaticString {
        switch self {
        case .bool: "b"
        case .u8: "C"
        case .u16: "S"
        case .u32: "I"
        case .u64: "L"
        case .i8: "c"
        case .i16: "s"
        case .i32: "i"
        case .i64: "l"
        case .f32: "f"
        case .f64: "g"
        case .string: binary ? "z" : "u"
        }
    }
}

/// The memory of a schema that was handed to a consumer; see `ArrowBatch`.
final class ArrowSchemaText {
    private let children: UnsafeMutablePointer<ArrowSchema>
    private let pointers: UnsafeMutablePointer<UnsafeMutablePointer<ArrowSchema>?>
    private var texts: [UnsafeMutablePointer<CChar>] = []

    init(_ fields: [ArrowField], _ metadata: [(key: String, value: String)], to out: UnsafeMutablePointer<ArrowSchema>) {
        let count = fields.count
        children = .allocate(capacity: 2 * count + 1)
        children.initialize(repeating: ArrowSchema(), count: 2 * count + 1)
        pointers = .allocate(capacity: count + 1)
        pointers.initialize(repeating: nil, count: count + 1)
        for i in 0..<count {
            let child = children + i
            child.pointee.format = Self.text(fields[i].format)
            child.pointee.name = keep(Array(fields[i].name.utf8))
            child.pointee.metadata = packed(fields[i].metadata)
            child.pointee.flags = fields[i].isNullable ? Int64(ARROW_FLAG_NULLABLE) : 0
            if fields[i].hasDictionary {
                let dictionary = children + count + i
                dictionary.pointee.format = child.pointee.format
                dictionary.pointee.name = Self.text("")
                child.pointee.format = Self.text("i")
                child.pointee.dictionary = dictionary
                own(dictionary)
            }
            own(child)
            pointers[i] = child
        }
        var root = ArrowSchema()
        root.format = Self.text("+s")
        root.name = Self.text("")
        root.metadata = packed(metadata)
        root.n_children = Int64(count)
        root.children = pointers
        out.initialize(to: root)
        own(out)
    }

    deinit {
        for text in texts { free(text) }
        children.deallocate()
        pointers.deallocate()
    }

    private func own(_ schema: UnsafeMutablePointer<ArrowSchema>) {
        schema.pointee.private_data = Unmanaged.passRetained(self).toOpaque()
        schema.pointee.release = { releaseSchema($0) }
    }

    private static func text(_ text: StaticString) -> UnsafePointer<CChar> {
        UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }

    /// With a NUL behind; what stands behind a NUL in it is cut, as names in C are.
    private func keep(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
        let text = UnsafeMutablePointer<CChar>(OpaquePointer(malloc(bytes.count + 1)!))
        for i in 0..<bytes.count { text[i] = CChar(bitPattern: bytes[i]) }
        text[bytes.count] = 0
        texts.append(text)
        return UnsafePointer(text)
    }

    /// The number of pairs, and each key and value behind its length; nil if there are none.
    private func packed(_ pairs: [(key: String, value: String)]) -> UnsafePointer<CChar>? {
        guard !pairs.isEmpty else { return nil }
        var bytes: [UInt8] = []
        func put(_ number: Int) { for i in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: number &>> (8 * i))) } }
        put(pairs.count)
        for pair in pairs {
            for text in [pair.key, pair.value] {
                put(text.utf8.count)
                bytes += Array(text.utf8)
            }
        }
        return keep(bytes)
    }
}

private func releaseSchema(_ schema: UnsafeMutablePointer<ArrowSchema>?) {
    guard let schema, schema.pointee.release != nil else { return }
    for i in 0..<Int(schema.pointee.n_children) {
        if let child = schema.pointee.children?[i], let release = child.pointee.release { release(child) }
    }
    if let dictionary = schema.pointee.dictionary, let release = dictionary.pointee.release { release(dictionary) }
    let owner = schema.pointee.private_data
    schema.pointee.release = nil
    schema.pointee.private_data = nil
    if let owner { Unmanaged<ArrowSchemaText>.fromOpaque(owner).release() }
}
