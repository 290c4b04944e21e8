import CTickLog

/// The name of a run's directory: given, or a random UUID (version 4, lower case).
enum RunName {
    static let maxLength = 36
    static let maxShortLength = 8

    static func check(_ name: UnsafePointer<CChar>?, short: Bool) -> ticklog_status {
        guard let name else { return TICKLOG_OK }
        let length = name.length(maxLength + 1)
        guard length > 0 else { return TICKLOG_BAD_NAME }
        for i in 0..<length {
            switch UInt8(bitPattern: name[i]) {
            case 48...57, 65...90, 97...122, 45: break
            default: return TICKLOG_BAD_NAME
            }
        }
        return length <= (short ? maxShortLength : maxLength) ? TICKLOG_OK : TICKLOG_NAME_TOO_LONG
    }

    /// Stores the run's name and its NUL: `maxLength + 1` bytes of room.
    static func store(
        _ name: UnsafePointer<CChar>?, short: Bool, _ logger: Logger, to out: UnsafeMutableRawPointer
    ) -> ticklog_status {
        if let name {
            let length = name.length(maxLength)
            out.copy(name, length)
            out.store(UInt8(0), at: length)
            return TICKLOG_OK
        }
        guard let random = logger.random else { return TICKLOG_NO_ENTROPY }
        var bytes: [16 of UInt8] = .init(repeating: 0)
        let status = withUnsafeMutableBytes(of: &bytes) { random(logger.randomContext, $0.baseAddress, 16) }
        guard status == TICKLOG_OK else { return status }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        var at = 0
        for i in 0..<(short ? maxShortLength / 2 : 16) {
            if !short, i == 4 || i == 6 || i == 8 || i == 10 {
                out.store(UInt8(45), at: at)
                at += 1
            }
            out.store(hexDigit(bytes[i] >> 4), at: at)
            out.store(hexDigit(bytes[i] & 15), at: at + 1)
            at += 2
        }
        out.store(UInt8(0), at: at)
        return TICKLOG_OK
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}

/// The names of a run's files.
enum FileName {
    /// `streams.bcsv`, `polled.4294967295.bcsv`.
    static let maxLength = 24

    /// Rolled files of 8.3 names: POLLED1.BCS to POLLED99.BCS.
    static let maxShortRoll: UInt32 = 99

    enum Which {
        case lock, meta, streams
        case log(FileKind)
    }

    /// Stores the name and its NUL; `roll` is 0 for the first file of its kind.
    static func store(_ which: Which, isDLF: Bool, short: Bool, roll: UInt32, to out: UnsafeMutableRawPointer) {
        var at = 0
        func put(_ text: StaticString) {
            out.copyText(text, &at)
        }
        switch which {
        case .lock:
            put("LOCK")
            out.store(UInt8(0), at: at)
            return
        case .meta: put(short ? "META" : "meta")
        case .streams: put(short ? "STREAMS" : "streams")
        case .log(.polled): put(short ? "POLLED" : "polled")
        case .log(.event): put(short ? "EVENT" : "event")
        case .log(.loss): put(short ? "LOSS" : "loss")
        }
        if roll > 0 {
            if !short { put(".") }
            var divisor: UInt32 = 1
            while roll / divisor >= 10 { divisor *= 10 }
            while divisor > 0 {
                out.store(UInt8(48 + roll / divisor % 10), at: at)
                at += 1
                divisor /= 10
            }
        }
        put(isDLF ? (short ? ".DLF" : ".dlf") : (short ? ".BCS" : ".bcsv"))
        out.store(UInt8(0), at: at)
    }
}

extension UnsafeMutableRawPointer {
    /// Stores the characters at `at` and moves it behind them. The caller has the room.
    func copyText(_ text: StaticString, _ at: inout Int) {
        (self + at).copy(text.utf8Start, text.utf8CodeUnitCount)
        at += text.utf8CodeUnitCount
    }
}
