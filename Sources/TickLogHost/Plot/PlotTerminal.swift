/// A plot in characters: Braille dots, 2 by 4 in each, or three ASCII signs.
public struct PlotTerminal {
    public var width = 80
    public var height = 24
    public var isASCII = false
    public var hasColour = false

    public init() {}
}

/// The dots of a panel.
private struct DotGrid {
    let columns: Int
    let rows: Int
    let across: Int
    let down: Int
    var dots: [UInt8]
    /// Of each character: the series that is seen, and whether something was lost there.
    var owner: [UInt8]
    var isLost: [Bool]

    init(columns: Int, rows: Int, isASCII: Bool) {
        self.columns = columns
        self.rows = rows
        across = isASCII ? 1 : 2
        down = isASCII ? 2 : 4
        dots = [UInt8](repeating: 0, count: columns * rows)
        owner = [UInt8](repeating: 0, count: columns * rows)
        isLost = [Bool](repeating: false, count: columns)
    }

    mutating func set(_ x: Int, _ y: Int, _ series: Int) {
        guard x >= 0, y >= 0, x < columns * across, y < rows * down else { return }
        let cell = y / down * columns + x / across
        dots[cell] |= 1 << UInt8(y % down + (x % across) * 4)
        owner[cell] = UInt8(series % PlotColour.seriesCount) + 1
    }

    mutating func line(_ x1: Int, _ y1: Int, _ x2: Int, _ y2: Int, _ series: Int) {
        let steps = max(abs(x2 - x1), abs(y2 - y1))
        guard steps > 0 else { return set(x1, y1, series) }
        for i in 0...steps {
            set(x1 + ((x2 - x1) * i * 2 + steps * (x2 < x1 ? -1 : 1)) / (2 * steps), y1 + ((y2 - y1) * i * 2 + steps * (y2 < y1 ? -1 : 1)) / (2 * steps), series)
        }
    }

    /// Dots 1, 2, 3, 7 are the left column, 4, 5, 6, 8 the right one.
    func scalar(_ cell: Int) -> Unicode.Scalar {
        let bits = dots[cell]
        if across == 1 { return bits == 0 ? " " : bits == 1 ? "'" : bits == 2 ? "." : ":" }
        guard bits != 0 else { return " " }
        let left = UInt32(bits & 7) | UInt32(bits & 8) << 3
        let right = UInt32(bits >> 4 & 7) << 3 | UInt32(bits >> 7) << 7
        return Unicode.Scalar(0x2800 + (left | right)) ?? " "
    }
}

extension PlotFigure {
    public func write(to output: Output, on terminal: PlotTerminal) {
        let width = min(max(terminal.width, 30), 2000)
        let wanted = min(max(terminal.height, 8), 1000)
        // Title, x axis with two lines, and a legend for each panel.
        let rows = max(3, (wanted - 4 - panels.count) / panels.count)
        var scales: [PlotScale] = []
        var margin = 6
        for panel in panels {
            let scale = PlotScale(panel.least, panel.largest, most: max(2, rows / 3))
            scales.append(scale)
            for text in [shortText(scale.low), shortText(scale.high)] { margin = max(margin, text.utf8.count) }
            for tick in scale.ticks { margin = max(margin, tick.label.utf8.count) }
        }
        margin = min(margin, 14)
        let inner = max(10, width - margin - 2)
        output.line(cut(title, width))
        for i in 0..<panels.count { write(panels[i], scales[i], rows, inner, margin, to: output, terminal) }
        axis(inner, margin, to: output, terminal)
    }

    private func cut(_ text: String, _ room: Int) -> String {
        guard text.unicodeScalars.count > room else { return text }
        var result = ""
        for scalar in text.unicodeScalars.prefix(max(0, room - 3)) { result.unicodeScalars.append(scalar) }
        return result + "..."
    }

    private func colour(_ series: Int, _ terminal: PlotTerminal) -> String {
        guard terminal.hasColour else { return "" }
        // The nearest of the 256.
        let codes = [33, 166, 36, 175, 214, 74, 250, 244]
        return "\u{1B}[38;5;\(codes[series % PlotColour.seriesCount])m"
    }

    private func write(
        _ panel: PlotPanel, _ scale: PlotScale, _ rows: Int, _ inner: Int, _ margin: Int, to output: Output, _ terminal: PlotTerminal
    ) {
        let reset = terminal.hasColour ? "\u{1B}[0m" : ""
        var grid = DotGrid(columns: inner, rows: rows, isASCII: terminal.isASCII)
        let across = inner * grid.across
        let down = rows * grid.down
        for loss in panel.losses {
            let first = max(0, Int(loss.lowerBound * Double(inner)))
            let last = min(inner - 1, Int(loss.upperBound * Double(inner)))
            if first <= last { for k in first...last { grid.isLost[k] = true } }
        }
        func place(_ value: Double) -> Int { min(down - 1, Int((1 - scale.place(value)) * Double(down))) }
        for index in panel.series {
            var pen: (x: Int, y: Int)?
            for point in points(index, width: across) {
                let bucket = point.bucket
                let x = min(across - 1, Int(point.x * Double(across)))
                if bucket.hasValue {
                    let first = place(bucket.first)
                    if let pen, !bucket.isCut { grid.line(pen.x, pen.y, x, first, index) }
                    grid.line(x, place(bucket.largest), x, place(bucket.least), index)
                    pen = (x, place(bucket.last))
                }
                if bucket.flags & PlotBucket.isAbove != 0 { grid.set(x, 0, index) }
                if bucket.flags & PlotBucket.isBelow != 0 { grid.set(x, down - 1, index) }
            }
        }
        // The legend, with the extremes.
        var legend = ""
        var room = margin + 2 + inner
        for index in panel.series {
            let series = source.series[index]
            var text = label(index)
            if series.count > 0 { text += "  " + shortText(series.least) + " to " + shortText(series.largest) }
            text = cut(text, max(0, room - 2))
            guard room > 6 else { break }
            legend += colour(index, terminal) + (terminal.isASCII ? "# " : "\u{25A0} ") + reset + text + "  "
            room -= text.unicodeScalars.count + 4
        }
        if !panel.losses.isEmpty, room > 6 { legend += (terminal.isASCII ? "# lost" : "\u{2591} lost") }
        output.line(legend)
        var labels = [String](repeating: "", count: rows)
        for tick in scale.ticks {
            let row = min(rows - 1, Int((1 - tick.place) * Double(rows)))
            labels[row] = tick.label
        }
        for row in 0..<rows {
            let label = cut(labels[row], margin)
            var line = String(repeating: " ", count: margin - label.utf8.count) + label
            line += terminal.isASCII ? (label.isEmpty ? " |" : " +") : label.isEmpty ? " \u{2502}" : " \u{2524}"
            var current: UInt8 = 0
            for column in 0..<inner {
                let cell = row * inner + column
                let owner = grid.dots[cell] == 0 ? 0 : grid.owner[cell]
                if terminal.hasColour, owner != current {
                    line += owner == 0 ? reset : colour(Int(owner) - 1, terminal)
                    current = owner
                }
                if grid.dots[cell] == 0, grid.isLost[column] {
                    line.unicodeScalars.append(terminal.isASCII ? "#" : "\u{2591}")
                } else {
                    line.unicodeScalars.append(grid.scalar(cell))
                }
            }
            if current != 0 { line += reset }
            output.line(line)
        }
    }

    private func axis(_ inner: Int, _ margin: Int, to output: Output, _ terminal: PlotTerminal) {
        var rule = [Unicode.Scalar](repeating: terminal.isASCII ? "-" : "\u{2500}", count: inner)
        var labels = [UInt8](repeating: 0x20, count: inner + margin + 2)
        var below = labels
        var behind = 0
        var hasBelow = false
        for tick in xTicks(most: max(2, inner / 14)) {
            let at = min(inner - 1, Int(tick.place * Double(inner)))
            let text = Array(tick.label.utf8)
            let start = margin + 2 + at - text.count / 2
            rule[at] = terminal.isASCII ? "+" : "\u{252C}"
            guard start >= behind, start + text.count <= labels.count else { continue }
            for i in 0..<text.count { labels[start + i] = text[i] }
            behind = start + text.count + 1
            let date = Array(tick.below.utf8)
            let left = max(0, margin + 2 + at - date.count / 2)
            if left + date.count <= below.count, !date.isEmpty, !below[left..<left + date.count].contains(where: { $0 != 0x20 }) {
                for i in 0..<date.count { below[left + i] = date[i] }
                hasBelow = true
            }
        }
        var line = String(repeating: " ", count: margin + 1) + (terminal.isASCII ? "+" : "\u{2514}")
        for scalar in rule { line.unicodeScalars.append(scalar) }
        output.line(line)
        output.line(trimmed(labels))
        if hasBelow { output.line(trimmed(below)) }
        let name = cut(xName, inner)
        output.line(String(repeating: " ", count: margin + 2 + max(0, (inner - name.unicodeScalars.count) / 2)) + name)
    }

    private func trimmed(_ text: [UInt8]) -> String {
        var text = text
        while text.last == 0x20 { text.removeLast() }
        return String(decoding: text, as: UTF8.self)
    }
}
