"""A run directory of BCSV files, read by pybcsv and by bcsv.py, which must agree bit by bit.

    run.py DIRECTORY...       says what is in them

pybcsv does not know 1.3 headers; such files are read by bcsv.py alone.
"""
import os
import pickle
import re
import struct
import subprocess
import sys
import tempfile

import bcsv

PYBCSV_SECONDS = 60
HERE = os.path.dirname(os.path.abspath(__file__))
META = ["run_format", "run_id", "format", "ticklog_version", "epoch_ns", "tick_ns", "polled_header_xxh64",
        "event_header_xxh64"]
STREAMS = ["stream_index", "stream", "field", "kind", "type", "unit", "notes", "interval", "phase"]


class Disagreement(Exception):
    pass


def require(condition, *what):
    if not condition:
        raise Disagreement(" ".join(str(w) for w in what))


def pybcsv_rows(paths):
    """What pybcsv says of these files: path -> (names, types, rows)."""
    if not paths:
        return {}
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run([sys.executable, os.path.join(HERE, "pybcsv_rows.py"), out.name] + paths, check=True,
                       timeout=PYBCSV_SECONDS)
        return pickle.load(out)


def same_cell(type_code, cell, v):
    if bcsv.cell(type_code, v) == cell:
        return True
    if type_code in (9, 10):  # Python's floats may quieten a NaN
        mine = bcsv.value(type_code, cell)
        return mine != mine and v != v
    return False


def agree(path, mine, theirs):
    names, types, rows = theirs
    require(list(names) == mine.names, path, "pybcsv's names", names, mine.names)
    require(list(types) == mine.types, path, "pybcsv's types", types, mine.types)
    require(len(rows) == len(mine.rows), path, "pybcsv has", len(rows), "rows, not", len(mine.rows))
    for i, (a, b) in enumerate(zip(mine.rows, rows)):
        for name, t, c, v in zip(mine.names, mine.types, a, b):
            require(same_cell(t, c, v), path, "row", i, name, c.hex(), "is", repr(v), "in pybcsv")


class Table:
    """Files that were rolled, joined: names, types, rows of raw cells."""

    def __init__(self, files):
        self.files = files
        self.names, self.types = files[0].names, files[0].types
        for f in files[1:]:
            require(f.header_bytes == files[0].header_bytes, "rolled files differ in their headers")
        self.rows = [row for f in files for row in f.rows]

    def get(self, row, name):
        i = self.names.index(name)
        return bcsv.value(self.types[i], row[i])


class Run:
    def __init__(self, directory, with_pybcsv=True, closed=True):
        self.directory = directory
        files = {}
        self.lock = False
        for name in sorted(os.listdir(directory)):
            if name == "LOCK":
                self.lock = True
                continue
            m = re.fullmatch(r"(meta|streams|polled|event|dlf)(?:\.?(\d+))?\.(bcsv|bcs)", name.lower())
            require(m, "unexpected file", name)
            files[m.group(1), int(m.group(2) or 0)] = os.path.join(directory, name)
        require(closed <= (not self.lock), directory, "LOCK is there")
        self.short = any(p.endswith(".BCS") for p in files.values())
        self.parsed = {key: bcsv.read(path, closed) for key, path in files.items()}
        if with_pybcsv:
            theirs = pybcsv_rows([files[k] for k, f in self.parsed.items() if f.version >= (1, 4, 0)])
            for key, f in self.parsed.items():
                if files[key] in theirs:
                    agree(files[key], f, theirs[files[key]])

        def table(name):
            numbers = sorted(n for k, n in files if k == name)
            require(numbers == list(range(len(numbers))) and numbers, directory, name, "files", numbers)
            return Table([self.parsed[name, n] for n in numbers])

        meta = self.parsed["meta", 0]
        require(meta.names[:len(META)] == META and len(meta.rows) == 1, "meta", meta.names)
        self.meta = meta.dictionaries()[0]
        require(all(n.startswith("user.") for n in meta.names[len(META):]), "meta", meta.names)
        require(self.meta["run_format"] == 1, "run_format", self.meta["run_format"])
        require(self.meta["format"] == "bcsv", "format", self.meta["format"])
        require(self.meta["run_id"] == os.path.basename(os.path.normpath(directory)), "run_id", self.meta["run_id"])
        streams = self.parsed["streams", 0]
        require(streams.names == STREAMS, "streams", streams.names)
        self.streams = streams.dictionaries()
        self.polled, self.event = table("polled"), table("event")
        for name, t in (("polled", self.polled), ("event", self.event)):
            for f in t.files:
                require(self.meta[name + "_header_xxh64"] == f.header_xxh64, name, "header hash")
        created = max(self.meta["epoch_ns"], 0) // 10**9
        for key, f in self.parsed.items():
            require(f.version in ((1, 3, 0), (1, 5, 0)), key, "stamp", f.version)
            require(f.created == (created if f.version == (1, 5, 0) else 0), key, "created", f.created)
            require(all(p.rows for p in f.packets), key, "has an empty packet")
            require(f.unneeded_rows == 0, key, "stores rows that repeat the one before")
        columns = [n for n in self.polled.names if n != "tick"] + self.event.names[2:]
        described = [s["stream"] + ("." + s["field"] if s["field"] else "") for s in self.streams]
        require(columns == described, "streams.bcsv describes", described, "the files have", columns)
        types = [t for n, t in zip(self.polled.names, self.polled.types) if n != "tick"] + self.event.types[2:]
        self.has_ticks = self.polled.names[:1] == ["tick"]
        require(self.event.names[:2] == ["tick", "stream"], "event columns", self.event.names[:2])
        self.index = {s["stream"]: s["stream_index"] for s in self.streams}
        self.column_types = dict(zip(columns, types))
        self._read_events()

    def _read_events(self):
        """events: (tick, stream name, {field: value}); losses: (stream, reason, first, last, samples)."""
        self.events, self.losses = [], []
        newest = {}
        prefixes = {}
        for i, name in enumerate(self.event.names[2:], 2):
            stream = self.streams[len(self.streams) - len(self.event.names) + i]
            prefixes.setdefault(stream["stream"], []).append((i, stream["field"]))
        for row, held in zip(self.event.rows, [None] + self.event.rows):
            tick, name = bcsv.value(4, row[0]), bcsv.value(11, row[1])
            require(name in prefixes, "event of an unknown stream", name)
            mine = {i for i, _ in prefixes[name]}
            event = {field: bcsv.value(self.event.types[i], row[i]) for i, field in prefixes[name]}
            for i in range(2, len(row)):
                if held is not None and i not in mine:
                    require(row[i] == held[i], "event row", tick, name, "changes", self.event.names[i])
            require(tick >= newest.get(name, 0), name, "at", tick, "behind", newest.get(name))
            newest[name] = tick
            if name == "ticklog.loss":
                require(event["first_tick"] <= event["last_tick"] <= tick, "loss", event, "declared at", tick)
                self.losses.append(tuple(event[f] for f in ("stream", "reason", "first_tick", "last_tick", "samples")))
            else:
                self.events.append((tick, name, event))


def main(arguments):
    for directory in arguments:
        run = Run(directory)
        print("%s: %s, %d ticks ns, %d streams columns, %d rows in %d files, %d events, %d losses of %d samples" % (
            directory, run.meta["ticklog_version"], run.meta["tick_ns"], len(run.streams), len(run.polled.rows),
            len(run.polled.files), len(run.events), len(run.losses), sum(l[4] for l in run.losses)))


if __name__ == "__main__":
    main(sys.argv[1:])
