import CTickLog
import TickLog

/// A record batch of somebody else's, checked.
final class ArrowInputBatch {
    /// The values of an array, as far as its structure can be trusted.
    struct Values {
        var shape = ArrowShape.none
        var isUnsigned = false
        /// Elements that may be looked at.
        var count = 0
        /// The element that comes first.
        var first = 0
        var validity: UnsafePointer<UInt8>?
        var values: UnsafeRawPointer?
        var text: UnsafeRawPointer?

        @inline(__always)
        func isKnown(_ row: Int) -> Bool {
            guard let validity else { return shape != .none }
            let at = first &+ row
            return validity[at &>> 3] &>> UInt8(truncatingIfNeeded: at & 7) & 1 == 1
        }

        /// The bits of a value, zero-extended.
        @inline(__always)
        func bits(_ row: Int) -> UInt64 {
            let at = first &+ row
            switch shape {
            case .fixed(8): return values!.loadUnaligned(fromByteOffset: at &* 8, as: UInt64.self)
            case .fixed(4): return UInt64(values!.loadUnaligned(fromByteOffset: at &* 4, as: UInt32.self))
            case .fixed(2): return UInt64(values!.loadUnaligned(fromByteOffset: at &* 2, as: UInt16.self))
            case .fixed: return UInt64(values!.load(fromByteOffset: at, as: UInt8.self))
            case .bit: return UInt64(values!.load(fromByteOffset: at &>> 3, as: UInt8.self) &>> UInt8(truncatingIfNeeded: at & 7) & 1)
            default: return 0
            }
        }

        func offset(_ row: Int) -> Int64 {
            let at = first &+ row
            if shape == .text(8) { return values!.loadUnaligned(fromByteOffset: at &* 8, as: Int64.self) }
            return Int64(values!.loadUnaligned(fromByteOffset: at &* 4, as: Int32.self))
        }

        /// Offsets were checked.
        func string(_ row: Int) -> UnsafeRawBufferPointer {
            let start = Int(offset(row))
            let count = Int(offset(row &+ 1)) - start
            guard count > 0, let text else { return UnsafeRawBufferPointer(start: nil, count: 0) }
            return UnsafeRawBufferPointer(start: text + start, count: count)
        }
    }

    let rows: Int
    private(set) var columns: [Values] = []
    /// Of columns with a dictionary: its values.
    private(set) var dictionaries: [Values?] = []
    /// Columns in which there may be nulls.
    private(set) var nullable: [Int] = []
    private let array: UnsafeMutablePointer<ArrowArray>

    /// Takes the array over, whatever comes. `number`: of the batch, for errors.
    init(_ given: ArrowArray, _ schema: [ArrowInput.Column], number: Int) throws(ArrowError) {
        array = .allocate(capacity: 1)
        array.initialize(to: given)
        func damaged(_ column: Int?, _ text: String) -> ArrowError {
            var place = "batch \(number): "
            if let column { place = "batch \(number), column '\(schema[column].name)': " }
            return ArrowError(TICKLOG_DAMAGED, place + text)
        }
        guard given.length >= 0, given.offset >= 0, given.length <= Self.most, given.offset <= Self.most else {
            rows = 0
            throw damaged(nil, "found a length of \(given.length) behind \(given.offset), expected up to 2^40")
        }
        rows = Int(given.length)
        guard given.n_buffers == 1, given.buffers != nil, given.dictionary == nil else {
            throw damaged(nil, "found \(given.n_buffers) buffers, expected one of a structure")
        }
        guard given.n_children == Int64(schema.count), let children = given.children else {
            throw damaged(nil, "found \(given.n_children) columns, expected the \(schema.count) of the schema")
        }
        let whole = given.offset == 0 && given.buffers[0] == nil ? nil : given.buffers[0]
        if whole != nil, given.null_count != 0 {
            let bits = whole!.assumingMemoryBound(to: UInt8.self)
            for row in 0..<rows {
                let at = Int(given.offset) + row
                guard bits[at >> 3] >> UInt8(at & 7) & 1 == 1 else {
                    throw ArrowError(TICKLOG_BAD_ARGUMENT, "batch \(number): found a row \(row) that is null, expected values")
                }
            }
        }
        for i in 0..<schema.count {
            guard let child = children[i], child.pointee.release != nil else { throw damaged(i, "found no array, expected one") }
            let type = schema[i].indices ?? schema[i].type
            let values: Values
            do throws(ArrowError) {
                values = try Self.values(child, type, from: Int(given.offset), rows)
            } catch { throw damaged(i, error.text) }
            columns.append(values)
            guard schema[i].indices != nil else {
                guard child.pointee.dictionary == nil else { throw damaged(i, "found a dictionary, expected none") }
                dictionaries.append(nil)
                if values.validity != nil || values.shape == .none { nullable.append(i) }
                continue
            }
            guard let own = child.pointee.dictionary, own.pointee.release != nil else {
                throw damaged(i, "found no dictionary, expected one")
            }
            guard own.pointee.length >= 0, own.pointee.length <= Self.most else {
                throw damaged(i, "found a dictionary of \(own.pointee.length) values, expected up to 2^40")
            }
            let dictionary: Values
            do throws(ArrowError) {
                dictionary = try Self.values(own, schema[i].type, from: 0, Int(own.pointee.length))
            } catch { throw damaged(i, "dictionary: " + error.text) }
            for row in 0..<rows where values.isKnown(row) {
                guard Self.index(values, row) < UInt64(dictionary.count) else {
                    throw damaged(i, "row \(row): found an index beyond the dictionary, expected less than \(dictionary.count)")
                }
            }
            dictionaries.append(dictionary)
            if values.validity != nil || dictionary.validity != nil || dictionary.shape == .none { nullable.append(i) }
        }
    }

    deinit {
        if let release = array.pointee.release { release(array) }
        array.deallocate()
    }

    private static var most: Int64 { MemoryLayout<Int>.size == 4 ? 1 << 26 : 1 << 40 }

    /// An index as an unsigned number: one below 0 is beyond every dictionary.
    private static func index(_ values: Values, _ row: Int) -> UInt64 {
        let bits = values.bits(row)
        guard !values.isUnsigned, case .fixed(let size) = values.shape, size < 8 else { return bits }
        return bits >> UInt64(8 * size - 1) & 1 == 1 ? UInt64.max : bits
    }

    /// The array's values from element `from` of the structure on.
    private static func values(
        _ array: UnsafeMutablePointer<ArrowArray>, _ type: ArrowType, from: Int, _ rows: Int
    ) throws(ArrowError) -> Values {
        let given = array.pointee
        func damaged(_ text: String) -> ArrowError { ArrowError(TICKLOG_DAMAGED, text) }
        guard given.offset >= 0, given.offset <= most, given.length >= Int64(from + rows) else {
            throw damaged("found \(given.length) values behind \(given.offset), expected \(from + rows)")
        }
        guard given.n_buffers == type.shape.buffers, given.n_buffers == 0 || given.buffers != nil else {
            throw damaged("found \(given.n_buffers) buffers, expected \(type.shape.buffers)")
        }
        guard given.n_children == 0 else { throw damaged("found \(given.n_children) children, expected none") }
        var values = Values()
        values.shape = type.shape
        switch type.type {
        case .u8, .u16, .u32, .u64: values.isUnsigned = true
        default: break
        }
        values.count = rows
        values.first = Int(given.offset) + from
        if type.shape == .none { return values }
        guard given.null_count >= -1, given.null_count <= given.length else {
            throw damaged("found \(given.null_count) nulls, expected up to \(given.length)")
        }
        if given.null_count != 0 {
            values.validity = given.buffers[0]?.assumingMemoryBound(to: UInt8.self)
            guard values.validity != nil || given.null_count == -1 else {
                throw damaged("found \(given.null_count) nulls and no validity buffer, expected one")
            }
        }
        values.values = given.buffers[1].map { UnsafeRawPointer($0) }
        guard rows > 0 else { return values }
        guard values.values != nil else { throw damaged("found no buffer of values, expected one") }
        guard case .text = type.shape else { return values }
        values.text = given.buffers[2].map { UnsafeRawPointer($0) }
        var before = values.offset(0)
        guard before >= 0 else { throw damaged("found an offset of \(before), expected one from 0") }
        let start = before
        for row in 1...rows {
            let offset = values.offset(row)
            guard offset >= before, offset <= Int64(Int.max) else {
                throw damaged("found the offset \(offset) behind \(before), expected one that does not go back")
            }
            before = offset
        }
        guard before == start || values.text != nil else { throw damaged("found no buffer of \(before - start) bytes, expected one") }
        return values
    }

    // MARK: Values

    func isKnown(_ column: Int, _ row: Int) -> Bool {
        let values = columns[column]
        guard values.isKnown(row) else { return false }
        guard let dictionary = dictionaries[column] else { return true }
        return dictionary.isKnown(Int(Self.index(values, row)))
    }

    @inline(__always)
    func bits(_ column: Int, _ row: Int) -> UInt64 {
        if let dictionary = dictionaries[column] {
            guard columns[column].isKnown(row) else { return 0 }
            return dictionary.bits(Int(Self.index(columns[column], row)))
        }
        return columns[column].bits(row)
    }

    func string(_ column: Int, _ row: Int) -> UnsafeRawBufferPointer {
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        guard columns[column].isKnown(row) else { return none }
        if let dictionary = dictionaries[column] { return dictionary.string(Int(Self.index(columns[column], row))) }
        return columns[column].string(row)
    }
}
