/// Numbers as Prometheus reads them: the text exposition format, version 0.0.4.
public struct PrometheusText {
    public private(set) var text = ""

    public init() {}

    /// A number for each of `count` label values.
    public mutating func metric(
        _ name: String, _ type: String, _ help: String, label: String, _ count: Int, _ value: (Int) -> UInt64
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for i in 0..<count { text += "\(name){\(label)=\"\(i)\"} \(value(i))\n" }
    }

    /// One number.
    public mutating func metric(_ name: String, _ type: String, _ help: String, _ value: UInt64) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n\(name) \(value)\n"
    }
}
