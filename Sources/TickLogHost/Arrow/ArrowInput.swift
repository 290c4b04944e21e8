import CPosix
import CTickLog
import TickLog

/// Why a stream of somebody else's cannot be written: what the C function answers, and the sentence.
struct ArrowError: Error {
    let status: ticklog_status
    let text: String

    init(_ status: ticklog_status, _ text: String) {
        self.status = status
        self.text = text
    }
}

/// How the values of a column lie in memory (Arrow columnar format; C data interface, format strings).
enum ArrowShape: Equatable {
    case none
    case bit
    /// Bytes of a value.
    case fixed(Int)
    /// Bytes of an offset.
    case text(Int)

    /// Buffers of an array, the validity's included.
    var buffers: Int64 {
        switch self {
        case .none: 0
        case .bit, .fixed: 2
        case .text: 3
        }
    }
}

/// What a format string says: the type, and the unit of a time.
struct ArrowType {
    let type: ValueType
    let shape: ArrowShape
    var unit = ""
    /// JSON Lines and Parquet need UTF-8.
    var isText = false

    /// Nil: a type that is not taken.
    init?(_ format: String) {
        let bytes = Array(format.utf8)
        guard let first = bytes.first else { return nil }
        if bytes.count == 1 {
            switch first {
            case 0x6E: (type, shape) = (.f32, .none)
            case 0x62: (type, shape) = (.bool, .bit)
            case 0x63: (type, shape) = (.i8, .fixed(1))
            case 0x43: (type, shape) = (.u8, .fixed(1))
            case 0x73: (type, shape) = (.i16, .fixed(2))
            case 0x53: (type, shape) = (.u16, .fixed(2))
            case 0x69: (type, shape) = (.i32, .fixed(4))
            case 0x49: (type, shape) = (.u32, .fixed(4))
            case 0x6C: (type, shape) = (.i64, .fixed(8))
            case 0x4C: (type, shape) = (.u64, .fixed(8))
            case 0x66: (type, shape) = (.f32, .fixed(4))
            case 0x67: (type, shape) = (.f64, .fixed(8))
            case 0x75, 0x7A: (type, shape) = (.string, .text(4))
            case 0x55, 0x5A: (type, shape) = (.string, .text(8))
            default: return nil
            }
            isText = first == 0x75 || first == 0x55
            return
        }
        // Times: of a timestamp the zone stands behind a colon.
        guard first == 0x74, bytes.count >= 3, bytes.count == 3 || (bytes[1] == 0x73 && bytes[3] == 0x3A) else { return nil }
        let unit: String
        switch bytes[2] {
        case 0x73: unit = "s"
        case 0x6D: unit = "ms"
        case 0x75: unit = "us"
        case 0x6E: unit = "ns"
        case 0x44: unit = "days"
        default: return nil
        }
        switch bytes[1] {
        case 0x64:
            guard unit == "days" || unit == "ms" else { return nil }
            (type, shape) = unit == "days" ? (.i32, .fixed(4)) : (.i64, .fixed(8))
            self.unit = unit + " since 1970-01-01"
        case 0x74:
            guard unit != "days" else { return nil }
            (type, shape) = unit == "s" || unit == "ms" ? (.i32, .fixed(4)) : (.i64, .fixed(8))
            self.unit = unit
        case 0x73, 0x44:
            guard unit != "days" else { return nil }
            (type, shape) = (.i64, .fixed(8))
            self.unit = bytes[1] == 0x73 ? unit + " since 1970-01-01" : unit
        default: return nil
        }
    }
}

/// A stream of record batches that somebody else makes: its columns, and one batch after the other. All that its structures
/// say is checked, but how long the buffers are, which they do not.
final class ArrowInput {
    struct Column {
        let name: String
        let type: ArrowType
        /// Of the indices, if it is a dictionary's.
        let indices: ArrowType?
    }

    private(set) var columns: [Column] = []
    private let stream: UnsafeMutablePointer<ArrowArrayStream>
    private var held: [ArrowInputBatch] = []
    private var heldFrom = 0
    private var ended = false
    private var failure: ArrowError?
    /// Batches stay, to be looked at again from the first.
    var isKeeping = true {
        didSet { if !isKeeping { drop(before: heldFrom) } }
    }

    /// Takes the stream over, whatever comes: `stream` is released.
    init(_ given: UnsafeMutablePointer<ArrowArrayStream>) throws(ArrowError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: given.pointee)
        given.pointee.release = nil
        guard stream.pointee.release != nil, let getSchema = stream.pointee.get_schema, stream.pointee.get_next != nil else {
            throw ArrowError(TICKLOG_DAMAGED, "found a stream that is released or lacks a callback, expected an open one")
        }
        var schema = ArrowSchema()
        let code = getSchema(stream, &schema)
        guard code == 0 else { throw failed(code, "its schema") }
        defer { if let release = schema.release { release(&schema) } }
        guard schema.release != nil, let format = schema.format, String(cString: format) == "+s", schema.dictionary == nil else {
            throw ArrowError(TICKLOG_DAMAGED, "found a stream of no structure, expected one of record batches")
        }
        guard schema.n_children >= 0, schema.n_children <= 1 << 24, schema.n_children == 0 || schema.children != nil else {
            throw ArrowError(TICKLOG_DAMAGED, "found \(schema.n_children) columns, expected 1 to 65535")
        }
        guard schema.n_children > 0, schema.n_children <= 65535 else {
            throw ArrowError(TICKLOG_TOO_MANY, "found \(schema.n_children) columns, expected 1 to 65535")
        }
        for i in 0..<Int(schema.n_children) {
            guard let child = schema.children[i], child.pointee.release != nil, let format = child.pointee.format else {
                throw ArrowError(TICKLOG_DAMAGED, "column \(i): found no schema, expected one")
            }
            let name = child.pointee.name.map { String(cString: $0) } ?? ""
            columns.append(try Self.column(name, String(cString: format), child.pointee.dictionary))
        }
    }

    private static func column(
        _ name: String, _ format: String, _ dictionary: UnsafeMutablePointer<ArrowSchema>?
    ) throws(ArrowError) -> Column {
        func refused(_ format: String) -> ArrowError {
            let why = format == "e" ? " (float16)" : format == "vu" || format == "vz" ? " (a string view)"
                : format.utf8.first == 0x2B ? " (nested)" : format.utf8.first == 0x64 ? " (a decimal)" : ""
            return ArrowError(
                TICKLOG_BAD_TYPE,
                "column '\(name)': found the Arrow type '\(format)'\(why), expected bool, an integer, f32, f64, a string or a time")
        }
        guard let dictionary else {
            guard let type = ArrowType(format) else { throw refused(format) }
            return Column(name: name, type: type, indices: nil)
        }
        guard let indices = ArrowType(format), case .fixed = indices.shape, indices.unit.isEmpty, indices.type != .f32, indices.type != .f64 else {
            throw ArrowError(TICKLOG_DAMAGED, "column '\(name)': found a dictionary with indices of the type '\(format)', expected integers")
        }
        guard dictionary.pointee.release != nil, let own = dictionary.pointee.format.map({ String(cString: $0) }) else {
            throw ArrowError(TICKLOG_DAMAGED, "column '\(name)': found no schema of its dictionary, expected one")
        }
        guard dictionary.pointee.dictionary == nil, let type = ArrowType(own) else { throw refused(own) }
        return Column(name: name, type: type, indices: indices)
    }

    deinit {
        held = []
        if let release = stream.pointee.release { release(stream) }
        stream.deallocate()
    }

    private func failed(_ code: Int32, _ what: String) -> ArrowError {
        var text = String(cString: strerror(code))
        if let last = stream.pointee.get_last_error?(stream) { text = String(cString: last) }
        return ArrowError(code == ENOMEM ? TICKLOG_NO_MEMORY : TICKLOG_IO, "the stream answered \(code) for \(what): \(text)")
    }

    /// Batch `index`; nil behind the last. Without `isKeeping`, those before it are released.
    func batch(_ index: Int) throws(ArrowError) -> ArrowInputBatch? {
        if !isKeeping { drop(before: index) }
        while index >= heldFrom + held.count {
            if let failure { throw failure }
            guard !ended else { return nil }
            var array = ArrowArray()
            let code = stream.pointee.get_next(stream, &array)
            guard code == 0 else {
                failure = failed(code, "its next batch")
                throw failure!
            }
            guard array.release != nil else {
                ended = true
                return nil
            }
            do throws(ArrowError) {
                held.append(try ArrowInputBatch(array, columns, number: heldFrom + held.count))
            } catch {
                failure = error
                throw error
            }
        }
        return held[index - heldFrom]
    }

    private func drop(before index: Int) {
        while heldFrom < index, !held.isEmpty {
            held.removeFirst()
            heldFrom += 1
        }
    }
}
