"""What Tests/firmware/signals.c simulates, written down a second time: values, schedule, events, refusals, skipped ticks."""
import struct

LATE_STEP, STALL_FROM, STALL_TO, SERVICE_EVERY = 100, 200, 260, 4
RING_FULL, LATE, BUSY, STORAGE = 1, 2, 3, 4
EPOCH_NS, TICK_NS = 1763485651123456789, 1000000

# name, kind, interval, phase, notes, DLF type name, [(field, type, count, offset in the source, unit)], size
STREAMS = [
    ("scalars", "poll", 1, 0, "one of each type, packed", "scalars",
     [("a_u8", "u8", 1, 0, "V"), ("b_u64", "u64", 1, 1, ""), ("c_bool", "bool", 1, 9, ""), ("d_i16", "i16", 1, 10, "°C"),
      ("e_f64", "f64", 1, 12, "m/s"), ("f_u16", "u16", 1, 20, ""), ("g_i64", "i64", 1, 22, ""), ("h_i8", "i8", 1, 30, ""),
      ("i_u32", "u32", 1, 31, ""), ("j_f32", "f32", 1, 35, "A"), ("k_i32", "i32", 1, 39, "")], 43),
    ("vector", "poll", 2, 1, "", "vector_t",
     [("kind", "u8", 1, 0, ""), ("count", "u16", 1, 2, ""), ("value", "f32", 8, 4, "g"), ("tail", "u16", 1, 36, "")], 40),
    ("slow", "poll", 5, 2, "", None, [("", "f64", 1, 0, "rpm")], 8),
    ("state", "watch", 0, 0, "", "state", [("mode", "u8", 1, 0, ""), ("code", "u32", 1, 4, "")], 8),
    ("alarm", "emit", 0, 0, "", "alarm", [("id", "u16", 1, 0, ""), ("value", "i32", 1, 2, "mV")], 6),
    ("burst", "emit", 0, 0, "", "burst", [("count", "u8", 1, 0, ""), ("data", "u8", 12, 1, "")], 13),
    ("guarded", "poll", 1, 0, "", None, [("", "u32", 1, 0, "")], 4),
    ("pair", "poll", 10, 13, "", "pair", [("on", "bool", 3, 0, ""), ("level", "i8", 1, 3, "")], 4),
    ("text", "poll", 10, 7, 'héld "text"', "text", [("number", "u32", 1, 0, ""), ("text", "string", 1, 4, "")], 16),
]
SCALARS, VECTOR, SLOW, STATE, ALARM, BURST, GUARDED, PAIR, TEXT = range(9)
NAMES = [s[0] for s in STREAMS]
FORMAT = {"bool": "?", "u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i8": "b", "i16": "h", "i32": "i", "i64": "q",
          "f32": "f", "f64": "d"}
CODES = {n: i for i, n in enumerate(("bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "string"))}
C_NAMES = {"bool": "bool", "u8": "uint8_t", "u16": "uint16_t", "u32": "uint32_t", "u64": "uint64_t", "i8": "int8_t",
           "i16": "int16_t", "i32": "int32_t", "i64": "int64_t", "f32": "float", "f64": "double"}
ABOUT = [("serial", "u32", 1, 0, 4711), ("gain", "f64", 1, 8, 1.25), ("site", "u16", 3, 16, [100, 101, 102])]
ABOUT_SIZE = 24


def ticks(steps):
    """The tick of each step, and the set of skipped ones."""
    newest, skipped = [], set()
    t = -1
    for step in range(steps):
        if step == LATE_STEP:
            skipped.update(range(t + 1, t + 4))
            t += 3
        t += 1
        newest.append(t)
    return newest, skipped


def due(stream, t):
    _, kind, interval, phase = STREAMS[stream][:4]
    return kind == "poll" and (t + phase) % interval == 0


def refused(t):
    return t % 11 == 5 or t % 33 == 6


def mix(v):
    v ^= v >> 16
    v = v * 0x7feb352d & 0xffffffff
    v ^= v >> 15
    v = v * 0x846ca68b & 0xffffffff
    return v ^ v >> 16


def signed(v, bits):
    v &= (1 << bits) - 1
    return v - (1 << bits) if v >> (bits - 1) else v


def text(t):
    return bytes(ord("a") + (t // 10 + i) % 26 for i in range(t // 10 % 13))


def values(stream, t):
    """Values of the stream's columns at tick t, in their order."""
    if stream == SCALARS:
        r = mix(t + 1)
        return [t * 3 & 255, t * 0x100000001, t // 3 % 2 == 1, (r & 0x3ff) - 512, (t - 100) / 8, t // 50 & 65535,
                -(t // 4) * 1000000007, t % 200 - 100, r, (t % 64 - 32) / 4, t // 20 - 5]
    if stream == VECTOR:
        return [t // 100 & 255, t & 65535] + [t * (i + 1) % 256 / 16 for i in range(8)] + [0xBEEF]
    if stream == SLOW:
        return [t / 2]
    if stream == STATE:
        return [t // 17 & 255, t // 17 * 1000]
    if stream == GUARDED:
        return [t * 2654435761 & 0xffffffff]
    if stream == PAIR:
        return [bool(t >> (i + 3) & 1) for i in range(3)] + [signed(t // 10, 8)]
    if stream == TEXT:
        return [t, text(t)]
    raise KeyError(stream)


def emitted(t):
    """Events emitted behind tick t: (stream, values)."""
    events = []
    if t % 23 == 0:
        events.append((ALARM, [t // 23, -t]))
    if t % 7 == 3:
        for k in range(2):
            events.append((BURST, [k] + [t + i * (k + 1) & 255 for i in range(12)]))
    return events


def notes(steps):
    """Events of the library's own streams: (name, tick, values)."""
    newest, _ = ticks(steps)
    found = []
    if 50 in newest:
        found.append(("ticklog.note", 50, [1, "the first note"]))
    for t in (60, 400):
        if t in newest:
            found.append(("ticklog.clock", t - 10, [EPOCH_NS + (t - 10) * TICK_NS + 250, 1500, 2]))
    if 350 in newest:
        found.append(("ticklog.note", 350, [255, 'nöte "two"\t']))
    return found


def columns(stream):
    """(column name, type, field column) of each column."""
    name, fields = STREAMS[stream][0], STREAMS[stream][6]
    result = []
    for field, type_name, count, _, unit in fields:
        for i in range(count):
            f = field + ("[%d]" % i if count > 1 else "")
            result.append((name + ("." + f if f else ""), type_name, f, unit))
    return result


def cells(stream, vs):
    """Raw cells of values."""
    return [v if t == "string" else struct.pack("<" + FORMAT[t], v) for (_, t, _, _), v in zip(columns(stream), vs)]


def sample(stream, vs):
    """The image of the source in memory, padding 0."""
    fields, size = STREAMS[stream][6:8]
    image = bytearray(size)
    at = 0
    for _, type_name, count, offset, _ in fields:
        for i in range(count):
            struct.pack_into("<" + FORMAT[type_name], image, offset + i * struct.calcsize(FORMAT[type_name]), vs[at])
            at += 1
    return bytes(image)


def type_string(stream):
    """DLF's."""
    _, _, _, _, _, type_name, fields, _ = STREAMS[stream]
    if type_name is None:
        return C_NAMES[fields[0][1]]
    return type_name + members(fields)


def members(fields):
    return "".join(";%s%s:%s:%d" % (field, "[%d]" % i if count > 1 else "", C_NAMES[t],
                                    offset + i * struct.calcsize(FORMAT[t]))
                   for field, t, count, offset, _ in fields for i in range(count))
