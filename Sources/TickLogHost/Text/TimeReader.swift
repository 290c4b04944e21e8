/// Microseconds since the Unix epoch of a time: seconds, also with decimals, or ISO 8601, "2026-03-01",
/// "2026-03-01T12:00:00.5Z", with +01:00 instead of Z, or nothing, which is UTC. Nil for what is none, or before 1970.
public func microseconds(ofTime text: String) -> UInt64? {
    let bytes = Array(text.utf8)
    if bytes.count >= 10, bytes[4] == 0x2D, bytes[7] == 0x2D { return isoMicroseconds(bytes) }
    var at = 0
    guard let seconds = number(bytes, &at, 1...12), let fraction = fraction(bytes, &at), at == bytes.count else { return nil }
    return seconds * 1_000_000 + fraction
}

private func isoMicroseconds(_ bytes: [UInt8]) -> UInt64? {
    var at = 0
    func take(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }
    guard let year = number(bytes, &at, 4...4), take(0x2D), let month = number(bytes, &at, 2...2), take(0x2D),
        let day = number(bytes, &at, 2...2), year >= 1970, (1...12).contains(month), day >= 1, day <= days(inMonth: month, of: year)
    else { return nil }
    var seconds: UInt64 = 0
    var micro: UInt64 = 0
    var shift: Int64 = 0
    if at < bytes.count {
        guard take(0x54) || take(0x74) || take(0x20), let hour = number(bytes, &at, 2...2), hour < 24, take(0x3A),
            let minute = number(bytes, &at, 2...2), minute < 60
        else { return nil }
        seconds = hour * 3600 + minute * 60
        if take(0x3A) {
            guard let second = number(bytes, &at, 2...2), second < 60, let fraction = fraction(bytes, &at) else { return nil }
            seconds += second
            micro = fraction
        }
        if !(take(0x5A) || take(0x7A)), at < bytes.count {
            let isWest = bytes[at] == 0x2D
            guard take(0x2B) || take(0x2D), let hours = number(bytes, &at, 2...2), hours < 24 else { return nil }
            _ = take(0x3A)
            guard let minutes = number(bytes, &at, 2...2), minutes < 60 else { return nil }
            shift = Int64(hours * 3600 + minutes * 60) * (isWest ? 1 : -1)
        }
    }
    guard at == bytes.count else { return nil }
    var total: UInt64 = day - 1
    for other in 1..<month { total += days(inMonth: other, of: year) }
    for other in 1970..<year { total += isLeap(other) ? 366 : 365 }
    let whole = Int64(total * 86400 + seconds) + shift
    return whole < 0 ? nil : UInt64(whole) * 1_000_000 + micro
}

private func number(_ bytes: [UInt8], _ at: inout Int, _ digits: ClosedRange<Int>) -> UInt64? {
    let start = at
    var value: UInt64 = 0
    while at < bytes.count, at - start < digits.upperBound, bytes[at] >= 0x30, bytes[at] <= 0x39 {
        value = value * 10 + UInt64(bytes[at] - 0x30)
        at += 1
    }
    return digits.contains(at - start) ? value : nil
}

/// Behind a point: microseconds; digits behind the sixth do not count. 0 without a point.
private func fraction(_ bytes: [UInt8], _ at: inout Int) -> UInt64? {
    guard at < bytes.count, bytes[at] == 0x2E || bytes[at] == 0x2C else { return 0 }
    at += 1
    let start = at
    var value: UInt64 = 0
    var scale: UInt64 = 1_000_000
    while at < bytes.count, bytes[at] >= 0x30, bytes[at] <= 0x39 {
        scale /= 10
        value += UInt64(bytes[at] - 0x30) * scale
        at += 1
    }
    return at > start ? value : nil
}

private func isLeap(_ year: UInt64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

private func days(inMonth month: UInt64, of year: UInt64) -> UInt64 {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}
