"""TickLog beside pybcsv: every dataset with every row and file codec, written and read in turn, medians of 9.

    bench.py BENCH ROOFS [--quick] [--json FILE] [--only DATASET] [--ticklog COMMAND]

Prints tables for the README. Both sides write to and read from the same memory file system; pybcsv has its values as numpy
arrays and lists, TickLog as an array of structures, and gives them back as arrays for each column (ticklog_read_columns,
1024 rows at a time into the same arrays) and as structures (ticklog_read_rows). --quick takes a tenth of the rows, three
times.
"""
import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, "..", "..", "Tests", "differential"))

import pybcsv  # noqa: E402

import datasets  # noqa: E402
import table  # noqa: E402

KINDS = (pybcsv.BOOL, pybcsv.UINT8, pybcsv.UINT16, pybcsv.UINT32, pybcsv.UINT64, pybcsv.INT8, pybcsv.INT16, pybcsv.INT32,
         pybcsv.INT64, pybcsv.FLOAT, pybcsv.DOUBLE, pybcsv.STRING)
ROWS = {"flat": 2, "zoh": 1, "delta": 3}
# name: TickLog's code, level, pybcsv's flags
FILES = {"packet": (1, 0, 0), "packet-lz4 1": (2, 1, 0), "batch 1": (3, 1, 8), "batch 6": (3, 6, 8), "stream": (4, 0, 4)}
AIM = 3


def aim(dataset, row_codec):
    return 5 if row_codec == "zoh" and dataset.startswith("1000") else AIM


class Ours:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer or answer[0] == "error":
            raise SystemExit("bench %s: %s" % (" ".join(map(str, words)), " ".join(answer) or "no answer"))
        return [int(w) for w in answer if w.isdigit()]


def theirs_write(path, columns, names, kinds, row_codec, level, flags):
    if os.path.exists(path):
        os.unlink(path)
    start = time.perf_counter_ns()
    pybcsv.write_columns(path, columns, names, kinds, row_codec=row_codec, compression_level=level, flags=flags)
    return time.perf_counter_ns() - start


def theirs_read(path, stream, rows):
    start = time.perf_counter_ns()
    if stream:  # read_columns finds no row in a stream file
        reader = pybcsv.Reader()
        reader.open(path)
        found = reader.read_batch(rows + 1)
    else:
        found = pybcsv.read_columns(path)
    took = time.perf_counter_ns() - start
    if len(next(iter(found.values()))) != rows:
        raise SystemExit("pybcsv reads too few rows of " + path)
    return took


def measure(ours, folder, dataset, types, columns, times, roofs):
    names = ["c%d" % i for i in range(len(types))]
    stored = os.path.join(folder, "table")
    with open(stored, "wb") as f:
        f.write(table.pack([n.encode() for n in names], types, columns))
    ours("table", stored)
    rows, plain = len(columns[0]), datasets.plain_bytes(types, columns)
    given = {n: [v.decode() for v in c] if t == 11 else c for n, t, c in zip(names, types, columns)}
    kinds = [KINDS[t] for t in types]
    mine, other = os.path.join(folder, "ours.bcsv"), os.path.join(folder, "theirs.bcsv")
    ours("write", ROWS["flat"], 1, 0, mine)
    result = {"dataset": dataset, "rows": rows, "columns": len(types), "plain_bytes": plain, "cells": [],
              "roofs": json.loads(subprocess.run([roofs, mine], capture_output=True, check=True, text=True).stdout)}
    for row_codec, row_code in ROWS.items():
        for file_codec, (file_code, level, flags) in FILES.items():
            took = {"write": [], "their write": [], "columns": [], "rows": [], "their read": []}
            for i in range(times + 1):
                wrote, size = ours("write", row_code, file_code, level, mine)
                their_write = theirs_write(other, given, names, kinds, row_codec, level, pybcsv.FileFlags(flags))
                if i == 0:
                    ours("check", mine)
                    ours("check", other)
                by_columns, = ours("columns", mine)
                their_read = theirs_read(other, flags == 4, rows)
                by_rows, = ours("rows", mine)
                if i > 0:  # the first warms up
                    for key, value in zip(took, (wrote, their_write, by_columns, by_rows, their_read)):
                        took[key].append(value)
            cell = {"row_codec": row_codec, "file_codec": file_codec, "bytes": size, "their_bytes": os.path.getsize(other)}
            for key, values in took.items():
                cell[key + " rows/s"] = round(rows / statistics.median(values) * 1e9)
                cell[key + " MB/s"] = round(plain / statistics.median(values) * 1e3)
            cell["write x"] = round(cell["write rows/s"] / cell["their write rows/s"], 2)
            cell["columns x"] = round(cell["columns rows/s"] / cell["their read rows/s"], 2)
            cell["rows x"] = round(cell["rows rows/s"] / cell["their read rows/s"], 2)
            result["cells"].append(cell)
    return result


def thousands(n):
    return "%.0f" % (n / 1000) if n >= 10000 else "%.1f" % (n / 1000)


def show(result):
    print("<details><summary>%s</summary>\n" % result["dataset"])
    print("%d rows, %.1f MB of plain values. Roofs over the flat rows in MB/s: %s.\n" % (
        result["rows"], result["plain_bytes"] / 1e6, ", ".join("%s %d" % (k, v) for k, v in result["roofs"].items() if k != "sum")))
    print("| codec | write | pybcsv | × | read columns | read rows | pybcsv | × columns | × rows | KB | pybcsv |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for c in result["cells"]:
        print("| %s %s | %s (%d) | %s | %.1f | %s (%d) | %s | %s | %.1f | %.1f | %.0f | %.0f |" % (
            c["row_codec"], c["file_codec"], thousands(c["write rows/s"]), c["write MB/s"], thousands(c["their write rows/s"]),
            c["write x"], thousands(c["columns rows/s"]), c["columns MB/s"], thousands(c["rows rows/s"]),
            thousands(c["their read rows/s"]), c["columns x"], c["rows x"], c["bytes"] / 1000, c["their_bytes"] / 1000))
    print("\n</details>\n", flush=True)


def summary(results):
    """For each dataset and row codec the range over the file codecs."""
    print("| times pybcsv's rows/s, over the file codecs | row codec | written | read by columns | read by rows | file size |")
    print("|---|---|---|---|---|---|")
    for r in results:
        for row_codec in ROWS:
            cells = [c for c in r["cells"] if c["row_codec"] == row_codec]
            ranges = ["%.1f to %.1f" % (min(c[key] for c in cells), max(c[key] for c in cells))
                      for key in ("write x", "columns x", "rows x")]
            sizes = [c["bytes"] / c["their_bytes"] for c in cells]
            print("| %s | %s | %s | %.2f to %.2f |" % (r["dataset"], row_codec, " | ".join(ranges), min(sizes), max(sizes)))
    print()


def verdict(results):
    missed, larger, cells = {}, {}, 0
    for r in results:
        for c in r["cells"]:
            goal = aim(r["dataset"], c["row_codec"])
            name = "%s %s" % (c["row_codec"], c["file_codec"])
            for reached, what in ((c["write x"], "written"), (max(c["columns x"], c["rows x"]), "read")):
                cells += 1
                if reached < goal:
                    missed.setdefault("%s, %s" % (r["dataset"], what), []).append("%s %.2f" % (name, reached))
            if c["bytes"] > c["their_bytes"]:
                larger.setdefault(r["dataset"], []).append("%s by %.1f %%" % (name, 100 * c["bytes"] / c["their_bytes"] - 100))
    print("The aim is %d times pybcsv's rows/s, written and read (the faster way), and 5 times for ZoH rows of 1000 columns: "
          "%d of %d cells reach it.\n" % (AIM, cells - sum(map(len, missed.values())), cells))
    high = [r["roofs"]["LZ4-HC level 6"] for r in results]
    print("`batch 6` is LZ4-HC on both sides, which alone packs %d to %d MB/s of these rows when they are flat: no encoder around it makes that three "
          "times as fast.\n" % (min(high), max(high)))
    for name, what in missed.items():
        print("- Not reached: %s: %s." % (name, ", ".join(what)))
    for name, what in larger.items():
        print("- Larger than pybcsv's file: %s: %s." % (name, ", ".join(what)))
    if not larger:
        print("- No file is larger than pybcsv's.")


def tools(command, folder, dataset, types, columns, times):
    """The commands on the same files, in turn: `ticklog convert` beside bcsv2csv and csv2bcsv."""
    native = os.path.dirname(sys.executable)
    names = ["c%d" % i for i in range(len(types))]
    given = {n: [v.decode() for v in c] if t == 11 else c for n, t, c in zip(names, types, columns)}
    bcsv, csv = os.path.join(folder, "in.bcsv"), os.path.join(folder, "in.csv")
    theirs_write(bcsv, given, names, [KINDS[t] for t in types], "delta", 1, pybcsv.FileFlags(8))
    out = os.path.join(folder, "out")
    ways = {
        "BCSV to CSV": ([command, "convert", "--force", bcsv, out + ".csv"],
                        [os.path.join(native, "bcsv2csv"), bcsv, out + "2.csv"]),
        "CSV to BCSV": ([command, "convert", "--force", "--row-codec", "delta", "--file-codec", "batch", "--level", "1", csv, out + ".bcsv"],
                        [os.path.join(native, "csv2bcsv"), "-f", "--compression-level", "1", csv, out + "2.bcsv"]),
    }
    found = []
    for way, pair in ways.items():
        took, spent = [[], []], [[], []]
        for i in range(times + 1):
            for which, words in enumerate(pair):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                start = time.perf_counter_ns()
                done = subprocess.run(words, capture_output=True, timeout=120, check=False, text=True)
                if done.returncode != 0:
                    print("`%s` fails on %s: %s\n" % (os.path.basename(words[0]), dataset, done.stderr.strip()[-200:]))
                    return found
                if i:
                    took[which].append(time.perf_counter_ns() - start)
                    after = resource.getrusage(resource.RUSAGE_CHILDREN)
                    spent[which].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if way == "BCSV to CSV":
            shutil.copy(out + "2.csv", csv)
        rates = [len(columns[0]) / statistics.median(t) * 1e9 for t in took]
        cpu = [len(columns[0]) / statistics.median(t) for t in spent]
        found.append((dataset, way, rates, cpu))
    return found


def main():
    options = argparse.ArgumentParser()
    options.add_argument("bench")
    options.add_argument("roofs")
    options.add_argument("--quick", action="store_true")
    options.add_argument("--json")
    options.add_argument("--only")
    options.add_argument("--ticklog")
    options = options.parse_args()
    scale, times = (10, 3) if options.quick else (1, 9)
    parent = "/dev/shm" if os.path.isdir("/dev/shm") else None
    folder = tempfile.mkdtemp(dir=parent)
    results, converted = [], []
    try:
        ours = Ours(options.bench)
        for name, make in datasets.ALL.items():
            if options.only and options.only not in name:
                continue
            types, columns = make(scale)
            results.append(measure(ours, folder, name, types, columns, times, options.roofs))
            print("%s: done" % name, file=sys.stderr)
            if options.ticklog and name.startswith(("33", "30")):
                converted += tools(options.ticklog, folder, name, types, columns, times)
    finally:
        shutil.rmtree(folder)
    print("TickLog beside pybcsv %s, in turn, medians of %d; files are in %s; packets have 8 MiB.\n" % (
        pybcsv.__version__, times, "memory" if parent else "the temporary directory"))
    summary(results)
    verdict(results)
    if converted:
        print("\nThe commands, thousands of rows a second, the start of the process included:\n")
        print("| dataset | | `ticklog convert` | bcsv2csv, csv2bcsv | × | by processor time | | × |\n|---|---|---|---|---|---|---|---|")
        for dataset, way, (a, b), (c, d) in converted:
            print("| %s | %s | %s | %s | %.1f | %s | %s | %.1f |" % (
                dataset, way, thousands(a), thousands(b), a / b, thousands(c), thousands(d), c / d))
    print("\nEvery cell, thousands of rows a second (MB/s of plain values), and files in KB:\n")
    for result in results:
        show(result)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump({"pybcsv": pybcsv.__version__, "times": times, "results": results}, f, indent=1)


if __name__ == "__main__":
    main()
