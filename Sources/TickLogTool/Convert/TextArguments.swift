import TickLog
import TickLogHost

/// The options of every command that reads CSV or JSON Lines.
func textOptionList() -> [Option] {
    [
        Option("from", takesValue: true), Option("delimiter", takesValue: true), Option("decimal-comma"),
        Option("decimal-point"), Option("header"), Option("no-header"), Option("pad-rows"), Option("skip-rows"),
        Option("trim"), Option("empty-as-nan"), Option("types", takesValue: true),
    ]
}

func textOptionHelp() -> String {
    """
      --from FORMAT       bcsv, csv or jsonl, instead of what the content says; or what no content says: bms-legacy, BMS
                          Packets one behind the other; bms-packets, DataPackets with their lengths; bms-v0, those of
                          the first form, which have no time
      --delimiter C       of CSV: a character, or tab; found out from , ; tab and | if not given
      --decimal-comma     of CSV: 1,5 is a number; --decimal-point: it is none
      --header            of CSV: the first line has names; --no-header: it has values, columns are Column_0 and so on
      --pad-rows          short rows get empty cells, long ones make more columns
      --skip-rows         rows that are too short or too long are left out, and counted
      --trim              blanks around a cell do not count
      --empty-as-nan      an empty cell in a column of numbers is NaN
      --types a:u8,b:f32  types of columns by name, instead of the inferred ones: bool, u8, u16, u32, u64, i8, i16, i32,
                          i64, f32, f64, string

    """
}

func textOptions(_ arguments: Arguments) throws(Failure) -> TextOptions {
    var options = TextOptions()
    func either(_ a: String, _ b: String) throws(Failure) -> Bool? {
        if arguments.has(a), arguments.has(b) { throw .usage("found both --\(a) and --\(b), expected one of them") }
        return arguments.has(a) ? true : arguments.has(b) ? false : nil
    }
    if let text = arguments.value("delimiter") {
        if text == "tab" || text == "\\t" {
            options.delimiter = 0x09
        } else {
            guard text.utf8.count == 1, let byte = text.utf8.first, byte != 0x22, byte != 0x0A, byte != 0x0D else {
                throw .usage("--delimiter: found '\(terminalText(text))', expected one character, or tab")
            }
            options.delimiter = byte
        }
    }
    options.decimalComma = try either("decimal-comma", "decimal-point")
    if options.decimalComma == true, options.delimiter == 0x2C {
        throw .usage("found --decimal-comma with the delimiter ',', expected another delimiter")
    }
    options.header = try either("header", "no-header")
    if let pads = try either("pad-rows", "skip-rows") { options.ragged = pads ? .padded : .skipped }
    options.trims = arguments.has("trim")
    if arguments.has("empty-as-nan") { options.empty = .nan }
    if let text = arguments.value("types") {
        for part in text.utf8.split(separator: 0x2C) {
            let bytes = Array(part)
            guard let colon = bytes.lastIndex(of: 0x3A), colon > 0,
                let type = ValueType(name: String(decoding: bytes[(colon + 1)...], as: UTF8.self))
            else {
                throw .usage("--types: found '\(terminalText(String(decoding: bytes, as: UTF8.self)))', expected NAME:TYPE")
            }
            options.types.append((String(decoding: bytes[..<colon], as: UTF8.self), type))
        }
    }
    return options
}
