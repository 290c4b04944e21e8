"""Checks the files of every case in the archive that Tests/faults/faults.c wrote.

    check_faults.py ARCHIVE

A case that was stopped without a failure holds every sample and event or declares it lost, once, and agrees with its
statistics. In any other case, power cuts among them, what is there is right, and what was flushed is there.
"""
import json
import struct
import sys

import bcsv
import dlf

RING_FULL, LATE, BUSY, STORAGE = 1, 2, 3, 4
A, B, W, E, Q = range(5)
NAMES = "abweq"


class Wrong(Exception):
    pass


def require(condition, *what):
    if not condition:
        raise Wrong(" ".join(str(w) for w in what))


def archive(path):
    with open(path, "rb") as f:
        while head := f.read(4):
            case = json.loads(f.read(struct.unpack("<I", head)[0]))
            files = {}
            for _ in range(struct.unpack("<I", f.read(4))[0]):
                name = f.read(f.read(1)[0]).decode()
                files[name] = f.read(struct.unpack("<I", f.read(4))[0])
            yield case, files


def b_due(t, flat):
    return flat or (t + 1) % 3 == 0


def b_value(t):
    return (t // 5, -t, t * 100)


ZERO = (0, 0, 0)


def check_polled(rows, flat, losses, clean, flushed, filled, complete, ticks):
    """rows: (tick, a, b); filled: lost rows are there, with the values of the row before; complete: none is missing but
    for losses."""
    lost = {s: {} for s in range(5)}
    for stream, reason, first, last, samples in losses:
        require(stream < 5 and reason in (RING_FULL, STORAGE) and first <= last < ticks and samples, "loss",
                (stream, reason, first, last, samples))
        if stream in (A, B):
            due = [t for t in range(first, last + 1) if stream == A or b_due(t, flat)]
            require(len(due) == samples, "loss", (stream, reason, first, last, samples), "of", len(due), "samples")
            for t in due:
                require(t not in lost[stream], "tick", t, "of", NAMES[stream], "is declared twice")
                lost[stream][t] = reason
    present = set()
    previous, held_a, held_tick = -1, 0, None
    for t, a, b in rows:
        require(previous < t < ticks, "row of tick", t, "behind", previous)
        previous = t
        reason = lost[A].get(t)
        last = max((d for d in range(t + 1) if b_due(d, flat)), default=None)
        if a == t * 7:
            require(reason != RING_FULL or t == 0 or a == held_a, "row of tick", t, "is declared lost")
            present.add(t)
            held_a = a
            earliest = held_tick
            if last is not None and last == t:
                require(b == b_value(t), "tick", t, "b", b)
                held_tick = t
                continue
        else:
            require(filled and (reason is not None or not clean), "tick", t, "a", a)
            require(a % 7 == 0 and a // 7 < t, "filled tick", t, "a", a)
            earliest = held_tick
        allowed = [b_value(d) for d in range(earliest or 0, t + 1) if b_due(d, flat)]
        if earliest is None:
            allowed.append(ZERO)
        require(b in allowed, "tick", t, "b", b, "none of", allowed)
        for d in range(earliest or 0, t + 1):
            if b_due(d, flat) and b == b_value(d):
                held_tick = d
    upto = ticks - 1 if complete else flushed
    for t in range(upto + 1):
        require(t in present or t in lost[A], "tick", t, "is missing, undeclared")
        if b_due(t, flat):
            require(t in present or t in lost[B], "tick", t, "of b is missing, undeclared")


def check_events(events, losses, complete, flushed, ticks_made):
    """events: (tick, stream, value)."""
    upto = ticks_made - 1 if complete else flushed
    for stream in (W, E, Q):
        mine = [(t, v) for t, s, v in events if s == stream]
        require(all(a[0] < b[0] for a, b in zip(mine, mine[1:])), "events of", NAMES[stream], "are out of order", mine)
        declared = [(r, first, last, n) for s, r, first, last, n in losses if s == stream]
        ticks = {t for t, _ in mine}
        if stream == W:
            require(all(v == t // 7 for t, v in mine), "w", mine)
            require(all(a[1] != b[1] for a, b in zip(mine, mine[1:])), "w", mine)
            held = None
            values = dict(mine)
            for t in range(upto + 1):
                if t in ticks:
                    held = values[t]
                elif held != t // 7:
                    why = [r for r, a, b, _ in declared if a <= t <= b]
                    require(why, "w at", t, "is missing, undeclared", mine, declared)
                    if STORAGE in why:  # it was logged, and lost behind the ring
                        held = t // 7
            continue
        want = [t for t in range(ticks_made) if (t % 5 == 2 if stream == E else t % 4 == 3)]
        base = 1000 if stream == E else 2000
        require(all(t in want and v == t + base for t, v in mine), NAMES[stream], mine)
        for t in want:
            if t <= upto:
                require(t in ticks or any(a <= t <= b for _, a, b, _ in declared), NAMES[stream], t, "is missing, undeclared")
        if complete:
            missing = sum(t not in ticks for t in want)
            require(sum(n for r, _, _, n in declared if r == RING_FULL) <= missing <= sum(n for _, _, _, n in declared),
                    NAMES[stream], "missing", missing, "declared", declared)


def check_sums(case, losses):
    by_reason = [0] * 5
    by_stream = [0] * 5
    for stream, reason, _, _, samples in losses:
        by_reason[reason] += samples
        by_stream[stream] += samples
    require(by_reason == case["reasons"], "declared by reason", by_reason, "statistics", case["reasons"])
    stated = [s[2] for s in case["streams"]]
    require(by_stream == stated, "declared by stream", by_stream, "statistics", stated)


WHOLE = {}


def whole(data):
    """A small table, which is always whole."""
    if data not in WHOLE:
        WHOLE[data] = bcsv.parse(data)
    return WHOLE[data]


def check_bcsv(case, files, clean):
    require(len(whole(files["meta.bcsv"]).rows) == 1 and whole(files["streams.bcsv"]).rows, "meta and streams")
    meta = whole(files["meta.bcsv"]).dictionaries()[0]
    tables = {}
    for kind in ("polled", "event"):
        names = [kind + ".bcsv"] + [kind + ".%d.bcsv" % i for i in range(1, 20)]
        parts = [files[n] for n in names if n in files]
        require(all(n in files for n in names[:len(parts)]) and parts, "files", list(files))
        parsed = []
        for i, data in enumerate(parts):
            # Newer files of a run that failed may be cut within their header.
            try:
                bcsv.header(data)
            except bcsv.Damage:
                if clean or i == 0:
                    raise
                continue
            parsed.append(bcsv.parse(data, closed=clean))
        for f in parsed:
            require(f.header_xxh64 == meta[kind + "_header_xxh64"], kind, "header hash")
        tables[kind] = parsed
    event_file = tables["event"][0]
    names = event_file.names
    events, losses = [], []
    for f in tables["event"]:
        for row in f.rows + f.salvaged:
            v = {n: bcsv.value(t, c) for n, t, c in zip(f.names, f.types, row)}
            if v["stream"] == "ticklog.loss":
                losses.append(tuple(v["ticklog.loss." + n] for n in ("stream", "reason", "first_tick", "last_tick", "samples")))
            else:
                require(v["stream"] in NAMES, "event of", v["stream"])
                events.append((v["tick"], NAMES.index(v["stream"]), v[v["stream"]]))
    require(names[:2] == ["tick", "stream"], names)
    rows = []
    for f in tables["polled"]:
        for row in f.rows + f.salvaged:
            v = [bcsv.value(t, c) for t, c in zip(f.types, row)]
            if case["setup"] == "no-tick":
                v.insert(0, len(rows))
            rows.append((v[0], v[1], tuple(v[2:5])))
    flat = case["setup"] == "flat"
    flushed = case["flushed"]
    filled = case["setup"] == "no-tick"
    check_polled(rows, flat, losses, clean, flushed, filled, clean, case["ticks"])
    check_events(events, losses, clean, flushed, case["ticks"])
    if clean:
        check_sums(case, losses)


def check_dlf(case, files, clean):
    logs = {k: dlf.Log(files[k + ".dlf"], kind) for k, kind in (("polled", 0), ("event", 1), ("loss", 1))}
    dlf.Meta(files["meta.dlf"])
    losses = []
    for _, _, data in logs["loss"].samples:
        v = logs["loss"].streams[0].value(data)
        losses.append((v["stream"], v["reason"], v["first_tick"], v["last_tick"], v["samples"]))
    if clean:
        span = 0 if case["setup"] == "dlf-append" else case["ticks"] - 1
        for name, log in logs.items():
            cut = "limited" in case["setup"] and log.tick_span < span  # the end, which did not fit, is declared
            require(log.tick_span == span or cut, name, "tick_span", log.tick_span)
            require(log.tail == 0 and log.error is None, name, "has a torn end")
        log = logs["polled"]
        last = log.tick_span if case["setup"] != "dlf-append" else case["ticks"] - 1
        require(len(log.data) == log.offset(last + 1), "polled.dlf has", len(log.data), "bytes, to tick", last,
                "it should have", log.offset(last + 1))
    rows, b = [], ZERO
    for i, t, data in logs["polled"].samples:
        v = logs["polled"].streams[i].value(data)
        if i == 0:
            rows.append((t, v, b))
        else:
            b = tuple(v.values())
            rows[-1] = (t, rows[-1][1], b)
    if not clean and rows and (rows[-1][0] + 1) % 3 == 0 and rows[-1][2] is b and logs["polled"].samples[-1][0] == 0:
        rows.pop()  # a without its b: the file was cut in between
    require(all(log.error is None for log in logs.values()), "event records")
    events = []
    for i, t, data in logs["event"].samples:
        v = logs["event"].streams[i].value(data)
        events.append((t, NAMES.index(logs["event"].streams[i].id), v))
    check_polled(rows, False, losses, clean, case["flushed"], True, clean, case["ticks"])
    check_events(events, losses, clean, case["flushed"], case["ticks"])
    if clean:
        check_sums(case, losses)


def main(path):
    cases = wrong = 0
    for case, files in archive(path):
        cases += 1
        if case["start"] != 0:
            continue
        clean = case["stop"] == 0 and not case["cut"]
        try:
            require(("LOCK" in files) != (case["stop"] == 0), "LOCK")
            (check_dlf if "meta.dlf" in files else check_bcsv)(case, files, clean)
        except (Wrong, bcsv.Damage, dlf.Damage, KeyError, ValueError, struct.error) as error:
            wrong += 1
            if wrong <= 30:
                print("%s%s (stop %d, flushed %d): %s: %s" % (case["label"], " power cut" if case["cut"] else "",
                      case["stop"], case["flushed"], type(error).__name__, str(error)[:300]))
    print("files of faults: %d cases, %d wrong" % (cases, wrong))
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
