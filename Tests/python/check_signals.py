"""Compares a run that signals.c wrote with the model of it.

    check_signals.py RUN_DIR STATS_JSON [--flat|--delta] [--packet|--batch] [--13] [--short] [--no-tick] [--rolled] [--steps N]

What must be in the files follows from the model; only which rows a full ring cost is taken from the declared losses,
which must then agree with the rows that are there, and with the statistics.
"""
import argparse
import json
import os
import re
import sys

import bcsv
import dlf
import signals_model as model
from run import Run, require

HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "include", "ticklog.h")


class Losses:
    """Declared losses: which samples of which stream and why."""

    def __init__(self, losses, steps, streams):
        self.newest, self.skipped = model.ticks(steps)
        self.last = self.newest[-1]
        self.ticks = {s: {} for s in range(streams)}  # stream -> tick -> reason
        self.events = {s: [] for s in range(streams)}  # stream -> (first, last, samples)
        self.by_reason = [0] * 5
        for stream, reason, first, last, samples in losses:
            what = (stream, reason, first, last, samples)
            require(stream < streams and 1 <= reason <= 4 and first <= last <= self.last and samples > 0, "loss", what)
            self.by_reason[reason] += samples
            if model.STREAMS[stream][1] != "poll":
                require(reason == model.RING_FULL, "loss", what)
                self.events[stream].append((first, last, samples))
                continue
            due = [t for t in range(first, last + 1) if model.due(stream, t)]
            if reason in (model.RING_FULL, model.LATE):
                require(len(due) == samples, "loss", what, "of", len(due), "due samples")
            if reason == model.BUSY:
                due = [t for t in due if model.refused(t) and t not in self.skipped]
                require(len(due) == samples, "loss", what, "of", len(due), "refused samples")
            for t in due:
                require(t not in self.ticks[stream], "loss", what, "tick", t, "is declared twice")
                self.ticks[stream][t] = reason
        for stream in range(streams):
            if model.STREAMS[stream][1] != "poll":
                continue
            declared = self.ticks[stream]
            for t in range(self.last + 1):
                if not model.due(stream, t):
                    continue
                if t in self.skipped:
                    require(declared.get(t) in (model.LATE, model.RING_FULL), "skipped tick", t, "of", stream,
                            "is declared as", declared.get(t))
                elif stream == model.GUARDED and model.refused(t):
                    require(declared.get(t) in (model.BUSY, model.RING_FULL), "refused tick", t, "is declared as",
                            declared.get(t))
                else:
                    require(declared.get(t) in (None, model.RING_FULL), "tick", t, "of", stream, "is declared as",
                            declared.get(t))
        # A full ring takes whole rows: at a lost tick, all that are due are lost.
        self.full = {t for s in self.ticks.values() for t, r in s.items() if r == model.RING_FULL}
        for t in self.full:
            for stream, declared in self.ticks.items():
                if model.STREAMS[stream][1] == "poll" and model.due(stream, t):
                    require(declared.get(t) == model.RING_FULL, "a part of row", t, "is lost")
        require(all(model.STALL_FROM <= t < model.STALL_TO + 16 for t in self.full), "lost rows", sorted(self.full))

    def count(self, stream):
        return len(self.ticks[stream]) + sum(e[2] for e in self.events[stream])


def check_events(events, losses, streams):
    """events: (tick, stream, values), in the order of the file."""
    newest = losses.newest
    for stream in range(streams):
        kind = model.STREAMS[stream][1]
        if kind == "poll":
            continue
        mine = [(t, v) for t, s, v in events if s == stream]
        lost = losses.events[stream]
        if kind == "watch":
            held = None
            missed = 0
            at = 0
            for t in newest:
                v = model.values(stream, t)
                if at < len(mine) and mine[at][0] == t:
                    require(mine[at][1] == v and v != held, "watched", t, mine[at][1], "not", v)
                    held = v
                    at += 1
                elif v != held:
                    require(any(a <= t <= b for a, b, _ in lost), "watched change at", t, "is missing, undeclared")
                    missed += 1
            require(at == len(mine), "watched event at", mine[at:][:1])
            require(bool(missed) == bool(lost), "watched losses", lost, "missed", missed)
        else:
            want = [(t, v) for t in newest for s, v in model.emitted(t) if s == stream]
            rest = list(mine)
            gone = []
            for event in want:
                if rest and rest[0] == event:
                    rest.pop(0)
                else:
                    gone.append(event[0])
            require(not rest, "events of", model.NAMES[stream], "that were not emitted", rest[:2])
            require(len(gone) == sum(e[2] for e in lost), "events of", model.NAMES[stream], "missing", gone, "declared", lost)
            for first, last, samples in lost:
                require(sum(first <= t <= last for t in gone) >= samples, "lost events", gone, "declared", lost)
            require(all(any(a <= t <= b for a, b, _ in lost) for t in gone), "lost events", gone, "declared", lost)


def check_statistics(stats, losses, events, streams, written_extra=0):
    for stream in range(streams):
        s = stats["streams"][stream]
        if model.STREAMS[stream][1] == "poll":
            offered = sum(model.due(stream, t) for t in range(losses.last + 1))
            require(s["offered"] == offered, s, "offered, of", offered)
        else:
            require(s["written"] == sum(e[1] == stream for e in events), s, "written events")
        require(s["lost"] == losses.count(stream), s, "declared", losses.count(stream))
        require(s["pending"] == 0 and s["offered"] == s["written"] + s["lost"], s)
    require(stats["lost_by_reason"] == losses.by_reason, "lost by reason", stats["lost_by_reason"], losses.by_reason)
    require(stats["ticks"] == losses.last + 1, "ticks", stats["ticks"])
    require(stats["storage_errors"] == 0 and stats["failures"] == 0, "failures")
    gap = longest = 0
    for t in range(losses.last + 1):
        gap = gap + 1 if t in losses.full else 0
        longest = max(longest, gap)
    require(stats["longest_gap"] >= longest, "longest gap", stats["longest_gap"], "is", longest)
    if losses.last > model.STALL_TO:
        require(losses.full, "the ring did not overflow")
    require(stats["ring_bytes"] <= 2048 and stats["ring_high_water"] <= stats["ring_bytes"], "ring")


def guarded_cells(t, held, losses):
    """The cells a refused sample may have: those of the last one that was sampled, or of the last that was written."""
    allowed = [held]
    for back in range(t - 1, -1, -1):
        if back not in losses.skipped and not model.refused(back):
            allowed.append(model.cells(model.GUARDED, model.values(model.GUARDED, back)))
            break
    return allowed


def check_bcsv(directory, stats, a):
    run = Run(directory)
    streams = len(model.STREAMS)
    losses = Losses(run.losses, a.steps, streams)
    require(run.short == a.short, "short names")
    require(len(run.polled.files) > 1 if a.rolled else len(run.polled.files) == 1, len(run.polled.files), "polled files")
    for key, f in run.parsed.items():
        require(f.version == ((1, 3, 0) if a.v13 else (1, 5, 0)), key, "stamp", f.version)
    polled = run.polled.files[0]
    require(polled.row_codec == ("flat" if a.flat else "delta" if a.delta else "zoh"), "row codec of polled.bcsv")
    require(polled.file_codec == ("packet" if a.packet else "batch" if a.batch else "packet-lz4"), "codec of polled.bcsv")
    event = run.event.files[0]
    require(event.zoh and event.file_codec == ("batch" if a.batch else "packet"), "codec of event.bcsv")
    require(run.meta["epoch_ns"] == model.EPOCH_NS and run.meta["tick_ns"] == model.TICK_NS, "meta", run.meta)
    for name, _, count, _, value in model.ABOUT:
        found = [run.meta["user.%s[%d]" % (name, i)] for i in range(count)] if count > 1 else run.meta["user." + name]
        require(found == value, "metadata", name, found)
    require(len(run.meta) == 8 + 5, "meta", list(run.meta))
    with open(HEADER, encoding="utf-8") as f:
        version = re.search(r'#define TICKLOG_VERSION "(.*)"', f.read()).group(1)
    require(run.meta["ticklog_version"] == version, "version", run.meta["ticklog_version"])

    # streams.bcsv
    order = [s for s in range(streams) if model.STREAMS[s][1] == "poll"]
    order += [s for s in range(streams) if model.STREAMS[s][1] != "poll"]
    want = []
    for s in order:
        name, kind, interval, phase, notes = model.STREAMS[s][:5]
        for _, type_name, field, unit in model.columns(s):
            want.append({"stream_index": s, "stream": name, "field": field, "kind": kind, "type": type_name,
                         "unit": unit, "notes": notes, "interval": interval, "phase": phase})
    own = [s for s in run.streams if s["stream"].startswith("ticklog.")]
    mine = [s for s in run.streams if not s["stream"].startswith("ticklog.")]
    for got, expected in zip(mine, want):
        require(got == expected, "streams.bcsv", got, expected)
    require(len(mine) == len(want), "streams.bcsv has", len(mine), "columns")
    want = [(streams, "ticklog.clock", "epoch_ns", "i64", "ns"), (streams, "ticklog.clock", "uncertainty_ns", "u32", "ns"),
            (streams, "ticklog.clock", "source", "u8", ""), (streams + 1, "ticklog.note", "level", "u8", ""),
            (streams + 1, "ticklog.note", "text", "string", ""), (streams + 2, "ticklog.loss", "stream", "u16", ""),
            (streams + 2, "ticklog.loss", "reason", "u8", ""), (streams + 2, "ticklog.loss", "first_tick", "u64", ""),
            (streams + 2, "ticklog.loss", "last_tick", "u64", ""), (streams + 2, "ticklog.loss", "samples", "u32", "")]
    require(own == [{"stream_index": i, "stream": n, "field": f, "kind": "builtin", "type": t, "unit": u, "notes": "",
                     "interval": 0, "phase": 0} for i, n, f, t, u in want], "own streams", own)

    # polled.bcsv
    polled_streams = [s for s in range(streams) if model.STREAMS[s][1] == "poll"]
    require(run.has_ticks != a.no_tick, "tick column")
    held = {s: [b"" if t == "string" else bytes(bcsv.SIZES[model.CODES[t]]) for _, t, _, _ in model.columns(s)]
            for s in polled_streams}
    at = 0
    rows = run.polled.rows
    for t in range(losses.last + 1):
        due = [s for s in polled_streams if model.due(s, t)]
        if not due:
            continue
        lost = t in losses.skipped or t in losses.full
        if lost and not a.no_tick:
            continue
        require(at < len(rows), "polled.bcsv ends before tick", t)
        row = list(rows[at])
        at += 1
        if run.has_ticks:
            require(bcsv.value(4, row[0]) == t, "row", at - 1, "is of tick", bcsv.value(4, row[0]), "not", t)
            row = row[1:]
        place = 0
        for s in polled_streams:
            width = len(held[s])
            got = row[place:place + width]
            place += width
            if s in due and not lost:
                if s == model.GUARDED and model.refused(t):
                    require(got in guarded_cells(t, held[s], losses), "refused value at", t, got)
                    held[s] = got
                    continue
                held[s] = model.cells(s, model.values(s, t))
            if got != held[s]:
                names = [c[0] for c in model.columns(s)]
                bad = [(n, g.hex(), w.hex()) for n, g, w in zip(names, got, held[s]) if g != w]
                require(False, "tick", t, "(column, found, expected):", bad)
    require(at == len(rows), "polled.bcsv has", len(rows) - at, "rows too many")

    # event.bcsv
    events = []
    own = []
    for t, name, fields in run.events:
        if name.startswith("ticklog."):
            own.append((name, t, list(fields.values())))
        else:
            events.append((t, model.NAMES.index(name), list(fields.values())))
    check_events(events, losses, streams)
    # Streams of the library's own keep their order each, not between each other.
    for name in ("ticklog.note", "ticklog.clock"):
        want = [(t, v) for n, t, v in model.notes(a.steps) if n == name]
        got = [(t, v) for n, t, v in own if n == name]
        require(got == want, name, got, "not", want)
    check_statistics(stats, losses, events, streams)
    records = len(run.polled.rows) + len(run.event.rows)
    require(stats["rows"] == records, "rows", stats["rows"], "in the files", records)
    packets = sum(len(f.packets) for k, f in run.parsed.items() if k[0] in ("polled", "event"))
    require(stats["packets"] == packets, "packets", stats["packets"], "in the files", packets)
    size = sum(os.path.getsize(os.path.join(directory, n)) for n in os.listdir(directory))
    require(stats["bytes"] in (size, size + 1), "bytes", stats["bytes"], "in the files", size)
    print("%d rows, %d events, %d losses, %d packets" % (len(rows), len(run.events), len(run.losses), packets))


def check_dlf(directory, stats, a):
    run = dlf.Run(directory)
    run.check()
    streams = model.TEXT
    # A loss counts the polled file's streams, then the event file's.
    order = [s for kinds in (("poll",), ("watch", "emit")) for s in range(streams) if model.STREAMS[s][1] in kinds]
    require(all(loss[0] < len(order) for loss in run.losses), "losses", run.losses)
    losses = Losses([(order[loss[0]],) + tuple(loss[1:]) for loss in run.losses], a.steps, streams)
    require(run.meta.epoch_s == model.EPOCH_NS // 10**9 and run.meta.tick_us == model.TICK_NS // 1000, "meta")
    fields = [(n, t, c, o, "") for n, t, c, o, _ in model.ABOUT]
    require(run.meta.structure == "about_t" + model.members(fields), "meta type", run.meta.structure)
    require(len(run.meta.bytes) == model.ABOUT_SIZE and run.meta.bytes[4:8] + run.meta.bytes[22:] == bytes(6), "meta bytes")
    flat = {n: v for n, _, c, _, v in model.ABOUT if c == 1}
    flat.update({"site[%d]" % i: v for i, v in enumerate(model.ABOUT[2][4])})
    require(run.meta.value == flat, "meta", run.meta.value)
    for log, kinds in ((run.polled, ("poll",)), (run.event, ("watch", "emit"))):
        indices = [s for s in range(streams) if model.STREAMS[s][1] in kinds]
        got = [(s.type_text, s.id, s.notes, s.size, s.interval, s.phase) for s in log.streams]
        want = [(model.type_string(s), model.NAMES[s], model.STREAMS[s][4], model.STREAMS[s][7]) + model.STREAMS[s][2:4]
                for s in indices]
        require(got == want, "streams", got, want)
        require(log.tick_span == losses.last, "tick_span", log.tick_span)
        log.indices = indices
    require(run.loss.tick_span == losses.last, "tick_span of loss.dlf", run.loss.tick_span)
    held = {s: bytes(model.STREAMS[s][7]) for s in run.polled.indices}
    require(len(run.polled.data) == run.polled.offset(losses.last + 1), "polled.dlf has", len(run.polled.data), "bytes")
    for i, t, data in run.polled.samples:
        s = run.polled.indices[i]
        if t in losses.skipped or t in losses.full:
            if s == model.GUARDED:
                allowed = [held[s]] + [c[0] for c in guarded_cells(t, [held[s]], losses)]
                require(data in allowed, "filled sample", t, data.hex())
            else:
                require(data == held[s], "filled sample of", model.NAMES[s], "at", t, data.hex(), "not", held[s].hex())
        elif s == model.GUARDED and model.refused(t):
            require([data] in guarded_cells(t, [held[s]], losses), "refused value at", t, data.hex())
            held[s] = data
        else:
            held[s] = model.sample(s, model.values(s, t))
            require(data == held[s], model.NAMES[s], "at", t, data.hex(), "not", held[s].hex())
    events = []
    for i, t, data in run.event.samples:
        v = run.event.streams[i].value(data)
        events.append((t, run.event.indices[i], list(v.values()) if isinstance(v, dict) else [v]))
    check_events(events, losses, streams)
    check_statistics(stats, losses, events, streams)
    print("%d samples, %d events, %d losses" % (len(run.polled.samples), len(events), len(run.losses)))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("run")
    p.add_argument("stats")
    for name in ("flat", "delta", "packet", "batch", "short", "no-tick", "rolled"):
        p.add_argument("--" + name, action="store_true")
    p.add_argument("--13", dest="v13", action="store_true")
    p.add_argument("--steps", type=int, default=600)
    a = p.parse_args()
    with open(a.stats, encoding="utf-8") as f:
        stats = json.loads(f.read().splitlines()[-1])
    names = [n.lower() for n in os.listdir(a.run)]
    (check_dlf if "meta.dlf" in names else check_bcsv)(a.run, stats, a)
    return 0


if __name__ == "__main__":
    sys.exit(main())
