import TickLog

/// What tells the time of a table's rows.
public struct MCAPTime {
    /// Of a table with ticks: the length of one, and the Unix time of tick 0, or 0.
    public var tickNs: UInt64 = 1_000_000
    public var epochNs: Int64 = 0

    public init() {}

    /// The columns that tell it, the first that is there: Unix time in ns, ticks, or seconds.
    static var columns: [String] { ["time_ns", "timestamp_ns", "tick", "time"] }
}

extension Table {
    /// Writes all rows as the one channel of an MCAP file. `path`: where the table comes from. Without `salvage`, a damaged
    /// table is an error.
    public func writeMCAP(
        of path: String, topic: String, to output: Output, _ options: MCAPOptions = MCAPOptions(), time: MCAPTime = MCAPTime(),
        salvage: Bool = false
    ) throws(Fault) -> TableReport {
        var found: Int?
        for name in MCAPTime.columns where found == nil { found = column(named: name) }
        guard let column = found, columns[column].type != .string, columns[column].type != .bool else {
            throw Fault(
                .damaged, path, at: nil,
                "found no column time_ns, timestamp_ns, tick or time of numbers, expected one: messages of MCAP have a time")
        }
        let isTick = columns[column].name == "tick"
        let isSeconds = columns[column].name == "time"
        var members: [MCAPChannel.Member] = []
        for i in 0..<columns.count {
            members.append(MCAPChannel.Member(name: columns[i].name, unit: "", type: columns[i].type, column: i))
        }
        let writer = MCAPWriter(to: output, options: options)
        let channel = MCAPChannel(title: topic, notes: "", members)
        let id = try writer.addChannel(topic: topic, schemaName: topic, schema: channel.schema, metadata: [])
        var about: [(key: String, value: String)] = [("source", path.lastComponent), ("time", columns[column].name)]
        if isTick {
            about.append(("tick_ns", "\(time.tickNs)"))
            about.append(("epoch_ns", "\(time.epochNs)"))
        }
        try writer.addMetadata("ticklog", about)
        while writer.isOpen, next() {
            let type = columns[column].type
            let bits = bits(column)
            var ns: UInt64?
            switch type {
            case .f32, .f64:
                let value = type == .f64 ? Double(bitPattern: bits) : Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
                let scaled = isTick ? value * Double(time.tickNs) + Double(time.epochNs) : isSeconds ? value * 1e9 : value
                if scaled >= 0, scaled < 0x1p63 { ns = UInt64(scaled) }
            default:
                var value = bits
                switch type {
                case .i8: value = UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: bits)))
                case .i16: value = UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: bits)))
                case .i32: value = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: bits)))
                default: break
                }
                let (since, overflow) = value.multipliedReportingOverflow(by: isTick ? time.tickNs : isSeconds ? 1_000_000_000 : 1)
                let isNegative = type.isSigned && Int64(bitPattern: value) < 0
                if !isNegative, !overflow, since <= UInt64(Int64.max) {
                    let (sum, tooLate) = Int64(since).addingReportingOverflow(isTick ? time.epochNs : 0)
                    if !tooLate, sum >= 0 { ns = UInt64(sum) }
                }
            }
            guard let ns else {
                throw Fault(
                    .damaged, path, at: nil,
                    "row \(row), column '\(columns[column].name)': found \(type.text(bits)), expected a time from 0 to 2^63 - 1 ns")
            }
            try channel.write(self, id, time: ns, asksKnown: true, to: writer)
        }
        try check(salvage: salvage)
        var report = TableReport(faults: faults)
        if channel.repairedStrings > 0 {
            report.notes.append("\(channel.repairedStrings) strings are no UTF-8, and have U+FFFD where they are not")
        }
        try writer.close()
        return report
    }
}
