import TickLog

/// What a run is, besides its samples: what is written anew when it becomes a run of the other format. Names and texts
/// are bytes, as in the files: they need not be UTF-8.
public struct RunOutline {
    public struct Field {
        /// Empty for the one value of a stream without fields.
        public var name: [UInt8]
        public let type: ValueType
        public var unit: [UInt8]
        /// In a DLF sample.
        public var offset = 0

        init(_ name: [UInt8], _ type: ValueType, unit: [UInt8] = [], offset: Int = 0) {
            self.name = name
            self.type = type
            self.unit = unit
            self.offset = offset
        }
    }

    public enum Kind: Sendable { case poll, watch, emit }

    public struct Stream {
        /// As in the run, or as DLF had it.
        public var name: [UInt8]
        /// In a BCSV run: no other stream and no column has it.
        var ownName: [UInt8] = []
        var ownFields: [[UInt8]] = []
        public var notes: [UInt8] = []
        public let kind: Kind
        /// Order of adding, from 0.
        var index: Int
        public var interval: UInt64 = 0
        public var phase: UInt64 = 0
        /// Of an opaque stream one, a string: the sample in base 16.
        public var fields: [Field] = []
        public var isOpaque = false
        /// DLF's type, and bytes of a sample. Of a stream that never was in a DLF run nil, until `layOut`.
        var type: [UInt8]?
        var size = 0
    }

    /// A value of the user's metadata.
    public struct Value {
        public let name: [UInt8]
        public let type: ValueType
        public let bits: UInt64
        public let text: [UInt8]
    }

    /// The image of the metadata in a DLF run.
    struct Image {
        var type: [UInt8]
        var bytes: [UInt8]
    }

    public var name: String
    public var epochNs: Int64
    public var tickNs: UInt64
    public var polled: [Stream] = []
    /// Without the built-in ones of BCSV.
    public var events: [Stream] = []
    public var user: [Value] = []
    var image: Image?
    /// The last tick that the DLF run was sampled at, if its files agree in it.
    var tickSpan: UInt64?
    /// `ticklog.clock` is the last event stream in DLF even if it has no event.
    var hasClock = false

    init(name: String, epochNs: Int64, tickNs: UInt64) {
        self.name = name
        self.epochNs = epochNs
        self.tickNs = tickNs
    }

    /// Bytes of a sample that can be converted: each stream's last one is kept.
    static var largestSample: Int { 1 << 24 }

    /// Streams are numbered through both files, as in loss.dlf; behind them the built-in ones.
    var streamCount: Int { polled.count + events.count }
    var clock: Int { streamCount }
    var note: Int { streamCount + 1 }
    var loss: Int { streamCount + 2 }

    /// The `stream_index` of a stream in a BCSV run.
    func index(of number: Int) -> Int {
        if number < polled.count { return polled[number].index }
        if number < streamCount { return events[number - polled.count].index }
        return number
    }
}

/// Columns of the built-in event streams (spec 3.4), in their order.
enum BuiltinColumns {
    static var clock: [(name: String, type: ValueType, unit: String, offset: Int)] {
        [("epoch_ns", .i64, "ns", 0), ("uncertainty_ns", .u32, "ns", 8), ("source", .u8, "", 12)]
    }
    static var note: [(name: String, type: ValueType, unit: String, offset: Int)] {
        [("level", .u8, "", 0), ("text", .string, "", 1)]
    }
    static var loss: [(name: String, type: ValueType, unit: String, offset: Int)] {
        [
            ("stream", .u16, "", 0), ("reason", .u8, "", 2), ("first_tick", .u64, "", 4), ("last_tick", .u64, "", 12),
            ("samples", .u32, "", 20),
        ]
    }
    static var names: [String] { ["ticklog.clock", "ticklog.note", "ticklog.loss"] }
    static var all: [[(name: String, type: ValueType, unit: String, offset: Int)]] { [clock, note, loss] }
    static var count: Int { 10 }
    static var clockType: [UInt8] { Array("ticklog.clock;epoch_ns:int64_t:0;uncertainty_ns:uint32_t:8;source:uint8_t:12".utf8) }
    static var clockSize: Int { 13 }
    static var lossType: String {
        "ticklog.loss;stream:uint16_t:0;reason:uint8_t:2;first_tick:uint64_t:4;last_tick:uint64_t:12;samples:uint32_t:20"
    }
    static var lossSize: Int { 24 }
}

extension RunOutline.Stream {
    /// Gives a stream that never was in a DLF run a type and a place for each field, one behind the other.
    mutating func layOut() throws(Fault) {
        for field in fields where field.type == .string && !isOpaque {
            throw Fault(
                .unreadable, "", at: nil,
                "found the stream '\(shown(name))' with the string '\(shown(field.name))', expected none: DLF has no strings")
        }
        for text in [name, notes] where text.contains(0) {
            throw Fault(.unreadable, "", at: nil, "found a NUL in '\(shown(text))', expected none: it ends a text in DLF")
        }
        guard type == nil else { return }
        if fields.count == 1, fields[0].name.isEmpty {
            type = Array(staticText(fields[0].type.nameInC).utf8)
            size = fields[0].type.size
            return
        }
        // A name that would end the type's text early is replaced: it has no meaning there.
        var text = name.contains(0x3B) || name.first == 0x21 || name.isEmpty ? Array("stream".utf8) : name
        var at = 0
        for i in 0..<fields.count {
            guard !fields[i].name.contains(0x3B), !fields[i].name.contains(0), !fields[i].name.isEmpty else {
                throw Fault(
                    .unreadable, "", at: nil,
                    "found the field '\(shown(fields[i].name))' of the stream '\(shown(name))', expected a name without ';' and NUL, which DLF has no place for")
            }
            fields[i].offset = at
            text += [0x3B] + fields[i].name + Array(":\(staticText(fields[i].type.nameInC)):\(at)".utf8)
            at += fields[i].type.size
        }
        type = text
        size = at
    }
}

func shown(_ text: [UInt8]) -> String { String(decoding: text, as: UTF8.self) }

extension RunOutline {
    /// Names for BCSV, where each stream and each column of a file has one of its own (spec 3.5).
    mutating func nameColumns() {
        var streams: [String: Int] = [:]
        for name in BuiltinColumns.names { streams[name] = 1 }
        var columns: [String: Int] = [:]
        for i in 0..<polled.count { polled[i].takeName(&streams, &columns) }
        columns = ["stream": 1]
        for i in 0..<events.count { events[i].takeName(&streams, &columns) }
    }
}

extension RunOutline.Stream {
    fileprivate mutating func takeName(_ streams: inout [String: Int], _ columns: inout [String: Int]) {
        ownFields = []
        var names: [String: Int] = [:]
        for field in fields {
            let isSingle = fields.count == 1
            ownFields.append(isSingle ? field.name : unused(field.name, &names) { !$0.isEmpty })
        }
        ownName = unused(name.isEmpty ? Array("stream".utf8) : name, &streams) { own in
            for field in ownFields where columns[shown(columnName(field, of: own))] != nil { return false }
            return !(ownFields.contains([]) && shown(own) == "tick")
        }
        for field in ownFields { columns[shown(columnName(field, of: ownName))] = 1 }
    }

    /// The name, or it with `~2`, `~3` and so on behind it. `used`: names, and the number that was tried last with each.
    private func unused(_ name: [UInt8], _ used: inout [String: Int], isFree: ([UInt8]) -> Bool) -> [UInt8] {
        var own = name
        var number = used[shown(name)] ?? 0
        while number > 0 || used[shown(own)] != nil || !isFree(own) {
            number = max(number + 1, 2)
            own = name + Array("~\(number)".utf8)
            if used[shown(own)] == nil, isFree(own) { break }
        }
        used[shown(name)] = max(number, 1)
        if number > 0 { used[shown(own)] = 1 }
        return own
    }

    /// The name of a field's column.
    func columnName(_ field: [UInt8], of name: [UInt8]) -> [UInt8] { field.isEmpty ? name : name + [0x2E] + field }
}
