"""Random tables to and fro between pybcsv and TickLog; all values must keep their bits.

    run.py PROGRAMS [CASES [SEED]]      300 cases; the seed is random unless told, and printed

PROGRAMS is a folder with `read` and `write`, made of read.c and write.c. For each case pybcsv writes a file that `read`
reads, and `write` writes one that pybcsv, `read`, the independent reader in Tests/python and bcsvValidate read.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, "..", "python"))

import bcsv  # noqa: E402
import table  # noqa: E402
from cases import Case  # noqa: E402

BATCH = 25


class Failures:
    def __init__(self):
        self.seen = []

    def add(self, seed, what):
        case = Case(seed)
        self.seen.append(seed)
        print("case %d (%s, %s, level %d, %d columns, %d rows): %s" % (
            seed, case.row_codec, case.file_codec, case.level, len(case.types), case.rows, what), flush=True)


def tried(command, limit):
    """Runs a program with a time limit: (whether it succeeded, what it printed, its last words)."""
    try:
        done = subprocess.run(command, timeout=limit, capture_output=True, text=True, errors="replace", check=False)
    except subprocess.TimeoutExpired as late:
        return False, (late.stdout or b"").decode(), "no answer in %d s" % limit
    return done.returncode == 0, done.stdout, "exit %d: %s" % (done.returncode, done.stderr.strip()[-300:])


def reference(mode, folder, seeds, failures, limit=120):
    """Lets pybcsv write or read; a case that it fails, or does not return from, is named and left out."""
    left, good = list(seeds), []
    while left:
        ok, printed, words = tried([sys.executable, os.path.join(HERE, "reference.py"), mode, folder, *map(str, left)], limit)
        if ok:
            return good + left
        begun = len(printed.split())
        if begun == 0:
            raise SystemExit("reference.py: " + words)
        failures.add(left[begun - 1], "pybcsv, %s: %s" % (mode, words))
        good += left[:begun - 1]
        left = left[begun:]
    return good


def ours(program, what, pairs, folder, failures):
    """Lets `read` or `write` do its part; pairs: (seed, from, to)."""
    good = []
    while pairs:
        listed = os.path.join(folder, "list")
        with open(listed, "w", encoding="utf-8") as f:
            f.writelines("%s\t%s\n" % (a, b) for _, a, b in pairs)
        ok, _, words = tried([program, listed], 60 + len(pairs))
        done = next((i for i, (_, _, b) in enumerate(pairs) if not os.path.exists(b)), len(pairs))
        if ok:
            return good + pairs
        # `write` makes its file before it is through.
        if what == "write" and done > 0:
            done -= 1 if done == len(pairs) or str(pairs[done - 1][0]) in words else 0
        done = min(done, len(pairs) - 1)
        failures.add(pairs[done][0], "%s: %s" % (what, words))
        good += pairs[:done]
        pairs = pairs[done + 1:]
    return good


def compare(seed, found, failures, who):
    with open(found, "rb") as f:
        words = table.difference(Case(seed).packed(), f.read())
    if words:
        failures.add(seed, "%s: expected and found %s" % (who, words))


def batch(programs, seeds, folder, failures):
    def name(seed, ending):
        return os.path.join(folder, "%d.%s" % (seed, ending))

    os.makedirs(os.path.join(folder, "ours"))
    # pybcsv writes, TickLog reads.
    written = reference("write", folder, seeds, failures)
    pairs = [(s, name(s, "bcsv"), name(s, "read")) for s in written]
    for seed, _, found in ours(os.path.join(programs, "read"), "read", pairs, folder, failures):
        compare(seed, found, failures, "TickLog reads pybcsv's file")
    # TickLog writes, all read.
    mine = os.path.join(folder, "ours")
    for seed in seeds:
        with open(name(seed, "case"), "wb") as f:
            f.write(Case(seed).ours())
    pairs = [(s, name(s, "case"), os.path.join(mine, "%d.bcsv" % s)) for s in seeds]
    written = [s for s, _, _ in ours(os.path.join(programs, "write"), "write", pairs, folder, failures)]
    pairs = [(s, os.path.join(mine, "%d.bcsv" % s), os.path.join(mine, "%d.read" % s)) for s in written]
    for seed, _, found in ours(os.path.join(programs, "read"), "read", pairs, folder, failures):
        compare(seed, found, failures, "TickLog reads its own file")
    for seed in reference("read", mine, [s for s in written if Case(s).version == 15], failures):
        compare(seed, os.path.join(mine, "%d.table" % seed), failures, "pybcsv reads TickLog's file")
    validator = os.path.join(os.path.dirname(sys.executable), "bcsvValidate")
    for seed in written:
        case, path = Case(seed), os.path.join(mine, "%d.bcsv" % seed)
        if seed % 5 == 0 or case.version == 13:
            try:
                f = bcsv.read(path)
                if f.rows != table.cells(case.types, case.columns):
                    failures.add(seed, "the independent reader finds other rows")
            except bcsv.Damage as damage:
                failures.add(seed, "the independent reader: %s" % damage)
        if case.version == 15 and not case.file_codec.startswith("stream"):
            # The deep check goes by random access, which pybcsv has not without entries in the index.
            with open(path, "rb") as f:
                f.seek(-20, os.SEEK_END)
                deep = ["--deep"] if int.from_bytes(f.read(4), "little") > 28 else []
            ok, printed, words = tried([validator, *deep, "-i", path], 20)
            if not ok:
                failures.add(seed, "bcsvValidate: %s %s" % (printed[-300:], words))


def main():
    programs = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    first = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 9)
    print("%d cases from seed %d" % (count, first), flush=True)
    failures = Failures()
    for start in range(first, first + count, BATCH):
        folder = tempfile.mkdtemp(prefix="differential")
        try:
            batch(programs, range(start, min(start + BATCH, first + count)), folder, failures)
        finally:
            shutil.rmtree(folder)
        if len(failures.seen) > 20:
            print("and no further, after %d cases" % (start + BATCH - first))
            break
    print("%d cases, %d failures" % (count, len(failures.seen)))
    sys.exit(1 if failures.seen else 0)


if __name__ == "__main__":
    main()
