"""BCSV files to Arrow and to pandas: ticklog_arrow_open against pybcsv, on the same file, in turn; median of nine.

    TICKLOG_SO=build/linux-x86_64/libticklog.so arrow.py [ROWS]

Prints rows a second, how many times pybcsv's that is, and the most memory of a process that reads the file once.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "Tests", "arrow"))
ROUNDS = 9


def mixed(np, pa, n):
    """33 columns of every type, as a logger has them: counters, slow states, noise."""
    dice = np.random.default_rng(1)
    integers = [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.int8(), pa.int16(), pa.int32(), pa.int64()]
    columns = {"tick": pa.array(np.arange(n, dtype=np.uint64))}
    for i in range(16):
        columns[f"i{i}"] = pa.array(dice.integers(0, 100, n // 8 + 1).repeat(8)[:n]).cast(integers[i % 8])
    for i in range(6):
        columns[f"f{i}"] = pa.array(np.cumsum(dice.normal(size=n)).astype(np.float32))
        columns[f"d{i}"] = pa.array(np.round(np.cumsum(dice.normal(size=n)), 3))
    for i in range(2):
        columns[f"b{i}"] = pa.array(dice.integers(0, 50, n) == 0)
        columns[f"s{i}"] = pa.array(np.array(["idle", "precharge", "drive", "charge"])[(np.arange(n) // (100 * (i + 1))) % 4])
    assert len(columns) == 33
    return pa.table(columns)


def wide(np, pa, n):
    dice = np.random.default_rng(2)
    return pa.table({f"c{i}": pa.array(np.cumsum(dice.normal(size=n)).astype(np.float32)) for i in range(1000)})


def readers():
    import pybcsv

    import capi
    return {
        ("arrow", "ticklog"): lambda path: capi.reader(path).read_all(),
        ("arrow", "ticklog, plain strings"): lambda path: capi.reader(path, capi.NO_DICTIONARY).read_all(),
        ("arrow", "pybcsv"): lambda path: pybcsv.read_to_arrow(path),
        ("pandas", "ticklog"): lambda path: capi.reader(path).read_all().to_pandas(split_blocks=True, self_destruct=True),
        ("pandas", "pybcsv"): lambda path: pybcsv.read_dataframe(path),
    }


def once(to, who, path):
    """In a process of its own: the memory that reading takes."""
    def peak():
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    read = readers()[to, who]
    if to == "pandas":
        import pandas  # noqa: F401
    # The most from now on.
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
    before = peak()
    read(path)
    print(f"{peak() - before:.0f}")


def main(rows):
    import numpy as np
    import pyarrow as pa

    import capi
    read = readers()
    with tempfile.TemporaryDirectory() as folder:
        for name, table in [("33 mixed columns", mixed(np, pa, rows)), ("1000 float32", wide(np, pa, max(rows // 40, 100)))]:
            path = os.path.join(folder, "x.bcsv")
            n, size = table.num_rows, table.nbytes
            start = time.perf_counter()
            capi.write(table, path, capi.REPLACE)
            seconds = time.perf_counter() - start
            del table
            print(f"{name}: {n} rows, {size >> 20} MiB as Arrow, {os.path.getsize(path) >> 20} MiB as BCSV, written with {n / seconds:,.0f} rows/s")
            times = {key: [] for key in read}
            for _ in range(ROUNDS):
                for key, function in read.items():
                    start = time.perf_counter()
                    got = function(path)
                    times[key].append(time.perf_counter() - start)
                    assert len(got) == n
                    del got
            for (to, who), own in times.items():
                median = statistics.median(own)
                base = statistics.median(times[to, "pybcsv"])
                done = subprocess.run([sys.executable, __file__, "once", to, who, path], capture_output=True, text=True, timeout=600)
                print(f"  to {to:7}{who:24}{n / median:14,.0f} rows/s {base / median:6.1f} times   {done.stdout.strip() or done.stderr[-200:]:>6} MiB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["once"]:
        once(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 400_000)
