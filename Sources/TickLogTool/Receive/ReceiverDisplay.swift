import CPosix
import TickLogHost

/// What is shown while frames are received: on a terminal a line for each channel, in place; with `--json` a line each
/// second; else nothing.
struct ReceiverDisplay {
    private let receiver: Receiver
    private let json: Bool
    private let output: Output
    private let isTerminal: Bool
    private var lines = 0
    private var before: [UInt64]
    private var beforeNs = monotonicNs()

    init(_ receiver: Receiver, json: Bool, _ output: Output) {
        self.receiver = receiver
        self.json = json
        self.output = output
        isTerminal = isatty(2) == 1
        before = [UInt64](repeating: 0, count: receiver.channels.count)
    }

    mutating func show() {
        if json {
            // Who reads it may be slow. He misses a line; the receiver must not wait for him.
            var ready = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
            guard poll(&ready, 1, 0) == 1, output.isOpen else { return }
            receiver.writeReport(to: output)
            try? output.flush()
            return
        }
        guard isTerminal else { return }
        let now = monotonicNs()
        let seconds = Double(max(1, now - beforeNs)) / 1e9
        beforeNs = now
        var text = lines > 0 ? "\u{1B}[\(lines)A" : ""
        for channel in receiver.channels {
            let report = ChannelReport(channel)
            let rate = Double(report.taken - before[channel.number]) / seconds
            before[channel.number] = report.taken
            text += "ch\(channel.number)  " + pad(bytesText(UInt64(rate)) + "/s", 14) + pad("\(report.frames) frames", 20)
                + pad("ring \(report.ringFill * 100 / report.ringBytes) %", 12) + report.losses + "\u{1B}[K\n"
        }
        lines = receiver.channels.count
        Console.error(text)
    }

    /// What was shown is no longer true.
    mutating func end() {
        guard lines > 0 else { return }
        Console.error("\u{1B}[\(lines)A\u{1B}[J")
        lines = 0
    }

    func summarise() {
        for channel in receiver.channels {
            let report = ChannelReport(channel)
            output.line(
                "ch\(channel.number)  " + pad("\(report.frames) frames", 20) + pad(bytesText(report.bytes), 12)
                    + pad("\(report.files) files", 12) + pad("\(report.complete) periodics", 20) + (report.losses.isEmpty ? "nothing lost" : report.losses))
        }
    }
}
