"""`ticklog append` under a kill at every call that changes a file.

    check_append.py TICKLOG KILL.SO [quick]

For every row and file codec, closed or not, and for every n: the process ends at its n-th call, before it or with half of a
write done. Each time every old row is read back, bits and all, and what follows is a beginning of the new rows; and the
same append made again succeeds.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile

import bcsv
import bcsv_writer

TYPES = [3, 11, 9, 0, 10, 8]
NAMES = [b"n", b"text", b"x", b"ok", b"y", b"long"]
ROWS = ("flat", "zoh", "delta")
FILES = ("packet", "packet-lz4", "batch", "stream", "stream-lz4")


def rows(first, count):
    rng = random.Random(first)
    made = []
    for i in range(first, first + count):
        if made and i % 4 == 1:
            made.append(made[-1])
        else:
            values = [i, "text %d" % (i // 3), i / 4, i % 2 == 0, -i * 0.1, rng.getrandbits(50)]
            made.append(tuple(bcsv.cell(t, v) for t, v in zip(TYPES, values)))
    return made


def file(row_codec, file_codec, made, every=20, **how):
    w = bcsv_writer.Writer(NAMES, TYPES, row_codec, file_codec, **how)
    for i, row in enumerate(made):
        if i and i % every == 0 and not file_codec.startswith("stream"):
            w.flush()
        w.row(row)
    return w


def originals(row_codec, file_codec, old):
    yield "closed", file(row_codec, file_codec, old).close()
    if file_codec.startswith("stream"):
        yield "torn", file(row_codec, file_codec, old).close()[:-3]
        return
    yield "not closed", file(row_codec, file_codec, old).close(footer=False)
    yield "torn", file(row_codec, file_codec, old).close(footer=False)[:-5]
    if row_codec != "delta" and file_codec != "batch":
        yield "1.3", file(row_codec, file_codec, old, version=(1, 3, 0)).close()


def run(command, **more):
    done = subprocess.run(command, timeout=20, capture_output=True, text=True, env={**os.environ, **more}, check=False)
    return done.returncode, done.stderr.strip()


class Case:
    def __init__(self, ticklog, kill, folder, name, data, more, old, new):
        self.ticklog, self.kill, self.folder, self.name, self.data, self.more = ticklog, kill, folder, name, data, more
        self.old, self.new = old, new
        before = bcsv.parse(data, closed=False)
        self.sure = before.rows
        self.path = os.path.join(folder, "table.bcsv")

    def append(self, **more):
        return run([self.ticklog, "append", self.path, self.more], **more)

    def restore(self):
        for name in os.listdir(self.folder):
            if name.startswith("table"):
                os.unlink(os.path.join(self.folder, name))
        with open(self.path, "wb") as f:
            f.write(self.data)

    def require(self, condition, *words):
        if not condition:
            raise AssertionError("%s: %s" % (self.name, " ".join(map(str, words))))

    def check(self, when, finished):
        """What is in the file now: all old rows, then a beginning of the new ones; maybe the new ones once more."""
        f = bcsv.parse(open(self.path, "rb").read(), closed=finished)
        found = f.rows
        self.require(found[:len(self.sure)] == self.sure, when, "old rows are lost:", len(found), "of", len(self.sure))
        kept = len(self.sure)
        while kept < len(self.old) and found[kept:kept + 1] == self.old[kept:kept + 1]:  # of a torn packet
            kept += 1
        self.require(found[kept:] == self.new[:len(found) - kept], when, "rows that nobody wrote:", len(found), "rows")
        if finished:
            self.require(len(found) == kept + len(self.new), when, len(found), "rows of", kept, "+", len(self.new))
        return found

    def every_call(self):
        counted = os.path.join(self.folder, "count")
        self.restore()
        code, words = self.append(LD_PRELOAD=self.kill, KILL_COUNT=counted)
        self.require(code == 0, "append without a kill: exit", code, words)
        self.check("without a kill", True)
        with open(counted, encoding="ascii") as f:
            calls = int(f.read())
        self.require(calls > 2, calls, "calls")
        for half in ({}, {"KILL_HALF": "1"}):
            for n in range(1, calls + 1):
                self.restore()
                when = "killed at call %d of %d%s:" % (n, calls, ", half of it done" if half else "")
                code, words = self.append(LD_PRELOAD=self.kill, KILL_AT=str(n), **half)
                self.require(code == 137, when, "exit", code, words)
                there = self.check(when, False)
                if n % 3:
                    continue
                code, words = self.append()
                self.require(code == 0, when, "appended again: exit", code, words)
                found = bcsv.parse(open(self.path, "rb").read()).rows
                self.require(found[:len(there)] == there and found[-len(self.new):] == self.new, when, "appended again:",
                             len(found), "rows of", len(there), "+", len(self.new))
        return 2 * calls


def main():
    ticklog, kill = map(os.path.abspath, sys.argv[1:3])
    quick = len(sys.argv) > 3
    old, new = rows(0, 70), rows(1000, 300 if not quick else 60)
    failures = cases = kills = 0
    folder = tempfile.mkdtemp()
    try:
        for row_codec in ROWS:
            for file_codec in FILES:
                more = os.path.join(folder, "more.bcsv")
                with open(more, "wb") as f:
                    f.write(file("zoh", "packet", new, every=1000).close())
                for kind, data in originals(row_codec, file_codec, old):
                    if quick and (ROWS.index(row_codec) + FILES.index(file_codec) + len(kind)) % 2:
                        continue
                    cases += 1
                    name = "%s %s, %s" % (row_codec, file_codec, kind)
                    try:
                        kills += Case(ticklog, kill, folder, name, data, more, old, new).every_call()
                    except AssertionError as error:
                        failures += 1
                        print(error)
                    except (bcsv.Damage, subprocess.TimeoutExpired) as error:
                        failures += 1
                        print("%s: %s" % (name, error))
    finally:
        shutil.rmtree(folder)
    print("%d files, %d kills: %d failures" % (cases, kills, failures))
    sys.exit(1 if failures or cases == 0 else 0)


if __name__ == "__main__":
    main()
