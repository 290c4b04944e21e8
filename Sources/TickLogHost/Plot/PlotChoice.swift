import CTickLog
import TickLog

/// A moment of a recording.
public enum PlotMoment {
    case tick(UInt64)
    /// Seconds since the start, in ns.
    case sinceStart(UInt64)
    /// Unix time in µs.
    case unix(UInt64)

    /// `12345`, `12.5s`, or a time as 2026-03-01T12:00:00Z; nil: none of these.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        if bytes.count >= 10, bytes[4] == 0x2D {
            guard let time = microseconds(ofTime: text) else { return nil }
            self = .unix(time)
        } else if bytes.last == 0x73 {
            guard let time = microseconds(ofTime: String(decoding: bytes.dropLast(), as: UTF8.self)),
                !bytes.contains(0x2D)
            else { return nil }
            self = .sinceStart(time * 1000)
        } else {
            guard let tick = UInt64(text) else { return nil }
            self = .tick(tick)
        }
    }
}

/// What of a file is plotted.
public struct PlotChoice {
    /// Nil: the first eight that are numbers.
    public var columns: [String]?
    public var stream: String?
    public var events = false
    public var salvage = false
    /// The column of x; nil: ticks, times or rows.
    public var x: String?
    public var from: PlotMoment?
    public var to: PlotMoment?
    /// Pixels, or points of the terminal, that are told apart.
    public var width = 1200

    public static var mostColumns: Int { 8 }
    public static var mostChosenColumns: Int { 64 }

    public init() {}
}

/// Why there is no plot.
public enum PlotRefusal: Error {
    case fault(Fault)
    /// It was asked for what is not there.
    case usage(String)
}

/// What x is.
enum PlotAxisKind {
    /// Integers: ticks, rows, values of a column.
    case count
    /// Keys are so many ns apart, from a Unix time in ns.
    case time(epochNs: Int64, keyNs: UInt64)
    /// The same from the start of something.
    case seconds(keyNs: UInt64)
    case number
    /// Numbers that are seconds of Unix time.
    case unixSeconds
}
