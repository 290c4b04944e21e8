"""How tables are used, and what they refuse: never a crash."""

import array
import ctypes
import datetime
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import numpy as np

import ticklog
from support import LIMIT, InFolder, have, python


def table(path="t.bcsv", rows=1000, **more):
    ticklog.write(path, {"tick": np.arange(rows, dtype="u8"), "x": np.arange(rows) / 2, "s": [f"row {i}" for i in range(rows)]}, overwrite=True, **more)
    return ticklog.open(path)


class Reading(InFolder):
    def test_what_is_there(self):
        t = table()
        self.assertEqual(t.columns, ["tick", "x", "s"])
        self.assertEqual(t.types, {"tick": "u64", "x": "f64", "s": "string"})
        self.assertEqual((len(t), t.count(), t.format, t.units), (1000, 1000, "bcsv", {}))
        self.assertIn("tick: u64", repr(t))

    def test_slices(self):
        t = table()
        self.assertEqual(t[10:13].to_dict(["tick"]), {"tick": [10, 11, 12]})
        self.assertEqual(t[10:13][1:].to_dict(["tick"]), {"tick": [11, 12]})
        self.assertEqual(t[-2:].to_dict(["tick"]), {"tick": [998, 999]})
        self.assertEqual(t[5], {"tick": 5, "x": 2.5, "s": "row 5"})
        self.assertEqual(t[-1]["s"], "row 999")
        self.assertEqual(t[np.int64(3)]["tick"], 3)
        self.assertEqual(t[np.uint8(3) : np.int16(5)].to_dict(["tick"]), {"tick": [3, 4]})
        self.assertEqual(t[7:7].to_dict(), {"tick": [], "x": [], "s": []})
        self.assertEqual(len(t[7:3]), 0)
        self.assertEqual(t[5000:].count(), 0)
        self.assertEqual(len(t[990:5000]), 10)
        self.assertEqual(t.ticks(3, 6)[1:].to_dict(["tick"]), {"tick": [4, 5]})
        self.assertEqual(t.ticks(3, 9).ticks(0, 5).to_dict(["tick"]), {"tick": [3, 4]})
        self.assertEqual(t.ticks(9, 3).count(), 0)
        self.assertEqual(t["x"].tolist()[:3], [0, 0.5, 1])
        self.assertEqual(t[["s", "x"]].columns, ["s", "x"])
        self.assertEqual(t[["s"]][2:3].to_dict(), {"s": ["row 2"]})
        with self.assertRaises(IndexError):
            t[1000]
        with self.assertRaises(KeyError) as caught:
            t["y"]
        self.assertIn("found the column 'y', expected one of: tick, x, s", str(caught.exception))
        with self.assertRaises(ValueError):
            t[::2]
        with self.assertRaises(ticklog.ArgumentError):
            t[3:].ticks(1, 2)

    def test_time(self):
        logger = ticklog.Logger()
        value = np.zeros((), "f4")
        logger.poll("v", value)
        with logger.start("runs", "r", tick_ns=1_000_000, epoch_ns=1_700_000_000_000_000_000) as run:
            for _ in range(5000):
                run.tick()
        with ticklog.open("runs/r") as t:
            self.assertEqual(t.epoch, datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc))
            self.assertEqual(t.tick_ns, 1_000_000)
            part = t.time("2023-11-14T22:13:21", datetime.datetime(2023, 11, 14, 22, 13, 21, 3000, tzinfo=datetime.timezone.utc))
            self.assertEqual(part["tick"].tolist(), [1000, 1001, 1002])
            self.assertEqual(t.time(np.datetime64("2023-11-14T22:13:20.0005"), 1_700_000_000.002)["tick"].tolist(), [1])
            self.assertEqual(t.time(None, 0).count(), 0)
        with self.assertRaises(ticklog.UnsupportedError):
            table().time(0, 1)

    def test_closed(self):
        with table() as t:
            kept = t.to_numpy()
            part = t[3:5]
            rows = iter(t)
            next(rows)
            batches = t.batches(10)
            next(batches)
        calls = [
            lambda: t.columns, lambda: t.to_numpy(), lambda: t.to_dict(), lambda: len(t), lambda: list(t), lambda: t[3:], lambda: t["x"],
            lambda: part.to_dict(), lambda: next(batches), lambda: t.__arrow_c_stream__(), lambda: t.__enter__(), lambda: t.info(),
            lambda: t.count(), lambda: t.batches(5).__next__(),
        ]  # fmt: skip
        for i, call in enumerate(calls):
            with self.assertRaises(ticklog.ClosedError, msg=str(i)):
                call()
        self.assertTrue(t.closed)
        t.close()
        self.assertEqual(kept["tick"][999], 999)
        self.assertIn("closed", repr(t))

    def test_arrays_outlive_all(self):
        t = table(rows=100000)
        arrays = t.to_numpy()
        batch = next(t.batches(5000))
        part = batch["x"]
        t.close()
        del t, batch
        gc.collect()
        waste = [bytearray(200000) for _ in range(50)]
        self.assertEqual(int(arrays["tick"].sum()), 99999 * 50000)
        self.assertEqual(part.sum(), sum(range(5000)) / 2)
        arrays["x"][:] = 7
        view = arrays["x"][5:10]
        del arrays, waste
        gc.collect()
        self.assertEqual(view.tolist(), [7] * 5)

    def test_early_exit(self):
        t = table(rows=50000)
        for _ in range(100):
            for row in t:
                break
            next(iter(t.batches(7)))
            t.__arrow_c_stream__()
            t.__arrow_c_schema__()
        gc.collect()

    def test_batches(self):
        t = table(rows=1000)
        batches = list(t.batches(300))
        self.assertEqual([len(b) for b in batches], [300, 300, 300, 100])
        self.assertEqual(batches[3][99]["s"], "row 999")
        self.assertEqual(batches[1][-1]["tick"], 599)
        self.assertEqual(batches[0][5:7].to_dict(["tick"]), {"tick": [5, 6]})
        part = batches[1][5:8].to_numpy()
        self.assertEqual((part["tick"].tolist(), part["s"].tolist()), ([305, 306, 307], ["row 305", "row 306", "row 307"]))
        ticklog.write("b.bcsv", {"b": [i % 3 == 0 for i in range(100)]})
        self.assertEqual(next(ticklog.open("b.bcsv").batches(50))[5:20]["b"].tolist(), [i % 3 == 0 for i in range(5, 20)])
        with self.assertRaises(ValueError):
            t.batches(0)

    @unittest.skipUnless(have("pandas"), "needs pandas")
    def test_missing(self):
        """What no stream had yet, in every conversion."""
        logger = ticklog.Logger()
        events = [logger.event(name, kind) for name, kind in (("i", "u16"), ("f", "f64"), ("b", "bool"))]
        with logger.start("runs", "m", format="dlf") as run:
            for value, event in ((7, events[0]), (1.5, events[1]), (True, events[2]), (8, events[0])):
                run.tick()
                event.emit(value)
        t = ticklog.open("runs/m").events
        self.assertEqual(t.to_dict(["i", "f", "b"]), {"i": [7, 7, 7, 8], "f": [None, 1.5, 1.5, 1.5], "b": [None, None, True, True]})
        arrays = t.to_numpy()
        self.assertEqual(arrays["b"].tolist(), [None, None, True, True])
        frame = t.to_pandas()
        self.assertEqual([str(frame[name].dtype) for name in ("i", "f", "b")], ["uint16", "float64", "boolean"])
        self.assertEqual(frame["b"].isna().tolist(), [True, True, False, False])
        self.assertEqual(frame["f"].isna().tolist(), [True, False, False, False])
        if have("polars"):
            self.assertEqual(t.to_polars()["f"].to_list(), [None, 1.5, 1.5, 1.5])
        self.assertEqual(next(t.batches(2))["f"].tolist(), [None, 1.5])
        with self.assertRaises(ticklog.Error):
            ticklog.write("m.bcsv", t)

    def test_grown(self):
        """In many pieces, the same as in one."""
        from ticklog import table as module

        t = table(rows=30000)
        one = t.to_numpy()
        kept = module._PIECE_BYTES
        module._PIECE_BYTES = 1
        try:
            many = t.to_numpy()
            frame = t.to_pandas() if have("pandas") else None
        finally:
            module._PIECE_BYTES = kept
        for name in one:
            np.testing.assert_array_equal(one[name], many[name])
        if frame is not None:
            self.assertEqual(frame["s"].tolist(), one["s"].tolist())

    def test_threads(self):
        t = table(rows=20000)
        want = t.to_numpy()["x"].sum()
        seen, failures = [], []

        def read():
            try:
                for _ in range(5):
                    seen.append(t.to_numpy()["x"].sum() == want)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        self.assertEqual((failures, seen), ([], [True] * 40))
        # One iterator, several takers.
        batches, counts = t.batches(100), []

        def take():
            for batch in batches:
                counts.append(len(batch))

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        self.assertEqual(sum(counts), 20000)

    def test_fork(self):
        code = """
import os, sys, ticklog
t = ticklog.open("t.bcsv")
batches = t.batches(10)
first = next(batches)
logger = ticklog.Logger()
logger.poll("x", lambda: 1, type="u8")
run = logger.start("runs", "f")
child = os.fork()
if child == 0:
    try:
        ok = t.to_dict()["tick"][-1] == 999 and len(next(batches)) == 10
        try:
            run.tick()
            ok = False
        except ticklog.ClosedError:
            pass
        os._exit(0 if ok else 3)
    except BaseException as e:
        print(repr(e), file=sys.stderr)
        os._exit(4)
_, status = os.waitpid(child, 0)
assert len(list(batches)) == 99
run.tick()
run.stop()
sys.exit(os.waitstatus_to_exitcode(status))
"""
        table()
        self.assertEqual(python(code)[::2], (0, ""))

    def test_shrinks(self):
        """A file that becomes shorter under the reader."""
        table("big.bcsv", rows=400000, file_codec="packet", row_codec="flat")
        code = """
import os, sys, ticklog
t = ticklog.open("big.bcsv")
batches = t.batches(1000)
next(batches)
os.truncate("big.bcsv", 5000)
try:
    for batch in batches:
        batch.to_numpy()
except ticklog.Error as error:
    print(type(error).__name__, error)
    sys.exit(0)
sys.exit(5)
"""
        code, out, err = python(code)
        self.assertEqual(code, 0, out + err)
        self.assertIn("shorter", out)

    def test_interrupt(self):
        table("big.bcsv", rows=300000)
        code = """
import signal, sys, ticklog
t = ticklog.open("big.bcsv")
print("ready", flush=True)
try:
    while True:
        for batch in t.batches(100):
            pass
except KeyboardInterrupt:
    print("interrupted")
"""
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        try:
            self.assertEqual(child.stdout.readline(), "ready\n")
            time.sleep(0.2)
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.communicate(timeout=LIMIT)[0], "interrupted\n")
            self.assertEqual(child.returncode, 0)
        finally:
            child.kill()

    def test_strings_of_any_bytes(self):
        ticklog.write("b.bcsv", {"s": [b"\xff\x00a", b"ok", b""]})
        t = ticklog.open("b.bcsv")
        self.assertEqual(t.to_dict(), {"s": ["\udcff\x00a", "ok", ""]})
        self.assertEqual(ticklog.open("b.bcsv", binary=True).to_dict(), {"s": [b"\xff\x00a", b"ok", b""]})
        ticklog.write("c.bcsv", t.to_dict())
        self.assertEqual(ticklog.open("c.bcsv", binary=True).to_dict(), {"s": [b"\xff\x00a", b"ok", b""]})
        if have("pandas"):
            self.assertEqual(t.to_pandas()["s"].tolist(), ["\udcff\x00a", "ok", ""])
        if have("pyarrow"):
            with self.assertRaises(ticklog.DamagedError) as caught:
                t.to_arrow()
            self.assertIn("UTF-8", str(caught.exception))

    def test_same_names(self):
        from ticklog import _produce

        producer = _produce.of_columns([("a", [1, 2]), ("a", [3, 4]), ("b", [5, 6])])
        # A dict has no name twice.
        class Twice:
            def __arrow_c_stream__(self, requested_schema=None):
                from ticklog import _arrow

                stream = _arrow.allocated(_arrow.ArrowArrayStream)
                producer.export(stream)
                return _arrow.capsule(stream, b"arrow_array_stream")

        ticklog.write("d.bcsv", Twice())
        t = ticklog.open("d.bcsv")
        self.assertEqual(t.columns, ["a", "a~2", "b"])
        self.assertEqual(t.to_dict(["a~2"]), {"a~2": [3, 4]})
        self.assertEqual(t["a~2"].tolist(), [3, 4])
        self.assertEqual(t.to_dict(), {"a": [1, 2], "a~2": [3, 4], "b": [5, 6]})
        if have("pandas"):
            self.assertEqual(t.to_pandas().iloc[1].tolist(), [2, 4, 6])


class Writing(InFolder):
    def refused(self, kind, frame, *words, **options):
        with self.assertRaises(kind) as caught:
            ticklog.write("w.bcsv", frame, **options)
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.assertEqual([name for name in os.listdir(".") if name.startswith(("w.", ".ticklog"))], [])

    def test_wrong_types(self):
        for values, word in [
            ([1, "a"], "int and str"), ([object()], "object"), ([1 + 2j], "complex"), ([None, None], "None"), ([[1], [2]], "list"),
            (np.array([1 + 2j]), "complex128"), (np.array([1], "f2"), "float16"), (np.zeros((2, 2, 2)), "3 dimensions"),
            (np.array(["NaT"], "M8[ns]"), "NaT"), ([datetime.datetime(2020, 1, 1)], "datetime"), (5, "int"), ("text", "str"),
            ([2**64], str(2**64)), ([-1, 2**63], str(2**63)), (np.array([{}], object), "dict"), ([2**60 + 1, 0.5], "among floats"),
        ]:  # fmt: skip
            self.refused(ticklog.ColumnTypeError, {"c": values}, "column c", word)
        self.refused(ticklog.ColumnTypeError, 5, "found int")
        self.refused(ticklog.ColumnTypeError, [1, 2], "found list")
        self.refused(ticklog.ArgumentError, {}, "no columns")
        self.refused(ticklog.ArgumentError, {"a": [1], "b": [1, 2]}, "found 2 values, expected 1")
        self.refused(ticklog.ColumnTypeError, {("a", 1): [1]}, "named")
        self.refused(ticklog.ArgumentError, {"a\0b": [1]}, "NUL")
        self.refused(ticklog.Error, {"a": [1]}, row_codec="best")
        self.refused(ticklog.Error, {"a": [1]}, level=99)
        self.refused(ticklog.Error, {"a": [1]}, format="xls")

    def test_missing(self):
        self.refused(ticklog.Error, {"i": [1, None, 3]}, "i", "1")
        self.refused(ticklog.Error, {"b": [True, None]}, "b")
        self.refused(ticklog.Error, {"s": ["a", None]}, "s")
        self.refused(ticklog.Error, {"m": np.ma.MaskedArray([1, 2], [False, True])}, "m")
        ticklog.write("n.bcsv", {"f": [1.0, None, float("nan")]})
        self.assertEqual(repr(ticklog.open("n.bcsv").to_dict()), "{'f': [1.0, nan, nan]}")

    @unittest.skipUnless(have("pandas"), "needs pandas")
    def test_pandas(self):
        import pandas as pd

        # NaN has made floats of what was integers: floats they stay.
        frame = pd.DataFrame({"i": [1, None, 3], "j": pd.array([1, 2, 3], "Int16"), "s": ["a", "b", "ü"], "c": pd.Categorical(["x", "y", "x"]), "t": pd.date_range("2020", periods=3), "o": pd.array([True, False, True], "boolean"), 7: [1, 2, 3]})
        ticklog.write("p.bcsv", frame)
        t = ticklog.open("p.bcsv")
        self.assertEqual(t.types, {"i": "f64", "j": "i16", "s": "string", "c": "string", "t": "i64", "o": "bool", "7": "i64"})
        back = t.to_pandas()
        self.assertEqual(back["s"].tolist() + back["c"].tolist(), ["a", "b", "ü", "x", "y", "x"])
        self.refused(ticklog.Error, pd.DataFrame({"k": pd.array([1, None], "Int64")}), "k")
        self.refused(ticklog.ColumnTypeError, pd.DataFrame({"o": [1, "a"]}), "o")
        self.refused(ticklog.Error, pd.DataFrame({"s": ["a", None]}), "s")
        # Not contiguous, and of the other byte order.
        wide = pd.DataFrame(np.arange(20.0).reshape(5, 4), columns=list("abcd"))
        ticklog.write("q.bcsv", wide)
        pd.testing.assert_frame_equal(ticklog.open("q.bcsv").to_pandas(), wide)

    def test_numpy(self):
        mixed = np.zeros(4, [("a", ">i4"), ("b", "f4"), ("c", "?"), ("s", "S3"), ("u", "U3")])
        mixed["a"], mixed["s"], mixed["u"] = [1, -2, 3, -4], b"xyz", "äöü"
        ticklog.write("m.bcsv", mixed[::-1])
        back = ticklog.open("m.bcsv").to_numpy()
        self.assertEqual(back["a"].tolist(), [-4, 3, -2, 1])
        self.assertEqual((back["s"][0], back["u"][0]), ("xyz", "äöü"))
        ticklog.write("m2.bcsv", {"v": np.arange(6).reshape(3, 2), "a": array.array("H", [1, 2, 3]), "r": range(3)})
        self.assertEqual(ticklog.open("m2.bcsv").to_dict(), {"v[0]": [0, 2, 4], "v[1]": [1, 3, 5], "a": [1, 2, 3], "r": [0, 1, 2]})
        self.assertEqual(ticklog.open("m2.bcsv").types["a"], "u16")

    def test_nan_bits(self):
        bits = np.array([0x7FC00001, 0xFFC12345, 0x7F800001], "u4")
        ticklog.write("nan.bcsv", {"x": bits.view("f4")})
        self.assertEqual(ticklog.open("nan.bcsv")["x"].view("u4").tolist(), bits.tolist())

    def test_huge_strings(self):
        ticklog.write("h.bcsv", {"s": ["x" * 65535, ""]})
        self.assertEqual([len(s) for s in ticklog.open("h.bcsv").to_dict()["s"]], [65535, 0])
        self.refused(ticklog.TooLargeError, {"s": ["a", "x" * 65536]}, "65536")
        self.refused(ticklog.Error, {"s": ["x" * (1 << 26)]}, str(1 << 26))

    def test_overwrite(self):
        ticklog.write("o.bcsv", {"a": [1]})
        with self.assertRaises(FileExistsError):
            ticklog.write("o.bcsv", {"a": [2]})
        ticklog.write("o.bcsv", {"a": [3]}, overwrite=True)
        with self.assertRaises(ticklog.Error):
            ticklog.write("o.bcsv", {"a": [3, None]}, overwrite=True)
        self.assertEqual(ticklog.open("o.bcsv").to_dict(), {"a": [3]})
        with self.assertRaises(FileNotFoundError):
            ticklog.write("no/where.bcsv", {"a": [1]})
        self.assertEqual(os.listdir("."), ["o.bcsv"])

    def test_exception_of_a_column(self):
        class Bad:
            def __len__(self):
                return 3

            def __iter__(self):
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            ticklog.write("w.bcsv", {"a": Bad()})
        self.assertEqual(os.listdir("."), [])

    def test_interrupted(self):
        from ticklog import _produce

        class Frame:
            def __arrow_c_stream__(self, requested_schema=None):
                from ticklog import _arrow

                def batches():
                    yield 1, [_produce.from_list("a", [1]).piece(0, 1)]
                    raise KeyboardInterrupt

                stream = _arrow.allocated(_arrow.ArrowArrayStream)
                _produce.Producer([_produce.Field(b"a", b"l")], batches()).export(stream)
                return _arrow.capsule(stream, b"arrow_array_stream")

        with self.assertRaises(ticklog.Error):
            ticklog.write("w.bcsv", Frame())
        self.assertEqual(os.listdir("."), [])
        self.assertEqual(_produce._kept, {})

    def test_every_format(self):
        for extension in ("bcsv", "csv", "jsonl", "parquet"):
            ticklog.write(f"f.{extension}", {"a": np.arange(3, dtype="u1"), "s": ["x", "y", "z"]})
        self.assertEqual(ticklog.open("f.csv").to_dict(), {"a": [0, 1, 2], "s": ["x", "y", "z"]})
        self.assertEqual(ticklog.open("f.jsonl").to_dict(), {"a": [0, 1, 2], "s": ["x", "y", "z"]})
        if have("pyarrow"):
            import pyarrow.parquet

            self.assertEqual(pyarrow.parquet.read_table("f.parquet").to_pydict(), {"a": [0, 1, 2], "s": ["x", "y", "z"]})
        with self.assertRaises(TypeError):
            len(ticklog.open("f.csv"))
        self.assertEqual(ticklog.open("f.csv").count(), 3)
        ticklog.convert("f.csv", "g.bcsv")
        self.assertEqual(ticklog.open("g.bcsv").types, {"a": "u8", "s": "string"})

    def test_nothing_is_kept(self):
        from ticklog import _produce

        for _ in range(20):
            ticklog.write("k.bcsv", {"a": [1, 2], "s": ["a", "b"]}, overwrite=True)
            t = ticklog.open("k.bcsv")
            batch = next(t.batches(1))
            batch.__arrow_c_stream__()
            if have("pyarrow"):
                batch.to_arrow(["s"])
                t[0:0].to_arrow()
        gc.collect()
        self.assertEqual(_produce._kept, {})


class Packages(InFolder):
    @unittest.skipUnless(have("duckdb"), "needs duckdb")
    def test_duckdb(self):
        import duckdb

        t = table()
        self.assertEqual(duckdb.sql("select count(*), sum(x) from t where tick < 10").fetchall(), [(10, 22.5)])
        ticklog.write("duck.bcsv", duckdb.sql("select tick, s from t where tick between 3 and 4"))
        self.assertEqual(ticklog.open("duck.bcsv").to_dict(), {"tick": [3, 4], "s": ["row 3", "row 4"]})

    @unittest.skipUnless(have("pyarrow"), "needs pyarrow")
    def test_arrow(self):
        import pyarrow as pa

        t = table()
        self.assertEqual(pa.table(t).num_rows, 1000)
        self.assertEqual(pa.schema(t).names, ["tick", "x", "s"])
        self.assertEqual(t.to_arrow(["x"]).column_names, ["x"])
        self.assertEqual(t[5:5].to_arrow().num_rows, 0)
        self.assertEqual(t[5:5].to_arrow().schema.names, ["tick", "x", "s"])
        kept = t.to_arrow()
        t.close()
        del t
        gc.collect()
        self.assertEqual(kept["s"][999].as_py(), "row 999")
        batch = next(table().batches(10))
        self.assertEqual(batch[2:4].to_arrow(["s"]).to_pydict(), {"s": ["row 2", "row 3"]})
        self.assertEqual(str(ticklog.open("t.bcsv", dictionary=True)[["tick"]].to_arrow().schema.field("tick").type), "uint64")
        ticklog.write("d.bcsv", {"s": ["a", "b"] * 500})
        self.assertTrue(pa.types.is_dictionary(ticklog.open("d.bcsv", dictionary=True).to_arrow().schema.field("s").type))
        self.assertEqual(ticklog.open("d.bcsv", dictionary=True).to_pandas()["s"].tolist(), ["a", "b"] * 500)
        ticklog.write("e.bcsv", ticklog.open("d.bcsv", dictionary=True).to_arrow())
        self.assertEqual(ticklog.open("e.bcsv").to_dict(), {"s": ["a", "b"] * 500})

    @unittest.skipUnless(have("polars"), "needs polars")
    def test_polars(self):
        import polars as pl

        t = table()
        frame = t.to_polars()
        self.assertEqual(frame["x"].sum(), sum(range(1000)) / 2)
        t.close()
        self.assertEqual(frame["s"][999], "row 999")
        ticklog.write("p.bcsv", frame.lazy().filter(pl.col("tick") < 3))
        self.assertEqual(ticklog.open("p.bcsv").to_dict(["s"]), {"s": ["row 0", "row 1", "row 2"]})


class Reports(InFolder):
    def test_repair(self):
        table(rows=100000, packet_bytes=65536, row_codec="flat")
        self.assertTrue(ticklog.validate("t.bcsv")["sound"])
        with open("t.bcsv", "r+b") as file:
            file.seek(200000)
            file.write(b"damage")
        told = ticklog.validate("t.bcsv")
        self.assertFalse(told["sound"])
        with self.assertRaises(ticklog.DamagedError) as caught:
            ticklog.open("t.bcsv").to_numpy()
        self.assertIsInstance(caught.exception.offset, int)
        self.assertEqual(caught.exception.offset, told["damage"][0]["offset"])
        salvaged = ticklog.open("t.bcsv", salvage=True).to_dict(["tick"])["tick"]
        self.assertLess(len(salvaged), 100000)
        ticklog.repair("t.bcsv")
        self.assertEqual(ticklog.open("t.bcsv.repaired").to_dict(["tick"])["tick"], salvaged)
        ticklog.repair("t.bcsv", out="other.bcsv")
        with self.assertRaises(FileExistsError):
            ticklog.repair("t.bcsv", out="other.bcsv")
        ticklog.repair("t.bcsv", in_place=True)
        self.assertTrue(ticklog.validate("t.bcsv")["sound"])
        self.assertTrue(os.path.exists("t.bcsv.orig"))

    def test_meta(self):
        """Samples are not read for it."""
        for spoiled in False, True:
            logger = ticklog.Logger()
            value = ctypes.c_uint16()
            logger.poll("x", value)
            with logger.start("runs", f"r{spoiled}", metadata={"n": 3}) as run:
                for i in range(5000):
                    value.value = i * i % 65536
                    run.tick()
                    run.service()
            path = f"runs/r{spoiled}/polled.bcsv"
            if spoiled:
                size = os.path.getsize(path)
                with open(path, "r+b") as file:
                    file.seek(size // 3)
                    file.write(b"damage" * (size // 12))
        good, bad = ticklog.open("runs/rFalse"), ticklog.open("runs/rTrue")
        self.assertTrue(bad.info()["damage"])
        for key in ("user", "streams", "closed", "format"):
            self.assertEqual(good.meta[key], bad.meta[key])
        self.assertEqual(good.meta["user"], {"n": 3})
        self.assertEqual(list(bad.streams), ["x"])
        # Which only samples tell.
        self.assertFalse({"ticks", "duration_s", "lost_samples", "files"} & set(bad.meta))
        os.remove("runs/rTrue/meta.bcsv")
        with self.assertRaises(ticklog.Error):
            bad.meta
        bad.close()
        with self.assertRaises(ticklog.ClosedError):
            bad.meta

    def test_shrinks(self):
        """Under a report, too."""
        table("big.bcsv", rows=1000000, file_codec="packet", row_codec="flat")
        code = """
import os, threading, time, ticklog
def cut():
    time.sleep(0.02)
    os.truncate("big.bcsv", 100000)
thread = threading.Thread(target=cut)
thread.start()
for i in range(20):
    try:
        sound = ticklog.validate("big.bcsv")["sound"]
        ticklog.info("big.bcsv")
    except ticklog.Error:
        sound = False
thread.join()
print(sound)
"""
        self.assertEqual(python(code), (0, "False\n", ""))

    def test_refused(self):
        for call in (ticklog.info, ticklog.validate, ticklog.repair):
            with self.assertRaises(FileNotFoundError, msg=call.__name__):
                call("nowhere")
        with open("x", "w") as file:
            file.write("\0\0nothing")
        for call in (ticklog.info, ticklog.validate, ticklog.repair):
            try:
                self.assertFalse(call("x").get("sound", False))
            except ticklog.Error as error:
                self.assertIn("x", str(error))


if __name__ == "__main__":
    unittest.main()
