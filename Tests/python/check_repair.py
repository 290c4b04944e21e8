"""`ticklog repair` of DLF runs.

    check_repair.py TICKLOG KILL.SO [SEED]

1. Under a kill at every call that changes a file, before it or with half of a write done: each file is the original or the
   repaired one, every original is there under one of its names, LOCK goes only when all else is done, and a second repair
   ends as one that nobody has killed. The same for a copy with -o.
2. Random runs, cut, spoiled and with any tick_span: every whole sample is kept, tick_span is what a walk through the ticks
   tells, the second repair has nothing to do.
"""
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

import dlf

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
VECTORS = os.path.join(ROOT, "Vectors", "dlf")
FILES = ("polled.dlf", "event.dlf", "loss.dlf")
LOSS = ("ticklog.loss;stream:uint16_t:0;reason:uint8_t:2;first_tick:uint64_t:4;last_tick:uint64_t:12;"
        "samples:uint32_t:20")


class Wrong(Exception):
    pass


def require(condition, *words):
    if not condition:
        raise Wrong(" ".join(map(str, words)))


def header(kind, span, streams):
    made = struct.pack("<HBQH", dlf.MAGIC, kind, span, len(streams))
    for type_text, name, notes, size, interval, phase in streams:
        for text in (type_text, name, notes):
            made += text.encode() + b"\0"
        made += struct.pack("<I", size)
        if kind == 0:
            made += struct.pack("<QQ", interval, phase)
    return made


def loss(span, ticks):
    made = header(1, span, [(LOSS, "ticklog.loss", "", 24, 0, 0)])
    for t in ticks:
        made += struct.pack("<HQHBxQQI", 0, t, 0, 2, t, t, 1)
    return made


def vector(name):
    folder = os.path.join(VECTORS, name)
    made = {n: open(os.path.join(folder, n), "rb").read() for n in os.listdir(folder) if n != "expected.json"}
    return made


def span(data, value):
    return data[:3] + struct.pack("<Q", value) + data[11:]


def fill(folder, files):
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for name, data in files.items():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)


def read(folder):
    return {n: open(os.path.join(folder, n), "rb").read() for n in sorted(os.listdir(folder))}


class Tool:
    def __init__(self, ticklog, kill, folder):
        self.ticklog, self.kill, self.folder = ticklog, kill, folder
        self.run = os.path.join(folder, "run")
        self.out = os.path.join(folder, "out")

    def call(self, *arguments, **more):
        done = subprocess.run([self.ticklog, *arguments], timeout=20, capture_output=True, text=True,
                              env={**os.environ, **more}, check=False)
        return done.returncode, done.stdout, done.stderr.strip()

    def repair(self, *how, **more):
        return self.call("repair", self.run, *how, "--json", **more)

    def calls(self, *how):
        counted = os.path.join(self.folder, "count")
        code, _, words = self.repair(*how, LD_PRELOAD=self.kill, KILL_COUNT=counted)
        require(code == 0, "without a kill: exit", code, words)
        with open(counted, encoding="ascii") as f:
            return int(f.read())


# 1. Kills

def kill_cases():
    structs = vector("real_structs")
    lock = {"LOCK": b"\0"}
    yield "torn, with garbage", {**structs, **lock, "polled.dlf": span(structs["polled.dlf"], 1 << 47)[:-5],
                                 "event.dlf": span(structs["event.dlf"], 1 << 47)[:-3]}
    yield "only LOCK", {**structs, **lock}
    yield "overflowed", {**structs, "polled.dlf": span(structs["polled.dlf"], 0), "event.dlf": span(structs["event.dlf"], 0)}
    yield "without event.dlf", {n: d for n, d in {**structs, **lock}.items() if n != "event.dlf"}
    yield "losses", {**structs, **lock, "polled.dlf": structs["polled.dlf"][:-7], "loss.dlf": loss(0, [3, 5])[:-9]}
    yield "loss header", {**structs, **lock, "loss.dlf": loss(0, [])[:40]}
    yield "0 bytes", {**structs, "polled.dlf": b"", "event.dlf": span(structs["event.dlf"], 0)}
    for name in ("py_trunc_header", "py_bad_event_index", "py_trunc_polled_mid_sample"):
        yield name, vector(name)
    yield "interval 0", {**vector("real_interval0"), **lock, "event.dlf": b""}
    yield "its start", {"meta.dlf": structs["meta.dlf"], **lock}


def check_in_place(tool, files):
    fill(tool.run, files)
    calls = tool.calls("--in-place")
    end = read(tool.run)
    require("LOCK" not in end, "LOCK is there")
    for name in FILES:
        if name in files and end[name] != files[name]:
            require(end.get(name + ".orig") == files[name], name, "is lost")
    for half in ({}, {"KILL_HALF": "1"}):
        for n in range(1, calls + 1):
            when = "killed at call %d of %d%s:" % (n, calls, ", half of it done" if half else "")
            fill(tool.run, files)
            code, _, words = tool.repair("--in-place", LD_PRELOAD=tool.kill, KILL_AT=str(n), **half)
            require(code == 137, when, "exit", code, words)
            now = read(tool.run)
            for name in files:
                if name == "LOCK":
                    if name not in now:
                        require(all(now.get(f) == end.get(f) for f in FILES), when, "LOCK went too early")
                    continue
                require(now.get(name) in (files[name], end[name]), when, name, "is neither the old one nor the new")
                require(files[name] in (now[name], now.get(name + ".orig")), when, name, "is lost")
            code, _, words = tool.repair("--in-place")
            require(code == 0, when, "second repair: exit", code, words)
            again = {k: v for k, v in read(tool.run).items() if not k.startswith(".ticklog-")}
            require(again == end, when, "second repair:", sorted(again), "not", sorted(end))
    return 2 * calls


def check_copy(tool, files):
    def out():
        return read(tool.out) if os.path.isdir(tool.out) else None

    def clean():
        for path in (tool.out, tool.out + ".part"):
            shutil.rmtree(path, ignore_errors=True)

    fill(tool.run, files)
    clean()
    calls = tool.calls("-o", tool.out)
    end = out()
    require(read(tool.run) == files, "the run was changed")
    require("LOCK" not in end and "meta.dlf" in end, sorted(end))
    for n in range(1, calls + 1):
        clean()
        when = "-o, killed at call %d of %d:" % (n, calls)
        code, _, words = tool.repair("-o", tool.out, LD_PRELOAD=tool.kill, KILL_AT=str(n))
        require(code == 137, when, "exit", code, words)
        require(read(tool.run) == files, when, "the run was changed")
        require(out() in (None, end), when, "a part of a copy")
        if out() is None:
            code, _, words = tool.repair("-o", tool.out)
            require(code == 0, when, "second repair: exit", code, words)
            require(out() == end and not os.path.exists(tool.out + ".part"), when, "second repair")
    clean()
    return calls


# 2. Random runs

TYPES = [("uint8_t", 1), ("uint16_t", 2), ("uint32_t", 4), ("double", 8), ("bool", 1), ("!blob", 5), ("!big", 40),
         ("s;a:uint8_t:0;b:uint32_t:4", 12)]


def random_run(rng):
    tick_count = rng.choice([1, 2, 5, 20, 60])
    def streams(count):
        made = []
        for i in range(count):
            t, size = rng.choice(TYPES)
            made.append((t, "s%d" % i, rng.choice(["", "N/A", "notes"]), size, rng.choice([0, 1, 1, 2, 3, 5, 7, 30]),
                         rng.choice([0, 0, 1, 2, 7, 40])))
        return made
    polled, events = streams(rng.choice([0, 1, 2, 3, 6])), streams(rng.choice([0, 1, 3]))
    last = tick_count - 1
    data = header(0, last, polled)
    for t in range(tick_count):
        for s in polled:
            if (t + s[5]) % max(s[4], 1) == 0:
                data += rng.randbytes(s[3])
    record = header(1, last, events)
    for t in range(tick_count):
        for i, s in enumerate(events):
            if rng.random() < 0.3:
                record += struct.pack("<HQ", i, t) + rng.randbytes(s[3])
    files = {"meta.dlf": vector("real_structs")["meta.dlf"], "polled.dlf": data, "event.dlf": record}
    if rng.random() < 0.3:
        files["loss.dlf"] = loss(last, sorted(rng.sample(range(tick_count), min(tick_count, 2))))
    if rng.random() < 0.7:
        files["LOCK"] = b"\0"
    return files, polled, events


def spoil(rng, files):
    for name in FILES:
        data = files.get(name)
        if data is None:
            continue
        if rng.random() < 0.5:
            data = span(data, rng.choice([0, 1, 3, rng.randrange(80), rng.getrandbits(64), 2**64 - 1]))
        if rng.random() < 0.6:
            start = dlf.Log(data, 0 if name == "polled.dlf" else 1).data_start
            data = data[:rng.randrange(start, len(data) + 1)]
        files[name] = data


def agrees(log, value):
    """Whether the data are those of a run up to and with tick `value`, by a walk; the last tick may lack samples."""
    if not log.streams:
        return True
    ticks = [t for _, t, _ in log.samples]
    if not ticks:
        return value == 0 or (value < 500 and not any(s.due(t) for s in log.streams for t in range(value + 1)))
    last = max(ticks)
    if value == last:
        return True
    missing = sum(s.due(last) for s in log.streams) > ticks.count(last)
    return last < value < 500 and not missing and not any(s.due(t) for s in log.streams for t in range(last + 1, value + 1))


def last_tick(log):
    return max([t for _, t, _ in log.samples], default=0)


def is_unwritable(logs):
    """Whether a run without LOCK may be one of TickLog on storage that can only append: that has a loss.dlf."""
    return "loss.dlf" in logs and all(log.tick_span == 0 for log in logs.values())


def polled_span(logs):
    """The tick_span of a repaired polled file that has streams: what is stored stays if the polled data agree with it. A
    value that events and losses allow as well comes first; the last of their ticks may be one."""
    polled = logs["polled.dlf"]
    told = max(last_tick(log) for name, log in logs.items() if name != "polled.dlf")
    values = [logs[n].tick_span for n in FILES if n in logs] + [last_tick(polled), told]
    for value in values:
        if value >= told and agrees(polled, value):
            return value
    return polled.tick_span if agrees(polled, polled.tick_span) else last_tick(polled)


def check_random(tool, rng, number):
    files, polled, events = random_run(rng)
    closed = dict(files)
    closed.pop("LOCK", None)
    fill(tool.run, closed)
    code, words, _ = tool.call("validate", "--json", tool.run)
    found = json.loads(words)
    require(code == 0 and found["closed"] and found["sound"], "the closed run:", words)
    code, words, _ = tool.repair("--in-place")
    require(code == 0 and not json.loads(words)["repaired"] and read(tool.run) == closed, "the closed run is repaired:", words)

    spoil(rng, files)
    logs = {n: dlf.Log(files[n], 0 if n == "polled.dlf" else 1) for n in FILES if n in files}
    fill(tool.run, files)
    valid, words, _ = tool.call("validate", "--json", tool.run)
    found = json.loads(words)
    torn = any(log.tail for log in logs.values())
    require(valid == 1 if torn else True, "torn, and validate says", words)
    require(not torn or any(d["torn"] and d["offset"] for d in found["damage"]), words)
    if "LOCK" in files:
        require(valid == (1 if torn else 0) and not found["closed"], "with LOCK:", words)
    elif is_unwritable(logs):
        require(valid == (1 if torn else 0), "append-only storage:", words)
    elif not agrees(logs["polled.dlf"], logs["polled.dlf"].tick_span):
        require(valid == 1, "no LOCK, another tick_span:", words)
    for f in found["files"]:
        log = logs[os.path.basename(f["path"])]
        require(f["samples"] == len(log.samples) and f["tail_bytes"] == log.tail and f["data_offset"] == log.data_start, words)

    code, words, errors = tool.repair("--in-place")
    require(code == 0, "exit", code, errors)
    report = json.loads(words)
    now = read(tool.run)
    if "LOCK" not in files and is_unwritable(logs) and not torn:
        require(not report["repaired"] and now == files, "append-only storage, and it is repaired:", words)
        return
    require("LOCK" not in now, "LOCK stays")
    after = {n: dlf.Log(now[n], 0 if n == "polled.dlf" else 1) for n in logs}
    for f in report["files"]:
        name = os.path.basename(f["path"])
        require(f["samples"] == len(logs[name].samples) and f["bytes_cut"] == logs[name].tail, words)
        require(f["tick_span_before"] == logs[name].tick_span and f["tick_span"] == after[name].tick_span, words)
        require(f["repaired"] == (now[name] != files[name]), name, words)
    for name, log in logs.items():
        require(after[name].samples == log.samples and after[name].tail == 0, name, "samples")
        require(now[name][log.data_start:] == files[name][log.data_start:len(files[name]) - log.tail], name, "bytes")
        if name == "polled.dlf":
            require(agrees(after[name], after[name].tick_span), name, "tick_span", after[name].tick_span)
            if log.streams:
                may_be = {polled_span(logs)}
                # Of a closed run: files may differ if the data of each agree.
                if "LOCK" not in files and agrees(log, log.tick_span):
                    may_be.add(log.tick_span)
                require(after[name].tick_span in may_be, name, "tick_span", after[name].tick_span, "not", *may_be)
        else:
            require(after[name].tick_span >= last_tick(log), name, "tick_span", after[name].tick_span, "below", last_tick(log))
    most = max([last_tick(l) for l in logs.values()] + [after["polled.dlf"].tick_span])
    if logs["polled.dlf"].streams and "LOCK" in files:
        for name in logs:
            require(after[name].tick_span <= most or agrees(after["polled.dlf"], after[name].tick_span), name, "tick_span",
                    after[name].tick_span, "which nothing confirms")
    code, words, _ = tool.repair("--in-place")
    require(code == 0 and not json.loads(words)["repaired"] and read(tool.run) == now, "the second repair:", words)
    code, words, _ = tool.call("validate", "--json", tool.run)
    require(code == 0 and json.loads(words)["closed"], "after the repair:", words)


def main():
    ticklog, kill = map(os.path.abspath, sys.argv[1:3])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
    failures = kills = cases = 0
    # In memory if it can be: each repair waits for the medium many times.
    folder = tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    tool = Tool(ticklog, kill, folder)
    try:
        for name, files in kill_cases():
            cases += 1
            try:
                kills += check_in_place(tool, files) + check_copy(tool, files)
            except (Wrong, subprocess.TimeoutExpired) as error:
                failures += 1
                print("%s: %s" % (name, error))
        print("%d runs, %d kills: %d failures" % (cases, kills, failures))
        runs = 250
        for i in range(runs):
            try:
                check_random(tool, random.Random(seed * 1000 + i), i)
            except (Wrong, dlf.Damage, subprocess.TimeoutExpired) as error:
                failures += 1
                print("seed %d, run %d: %s" % (seed, i, error))
        print("seed %d, %d random runs: %d failures in all" % (seed, runs, failures))
    finally:
        shutil.rmtree(folder)
    sys.exit(1 if failures or kills < 200 else 0)


if __name__ == "__main__":
    main()
