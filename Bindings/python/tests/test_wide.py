"""Many columns of one type, which share an array, and those between them, are what each column is for itself."""

import random
import unittest

import numpy as np
import pandas as pd

import ticklog
from support import SEED, InFolder

KINDS = ["f4", "f4", "f8", "u1", "i2", "u4", "i8"]


def table(r, rows):
    """Runs of columns of a type, and single ones; some with texts or bools."""
    made = {}
    noise = np.random.default_rng(r.randrange(2**32))
    for run in range(r.randrange(3, 9)):
        kind = r.choice(KINDS)
        for i in range(r.choice([1, 2, 31, 32, 33, 100])):
            made[f"{kind} {run} {i}"] = noise.integers(0, 100, rows).astype(kind) * (1 if kind[0] != "f" else noise.normal())
        if r.random() < 0.5:
            made[f"text {run}"] = [r.choice(["", "a", "é", "longer"]) for _ in range(rows)]
        if r.random() < 0.5:
            made[f"flag {run}"] = noise.integers(0, 2, rows).astype(bool)
    return {name: values.astype(kind_of(name, values)) if isinstance(values, np.ndarray) else values for name, values in made.items()}


def kind_of(name, values):
    kind = name.split()[0]
    return kind if kind in KINDS else values.dtype


class Wide(InFolder, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)

    def test_wide(self):
        print(f"wide: seed {SEED}")
        stacked = 0
        for turn in range(12):
            # Only what has some MB is made in one piece of memory.
            rows = self.random.choice([1, 2, 7, 3000]) if turn % 3 else 20000
            data = table(self.random, rows)
            path = "wide.bcsv"
            ticklog.write(path, data, row_codec=self.random.choice(["flat", "zoh", "delta"]), overwrite=True)
            opened = ticklog.open(path)
            for part in opened._parts():
                stacked += len(part.stacks(np))
            first = self.random.randrange(rows)
            for of, chosen in ((opened, slice(None)), (opened.rows(first, rows), slice(first, rows))):
                self.same(of.to_numpy(), of.to_pandas(), {name: values[chosen] for name, values in data.items()})
            some = self.random.sample(list(data), len(data) // 2)
            self.same(opened.to_numpy(some), opened.to_pandas(some), {name: data[name] for name in some})
            for batch in opened.batches(max(50, rows - 1)):
                piece = batch[1:-1]
                self.assertEqual(list(piece.to_pandas().columns), list(data))
                self.same(piece.to_numpy(), piece.to_pandas(), piece.to_dict())
                break
        self.assertGreater(stacked, 0)

    def same(self, arrays, frame, data):
        self.assertEqual(list(arrays), list(data))
        self.assertEqual(list(frame.columns), list(data))
        for name, values in data.items():
            np.testing.assert_array_equal(arrays[name], np.asarray(values, arrays[name].dtype))
            if isinstance(values, np.ndarray):
                self.assertEqual(arrays[name].dtype, values.dtype)
                self.assertEqual(frame[name].dtype, values.dtype)
            self.assertEqual(frame[name].tolist(), list(values))

    def test_one_column_is_changed(self):
        path = "wide.bcsv"
        rows = 10000
        ticklog.write(path, {f"c{i}": np.arange(rows, dtype="f4") + i for i in range(200)})
        self.assertEqual([(first, end) for part in ticklog.open(path)._parts() for first, end, _ in part.stacks(np)], [(0, 200)])
        arrays, frame = ticklog.open(path).to_numpy(), ticklog.open(path).to_pandas()
        arrays["c7"][:] = -1
        frame.loc[2, "c7"] = -1
        frame["new"] = frame["c8"] + 1
        del frame["c9"]
        for i in (6, 8):
            self.assertEqual(arrays[f"c{i}"].tolist(), list(range(i, i + rows)))
            self.assertEqual(frame[f"c{i}"].tolist(), list(range(i, i + rows)))
        self.assertEqual(frame["c7"].tolist(), [7, 8, -1, *range(10, rows + 7)])
        self.assertEqual(frame["new"].tolist(), list(range(9, rows + 9)))
        self.assertIsInstance(frame, pd.DataFrame)
        # It stays when all else is gone.
        kept = arrays["c5"]
        del arrays, frame
        self.assertEqual(kept.tolist(), list(range(5, rows + 5)))


if __name__ == "__main__":
    unittest.main()
