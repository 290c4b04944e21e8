import CTickLog

/// The values of a block of decoded rows, turned into columns.
///
/// Rows are read across, a cache line of each after the other, while their columns are written: `pointers` has the two
/// parts of each row.
struct ColumnBlock {
    let pointers: Table<UnsafeRawPointer>
    let count: Int
    /// Rows that repeat the one before have its pointers: few different ones, and columns are filled by runs.
    let isRuns: Bool
    private let runs: Table<UInt16>
    private let runCount: Int

    /// `runs` has an entry for each row.
    init(_ pointers: Table<UnsafeRawPointer>, _ runs: Table<UInt16>, _ count: Int) {
        self.pointers = pointers
        self.runs = runs
        self.count = count
        var different = 0
        var i = 1
        while i <= count {
            if i == count || pointers[2 * i] != pointers[2 * i - 2] || pointers[2 * i + 1] != pointers[2 * i - 1] {
                runs[different] = UInt16(i)
                different += 1
            }
            i += 1
        }
        runCount = different
        isRuns = different * 4 <= count
    }

    /// Stores one column's values. `target` has room for `count` of them.
    func store(_ size: Int, isOther: Bool, place: Int, to target: UnsafeMutableRawPointer) {
        switch size {
        case 4: store(UInt32.self, isOther, place, target)
        case 8: store(UInt64.self, isOther, place, target)
        case 2: store(UInt16.self, isOther, place, target)
        default: store(UInt8.self, isOther, place, target)
        }
    }

    @_optimize(speed)
    private func store<Word: FixedWidthInteger & BitwiseCopyable & SIMDScalar>(
        _: Word.Type, _ isOther: Bool, _ place: Int, _ target: UnsafeMutableRawPointer
    ) {
        let width = MemoryLayout<Word>.size
        // In bounds: the block has `count` pairs of pointers.
        let rows = pointers.base + (isOther ? 1 : 0)
        if isRuns {
            var i = 0
            var run = 0
            while run < runCount {
                let value = (rows[2 &* i] + place).load(Word.self)
                let end = Int(runs.base[run])
                let wide = SIMD16<Word>(repeating: value)
                while i &+ 16 <= end {
                    target.storeBytes(of: wide, toByteOffset: i &* width, as: SIMD16<Word>.self)
                    i &+= 16
                }
                while i < end {
                    target.store(value, at: i &* width)
                    i &+= 1
                }
                run &+= 1
            }
            return
        }
        var i = 0
        while i < count {
            target.store((rows[2 &* i] + place).load(Word.self), at: i &* width)
            i &+= 1
        }
    }

    /// Four neighbouring columns of four bytes each, by squares of four rows. `targets` are theirs.
    @_optimize(speed)
    func storeFour(
        place: Int, _ a: UnsafeMutableRawPointer, _ b: UnsafeMutableRawPointer, _ c: UnsafeMutableRawPointer,
        _ d: UnsafeMutableRawPointer
    ) {
        let rows = pointers.base
        var i = 0
        while i &+ 4 <= count {
            let r0 = (rows[2 &* i] + place).loadUnaligned(as: SIMD4<UInt32>.self)
            let r1 = (rows[2 &* i &+ 2] + place).loadUnaligned(as: SIMD4<UInt32>.self)
            let r2 = (rows[2 &* i &+ 4] + place).loadUnaligned(as: SIMD4<UInt32>.self)
            let r3 = (rows[2 &* i &+ 6] + place).loadUnaligned(as: SIMD4<UInt32>.self)
            let at = i &* 4
            a.storeBytes(of: SIMD4(r0[0], r1[0], r2[0], r3[0]), toByteOffset: at, as: SIMD4<UInt32>.self)
            b.storeBytes(of: SIMD4(r0[1], r1[1], r2[1], r3[1]), toByteOffset: at, as: SIMD4<UInt32>.self)
            c.storeBytes(of: SIMD4(r0[2], r1[2], r2[2], r3[2]), toByteOffset: at, as: SIMD4<UInt32>.self)
            d.storeBytes(of: SIMD4(r0[3], r1[3], r2[3], r3[3]), toByteOffset: at, as: SIMD4<UInt32>.self)
            i &+= 4
        }
        while i < count {
            let row = rows[2 &* i] + place
            a.store(row.load(UInt32.self), at: i &* 4)
            b.store(row.load(UInt32.self, at: 4), at: i &* 4)
            c.store(row.load(UInt32.self, at: 8), at: i &* 4)
            d.store(row.load(UInt32.self, at: 12), at: i &* 4)
            i &+= 1
        }
    }
}

extension TableReader {
    /// Reads up to `most` rows by columns. `arrays` are checked. The count is 0 before damage and at the end.
    mutating func readColumns(
        _ arrays: UnsafeBufferPointer<ticklog_column_array>, _ most: Int, texts: Table<Int>
    ) throws(FormatError) -> (count: Int, event: Event) {
        var done = 0
        if shape.strings > 0 { for array in arrays where array.text != nil { texts[Int(array.column)] = 0 } }
        while done < most {
            // Only rows that continue these: not of another packet.
            if done > 0 { guard pending == nil, rowsLeft > 0 || stream != nil else { break } }
            let (count, event) = done == 0 ? try block(most) : nextBlock(most - done)
            if count == 0 {
                if done == 0 { return (0, event) }
                break
            }
            var fitting = count
            if shape.strings > 0 { fitting = fit(arrays, count, texts) }
            giveBack(count - fitting)
            if fitting == 0 { break }
            store(arrays, ColumnBlock(rowPointers, runs, fitting), at: done, texts)
            done += fitting
            if fitting < count { break }
        }
        return (done, .row)
    }

    /// The same of a file without strings. `arrays` name columns and have room for `most` values, aligned to their size.
    public mutating func readScalars(
        _ arrays: UnsafeBufferPointer<ticklog_column_array>, _ most: Int
    ) throws(FormatError) -> (count: Int, event: Event) {
        precondition(shape.strings == 0)
        return try readColumns(arrays, most, texts: Table(UnsafeMutableRawPointer(rowPointers.base), 0))
    }

    /// The same of any file. Of strings `values` has room for `most` ticklog_text, and `text` for 65535 bytes at least; no
    /// string column comes twice. `textUse` has an entry for each column of the file.
    public mutating func readColumns(
        _ arrays: UnsafeBufferPointer<ticklog_column_array>, _ most: Int, textUse: UnsafeMutablePointer<Int>
    ) throws(FormatError) -> (count: Int, event: Event) {
        try readColumns(arrays, most, texts: Table(UnsafeMutableRawPointer(textUse), header.columnCount))
    }

    /// How many of the block's rows find room for their texts; if it is the first block at least one.
    private func fit(
        _ arrays: UnsafeBufferPointer<ticklog_column_array>, _ count: Int, _ used: Table<Int>
    ) -> Int {
        var fitting = count
        for array in arrays where array.text != nil {
            let place = Int(places[Int(array.column)])
            var room = array.text_bytes - used[Int(array.column)]
            var i = 0
            while i < fitting {
                room -= (rowPointers[2 * i + 1] + place).load(as: ticklog_text.self).count
                if room < 0 { break }
                i += 1
            }
            fitting = i
        }
        return fitting
    }

    private func store(
        _ arrays: UnsafeBufferPointer<ticklog_column_array>, _ block: ColumnBlock, at first: Int, _ used: Table<Int>
    ) {
        var i = 0
        while i < arrays.count {
            let column = Int(arrays[i].column)
            let type = header.type(of: column)
            let place = Int(places[column])
            if type == .string {
                let values = arrays[i].values!.assumingMemoryBound(to: ticklog_text.self) + first
                used[column] = copyTexts(block, place, values, arrays[i].text!, used[column])
                i += 1
                continue
            }
            if type.size == 4, !block.isRuns, i + 4 <= arrays.count, areNeighbours(arrays, i, place) {
                block.storeFour(
                    place: place, arrays[i].values! + 4 * first, arrays[i + 1].values! + 4 * first,
                    arrays[i + 2].values! + 4 * first, arrays[i + 3].values! + 4 * first)
                i += 4
                continue
            }
            block.store(type.size, isOther: type == .bool, place: place, to: arrays[i].values! + type.size * first)
            i += 1
        }
    }

    /// Whether four columns of four bytes lie side by side.
    private func areNeighbours(
        _ arrays: UnsafeBufferPointer<ticklog_column_array>, _ first: Int, _ place: Int
    ) -> Bool {
        for k in 1..<4 {
            let column = Int(arrays[first + k].column)
            guard header.type(of: column).size == 4, Int(places[column]) == place + 4 * k else { return false }
        }
        return true
    }

    /// Copies a string column's texts behind those that are there; returns how many bytes these are then.
    private func copyTexts(
        _ block: ColumnBlock, _ place: Int, _ values: UnsafeMutablePointer<ticklog_text>,
        _ memory: UnsafeMutablePointer<CChar>, _ start: Int
    ) -> Int {
        var used = start
        for i in 0..<block.count {
            let text = (block.pointers[2 * i + 1] + place).load(as: ticklog_text.self)
            let target = memory + used
            if text.count > 0 { UnsafeMutableRawPointer(target).copyText(UnsafeRawPointer(text.bytes!), text.count) }
            values[i] = ticklog_text(bytes: UnsafePointer(target), count: text.count)
            used += text.count
        }
        return used
    }

    /// Reads up to `most` rows into rows of the caller's.
    mutating func readRows(
        _ binding: borrowing RowBinding, _ rows: UnsafeMutableRawPointer, _ most: Int
    ) throws(FormatError) -> (count: Int, event: Event) {
        var done = 0
        let most = binding.hasViews ? min(most, 1) : most
        while done < most {
            if done > 0 { guard pending == nil, rowsLeft > 0 || stream != nil else { break } }
            let (count, event) = done == 0 ? try block(most) : nextBlock(most - done)
            if count == 0 {
                if done == 0 { return (0, event) }
                break
            }
            for i in 0..<count {
                binding.copy(
                    scalars: rowPointers[2 * i], others: rowPointers[2 * i + 1],
                    to: rows + (done + i) * binding.rowBytes)
            }
            done += count
        }
        return (done, .row)
    }
}
