"""Random tables, beside pybcsv, in both directions: what it writes we read, and what we write it reads."""

import math
import random
import unittest

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

import ticklog
from support import SEED, InFolder, have

TABLES = 200
KINDS = ("bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "string")


def random_column(r, kind, rows):
    still = r.random() < 0.3
    if kind == "bool":
        values = [r.random() < 0.5 for _ in range(rows)]
    elif kind == "string":
        words = ["", "a", "bc", "é", "日本", "x" * r.randrange(300), "\n,\""]
        values = [r.choice(words) for _ in range(rows)]
    elif kind[0] == "f":
        special = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e-40, 1.5]
        values = [r.choice(special) if r.random() < 0.1 else r.uniform(-1e6, 1e6) for _ in range(rows)]
    else:
        bits = int(kind[1:])
        low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        values = [r.choice([low, high, 0]) if r.random() < 0.1 else r.randint(low, high) for _ in range(rows)]
    if still and values:
        values = [values[0]] * rows
    return values if kind == "string" else np.array(values, {"bool": "?", "u": "uint", "i": "int", "f": "float"}.get(kind) or {"u": "uint", "i": "int", "f": "float"}[kind[0]] + kind[1:])


def random_table(r):
    rows = r.choice([0, 1, 2, 7, 100, 1000, 5000])
    kinds = [r.choice(KINDS) for _ in range(r.randrange(1, 14))]
    return {f"c{i}_{kind}": (kind, random_column(r, kind, rows)) for i, kind in enumerate(kinds)}


def bits(array):
    return array.tobytes() if array.dtype.kind in "fiub" else array.tolist()


@unittest.skipUnless(have("pybcsv"), "needs pybcsv")
class Random(InFolder):
    def equal(self, ours, table, what):
        self.assertEqual(list(ours), list(table), what)
        for name, (kind, values) in table.items():
            if kind == "string":
                self.assertEqual(list(ours[name]), values, f"{what}: {name}")
            else:
                self.assertEqual(ours[name].dtype, values.dtype, f"{what}: {name}")
                np.testing.assert_array_equal(ours[name], values, f"{what}: {name}")

    def test_both_ways(self):
        import pybcsv

        print(f"random tables: seed {SEED}")
        r = random.Random(SEED)
        codes = {"bool": "BOOL", **{k: k.upper().replace("U", "UINT") if k[0] == "u" else k.upper().replace("I", "INT") for k in KINDS if k[0] in "ui"}, "f32": "FLOAT", "f64": "DOUBLE", "string": "STRING"}
        rows = 0
        for i in range(TABLES):
            table = random_table(r)
            what = f"seed {SEED}, table {i}"
            count = len(next(iter(table.values()))[1])
            rows += count
            # Ours, read by pybcsv.
            frame = {name: values for name, (_, values) in table.items()}
            writer = i % 4
            if count == 0:
                frame = {n: (v if k != "string" else np.array([], dtype="U1")) for (n, v), (k, _) in zip(frame.items(), table.values())}
            if writer == 1:
                frame = pd.DataFrame({n: (v if len(v) or not isinstance(v, list) else np.array([], "U1")) for n, v in frame.items()})
            elif writer == 2:
                frame = pa.table({n: pa.array(v, pa.string()) if k == "string" else v for (n, (k, v)) in table.items()})
            elif writer == 3 and count:
                frame = pl.DataFrame(frame)
            row_codec = r.choice(["auto", "flat", "zoh", "delta"])
            file_codec = r.choice(["batch", "packet", "packet-lz4", "stream", "stream-lz4", None])
            ticklog.write("ours.bcsv", frame, row_codec=row_codec, file_codec=file_codec, overwrite=True)
            self.equal(ticklog.open("ours.bcsv").to_numpy(), table, f"{what}, {row_codec} {file_codec}, ours by us")
            theirs = self.by_rows("ours.bcsv", table) if (file_codec or "").startswith("stream") else pybcsv.read_columns("ours.bcsv")
            for name, (kind, values) in table.items():
                got = theirs[name]
                if kind == "string":
                    self.assertEqual(list(got), values, f"{what}, {row_codec} {file_codec}: {name} of ours by pybcsv")
                else:
                    np.testing.assert_array_equal(np.asarray(got), values, f"{what}, {row_codec} {file_codec}: {name} of ours by pybcsv")
            # Theirs, read by us, in every way.
            types = [getattr(pybcsv, codes[kind]) for kind, _ in table.values()]
            theirs_codec = r.choice(["flat", "zoh", "delta"])
            pybcsv.write_columns("theirs.bcsv", {n: v for n, (_, v) in table.items()}, list(table), types, theirs_codec)
            opened = ticklog.open("theirs.bcsv")
            self.equal(opened.to_numpy(), table, f"{what}: theirs by us")
            if i % 5 == 0:
                self.every_way(opened, table, what)
        print(f"random tables: {TABLES} tables, {rows} rows")

    def by_rows(self, path, table):
        """Stream files, which pybcsv reads row by row alone."""
        import pybcsv

        reader = pybcsv.Reader()
        self.assertTrue(reader.open(path))
        rows = []
        while (row := reader.read_row()) is not None:
            rows.append(list(row))
        reader.close()
        columns = list(zip(*rows)) if rows else [()] * len(table)
        return {n: list(v) if k == "string" else np.array(v, values.dtype) for (n, (k, values)), v in zip(table.items(), columns)}

    def every_way(self, opened, table, what):
        frame = opened.to_pandas()
        self.equal({name: frame[name].to_numpy() if kind != "string" else frame[name].tolist() for name, (kind, _) in table.items()}, table, f"{what}: pandas")
        arrow = opened.to_arrow()
        self.equal({n: arrow[n].to_numpy() if k != "string" else arrow[n].to_pylist() for n, (k, _) in table.items()}, table, f"{what}: arrow")
        polars = opened.to_polars()
        self.equal({n: polars[n].to_numpy() if k != "string" else polars[n].to_list() for n, (k, _) in table.items()}, table, f"{what}: polars")
        count = len(opened)
        a, b = sorted((count // 3, count * 2 // 3))
        part = opened[a:b]
        self.assertEqual(len(part), b - a)
        self.equal(part.to_numpy(), {n: (k, v[a:b]) for n, (k, v) in table.items()}, f"{what}: rows {a} to {b}")
        batches = list(opened.batches(97))
        self.assertEqual(sum(map(len, batches)), count)
        merged = {n: np.concatenate([x.to_numpy()[n] for x in batches]) if batches else v for n, (k, v) in table.items()}
        self.equal({n: v if table[n][0] != "string" else list(v) for n, v in merged.items()}, table, f"{what}: batches")
        listed = opened.to_dict()
        for name, (kind, values) in table.items():
            self.assertEqual(repr(listed[name]), repr(values if kind == "string" else values.tolist()), f"{what}: lists, {name}")


if __name__ == "__main__":
    unittest.main()
