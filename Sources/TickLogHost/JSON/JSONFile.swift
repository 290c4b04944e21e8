import TickLog

/// A file of JSON Lines whose columns and types are known: it was read once.
public final class JSONFile {
    public let file: MappedFile
    public private(set) var columns: [Column] = []
    public private(set) var notes: [String] = []
    public private(set) var rowCount: UInt64 = 0
    public private(set) var skippedCount: UInt64 = 0
    let options: TextOptions
    let values: ValueReader
    public var path: String { file.path }

    /// - Throws: what is no JSON, a string where numbers were, keys that are not those of the first line; with line
    ///   and offset.
    public init(_ file: MappedFile, _ options: TextOptions) throws(Fault) {
        self.file = file
        self.options = options
        values = ValueReader(floats: FloatReader(), mark: 0x2E)
        do throws(JSONError) {
            try read()
        } catch {
            throw fault(error)
        }
    }

    private func read() throws(JSONError) {
        var records = JSONRecords(file.bytes)
        guard try records.next() else {
            throw JSONError(line: 1, offset: 0, text: "found the end of the file, expected an object")
        }
        var width = records.names.count
        guard width > 0 else { throw JSONError(line: records.line, offset: records.start, text: "found an object without keys, expected some") }
        var guesses = [ColumnGuess](repeating: ColumnGuess(), count: width)
        let (given, firstLine) = (options.types, records.line)
        repeat {
            if !records.hasExactly(width) {
                if options.ragged == .skipped {
                    skippedCount += 1
                    continue
                }
                guard options.ragged == .padded else {
                    throw JSONError(
                        line: records.line, offset: records.start,
                        text: records.names.count > width
                            ? "found the key '\(records.names[width])', expected only those of the first line; --pad-rows or --skip-rows go on"
                            : "found \(records.leaves.count) keys, expected the \(width) of the first line; --pad-rows or --skip-rows go on")
                }
                while width < records.names.count {
                    guesses.append(ColumnGuess())
                    if rowCount > 0 { guesses[width].addEmpty() }
                    width += 1
                }
                var isThere = [Bool](repeating: false, count: width)
                for leaf in records.leaves { isThere[leaf.column] = true }
                for i in 0..<width where !isThere[i] { guesses[i].addEmpty() }
            }
            rowCount += 1
            for leaf in records.leaves {
                // Given types are looked at when the values are read.
                try add(leaf, &guesses[leaf.column], records, given)
            }
        } while try records.next()

        for (name, _) in options.types where !records.names.contains(name) {
            throw JSONError(line: firstLine, offset: 0, text: "found no key '\(name)', expected one for its type")
        }
        for i in 0..<width {
            var type = guesses[i].type(options.empty)
            for (name, given) in options.types where name == records.names[i] { type = given }
            columns.append(Column(records.names[i], type))
        }
    }

    private func add(
        _ leaf: JSONLeaf, _ guess: inout ColumnGuess, _ records: JSONRecords, _ given: [(name: String, type: ValueType)]
    ) throws(JSONError) {
        switch leaf.kind {
        case .number:
            if guess.hasText || guess.hasBool { try mixed("a number", leaf, records) }
            guess.add(leaf.text, mark: 0x2E, values.floats)
        case .truth:
            if guess.hasText || guess.hasWhole || guess.hasFloat || guess.hasWord { try mixed("true or false", leaf, records) }
            guess.addBool()
        case .string:
            if JSONFile.isNonFinite(leaf.text), !guess.hasText {
                guess.addWord(leaf.text)
            } else {
                if guess.hasBool || guess.hasWhole || guess.hasFloat { try mixed("a string", leaf, records) }
                guess.addText()
            }
        case .null:
            guard options.ragged == .padded || options.empty != .text else {
                throw JSONError(
                    line: records.line, offset: leaf.start - file.bytes.start,
                    text: "key '\(records.names[leaf.column])': found null, expected a value; --pad-rows or --empty-as-nan go on")
            }
            guess.addEmpty()
        }
    }

    /// A column that has numbers and strings would forget which was which, unless its type is given.
    private func mixed(_ found: String, _ leaf: JSONLeaf, _ records: JSONRecords) throws(JSONError) {
        for (name, _) in options.types where name == records.names[leaf.column] { return }
        throw JSONError(
            line: records.line, offset: leaf.start - file.bytes.start,
            text: "key '\(records.names[leaf.column])': found \(found), expected what the lines before have; --types \(records.names[leaf.column]):string goes on")
    }

    /// How this command writes floats that are no numbers.
    static func isNonFinite(_ text: UnsafeRawBufferPointer) -> Bool {
        isWord(text, "nan") || isWord(text, "inf") || isWord(text, "-inf")
    }

    func fault(_ error: JSONError) -> Fault {
        Fault(.damaged, path, at: error.offset, "line \(error.line): " + error.text)
    }
}
