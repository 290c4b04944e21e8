import TickLog

/// One value, or an array of them, of a structure in memory: how it is called, where it is, how it is told.
public struct RNOGField: Sendable {
    /// The object that it is in: "cal"; empty: none.
    public let object: StaticString
    public let name: StaticString
    /// As what it is told.
    public let type: ValueType
    public let offset: Int
    public let count: Int
    /// Arrays of arrays: how many in each.
    public let inner: Int
    /// Some bits of a word that is read as `word`.
    private let word: ValueType
    private let shift: UInt64
    private let width: UInt64
    /// JSON: a number of more than 53 bits, as text.
    public let isQuoted: Bool

    init(
        _ name: StaticString, _ type: ValueType, _ offset: Int, count: Int = 1, inner: Int = 1, in object: StaticString = "",
        quoted: Bool = false
    ) {
        self.object = object
        self.name = name
        self.type = type
        self.offset = offset
        self.count = count
        self.inner = inner
        word = type
        shift = 0
        width = 64
        isQuoted = quoted
    }

    init(_ name: StaticString, _ type: ValueType, bits: Range<UInt64>, of word: ValueType, _ offset: Int, in object: StaticString = "", quoted: Bool = false) {
        self.object = object
        self.name = name
        self.type = type
        self.offset = offset
        count = 1
        inner = 1
        self.word = word
        shift = bits.lowerBound
        width = bits.upperBound - bits.lowerBound
        isQuoted = quoted
    }

    /// The bits of an element, as a column's are.
    public func bits(of record: UnsafeRawPointer, _ index: Int = 0) -> UInt64 {
        let bytes = FileBytes(start: record + offset + index * word.size, count: word.size)
        let value = bytes.unsigned(at: 0, size: word.size)
        if width == 64 { return value }
        let part = value >> shift & (1 << width - 1)
        guard type == .i16, part >> (width - 1) == 1 else { return part }
        return UInt64(UInt16(truncatingIfNeeded: part | UInt64.max << width))
    }

    /// The column of an element: "cal.mode", "radiant_start_windows[3][1]".
    func column(_ index: Int) -> Column {
        var text = object.utf8CodeUnitCount == 0 ? "" : staticText(object) + "."
        text += staticText(name)
        if count > 1 { text += inner > 1 ? "[\(index / inner)][\(index % inner)]" : "[\(index)]" }
        return Column(text, type)
    }
}

extension RNOGKind {
    /// All that is not a sample, in the order in which it is told.
    public var fields: [RNOGField] {
        switch self {
        case .header: headerFields
        case .waveform: waveformFields
        case .pedestal: pedestalFields
        case .daqStatus: daqStatusFields
        }
    }

    public static var all: [RNOGKind] { [.header, .waveform, .pedestal, .daqStatus] }

    public init?(named name: String) {
        for kind in RNOGKind.all where staticText(kind.name) == name {
            self = kind
            return
        }
        return nil
    }
}

private var headerFields: [RNOGField] {
    var fields: [RNOGField] = []
    let words: [StaticString] = [
        "event_number", "trigger_number", "run_number", "trigger_mask", "trigger_value", "sys_clk", "pps_count",
        "readout_time_secs", "readout_time_nsecs", "readout_elapsed_nsecs", "sysclk_last_pps", "sysclk_last_last_pps", "raw_tinfo",
        "raw_evstatus",
    ]
    for i in 0..<words.count { fields.append(RNOGField(words[i], .u32, 4 * i)) }
    let bytes: [StaticString] = ["station_number", "trigger_type", "flags", "pretrigger_windows"]
    for i in 0..<bytes.count { fields.append(RNOGField(bytes[i], .u8, 56 + i)) }
    fields += [
        RNOGField("radiant_start_windows", .u8, 60, count: 48, inner: 2),
        RNOGField("radiant_nsamples", .u16, 108), RNOGField("lt_nsamples", .u16, 110),
        RNOGField("lt_simple_trigger_cfg.window", .u8, 112),
        RNOGField("lt_simple_trigger_cfg.num_coinc", .u8, bits: 0..<3, of: .u8, 113),
        RNOGField("lt_simple_trigger_cfg.vpp_mode", .u8, bits: 3..<4, of: .u8, 113),
        RNOGField("lt_simple_trigger_cfg.channel_mask", .u8, bits: 4..<8, of: .u8, 113),
    ]
    let triggers: [StaticString] = ["radiant_trigger_cfg[0]", "radiant_trigger_cfg[1]"]
    for i in 0..<2 {
        fields += [
            RNOGField("mask", .u32, bits: 0..<24, of: .u32, 116 + 8 * i, in: triggers[i]),
            RNOGField("ncoinc", .u8, bits: 24..<29, of: .u32, 116 + 8 * i, in: triggers[i]),
            RNOGField("window", .u8, bits: 0..<7, of: .u8, 120 + 8 * i, in: triggers[i]),
        ]
    }
    fields += [
        RNOGField("lt_phased_trigger_cfg.beam_mask", .u16, 132),
        RNOGField("lt_phased_trigger_cfg.phased_threshold_offset", .u16, 134),
    ]
    return fields
}

private var waveformFields: [RNOGField] {
    [
        RNOGField("event_number", .u32, 0), RNOGField("run_number", .u32, 4), RNOGField("radiant_nsamples", .u16, 8),
        RNOGField("lt_nsamples", .u16, 10), RNOGField("radiant_sampling_rate", .u16, 100_364), RNOGField("station", .u8, 100_390),
        RNOGField("digitizer_readout_delay", .u8, 100_366, count: 24),
    ]
}

private var pedestalFields: [RNOGField] {
    [
        RNOGField("when", .u32, 0), RNOGField("nevents", .u32, 4), RNOGField("mask", .u32, bits: 0..<24, of: .u32, 8),
        RNOGField("flags", .u8, 11), RNOGField("vbias", .i16, 12, count: 2), RNOGField("station", .u8, 196_624),
        RNOGField("run", .i32, 196_628),
    ]
}

private var daqStatusFields: [RNOGField] {
    var fields = [
        RNOGField("when_radiant", .f64, 0), RNOGField("when_lt", .f64, 8), RNOGField("radiant_thresholds", .u32, 16, count: 24),
        RNOGField("radiant_scalers", .u16, 112, count: 24), RNOGField("radiant_prescalers", .u8, 160, count: 24),
        RNOGField("radiant_scaler_period", .f32, 184), RNOGField("lt_trigger_thresholds", .u8, 188, count: 4),
        RNOGField("lt_servo_thresholds", .u8, 192, count: 4), RNOGField("lt_phased_trigger_thresholds", .u16, 196, count: 12),
        RNOGField("lt_phased_servo_thresholds", .u16, 220, count: 12), RNOGField("lt_phased_threshold_offset", .u16, 244),
    ]
    let groups: [StaticString] = ["s_1Hz", "s_1Hz_gated", "s_100Hz"]
    for i in 0..<3 {
        let at = 248 + 72 * i
        fields += [
            RNOGField("trig_coinc", .u16, at, in: groups[i]), RNOGField("trig_per_chan", .u16, at + 2, count: 4, in: groups[i]),
            RNOGField("servo_coinc", .u16, at + 10, in: groups[i]), RNOGField("servo_per_chan", .u16, at + 12, count: 4, in: groups[i]),
            RNOGField("trig_phased", .u16, at + 20, in: groups[i]), RNOGField("trig_per_beam", .u16, at + 22, count: 12, in: groups[i]),
            RNOGField("servo_phased", .u16, at + 46, in: groups[i]), RNOGField("servo_per_beam", .u16, at + 48, count: 12, in: groups[i]),
        ]
    }
    fields += [
        RNOGField("ncycles", .u64, bits: 0..<48, of: .u64, 464, quoted: true), RNOGField("scaler_counter_1Hz", .u16, 470),
        RNOGField("cycle_counter", .u64, 472, quoted: true), RNOGField("radiant_voltages.V_1_0", .u16, 480),
        RNOGField("radiant_voltages.V_1_8", .u16, 482), RNOGField("radiant_voltages.V_2_5", .u16, 484),
        RNOGField("radiant_voltages.V_LeftMon", .u16, 486), RNOGField("radiant_voltages.V_RightMon", .u16, 488),
        RNOGField("T_times_16", .i16, bits: 0..<12, of: .u32, 492, in: "cal"),
        RNOGField("mode", .u8, bits: 12..<14, of: .u32, 492, in: "cal"),
        RNOGField("enabled", .u8, bits: 14..<15, of: .u32, 492, in: "cal"),
        RNOGField("atten_times_2", .u8, bits: 16..<22, of: .u32, 492, in: "cal"),
        RNOGField("out", .u8, bits: 22..<24, of: .u32, 492, in: "cal"), RNOGField("rev", .u8, bits: 24..<32, of: .u32, 492, in: "cal"),
        RNOGField("station", .u8, 496),
    ]
    return fields
}
