"""Runs as dlflib writes them that are not among the vectors, each with what a reader must find, in their shape.

    dlf_vectors.py DIRECTORY       writes NAME/meta.dlf, polled.dlf, event.dlf, expected.json, and LOCK where it stays

What is expected comes from the encoder, which knows what it wrote, not from a reader.
"""
import hashlib
import json
import math
import os
import struct
import sys

from dlf_encoder import EVENT, MAGIC, NO_NOTES, POLLED, SIZES, Stream, encode, fnv1

FORMATS = {"uint8_t": "<B", "uint16_t": "<H", "uint32_t": "<I", "uint64_t": "<Q", "int8_t": "<b", "int16_t": "<h",
           "int32_t": "<i", "int64_t": "<q", "bool": "<B", "float": "<f", "double": "<d"}

# The sources of the vectors that the real encoder wrote.
SOURCES = {
    "uint8_t": lambda t: t * 3 + 1 & 0xFF, "uint16_t": lambda t: t * 1000 + 7 & 0xFFFF,
    "uint32_t": lambda t: t * 100000 + 11 & 0xFFFFFFFF, "uint64_t": lambda t: (t << 32) + 13, "int8_t": lambda t: -t,
    "int16_t": lambda t: -300 * t, "int32_t": lambda t: -70000 * t, "int64_t": lambda t: -(t << 32) - 1,
    "bool": lambda t: t & 1, "float": lambda t: t * 0.5, "double": lambda t: t * -0.25}
GPS = "gps_pos;satellites:uint32_t:0;lat:double:4;lng:double:12"
PADDED = "padded;a:uint8_t:0;b:uint32_t:4;c:uint8_t:8"
MARKER = "marker;on:uint8_t:0;off:uint8_t:1"


def primitive(type):
    return lambda t: struct.pack(FORMATS[type], SOURCES[type](t))


def gps(t):
    return struct.pack("<Idd", t + 4, 35 + t / 8, -120.5 - t / 16)


def padded(t):
    return struct.pack("<B3xIB3x", t & 0xFF, 0xA0000000 + t, 255 - t & 0xFF)


def marker(t):
    return bytes([t // 3 & 1, t // 5 & 1])


def poll(id, type, interval=1, phase=0, notes="", source=None, size=None):
    return Stream(id, type, source or primitive(type), POLLED, size, notes, interval, phase)


def watch(id, type, source=None, notes="", size=None):
    return Stream(id, type, source or primitive(type), EVENT, size, notes)


def number(v):
    """As the vectors' JSON has it."""
    if isinstance(v, float) and not math.isfinite(v):
        return "nan" if v != v else "inf" if v > 0 else "-inf"
    return str(v) if isinstance(v, int) and abs(v) > 2**53 else v


def decode(type, data):
    if type.startswith("!"):
        return None
    if type in FORMATS:
        return number(struct.unpack(FORMATS[type], data)[0])
    members = (m.split(":") for m in type.split(";")[1:])
    return {name: number(struct.unpack_from(FORMATS[kind], data, int(at))[0]) for name, kind, at in members}


def text(v, most=None):
    """A name as a reader decodes it. Bytes that are no UTF-8 have no form in JSON: expected.json has their hex beside."""
    return (v if isinstance(v, bytes) else v.encode())[:most].decode("utf-8", "replace")


def length_before(file, tick):
    """Bytes of the data of a polled file before a tick, counted out."""
    return sum(s.size * len(range(-s.phase % (s.interval or 1), tick, s.interval or 1)) for s in file.streams)


def expect_log(file, data, error_at=None):
    """What there is in `data`, which is the encoder's file or its first bytes."""
    start = file.data_start
    if len(data) < start:
        return {"error": "truncated header at %d" % len(data)}
    length = len(data) - start
    head = 0 if file.kind == POLLED else 10
    end = length if error_at is None else error_at
    whole = [(i, t, off, v) for i, t, off, v in file.samples if off + head + len(v) <= end]
    used = max((off + head + len(v) for _, _, off, v in whole), default=0)
    span = struct.unpack_from("<Q", data, 3)[0]
    streams = []
    for s in file.streams:
        d = {"type_structure": text(s.type), "id": text(s.id, 31), "notes": text(s.notes or "", 127), "type_size": s.size,
             "id_hex": (s.id if isinstance(s.id, bytes) else s.id.encode())[:31].hex()}
        if file.kind == POLLED:
            d["tick_interval"], d["tick_phase"] = s.interval, s.phase
        streams.append(d)
    check = {"data_start": start, "data_len": length, "tick_span": span, "num_streams": len(streams),
             "complete_samples": len(whole), "tail_bytes": length - used, "last_tick_in_data": whole[-1][1] if whole else None}
    out = {"magic": 0x8414, "stream_type": file.kind, "num_streams": len(streams), "data_start": start, "streams": streams,
           "tick_span": span, "check": check,
           "samples": [{"i": i, "tick": t, "off": off, "hex": v.hex(), "v": decode(streams[i]["type_structure"], v)}
                       for i, t, off, v in whole]}
    if file.kind == POLLED:
        if streams:
            check["full_ticks"] = next((t for t in range(len(data) + 2) if length_before(file, t + 1) > length), None)
        else:
            check["full_ticks"] = None
        if streams and span < 1 << 20:
            check["expected_len_for_span"] = length_before(file, span + 1)
            check["span_matches"] = check["expected_len_for_span"] == length
        else:
            check["span_matches"] = not streams
    else:
        check["span_matches"] = error_at is None and not check["tail_bytes"] and (check["last_tick_in_data"] or 0) <= span
        check["error"] = out["error"] = None if error_at is None else "unknown stream index at %d" % error_at
        if error_at is None:
            del out["error"]
    return out


def windows(file, length):
    """Windows of ticks, counted out."""
    ticks = sorted({t for _, t, off, v in file.samples if off + len(v) <= length})
    if file.kind != POLLED or not ticks:
        return []
    last = ticks[-1]
    out = []
    for start, end in ((0, 1), (1, 2), (2, 7), (3, 4), (last // 2, last // 2 + 3), (last, last + 1), (last + 1, None)):
        inside = [(i, t, off) for i, t, off, v in file.samples
                  if t >= start and (end is None or t < end) and off + len(v) <= length]
        out.append({"start": start, "end": end, "offset_of_start": length_before(file, start), "count": len(inside),
                    "first": list(inside[0]) if inside else None, "last": list(inside[-1]) if inside else None})
    return out


def expected(name, notes, run, event_error_at=None):
    type, data = run.metadata
    polled, event = run.files["polled.dlf"], run.files["event.dlf"]
    out = {"name": name, "origin": "dlf_encoder.py", "notes": notes,
           "files": {n: {"size": len(b), "sha256": hashlib.sha256(b).hexdigest()} for n, b in run.files.items()},
           "meta": {"magic": 0x8414, "epoch_time_s": run.epoch, "tick_base_us": run.tick_us, "meta_structure": type,
                    "meta_size": len(data), "meta_hex": data.hex(), "meta": decode(type, data)},
           "polled": expect_log(run.log["polled"], polled), "event": expect_log(run.log["event"], event, event_error_at)}
    if "streams" in out["polled"]:
        out["windows"] = windows(run.log["polled"], len(polled) - run.log["polled"].data_start)
    return out


def truncated(run, file, count):
    run.files[file] = run.files[file][:count]
    return run


def colliding(size=5):
    """Two byte strings of one hash: the birthday paradox finds them."""
    seen = {}
    n = 0
    while True:
        data = hashlib.sha256(n.to_bytes(4, "little")).digest()[:size]
        h = fnv1(data)
        if h in seen and seen[h] != data:
            return seen[h], data
        seen[h] = data
        n += 1


ZERO_HASH = bytes.fromhex("01476c10f3")


def phases():
    return [poll("i1", "uint8_t"), poll("i2p1", "uint16_t", 2, 1), poll("i5p2", "uint32_t", 5, 2),
            poll("i5p7", "uint16_t", 5, 7), poll("i3", "uint64_t", 3), poll("fast", "uint8_t")]


def vectors():
    """(name, what it is, run, offset of a bad event record or None)."""
    def v(name, notes, run, bad=None):
        return name, notes, run, bad

    yield v("phases", "i5p2 and i5p7 fire together; fast was asked for below the tick", encode(phases(), 23))
    yield v("phases_cut", "the same, LOCK there, the last tick torn",
            truncated(encode(phases(), 23, close=False), "polled.dlf", -3))
    yield v("phase_huge", "phases far beyond the interval, intervals that are never due",
            encode([poll("a", "uint8_t", 7, 2**40 + 3), poll("never", "uint32_t", 2**62, 1), poll("b", "uint16_t", 4, 9)], 30))
    yield v("interval0_phases", "interval 0 between others", encode(
        [poll("two", "uint16_t", 2, 1), poll("zero", "uint8_t", 0), poll("three", "uint32_t", 3, 2)], 11))
    yield v("divided", "interval and phase as dlflib divides them", encode(
        [poll("a", "uint8_t").schedule(350000, 170000, 100000), poll("b", "uint16_t").schedule(10, 0, 100000),
         poll("c", "uint32_t").schedule(0, 500000, 100000)], 14, tick_us=100000))
    yield v("fnvzero", "bytes that hash to 0 are not logged at first, but they are after others", encode(
        [watch("blob", "!blob", lambda t: ZERO_HASH, size=5), watch("n", "uint8_t"),
         watch("late", "!late", lambda t: b"\1\2\3\4\5" if t < 2 else ZERO_HASH, size=5)], 5))
    one, other = colliding()
    yield v("collision", "a change to bytes of the same hash is not logged", encode(
        [watch("blob", "!blob", lambda t: one if t < 3 or t > 6 else other if t < 6 else b"other", size=5)], 9))
    big = lambda t: bytes([t // 100]) * 8100
    yield v("deferred", "records that find the buffer full come later, under a later tick", encode(
        [watch("big", "!big", big, "almost as large as the buffer", 8100), watch("small", "uint32_t")], 120, capacity=8192,
        drains=lambda tick, file: len(file.pushed) - file.drained >= 512))
    yield v("deferred_overtaken", "a value that was never logged, for it changed again before there was room", encode(
        [watch("big", "!big", lambda t: bytes([t]) * 60, size=60), watch("n", "uint16_t")], 20, capacity=160,
        drains=lambda tick, file: tick % 3 == 2))
    some = lambda notes: [poll("a", "uint8_t", notes=notes), poll("g", GPS, 2, 1, notes, gps, 20),
                          watch("m", MARKER, marker, notes, 2), watch("d", "double", notes=notes)]
    yield v("na_notes", "notes of firmware that had none", encode(some("N/A"), 9))
    yield v("null_notes", "no notes: an empty text", encode(some(NO_NOTES), 9))
    yield v("garbage_span", "tick_span is what lay on the stack", encode(some(""), 12, stack=0x7FFEDEADBEEF1234, close=False))
    yield v("all_ones_span", "tick_span is 2^64 - 1", encode(some(""), 12, stack=2**64 - 1, close=False))
    yield v("flushed_then_lost", "tick_span of the last flush, data behind it", encode(some(""), 20, flush_at=[7], close=False))
    yield v("no_ticks", "closed before the first tick: tick_span is whatever lay there", encode(some(""), 0, stack=0xCCCCCCCCCCCCCCCC))
    yield v("overflowed_empty", "the flusher stalled from the start: 0 bytes, and LOCK is gone", encode(
        [poll("x", "double"), watch("n", "uint8_t")], 3000, stack=99, capacity=8192, drains=lambda t, f: False))
    yield v("overflowed", "the flusher stalled: header not patched, LOCK gone", encode(
        [poll("x", "double"), poll("g", GPS, 2, 0, "", gps, 20)], 3000, stack=2**63, capacity=512, drains=lambda t, f: t == 13))
    opaque = [watch("o", "!", lambda t: bytes([t // 2, 7, 9]), size=3), watch("n", "uint8_t"),
              watch("p", "!NO_STRUCTURE", lambda t: bytes([t // 4] * 11), size=11), watch("none", "!none", lambda t: b"", size=0)]
    yield v("opaque_events", "opaque event streams, one of no bytes, between others", encode(opaque, 9))
    yield v("opaque_polled", "opaque polled streams", encode(
        [poll("o", "!x;y:z", 2, 1, source=lambda t: bytes([t] * 7), size=7), poll("n", "uint8_t"),
         poll("p", "!NO_STRUCTURE", 3, source=lambda t: bytes([255 - t] * 2), size=2)], 15))
    yield v("same_ids", "two streams of one id", encode(
        [poll("x", "uint8_t"), poll("x", "uint32_t", 2), watch("x", "uint8_t"), watch("x", "uint16_t")], 6))
    yield v("no_ids", "streams without an id", encode([poll("", "uint8_t"), poll("", "uint16_t", 2), watch("", "uint8_t")], 6))
    dotted = "outer;a.x:float:0;a.y:float:4;b.c.d:int16_t:8"
    yield v("dotted", "members with dotted names", encode(
        [poll("d", dotted, source=lambda t: struct.pack("<ffh", t / 2, -t, t * 3), size=10)], 5))
    yield v("one_word", "a word that is no type: a structure without members", encode(
        [poll("i", "int", source=lambda t: struct.pack("<i", t), size=4), poll("n", "uint8_t"),
         watch("j", "size_t", lambda t: struct.pack("<Q", t // 2), size=8)], 6))
    yield v("overlapping", "a union: members that lie over each other", encode(
        [poll("u", "word;w:uint32_t:0;lo:uint16_t:0;hi:uint16_t:2", source=lambda t: struct.pack("<I", t << 14), size=4)], 6))
    yield v("cut_names", "31 and 127 bytes, which end within a letter", encode(
        [poll("t" + "\u00e9" * 20, "uint8_t", notes="\u2713" * 60), watch("\U0001f600" * 9, "uint8_t", notes="n" + "\u00b5" * 80)], 6))
    yield v("not_utf8", "names that are no UTF-8", encode(
        [poll(b"\xff\xfe\x80", "uint8_t", notes=b"\xc3"), watch(b"a\xe2\x28\xa1", "bool")], 6))
    yield v("floats", "floats that are none", encode(
        [poll("f", "float", source=lambda t: struct.pack("<I", (0x7FC00000, 0xFF800000, 0x80000000, 0x7F800001, 1)[t % 5]), size=4),
         watch("d", "double", lambda t: struct.pack("<Q", (0, 1 << 63, 0x7FF8 << 48, 0x7FF8 << 48, 0xFFF0 << 48)[t % 5]), size=8)], 10))
    yield v("wide", "200 streams", encode(
        [poll("s%d" % k, sorted(SIZES)[k % 11], 1 + k % 7, k % 5, source=lambda t, k=k: bytes([t + k & 0x7F if sorted(SIZES)[k % 11] != "bool" else t & 1] * SIZES[sorted(SIZES)[k % 11]])) for k in range(200)] +
        [watch("e%d" % k, "uint16_t", lambda t, k=k: struct.pack("<H", t // (k + 1))) for k in range(60)], 13))
    yield v("tick_bases", "a tick of 2^32 - 1 us, an epoch behind 2038; metadata of nothing", encode(
        some(""), 4, tick_us=2**32 - 1, epoch=2**32 - 2, metadata=("meta", b"")))
    yield v("tick_truncated", "a tick of more than 32 bits, cut", encode(some(""), 4, tick_us=2**32 + 77))
    yield v("padded_meta", "metadata with padding", encode(
        some(""), 4, metadata=("m;a:uint8_t:0;b:uint64_t:8;c:bool:16", bytes(range(24)))))

    torn = encode(opaque, 5, close=False)
    start = torn.log["event"].data_start
    for n in range(1, 45):
        yield v("torn_event_%d" % n, "event.dlf without its last %d bytes" % n,
                truncated(encode(opaque, 5, close=False), "event.dlf", len(torn.files["event.dlf"]) - n))
    for k, bad in ((0, 4), (3, 0xFFFF), (7, 5)):
        run = encode(opaque, 5)
        at = run.log["event"].samples[k][2]
        data = bytearray(run.files["event.dlf"])
        data[start + at:start + at + 2] = struct.pack("<H", bad)
        run.files["event.dlf"] = bytes(data)
        yield v("bad_index_%d" % k, "record %d is of stream %d of 4" % (k, bad), run, at)


def refused():
    """(name, what it is, bytes of a polled file): no reader may take them for a file."""
    good = encode(phases(), 5).files["polled.dlf"]
    yield "big_endian", "magic 84 14", b"\x84\x14" + good[2:]
    yield "magic", "magic of another format", b"BCSV" + good[4:]
    yield "kind", "stream type 2", good[:2] + b"\2" + good[3:]
    for n in (0, 1, 2, 12, 13, 20, 30, encode(phases(), 0).log["polled"].data_start - 1):
        yield "header_%d" % n, "the first %d bytes of a header" % n, good[:n]
    yield "streams", "65535 streams, where there are 6", good[:11] + b"\xff\xff" + good[13:]


def write(directory):
    names = []
    for name, notes, run, bad in vectors():
        path = os.path.join(directory, name)
        os.makedirs(path)
        for file, data in run.files.items():
            with open(os.path.join(path, file), "wb") as f:
                f.write(data)
        with open(os.path.join(path, "expected.json"), "w", encoding="utf-8") as f:
            json.dump(expected(name, notes, run, bad), f, indent=1)
        names.append(name)
    return names


if __name__ == "__main__":
    print("%d vectors" % len(write(sys.argv[1])))
