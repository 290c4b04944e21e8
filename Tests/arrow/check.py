"""Files opened by ticklog_arrow_open against `ticklog cat`, and written by ticklog_arrow_write against pybcsv.

    check.py TICKLOG WORK vectors FILE...   the same rows and the same error as the command
    check.py TICKLOG WORK tables [SEED [N]] N random tables in both directions
    check.py TICKLOG WORK choices RUN FILE  columns, rows, ticks, streams, sizes of batches
    check.py TICKLOG WORK frames            pandas, polars and duckdb take streams and give them
    check.py TICKLOG WORK errors            what is refused, and what a hostile stream gets
    check.py TICKLOG WORK shrink            a file that is cut while it is read
"""
import ctypes
import gc
import json
import math
import os
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pybcsv

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import capi  # noqa: E402
from capi import Error  # noqa: E402

TOOL, WORK = sys.argv[1], tempfile.mkdtemp(dir=sys.argv[2])
TYPES = [pa.bool_(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(), pa.int8(), pa.int16(), pa.int32(), pa.int64(),
         pa.float32(), pa.float64(), pa.string()]
BCSV_NAMES = "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FLOAT DOUBLE STRING".split()


def cat(path, *options):
    """Rows as the command's JSON Lines have them, its exit code, and its first complaint."""
    done = subprocess.run([TOOL, "cat", path, "--format", "jsonl", *options], capture_output=True, timeout=120)
    return done


def plain(t):
    return t.value_type if pa.types.is_dictionary(t) else t


def as_json(t, v):
    """A value as `ticklog cat --format jsonl` has it."""
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, bytes):
        return v.decode("utf-8", "replace")
    if isinstance(v, float):
        if v != v:
            return "nan"
        if math.isinf(v):
            return "inf" if v > 0 else "-inf"
        return struct.unpack("<f", struct.pack("<f", v))[0] if t == pa.float32() else v
    return v


def from_json(t, v):
    if isinstance(v, str) and pa.types.is_floating(t):
        v = float(v)
        return "nan" if v != v else "inf" if v > 0 else "-inf"
    if v is None and pa.types.is_floating(t):
        return None
    if isinstance(v, (int, float)) and not isinstance(v, bool) and pa.types.is_floating(t):
        return struct.unpack("<f", struct.pack("<f", v))[0] if t == pa.float32() else float(v)
    return v


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    return type(a) is type(b) and a == b


def compare(path, cat_options=(), flags=0, **more):
    """The same rows as the command prints, the same end, or the same refusal."""
    done = cat(path, *cat_options)
    complaint = done.stderr.decode()
    try:
        schema, found, error = capi.batches(path, flags, **more)
    except Error as refused:
        assert done.returncode == 1 or not done.stdout, (path, refused.text, complaint)
        # The command names itself before.
        # Of what neither knows, cat and convert name other formats.
        assert refused.text in complaint or "expected BCSV, DLF, CSV or JSON Lines" in refused.text, (path, refused.text, complaint)
        return 0
    if error and "no UTF-8" in error:
        schema, found, error = capi.batches(path, flags | capi.BINARY, **more)
    lines = done.stdout.splitlines()
    count = sum(b.num_rows for b in found)
    assert count == len(lines), (path, count, len(lines), error, complaint)
    names = [f.name for f in schema]
    types = [plain(f.type) for f in schema]
    i = 0
    for batch in found:
        columns = [c.to_pylist() for c in batch.columns]
        for r in range(batch.num_rows):
            row = list(json.loads(lines[i]).values())
            for k, t in enumerate(types):
                a, b = as_json(t, columns[k][r]), from_json(t, row[k])
                assert same(a, b), (path, "row", i, names[k], a, b)
            i += 1
    if flags & capi.SALVAGE and not error:
        return count
    assert (error is not None) == (done.returncode == 1), (path, error, done.returncode, complaint)
    if error:
        said = [line.split(": ", 1)[1] for line in complaint.splitlines() if not line.startswith("ticklog: note")]
        assert any(s in error for s in said), (path, error, complaint)
    return count


def vectors(paths):
    rows = 0
    for path in paths:
        rows += compare(path)
        compare(path, ("--salvage",), capi.SALVAGE) if path.endswith(".bcsv") else None
        if os.path.isdir(path):
            compare(path, ("--events",), capi.EVENTS)
        compare(path, (), 0, batch_rows=7)
        compare(path, (), capi.NO_DICTIONARY)
    gc.collect()
    assert pa.total_allocated_bytes() == 0
    print(f"{len(paths)} files, {rows} rows")


def random_column(t, n, dice):
    few = dice.random() < 0.4

    def one():
        if pa.types.is_boolean(t):
            return dice.random() < 0.5
        if pa.types.is_string(t):
            size = dice.choice([0, 1, 3, 8, 20, 20, 300])
            return "".join(dice.choice("abcxyz é€😀\"',\n") for _ in range(size))
        if pa.types.is_floating(t):
            v = dice.choice([0.0, -0.0, 1.5, math.nan, math.inf, dice.gauss(0, 1), dice.gauss(0, 1e30)])
            return struct.unpack("<f", struct.pack("<f", v))[0] if t == pa.float32() else v
        bits = t.bit_width
        low = -(1 << bits - 1) if pa.types.is_signed_integer(t) else 0
        high = (1 << bits - 1) - 1 if pa.types.is_signed_integer(t) else (1 << bits) - 1
        return dice.choice([low, high, dice.randint(low, high), dice.randint(max(low, -3), min(high, 9))])

    if few:
        pool = [one() for _ in range(3)]
        return [dice.choice(pool) for _ in range(n)]
    return [one() for _ in range(n)]


def pybcsv_write(path, names, types, columns):
    layout = pybcsv.Layout()
    for name, t in zip(names, types):
        layout.add_column(name, getattr(pybcsv, BCSV_NAMES[TYPES.index(t)]))
    writer = pybcsv.Writer(layout)
    writer.open(path, True)
    for row in zip(*columns):
        writer.write_row(list(row))
    writer.close()


def pybcsv_read(path):
    source = pybcsv.Reader()
    source.open(path)
    rows = source.read_all()
    source.close()
    return rows


def same_value(t, a, b):
    if pa.types.is_floating(t):
        if a != a or b != b:
            return a != a and b != b
        return struct.pack("<d", a) == struct.pack("<d", b)
    return a == b


def same_columns(types, a, b, *what):
    for k, t in enumerate(types):
        assert len(a[k]) == len(b[k]), (*what, k, len(a[k]), len(b[k]))
        for i, (x, y) in enumerate(zip(a[k], b[k])):
            assert same_value(t, x, y), (*what, "column", k, t, "row", i, x, y)


def tables(seed=None, number=200):
    seed = int(seed) if seed else random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    for index in range(int(number)):
        types = [dice.choice(TYPES) for _ in range(dice.choice([1, 2, 5, 12, 40]))]
        n = dice.choice([0, 1, 2, 63, 64, 65, 200, 1000])
        names = [f"c{k}" for k in range(len(types))]
        columns = [random_column(t, n, dice) for t in types]
        what = (seed, index)
        # pybcsv writes, this reads.
        path = os.path.join(WORK, "theirs.bcsv")
        pybcsv_write(path, names, types, columns)
        flags = dice.choice([0, capi.NO_DICTIONARY])
        table = capi.reader(path, flags, batch_rows=dice.choice([0, 1, 10, 64, 100])).read_all()
        table.validate(full=True)
        assert [plain(f.type) for f in table.schema] == types, what
        same_columns(types, [c.to_pylist() for c in table.columns], columns, *what, "read")
        # This writes, pybcsv reads: as it was read, sliced, chunked, of large strings or dictionaries.
        skip = dice.randint(0, min(n, 5))
        data = table.slice(skip)
        cast = []
        for f in data.schema:
            t = f.type
            if plain(t) == pa.string() and dice.random() < 0.5:
                t = dice.choice([pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()) if n < 100 else pa.string(),
                                 pa.dictionary(pa.uint16(), pa.large_string())])
            cast.append(pa.field(f.name, t))
        data = pa.table([c.cast(plain(f.type)).cast(f.type) if pa.types.is_dictionary(c.type) and c.type != f.type and not
                         pa.types.is_dictionary(f.type) else c.cast(plain(c.type)).dictionary_encode().cast(f.type) if
                         pa.types.is_dictionary(f.type) and c.type != f.type else c.cast(f.type)
                         for c, f in zip(data.columns, cast)], schema=pa.schema(cast))
        path = os.path.join(WORK, "ours.bcsv")
        codec = dice.choice(["packet", "packet-lz4", "batch", "stream", "stream-lz4"])
        capi.write(data.to_reader(max_chunksize=dice.choice([1, 7, 1000])), path, capi.REPLACE,
                   row_codec=dice.choice(["flat", "zoh", "delta", "auto", None]), file_codec=codec)
        rows = pybcsv_read(path)
        got = [list(c) for c in zip(*rows)] if len(rows) else [[] for _ in types]
        wanted = [c[skip:] for c in columns]
        same_columns(types, got, wanted, *what, "written", codec)
        # The text formats and Parquet, read back.
        if index % 5 == 0:
            path = os.path.join(WORK, "ours.parquet")
            capi.write(data, path, capi.REPLACE)
            back = pq.read_table(path)
            same_columns(types, [c.to_pylist() for c in back.columns], wanted, *what, "parquet")
            for name in ["ours.csv", "ours.jsonl"]:
                capi.write(data, os.path.join(WORK, name), capi.REPLACE)
                # An empty file is no JSON Lines.
                if name == "ours.csv" or wanted[0]:
                    again = capi.reader(os.path.join(WORK, name), capi.NO_DICTIONARY).read_all()
                    assert again.num_rows == len(wanted[0]), what
    print(f"{number} tables")


def choices(run, path):
    """Columns, rows, ticks and streams are those of cat."""
    all_rows = capi.reader(path, capi.NO_DICTIONARY).read_all()
    n = all_rows.num_rows
    names = all_rows.schema.names
    dice = random.Random(5)
    for _ in range(30):
        first, count = dice.randint(0, n + 3), dice.choice([0, 1, 2, 50, n])
        chosen = dice.sample(names, dice.randint(1, len(names)))
        part = capi.reader(path, capi.NO_DICTIONARY, first_row=first, row_count=count, columns=chosen,
                           batch_rows=dice.choice([0, 1, 13])).read_all()
        wanted = all_rows.slice(first, count or n).select(chosen)
        assert part.to_pylist().__repr__() == wanted.to_pylist().__repr__(), (first, count, chosen)
    for options, flags, more in [
        ((), 0, {}), (("--events",), capi.EVENTS, {}),
        (("--from", "5", "--to", "60"), 0, dict(from_tick=5, to_tick=60)),
        (("--from", "5"), 0, dict(from_tick=5)),
        (("--from", "5", "--to", "60", "--events"), capi.EVENTS, dict(from_tick=5, to_tick=60)),
        (("--from", "7", "--rows", "3:9"), 0, dict(from_tick=7, first_row=3, row_count=6)),
        (("--rows", "3:9", "--events"), capi.EVENTS, dict(first_row=3, row_count=6)),
        (("--from", "3", "--to", "3"), 0, dict(from_tick=3, to_tick=3)),
    ]:
        for size in (0, 1, 5):
            compare(run, options, flags, batch_rows=size, **more)
    info = json.loads(subprocess.run([TOOL, "info", run, "--json"], capture_output=True, timeout=60).stdout)
    for stream in [s["name"] for s in info["streams"]]:
        compare(run, ("--stream", stream), 0, stream=stream)
        compare(run, ("--stream", stream, "--from", "4", "--rows", "2:5"), 0, stream=stream, from_tick=4, first_row=2, row_count=3)
    schema = capi.reader(run).schema
    assert schema.metadata[b"format"] in (b"bcsv", b"dlf") and int(schema.metadata[b"tick_ns"]) > 0, schema.metadata
    # DLF has no units.
    has_units = any(f.metadata and f.metadata.get(b"unit") for f in schema)
    assert has_units == (schema.metadata[b"format"] == b"bcsv"), "units"
    for bad in [dict(columns=["nothing"]), dict(columns=[names[0], names[0]]), dict(stream="nothing"), dict(flags=64),
                dict(flags=capi.EVENTS)]:
        try:
            capi.reader(path, **bad)
        except Error as error:
            assert error.text and error.status in (-7, -33), error
        else:
            raise AssertionError(bad)
    print("choices")


def frames():
    import duckdb
    import pandas as pd
    import polars as pl
    path = os.path.join(WORK, "frames.bcsv")
    n = 5000
    source = pa.table({
        "t": pa.array(range(n), pa.uint64()), "x": pa.array(np.sin(np.arange(n)), pa.float32()),
        "state": pa.array([["idle", "charge", "drive"][i // 40 % 3] for i in range(n)]),
        "text": pa.array([f"row {i}" for i in range(n)]), "on": pa.array([i % 7 == 0 for i in range(n)]),
        # Its different strings change from batch to batch.
        "mode": pa.array([f"m{i // 500}" for i in range(n)])})
    capi.write(source, path, capi.REPLACE)
    for flags in (0, capi.NO_DICTIONARY):
        def made():
            return capi.reader(path, flags, batch_rows=1000)
        assert made().schema.field("state").type == (pa.string() if flags else pa.dictionary(pa.int32(), pa.string()))
        assert made().schema.field("text").type == pa.string()
        table = made().read_all()
        assert [plain(t) for t in table.schema.types] == source.schema.types
        for name in source.column_names:
            assert table[name].to_pylist() == source[name].to_pylist(), name
        frame = made().read_pandas()
        assert list(frame["mode"].astype(str)) == source["mode"].to_pylist()
        assert list(frame["t"]) == list(range(n))
        frame = pl.from_arrow(made())
        assert frame["mode"].cast(pl.String).to_list() == source["mode"].to_pylist(), "polars"
        assert frame["x"].to_list() == source["x"].to_pylist()
        rows = made()
        found = duckdb.sql("select mode::varchar, count(*), sum(t) from rows group by 1 order by 1").fetchall()
        assert found == [(f"m{k}", 500, sum(range(500 * k, 500 * k + 500))) for k in range(10)], found
    # What they give.
    out = os.path.join(WORK, "given.bcsv")
    capi.write(pa.table(pl.DataFrame({"a": [1, 2, 3], "s": ["x", "y", "x"]}, schema_overrides={"a": pl.Int16}).to_arrow(
        compat_level=pl.CompatLevel.oldest())), out, capi.REPLACE)
    assert capi.reader(out).read_all().to_pydict() == {"a": [1, 2, 3], "s": ["x", "y", "x"]}
    day = pd.DataFrame({"when": pd.to_datetime(["2026-01-02", "2026-01-03"]), "v": [1.5, None], "c": pd.Categorical(["a", "b"])})
    capi.write(pa.Table.from_pandas(day, preserve_index=False), out, capi.REPLACE)
    back = capi.reader(out).read_all()
    assert back.schema.field("when").type == pa.int64() and math.isnan(back["v"][1].as_py()), back
    capi.write(duckdb.sql("select range::int a, 'v' || range b from range(4)").arrow().read_all()
               if hasattr(duckdb.sql("select 1").arrow(), "read_all") else
               duckdb.sql("select range::int a, 'v' || range b from range(4)").arrow(), out, capi.REPLACE)
    assert capi.reader(out).read_all().to_pydict() == {"a": [0, 1, 2, 3], "b": ["v0", "v1", "v2", "v3"]}
    print("frames")


def errors():
    out = os.path.join(WORK, "e.bcsv")
    one = pa.table({"a": pa.array([1, None, 3], pa.int32()), "f": pa.array([1.0, None, 3.0])})

    def refused(status, part, data, path=out, **more):
        before = os.listdir(WORK)
        try:
            capi.write(data, path, **more)
        except Error as error:
            assert error.status == status and part in error.text, (error, status, part)
        else:
            raise AssertionError((status, part))
        assert os.listdir(WORK) == before, "a part is left"

    refused(-7, "row 1, column 'a'", one)
    refused(-7, "row 1, column 'a'", one, os.path.join(WORK, "e.parquet"))
    capi.write(one, os.path.join(WORK, "e.csv"), capi.REPLACE)
    assert open(os.path.join(WORK, "e.csv")).read() == "a,f\n1,1.0\n,\n3,3.0\n", open(os.path.join(WORK, "e.csv")).read()
    capi.write(one, os.path.join(WORK, "e.jsonl"), capi.REPLACE)
    assert open(os.path.join(WORK, "e.jsonl")).read().splitlines()[1] == '{"a":null,"f":null}'
    capi.write(one.select(["f"]), out, capi.REPLACE)
    assert math.isnan(capi.reader(out).read_all()["f"][1].as_py())
    refused(-32, "", one.select(["f"]))
    refused(-10, "two columns", pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), os.path.join(WORK, "n.jsonl"))
    refused(-11, "float16", pa.table({"h": pa.array([np.float16(1)], pa.float16())}), os.path.join(WORK, "n.bcsv"))
    refused(-11, "string view", pa.table({"h": pa.array(["x"], pa.string_view())}), os.path.join(WORK, "n.bcsv"))
    refused(-11, "nested", pa.table({"h": pa.array([[1]])}), os.path.join(WORK, "n.bcsv"))
    refused(-11, "decimal", pa.table({"h": pa.array([1]).cast(pa.decimal128(30, 2))}), os.path.join(WORK, "n.bcsv"))
    refused(-42, "65535", pa.table({"h": ["x" * 70000]}), os.path.join(WORK, "n.bcsv"))
    refused(-7, ".bcsv", one, os.path.join(WORK, "n.xyz"))
    refused(-7, "row_codec", one, os.path.join(WORK, "n.bcsv"), row_codec="best")
    refused(-7, "level", one, os.path.join(WORK, "n.bcsv"), level=10)
    refused(-33, "", one.select(["f"]), os.path.join(WORK, "nowhere", "n.bcsv"))
    refused(-16, "columns", pa.table({}), os.path.join(WORK, "n.bcsv"))
    refused(-41, "UTF-8", pa.table({"b": pa.array([b"\xff"])}), os.path.join(WORK, "n.jsonl"))

    def broken():
        yield pa.record_batch({"a": pa.array([1], pa.int32())})
        raise ValueError("the source is gone")
    refused(-30, "the source is gone", pa.RecordBatchReader.from_batches(pa.schema({"a": pa.int32()}), broken()),
            os.path.join(WORK, "n.bcsv"))
    hostile(refused)
    print("errors")


def hostile(refused):
    """One field after the other of a good batch's structures is made wrong."""
    get_next = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(capi.Array))
    text = pa.record_batch({"n": pa.array([1, 2, 3], pa.int32()), "s": pa.array(["a", "bc", "d"]),
                            "d": pa.array(["a", "b", "a"]).dictionary_encode(), "b": pa.array([True, False, None])})
    cases = 0

    def attempt(change, batch=text):
        nonlocal cases
        source = pa.RecordBatchReader.from_batches(batch.schema, [batch])
        stream = capi.Stream()
        source._export_to_c(ctypes.addressof(stream))
        inner = get_next(stream.get_next)
        undo = []

        def changed(me, array):
            code = inner(me, array)
            if code == 0 and array.contents.release:
                undo.append(change(array.contents))
            return code
        mine = get_next(changed)
        stream.get_next = ctypes.cast(mine, ctypes.c_void_p)
        refused(-41, "found", stream, os.path.join(WORK, "n.bcsv"))
        cases += 1

    def setter(where, name, value):
        def change(array):
            setattr(where(array), name, value)
        return change
    root = lambda a: a  # noqa: E731
    for name, value in [("length", -1), ("offset", -1), ("n_buffers", 0), ("n_buffers", 2), ("n_children", 3), ("length", 4),
                        ("length", 1 << 62), ("offset", 1 << 62), ("offset", 1)]:
        attempt(setter(root, name, value))
    for k in range(4):
        child = lambda a, k=k: a.children[k].contents  # noqa: E731
        for name, value in [("length", -1), ("length", 2), ("offset", -1), ("offset", 1 << 62), ("n_buffers", 1), ("n_buffers", 9),
                            ("null_count", 4), ("null_count", -2)]:
            attempt(setter(child, name, value))
        attempt(lambda a, k=k: a.children[k].contents.buffers.__setitem__(1, None))
    attempt(lambda a: a.children[1].contents.buffers.__setitem__(2, None))
    attempt(lambda a: ctypes.cast(a.children[1].contents.buffers[1], ctypes.POINTER(ctypes.c_int32)).__setitem__(1, 100))
    attempt(lambda a: ctypes.cast(a.children[1].contents.buffers[1], ctypes.POINTER(ctypes.c_int32)).__setitem__(0, -5))
    for bad in (2, -1, 1 << 30):
        attempt(lambda a, bad=bad: ctypes.cast(a.children[2].contents.buffers[1], ctypes.POINTER(ctypes.c_int32)).__setitem__(1, bad))
    attempt(lambda a: setattr(a.children[2].contents.dictionary.contents, "length", 1))
    attempt(lambda a: setattr(a.children[2].contents.dictionary.contents, "length", -1))
    print(cases, "hostile batches")


def shrink():
    """The file is cut between two batches: an error, and the process lives."""
    path = os.path.join(WORK, "shrink.bcsv")
    n = 400000
    source = pa.table({"t": pa.array(range(n), pa.uint64()), "x": pa.array(np.random.default_rng(1).random(n))})
    for codec, row in [("batch", "delta"), ("packet", "flat"), ("packet", "zoh"), ("stream", "flat"), ("packet-lz4", "zoh")]:
        capi.write(source, path, capi.REPLACE, row_codec=row, file_codec=codec, packet_bytes=65536)
        rows = capi.reader(path, batch_rows=1000)
        rows.read_next_batch()
        os.truncate(path, os.path.getsize(path) // 3)
        try:
            for _ in rows:
                pass
        except OSError as error:
            assert "shorter" in str(error), error
        else:
            raise AssertionError(codec)
    path = os.path.join(WORK, "shrink.csv")
    capi.write(source.slice(0, 200000), path, capi.REPLACE)
    rows = capi.reader(path, batch_rows=1000)
    rows.read_next_batch()
    os.truncate(path, 5000)
    try:
        for _ in rows:
            pass
    except OSError as error:
        assert "shorter" in str(error), error
    else:
        raise AssertionError("csv")
    # A fault that is none of ours still ends the process.
    capi.write(source, path, capi.REPLACE, format="bcsv", file_codec="packet")
    done = subprocess.run([sys.executable, "-c", """
import mmap, os, sys
sys.path.insert(0, sys.argv[1])
import capi
list(capi.reader(sys.argv[2]))
f = open(sys.argv[2], "r+b")
m = mmap.mmap(f.fileno(), 0)
os.truncate(sys.argv[2], 0)
m[4096]
""", os.path.dirname(os.path.abspath(__file__)), path], capture_output=True, timeout=60,
                          env=dict(os.environ, SWIFT_BACKTRACE="enable=no"))
    assert done.returncode == -signal.SIGBUS, done
    print("shrink")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    command, words = sys.argv[3], sys.argv[4:]
    if command == "vectors":
        vectors(words)
    elif command == "tables":
        tables(*words)
    elif command == "choices":
        choices(*words)
    else:
        {"frames": frames, "errors": errors, "shrink": shrink}[command]()
