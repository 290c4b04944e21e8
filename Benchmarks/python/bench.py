"""The Python package beside pybcsv, on the same files, in turn; medians. Memory is measured in a process of its own.

    bench.py [--quick] [--only WORD] [--json FILE]      the datasets that have the word in their names
    bench.py --memory LIBRARY WAY FILE      the conversion alone, for the memory that it takes
"""
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "bcsv"))
TIMES = 9

READ = {
    "ticklog": {
        "pandas": lambda ticklog, path: ticklog.open(path).to_pandas(),
        "numpy": lambda ticklog, path: ticklog.open(path).to_numpy(),
        "Arrow": lambda ticklog, path: ticklog.open(path).to_arrow(),
        "polars": lambda ticklog, path: ticklog.open(path).to_polars(),
    },
    "pybcsv": {
        "pandas": lambda pybcsv, path: pybcsv.read_dataframe(path),
        "numpy": lambda pybcsv, path: pybcsv.read_columns(path),
        "Arrow": lambda pybcsv, path: pybcsv.read_to_arrow(path),
        "polars": lambda pybcsv, path: pybcsv.read_polars(path),
    },
}
PACKAGES = {"pandas": "pandas", "numpy": "numpy", "Arrow": "pyarrow", "polars": "polars"}


def memory(library, way, path):
    module = __import__(library)
    for package in {PACKAGES[way], "numpy", "pyarrow"}:
        __import__(package)
    small = os.path.join(os.path.dirname(path), "small.bcsv")
    kept = READ[library][way](module, small)  # what is imported and set up at the first call
    print(anonymous("self"), flush=True)
    result = READ[library][way](module, path)
    print("done", flush=True)
    del kept, result


def anonymous(process):
    """What a process has in memory, but for the pages of mapped files, which are the system's."""
    with open(f"/proc/{process}/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:"))


def peak(library, way, path):
    """The most that a conversion takes, looked at every millisecond; None if it fails."""
    child = subprocess.Popen([sys.executable, __file__, "--memory", library, way, path], stdout=subprocess.PIPE, text=True)
    try:
        told = child.stdout.readline()
        if not told:
            return None
        before = most = int(told)
        while not select.select([child.stdout], [], [], 0.001)[0]:
            most = max(most, anonymous(child.pid))
        return max(most, anonymous(child.pid)) - before if child.stdout.readline() == "done\n" else None
    finally:
        child.kill()
        child.wait()


def plain_bytes(types, columns):
    return sum(c.nbytes if hasattr(c, "nbytes") else sum(map(len, c)) + 4 * len(c) for c in columns)


def in_turn(calls, times):
    """Seconds of each call, the median of so many, one after the other."""
    took = {name: [] for name in calls}
    for _ in range(times):
        for name, call in calls.items():
            begin = time.perf_counter()
            result = call()
            took[name].append(time.perf_counter() - begin)
            del result
    return {name: statistics.median(values) for name, values in took.items()}


def started(code):
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    return time.perf_counter() - begin


def main():
    if "--memory" in sys.argv:
        return memory(*sys.argv[sys.argv.index("--memory") + 1 :])
    quick = "--quick" in sys.argv
    times = 3 if quick else TIMES
    import datasets
    import numpy
    import pybcsv

    import ticklog

    rows, wide = (20000, 1000) if quick else (400000, 10000)
    tables = {
        "33 mixed columns, time series": datasets._mixed(rows, True),
        "33 mixed columns, random": datasets._mixed(rows, False),
        "1000 float32, noisy": datasets._floats(wide, "noisy"),
        "1000 float32, 10 % changing": datasets._floats(wide, "10 %"),
    }
    if "--only" in sys.argv:
        tables = {name: table for name, table in tables.items() if sys.argv[sys.argv.index("--only") + 1] in name}
    codes = [pybcsv.BOOL, pybcsv.UINT8, pybcsv.UINT16, pybcsv.UINT32, pybcsv.UINT64, pybcsv.INT8, pybcsv.INT16, pybcsv.INT32, pybcsv.INT64, pybcsv.FLOAT, pybcsv.DOUBLE, pybcsv.STRING]
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    results = []
    with tempfile.TemporaryDirectory(dir=folder) as work:
        small = os.path.join(work, "small.bcsv")
        ticklog.write(small, {"a": [1, 2], "s": ["x", "y"]})
        path = os.path.join(work, "t.bcsv")
        print(f"The Python package beside pybcsv {pybcsv.__version__}, thousands of rows a second, in turn, medians of {times}; the files are pybcsv's own (delta rows in batches of level 6, its default; and flat rows in batches), in memory.\n")
        print("| dataset | rows | to pandas | pybcsv | × | to numpy | pybcsv | × | to Arrow | pybcsv | × | to polars | pybcsv | × |")
        print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
        for name, (types, columns) in tables.items():
            names = [f"c{i}" for i in range(len(columns))]
            data = {n: [t.decode() for t in c] if isinstance(c, list) else c for n, c in zip(names, columns)}
            count = len(columns[0])
            for row_codec in ("delta", "flat"):
                pybcsv.write_columns(path, data, names, [codes[t] for t in types], row_codec)
                cells = []
                one = {"dataset": name, "row_codec": row_codec, "rows": count, "bytes": plain_bytes(types, columns)}
                for way in PACKAGES:
                    ours, theirs = READ["ticklog"][way], READ["pybcsv"][way]
                    same(way, ours(ticklog, path), data)
                    took = in_turn({"ours": lambda: ours(ticklog, path), "theirs": lambda: theirs(pybcsv, path)}, times)
                    one[way] = took
                    cells.append(f"{count / took['ours'] / 1e3:.0f} | {count / took['theirs'] / 1e3:.0f} | {took['theirs'] / took['ours']:.1f}")
                one["memory"] = {}
                for way in PACKAGES:
                    for library in READ:
                        one["memory"][f"{library} {way}"] = peak(library, way, path)
                results.append(one)
                print(f"| {name} | {row_codec} | {' | '.join(cells)} |", flush=True)
            if name.startswith("33") or "noisy" in name:
                import pandas

                frame = pandas.DataFrame(data).head(count // 5)
                out = os.path.join(work, "w.bcsv")
                took = in_turn({
                    "ours": lambda: ticklog.write(out, frame, row_codec="delta", file_codec="batch", level=6, overwrite=True),
                    "theirs": lambda: pybcsv.write_dataframe(frame, out),
                }, times)  # fmt: skip
                results.append({"dataset": name, "write": took, "rows": len(frame)})
        print("\nPeak memory of a conversion without the pages of the mapped file, as a multiple of the columns' bytes (strings: their bytes and an offset each); pandas' own texts are offsets of 8 bytes:\n")
        print("| dataset | rows | columns, MB | pandas | pybcsv | numpy | pybcsv | Arrow | pybcsv | polars | pybcsv |")
        print("|---|---|---|---|---|---|---|---|---|---|---|")
        for one in results:
            if "memory" in one:
                cells = [f"{one['memory'][f'{library} {way}'] / one['bytes']:.2f}" if one["memory"][f"{library} {way}"] else "?" for way in PACKAGES for library in READ]
                print(f"| {one['dataset']} | {one['row_codec']} | {one['bytes'] / 1e6:.1f} | {' | '.join(cells)} |")
        print("\nFrom pandas to a file, delta rows in batches of level 6, thousands of rows a second: " + "; ".join(
            f"{one['dataset']} {one['rows'] / one['write']['ours'] / 1e3:.0f}, pybcsv {one['rows'] / one['write']['theirs'] / 1e3:.0f}" for one in results if "write" in one) + ".")
    code = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    took = {}
    for library in ("ticklog", "pybcsv"):
        took[library] = statistics.median(float(subprocess.run([sys.executable, "-c", code.format(library)], capture_output=True, text=True, check=True, timeout=60).stdout) for _ in range(times))
    begun = {what: statistics.median(started(c) for _ in range(times)) for what, c in {"nothing": "pass", "ticklog": "import ticklog"}.items()}
    print(f"\n`import ticklog`: {took['ticklog'] * 1e3:.0f} ms (`import pybcsv`: {took['pybcsv'] * 1e3:.0f} ms); a Python that starts, imports it and ends: {begun['ticklog'] * 1e3:.0f} ms, of which {begun['nothing'] * 1e3:.0f} ms are Python's.")
    ratios = {way: min(one[way]["theirs"] / one[way]["ours"] for one in results if way in one) for way in ("pandas", "Arrow")}
    print(f"\nThe aim is 3 times pybcsv's rows/s to pandas and to Arrow: the least are {ratios['pandas']:.1f} and {ratios['Arrow']:.1f}.")
    if "--json" in sys.argv:
        with open(sys.argv[sys.argv.index("--json") + 1], "w") as file:
            json.dump({"read": results, "import": took}, file, indent=1)


def same(way, result, data):
    """The numbers of the first and last row are those that were written."""
    for name in (next(iter(data)), list(data)[-1]):
        column = result[name]
        if way == "Arrow":
            got = column[-1].as_py()
        else:
            got = column.iloc[-1] if way == "pandas" else column[-1]
        if got != data[name][-1]:
            raise SystemExit(f"{way}: {name}: found {got!r}, expected {data[name][-1]!r}")


if __name__ == "__main__":
    main()
