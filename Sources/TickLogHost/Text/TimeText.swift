/// ISO 8601 in UTC with milliseconds, "2026-03-01T12:00:00.000Z"; "unknown" for 0.
public func timeText(epochNs: Int64) -> String {
    guard epochNs != 0 else { return "unknown" }
    let milliseconds = epochNs.flooring(1_000_000)
    let seconds = milliseconds.flooring(1000)
    let days = seconds.flooring(86400)
    let inDay = seconds - days * 86400
    // Days to a date of the Gregorian calendar, in eras of 400 years that begin on 1 March.
    let shifted = days + 719_468
    let era = shifted.flooring(146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T" + padded(inDay / 3600, 2) + ":"
        + padded(inDay / 60 % 60, 2) + ":" + padded(inDay % 60, 2) + "." + padded(milliseconds - seconds * 1000, 3) + "Z"
}

/// Seconds with three decimals, "5.000 s".
public func secondsText(_ seconds: Double) -> String {
    fixed(seconds, 3) + " s"
}

/// A number with so many decimals.
public func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return value.description }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    // Not rounded(): it would need libm.
    let scaled = Int64(value * scale + (value < 0 ? -0.5 : 0.5))
    let sign = scaled < 0 ? "-" : ""
    let whole = scaled.magnitude / UInt64(scale)
    if decimals == 0 { return sign + "\(whole)" }
    return sign + "\(whole)." + padded(Int64(scaled.magnitude % UInt64(scale)), decimals)
}

/// Bytes as "512 B", "1.5 KiB", "2.0 MiB".
public func bytesText(_ bytes: UInt64) -> String {
    if bytes < 1024 { return "\(bytes) B" }
    var value = Double(bytes) / 1024
    var unit = 0
    let units = ["KiB", "MiB", "GiB", "TiB"]
    while value >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    return fixed(value, 1) + " " + units[unit]
}

private func padded(_ value: Int64, _ width: Int) -> String {
    let text = "\(value)"
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
}

extension Int64 {
    fileprivate func flooring(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
