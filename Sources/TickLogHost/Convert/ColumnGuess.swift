import CPosix
import TickLog

/// What one column of a text file has been so far, and the narrowest type that keeps every value of it.
///
/// | texts | type |
/// |---|---|
/// | `true`, `false` | bool |
/// | whole numbers | the narrowest of u8, u16, u32, u64, and i8 to i64 if one is negative |
/// | numbers, one of them with a decimal mark, an exponent, as `-0`, or beyond 64 bits | f32 if the shortest text of each as float32 is the same number, else f64 if each, printed with as many digits as it has, is the same, else string |
/// | the same and words that are no numbers (nan, inf, infinity, in any case, perhaps with `-`) | as above |
/// | nan, inf, -inf alone, spelled so | f32 |
/// | anything else, an empty text, or a mixture | string |
///
/// A number with `+` or with zeros in front, with blanks, or in base 16, is a string: its text is more than its value.
struct ColumnGuess {
    private(set) var hasText = false
    private(set) var hasEmpty = false
    private(set) var hasBool = false
    private(set) var hasWhole = false
    private(set) var hasFloat = false
    private(set) var hasWord = false
    private var isPlainlySpelled = true
    private var keepsFloat = true
    private var keepsDouble = true
    private var most: UInt64 = 0
    /// The magnitude of the least.
    private var least: UInt64 = 0

    /// No further value changes the outcome.
    var isString: Bool { hasText }

    func type(_ empty: TextOptions.Empty) -> ValueType {
        if hasText { return .string }
        let isEmptyWord = hasEmpty && empty == .nan
        if hasEmpty, empty == .text { return .string }
        if hasBool { return hasWhole || hasFloat || hasWord || isEmptyWord ? .string : .bool }
        if hasFloat || hasWord || isEmptyWord {
            if !hasFloat, !hasWhole { return isPlainlySpelled && hasWord ? .f32 : .string }
            if keepsFloat { return .f32 }
            return keepsDouble ? .f64 : .string
        }
        guard hasWhole else { return .string }
        if least == 0 {
            return most <= 0xFF ? .u8 : most <= 0xFFFF ? .u16 : most <= 0xFFFF_FFFF ? .u32 : .u64
        }
        // With a sign, -2^n fits and 2^n does not.
        let reach = max(least &- 1, most)
        if reach < 1 << 63 { return reach < 1 << 7 ? .i8 : reach < 1 << 15 ? .i16 : reach < 1 << 31 ? .i32 : .i64 }
        return keepsDouble ? .f64 : .string
    }

    mutating func addText() { hasText = true }
    mutating func addEmpty() { hasEmpty = true }
    mutating func addBool() { hasBool = true }

    /// A cell of a CSV file.
    @inline(__always)
    mutating func add(_ text: UnsafeRawBufferPointer, mark: UInt8, _ reader: FloatReader) {
        guard let start = text.baseAddress, text.count > 0 else {
            hasEmpty = true
            return
        }
        if let decimal = Decimal(start, start + text.count, mark: mark) {
            add(decimal, text, mark: mark, reader)
        } else {
            addWord(text)
        }
    }

    @inline(__always)
    mutating func add(_ decimal: Decimal, _ text: UnsafeRawBufferPointer, mark: UInt8, _ reader: FloatReader) {
        if decimal.isWhole, decimal.count <= 19, !decimal.isNegative || decimal.digits &- 1 < 1 << 63 {
            hasWhole = true
            if decimal.isNegative { least = max(least, decimal.digits) } else { most = max(most, decimal.digits) }
            // As a float it may be kept even so; nothing asks for that as long as there are whole numbers only.
            if decimal.digits > 1 << 24 {
                keepsFloat = false
                if decimal.digits > 1 << 53, keepsDouble { keepsDouble = isKept(decimal, text, mark, reader, asFloat: false) }
            }
            return
        }
        addFloat(decimal, text, mark, reader)
    }

    private mutating func addFloat(
        _ decimal: Decimal, _ text: UnsafeRawBufferPointer, _ mark: UInt8, _ reader: FloatReader
    ) {
        // 20 digits may still be a u64.
        if decimal.isWhole, !decimal.isNegative, let whole = wholeNumber(text) {
            hasWhole = true
            most = max(most, whole)
            keepsFloat = false
            if keepsDouble { keepsDouble = isKept(decimal, text, mark, reader, asFloat: false) }
            return
        }
        hasFloat = true
        if keepsFloat, decimal.count > 6 || !isUsual(decimal, 30) {
            keepsFloat = isKept(decimal, text, mark, reader, asFloat: true)
        }
        if keepsDouble, decimal.count > 15 || !isUsual(decimal, 290) {
            keepsDouble = isKept(decimal, text, mark, reader, asFloat: false)
        }
    }

    /// Far from what is too small or too large.
    @inline(__always)
    private func isUsual(_ decimal: Decimal, _ limit: Int) -> Bool {
        decimal.digits == 0 || (decimal.exponent > -limit && decimal.exponent + decimal.count < limit)
    }

    @inline(never)
    mutating func addWord(_ text: UnsafeRawBufferPointer) {
        switch textWord(text) {
        case .truth: hasBool = true
        case .float(_, let isPlain):
            hasWord = true
            if !isPlain { isPlainlySpelled = false }
        case .none: hasText = true
        }
    }

    @inline(never)
    private func isKept(
        _ decimal: Decimal, _ text: UnsafeRawBufferPointer, _ mark: UInt8, _ reader: FloatReader, asFloat: Bool
    ) -> Bool {
        if decimal.isCut {
            // More than 19 digits: never what a float32 prints. Of a float64, all digits that it has can be written.
            guard !asFloat, let bits = reader.double(decimal, text, mark: mark) else { return false }
            return printsSame(text, mark, bits)
        }
        let (digits, exponent, count) = decimal.reduced()
        if asFloat {
            guard count <= 9, let bits = reader.float(decimal, text, mark: mark) else { return false }
            if digits == 0 { return true }
            // What it is written as is the same number.
            let shortest = FloatWriter().shortest(UInt32(truncatingIfNeeded: bits) & 0x7FFF_FFFF)
            let shift = shortest.exponent - exponent
            return shift >= 0 ? shift <= 9 && shortest.digits * reader.power(shift) == digits
                : shift >= -9 && digits * reader.power(-shift) == shortest.digits
        }
        guard let bits = reader.double(decimal, text, mark: mark) else { return false }
        if digits == 0 { return true }
        if let keeps = reader.keeps(digits, exponent, double: bits), keeps { return true }
        if isSame(digits, exponent, { FloatWriter().write(Double(bitPattern: bits), at: $0) }) { return true }
        return count > 17 && printsSame(text, mark, bits)
    }

    /// What a float is printed as is the same number.
    @inline(__always)
    private func isSame(_ digits: UInt64, _ exponent: Int, _ print: (UnsafeMutableRawPointer) -> Int) -> Bool {
        var room: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
        return withUnsafeMutableBytes(of: &room) {
            let start = $0.baseAddress!
            let count = print(start)
            guard let printed = Decimal(UnsafeRawPointer(start), UnsafeRawPointer(start + count), mark: 0x2E) else { return false }
            let reduced = printed.reduced()
            return reduced.digits == digits && reduced.exponent == exponent
        }
    }

    /// Printed with as many digits as the text has, a float64 gives the same digits.
    @inline(never)
    private func printsSame(_ text: UnsafeRawBufferPointer, _ mark: UInt8, _ bits: UInt64) -> Bool {
        var digits: [UInt8] = []
        for byte in text {
            if byte | 0x20 == 0x65 { break }
            if byte >= 0x30, byte <= 0x39, !digits.isEmpty || byte != 0x30 { digits.append(byte) }
        }
        while digits.last == 0x30 { digits.removeLast() }
        // The longest that a float64 has are 767.
        guard !digits.isEmpty, digits.count <= 800 else { return false }
        var printed: [UInt8] = []
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 900) { room in
            let length = cposix_print_digits(room.baseAddress!, room.count, Int32(digits.count), Double(bitPattern: bits).magnitude)
            for i in 0..<Int(length) {
                let byte = UInt8(bitPattern: room[i])
                if byte | 0x20 == 0x65 { break }
                if byte >= 0x30, byte <= 0x39 { printed.append(byte) }
            }
        }
        while printed.last == 0x30 { printed.removeLast() }
        return printed == digits
    }
}

/// A whole number without sign below 2^64.
func wholeNumber(_ text: UnsafeRawBufferPointer) -> UInt64? {
    guard text.count > 0, text.count <= 20 else { return nil }
    var value: UInt64 = 0
    for byte in text {
        let digit = byte &- 0x30
        guard digit <= 9 else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
        if overflow || carry { return nil }
        value = sum
    }
    return value
}

/// What a text that is no number means all the same.
enum TextWord {
    case truth(Bool)
    /// A float that is not finite, as float64; and whether it is spelled as this command writes it.
    case float(Double, isPlain: Bool)
    case none
}

func textWord(_ text: UnsafeRawBufferPointer) -> TextWord {
    guard text.count >= 3, text.count <= 9 else { return .none }
    if isWord(text, "true") { return .truth(true) }
    if isWord(text, "false") { return .truth(false) }
    let isNegative = text[0] == 0x2D
    let word = UnsafeRawBufferPointer(rebasing: text[(isNegative ? 1 : 0)...])
    if isWord(word, "nan", anyCase: true) {
        // Sign and quiet bit as the C library prints and reads them.
        return .float(
            Double(bitPattern: isNegative ? 0xFFF8_0000_0000_0000 : 0x7FF8_0000_0000_0000),
            isPlain: !isNegative && isWord(word, "nan"))
    }
    if isWord(word, "inf", anyCase: true) || isWord(word, "infinity", anyCase: true) {
        return .float(isNegative ? -Double.infinity : Double.infinity, isPlain: isWord(word, "inf"))
    }
    return .none
}

func isWord(_ text: UnsafeRawBufferPointer, _ word: StaticString, anyCase: Bool = false) -> Bool {
    guard text.count == word.utf8CodeUnitCount else { return false }
    for i in 0..<text.count where (anyCase ? text[i] | 0x20 : text[i]) != word.utf8Start[i] { return false }
    return true
}
