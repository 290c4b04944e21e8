/// A plot as pixels, each the number of a colour.
final class PlotRaster: PlotCanvas {
    let pixels: UnsafeMutablePointer<UInt8>
    /// Text and lines are as many times larger.
    private let scale: Int
    private var colour: UInt8 = 0
    private var pen: (x: Int, y: Int)?

    override init(width: Int, height: Int) {
        pixels = .allocate(capacity: width * height)
        pixels.initialize(repeating: 0, count: width * height)
        scale = width >= 1000 && height >= 400 ? 2 : 1
        super.init(width: width, height: height)
    }

    func free() { pixels.deallocate() }

    override var characterWidth: Int { PlotFont.advance * scale }
    override var lineHeight: Int { 10 * scale }

    private func whole(_ value: Double) -> Int { Int(value + (value < 0 ? -0.5 : 0.5)) }

    private func fill(_ x: Int, _ y: Int, _ width: Int, _ height: Int, _ colour: UInt8) {
        let left = max(0, x)
        let right = min(self.width, x + width)
        guard left < right else { return }
        for line in max(0, y)..<max(0, y, min(self.height, y + height)) {
            (pixels + line * self.width + left).update(repeating: colour, count: right - left)
        }
    }

    override func fill(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ colour: UInt8) {
        fill(whole(x), whole(y), max(1, whole(width)), max(1, whole(height)), colour)
    }

    override func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: UInt8) {
        segment(whole(x1), whole(y1), whole(x2), whole(y2), colour, 1)
    }

    /// Bresenham's line, with a square pen.
    private func segment(_ x1: Int, _ y1: Int, _ x2: Int, _ y2: Int, _ colour: UInt8, _ pen: Int) {
        if x1 == x2 { return fill(x1, min(y1, y2), pen, (y2 - y1).magnitude.asInt + pen, colour) }
        if y1 == y2 { return fill(min(x1, x2), y1, (x2 - x1).magnitude.asInt + pen, pen, colour) }
        let dx = (x2 - x1).magnitude.asInt
        let dy = -(y2 - y1).magnitude.asInt
        let stepX = x1 < x2 ? 1 : -1
        let stepY = y1 < y2 ? 1 : -1
        var (x, y, error) = (x1, y1, dx + dy)
        while true {
            fill(x, y, pen, pen, colour)
            if x == x2, y == y2 { return }
            let twice = 2 * error
            if twice >= dy {
                error += dy
                x += stepX
            }
            if twice <= dx {
                error += dx
                y += stepY
            }
        }
    }

    override func begin(_ name: String, _ colour: UInt8) {
        self.colour = colour
        pen = nil
    }

    override func move(_ x: Double, _ y: Double) { pen = (whole(x), whole(y)) }

    override func draw(_ x: Double, _ y: Double) {
        let to = (x: whole(x), y: whole(y))
        let from = pen ?? to
        segment(from.x, from.y, to.x, to.y, colour, scale)
        pen = to
    }

    override func text(_ text: String, _ x: Double, _ y: Double, _ colour: UInt8, _ anchor: PlotAnchor) {
        var left = whole(x)
        let wide = textWidth(text)
        switch anchor {
        case .start: break
        case .middle: left -= wide / 2
        case .end: left -= wide
        }
        let upper = whole(y) - 7 * scale / 2
        for scalar in text.unicodeScalars {
            for column in 0..<5 {
                let bits = PlotFont.column(scalar, column)
                for row in 0..<8 where bits >> row & 1 != 0 {
                    fill(left + column * scale, upper + row * scale, scale, scale, colour)
                }
            }
            left += characterWidth
        }
    }
}

extension UInt { fileprivate var asInt: Int { Int(self) } }

extension PlotFigure {
    public func writePNG(to output: Output, width: Int, height: Int) {
        let raster = PlotRaster(width: width, height: height)
        defer { raster.free() }
        draw(on: raster)
        PNGPicture(raster.pixels, width: width, height: height).write(to: output)
    }
}
