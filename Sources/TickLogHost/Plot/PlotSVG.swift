/// A plot as SVG: the same bytes for the same rows.
final class PlotSVG: PlotCanvas {
    private let output: Output
    /// The pen, in tenths of pixels; nil: nowhere.
    private var pen: (x: Int, y: Int)?
    private var isMoved = false
    private var column = 0

    init(_ output: Output, width: Int, height: Int, title: String) {
        self.output = output
        super.init(width: width, height: height)
        output.line("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" font-family=\"sans-serif\" font-size=\"12\">")
        output.line("<title>\(PlotSVG.escaped(title))</title>")
    }

    func finish() { output.line("</svg>") }

    /// A text in XML. Control characters are not there any more.
    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x26: result += "&amp;"
            case 0x3C: result += "&lt;"
            case 0x3E: result += "&gt;"
            case 0x22: result += "&quot;"
            case 0x27: result += "&#39;"
            case 0...0x1F, 0x7F...0x9F, 0xFFFE, 0xFFFF: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func tenths(_ value: Double) -> Int { Int(value * 10 + (value < 0 ? -0.5 : 0.5)) }

    /// Tenths as a number.
    private static func text(_ tenths: Int) -> String {
        let whole = tenths.magnitude / 10
        let rest = tenths.magnitude % 10
        return (tenths < 0 ? "-" : "") + "\(whole)" + (rest == 0 ? "" : ".\(rest)")
    }

    private static func text(_ value: Double) -> String { text(tenths(value)) }

    private static func colour(_ colour: UInt8) -> String {
        let digits = String(PlotColour.rgb(colour), radix: 16)
        return "#" + String(repeating: "0", count: 6 - digits.utf8.count) + digits
    }

    override func fill(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ colour: UInt8) {
        let name = colour == PlotColour.loss ? " class=\"loss\"" : ""
        output.line("<rect\(name) x=\"\(PlotSVG.text(x))\" y=\"\(PlotSVG.text(y))\" width=\"\(PlotSVG.text(width))\" height=\"\(PlotSVG.text(height))\" fill=\"\(PlotSVG.colour(colour))\"/>")
    }

    override func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: UInt8) {
        output.line("<path d=\"M\(PlotSVG.text(x1)) \(PlotSVG.text(y1))L\(PlotSVG.text(x2)) \(PlotSVG.text(y2))\" stroke=\"\(PlotSVG.colour(colour))\"/>")
    }

    override func text(_ text: String, _ x: Double, _ y: Double, _ colour: UInt8, _ anchor: PlotAnchor) {
        let place = switch anchor {
        case .start: ""
        case .middle: " text-anchor=\"middle\""
        case .end: " text-anchor=\"end\""
        }
        output.line("<text x=\"\(PlotSVG.text(x))\" y=\"\(PlotSVG.text(y + 4))\"\(place) fill=\"\(PlotSVG.colour(colour))\">\(PlotSVG.escaped(text))</text>")
    }

    override func begin(_ name: String, _ colour: UInt8) {
        output.text("<path class=\"series\" fill=\"none\" stroke=\"\(PlotSVG.colour(colour))\" stroke-width=\"1.2\" stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\"")
        pen = nil
        isMoved = false
        column = 0
        self.name = name
    }

    private var name = ""

    override func move(_ x: Double, _ y: Double) {
        pen = (PlotSVG.tenths(x), PlotSVG.tenths(y))
        isMoved = true
    }

    override func draw(_ x: Double, _ y: Double) {
        let to = (x: PlotSVG.tenths(x), y: PlotSVG.tenths(y))
        guard let from = pen else {
            move(x, y)
            return draw(x, y)
        }
        var text = ""
        if isMoved {
            text = "M" + PlotSVG.text(from.x) + " " + PlotSVG.text(from.y)
            isMoved = false
            // A line of no length is a dot.
            if from == to { text += "h0" }
        }
        if from != to {
            if from.x == to.x {
                text += "V" + PlotSVG.text(to.y)
            } else if from.y == to.y {
                text += "H" + PlotSVG.text(to.x)
            } else {
                text += "L" + PlotSVG.text(to.x) + " " + PlotSVG.text(to.y)
            }
        }
        pen = to
        column += text.utf8.count
        output.text(text)
        if column > 100 {
            output.byte(0x0A)
            column = 0
        }
    }

    override func end() { output.line("\"><title>" + PlotSVG.escaped(name) + "</title></path>") }
}

extension PlotFigure {
    public func writeSVG(to output: Output, width: Int, height: Int) {
        let canvas = PlotSVG(output, width: width, height: height, title: title)
        draw(on: canvas)
        canvas.finish()
    }
}
