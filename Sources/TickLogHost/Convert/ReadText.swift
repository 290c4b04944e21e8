import TickLog

/// Reads bytes as CSV and as JSON Lines, from the dialect to the last cell, and forgets them: for fuzzing. The first byte
/// chooses the options.
/// - Returns: a number that depends on all values, so that nothing of it is left out.
@discardableResult
public func readText(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    guard let choice = bytes.first else { return 0 }
    var options = TextOptions()
    options.ragged = choice & 3 == 1 ? .padded : choice & 3 == 2 ? .skipped : .refused
    options.trims = choice & 4 != 0
    options.empty = choice & 8 != 0 ? .nan : .text
    if choice & 16 != 0 { options.header = choice & 32 != 0 }
    if choice & 64 != 0 { options.decimalComma = true }
    if choice & 128 != 0 { options.delimiter = 0x3B }
    let file = MappedFile([UInt8](bytes.dropFirst()), named: "fuzz")
    var sum: UInt64 = 0
    if let csv = try? CSVFile(file, options) {
        let table = CSVTable(csv)
        sum &+= read(table)
        // Types were inferred so that every cell has a value.
        precondition(table.faults.isEmpty)
    }
    if let json = try? JSONFile(file, options) { sum &+= read(JSONTable(json)) }
    return sum
}

private func read(_ table: Table) -> UInt64 {
    var sum: UInt64 = 0
    while table.next() {
        for i in 0..<table.columns.count {
            if table.columns[i].type == .string {
                for byte in table.text(i) { sum = sum &* 31 &+ UInt64(byte) }
            } else {
                sum = sum &* 31 &+ table.bits(i)
            }
        }
    }
    return sum
}
