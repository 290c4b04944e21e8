import CPosix
import Synchronization
import TickLogHost

/// What is shown while frames are received: on a terminal a line for each channel, in place; with `--json` a line each
/// second; else nothing. It has a thread of its own: who looks at it may be slow, and neither the receiver nor who wants to
/// end it waits for him.
final class ReceiverDisplay {
    private let receiver: Receiver
    private let json: Bool
    private let output: Output
    private let isTerminal: Bool
    private var lines = 0
    private var before: [UInt64]
    private var beforeNs = monotonicNs()
    private let isEnding = Atomic<Bool>(false)
    private var thread: WorkThread?

    init(_ receiver: Receiver, json: Bool, _ output: Output) {
        self.receiver = receiver
        self.json = json
        self.output = output
        isTerminal = isatty(2) == 1
        before = [UInt64](repeating: 0, count: receiver.channels.count)
    }

    func start() throws(FileError) {
        guard json || isTerminal else { return }
        thread = try WorkThread { self.run() }
    }

    /// Waits until what is being shown has been taken, and clears a terminal of what is no longer true.
    func end() {
        isEnding.store(true, ordering: .relaxed)
        thread?.join()
        thread = nil
        guard lines > 0, !said.exchange(false, ordering: .relaxed) else { return }
        Console.error("\u{1B}[\(lines)A\u{1B}[J")
        lines = 0
    }

    /// A sentence for the operator, from any thread. What is shown in place goes on below it.
    static func say(_ text: String) {
        said.store(true, ordering: .relaxed)
        Console.error("ticklog receive: " + text + "\n")
        said.store(true, ordering: .relaxed)
    }

    private func run() {
        let start = monotonicNs()
        var second: UInt64 = 0
        while !isEnding.load(ordering: .relaxed) {
            pause(milliseconds: 20)
            let elapsed = (monotonicNs() - start) / 1_000_000_000
            guard elapsed > second else { continue }
            second = elapsed
            show()
        }
    }

    private func show() {
        if json {
            // Who sleeps misses lines.
            var ready = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
            guard poll(&ready, 1, 0) == 1, output.isOpen else { return }
            receiver.writeReport(to: output)
            try? output.flush()
            return
        }
        if said.exchange(false, ordering: .relaxed) { lines = 0 }
        let now = monotonicNs()
        let seconds = Double(max(1, now - beforeNs)) / 1e9
        beforeNs = now
        // Lines that are too long are cut: what takes two of the terminal's could not be found again. So could more of them
        // than it has.
        var text = (lines > 0 ? "\u{1B}[\(lines)A" : "") + "\u{1B}[?7l"
        let height = Int(cposix_terminal_lines(2))
        let shown = height > 2 && receiver.channels.count >= height ? height - 2 : receiver.channels.count
        var others: (taken: UInt64, frames: UInt64, missing: UInt64) = (0, 0, 0)
        for channel in receiver.channels {
            let report = ChannelReport(channel)
            let taken = report.taken - before[channel.number]
            let rate = Double(taken) / seconds
            before[channel.number] = report.taken
            guard channel.number < shown else {
                others = (others.taken + taken, others.frames + report.frames, others.missing &+ report.missing)
                continue
            }
            text += "ch\(channel.number)  " + pad(bytesText(UInt64(rate)) + "/s", 14) + pad("\(report.frames) frames", 20)
                + pad("ring \(report.ringFill * 100 / report.ringBytes) %", 12) + report.losses + "\u{1B}[K\n"
        }
        lines = shown
        if shown < receiver.channels.count {
            text += "\(receiver.channels.count - shown) more  " + bytesText(UInt64(Double(others.taken) / seconds)) + "/s  \(others.frames) frames"
                + (others.missing > 0 ? "  missing \(others.missing)" : "") + "\u{1B}[K\n"
            lines += 1
        }
        Console.error(text + "\u{1B}[?7h")
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

/// Something was said since the lines were last shown: they are no longer the last ones on the terminal.
private let said = Atomic<Bool>(false)
