/// Colours of a plot, by their number in the palette of a picture.
enum PlotColour {
    static var background: UInt8 { 0 }
    static var text: UInt8 { 1 }
    static var axis: UInt8 { 2 }
    static var grid: UInt8 { 3 }
    static var loss: UInt8 { 4 }
    static var firstSeries: UInt8 { 5 }
    static var seriesCount: Int { 8 }

    static func series(_ index: Int) -> UInt8 { firstSeries + UInt8(index % seriesCount) }

    /// 0xRRGGBB. Those of the series are told apart by people who see few colours (Okabe and Ito), the yellow of theirs
    /// replaced by a dark grey, as it cannot be seen on white.
    static func rgb(_ colour: UInt8) -> UInt32 {
        switch colour {
        case 0: 0xFFFFFF
        case 1: 0x202020
        case 2: 0x606060
        case 3: 0xE4E4E4
        case 4: 0xF6D9CF
        case 5: 0x0072B2
        case 6: 0xD55E00
        case 7: 0x009E73
        case 8: 0xCC79A7
        case 9: 0xE69F00
        case 10: 0x56B4E9
        case 11: 0x000000
        case 12: 0x808080
        default: 0xFFFFFF
        }
    }

    static var count: Int { 13 }
}

/// Where text stands, seen from its place.
enum PlotAnchor { case start, middle, end }

/// Something that a figure is drawn on: pixels from the upper left corner.
class PlotCanvas {
    let width: Int
    let height: Int

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// Of a character.
    var characterWidth: Int { 7 }
    var lineHeight: Int { 16 }

    func fill(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ colour: UInt8) {}
    func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: UInt8) {}
    /// `y` is the middle of the line.
    func text(_ text: String, _ x: Double, _ y: Double, _ colour: UInt8, _ anchor: PlotAnchor) {}
    /// A line of a series. What is drawn next is inside of a panel.
    func begin(_ name: String, _ colour: UInt8) {}
    func move(_ x: Double, _ y: Double) {}
    func draw(_ x: Double, _ y: Double) {}
    func end() {}

    func textWidth(_ text: String) -> Int { text.unicodeScalars.count * characterWidth }

    /// As much of a text as has room.
    func fitting(_ text: String, _ room: Int) -> String {
        guard textWidth(text) > room else { return text }
        let count = max(0, room / characterWidth - 3)
        var cut = ""
        for scalar in text.unicodeScalars.prefix(count) { cut.unicodeScalars.append(scalar) }
        return cut + "..."
    }
}

extension PlotFigure {
    /// What height shows it well.
    public func height() -> Int { max(420, 110 + panels.count * 170) }

    /// Draws all of it.
    func draw(on canvas: PlotCanvas) {
        let line = Double(canvas.lineHeight)
        let character = Double(canvas.characterWidth)
        let width = Double(canvas.width)
        let height = Double(canvas.height)
        canvas.fill(0, 0, width, height, PlotColour.background)
        let top = 2 * line
        let bottom = height - 3.4 * line
        let panelHeight = max(line * 2, (bottom - top) / Double(panels.count))
        var scales: [PlotScale] = []
        var labels = 0
        for panel in panels {
            let scale = PlotScale(panel.least, panel.largest, most: max(2, Int(panelHeight / line / 2.2)))
            for tick in scale.ticks { labels = max(labels, tick.label.utf8.count) }
            scales.append(scale)
        }
        let left = character * Double(labels + 2)
        let right = width - 2 * character
        let inner = max(1, right - left)
        canvas.text(canvas.fitting(title, canvas.width - 2 * canvas.characterWidth), width / 2, line, PlotColour.text, .middle)
        let ticks = xTicks(most: max(2, Int(inner / character / 15)))
        for i in 0..<panels.count {
            let upper = top + Double(i) * panelHeight + line * 1.5
            let lower = top + Double(i + 1) * panelHeight - line * 0.4
            draw(panels[i], scales[i], ticks, on: canvas, left, right, upper, max(upper + 1, lower))
        }
        let lowest = top + Double(panels.count) * panelHeight - line * 0.4
        var behind = -1.0
        for tick in ticks {
            let x = left + tick.place * inner
            let half = Double(max(tick.label.utf8.count, tick.below.utf8.count)) * character / 2
            guard x - half > behind, x + half < width else { continue }
            canvas.text(tick.label, x, lowest + line * 0.8, PlotColour.text, .middle)
            if !tick.below.isEmpty { canvas.text(tick.below, x, lowest + line * 1.8, PlotColour.text, .middle) }
            behind = x + half + character
        }
        canvas.text(xName, left + inner / 2, lowest + line * 2.9, PlotColour.text, .middle)
    }

    private func draw(
        _ panel: PlotPanel, _ scale: PlotScale, _ ticks: [PlotTick], on canvas: PlotCanvas, _ left: Double, _ right: Double,
        _ upper: Double, _ lower: Double
    ) {
        let line = Double(canvas.lineHeight)
        let character = Double(canvas.characterWidth)
        let inner = right - left
        for loss in panel.losses {
            let from = left + loss.lowerBound * inner
            canvas.fill(from, upper, max(1, (loss.upperBound - loss.lowerBound) * inner), lower - upper, PlotColour.loss)
        }
        for tick in scale.ticks {
            let y = lower - tick.place * (lower - upper)
            canvas.line(left, y, right, y, PlotColour.grid)
            canvas.text(tick.label, left - character * 0.8, y, PlotColour.text, .end)
        }
        for tick in ticks {
            let x = left + tick.place * inner
            canvas.line(x, upper, x, lower, PlotColour.grid)
        }
        canvas.line(left, upper, left, lower, PlotColour.axis)
        canvas.line(left, lower, right, lower, PlotColour.axis)
        // The legend.
        var x = left
        let y = upper - line * 0.75
        for k in 0..<panel.series.count {
            let index = panel.series[k]
            let colour = PlotColour.series(index)
            let room = Int(right - x - 3 * character)
            guard room > 6 * canvas.characterWidth else {
                if room > 0 { canvas.text("...", x, y, PlotColour.text, .start) }
                break
            }
            let name = canvas.fitting(label(index), k + 1 < panel.series.count ? min(room, max(12 * canvas.characterWidth, Int(inner) / 3)) : room)
            canvas.fill(x, y - line * 0.15, character * 2, line * 0.25, colour)
            canvas.text(name, x + character * 2.6, y, PlotColour.text, .start)
            x += character * 4.6 + Double(canvas.textWidth(name))
        }
        if !panel.losses.isEmpty, right - x > 10 * character {
            canvas.fill(x, y - line * 0.3, character * 2, line * 0.6, PlotColour.loss)
            canvas.text("lost", x + character * 2.6, y, PlotColour.text, .start)
        }
        for index in panel.series { draw(series: index, scale, on: canvas, left, right, upper, lower) }
    }

    private func draw(
        series index: Int, _ scale: PlotScale, on canvas: PlotCanvas, _ left: Double, _ right: Double, _ upper: Double, _ lower: Double
    ) {
        canvas.begin(label(index), PlotColour.series(index))
        let inner = right - left
        for point in points(index, width: max(1, Int(inner))) {
            let bucket = point.bucket
            let x = left + point.x * inner
            func y(_ value: Double) -> Double { lower - scale.place(value) * (lower - upper) }
            if bucket.hasValue {
                if bucket.isCut { canvas.move(x, y(bucket.first)) }
                canvas.draw(x, y(bucket.first))
                if bucket.least < bucket.largest {
                    // So that the last of the two is near the last value.
                    let isUp = bucket.last - bucket.least > bucket.largest - bucket.last
                    canvas.draw(x, y(isUp ? bucket.least : bucket.largest))
                    canvas.draw(x, y(isUp ? bucket.largest : bucket.least))
                    canvas.draw(x, y(bucket.last))
                }
            }
            // Infinite: a mark at the edge.
            let mark = Double(canvas.lineHeight) / 3
            if bucket.flags & PlotBucket.isAbove != 0 { canvas.mark(x, upper, upper + mark) }
            if bucket.flags & PlotBucket.isBelow != 0 { canvas.mark(x, lower, lower - mark) }
            if bucket.hasValue, bucket.flags & (PlotBucket.isAbove | PlotBucket.isBelow) != 0 { canvas.move(x, y(bucket.last)) }
        }
        canvas.end()
    }
}

extension PlotCanvas {
    fileprivate func mark(_ x: Double, _ from: Double, _ to: Double) {
        move(x, from)
        draw(x, to)
    }
}
