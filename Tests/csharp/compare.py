#!/usr/bin/env python3
"""What the C# package read, beside what the command and pybcsv read.

    compare.py jobs LIST FOLDER           writes the jobs of Dump.cs for all vectors
    compare.py vectors LIST TOOL          compares their dumps with `ticklog cat`
    compare.py random FOLDER TOOL         compares the files of RandomTables.cs with what they must hold, by pybcsv, the
                                          command and, if it is there, pyarrow
"""
import concurrent.futures
import glob
import json
import os
import struct
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VECTORS = os.path.join(ROOT, "Tests", "Vectors")
BOOL, F32, F64, STRING = 0, 9, 10, 11


def jobs(list_path, folder):
    lines = []

    def job(path, *options):
        lines.append("\t".join([os.path.join(folder, f"{len(lines)}.dump"), path, *options]))

    for path in sorted(glob.glob(VECTORS + "/bcsv/*.bcsv")):
        job(path)
        if "_bad_" in path:
            job(path, "salvage=1")
        if "logger" in path:
            job(path, "first=10", "count=25", "batch=7")
            job(path, "columns=state|t_ms")
    for run in sorted(glob.glob(VECTORS + "/dlf/*/")):
        job(run)
        job(run, "events=1")
        for name in ("polled.dlf", "event.dlf", "meta.dlf"):
            job(run + name)
        job(run, "from=3", "to=7")
    for path in sorted(glob.glob(VECTORS + "/rnog/**/*.dat*", recursive=True) + glob.glob(VECTORS + "/stream/*.bin")
                       + glob.glob(VECTORS + "/bms/*.log")):
        if not path.endswith(".json"):
            job(path)
            job(path, "salvage=1")
    job(VECTORS + "/missing")
    job(VECTORS)
    with open(list_path, "w") as out:
        out.write("\n".join(lines) + "\n")


def dump(path):
    """columns, rows and the last line of a dump."""
    with open(path, encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    columns = found.pop(0)["columns"] if "columns" in found[0] else []
    return columns, found[:-1], found[-1]


def cell(kind, value):
    """A value of a dump, in a form that compares: NaNs alike, strings as bytes."""
    if value is None:
        return None
    if kind == F32:
        number = struct.unpack("<f", struct.pack("<I", value))[0]
        return "nan" if number != number else value
    if kind == F64:
        number = struct.unpack("<d", struct.pack("<Q", value))[0]
        return "nan" if number != number else value
    return bytes.fromhex(value) if kind == STRING else value


def other(kind, value):
    """A value that the command or another reader tells, in the same form."""
    if value is None:
        return None
    if kind in (F32, F64):
        number = float(value)
        if number != number:
            return "nan"
        return struct.unpack("<I", struct.pack("<f", number))[0] if kind == F32 else struct.unpack("<Q", struct.pack("<d", number))[0]
    return value.encode("utf-8", "surrogatepass") if kind == STRING else value


def cat(tool, path, options):
    words = [tool, "cat", "--format", "jsonl", path]
    first = count = None
    for option in options:
        key, _, value = option.partition("=")
        if key == "salvage":
            words.append("--salvage")
        elif key == "events":
            words.append("--events")
        elif key == "columns":
            words += ["--columns", value.replace("|", ",")]
        elif key == "first":
            first = int(value)
        elif key == "count":
            count = int(value)
    if first is not None:
        words += ["--rows", f"{first}:{first + count}"]
    return subprocess.run(words, capture_output=True, timeout=120)


def compare_job(tool, line):
    out, path, *options = line.split("\t")
    columns, rows, last = dump(out)
    result = cat(tool, path, options)
    what = " ".join([path] + options)
    lines = result.stdout.decode("utf-8", "replace").splitlines()
    expected = [json.loads(text, object_pairs_hook=lambda pairs: pairs) for text in lines]
    keys = dict(option.split("=") for option in options)
    if "from" in keys and "error" not in last:
        expected = [row for row in expected if int(keys["from"]) <= row[0][1] < int(keys["to"])]
    # With salvage the command tells by its exit code that something was left out; to C# that is no error.
    if result.returncode == 0 or result.returncode == 1 and "salvage" in keys and "end" in last:
        assert "end" in last, f"{what}: the command reads it, C# says {last}"
        assert len(expected) == len(rows), f"{what}: found {len(rows)} rows, expected {len(expected)}"
    else:
        if "from" in keys and "error" in last:
            return "error", 0
        assert "error" in last, f"{what}: the command says {result.stderr.decode()}, C# read {len(rows)} rows"
        assert len(expected) == len(rows), f"{what}: found {len(rows)} rows before the error, expected {len(expected)}"
        status = {1: ("Damaged", "WrongFormat", "TooLarge"), 2: ("BadArgument", "NotFound", "Unsupported"),
                  3: ("NotFound", "Io", "Denied")}[result.returncode]
        assert last["status"] in status, f"{what}: found {last}, expected one of {status}, {result.stderr.decode()}"
        text = result.stderr.decode("utf-8", "replace")
        if last["offset"] is not None:
            assert f"offset {last['offset']}" in text, f"{what}: found {last['error']}, expected {text}"
        else:
            assert "offset" not in text or last["status"] != "Damaged", f"{what}: found {last['error']}, expected {text}"
    for number, (row, wanted) in enumerate(zip(rows, expected)):
        names = [name for name, _ in wanted]
        assert names == [column[0] for column in columns], f"{what}: found the columns {columns}, expected {names}"
        for (name, kind, _), value, (_, want) in zip(columns, row, wanted):
            found, want = cell(kind, value), other(kind, want)
            if kind == STRING and found is not None and found != want:
                # The command's JSON has U+FFFD where bytes are no UTF-8.
                found, want = found.decode("utf-8", "replace"), want.decode()
            assert found == want, f"{what}: row {number}, {name}: found {found!r}, expected {want!r}"
    return ("error" if "error" in last else "rows"), len(rows)


def vectors(list_path, tool):
    with open(list_path) as lines:
        work = lines.read().splitlines()
    counts, failures = {"error": 0, "rows": 0}, []
    total = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for line, future in [(line, pool.submit(compare_job, tool, line)) for line in work]:
            try:
                kind, rows = future.result()
                counts[kind] += 1
                total += rows
            except AssertionError as failure:
                failures.append(str(failure))
    for failure in failures[:20]:
        print(failure[:600])
    assert not failures, f"{len(failures)} of {len(work)} differ"
    assert counts["error"] > 20 and counts["rows"] > 200 and total > 10000, (counts, total)
    print(f"{len(work)} readings of the vectors: {counts['rows']} tables with {total} rows, {counts['error']} errors, as the command's")


def random_tables(folder, tool):
    import pickle

    expected = {}
    for path in sorted(glob.glob(folder + "/*.expected")):
        expected[path[: -len(".expected")]] = dump(path)
    files = sorted(glob.glob(folder + "/*.bcsv"))
    assert len(files) == 3 * len(expected) > 0
    # pybcsv does not open its own older files, of version 1.3: these the command reads below.
    files = [path for path in files if open(path, "rb").read(6)[4:] != b"\x01\x03"]
    # pybcsv in a process of its own, with a time limit.
    out = os.path.join(folder, "pybcsv.pickle")
    subprocess.run([sys.executable, os.path.join(ROOT, "Tests/python/pybcsv_rows.py"), out, *files], check=True, timeout=300)
    with open(out, "rb") as pickled:
        found = pickle.load(pickled)
    rows_read = 0
    for path in files:
        columns, rows, _ = expected[path.rsplit("_", 1)[0]]
        names, types, got = found[path]
        assert names == [column[0] for column in columns], (path, names)
        assert len(got) == len(rows), f"{path}: pybcsv finds {len(got)} rows, expected {len(rows)}"
        for number, (row, wanted) in enumerate(zip(got, rows)):
            for (name, kind, _), value, want in zip(columns, row, wanted):
                value = other(kind, value)
                assert value == cell(kind, want), f"{path}: row {number}, {name}: pybcsv finds {value!r}, expected {want!r}"
        rows_read += len(got)
    for base, (columns, rows, _) in expected.items():
        for suffix in ("_rows.bcsv", "_copy.jsonl"):
            if suffix.endswith(".jsonl"):  # which is JSON Lines already
                with open(base + suffix, encoding="utf-8", newline="\n") as written:
                    lines = written.read().split("\n")[:-1]
            else:
                result = subprocess.run([tool, "cat", "--format", "jsonl", base + suffix], capture_output=True, timeout=120, check=True)
                lines = result.stdout.decode().split("\n")[:-1]
            assert len(lines) == len(rows), f"{base}{suffix}: the command finds {len(lines)} rows, expected {len(rows)}"
            for number, (line, wanted) in enumerate(zip(lines, rows)):
                for (name, kind, _), (_, value), want in zip(columns, json.loads(line, object_pairs_hook=lambda pairs: pairs), wanted):
                    found_value, want = other(kind, value), cell(kind, want)
                    assert found_value == want, f"{base}{suffix}: row {number}, {name}: found {found_value!r}, expected {want!r}"
    parquet = 0
    try:
        import pyarrow.parquet as pq
    except ImportError:
        pq = None
    if pq:
        for base, (columns, rows, _) in expected.items():
            table = pq.read_table(base + "_copy.parquet")
            assert table.num_rows == len(rows) and table.column_names == [column[0] for column in columns], base
            for place, (name, kind, _) in enumerate(columns):
                values = [other(kind, value) for value in table.column(place).to_pylist()]
                assert values == [cell(kind, row[place]) for row in rows], f"{base}_copy.parquet: {name}"
            parquet += 1
    print(f"{len(files)} random files, {rows_read} rows by pybcsv, {2 * len(expected)} by the command, {parquet} of Parquet by pyarrow")


if __name__ == "__main__":
    {"jobs": jobs, "vectors": vectors, "random": random_tables}[sys.argv[1]](*sys.argv[2:])
