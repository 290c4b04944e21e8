"""RNO-G packets, read by their specification (docs/RNOG.md) with struct and zlib alone: slow, and nobody else's code."""
import gzip
import struct
import zlib

MAGICS = {0xEAD1: "header", 0xAFD1: "waveform", 0x57A1: "pedestal", 0xDACC: "daqstatus"}
VERSIONS = {"header": 2, "waveform": 4, "pedestal": 3, "daqstatus": 6}


class Wrong(Exception):
    pass


def sizes(kind, version, data, at):
    """What the payload at `at` may have, in bytes."""
    if kind == "header":
        return [[112], [132], [136]][version]
    if kind == "pedestal":
        return [[196620], [196624], [196628], [196632]][version]
    if kind == "daqstatus":
        return [[184], [184], [272, 280], [280, 288], [296, 304], [296, 304], [504]][version]
    if version == 0:
        raise Wrong("waveform version 0")
    if len(data) < at + 12:
        raise Wrong("torn")
    radiant, lt = struct.unpack_from("<HH", data, at + 8)
    if radiant > 2048 or lt > 512:
        raise Wrong("samples")
    return [12 + 48 * radiant + 4 * lt + [0, 0, 1, 1, 27][version]]


def header(p, version):
    names = ("event_number trigger_number run_number trigger_mask trigger_value sys_clk pps_count readout_time_secs "
             "readout_time_nsecs readout_elapsed_nsecs sysclk_last_pps sysclk_last_last_pps raw_tinfo raw_evstatus").split()
    p = p + bytes(136 - len(p))
    f = dict(zip(names, struct.unpack_from("<14I", p)))
    f.update(zip("station_number trigger_type flags pretrigger_windows".split(), p[56:60]))
    f["radiant_start_windows"] = [[p[60 + 2 * i], p[61 + 2 * i]] for i in range(24)]
    f["radiant_nsamples"], f["lt_nsamples"] = struct.unpack_from("<HH", p, 108)
    f["lt_simple_trigger_cfg.window"] = p[112]
    f["lt_simple_trigger_cfg.num_coinc"] = p[113] & 7
    f["lt_simple_trigger_cfg.vpp_mode"] = p[113] >> 3 & 1
    f["lt_simple_trigger_cfg.channel_mask"] = p[113] >> 4
    for i in range(2):
        word, = struct.unpack_from("<I", p, 116 + 8 * i)
        f[f"radiant_trigger_cfg[{i}]"] = {"mask": word & 0xFFFFFF, "ncoinc": word >> 24 & 31, "window": p[120 + 8 * i] & 127}
    f["lt_phased_trigger_cfg.beam_mask"], f["lt_phased_trigger_cfg.phased_threshold_offset"] = struct.unpack_from("<HH", p, 132)
    return f


def waveform(p, version):
    event, run, nr, nl = struct.unpack_from("<IIHH", p)
    radiant = [list(struct.unpack_from(f"<{nr}h", p, 12 + 2 * nr * i)) for i in range(24)]
    at = 12 + 48 * nr
    lt = [list(p[at + nl * i:at + nl * i + nl]) for i in range(4)]
    at += 4 * nl
    if version < 3:
        for channel in radiant:
            for half in range(nr // 1024):
                part = channel[1024 * half:1024 * half + 1024]
                channel[1024 * half:1024 * half + 1024] = part[128:] + part[:128]
    rate, delays, station = 3200, [0] * 24, 0
    if version == 4:
        rate, = struct.unpack_from("<H", p, at)
        delays = list(p[at + 2:at + 26])
        station = p[at + 26]
    elif version > 1:
        station = p[at]
    flat = b"".join(struct.pack(f"<{nr}h", *channel) for channel in radiant)
    return {"event_number": event, "run_number": run, "radiant_nsamples": nr, "lt_nsamples": nl,
            "radiant_sampling_rate": rate, "station": station, "digitizer_readout_delay": delays,
            "radiant_adler32_after_read": zlib.adler32(flat), "lt_adler32_after_read": zlib.adler32(bytes(sum(lt, []))),
            "radiant_first8": [c[:8] for c in radiant], "radiant_last2": [c[-2:] if nr else [] for c in radiant],
            "lt_first4": [c[:4] for c in lt]}, {"radiant": radiant, "lt": lt}


def pedestal(p, version):
    when, nevents = struct.unpack_from("<IH" if version == 0 else "<II", p)
    word, = struct.unpack_from("<I", p, 8)
    start = 12 if version == 0 else 16
    samples = struct.unpack_from("<98304H", p, start)
    channels = [list(samples[4096 * i:4096 * i + 4096]) for i in range(24)]
    return {"when": when, "nevents": nevents, "mask": word & 0xFFFFFF, "flags": word >> 24,
            "vbias": [-1, -1] if version == 0 else list(struct.unpack_from("<hh", p, 12)),
            "station": p[196624] if version >= 2 else 0,
            "run": struct.unpack_from("<i", p, 196628)[0] if version >= 3 else -1,
            "pedestals_adler32": zlib.adler32(p[start:start + 196608]),
            "pedestals_first4": [c[:4] for c in channels]}, {"pedestals": channels}


GROUPS = ("s_1Hz", "s_1Hz_gated", "s_100Hz")


def group(v):
    v = list(v) + [0] * (36 - len(v))
    return {"trig_coinc": v[0], "trig_per_chan": v[1:5], "servo_coinc": v[5], "servo_per_chan": v[6:10], "trig_phased": v[10],
            "trig_per_beam": v[11:23], "servo_phased": v[23], "servo_per_beam": v[24:36]}


def daqstatus(p, version):
    times = 8 if version < 3 else 16
    f = {"when_radiant": struct.unpack_from("<d", p)[0], "when_lt": struct.unpack_from("<d", p, 8)[0] if version >= 3 else 0}
    f["radiant_thresholds"] = list(struct.unpack_from("<24I", p, times))
    f["radiant_scalers"] = list(struct.unpack_from("<24H", p, times + 96))
    f["radiant_prescalers"] = list(p[times + 144:times + 168])
    f["radiant_scaler_period"] = struct.unpack_from("<f", p, times + 168)[0] / (2.5 if version == 0 else 1)
    old = version >= 2
    f["lt_trigger_thresholds"] = list(p[times + 172:times + 176]) if old else [0] * 4
    f["lt_servo_thresholds"] = list(p[times + 176:times + 180]) if old else [0] * 4
    new = version == 6
    f["lt_phased_trigger_thresholds"] = list(struct.unpack_from("<12H", p, 196)) if new else [0] * 12
    f["lt_phased_servo_thresholds"] = list(struct.unpack_from("<12H", p, 220)) if new else [0] * 12
    f["lt_phased_threshold_offset"] = struct.unpack_from("<H", p, 244)[0] if new else 0
    at = 248 if new else times + 184
    cycles = counter = cycle_counter = 0
    for i, name in enumerate(GROUPS):
        f[name] = group(struct.unpack_from("<36H", p, at + 72 * i) if new else struct.unpack_from("<10H", p, at + 20 * i) if old else [])
    if old:
        tail = at + (216 if new else 64)
        cycles = int.from_bytes(p[tail:tail + 6], "little")
        counter, = struct.unpack_from("<H", p, tail + 6)
        at = tail + 8
        if new or len(p) in {2: [280], 3: [288]}.get(version, [304]):
            cycle_counter, = struct.unpack_from("<Q", p, at)
            at += 8
    f.update(ncycles=str(cycles), scaler_counter_1Hz=counter, cycle_counter=str(cycle_counter))
    voltages, cal = [0] * 5, 0
    if version >= 4:
        voltages = struct.unpack_from("<5H", p, at)
        cal, = struct.unpack_from("<I", p, at + 12)
        at += 16
    for name, value in zip("V_1_0 V_1_8 V_2_5 V_LeftMon V_RightMon".split(), voltages):
        f["radiant_voltages." + name] = value
    temperature = cal & 0xFFF
    f["cal"] = {"T_times_16": temperature - 4096 if temperature > 2047 else temperature, "mode": cal >> 12 & 3,
                "enabled": cal >> 14 & 1, "atten_times_2": cal >> 16 & 63, "out": cal >> 22 & 3, "rev": cal >> 24}
    f["station"] = p[at] if old else 0
    return f


def unpacked(data):
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def packets(data):
    """Each packet: offset, type, version, fields, samples."""
    at = 0
    while at < len(data):
        if len(data) < at + 4:
            raise Wrong("torn")
        magic, version = struct.unpack_from("<HH", data, at)
        kind = MAGICS.get(magic)
        if kind is None:
            raise Wrong("magic")
        if version > VERSIONS[kind]:
            raise Wrong("version")
        for size in sizes(kind, version, data, at + 4):
            payload = data[at + 4:at + 4 + size]
            if len(data) >= at + 8 + size and struct.unpack_from("<I", data, at + 4 + size)[0] == zlib.adler32(payload):
                break
        else:
            raise Wrong("checksum or torn")
        fields = {"header": header, "waveform": waveform, "pedestal": pedestal, "daqstatus": daqstatus}[kind](payload, version)
        fields, samples = fields if isinstance(fields, tuple) else (fields, {})
        yield {"type": kind, "version": version, "offset": at, "fields": fields}, samples, data[at:at + 8 + size]
        at += 8 + size


def packet(magic, version, payload):
    return struct.pack("<HH", magic, version) + payload + struct.pack("<I", zlib.adler32(payload))
